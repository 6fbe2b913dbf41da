/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/runner/daemon.h"

#include <sys/mount.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/libc.h"
#include "sandbox/base/caps.h"
#include "sandbox/base/sys.h"
#include "sandbox/jail/slot.h"
#include "sandbox/runner/arrive.h"
#include "sandbox/runner/terms.h"

static int
failed(char why[DOCKER_WHY], const char *what)
{
	(void)snprintf(why, DOCKER_WHY, "%s: %s", what, strerror(errno));
	return -1;
}

int
daemon_ask(struct daemon *d, const struct envoy_ask *a, char why[DOCKER_WHY])
{
	uint8_t buf[ENVOY_ANSWER_MAX];
	int sv[2], fds[SLOT_FDS_MAX];
	ssize_t n;
	int rv;

	d->conn = d->group = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return failed(why, "a socket");
	envoy_ask_write(buf, a);
	rv = slot_send(d->envoy, buf, ENVOY_ASK, &sv[1], 1);
	(void)close(sv[1]);
	d->reply = sv[0];
	if (rv < 0)
		return failed(why, "who speaks to its daemon");
	n = slot_recv(d->reply, buf, sizeof(buf), fds);
	if (n <= 0 || !envoy_answer_read(&d->said, buf, (size_t)n)) {
		(void)snprintf(why, DOCKER_WHY, "who speaks to its daemon has "
		    "ended");
		return -1;
	}
	if (!d->said.ok || fds[0] < 0 || a->grouped != (fds[1] >= 0)) {
		memcpy(why, d->said.why, DOCKER_WHY);
		return -1;
	}
	d->conn = fds[0];
	d->group = fds[1];
	return 0;
}

int
daemon_job(struct daemon *d, const int all[INNER_REPORT + 1],
    const int tasks[JOB_TASKS], bool *over)
{
	int fds[ARRIVE_FDS], tree, rv;
	unsigned n = 0, groups;
	char c = 0;

	tree = open_tree(AT_FDCWD, TERMS_ROOT, OPEN_TREE_CLONE |
	    OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (tree < 0)
		return -1;
	for (int i = INNER_MSG; i <= INNER_REPORT; i++)
		fds[n++] = all[i];
	fds[n++] = tree;
	groups = n;
	for (int i = 0; i < JOB_TASKS; i++)
		if (tasks[i] >= 0)
			fds[n++] = tasks[i];
	if (d->group >= 0)
		fds[n++] = d->group;
	rv = arrive_send(d->conn, fds, n - groups);
	if (rv < 0 || caps_drop_all() < 0)
		return -1;
	/* the job's pipes end with the job; what keeps its container stays */
	if (dup2(d->conn, 0) < 0 || dup2(d->reply, 1) < 0 ||
	    dup2(all[INNER_REPORT], DAEMON_REPORT) < 0 || sys_close_range(3, ~0u) < 0)
		return -1;
	while (recv(0, &c, 1, 0) < 0 && errno == EINTR)
		continue;
	*over = c == ARRIVE_OVER;
	return 0;
}
