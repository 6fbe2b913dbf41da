/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/base/limits.h"

#include <sys/resource.h>
#include <sys/time.h>

#include <errno.h>

#include "common/util.h"

#define MIB (1024ull * 1024)
#define NOFILE_SOFT 1024
#define NOFILE_HARD 4096
#define STACK_MAX (64 * MIB)
#define MEMLOCK_MAX (1 * MIB)
#define SIGPENDING_MAX 1024

static int
lower(int what, uint64_t soft, uint64_t hard)
{
	struct rlimit r;

	if (getrlimit((__rlimit_resource_t)what, &r) < 0)
		return -1;
	r.rlim_max = MIN_OF((rlim_t)hard, r.rlim_max);
	r.rlim_cur = MIN_OF((rlim_t)soft, r.rlim_max);
	return setrlimit((__rlimit_resource_t)what, &r);
}

int
limits_apply(const struct job_limits *l)
{
	uint64_t data = l->data == 0 ? RLIM_INFINITY : l->data;

	/* 1, not 0: with 0 a core handler still runs, as root of the host */
	if (lower(RLIMIT_CORE, 1, 1) < 0 ||
	    lower(RLIMIT_NOFILE, NOFILE_SOFT, NOFILE_HARD) < 0 ||
	    lower(RLIMIT_NPROC, l->pids, l->pids) < 0 ||
	    lower(RLIMIT_FSIZE, l->fsize, l->fsize) < 0 ||
	    lower(RLIMIT_DATA, data, data) < 0 ||
	    lower(RLIMIT_STACK, 8 * MIB, STACK_MAX) < 0 ||
	    lower(RLIMIT_MEMLOCK, MEMLOCK_MAX, MEMLOCK_MAX) < 0 ||
	    lower(RLIMIT_MSGQUEUE, 0, 0) < 0 ||
	    lower(RLIMIT_SIGPENDING, SIGPENDING_MAX, SIGPENDING_MAX) < 0 ||
	    lower(RLIMIT_NICE, 0, 0) < 0 ||
	    lower(RLIMIT_RTPRIO, 0, 0) < 0 ||
	    lower(RLIMIT_RTTIME, 0, 0) < 0)
		return -1;
	return 0;
}
