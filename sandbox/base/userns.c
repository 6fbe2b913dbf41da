/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/base/userns.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "sandbox/base/sys.h"

static int
write_file(const char *path, const char *text)
{
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t n = strlen(text);

	return fd < 0 || write(fd, text, n) != (ssize_t)n ? -1 : 0;
}

static int
map_id(pid_t pid, uint32_t inside, uint32_t uid, uint32_t gid, bool deny)
{
	char path[64], line[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/setgroups", (int)pid);
	if (deny && write_file(path, "deny") < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
	(void)snprintf(line, sizeof(line), "%u %u 1", inside, uid);
	if (write_file(path, line) < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)pid);
	(void)snprintf(line, sizeof(line), "%u %u 1", inside, gid);
	return write_file(path, line);
}

int
userns_map(pid_t pid, uint32_t uid, uint32_t gid, bool deny)
{
	return map_id(pid, USERNS_ID, uid, gid, deny);
}

int
userns_nest(uint32_t inside, uint32_t uid, uint32_t gid)
{
	if (syscall(SYS_unshare, CLONE_NEWUSER) < 0)
		return -1;
	/* else our own files in /proc are another user's */
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (map_id(getpid(), inside, uid, gid, true) < 0)
		return -1;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int
userns_holder(uint32_t from, uint32_t id)
{
	char path[64], c = 0;
	int sv[2], fd = -1, status, saved;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return -1;
	if ((pid = fork()) == 0) {
		(void)close(sv[0]);
		if (syscall(SYS_unshare, CLONE_NEWUSER) < 0 ||
		    write(sv[1], &c, 1) != 1)
			_exit(1);
		/* until it is mapped, or nobody is there to do it */
		(void)!read(sv[1], &c, 1);
		_exit(0);
	}
	(void)close(sv[1]);
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	errno = EPERM;
	if (pid > 0 && read(sv[0], &c, 1) == 1 &&
	    map_id(pid, from, id, id, false) == 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	saved = errno;
	(void)close(sv[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	errno = saved;
	return fd;
}

int
userns_take_id(void)
{
	/* this process alone: libc's wrappers would look for threads */
	if (syscall(SYS_setresgid, USERNS_ID, USERNS_ID, USERNS_ID) < 0)
		return -1;
	return (int)syscall(SYS_setresuid, USERNS_ID, USERNS_ID, USERNS_ID);
}
