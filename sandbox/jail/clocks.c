/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/jail/clocks.h"

#include <sys/prctl.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "sandbox/base/sys.h"

#define SECOND_NS 1000000000L

/* "CLOCK SECONDS NANOSECONDS", by which the clock then is a moment past 0. */
static size_t
offset_line(char *out, size_t cap, clockid_t clock)
{
	struct timespec t;
	int n;

	if (clock_gettime(clock, &t) < 0)
		return 0;
	n = snprintf(out, cap, "%d %lld %ld\n", (int)clock,
	    -(long long)t.tv_sec - (t.tv_nsec != 0),
	    t.tv_nsec != 0 ? SECOND_NS - t.tv_nsec : 0);
	return n < 0 || (size_t)n >= cap ? 0 : (size_t)n;
}

int
clocks_fresh(void)
{
	static const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_BOOTTIME};
	_cleanup_fd_ int fd = -1;
	char text[128];
	size_t len = 0, n;

	if (unshare(CLONE_NEWTIME) < 0)
		return -1;
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (fd < 0)
		return -1;
	for (size_t i = 0; i < NELEM(clocks); i++) {
		n = offset_line(text + len, sizeof(text) - len, clocks[i]);
		if (n == 0)
			return -1;
		len += n;
	}
	/* in one piece: the file takes one write */
	return write(fd, text, len) == (ssize_t)len ? 0 : -1;
}
