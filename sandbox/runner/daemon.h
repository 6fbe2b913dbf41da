/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_RUNNER_DAEMON_H
#define WARREN_SANDBOX_RUNNER_DAEMON_H

#include "sandbox/jail/kind.h"
#include "sandbox/runner/inner.h"
#include "sandbox/runner/envoy.h"

/*
 * Pid 1 of a job whose container a daemon makes, outside of the slot: it has
 * built the root, asks the envoy for a container, sends warren-inner there what
 * it sends others by their descriptors, and waits. With it ends the connection,
 * and with that the job (arrive.h).
 */
struct daemon {
	int envoy; /* where it is asked, for this slot alone */
	int reply;  /* ours of what it answers; what it waits for the end of */
	int conn;   /* to warren-inner */
	int group;  /* the v2 group's cgroup.procs, or -1 */
	struct envoy_answer said;
};
/*
 * 0, or -1 and why: of the envoy, or of this machine. Waits for as long as it
 * takes; jail has the clock.
 */
int daemon_ask(struct daemon *, const struct envoy_ask *, char why[DOCKER_WHY]);
/*
 * Sends all, of INNER_MSG to INNER_REPORT, with the root and the v1 groups
 * (tasks, -1: none), and waits until the job is over; or it was ended by
 * somebody else, and INNER_REPORT is at DAEMON_REPORT to say so. -1 with errno
 * where it cannot be sent: then nothing has changed its number.
 */
#define DAEMON_REPORT 2
int daemon_job(struct daemon *, const int all[INNER_REPORT + 1],
    const int tasks[JOB_TASKS], bool *over);

#endif
