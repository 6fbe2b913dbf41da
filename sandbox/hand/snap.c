/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/hand/snap.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/util.h"
#include "sandbox/base/report.h"
#include "sandbox/hand/snap_core.h"
#include "sandbox/hand/snap_files.h"
#include "sandbox/hand/snap_memory.h"
#include "sandbox/hand/snap_stop.h"
#include "sandbox/hand/snap_store.h"
#include "sandbox/hand/snap_text.h"

#define PAGE 4096u
#define FILES_PART 4 /* a quarter of the bytes is for files */
#define FDS_MAX 4096

/* What is known of a process besides its threads. */
struct taken {
	struct snap_text maps;
	struct core_seg *segs;
	size_t nsegs;
	size_t op, nops; /* in the memory's list */
	struct core_of core;
	struct core_file *files;
};

struct snap {
	unsigned what;
	int proc;
	struct snap_store store;
	struct snap_memory memory;
	struct snap_stop stop;
	struct taken *taken;
	struct snap_text about;
	uint64_t unreadable;
	int64_t began; /* us */
};

static int
say(bool ok, const char *why)
{
	struct report r = {.kind = REPORT_HAND, .ok = ok};

	(void)snprintf(r.why, sizeof(r.why), "%s", why);
	report_send(STDERR_FILENO, &r);
	return ok ? 0 : 1;
}

static int
cannot(const char *what)
{
	char why[200];

	(void)snprintf(why, sizeof(why), "%s: %s", what, strerror(errno));
	return say(false, why);
}

/* What took how long, for who asks why a job stood still. */
static void
lap(struct snap *s, const char *what)
{
	snap_text_add(&s->about, "us_until_%s %lld\n", what,
	    (long long)(clock_mono().us - s->began));
}

/* ---- before it stands still ---- */

/* Bytes that its processes have in memory now, with some to spare. */
static uint64_t
estimate(int proc)
{
	pid_t pids[SNAP_PROCESSES_MAX];
	ssize_t n = snap_numbers(proc, ".", pids, NELEM(pids));
	uint64_t sum = 0;

	for (ssize_t i = 0; i < n; i++) {
		struct snap_text t = {0};
		char path[32];

		(void)snprintf(path, sizeof(path), "%d/statm", (int)pids[i]);
		if (pids[i] != 1 && pids[i] != getpid() &&
		    snap_text_file(&t, proc, path) && t.n > 0) {
			t.p[t.n - 1] = '\0';
			sum += strtoull(t.p + strcspn(t.p, " "), NULL, 10) *
			    PAGE;
		}
		snap_text_free(&t);
	}
	return sum + sum / 16 + (4u << 20);
}

static bool
go(void)
{
	struct report r = {.kind = REPORT_SNAP};
	char c;

	report_send(STDERR_FILENO, &r);
	return read(STDIN_FILENO, &c, 1) == 1;
}

/* ---- while it does ---- */

/* by: of the thread that has it, below the number of its process. */
static void
member_file(struct snap *s, pid_t pid, pid_t by, const char *name)
{
	struct snap_text t = {0};
	char path[64], member[80];

	(void)snprintf(path, sizeof(path), "%d/%s", (int)by, name);
	(void)snprintf(member, sizeof(member), "processes/%d/%s", (int)pid,
	    name);
	if (snap_text_file(&t, s->proc, path) && t.n > 0)
		(void)snap_member_bytes(&s->store, member, t.p, t.n);
	snap_text_free(&t);
}

/* Number and what it leads to, one a line. */
static void
member_fds(struct snap *s, pid_t pid, pid_t by)
{
	static pid_t fds[FDS_MAX];
	struct snap_text t = {0};
	char path[64], to[4096];
	ssize_t n, k;

	(void)snprintf(path, sizeof(path), "%d/fd", (int)by);
	n = snap_numbers(s->proc, path, fds, NELEM(fds));
	for (ssize_t i = -1; i < n; i++) {
		/* a directory's 0 is no number of a process */
		int fd = i < 0 ? 0 : fds[i];

		(void)snprintf(path, sizeof(path), "%d/fd/%d", (int)by, fd);
		k = readlinkat(s->proc, path, to, sizeof(to));
		if (k < 0)
			continue;
		snap_text_add(&t, "%d ", fd);
		snap_text_escaped(&t, to, (size_t)k);
		snap_text_add(&t, "\n");
	}
	(void)snprintf(path, sizeof(path), "processes/%d/fds", (int)pid);
	(void)snap_member_bytes(&s->store, path, t.p != NULL ? t.p : "", t.n);
	snap_text_free(&t);
}

/* "12 (a name) S 1 2 3 ..." */
static void
identity(struct snap *s, pid_t pid, pid_t by, struct core_of *c)
{
	struct snap_text t = {0};
	char path[32], *open, *close;
	int ppid = 0, pgrp = 0, sid = 0;
	struct stat st;

	(void)snprintf(path, sizeof(path), "%d/stat", (int)pid);
	if (snap_text_file(&t, s->proc, path) && t.n > 0) {
		t.p[t.n - 1] = '\0';
		open = strchr(t.p, '(');
		close = strrchr(t.p, ')');
		if (open != NULL && close != NULL && close > open) {
			(void)sscanf(close + 1, " %c %d %d %d", &c->state,
			    &ppid, &pgrp, &sid);
			memcpy(c->name, open + 1, MIN_OF((size_t)(close - open -
			    1), sizeof(c->name) - 1));
		}
	}
	c->pid = pid;
	c->ppid = ppid;
	c->pgrp = pgrp;
	c->sid = sid;
	snap_text_free(&t);
	(void)snprintf(path, sizeof(path), "%d/cmdline", (int)by);
	if (snap_text_file(&t, s->proc, path))
		for (size_t i = 0; i < t.n && i < sizeof(c->args) - 1; i++)
			c->args[i] = t.p[i] != '\0' ? t.p[i] : ' ';
	snap_text_free(&t);
	(void)snprintf(path, sizeof(path), "%d", (int)pid);
	if (fstatat(s->proc, path, &st, 0) == 0) {
		c->uid = st.st_uid;
		c->gid = st.st_gid;
	}
}

static void
plan_memory(struct snap *s, struct taken *t, pid_t pid)
{
	static struct core_seg segs[CORE_SEGS_MAX];
	struct snap_text auxv = {0};
	char path[32];
	size_t n;

	(void)snprintf(path, sizeof(path), "%d/maps", (int)pid);
	(void)snap_text_file(&t->maps, s->proc, path);
	if (t->maps.n == 0)
		return;
	t->op = s->memory.n;
	n = snap_memory_plan(&s->memory, s->proc, pid, t->maps.p, t->maps.n,
	    segs);
	t->nops = s->memory.n - t->op;
	if (n == 0 || (t->segs = reallocarray(NULL, n, sizeof(*segs))) == NULL)
		return;
	memcpy(t->segs, segs, n * sizeof(*segs));
	t->nsegs = n;
	(void)snprintf(path, sizeof(path), "%d/auxv", (int)pid);
	(void)snap_text_file(&auxv, s->proc, path);
	t->core.auxv = (struct core_blob){auxv.p, auxv.n};
}

static void
take_memory(struct snap *s)
{
	for (size_t i = 0; i < s->stop.n; i++)
		plan_memory(s, &s->taken[i],
		    snap_alive(&s->stop.processes[i]));
	lap(s, "memory_is_known");
	snap_memory_copy(&s->memory, &s->unreadable);
}

static void
take_processes(struct snap *s)
{
	static const char *const files[] = {"status", "limits", "cmdline",
	    "maps", "stat", "cgroup", "wchan"};

	for (size_t i = 0; i < s->stop.n; i++) {
		struct snap_process *p = &s->stop.processes[i];
		pid_t by = snap_alive(p);

		identity(s, p->pid, by, &s->taken[i].core);
		for (size_t k = 0; k < NELEM(files); k++)
			member_file(s, p->pid, by, files[k]);
		if ((s->what & SNAPSHOT_ENVIRON) != 0)
			member_file(s, p->pid, by, "environ");
		member_fds(s, p->pid, by);
	}
}

static void
take_files(struct snap *s)
{
	struct snap_text list = {0};
	size_t i = 0;

	snap_text_add(&list, "# kind mode size mtime path contents\n");
	/* what has ended and waits to be asked for has no root any more */
	while (i + 1 < s->stop.n && s->stop.processes[i].nthreads == 0)
		i++;
	if (i < s->stop.n)
		snap_files(&s->store, s->proc,
		    snap_alive(&s->stop.processes[i]),
		    s->store.most / FILES_PART, &list);
	if (list.p != NULL)
		(void)snap_member_bytes(&s->store, "files.txt", list.p, list.n);
	snap_text_free(&list);
}

/* ---- what was copied becomes cores ---- */

static void
core_files(struct taken *t)
{
	const char *at = t->maps.p, *end = t->maps.p + t->maps.n;
	struct snap_map v;
	size_t n = 0;

	for (size_t i = 0; i < t->maps.n; i++)
		n += t->maps.p[i] == '\n';
	if ((t->files = calloc(n + 1, sizeof(*t->files))) == NULL)
		return;
	t->core.files = t->files;
	while (snap_map_next(&at, end, &v)) {
		if (v.name_len == 0 || v.name[0] != '/')
			continue;
		t->files[t->core.nfiles++] = (struct core_file){v.start, v.end,
		    v.offset, v.name, v.name_len};
	}
}

static void
core(struct snap *s, size_t i)
{
	struct snap_process *p = &s->stop.processes[i];
	struct taken *t = &s->taken[i];
	char name[40];
	uint64_t off;
	size_t n;

	if (t->nsegs == 0 || p->nthreads == 0)
		return;
	core_files(t);
	t->core.threads = p->threads;
	t->core.nthreads = p->nthreads;
	t->core.segs = t->segs;
	t->core.nsegs = t->nsegs;
	n = core_front_size(&t->core);
	(void)snprintf(name, sizeof(name), "processes/%d/core", (int)p->pid);
	if (!snap_store_room(&s->store, n, &off) ||
	    !snap_member(&s->store, SNAPSHOT_OURS, name, strlen(name)))
		return;
	core_front(s->store.map + off, &t->core);
	snap_member_extent(&s->store, off, n);
	for (size_t k = 0; k < t->nops; k++)
		snap_member_extent(&s->store, s->memory.ops[t->op + k].to,
		    s->memory.ops[t->op + k].len);
}

static void
about(struct snap *s)
{
	struct snap_text *t = &s->about;

	snap_text_add(t, "processes %zu\nthreads %zu\n", s->stop.n,
	    s->stop.threads);
	snap_text_add(t, "threads_without_registers %zu\n", s->stop.missed);
	snap_text_add(t, "pages_that_could_not_be_read %llu\n",
	    (unsigned long long)s->unreadable);
	snap_text_add(t, "memory %s\n", (s->what & SNAPSHOT_MEMORY) == 0 ?
	    "not asked for" : s->memory.cut || s->store.full ?
	    "in part: there is more than the bounds allow" : "all");
	snap_text_add(t, "processes_listed %s\n", s->stop.cut ? "in part" :
	    "all");
	(void)snap_member_bytes(&s->store, "about.txt", t->p, t->n);
}

static int
take(struct snap *s)
{
	int64_t us;

	s->began = clock_mono().us;
	if (snap_stop_all(&s->stop, s->proc) < 0)
		return -1;
	s->taken = calloc(s->stop.n + 1, sizeof(*s->taken));
	if (s->taken == NULL)
		return -1;
	lap(s, "all_stand");
	snap_registers(&s->stop);
	if ((s->what & SNAPSHOT_MEMORY) != 0)
		take_memory(s);
	lap(s, "memory_is_copied");
	take_processes(s);
	if ((s->what & SNAPSHOT_FILES) != 0)
		take_files(s);
	for (size_t i = 0; i < s->stop.n; i++)
		core(s, i);
	lap(s, "all_is_copied");
	about(s);
	us = clock_mono().us - s->began;
	return snap_store_finish(&s->store,
	    (uint32_t)MIN_OF(us, (int64_t)UINT32_MAX));
}

int
hand_snapshot(const char *what, const char *bytes)
{
	static struct snap s;
	int rv;

	(void)setpgid(0, 0); /* our workers are known by it */
	s.what = (unsigned)strtoul(what, NULL, 10);
	s.proc = open("/p", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s.proc < 0 || snap_store_open(&s.store, STDOUT_FILENO,
	    strtoull(bytes, NULL, 10)) < 0 ||
	    snap_memory_open(&s.memory, &s.store) < 0)
		return cannot("snapshot");
	if ((s.what & SNAPSHOT_MEMORY) != 0)
		snap_memory_ready(&s.memory, estimate(s.proc));
	if (!go())
		return say(false, "called off");
	rv = take(&s);
	/* what a debugger holds goes on, as far as its group lets it */
	snap_release(&s.stop);
	if (rv < 0)
		return cannot("snapshot");
	return say(true, "");
}
