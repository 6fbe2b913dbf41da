/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/base/limits.h"

#include <sys/resource.h>
#include <sys/time.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "common/libc.h"

#define MIB (1024ull * 1024)
#define NOFILE_SOFT 1024
#define NOFILE_HARD 4096
#define NOFILE_LEAST 256
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

uint32_t
limits_files(uint64_t file_max, uint32_t slots, uint32_t pids, bool root)
{
	uint64_t most = root ? NOFILE_HARD : LIMITS_FILES_USER;
	uint64_t share = file_max / 4 / MAX_OF(slots, 1u) / (pids + 2ull);

	if (file_max != 0)
		most = MIN_OF(most, share);
	return (uint32_t)MAX_OF(most, (uint64_t)NOFILE_LEAST);
}

uint64_t
limits_file_max(void)
{
	_cleanup_fd_ int fd = open("/proc/sys/fs/file-max",
	    O_RDONLY | O_CLOEXEC);
	char text[32];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	return strtoull(text, NULL, 10);
}

int
limits_namespace(uint32_t userns)
{
	static const struct {
		const char *name;
		uint64_t most;
	} counts[] = {{"max_inotify_instances", LIMITS_INOTIFY_INSTANCES},
	    {"max_inotify_watches", LIMITS_INOTIFY_WATCHES},
	    {"max_fanotify_groups", 0}, {"max_fanotify_marks", 0}};
	_cleanup_fd_ int dir = open("/proc/sys/user", O_PATH | O_DIRECTORY |
	    O_CLOEXEC);

	if (dir < 0)
		return 0; /* the filter refuses namespaces all the same */
	for (size_t i = 0; i < NELEM(counts); i++)
		(void)file_put_number(dir, counts[i].name, counts[i].most);
	return file_put_number(dir, "max_user_namespaces", userns);
}

int
limits_apply(const struct job_limits *l)
{
	uint64_t data = l->data == 0 ? RLIM_INFINITY : l->data;
	uint64_t files = l->files == 0 ? NOFILE_HARD : l->files;

	/* 1, not 0: with 0 a core handler still runs, as root of the host */
	if (lower(RLIMIT_CORE, 1, 1) < 0 ||
	    lower(RLIMIT_NOFILE, NOFILE_SOFT, files) < 0 ||
	    lower(RLIMIT_NPROC, l->pids, l->pids) < 0 ||
	    lower(RLIMIT_FSIZE, l->fsize, l->fsize) < 0 ||
	    lower(RLIMIT_DATA, data, data) < 0 ||
	    lower(RLIMIT_STACK, 8 * MIB, STACK_MAX) < 0 ||
	    lower(RLIMIT_MEMLOCK, MEMLOCK_MAX, MEMLOCK_MAX) < 0 ||
	    lower(RLIMIT_MSGQUEUE, 0, 0) < 0 ||
	    lower(RLIMIT_SIGPENDING, SIGPENDING_MAX, SIGPENDING_MAX) < 0 ||
	    lower(RLIMIT_NICE, 0, 0) < 0 ||
	    lower(RLIMIT_RTPRIO, 0, 0) < 0 ||
	    lower(RLIMIT_RTTIME, 0, 0) < 0 ||
	    (l->cpu_s != 0 && lower(RLIMIT_CPU, l->cpu_s, l->cpu_s) < 0))
		return -1;
	/* where the house was given a rank above others, that is not a job's */
	if (getpriority(PRIO_PROCESS, 0) < 0 &&
	    setpriority(PRIO_PROCESS, 0, 0) < 0)
		return -1;
	return 0;
}
