/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/groupdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/util.h"

#define REMOVE_STEP_MS 10

/* Removes the groups beneath dir; processes in them are gone or dying. */
static bool
empty_group(int dir, int depth)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = dir_take(fd);
	struct dirent *e;
	bool ok = true;

	if (d == NULL)
		return false;
	while ((e = readdir(d)) != NULL) {
		_cleanup_fd_ int sub = -1;

		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		sub = openat(fd, e->d_name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub >= 0 && depth > 0)
			(void)empty_group(sub, depth - 1);
		if (unlinkat(fd, e->d_name, AT_REMOVEDIR) < 0)
			ok = false;
	}
	(void)closedir(d);
	return ok;
}

/* A killed process leaves its group a moment later. */
static void
empty_patiently(int dir)
{
	struct timespec ms10 = {0, 10000000};

	for (int i = 0; i < 100 && !empty_group(dir, 4); i++)
		(void)nanosleep(&ms10, NULL);
}

int
group_make(int at, const char *name)
{
	_cleanup_fd_ int fd = -1;

	if (mkdirat(at, name, 0755) < 0 && errno != EEXIST)
		return -1;
	fd = openat(
	    at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/*
	 * Whatever the umask: who mounts groups from inside of one, as a runner
	 * for its tool, is asked by older kernels, such as 6.1, whether it may
	 * walk to it.
	 */
	if (fd < 0 || fchmod(fd, 0711) < 0)
		return -1;
	return steal_fd(&fd);
}

/* The pids of a group, opened anew; as many as fit. */
static size_t
members(int dir, pid_t *out, size_t cap)
{
	_cleanup_fd_ int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	size_t n = 0;
	int pid;

	if (f == NULL)
		return 0;
	fd = -1;
	while (n < cap && fscanf(f, "%d", &pid) == 1)
		out[n++] = pid;
	(void)fclose(f);
	return n;
}

/*
 * v1 has no cgroup.kill. Each process is opened, and killed by that when the
 * group still names it: then it is the one that was opened. How many were not.
 */
static size_t
kill_members(int dir)
{
	pid_t was[256], is[256];
	size_t n = members(dir, was, NELEM(was)), m, left = 0;

	for (size_t i = 0; i < n; i++) {
		_cleanup_fd_ int fd = (int)syscall(SYS_pidfd_open, was[i], 0);
		bool there = false;

		m = members(dir, is, NELEM(is));
		for (size_t k = 0; k < m; k++)
			there = there || is[k] == was[i];
		if (there && (fd < 0 || syscall(SYS_pidfd_send_signal, fd,
					    SIGKILL, NULL, 0) < 0))
			left++;
	}
	return left;
}

/* Every group beneath and the group itself; nothing forks in it meanwhile. */
static bool
kill_tree(int dir, int depth)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = dir_take(fd);
	struct dirent *e;
	bool ok = kill_members(dir) == 0;

	while (d != NULL && (e = readdir(d)) != NULL) {
		_cleanup_fd_ int sub = -1;

		if (e->d_type != DT_DIR || e->d_name[0] == '.' || depth == 0)
			continue;
		sub = openat(fd, e->d_name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub >= 0 && !kill_tree(sub, depth - 1))
			ok = false;
	}
	if (d != NULL)
		(void)closedir(d);
	return ok;
}

static bool
populated(int dir, int depth)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = dir_take(fd);
	struct dirent *e;
	pid_t one;
	bool any = members(dir, &one, 1) > 0;

	while (d != NULL && !any && (e = readdir(d)) != NULL) {
		_cleanup_fd_ int sub = -1;

		if (e->d_type != DT_DIR || e->d_name[0] == '.' || depth == 0)
			continue;
		sub = openat(fd, e->d_name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		any = sub >= 0 && populated(sub, depth - 1);
	}
	if (d != NULL)
		(void)closedir(d);
	return any;
}

bool
group_kill(int dir)
{
	struct timespec ms10 = {0, 10000000};
	char most[32] = "";
	_cleanup_fd_ int pids = -1;

	if (file_put(dir, "cgroup.kill", "1") == 0)
		return true;
	if (errno != ENOENT)
		return false;
	/* where processes are counted, none is added while they are killed */
	pids = openat(dir, "pids.max", O_RDONLY | O_CLOEXEC);
	if (pids >= 0 && read(pids, most, sizeof(most) - 1) > 0)
		(void)file_put(dir, "pids.max", "0");
	for (int i = 0; i < 100 && populated(dir, 4); i++) {
		(void)kill_tree(dir, 4);
		(void)nanosleep(&ms10, NULL);
	}
	most[strcspn(most, "\n")] = '\0';
	if (most[0] != '\0' && file_put(dir, "pids.max", most) < 0)
		log_warn("groups", "pids.max: %s is not set again", most);
	return !populated(dir, 4);
}

bool
group_end(int dir, const char *name)
{
	if (!group_kill(dir))
		log_warnx("groups", "%s: what is in it cannot be killed", name);
	empty_patiently(dir);
	if (!populated(dir, 4))
		return true;
	log_errx("groups", "%s: a process is left in it", name);
	return false;
}

void
group_move(int dir, int to)
{
	pid_t pids[256];
	size_t n = members(dir, pids, NELEM(pids));

	/* one that has ended meanwhile is gone anyway */
	for (size_t i = 0; i < n; i++)
		(void)file_put_number(to, "cgroup.procs", (uint64_t)pids[i]);
}

int
group_remove(int at, const char *name, int *ms)
{
	while (unlinkat(at, name, AT_REMOVEDIR) < 0) {
		if (errno != EBUSY || *ms <= 0)
			return -1;
		*ms -= REMOVE_STEP_MS;
		(void)poll(NULL, 0, REMOVE_STEP_MS);
	}
	return 0;
}

void
group_sweep(int top)
{
	_cleanup_fd_ int jobs =
	    openat(top, "jobs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int ms = GROUP_REMOVE_MS;

	if (jobs >= 0 && group_end(jobs, "jobs") &&
	    group_remove(top, "jobs", &ms) < 0)
		log_warn("groups", "jobs: an earlier daemon's limits stay");
}
