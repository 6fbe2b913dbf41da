/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/host/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "sandbox/base/group.h"
#include "sandbox/plan/plan.h"

#define CPU_PERIOD_US 100000ull
/*
 * What a processor has charged in advance and not yet used (64 pages each on
 * v1), or the kernel frees by itself. To have it back waits for every processor
 * of the machine, which costs more than the memory is worth. A job's peak is
 * too large by no more than this.
 */
#define MEMORY_LEFT_FEW (1ull << 20)

enum { V1_MEMORY, V1_CPU, V1_PIDS, V1_COUNT };

static bool
get(int dir, const char *file, char *out, size_t cap)
{
	_cleanup_fd_ int fd = openat(dir, file, O_RDONLY | O_CLOEXEC |
	    O_NOFOLLOW);
	ssize_t n = fd < 0 ? -1 : read(fd, out, cap - 1);

	if (n < 0)
		return false;
	out[n] = '\0';
	return true;
}

/* The number behind a key of a flat keyed file; 0 when it is not there. */
static uint64_t
get_key(int dir, const char *file, const char *key)
{
	char buf[4096], *line = buf;
	size_t n = strlen(key);

	if (!get(dir, file, buf, sizeof(buf)))
		return 0;
	while (line != NULL && *line != '\0') {
		if (strncmp(line, key, n) == 0 && line[n] == ' ')
			return strtoull(line + n + 1, NULL, 10);
		if ((line = strchr(line, '\n')) != NULL)
			line++;
	}
	return 0;
}

static uint64_t
get_number(int dir, const char *file)
{
	char buf[64];

	return get(dir, file, buf, sizeof(buf)) ? strtoull(buf, NULL, 10) : 0;
}

static uint64_t
quota_us(uint32_t milli)
{
	return CPU_PERIOD_US * MAX_OF(milli, GROUP_CPU_MILLI_LEAST) / 1000;
}

/* Jail sees whether it is there, and leaves the layer out where it is not. */
static int
set_io(const struct cgroup_job *g)
{
	const struct cgroup_limits *l = &g->limits;
	char line[96];

	if ((l->io_read == 0 && l->io_write == 0) || g->dirs->disk[0] == '\0')
		return 0;
	cg_io_line(line, g->dirs->disk, l->io_read, l->io_write);
	return file_put(g->fd, "io.max", line) < 0 && errno != ENOENT ? -1 : 0;
}

/* A file that is not there is a controller that is not given, no mistake. */
static int
set_v2(struct cgroup_job *g, uint32_t *layers, const char **what)
{
	const struct cgroup_limits *l = &g->limits;
	char cpu[64];

	*what = "cgroup.procs";
	/* jail clones into it, by the group */
	if (fchmodat(g->fd, "cgroup.procs", 0664, 0) < 0)
		return -1;
	*what = "memory.max";
	if (file_put_number(g->fd, "memory.max", l->memory) == 0) {
		/* one process killed is the job killed (compute.md 5) */
		(void)file_put(g->fd, "memory.oom.group", "1");
		(void)file_put(g->fd, "memory.swap.max", "0");
		*layers |= LAYER_MEMORY;
	} else if (errno != ENOENT) {
		return -1;
	}
	*what = "cpu.max";
	(void)snprintf(cpu, sizeof(cpu), "%llu %llu",
	    (unsigned long long)quota_us(l->cpu_milli), CPU_PERIOD_US);
	if (file_put(g->fd, "cpu.max", cpu) == 0)
		*layers |= LAYER_CPU;
	else if (errno != ENOENT)
		return -1;
	*what = "pids.max";
	if (file_put_number(g->fd, "pids.max",
	    (uint64_t)l->pids + GROUP_PIDS_INIT) == 0)
		*layers |= LAYER_PIDS;
	else if (errno != ENOENT)
		return -1;
	*what = "io.max";
	return set_io(g);
}

/*
 * A slot's group is never empty: its own process is in it, and what the kernel
 * has yet to free of the job before, which can be more than all that a small
 * job may have. The limit is the job's above that: *left.
 */
static int
set_v1_memory(int fd, uint64_t bytes, uint64_t *left)
{
	*left = get_number(fd, "memory.usage_in_bytes");
	if (*left > MEMORY_LEFT_FEW) {
		/* lowering: what an earlier job left in the page cache goes */
		(void)file_put(fd, "memory.force_empty", "0");
		*left = get_number(fd, "memory.usage_in_bytes");
	}
	*left = MIN_OF(*left, GROUP_MEMORY_LEFT);
	bytes += *left;
	/* the limit of memory and swap may not be below that of memory */
	(void)file_put(fd, "memory.memsw.limit_in_bytes", "-1");
	if (file_put_number(fd, "memory.limit_in_bytes", bytes) < 0)
		return -1;
	(void)file_put_number(fd, "memory.memsw.limit_in_bytes", bytes);
	(void)file_put(fd, "memory.max_usage_in_bytes", "0");
	return 0;
}

static int
set_v1_cpu(int fd, uint32_t milli)
{
	/* a quota below the burst is refused */
	(void)file_put(fd, "cpu.cfs_burst_us", "0");
	if (file_put_number(fd, "cpu.cfs_period_us", CPU_PERIOD_US) < 0)
		return -1;
	return file_put_number(fd, "cpu.cfs_quota_us", quota_us(milli));
}

static int
set_v1(struct cgroup_job *g, uint32_t *layers, const char **what)
{
	const struct cgroup_limits *l = &g->limits;

	if (g->v1[V1_MEMORY] >= 0) {
		*what = "memory.limit_in_bytes";
		if (set_v1_memory(g->v1[V1_MEMORY], l->memory,
		    &g->memory_left) < 0)
			return -1;
		*layers |= LAYER_MEMORY;
	}
	if (g->v1[V1_CPU] >= 0) {
		*what = "cpu.cfs_quota_us";
		if (set_v1_cpu(g->v1[V1_CPU], l->cpu_milli) < 0)
			return -1;
		*layers |= LAYER_CPU;
	}
	if (g->v1[V1_PIDS] >= 0) {
		*what = "pids.max";
		if (file_put_number(g->v1[V1_PIDS], "pids.max",
		    (uint64_t)l->pids + GROUP_PIDS_INIT) < 0)
			return -1;
		*layers |= LAYER_PIDS;
	}
	return 0;
}

static uint64_t
oom_kills(const struct cgroup_job *g)
{
	uint64_t n = 0;

	if (g->fd >= 0)
		n = get_key(g->fd, "memory.events", "oom_kill");
	if (g->v1[V1_MEMORY] >= 0)
		n += get_key(g->v1[V1_MEMORY], "memory.oom_control",
		    "oom_kill");
	return n;
}

static uint64_t
pids_hit(const struct cgroup_job *g)
{
	uint64_t n = 0;

	if (g->fd >= 0)
		n = get_key(g->fd, "pids.events", "max");
	if (g->v1[V1_PIDS] >= 0)
		n += get_key(g->v1[V1_PIDS], "pids.events", "max");
	return n;
}

static uint64_t
cpu_us(const struct cgroup_job *g)
{
	if (g->fd >= 0)
		return get_key(g->fd, "cpu.stat", "usage_usec");
	if (g->v1[V1_CPU] >= 0) /* cpu and cpuacct are mounted together */
		return get_number(g->v1[V1_CPU], "cpuacct.usage") / 1000;
	return 0;
}

static void
open_v1(struct cgroup_job *g, const struct cgroup_dirs *d)
{
	const int from[V1_COUNT] = {d->memory, d->cpu, d->pids};
	char name[32];

	(void)snprintf(name, sizeof(name), "slot-%u", g->slot);
	for (int i = 0; i < V1_COUNT; i++)
		g->v1[i] = from[i] < 0 ? -1 : openat(from[i], name,
		    O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

static void
init(struct cgroup_job *g, const struct cgroup_dirs *d, const struct id32 *job,
    uint32_t slot)
{
	memset(g, 0, sizeof(*g));
	g->dirs = d;
	g->slot = slot;
	g->fd = -1;
	plan_group_name(g->name, job);
	open_v1(g, d);
}

static int
open_leaf(struct cgroup_job *g)
{
	g->fd = openat(g->dirs->v2, g->name, O_PATH | O_DIRECTORY | O_CLOEXEC |
	    O_NOFOLLOW);
	return g->fd < 0 ? -1 : 0;
}

int
cgroup_job_make(struct cgroup_job *g, const struct cgroup_dirs *d,
    const struct id32 *job, uint32_t slot, const struct cgroup_limits *l,
    uint32_t *layers, const char **what)
{
	int saved;

	init(g, d, job, slot);
	g->limits = *l;
	*layers = 0;
	*what = "leaf";
	/* whatever the umask: jail reads in it which limits are set */
	if (d->v2 >= 0 && ((mkdirat(d->v2, g->name, 0755) < 0 &&
	    errno != EEXIST) || fchmodat(d->v2, g->name, 0755, 0) < 0))
		goto fail;
	if (d->v2 >= 0 && (open_leaf(g) < 0 || set_v2(g, layers, what) < 0))
		goto fail;
	if (set_v1(g, layers, what) < 0)
		goto fail;
	g->cpu_before = cpu_us(g);
	g->oom_before = oom_kills(g);
	g->pids_before = pids_hit(g);
	return 0;
fail:
	saved = errno;
	(void)cgroup_job_remove(g);
	cgroup_job_close(g);
	errno = saved;
	return -1;
}

int
cgroup_job_find(struct cgroup_job *g, const struct cgroup_dirs *d,
    const struct id32 *job, uint32_t slot)
{
	init(g, d, job, slot);
	/* a slot's counter runs on: what it says now was before */
	if (g->v1[V1_PIDS] >= 0)
		g->pids_before = get_key(g->v1[V1_PIDS], "pids.events", "max");
	if (d->v2 < 0 || open_leaf(g) == 0)
		return 0;
	cgroup_job_close(g);
	return -1;
}

uint64_t
cgroup_job_id(const struct cgroup_job *g)
{
	struct stat st;

	return g->fd >= 0 && fstat(g->fd, &st) == 0 ? st.st_ino : 0;
}

static int
open_counter(int dir, const char *file)
{
	return dir < 0 ? -1 : openat(dir, file, O_RDONLY | O_CLOEXEC |
	    O_NOFOLLOW);
}

int
cgroup_counter(const struct cgroup_job *g, enum watch_file which)
{
	if (which == WATCH_MEMORY && g->v1[V1_MEMORY] >= 0)
		return open_counter(g->v1[V1_MEMORY], "memory.oom_control");
	if (which == WATCH_MEMORY)
		return open_counter(g->fd, "memory.events");
	if (which == WATCH_PIDS)
		return open_counter(g->v1[V1_PIDS] >= 0 ? g->v1[V1_PIDS] :
		    g->fd, "pids.events");
	return open_counter(g->fd, "cpu.stat");
}

void
cgroup_usage(const struct cgroup_job *g, struct cgroup_usage *u)
{
	uint64_t peak = 0, v1 = 0, kills = oom_kills(g), cpu = cpu_us(g);
	uint64_t hits = pids_hit(g);

	if (g->fd >= 0 && (peak = get_number(g->fd, "memory.peak")) == 0)
		peak = get_number(g->fd, "memory.current");
	if (g->v1[V1_MEMORY] >= 0)
		v1 = get_number(g->v1[V1_MEMORY], "memory.max_usage_in_bytes");
	u->memory_peak = MAX_OF(peak, v1);
	/* beyond it lies what cgroup_job_ease() gave */
	if (g->limits.memory != 0)
		u->memory_peak = MIN_OF(u->memory_peak, g->limits.memory);
	u->cpu_us = cpu > g->cpu_before ? cpu - g->cpu_before : 0;
	u->pids_hit = hits > g->pids_before ? hits - g->pids_before : 0;
	u->oom_kills = kills > g->oom_before ? kills - g->oom_before : 0;
}

int
cgroup_job_ease(struct cgroup_job *g, uint64_t bytes)
{
	uint64_t v = g->limits.memory + bytes;
	int rv = 0;

	if (g->fd >= 0)
		(void)file_put(g->fd, "cpu.max", "max");
	if (g->v1[V1_CPU] >= 0)
		(void)file_put(g->v1[V1_CPU], "cpu.cfs_quota_us", "-1");
	if (g->limits.memory == 0)
		return 0; /* found again: the limit stays as it was set */

	if (g->fd >= 0 && file_put_number(g->fd, "memory.max", v) < 0 &&
	    errno != ENOENT)
		rv = -1;
	v += g->memory_left;
	if (g->v1[V1_MEMORY] >= 0) {
		(void)file_put_number(g->v1[V1_MEMORY],
		    "memory.memsw.limit_in_bytes", v);
		if (file_put_number(g->v1[V1_MEMORY], "memory.limit_in_bytes",
		    v) < 0)
			rv = -1;
	}
	return rv;
}

int
cgroup_slow(const struct cgroup_job *g, uint32_t cpu_milli)
{
	char cpu[64];

	if (g->v1[V1_CPU] >= 0)
		return file_put_number(g->v1[V1_CPU], "cpu.cfs_quota_us",
		    quota_us(cpu_milli));
	(void)snprintf(cpu, sizeof(cpu), "%llu %llu",
	    (unsigned long long)quota_us(cpu_milli), CPU_PERIOD_US);
	return g->fd < 0 ? -1 : file_put(g->fd, "cpu.max", cpu);
}

int
cgroup_freeze(const struct cgroup_job *g, bool on)
{
	return g->fd < 0 ? -1 : file_put(g->fd, "cgroup.freeze", on ? "1" :
	    "0");
}

int
cgroup_kill(const struct cgroup_job *g)
{
	return g->fd < 0 ? -1 : file_put(g->fd, "cgroup.kill", "1");
}

int
cgroup_job_remove(struct cgroup_job *g)
{
	if (g->fd >= 0 && unlinkat(g->dirs->v2, g->name, AT_REMOVEDIR) < 0 &&
	    errno != ENOENT) {
		int saved = errno;

		/* who is left in it ends now; the caller comes again */
		(void)cgroup_kill(g);
		errno = saved;
		return -1;
	}
	cgroup_job_close(g);
	return 0;
}

void
cgroup_job_close(struct cgroup_job *g)
{
	if (g->fd >= 0)
		(void)close(g->fd);
	g->fd = -1;
	for (int i = 0; i < V1_COUNT; i++) {
		if (g->v1[i] >= 0)
			(void)close(g->v1[i]);
		g->v1[i] = -1;
	}
}
