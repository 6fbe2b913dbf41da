/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/jail/bearer.h"

#include <sys/prctl.h>
#include <sys/socket.h>

#include <string.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "sandbox/base/sys.h"
#include "sandbox/jail/slot.h"

/* A job goes before anything of the house, and before what made it. */
#define OOM_JOB "700"

/*
 * By the child itself: who makes it never has this rank. Files of a process
 * that cannot be dumped are root's, so it can be for as long as this takes;
 * there is nothing of a stranger yet that could look.
 */
static void
oom_first(void)
{
	int fd;

	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (fd < 0)
		return;
	(void)!write(fd, OOM_JOB, strlen(OOM_JOB));
	(void)close(fd);
}

static void
leave(const struct estate *e)
{
	const int fds[] = {e->ctl, e->step_group, e->dirs[0], e->dirs[1],
	    e->dirs[2], e->procs[0], e->procs[1], e->procs[2], e->usage,
	    e->reclaim};

	for (size_t i = 0; i < NELEM(fds); i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
}

/* Its parent is jail, so that jail reaps it and its end is jail's. */
static pid_t
clone_child(uint64_t flags, int group, int *pidfd)
{
	struct clone_args a = {
		.flags = CLONE_PARENT | CLONE_PIDFD | CLONE_CLEAR_SIGHAND |
		    flags,
		.pidfd = (uint64_t)(uintptr_t)pidfd,
	};

	if (group >= 0) {
		a.flags |= CLONE_INTO_CGROUP;
		a.cgroup = (uint64_t)group;
	}
	return sys_clone3(&a);
}

pid_t
birth(const struct estate *e, int group, int *pidfd)
{
	pid_t pid = clone_child(CLONE_NEWPID | CLONE_NEWNS, group, pidfd);

	if (pid == 0) {
		oom_first();
		leave(e);
	}
	return pid;
}

void
order_run(const struct init_env *env, const struct order *o)
{
	struct init_env e = *env;
	struct init_job j = o->job;

	e.grouped = o->group >= 0;
	j.trees = o->trees;
	if (o->is_job)
		init_job(&e, &j);
	init_step(&e, &o->step);
}

/* ---- orders to a bearer: descriptors go by their place in the message ---- */

static void
pack_fd(int *field, int *fds, unsigned *n)
{
	if (*field < 0)
		return;
	fds[*n] = *field;
	*field = (int)(*n)++;
}

/* Each descriptor of an order that is not the slot's for good. */
static unsigned
descriptors(struct order *o, int *all[SLOT_FDS_MAX])
{
	unsigned n = 0;

	all[n++] = &o->group;
	if (!o->is_job) {
		all[n++] = &o->step.report;
		all[n++] = &o->step.in;
		all[n++] = &o->step.out;
		all[n++] = &o->step.tree;
		return n;
	}
	all[n++] = &o->job.report;
	all[n++] = &o->job.out;
	all[n++] = &o->job.err;
	all[n++] = &o->job.args;
	all[n++] = &o->job.filter;
	for (unsigned i = 0; i < PLAN_VOLUMES_ALL; i++)
		all[n++] = &o->trees[i];
	return n;
}

static void
bear(struct bearer *b)
{
	/* its estate is left already, and a child leaves this socket */
	const struct estate none = {b->sock, -1, {-1, -1, -1},
	    {-1, -1, -1}, -1, -1};
	static struct order o;
	int fds[SLOT_FDS_MAX], *all[SLOT_FDS_MAX];

	while (slot_recv(b->sock, &o, sizeof(o), fds) == sizeof(o)) {
		unsigned n = descriptors(&o, all);
		int pidfd = -1, error = 0;
		pid_t pid;

		for (unsigned i = 0; i < n; i++)
			if (*all[i] >= 0)
				*all[i] = fds[*all[i]];
		pid = birth(&none, o.group, &pidfd);
		if (pid == 0)
			order_run(b->env, &o);
		if (pid < 0)
			error = errno;
		if (slot_send(b->sock, &error, sizeof(error), &pidfd,
		    pid < 0 ? 0 : 1) < 0 || (o.is_job && pid > 0))
			_exit(0);
		close_fd(&pidfd);
		for (unsigned i = 0; i < SLOT_FDS_MAX; i++)
			close_fd(&fds[i]);
	}
	_exit(0);
}

int
bearer_start(struct bearer *b, const struct estate *e)
{
	int sv[2], pidfd = -1, saved;
	pid_t pid;

	bearer_end(b);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return -1;
	pid = clone_child(0, -1, &pidfd);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		(void)close(sv[0]);
		b->sock = sv[1];
		for (size_t i = 0; i < NELEM(e->procs); i++)
			if (e->procs[i] >= 0 &&
			    write(e->procs[i], "0", 1) != 1)
				_exit(1);
		leave(e);
		bear(b);
	}
	saved = errno;
	(void)close(sv[1]);
	if (pid < 0) {
		(void)close(sv[0]);
		errno = saved;
		return -1;
	}
	b->sock = sv[0];
	return pidfd;
}

int
bearer_ask(struct bearer *b, const struct order *o, int *pidfd)
{
	static struct order to;
	int fds[SLOT_FDS_MAX], *all[SLOT_FDS_MAX], error = EIO;
	unsigned n, nfds = 0;

	to = *o;
	n = descriptors(&to, all);
	for (unsigned i = 0; i < n; i++)
		pack_fd(all[i], fds, &nfds);
	if (slot_send(b->sock, &to, sizeof(to), fds, nfds) < 0 ||
	    slot_recv(b->sock, &error, sizeof(error), fds) != sizeof(error)) {
		/* the job's group had no room for it */
		bearer_end(b);
		errno = ENOMEM;
		return -1;
	}
	*pidfd = steal_fd(&fds[0]);
	for (unsigned i = 0; i < SLOT_FDS_MAX; i++)
		close_fd(&fds[i]);
	if (o->is_job && error == 0)
		bearer_end(b);
	errno = error;
	return error == 0 ? 0 : -1;
}

void
bearer_end(struct bearer *b)
{
	close_fd(&b->sock);
}
