/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/runner/arrive.h"

#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/libc.h"
#include "sandbox/base/caps.h"
#include "sandbox/base/limits.h"
#include "sandbox/base/procfs.h"
#include "sandbox/base/sys.h"
#include "sandbox/base/userns.h"
#include "sandbox/jail/clocks.h"
#include "sandbox/runner/docker.h"

#define HIGH_FD 64
#define CONN (ARRIVE_FIRST_GROUP + ARRIVE_GROUPS)
#define JOB "/" DOCKER_JOB
#ifndef PR_SCHED_CORE
#define PR_SCHED_CORE 62
#endif
#define SCHED_CORE_CREATE 1
#define OOM_JOB "700" /* sandbox/jail/birth.c */

/* ---- what is sent ---- */

static int
reach(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX,
	    .sun_path = "/" DOCKER_SOCKET};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	return fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 ?
	    fd : -1;
}

/* How many groups; -1: nobody sends what is wanted. */
static int
receive(int conn, int fds[ARRIVE_FDS])
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * ARRIVE_FDS)];
	} u;
	uint8_t groups = 0;
	struct iovec iov = {&groups, 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = u.bytes, .msg_controllen = sizeof(u.bytes)};
	struct cmsghdr *c;
	size_t n;

	if (recvmsg(conn, &m, MSG_CMSG_CLOEXEC) != 1 ||
	    (m.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) != 0 ||
	    groups > ARRIVE_GROUPS || (c = CMSG_FIRSTHDR(&m)) == NULL)
		return -1;
	n = sizeof(int) * (ARRIVE_FDS - ARRIVE_GROUPS + groups);
	if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(n))
		return -1;
	memcpy(fds, CMSG_DATA(c), n);
	return groups;
}

/* To their numbers, and 0 to 2 to nothing; all others are closed. */
static int
place(const int *fds, int n, int conn)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return -1;
	for (int i = 0; i < 3; i++)
		if (dup2(null, i) < 0)
			return -1;
	if (dup3(conn, CONN, O_CLOEXEC) < 0)
		return -1;
	for (int i = 0; i < n; i++)
		if (dup3(fds[i], INNER_MSG + i, O_CLOEXEC) < 0)
			return -1;
	return sys_close_range((unsigned)CONN + 1, ~0u);
}

static void
high(int *fd)
{
	*fd = fcntl(*fd, F_DUPFD_CLOEXEC, HIGH_FD);
}

/* ---- the first process ---- */

/* Who sent it here is the job's life: without them there is no job. */
static void
wait_for(pid_t other)
{
	int end = (int)syscall(SYS_pidfd_open, other, 0), status;
	struct pollfd p[2] = {{.fd = CONN, .events = POLLIN},
	    {.fd = end, .events = POLLIN}};

	if (end < 0 || dup2(CONN, 0) < 0 || dup2(end, 1) < 0 ||
	    sys_close_range(2, ~0u) < 0 || caps_drop_all() < 0)
		_exit(1); /* it ends with us: it is in a namespace of ours */
	p[0].fd = 0;
	p[1].fd = 1;
	/* nothing is ever sent behind the first message */
	while (poll(p, 2, -1) < 0 && errno == EINTR)
		continue;
	(void)kill(other, SIGKILL);
	while (waitpid(other, &status, 0) < 0 && errno == EINTR)
		continue;
	(void)send(0, &(char){ARRIVE_OVER}, 1, MSG_NOSIGNAL);
	_exit(0);
}

/* ---- the other ---- */

static int
join(int groups)
{
	for (int i = 0; i < groups; i++)
		if (write(ARRIVE_FIRST_GROUP + i, "0", 1) != 1)
			return -1;
	return unshare(CLONE_NEWCGROUP);
}

static int
oom_first(void)
{
	int fd, rv;

	/* else our own files in /proc are another user's */
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	rv = fd >= 0 && write(fd, OOM_JOB, strlen(OOM_JOB)) > 0 ? 0 : -1;
	(void)close(fd);
	return rv;
}

static int
enter_root(const char **what)
{
	int proc;

	*what = "the job's root";
	if (move_mount(ARRIVE_TREE, "", AT_FDCWD, JOB,
	    MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -1;
	*what = "the job's /proc";
	if ((proc = procfs_make()) < 0 || move_mount(proc, "", AT_FDCWD,
	    JOB "/proc", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -1;
	(void)close(proc);
	*what = "pivot_root";
	if (chdir(JOB) < 0 || sys_pivot_root(".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0)
		return -1;
	return chdir("/");
}

static int
settle(int groups, struct inner_seen *s, const char **what)
{
	*what = "death with the container";
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -1;
	s->core = prctl(PR_SCHED_CORE, SCHED_CORE_CREATE, 0, 0, 0) == 0;
	*what = "the job's groups";
	if (join(groups) < 0)
		return -1;
	*what = "its rank when memory runs out";
	if (oom_first() < 0)
		return -1;
	(void)umask(022);
	if (enter_root(what) < 0)
		return -1;
	*what = "descriptors";
	return sys_close_range(ARRIVE_TREE, ~0u);
}

int
arrive(struct inner_seen *s, const char **what)
{
	int conn = reach(), fds[ARRIVE_FDS], groups;
	pid_t pid;

	if (conn < 0 || (groups = receive(conn, fds)) < 0)
		_exit(3);
	for (int i = 0; i < ARRIVE_FDS - ARRIVE_GROUPS + groups; i++)
		high(&fds[i]);
	high(&conn);
	if (place(fds, ARRIVE_FDS - ARRIVE_GROUPS + groups, conn) < 0)
		_exit(3);
	*what = "no new rights";
	if (no_new_privs() < 0)
		return -1;
	*what = "the job's user";
	if (userns_nest(USERNS_ID, getuid(), getgid()) < 0)
		return -1;
	*what = "limits of the namespace";
	if (limits_namespace(0) < 0)
		return -1;
	s->time = clocks_fresh() == 0;
	*what = "the job's namespaces";
	if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0 || (pid = fork()) < 0)
		return -1;
	if (pid > 0)
		wait_for(pid);
	return settle(groups, s, what);
}
