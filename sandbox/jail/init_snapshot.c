/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/jail/init.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>

#include "common/snapshot.h"
#include "common/util.h"
#include "sandbox/base/caps.h"
#include "sandbox/base/handstart.h"
#include "sandbox/base/limits.h"
#include "sandbox/base/root.h"
#include "sandbox/base/sys.h"

/* Its end is ours; alive: the other end is held by us. */
static void
die_with_parent(int alive)
{
	struct pollfd p = {.fd = alive, .events = POLLIN};

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
	    (poll(&p, 1, 0) == 1 && (p.revents & POLLHUP) != 0))
		_exit(1);
	(void)close(alive);
}

/* In the job's pid namespace, and in mounts of its own. */
static void
inside(const struct init_env *e, const struct init_snapshot *s)
{
	char name[] = "warren-hand", word[] = "snapshot", what[8], bytes[24];
	char *argv[] = {name, word, what, bytes, NULL};
	/*
	 * No Landlock: a process in a domain of its own may trace nobody
	 * outside of it. The root is an empty folder and a /proc.
	 */
	struct hand_start h = {.in = s->in, .out = s->out,
	    .report = s->report, .hand = s->hand,
	    /* the kernel counts the job's with ours; our group bounds these */
	    .limits = {.pids = UINT16_MAX, .fsize = s->bytes + (64ull << 20),
		.data = HAND_DATA_STEP},
	    .read_all = true, .trace = true, .argv = argv,
	    .filters = {e->snapshot_filter, e->seal_filter}};
	const char *failed;

	(void)snprintf(what, sizeof(what), "%u", s->what);
	(void)snprintf(bytes, sizeof(bytes), "%llu",
	    (unsigned long long)s->bytes);
	if (root_snapshot_build(&failed) < 0)
		init_fail(s->report, "internal", failed, errno);
	failed = hand_start(&h);
	init_fail(h.report, "internal", failed, errno);
}

void
init_snapshot(const struct init_env *e, const struct init_snapshot *s)
{
	int alive[2], st;
	pid_t pid;

	if (setns(s->ns, CLONE_NEWPID) < 0)
		init_fail(s->report, "internal", "the job's processes", errno);
	init_take_ids(e, s->report);
	if (pipe2(alive, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		init_fail(s->report, "internal", "fork", errno);
	if (pid == 0) {
		(void)close(alive[1]);
		die_with_parent(alive[0]);
		inside(e, s);
	}
	if (caps_drop_all() < 0)
		_exit(1);
	/* its report and its memory are not ours to hold */
	(void)dup2(alive[1], 0);
	(void)sys_close_range(1, ~0u);
	while (waitpid(pid, &st, 0) < 0)
		if (errno != EINTR)
			_exit(1);
	_exit(WIFEXITED(st) ? WEXITSTATUS(st) : 1);
}
