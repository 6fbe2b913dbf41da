/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/cgdetect.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"

static const char *const names[CG_CONTROLLERS] = {"memory", "cpu", "pids"};

const char *
cg_name(enum cg_controller c)
{
	return c < CG_CONTROLLERS ? names[c] : NULL;
}

static bool
listed(const char *list, const char *word, char between)
{
	size_t n = strlen(word);

	while (*list != '\0') {
		if (strncmp(list, word, n) == 0 &&
		    (list[n] == '\0' || list[n] == between || list[n] == '\n'))
			return true;
		while (*list != '\0' && *list != between)
			list++;
		if (*list == between)
			list++;
	}
	return false;
}

bool
cg_listed(const char *list, const char *word)
{
	return listed(list, word, ' ');
}

/* A line of a text, without its newline; false when it does not fit. */
static const char *
line_of(const char *text, char *out, size_t cap, bool *ok)
{
	size_t n = strcspn(text, "\n");

	*ok = n < cap;
	if (*ok) {
		memcpy(out, text, n);
		out[n] = '\0';
	}
	text += n;
	return *text == '\n' ? text + 1 : NULL;
}

/* The own path of a controller ("" for v2) in /proc/self/cgroup. */
static bool
own_path(const char *self_cgroup, const char *controller, char *out, size_t cap)
{
	const char *at = self_cgroup;

	while (at != NULL && *at != '\0') {
		char line[CG_PATH_MAX + 128];
		char *list, *path;
		bool ok;

		at = line_of(at, line, sizeof(line), &ok);
		list = ok ? strchr(line, ':') : NULL;
		path = list != NULL ? strchr(list + 1, ':') : NULL;
		if (path == NULL)
			continue;
		*list++ = *path++ = '\0';
		if (controller[0] == '\0' ? list[0] != '\0'
					  : !listed(list, controller, ','))
			continue;
		return (size_t)snprintf(out, cap, "%s", path) < cap;
	}
	return false;
}

bool
cg_ends(const char *self_cgroup, const char *controller, const char *end)
{
	char path[CG_PATH_MAX];
	size_t n, k = strlen(end);

	if (!own_path(self_cgroup, controller, path, sizeof(path)))
		return false;
	n = strlen(path);
	return n >= k && strcmp(path + n - k, end) == 0;
}

struct mount {
	char *root, *point, *type, *options;
};

/* Fields 4, 5 and, behind " - ", 1 and 3 of a line. */
static bool
mount_read(char *line, struct mount *m)
{
	char *field[5], *rest = strstr(line, " - "), *save;
	char *source;

	if (rest == NULL)
		return false;
	*rest = '\0';
	for (size_t i = 0; i < NELEM(field); i++) {
		field[i] = strtok_r(i == 0 ? line : NULL, " ", &save);
		if (field[i] == NULL)
			return false;
	}
	m->root = field[3];
	m->point = field[4];
	m->type = strtok_r(rest + 3, " ", &save);
	source = strtok_r(NULL, " ", &save);
	m->options = strtok_r(NULL, " ", &save);
	if (m->type == NULL || source == NULL || m->options == NULL)
		return false;
	octal_unescape(m->root);
	octal_unescape(m->point);
	return true;
}

/* Where a path of the hierarchy is seen beneath the mount. */
static bool
join(char *out, const struct mount *m, const char *own)
{
	size_t n = strcmp(m->root, "/") == 0 ? 0 : strlen(m->root);

	if (strncmp(own, m->root, n) != 0 || (own[n] != '/' && own[n] != '\0'))
		return false;
	own += n;
	if (strcmp(own, "/") == 0)
		own = "";
	return (size_t)snprintf(out, CG_PATH_MAX, "%s%s", m->point, own) <
	    CG_PATH_MAX;
}

void
cgdetect(struct cg_place *p, const char *self_cgroup, const char *mountinfo)
{
	const char *at = mountinfo;

	memset(p, 0, sizeof(*p));
	while (at != NULL && *at != '\0') {
		char line[4096], own[CG_PATH_MAX];
		struct mount m;
		bool ok;

		at = line_of(at, line, sizeof(line), &ok);
		if (!ok || !mount_read(line, &m))
			continue;
		if (strcmp(m.type, "cgroup2") == 0 && !p->v2 &&
		    own_path(self_cgroup, "", own, sizeof(own)))
			p->v2 = join(p->v2_path, &m, own);
		if (strcmp(m.type, "cgroup") != 0)
			continue;
		for (unsigned i = 0; i < CG_CONTROLLERS; i++)
			if (!p->v1[i] && listed(m.options, names[i], ',') &&
			    own_path(self_cgroup, names[i], own, sizeof(own)))
				p->v1[i] = join(p->v1_path[i], &m, own);
		if (!p->blkio && listed(m.options, "blkio", ',') &&
		    own_path(self_cgroup, "blkio", own, sizeof(own)))
			p->blkio = join(p->blkio_path, &m, own);
	}
}

static void
rate(char *out, size_t cap, uint64_t v)
{
	if (v == 0)
		(void)snprintf(out, cap, "max");
	else
		(void)snprintf(out, cap, "%" PRIu64, v);
}

void
cg_io_line(char out[96], const char *disk, uint64_t rd, uint64_t wr)
{
	char r[24], w[24];

	rate(r, sizeof(r), rd);
	rate(w, sizeof(w), wr);
	(void)snprintf(out, 96, "%s rbps=%s wbps=%s", disk, r, w);
}
