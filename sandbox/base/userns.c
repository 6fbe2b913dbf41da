/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/base/userns.h"

#include <sys/prctl.h>

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
userns_take_id(void)
{
	/* this process alone: libc's wrappers would look for threads */
	if (syscall(SYS_setresgid, USERNS_ID, USERNS_ID, USERNS_ID) < 0)
		return -1;
	return (int)syscall(SYS_setresuid, USERNS_ID, USERNS_ID, USERNS_ID);
}
