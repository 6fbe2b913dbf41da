/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/config/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/runner.h"
#include "common/util.h"
#include "trust/doc/manifest_form.h"

/* ours: less than any first process needs is a unit that was forgotten */
#define TIME_MOST (366ull * 86400 * 1000) /* ms; as limits.time of node.yaml */
#define MEMORY_LEAST (1ull << 20)

/* When there is no profiles/default.yaml (ARCHITECTURE.md 12.19). */
static const char default_text[] = "cap_drop:\n"
				   "  - ALL\n"
				   "seccomp_profile: /etc/seccomp/kai-default.json\n"
				   "read_only_fs: true\n"
				   "limits:\n"
				   "  memory: 256MB\n"
				   "  cpu: 0.5\n"
				   "network: isolated\n";

const char *
profile_default_text(void)
{
	return default_text;
}

#define NAME_CHARS                                                             \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."

bool
profile_name_ok(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= PROFILE_NAME_MAX && s[0] != '.' &&
	    strspn(s, NAME_CHARS) == n;
}

bool
profile_seccomp_name(char out[PROFILE_NAME_MAX + 1], const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	size_t n = strlen(name);

	if (n > 5 && strcmp(name + n - 5, ".json") == 0)
		n -= 5;
	if (n == 0 || n > PROFILE_NAME_MAX)
		return false;
	memcpy(out, name, n);
	out[n] = '\0';
	return profile_name_ok(out);
}

/*
 * "SOURCE:TARGET:ro|rw", in profiles and in JOB.yaml. NULL, or what is wrong.
 * Whether targets of several volumes collide is the caller's to check.
 */
static const char *
volume_spec_parse(struct volume_spec *v, const char *text)
{
	const char *mode = strrchr(text, ':');
	const char *target = mode;
	size_t nsource, ntarget;

	if (mode == NULL)
		return "not SOURCE:TARGET:ro or SOURCE:TARGET:rw";
	if (strcmp(mode + 1, "ro") != 0 && strcmp(mode + 1, "rw") != 0)
		return "does not end with :ro or :rw";
	while (target > text && target[-1] != ':')
		target--;
	if (target == text)
		return "not SOURCE:TARGET:ro or SOURCE:TARGET:rw";
	nsource = (size_t)(target - 1 - text);
	ntarget = (size_t)(mode - target);
	if (nsource == 0 || nsource >= sizeof(v->source))
		return "needs a source of 1 to 255 bytes";
	if (ntarget == 0 || ntarget >= sizeof(v->target))
		return "needs a target of 1 to 255 bytes";
	memset(v, 0, sizeof(*v));
	memcpy(v->source, text, nsource);
	memcpy(v->target, target, ntarget);
	v->rw = mode[2] == 'w';
	return NULL;
}

static bool
collides(const struct volume_spec *v, unsigned n, const char *target)
{
	for (unsigned i = 0; i < n; i++)
		if (manifest_target_inside(v[i].target, target) ||
		    manifest_target_inside(target, v[i].target))
			return true;
	return false;
}

/* A list of them, collisions included. */
static bool
volume_list_read(const struct ynode *list, struct volume_spec *out,
    unsigned max, unsigned *n, struct mistakes *m)
{
	unsigned before = m->n;

	*n = 0;
	if (!ynode_is_list(list, "volumes", m))
		return false;
	for (const struct ynode *c = list->first; c != NULL; c = c->next) {
		const char *text, *why, *target = NULL;

		if (!ynode_text(c, "a volume", 1, 600, &text, m))
			continue;
		if (*n == max) {
			mistake_add(m, c->line, c->column, NULL,
			    "more than %u volumes", max);
			return false;
		}
		why = volume_spec_parse(&out[*n], text);
		if (why == NULL)
			why = target = manifest_target_bad(out[*n].target,
			    strlen(out[*n].target));
		if (why == NULL && collides(out, *n, out[*n].target))
			why = "lies on or inside another volume's target";
		if (why != NULL) {
			mistake_add(m, c->line, c->column,
			    "as in ./data:/agent/data:ro", "volume \"%.80s\": %s%s",
			    text, target != NULL ? "its target is " : "", why);
			continue;
		}
		(*n)++;
	}
	return m->n == before;
}

bool
limits_read(const struct ynode *map, const char *what,
    uint64_t limit[LIMIT_COUNT], struct mistakes *m)
{
	static const char *const known[LIMIT_COUNT] = {
	    "memory", "cpu", "time", "pids", "output", "log", "io_read",
	    "io_write"};
	unsigned before = m->n;

	if (!ynode_is_map(map, what, m))
		return false;
	(void)ynode_known(map, known, NELEM(known), m);
	for (const struct ynode *c = map->first; c != NULL; c = c->next) {
		char name[64];
		uint32_t milli;
		int64_t pids;

		(void)snprintf(name, sizeof(name), "%s.%.20s", what, c->key);
		if (strcmp(c->key, "cpu") == 0) {
			if (ynode_cpu_milli(c, name, &milli, m))
				limit[LIMIT_CPU] = milli;
		} else if (strcmp(c->key, "time") == 0) {
			(void)ynode_time_ms(c, name, 1, TIME_MOST,
			    &limit[LIMIT_TIME], m);
		} else if (strcmp(c->key, "pids") == 0) {
			if (ynode_int(c, name, 1, 1 << 22, &pids, m))
				limit[LIMIT_PIDS] = (uint64_t)pids;
		} else {
			for (unsigned i = 0; i < LIMIT_COUNT; i++)
				if (strcmp(c->key, known[i]) == 0)
					(void)ynode_size(c, name,
					    i == LIMIT_MEMORY ? MEMORY_LEAST :
					    i >= LIMIT_IO_READ ?
					    LIMIT_IO_LEAST : 1, 1ull << 50,
					    &limit[i], m);
		}
	}
	return m->n == before;
}

/* ALL is dropped in any case; a name that is none is a mistake all the same. */
static void
read_caps(const struct ynode *list, struct mistakes *m)
{
	if (!ynode_is_list(list, "cap_drop", m))
		return;
	for (const struct ynode *c = list->first; c != NULL; c = c->next) {
		const char *name;

		if (!ynode_text(c, "a capability", 1, 40, &name, m))
			continue;
		if (strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != c->len)
			mistake_add(m, c->line, c->column,
			    "ALL, or names like NET_ADMIN",
			    "\"%s\" is no capability", name);
	}
}

static void
read_seccomp(struct profile *p, const struct ynode *n, struct mistakes *m)
{
	char name[PROFILE_NAME_MAX + 1];

	if (!ynode_text(n, "seccomp_profile", 1, 255, &p->seccomp, m))
		return;
	if (!profile_seccomp_name(name, p->seccomp))
		mistake_add(m, n->line, n->column,
		    "a file, or a name of profiles/seccomp/",
		    "seccomp_profile \"%.80s\" has no usable name",
		    p->seccomp);
}

bool
runner_read(const struct ynode *n, unsigned *out, struct mistakes *m)
{
	const char *names[RUNNER_COUNT];

	for (unsigned i = 0; i < RUNNER_COUNT; i++)
		names[i] = runner_name(i);
	return ynode_word(n, "runner", names, RUNNER_COUNT, out, m);
}

/* auto, off, or a profile that the operator has loaded; what a label may be. */
static void
read_apparmor(struct profile *p, const struct ynode *n, struct mistakes *m)
{
	static const char may[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_.:/-";

	if (!ynode_text(n, "apparmor", 1, PROFILE_NAME_MAX, &p->apparmor, m))
		return;
	if (strspn(p->apparmor, may) != strlen(p->apparmor) ||
	    strstr(p->apparmor, "//") != NULL ||
	    strcmp(p->apparmor, "unconfined") == 0)
		mistake_add(m, n->line, n->column, "auto, off, or the name of "
		    "a profile that is loaded", "apparmor \"%.64s\" is no "
		    "name of a profile", p->apparmor);
}

static void
read_profile(struct profile *p, const struct ynode *r, struct mistakes *m)
{
	static const char *const known[] = {"image", "cap_drop",
	    "seccomp_profile", "read_only_fs", "limits", "volumes", "network",
	    "anchor", "anchor_logs", "runner", "apparmor"};
	static const char *const anchors[] = {[ANCHOR_OFF] = "off",
	    [ANCHOR_RECORD] = "record", [ANCHOR_REQUIRE] = "require"};
	static const char *const networks[] = {"isolated", "none", "broker"};
	const struct ynode *n;
	int64_t logs;
	unsigned word;

	p->anchor_logs = 1;
	(void)ynode_known(r, known, NELEM(known), m);
	if ((n = ynode_get(r, "image")) != NULL)
		(void)ynode_text(n, "image", 1, 255, &p->image, m);
	if ((n = ynode_get(r, "cap_drop")) != NULL)
		read_caps(n, m);
	if ((n = ynode_get(r, "seccomp_profile")) != NULL)
		read_seccomp(p, n, m);
	if ((n = ynode_get(r, "read_only_fs")) != NULL)
		(void)ynode_bool(n, "read_only_fs", &p->read_only_fs, m);
	if ((n = ynode_get(r, "limits")) != NULL)
		(void)limits_read(n, "limits", p->limit, m);
	if ((n = ynode_get(r, "volumes")) != NULL)
		(void)volume_list_read(
		    n, p->volume, PROFILE_VOLUMES, &p->nvolumes, m);
	/* broker is isolated in this version: a job that asks for it is refused */
	if ((n = ynode_get(r, "network")) != NULL)
		(void)ynode_word(n, "network", networks, NELEM(networks), &word,
		    m);
	if ((n = ynode_get(r, "anchor")) != NULL &&
	    ynode_word(n, "anchor", anchors, NELEM(anchors), &word, m))
		p->anchor = (enum anchor_policy)word;
	if ((n = ynode_get(r, "anchor_logs")) != NULL &&
	    ynode_int(n, "anchor_logs", 1, PROFILE_ANCHOR_LOGS, &logs, m))
		p->anchor_logs = (unsigned)logs;
	if ((n = ynode_get(r, "runner")) != NULL && runner_read(n, &word, m))
		p->runner = (int)word;
	if ((n = ynode_get(r, "apparmor")) != NULL)
		read_apparmor(p, n, m);
}

int
profile_parse(struct profile **out, const char *text, size_t len,
    struct mistakes *m)
{
	struct profile *p = calloc(1, sizeof(*p));
	unsigned before = m->n;

	if (p == NULL) {
		mistake_add(m, 0, 0, NULL, "out of memory");
		return -1;
	}
	p->read_only_fs = true;
	p->runner = -1;
	if (ydoc_parse(&p->doc, text, len, m) == 0) {
		const struct ynode *r = ydoc_root(p->doc);

		if (!ynode_null(r) && ynode_is_map(r, "a profile", m))
			read_profile(p, r, m);
	}
	if (m->n != before) {
		profile_free(p);
		return -1;
	}
	*out = p;
	return 0;
}

void
profile_free(struct profile *p)
{
	if (p == NULL)
		return;
	ydoc_free(p->doc);
	free(p);
}
