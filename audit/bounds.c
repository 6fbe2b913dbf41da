/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/bounds.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common/pattern.h"
#include "common/util.h"

#define MAX_BYTES (UINT64_C(1) << 52) /* of a sum: products stay in 64 bits */

/* What makes memory executable, or a file of it. */
static const uint32_t exec_calls[] = {SYS_mmap, SYS_mprotect,
    SYS_pkey_mprotect, SYS_shmat, SYS_memfd_create};

static bool
in_set(const uint64_t set[WATCH_CALLS], uint32_t call)
{
	return call < 64u * WATCH_CALLS && (set[call / 64] >> call % 64 & 1) != 0;
}

bool
bounds_init(struct bounds *b, const uint8_t *record, size_t len,
    const uint8_t denied[8 * WATCH_CALLS], struct mono now)
{
	memset(b, 0, sizeof(*b));
	for (unsigned i = 0; i < 64u * WATCH_CALLS; i++)
		b->denied[i / 64] |= (uint64_t)(denied[i / 8] >> i % 8 & 1)
		    << i % 64;
	b->at = now;
	return contract_record_get(&b->c, record, len);
}

void
bounds_calls(const struct bounds *b, struct watch_bounds *out)
{
	memcpy(out->denied, b->denied, sizeof(out->denied));
	if (b->c.anonymous_exec)
		return;
	for (size_t i = 0; i < NELEM(exec_calls); i++)
		out->denied[exec_calls[i] / 64] |=
		    UINT64_C(1) << exec_calls[i] % 64;
}

/* ---- places ---- */

/* Behind a name of a path, which has n bytes. */
static const char *
name_of(const char *path, size_t *n)
{
	while (*path == '/')
		path++;
	*n = strcspn(path, "/");
	return path;
}

static bool
is_at(const struct contract_path *p, const char *path)
{
	const char *want = p->path;
	size_t n, m;

	for (;;) {
		want = name_of(want, &n);
		path = name_of(path, &m);
		if (n == 0)
			return m == 0 || p->beneath;
		/* the probes have room for so much of a name */
		if (memchr(want, '*', n) != NULL) {
			if (m == 0 || !pattern_name(want, n, path, m,
			    m == REC_NAME - 1))
				return false;
		} else {
			size_t k = m == REC_NAME - 1 ? MIN_OF(n, m) : n;

			if (k != m || memcmp(want, path, k) != 0)
				return false;
		}
		want += strcspn(want, "/");
		path += m;
	}
}

bool
bounds_place(const struct contract_paths *list, const char *path)
{
	for (unsigned i = 0; i < list->n; i++) {
		if (is_at(&list->v[i], path))
			return true;
	}
	return false;
}

/* Devices and /proc are no files of anybody's. */
static bool
counts(const struct watch_event *e)
{
	static const struct contract_path none[] = {{"/dev", true, 0, 0},
	    {"/proc", true, 0, 0}};

	return e->path[0] == '/' && !is_at(&none[0], e->path) &&
	    !is_at(&none[1], e->path);
}

static bool
outside(const struct contract_paths *list, const struct watch_event *e)
{
	return list->given && !bounds_place(list, e->path);
}

/* Is a limit of this kind on the place? */
static bool
limited(const struct contract *c, const struct watch_event *e, bool files)
{
	for (unsigned i = 0; i < c->write.n; i++) {
		const struct contract_path *p = &c->write.v[i];

		if ((files ? p->max_files : p->max_bytes) != 0 &&
		    is_at(p, e->path))
			return true;
	}
	return false;
}

/* ---- acts ---- */

static bool
no_room(const struct watch_event *e)
{
	return e->ret == -ENOSPC || e->ret == -EDQUOT;
}

/* Refused by who keeps it; what is not there, or no folder, is another's. */
static bool
kept_out(const struct watch_event *e)
{
	return e->ret == -EACCES || e->ret == -EPERM || e->ret == -EROFS;
}

static unsigned
by_path(const struct contract *c, const struct watch_event *e)
{
	if (!counts(e))
		return RULE_NONE;
	if (no_room(e))
		return limited(c, e, true) ? RULE_DISK_MAX_FILES : RULE_NONE;
	return (e->ret >= 0 || kept_out(e)) && outside(&c->write, e) ?
	    RULE_DISK_WRITE : RULE_NONE;
}

static unsigned
refused(const struct contract *c, const struct watch_event *e)
{
	if (e->number == SYS_execve || e->number == SYS_execveat)
		return outside(&c->exec, e) ? RULE_DISK_EXEC : RULE_NONE;
	/* what it may run it may read */
	return counts(e) && outside(&c->read, e) &&
	    !(c->exec.given && bounds_place(&c->exec, e->path)) ?
	    RULE_DISK_READ : RULE_NONE;
}

static unsigned
ran(const struct contract *c, const struct watch_event *e)
{
	/* of a module, by its jail: Landlock lets nothing else there be run */
	static const struct contract_path runner = {"/sys/warren/ld.so", false,
	    0, 0};

	/* of a deep one the middle is missing: Landlock has let it */
	if (c->exec.given && (e->memfd || (!e->cut &&
		!bounds_place(&c->exec, e->path) && !is_at(&runner, e->path))))
		return RULE_DISK_EXEC;
	return !c->anonymous_exec && (e->memfd || e->deleted) ?
	    RULE_ANONYMOUS_EXEC : RULE_NONE;
}

/*
 * Code that a loader maps, which nothing refuses. What is run needs its
 * libraries too, so only that of a place which the job may write counts.
 */
static unsigned
mapped(const struct contract *c, const struct watch_event *e)
{
	static const struct contract_path tmp = {"/tmp", true, 0, 0};
	bool own = c->write.given ? bounds_place(&c->write, e->path) :
	    is_at(&tmp, e->path);

	return own && outside(&c->exec, e) ? RULE_DISK_EXEC : RULE_NONE;
}

/* A call that its filter refuses, or kills for. */
static unsigned
called(const struct bounds *b, const struct watch_event *e)
{
	if (in_set(b->denied, e->number))
		return RULE_SYSCALLS;
	for (size_t i = 0; i < NELEM(exec_calls); i++) {
		if (exec_calls[i] == e->number && !b->c.anonymous_exec)
			return RULE_ANONYMOUS_EXEC;
	}
	return RULE_NONE;
}

unsigned
bounds_event(const struct bounds *b, const struct watch_event *e)
{
	const struct contract *c = &b->c;

	switch (e->type) {
	case REC_OPEN: /* Landlock has let it, so this is not to be */
		return S_ISREG(e->mode) && !e->deleted && !e->cut &&
		    counts(e) && outside(&c->write, e) ? RULE_DISK_WRITE :
		    RULE_NONE;
	case REC_PATH: /* a further name changes nothing at the old one */
		return e->alias ? RULE_NONE : by_path(c, e);
	case REC_REFUSED:
		return refused(c, e);
	case REC_FULL:
		return limited(c, e, false) ? RULE_DISK_MAX_BYTES : RULE_NONE;
	case REC_EXEC:
		return ran(c, e);
	case REC_CODE:
		return mapped(c, e);
	case REC_CALL:
		return called(b, e);
	case REC_EXIT:
		return WIFSIGNALED((int)e->code) &&
		    WTERMSIG((int)e->code) == SIGSYS ? called(b, e) : RULE_NONE;
	case REC_MEMORY:
		return !c->anonymous_exec &&
		    (e->what & (MEM_ANON | MEM_WRITE | MEM_WRITTEN)) != 0 ?
		    RULE_ANONYMOUS_EXEC : RULE_NONE;
	default:
		return RULE_NONE;
	}
}

/* ---- sums ---- */

unsigned
bounds_read(const struct bounds *b, uint64_t read_bytes)
{
	return b->c.max_read_bytes != 0 && read_bytes > b->c.max_read_bytes ?
	    RULE_DISK_READ_BYTES : RULE_NONE;
}

/* A bucket of a second's worth, which runs out at the rate. */
unsigned
bounds_written(struct bounds *b, struct mono now, uint64_t written,
    uint32_t *wait_ms)
{
	uint64_t rate = MIN_OF(b->c.max_write_rate, MAX_BYTES), more, s, out;
	int64_t us = mono_sub(now, b->at);

	*wait_ms = 0;
	if (rate == 0 || us < 0)
		return RULE_NONE;
	more = written > b->written ? written - b->written : 0;
	b->written = written;
	us -= us % 1000;
	b->at = mono_add(b->at, us);
	s = (uint64_t)us / 1000000;
	out = s > b->over / rate ? b->over : s * rate +
	    rate / 1000 * ((uint64_t)us % 1000000 / 1000) +
	    rate % 1000 * ((uint64_t)us % 1000000 / 1000) / 1000;
	b->over -= MIN_OF(out, b->over);
	b->over = MIN_OF(b->over + MIN_OF(more, MAX_BYTES), MAX_BYTES);
	if (b->over <= rate || !mono_reached(now, b->waits))
		return RULE_NONE;
	s = (b->over - rate / 2) / rate;
	*wait_ms = s >= BOUNDS_WAIT_MS / 1000 ? BOUNDS_WAIT_MS :
	    (uint32_t)((b->over - rate / 2) * 1000 / rate) + 1;
	b->waits = mono_add(now, INT64_C(1000) * *wait_ms);
	return RULE_DISK_WRITE_RATE;
}
