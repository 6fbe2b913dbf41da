/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/image/import_group.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "sandbox/base/limits.h"

#define PREFIX "warren-import-"
#define PROC_MOST (256 * 1024)
/* ours: what hand may hold, and page cache, of which more is given back */
#define MEMORY (HAND_DATA_IMPORT + (256ull << 20))
#define PIDS (HAND_PIDS + 4)
#define WEIGHT 20   /* of 100: jobs and the relay go first */
#define SHARES 204  /* of 1024 */

/* A file of /proc, which has no size beforehand. */
static char *
proc_read(const char *path)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = fd < 0 ? NULL : malloc(PROC_MOST);
	size_t done = 0;
	ssize_t n;

	while (text != NULL && done < PROC_MOST - 1 &&
	    (n = read(fd, text + done, PROC_MOST - 1 - done)) > 0)
		done += (size_t)n;
	if (text != NULL)
		text[done] = '\0';
	return text;
}

/* What is empty is a killed import's; rmdir leaves what is not. */
static void
sweep(int at)
{
	DIR *d = dir_take(openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *de;

	while (d != NULL && (de = readdir(d)) != NULL)
		if (strncmp(de->d_name, PREFIX, strlen(PREFIX)) == 0)
			(void)unlinkat(at, de->d_name, AT_REMOVEDIR);
	if (d != NULL)
		(void)closedir(d);
}

/* A file that this hierarchy has not is another's to bound. */
static void
bound(int dir)
{
	(void)file_put_number(dir, "memory.max", MEMORY);
	(void)file_put_number(dir, "memory.limit_in_bytes", MEMORY);
	(void)file_put_number(dir, "pids.max", PIDS);
	(void)file_put_number(dir, "cpu.weight", WEIGHT);
	(void)file_put_number(dir, "cpu.shares", SHARES);
}

static bool
make_at(struct import_group *g, int i, const char *path)
{
	_cleanup_fd_ int at = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (at < 0)
		return false;
	sweep(at);
	if (mkdirat(at, g->name, 0755) < 0)
		return false;
	g->dir[i] = openat(at, g->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (g->dir[i] < 0) {
		(void)unlinkat(at, g->name, AT_REMOVEDIR);
		return false;
	}
	g->at[i] = steal_fd(&at);
	bound(g->dir[i]);
	return true;
}

/*
 * Beside our own where that may be: a v2 group with processes hands no
 * controller down.
 */
static bool
make_v2(struct import_group *g, const char *own)
{
	char up[CG_PATH_MAX];
	char *slash;

	(void)snprintf(up, sizeof(up), "%s", own);
	slash = strrchr(up, '/');
	if (slash != NULL && slash != up) {
		*slash = '\0';
		/* the mount's own parent is no group */
		if (strncmp(up, "/sys/fs/cgroup", 14) == 0 &&
		    make_at(g, 0, up)) {
			if (faccessat(g->dir[0], "cgroup.procs", W_OK, 0) == 0)
				return true;
			(void)unlinkat(g->at[0], g->name, AT_REMOVEDIR);
			close_fd(&g->dir[0]);
			close_fd(&g->at[0]);
		}
	}
	return make_at(g, 0, own);
}

unsigned
import_group_make(struct import_group *g)
{
	_cleanup_free_ char *cgroup = proc_read("/proc/self/cgroup");
	_cleanup_free_ char *mounts = proc_read("/proc/self/mountinfo");
	struct cg_place place = {.v2 = false};
	unsigned n = 0;

	(void)snprintf(g->name, sizeof(g->name), PREFIX "%d", (int)getpid());
	for (int i = 0; i < IMPORT_GROUPS; i++)
		g->at[i] = g->dir[i] = -1;
	if (cgroup == NULL || mounts == NULL)
		return 0;
	cgdetect(&place, cgroup, mounts);
	if (place.v2 && make_v2(g, place.v2_path))
		n++;
	for (int c = 0; c < CG_CONTROLLERS; c++)
		if (place.v1[c] && make_at(g, 1 + c, place.v1_path[c]))
			n++;
	return n;
}

bool
import_group_join(const struct import_group *g)
{
	bool all = true;

	for (int i = 0; i < IMPORT_GROUPS; i++)
		if (g->dir[i] >= 0 &&
		    file_put(g->dir[i], "cgroup.procs", "0") < 0)
			all = false;
	return all;
}

void
import_group_remove(struct import_group *g)
{
	struct timespec ms10 = {0, 10000000};

	for (int i = 0; i < IMPORT_GROUPS; i++) {
		if (g->at[i] < 0)
			continue;
		(void)file_put(g->dir[i], "cgroup.kill", "1");
		/* a process that was killed leaves its group a moment later */
		for (int k = 0; k < 100 && unlinkat(g->at[i], g->name,
		    AT_REMOVEDIR) < 0 && errno == EBUSY; k++)
			(void)nanosleep(&ms10, NULL);
		close_fd(&g->dir[i]);
		close_fd(&g->at[i]);
	}
}
