/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/jail/birth.h"

#include <sys/prctl.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "sandbox/base/report.h"
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

static int
join(const struct estate *e)
{
	for (size_t i = 0; i < NELEM(e->tasks); i++)
		if (e->tasks[i] >= 0 && write(e->tasks[i], "0", 1) != 1)
			return -1;
	return 0;
}

/* tasks: those of its groups stay. */
static void
leave(const struct estate *e, bool tasks)
{
	const int fds[] = {e->ctl, e->step_group, e->dirs[0], e->dirs[1],
	    e->dirs[2], e->usage, e->reclaim, e->namespaces, e->members};

	for (size_t i = 0; i < NELEM(fds); i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	for (size_t i = 0; !tasks && i < NELEM(e->tasks); i++)
		if (e->tasks[i] >= 0)
			(void)close(e->tasks[i]);
}

/*
 * A later snapshot has to find the job's processes, and pid 1 is nobody's to
 * look at: only it itself can open this.
 */
static void
tell_namespace(const struct estate *e)
{
	int fd = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return; /* then there is no snapshot of it */
	(void)slot_send(e->namespaces, "N", 1, &fd, 1);
	(void)close(fd);
}

static pid_t
clone_of(int group, int *pidfd, uint64_t namespaces)
{
	/* its parent is jail, so that jail reaps it and its end is jail's */
	struct clone_args a = {
		.flags = CLONE_PARENT | CLONE_PIDFD | CLONE_CLEAR_SIGHAND |
		    namespaces,
		.pidfd = (uint64_t)(uintptr_t)pidfd,
	};

	if (group >= 0) {
		a.flags |= CLONE_INTO_CGROUP;
		a.cgroup = (uint64_t)group;
	}
	return sys_clone3(&a);
}

pid_t
birth(int group, int *pidfd)
{
	return clone_of(group, pidfd, CLONE_NEWPID | CLONE_NEWNS);
}

pid_t
birth_beside(int group, int *pidfd)
{
	return clone_of(group, pidfd, CLONE_NEWNS);
}

pid_t
birth_within(int group, int *pidfd)
{
	return clone_of(group, pidfd, CLONE_NEWPID);
}

int
born(const struct estate *e, bool charged)
{
	int rv = charged ? join(e) : 0, saved = errno;

	oom_first();
	leave(e, charged && e->passes);
	errno = saved;
	return rv;
}

void
order_run(const struct estate *estate, const struct init_env *env,
    const struct order *o)
{
	struct init_env e = *env;
	struct init_job j = o->job;
	struct report r = {.kind = REPORT_FAIL};

	if (o->is_job)
		tell_namespace(estate);
	if (born(estate, o->charged) < 0) {
		(void)snprintf(r.code, sizeof(r.code), "internal");
		(void)snprintf(r.why, sizeof(r.why), "its control groups: %s",
		    strerror(errno));
		report_send(o->is_job ? j.report : o->step.report, &r);
		_exit(1);
	}
	e.grouped = o->group >= 0;
	j.trees = o->trees;
	j.tasks = estate->tasks;
	if (o->is_job)
		e.job(&e, &j);
	init_step(&e, &o->step);
}
