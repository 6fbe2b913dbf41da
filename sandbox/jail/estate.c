/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "sandbox/base/group.h"
#include "sandbox/base/sys.h"
#include "sandbox/jail/birth.h"

#define CLEAN_MS 10000 /* until what a job has left is freed */

static uint64_t
usage(const struct estate *e)
{
	char text[32];
	ssize_t n = e->usage < 0 ? -1 : pread(e->usage, text,
	    sizeof(text) - 1, 0);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	return strtoull(text, NULL, 10);
}

static bool
processes_left(const struct estate *e, unsigned n)
{
	/* opened anew: to an open file the kernel says the same for a second */
	for (unsigned i = 0; i < n; i++) {
		_cleanup_fd_ int fd = sys_openat2(e->dirs[i], "cgroup.procs",
		    O_RDONLY | O_CLOEXEC, SYS_BENEATH);
		char c;

		if (fd < 0 || read(fd, &c, 1) != 0)
			return true;
	}
	return false;
}

/* Empty, or not there any more. */
static bool
group_quiet(int group)
{
	_cleanup_fd_ int fd = -1;
	ssize_t n;
	char c;

	if (group < 0)
		return true;
	fd = sys_openat2(group, "cgroup.procs", O_RDONLY | O_CLOEXEC,
	    SYS_BENEATH);
	if (fd < 0)
		return errno == ENOENT || errno == ENODEV;
	n = read(fd, &c, 1);
	return n == 0 || (n < 0 && errno == ENODEV);
}

bool
estate_quiet(const struct estate *e, unsigned n, int group)
{
	struct timespec ms = {0, 1000000};

	for (int i = 0; i < CLEAN_MS; i++) {
		if (!processes_left(e, n) && group_quiet(group))
			return true;
		(void)nanosleep(&ms, NULL);
	}
	return false;
}

const char *
estate_clean(const struct estate *e, unsigned n)
{
	struct timespec ms = {0, 1000000};
	bool left = false;

	for (int i = 0; i < CLEAN_MS; i++) {
		left = processes_left(e, n);
		if (!left && usage(e) <= GROUP_MEMORY_LEFT)
			return "";
		if (!left && i % 100 == 0 && e->reclaim >= 0)
			(void)!pwrite(e->reclaim, "0", 1, 0);
		(void)nanosleep(&ms, NULL);
	}
	return left ? "a process is left in its group" :
	    "memory of its group is not freed";
}
