/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_RUNNER_STUB_H
#define WARREN_SANDBOX_RUNNER_STUB_H

/*
 * A tool that lays files of its own over whatever root it is given (podman:
 * /etc/hostname, /run/.containerenv) gets an empty one of ours, in which the
 * job's is a folder: so the job's is the same under each tool, and a read-only
 * image need not have places for the tool's files.
 *
 * All return 0, or -1 with errno and *what.
 */
/* In pid 1, when the job's root is built: the stub, with that in it. */
int stub_make(const char **what);
/*
 * In warren-inner, inside the tool's container, with CAP_SYS_ADMIN of the
 * tool's user namespace: from the stub into the job's root, with a /proc as
 * jobs have it.
 */
int stub_leave(const char **what);
/*
 * There as well, in a container with the job's own root and a whole /proc: one as
 * jobs have it, over that.
 */
int stub_proc(const char **what);

#endif
