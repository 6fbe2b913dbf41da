/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/links.h"

#include <stdio.h>
#include <string.h>

#define FOLLOWS 8 /* links of one path: as many as a loop is followed */

/* Is path this one, or beneath it? What is behind, or NULL. */
static const char *
behind(const char *path, const char *at)
{
	size_t n = strlen(at);

	if (n == 0 || strncmp(path, at, n) != 0 ||
	    (path[n] != '\0' && path[n] != '/'))
		return NULL;
	return path + n;
}

static struct link *
named(struct links *l, const char *path)
{
	for (unsigned i = 0; i < LINKS_MAX; i++) {
		if (strcmp(l->link[i].at, path) == 0)
			return &l->link[i];
	}
	return NULL;
}

/* From where the link stands, with what was behind its name. */
static void
redirect(struct watch_event *e, const struct link *k, const char *rest)
{
	char text[EVENT_PATH];

	(void)snprintf(text, sizeof(text), "%s%s", k->to, rest);
	(void)snprintf(e->path, sizeof(e->path), "%s", k->at);
	*strrchr(e->path, '/') = '\0';
	event_join(e, text);
}

/* The last name itself is followed by calls that go through it. */
static void
follow(const struct links *l, struct watch_event *e, bool last)
{
	for (unsigned n = 0; n < FOLLOWS; n++) {
		const char *rest = NULL;
		unsigned i;

		for (i = 0; i < LINKS_MAX; i++) {
			rest = behind(e->path, l->link[i].at);
			if (rest != NULL && (*rest != '\0' || last))
				break;
		}
		if (i == LINKS_MAX)
			return;
		redirect(e, &l->link[i], rest);
	}
}

/* What fits was looked at. */
static void
keep(char out[LINK_PATH], const char *s)
{
	size_t n = strnlen(s, LINK_PATH - 1);

	memcpy(out, s, n);
	out[n] = '\0';
}

static void
learn(struct links *l, const struct watch_event *e)
{
	struct link *k = named(l, e->path);

	if (e->path[0] != '/' || strlen(e->path) >= LINK_PATH ||
	    strlen(e->to) >= LINK_PATH)
		return;
	if (k == NULL) {
		k = &l->link[l->next];
		l->next = (l->next + 1) % LINKS_MAX;
	}
	keep(k->at, e->path);
	keep(k->to, e->to);
}

/* Its own name is taken away, or another one given. */
static void
moved(struct links *l, const struct watch_event *e)
{
	bool renames = strncmp(e->call, "rename", 6) == 0;
	struct link *k;

	k = named(l, e->path);
	if (k != NULL)
		k->at[0] = '\0';
	if (renames && !e->from) /* its new name comes first */
		(void)snprintf(l->renamed, sizeof(l->renamed), "%s", e->path);
	else if (k != NULL && renames && strlen(l->renamed) < LINK_PATH)
		keep(k->at, l->renamed);
}

/* Calls that mean the link, and not what it leads to. */
static bool
means_itself(const struct watch_event *e)
{
	static const char *const calls[] = {"unlink", "unlinkat", "rename",
	    "renameat", "renameat2", "lchown", "symlink", "symlinkat", "link",
	    "linkat", "mkdir", "mkdirat", "mknod", "mknodat", "rmdir",
	    "lsetxattr", "lremovexattr", "bind", NULL};

	for (unsigned i = 0; calls[i] != NULL; i++) {
		if (strcmp(e->call, calls[i]) == 0)
			return true;
	}
	return false;
}

void
links_follow(struct links *l, struct watch_event *e)
{
	bool itself = means_itself(e) && !e->follows;

	if (e->type != REC_PATH && e->type != REC_LINK &&
	    e->type != REC_REFUSED)
		return;
	follow(l, e, !itself);
	if (e->ret != 0)
		return;
	if (e->type == REC_LINK)
		learn(l, e);
	else if (strncmp(e->call, "rename", 6) == 0 ||
	    strncmp(e->call, "unlink", 6) == 0)
		moved(l, e);
}
