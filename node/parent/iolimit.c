/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/iolimit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/util.h"
#include "node/parent/groupdir.h"
#include "node/parent/parent.h"

#define V1_READ "blkio.throttle.read_bps_device"
#define V1_WRITE "blkio.throttle.write_bps_device"

void
iolimit_init(struct iolimit *io)
{
	*io = (struct iolimit){.v1_top = -1, .v1_jobs = -1};
}

bool
iolimit_disk(char out[24], int dir)
{
	char path[64], text[24] = "";
	_cleanup_fd_ int fd = -1;
	struct stat st;

	if (fstat(dir, &st) < 0 || major(st.st_dev) == 0)
		return false; /* in memory, or of several disks */
	(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/partition",
	    major(st.st_dev), minor(st.st_dev));
	if (access(path, F_OK) < 0) {
		(void)snprintf(out, 24, "%u:%u", major(st.st_dev),
		    minor(st.st_dev));
		return true;
	}
	/* a limit is of a disk, and not of one of its parts */
	(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/../dev",
	    major(st.st_dev), minor(st.st_dev));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	(void)snprintf(out, 24, "%s", text);
	return text[0] != '\0';
}

/* ---- version 2 ---- */

static bool
hand_down(int group, const char *file, bool *ours)
{
	char list[512] = "";
	_cleanup_fd_ int fd = openat(group, file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, list, sizeof(list) - 1);

	list[n < 0 ? 0 : n] = '\0';
	list[strcspn(list, "\n")] = '\0';
	if (cg_listed(list, "io"))
		return true;
	*ours = file_put(group, file, "+io") == 0;
	return *ours;
}

/*
 * io for the groups beneath jobs/, where there is the controller; with a bound
 * of all together, or without one.
 */
static bool
set_v2(struct groups *g, const char *disk, uint64_t rd, uint64_t wr)
{
	_cleanup_fd_ int own = g->on[0] ?
	    open(g->place.v2_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	char line[96];
	bool ours;

	if (own < 0 || !hand_down(own, "cgroup.subtree_control",
	    &g->io.handed) ||
	    !hand_down(g->top[0], "cgroup.subtree_control", &ours))
		return false;
	if (hand_down(g->dir[0][GROUP_JOBS], "cgroup.subtree_control", &ours))
		(void)snprintf(g->io.disk, sizeof(g->io.disk), "%s", disk);
	if (rd == 0 && wr == 0)
		return false;
	cg_io_line(line, disk, rd, wr);
	return file_put(g->dir[0][GROUP_JOBS], "io.max", line) == 0;
}

void
iolimit_take_back(const struct groups *g, int own)
{
	if (!g->io.handed)
		return;
	if (g->io.disk[0] != '\0')
		(void)file_put(g->dir[0][GROUP_JOBS], "cgroup.subtree_control",
		    "-io");
	(void)file_put(g->top[0], "cgroup.subtree_control", "-io");
	(void)file_put(own, "cgroup.subtree_control", "-io");
}

/* ---- version 1 ---- */

static bool
set_v1(struct groups *g, const char *disk, uint64_t rd, uint64_t wr)
{
	_cleanup_fd_ int own = !g->place.blkio ? -1 :
	    open(g->place.blkio_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char line[64];

	g->io.v1_top = own < 0 ? -1 : group_make(own, g->name);
	g->io.v1_jobs = g->io.v1_top < 0 ? -1 :
	    group_make(g->io.v1_top, "jobs");
	if (g->io.v1_jobs < 0)
		return false;
	/* 0 takes away what an earlier daemon has left */
	(void)snprintf(line, sizeof(line), "%s %" PRIu64, disk, rd);
	if (file_put(g->io.v1_jobs, V1_READ, line) < 0)
		return false;
	(void)snprintf(line, sizeof(line), "%s %" PRIu64, disk, wr);
	return file_put(g->io.v1_jobs, V1_WRITE, line) == 0;
}

static void
leave(int at, const char *name)
{
	int ms = GROUP_REMOVE_MS;

	if (group_remove(at, name, &ms) < 0 && errno != ENOENT)
		log_warn("groups", "blkio: %s stays", name);
}

void
iolimit_sweep(const struct groups *g)
{
	_cleanup_fd_ int own = !g->place.blkio ? -1 :
	    open(g->place.blkio_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_fd_ int top = own < 0 ? -1 : openat(own, g->name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (top < 0)
		return;
	group_sweep(top);
	/* where blkio is mounted with others, those are in it still */
	(void)unlinkat(own, g->name, AT_REMOVEDIR);
}

void
iolimit_remove(struct groups *g)
{
	_cleanup_fd_ int own = g->io.v1_top < 0 ? -1 :
	    open(g->place.blkio_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* who waits for a container that may yet come is there still */
	if (own >= 0 && g->io.v1_jobs >= 0)
		group_move(g->io.v1_jobs, own);
	close_fd(&g->io.v1_jobs);
	if (g->io.v1_top >= 0)
		leave(g->io.v1_top, "jobs");
	close_fd(&g->io.v1_top);
	if (own >= 0)
		leave(own, g->name);
}

bool
iolimit_join(const struct iolimit *io)
{
	return io->v1_jobs < 0 ||
	    file_put(io->v1_jobs, "cgroup.procs", "0") == 0;
}

/* ---- either ---- */

void
iolimit_make_on(struct parent *p, const char *disk)
{
	struct groups *g = &p->groups;
	uint64_t rd = p->node->io_read, wr = p->node->io_write;

	g->io.v2 = set_v2(g, disk, rd, wr);
	if (g->io.v2 || (rd == 0 && wr == 0) || set_v1(g, disk, rd, wr))
		return;
	iolimit_remove(g);
	log_warnx("groups", "limits.io_read and io_write hold nothing: no "
	    "control group of ours has io or blkio");
}

void
iolimit_make(struct parent *p)
{
	char disk[24];

	if (!p->compute)
		return;
	if (!iolimit_disk(disk, p->warren)) {
		if (p->node->io_read == 0 && p->node->io_write == 0)
			return;
		log_warnx("groups", "limits.io_read and io_write hold nothing: "
		    "warren/ lies on no disk of its own number");
		return;
	}
	iolimit_make_on(p, disk);
}
