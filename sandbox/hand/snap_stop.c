/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/hand/snap_stop.h"

#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/util.h"

#define ROUNDS 32	 /* until no thread is new */
#define XSTATE_MAX 16384 /* AMX has 11 KiB */
#define FP_MAX 1024

ssize_t
snap_numbers(int proc, const char *path, pid_t *out, size_t max)
{
	DIR *d = dir_take(openat(proc, path, O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC));
	struct dirent *e;
	size_t n = 0;

	if (d == NULL)
		return -1;
	while ((e = readdir(d)) != NULL && n < max) {
		char *end;
		long v = strtol(e->d_name, &end, 10);

		if (*end == '\0' && v > 0 && v <= INT32_MAX)
			out[n++] = (pid_t)v;
	}
	(void)closedir(d);
	return (ssize_t)n;
}

static bool
known(const struct snap_process *p, pid_t tid)
{
	for (size_t i = 0; i < p->nthreads; i++)
		if (p->threads[i].tid == tid)
			return true;
	return false;
}

pid_t
snap_alive(const struct snap_process *p)
{
	for (size_t i = 0; i < p->nthreads; i++)
		if (p->threads[i].tid != 0 && p->held[i] != 0)
			return p->threads[i].tid;
	for (size_t i = 0; i < p->nthreads; i++)
		if (p->threads[i].tid != 0)
			return p->threads[i].tid;
	return p->pid;
}

static int
add_thread(struct snap_process *p, pid_t tid)
{
	struct core_thread *t;
	uint8_t *held;

	/* by powers of two */
	if ((p->nthreads & (p->nthreads - 1)) == 0) {
		size_t n = MAX_OF(p->nthreads * 2, 1u);

		t = reallocarray(p->threads, n, sizeof(*t));
		if (t == NULL)
			return -1;
		p->threads = t;
		if ((held = realloc(p->held, n)) == NULL)
			return -1;
		p->held = held;
	}
	t = &p->threads[p->nthreads];
	memset(t, 0, sizeof(*t));
	t->tid = tid;
	p->held[p->nthreads++] = 0;
	return 0;
}

static struct snap_process *
process_of(struct snap_stop *s, pid_t pid)
{
	struct snap_process *p;

	for (size_t i = 0; i < s->n; i++)
		if (s->processes[i].pid == pid)
			return &s->processes[i];
	if (s->n == SNAP_PROCESSES_MAX) {
		s->cut = true;
		return NULL;
	}
	p = &s->processes[s->n++];
	memset(p, 0, sizeof(*p));
	p->pid = pid;
	return p;
}

/* Those of a process that are new; how many were seized, -1: no memory. */
static int
seize(struct snap_stop *s, pid_t pid, pid_t *tids)
{
	struct snap_process *p;
	char path[32];
	int fresh = 0;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "%d/task", (int)pid);
	n = snap_numbers(s->proc, path, tids, SNAP_THREADS_MAX);
	if (n <= 0 || (p = process_of(s, pid)) == NULL)
		return 0;
	for (ssize_t i = 0; i < n; i++) {
		if (known(p, tids[i]))
			continue;
		if (s->threads == SNAP_THREADS_MAX) {
			s->cut = true;
			break;
		}
		if (ptrace(PTRACE_SEIZE, tids[i], NULL, NULL) < 0)
			continue; /* it ended, or is a zombie */
		(void)ptrace(PTRACE_INTERRUPT, tids[i], NULL, NULL);
		if (add_thread(p, tids[i]) < 0)
			return -1;
		s->threads++;
		fresh++;
	}
	return fresh;
}

/* It stands, or has ended; false: not yet. */
static bool
waited(struct core_thread *t, uint8_t *held)
{
	int st = 0;
	pid_t r = waitpid(t->tid, &st, __WALL | WNOHANG);

	if (r == 0)
		return false;
	/* a signal that it was about to get goes on with it */
	if (r == t->tid && WIFSTOPPED(st))
		*held = (uint8_t)(1 + (st >> 16 == PTRACE_EVENT_STOP ? 0 :
		    WSTOPSIG(st) & 0x7f));
	else
		t->tid = 0;
	return true;
}

/* How many do not stand yet; came: those that do since the last look. */
static size_t
look(struct snap_stop *s, bool *came)
{
	size_t left = 0;

	*came = false;
	for (size_t i = 0; i < s->n; i++) {
		struct snap_process *p = &s->processes[i];

		for (size_t k = 0; k < p->nthreads; k++) {
			if (p->threads[k].tid == 0 || p->held[k] != 0)
				continue;
			if (waited(&p->threads[k], &p->held[k]))
				*came = true;
			else
				left++;
		}
	}
	return left;
}

/*
 * A machine that has much to do is waited for as long as they come; most: when
 * all rounds are over.
 */
static void
wait_all(struct snap_stop *s, int64_t most)
{
	const struct timespec nap = {0, 50000};
	int64_t now = clock_mono().us;
	int64_t end = now + SNAP_STOP_MS * 1000;
	bool came;

	while (look(s, &came) > 0 && now < MIN_OF(end, most)) {
		(void)nanosleep(&nap, NULL);
		now = clock_mono().us;
		if (came)
			end = now + SNAP_STOP_MS * 1000;
	}
}

static void
count_missed(struct snap_stop *s)
{
	s->missed = 0;
	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; k < s->processes[i].nthreads; k++)
			if (s->processes[i].threads[k].tid != 0 &&
			    s->processes[i].held[k] == 0)
				s->missed++;
}

int
snap_stop_all(struct snap_stop *s, int proc)
{
	pid_t *pids = calloc(SNAP_PROCESSES_MAX + 16, sizeof(*pids));
	pid_t *tids = calloc(SNAP_THREADS_MAX, sizeof(*tids));
	int64_t most = clock_mono().us + SNAP_STOPS_MS * 1000;
	pid_t me = getpid(), group = getpgrp();
	int fresh = 1, rv = 0;

	memset(s, 0, sizeof(*s));
	s->proc = proc;
	s->processes = calloc(SNAP_PROCESSES_MAX, sizeof(*s->processes));
	if (pids == NULL || tids == NULL || s->processes == NULL)
		rv = -1;
	for (int round = 0; rv == 0 && fresh > 0 && round < ROUNDS; round++) {
		ssize_t n = snap_numbers(proc, ".", pids,
		    SNAP_PROCESSES_MAX + 16);

		fresh = 0;
		for (ssize_t i = 0; rv == 0 && i < n; i++) {
			int k;

			/* not the job's first process, nor ours */
			if (pids[i] == 1 || pids[i] == me ||
			    (getpgid(pids[i]) == group && group == me))
				continue;
			if ((k = seize(s, pids[i], tids)) < 0)
				rv = -1;
			else
				fresh += k;
		}
		/* what stood not in the last round is not waited for again */
		if (fresh > 0)
			wait_all(s, most);
		if (clock_mono().us >= most)
			break;
	}
	count_missed(s);
	free(pids);
	free(tids);
	return rv;
}

static void
regset(pid_t tid, unsigned long type, struct core_blob *b, size_t max)
{
	uint8_t buf[XSTATE_MAX];
	struct iovec io = {buf, MIN_OF(max, sizeof(buf))};

	if (ptrace(PTRACE_GETREGSET, tid, type, &io) < 0 || io.iov_len == 0 ||
	    (b->p = malloc(io.iov_len)) == NULL)
		return;
	memcpy(b->p, buf, io.iov_len);
	b->n = io.iov_len;
}

static void
registers(struct core_thread *t)
{
	struct iovec io = {&t->regs, sizeof(t->regs)};
	siginfo_t si;

	(void)ptrace(PTRACE_GETREGSET, t->tid, NT_PRSTATUS, &io);
	regset(t->tid, NT_FPREGSET, &t->fp, FP_MAX);
#ifdef __x86_64__
	regset(t->tid, NT_X86_XSTATE, &t->xstate, XSTATE_MAX);
#endif
	if (ptrace(PTRACE_GETSIGINFO, t->tid, NULL, &si) == 0 &&
	    (t->siginfo.p = malloc(sizeof(si))) != NULL) {
		memcpy(t->siginfo.p, &si, sizeof(si));
		t->siginfo.n = sizeof(si);
	}
}

void
snap_registers(struct snap_stop *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct snap_process *p = &s->processes[i];
		size_t kept = 0;

		for (size_t k = 0; k < p->nthreads; k++) {
			if (p->threads[k].tid == 0)
				continue;
			p->threads[kept] = p->threads[k];
			p->held[kept] = p->held[k];
			if (p->held[kept] != 0)
				registers(&p->threads[kept]);
			kept++;
		}
		p->nthreads = kept;
	}
}

void
snap_release(struct snap_stop *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct snap_process *p = &s->processes[i];

		for (size_t k = 0; k < p->nthreads; k++) {
			if (p->held[k] == 0)
				continue;
			(void)ptrace(PTRACE_DETACH, p->threads[k].tid, NULL,
			    (void *)(uintptr_t)(p->held[k] - 1));
			p->held[k] = 0;
		}
	}
}
