/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/intact.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/filesum.h"
#include "audit/filesum_read.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/util.h"
#include "common/runner.h"
#include "node/check/seccomp_dir.h"
#include "node/parent/parent.h"
#include "node/parent/siblings.h"

#define AUTHORITIES "klp/authorities"

/* Of a file or a memfd; zeros when it cannot be read. */
static struct id32
sum_of(int fd)
{
	struct id32 sum = {{0}};
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || filesum_read(fd,
	    (uint64_t)st.st_size, NULL, NULL, &sum) != 0)
		sum = (struct id32){{0}};
	return sum;
}

/* ---- what is in use ---- */

static bool
is_known(const struct intact *i, const char *path)
{
	for (unsigned k = 0; k < i->nprograms; k++)
		if (strcmp(i->program[k].path, path) == 0)
			return true;
	return false;
}

static void
program(struct parent *p, const char *dir, const char *name, bool needed)
{
	struct intact *i = &p->intact;
	unsigned n = i->nprograms;
	_cleanup_fd_ int fd = -1;
	struct stat st;

	if (n == INTACT_PROGRAMS)
		return;
	(void)snprintf(i->program[n].path, sizeof(i->program[n].path),
	    "%s/%s", dir, name);
	if (is_known(i, i->program[n].path))
		return;
	fd = open(i->program[n].path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT && !needed)
		return; /* it is not installed */
	if (fd < 0 || fstat(fd, &st) < 0) {
		log_warn(i->program[n].path, "is not looked at by audit");
		return;
	}
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !i->open) {
		log_warnx(i->program[n].path, "may be written to by others "
		    "than its owner");
		i->open = true;
	}
	i->program[n].sum = sum_of(fd);
	i->program[n].dev = st.st_dev;
	i->program[n].ino = st.st_ino;
	i->program[n].mode = st.st_mode;
	i->program[n].uid = st.st_uid;
	i->program[n].gid = st.st_gid;
	i->nprograms++;
}

/*
 * What is started now and then, or by a person, and what such a one loads:
 * installed or not.
 */
static const char *const others[] = {"warren-jail", "warren-runner",
    "warren-inner", "warren-watchdog", "warren-probe", "warren-wasm",
    WASM_LIBRARY_NAME};

void
intact_programs(struct parent *p)
{
	char dir[4096], *slash;
	_cleanup_fd_ int at = -1;
	ssize_t n;

	if (!p->compute)
		return;
	at = siblings_open(dir);
	for (unsigned i = 0; i < PROGRAM_COUNT; i++)
		if (p->child[i].exe >= 0 &&
		    program_row((enum program)i) != NULL)
			program(p, dir, siblings_file((enum program)i,
			    p->runner), true);
	program(p, dir, "warren-hand", true);
	if (p->fd_wasm[WASM_RUNNER] >= 0) {
		program(p, dir, wasm_files[WASM_RUNNER], true);
		program(p, dir, wasm_files[WASM_LIBRARY], true);
	}
	for (size_t i = 0; i < NELEM(others); i++)
		program(p, dir, others[i], false);
	n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	dir[n < 0 ? 0 : n] = '\0';
	if ((slash = strrchr(dir, '/')) != NULL) {
		*slash = '\0';
		program(p, dir, slash + 1, true);
		program(p, dir, "warren", false);
	}
}

static void
keep(struct parent *p, const char *name, const struct id32 *sum)
{
	struct intact *i = &p->intact;
	unsigned k = 0;

	while (k < i->nkept && strcmp(i->kept[k].name, name) != 0)
		k++;
	if (k == INTACT_KEPT) {
		log_warnx(name, "is not looked at by audit: there are more "
		    "than %d", INTACT_KEPT);
		return;
	}
	i->nkept += k == i->nkept;
	(void)snprintf(i->kept[k].name, sizeof(i->kept[k].name), "%s", name);
	i->kept[k].sum = *sum;
}

void
intact_keep(struct parent *p, const char *name, const void *bytes, size_t n)
{
	struct id32 sum;

	filesum_of(&sum, bytes, n);
	keep(p, name, &sum);
}

static bool
is_root(const char *name)
{
	size_t n = strlen(name), end = strlen(".root.json");

	return n > end && n < 128 && strcmp(name + n - end, ".root.json") == 0;
}

/* Those of the last time that are gone are not missed: they were read so. */
static void
forget_authorities(struct intact *i)
{
	unsigned kept = 0;

	for (unsigned k = 0; k < i->nkept; k++)
		if (strncmp(i->kept[k].name, AUTHORITIES,
		    strlen(AUTHORITIES)) != 0)
			i->kept[kept++] = i->kept[k];
	i->nkept = kept;
}

void
intact_authorities(struct parent *p)
{
	DIR *d = dir_take(openat(p->dir, AUTHORITIES, O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC | O_NOFOLLOW));
	struct dirent *de;

	forget_authorities(&p->intact);
	while (d != NULL && (de = readdir(d)) != NULL) {
		char name[INTACT_NAME];
		_cleanup_fd_ int fd = -1;
		struct id32 sum;

		if (!is_root(de->d_name))
			continue;
		fd = openat(dirfd(d), de->d_name, O_RDONLY | O_CLOEXEC |
		    O_NOFOLLOW | O_NONBLOCK);
		sum = sum_of(fd);
		(void)snprintf(name, sizeof(name), AUTHORITIES "/%.127s",
		    de->d_name);
		if (fd >= 0)
			keep(p, name, &sum);
	}
	if (d != NULL)
		(void)closedir(d);
}

/* ---- what lies there ---- */

struct telling {
	struct parent *p;
	struct ipc *to;
	uint32_t seq;
	bool seen[SECCOMP_PROFILES_MAX + 1]; /* of p->seccomp */
};

/* fd: as it was opened now, or -1 with errno; closed. */
static void
tell_file(const struct telling *t, const char *name, int fd,
    struct msg_I_FILE m)
{
	m.seq = t->seq;
	m.error = fd < 0 ? errno : 0;
	/* the end of a path says which it is */
	(void)snprintf(m.name, sizeof(m.name), "%s", name + (strlen(name) <
	    sizeof(m.name) ? 0 : strlen(name) - sizeof(m.name) + 1));
	if (ipc_send_I_FILE(t->to, &m, &fd, fd < 0 ? 0 : 1) < 0)
		log_debug("audit", "%s is not handed out", m.name);
	if (fd >= 0)
		(void)close(fd);
}

static void
tell(const struct telling *t, enum found_kind kind, const char *name, int fd,
    const struct id32 *sum)
{
	tell_file(t, name, fd, (struct msg_I_FILE){.kind = (uint8_t)kind,
	    .sum = *sum});
}

static int
open_file(const struct parent *p, int at, const char *name)
{
	return openat(at, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY |
	    (p->root ? O_NOFOLLOW : 0));
}

static void
tell_program(const struct telling *t, unsigned k)
{
	const struct intact *i = &t->p->intact;
	struct msg_I_FILE m = {.kind = FOUND_PROGRAM,
	    .sum = i->program[k].sum};
	int fd = open(i->program[k].path, O_RDONLY | O_CLOEXEC | O_NONBLOCK |
	    O_NOCTTY);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0) {
		m.other = st.st_ino != i->program[k].ino ||
		    st.st_dev != i->program[k].dev;
		if (st.st_uid != i->program[k].uid ||
		    st.st_gid != i->program[k].gid)
			m.rights = RIGHTS_OWNER;
		else if (st.st_mode != i->program[k].mode)
			m.rights = RIGHTS_MODE;
	}
	tell_file(t, i->program[k].path, fd, m);
}

static void
tell_programs(const struct telling *t)
{
	for (unsigned k = 0; k < t->p->intact.nprograms; k++)
		tell_program(t, k);
}

static void
seccomp_said(char out[INTACT_NAME], const struct named_fd *s)
{
	(void)snprintf(out, INTACT_NAME, "%sseccomp/%.130s.json", s->own ?
	    "profiles/" : "", s->name);
}

static void
found_seccomp(void *ctx, bool own, int at, const char *file, const char *name)
{
	struct telling *t = ctx;
	char said[INTACT_NAME];
	struct id32 sum;
	unsigned k = 0;
	int fd;

	(void)own; /* as it was when it was read */
	while (name != NULL && k < t->p->nseccomp &&
	    strcmp(t->p->seccomp[k].name, name) != 0)
		k++;
	/* the operator's comes before ours */
	if (name == NULL || k == t->p->nseccomp || t->seen[k])
		return;
	t->seen[k] = true;
	sum = sum_of(t->p->seccomp[k].fd);
	seccomp_said(said, &t->p->seccomp[k]);
	fd = open_file(t->p, at, file);
	tell(t, FOUND_PROFILE, said, fd, &sum);
}

static void
tell_profiles(struct telling *t)
{
	struct parent *p = t->p;
	struct id32 sum = sum_of(p->fd_profile);
	char name[INTACT_NAME];
	int fd;

	(void)snprintf(name, sizeof(name), "profiles/%s.yaml",
	    p->profile_name);
	fd = open_file(p, p->dir, name);
	/* there need be none: then the built-in one is in use */
	if (fd >= 0 || errno != ENOENT ||
	    strcmp(p->profile_name, "default") != 0)
		tell(t, FOUND_PROFILE, name, fd, &sum);
	if (p->nseccomp > 0 && p->seccomp[0].name[0] == '\0') {
		sum = sum_of(p->seccomp[0].fd);
		fd = open_file(p, p->dir, p->profile->seccomp);
		tell(t, FOUND_PROFILE, p->profile->seccomp, fd, &sum);
		t->seen[0] = true;
	}
	seccomp_dir_each(p->dir, found_seccomp, t);
	errno = ENOENT;
	for (unsigned k = 0; k < p->nseccomp; k++) {
		if (t->seen[k])
			continue;
		seccomp_said(name, &p->seccomp[k]);
		tell(t, FOUND_PROFILE, name, -1, &sum);
	}
	if (p->fd_rules < 0)
		return;
	sum = sum_of(p->fd_rules);
	fd = open_file(p, p->dir, "rules.yaml");
	tell(t, FOUND_PROFILE, "rules.yaml", fd, &sum);
}

void
intact_tell(struct child *c, const struct msg_I_WANT *m)
{
	struct parent *p = c->parent;
	struct telling t = {.p = p, .to = ipc_ev_channel(c->ev),
	    .seq = m->seq};
	struct msg_I_FILES_END end = {.seq = m->seq};

	if (!p->compute || c->peer != PROGRAM_AUDIT)
		return;
	tell_programs(&t);
	tell_profiles(&t);
	for (unsigned k = 0; k < p->intact.nkept; k++)
		tell(&t, FOUND_KEY, p->intact.kept[k].name, open_file(p,
		    p->dir, p->intact.kept[k].name), &p->intact.kept[k].sum);
	(void)ipc_send_I_FILES_END(t.to, &end, NULL, 0);
}
