/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/check/check_profile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/runner.h"
#include "common/util.h"
#include "node/check/seccomp_dir.h"
#include "node/check/tool.h"
#include "node/config/profile.h"
#include "sandbox/image/store.h"
#include "sandbox/plan/seccomp_gen.h"
#include "common/libc.h"

#define NAMES_MAX (2 * SECCOMP_PROFILES_MAX)

/* The seccomp profiles that can be named. */
struct names {
	char text[NAMES_MAX][PROFILE_NAME_MAX + 1];
	const char *list[NAMES_MAX];
	unsigned n, own;
};

/* One profile that is looked at, and where it lies. */
struct place {
	struct check *c;
	const char *file;
	bool in_use;
	const struct names *names;
};

/* ---- seccomp profiles ---- */

static void
check_seccomp(struct check *c, bool note, const char *file, const char *text,
    size_t len)
{
	struct seccomp_program p = {0};
	struct seccomp_host here;
	unsigned line = 0, column = 0;
	char why[200];
	int at = 0;

	if (!seccomp_host_native(&here)) /* said where filters are made */
		return;
	if (seccomp_gen(&p, text, len, &here, why, sizeof(why)) == 0) {
		if (p.notes[0] != '\0')
			check_tell(c, true, file, 0, 0, NULL, "calls that "
			    "are not known here: %.120s", p.notes);
		free(p.insns);
		return;
	}
	if (sscanf(why, "line %u, column %u: %n", &line, &column, &at) != 2)
		at = 0;
	check_tell(c, note, file, line, column,
	    "a seccomp profile in Docker's form", "%s", why + at);
}

static void
collect(void *ctx, bool own, int at, const char *file, const char *name)
{
	struct names *k = ctx;

	(void)at;
	(void)file;
	k->own += own;
	if (name == NULL || k->n == NAMES_MAX)
		return;
	for (unsigned i = 0; i < k->n; i++)
		if (strcmp(k->text[i], name) == 0)
			return;
	(void)snprintf(k->text[k->n], sizeof(k->text[0]), "%s", name);
	k->list[k->n] = k->text[k->n];
	k->n++;
}

static void
own_file(void *ctx, bool own, int at, const char *file, const char *name)
{
	struct check *c = ctx;
	_cleanup_free_ char *text = NULL;
	char path[300];
	size_t len;

	(void)at;
	if (!own)
		return;
	(void)snprintf(path, sizeof(path), "profiles/seccomp/%.255s", file);
	if (name == NULL)
		check_tell(c, false, path, 0, 0, "letters, digits, '.', '_' "
		    "and '-', at most 64 without .json", "no name that a "
		    "profile can have");
	text = check_read(c, path, SECCOMP_BYTES_MAX, &len);
	if (text != NULL)
		check_seccomp(c, false, path, text, len);
}

/* "did you mean "default"? known: default, kai-default". */
static void
names_hint(char *out, size_t cap, const struct names *k, const char *name)
{
	const char *near = nearest_word(name, k->list, k->n);
	size_t at = 0;

	if (near != NULL)
		at = (size_t)snprintf(out, cap, "did you mean \"%s\"? ", near);
	for (unsigned i = 0; i < k->n && at < cap; i++)
		at += (size_t)snprintf(out + at, cap - at, "%s%s",
		    i == 0 ? "known: " : ", ", k->list[i]);
}

/* The file if it is there, else by name (ARCHITECTURE.md 12.20). */
static void
named_seccomp(const struct place *p, const struct ynode *n,
    const char *seccomp)
{
	char name[PROFILE_NAME_MAX + 1], hint[200] = "";
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (strchr(seccomp, '/') != NULL &&
	    faccessat(p->c->dir, seccomp, F_OK, 0) == 0) {
		text = check_read(p->c, seccomp, SECCOMP_BYTES_MAX, &len);
		if (text != NULL)
			check_seccomp(p->c, !p->in_use, seccomp, text, len);
		return;
	}
	(void)profile_seccomp_name(name, seccomp); /* read_profile() saw to it */
	for (unsigned i = 0; i < p->names->n; i++)
		if (strcmp(p->names->list[i], name) == 0)
			return;
	names_hint(hint, sizeof(hint), p->names, name);
	check_tell(p->c, !p->in_use, p->file, n->line, n->column, hint,
	    "there is no seccomp profile \"%.80s\"", seccomp);
}

/* ---- what a profile names ---- */

static void
named_volumes(const struct place *p, const struct ynode *list,
    const struct profile *prof)
{
	const struct ynode *n = list->first;

	for (unsigned i = 0; i < prof->nvolumes && n != NULL;
	     i++, n = n->next) {
		const char *source = prof->volume[i].source;
		_cleanup_fd_ int fd = openat(p->c->dir, source,
		    O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0)
			continue;
		check_tell(p->c, !p->in_use ||
			(errno == EACCES && geteuid() != 0),
		    p->file, n->line, n->column, errno != ENOENT ? NULL :
		    source[0] == '~' ? "~ is not expanded: write the path out" :
		    "make the folder, or take the line out",
		    "volume \"%.80s\": %s", source, errno == ENOENT ?
		    "there is no such folder" : errno == ENOTDIR ?
		    "that is no folder" : strerror(errno));
	}
}

static void
named_image(const struct place *p, const struct ynode *n, const char *image)
{
	_cleanup_fd_ int dir = openat(p->c->dir, "warren/images",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool empty = dir < 0 && errno == ENOENT;
	struct id32 digest;
	char hint[200];

	if (store_resolve(dir, image, &digest) == 0 ||
	    (errno != EINVAL && errno != ENOENT && !empty))
		return;
	if (errno == EINVAL) {
		check_tell(p->c, false, p->file, n->line, n->column,
		    "as in kai/agent-runtime:latest, small letters, or "
		    "sha256: and 64 hex digits", "image \"%.80s\" is no name",
		    image);
		return;
	}
	(void)snprintf(hint, sizeof(hint), "`warren image import FOLDER "
	    "--name %.80s --config %.60s`", image, p->c->path);
	check_tell(p->c, true, p->file, n->line, n->column, hint,
	    "image \"%.80s\" is not in the store", image);
}

static void
named_runner(const struct place *p, const struct ynode *n, unsigned runner)
{
	char why[TOOL_WHY];
	int fd = tool_open(runner, p->c->runner_path[0] == '\0' ? NULL :
	    p->c->runner_path, why);

	if (fd < 0)
		check_tell(p->c, true, p->file, n->line, n->column,
		    "install it, or say where by runner_path of node.yaml",
		    "%s", why);
	else
		(void)close(fd);
}

static void
check_named(const struct place *p, const struct profile *prof)
{
	const struct ynode *root = ydoc_root(prof->doc), *n;

	if (prof->seccomp != NULL)
		named_seccomp(p, ynode_get(root, "seccomp_profile"),
		    prof->seccomp);
	if (prof->nvolumes > 0)
		named_volumes(p, ynode_get(root, "volumes"), prof);
	if (prof->image != NULL)
		named_image(p, ynode_get(root, "image"), prof->image);
	if (prof->runner > (int)RUNNER_NATIVE)
		named_runner(p, ynode_get(root, "runner"),
		    (unsigned)prof->runner);
	n = ynode_get(root, "network");
	if (n != NULL && strcmp(n->text, "broker") == 0)
		check_tell(p->c, true, p->file, n->line, n->column,
		    "a job that asks for it is refused; isolated says what is",
		    "network: broker is not built in this version: jobs have "
		    "no network");
}

/* ---- the folder ---- */

static void
check_profile(const struct place *p)
{
	struct mistakes m = {0};
	struct profile *prof;
	size_t len;
	_cleanup_free_ char *text =
	    check_read(p->c, p->file, YDOC_BYTES_MAX, &len);

	if (text == NULL)
		return;
	if (profile_parse(&prof, text, len, &m) < 0) {
		check_tell_all(p->c, p->file, &m);
		return;
	}
	check_named(p, prof);
	profile_free(prof);
}

static bool
ends(const char *name, size_t n, const char *tail)
{
	size_t k = strlen(tail);

	return n > k && strcmp(name + n - k, tail) == 0;
}

static void
check_entry(struct check *c, const struct names *names, const char *entry)
{
	struct place p = {.c = c, .names = names};
	size_t n = strlen(entry);
	char file[300], name[300];

	(void)snprintf(file, sizeof(file), "profiles/%.255s", entry);
	p.file = file;
	if (ends(entry, n, ".yml") && entry[0] != '.')
		check_tell(c, true, file, 0, 0, "only .yaml is",
		    "is not read");
	if (!ends(entry, n, ".yaml"))
		return;
	(void)snprintf(name, sizeof(name), "%.*s", (int)(n - 5), entry);
	p.in_use = strcmp(name, c->profile) == 0;
	check_profile(&p);
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

void
check_profiles(struct check *c)
{
	struct names *names = calloc(1, sizeof(*names));
	struct dirent **v = NULL;
	int n;

	if (names == NULL) {
		check_tell(c, false, "", 0, 0, NULL, "out of memory");
		return;
	}
	seccomp_dir_each(c->dir, collect, names);
	if (names->own > SECCOMP_PROFILES_MAX)
		check_tell(c, false, "profiles/seccomp", 0, 0, NULL,
		    "more than %d profiles", SECCOMP_PROFILES_MAX);
	n = scandirat(c->dir, "profiles", &v, NULL, by_name);
	if (n < 0 && errno != ENOENT)
		check_tell(c, errno == EACCES && geteuid() != 0, "profiles", 0,
		    0, NULL, "%s", strerror(errno));
	for (int i = 0; i < n; i++) {
		check_entry(c, names, v[i]->d_name);
		free(v[i]);
	}
	free(v);
	seccomp_dir_each(c->dir, own_file, c);
	free(names);
}
