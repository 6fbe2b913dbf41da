/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/base/group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "sandbox/base/sys.h"

int
group_open(const struct group_dirs *d, const char *name)
{
	if (d->jobs < 0) {
		errno = ENOENT;
		return -1;
	}
	return sys_openat2(d->jobs, name, O_PATH | O_DIRECTORY | O_CLOEXEC,
	    SYS_BENEATH);
}

bool
group_left(const struct group_dirs *d, const char *name)
{
	_cleanup_fd_ int fd = name[0] == '\0' ? -1 : group_open(d, name);

	return fd >= 0;
}

/* One line of a control file; numbers are at its start. */
static bool
read_line(int dir, const char *path, char *out, size_t cap)
{
	_cleanup_fd_ int fd = sys_openat2(dir, path, O_RDONLY | O_CLOEXEC,
	    SYS_BENEATH);
	ssize_t n = fd < 0 ? -1 : read(fd, out, cap - 1);

	if (n <= 0)
		return false;
	out[n] = '\0';
	return true;
}

static bool
read_number(const char *s, char **end, uint64_t *v)
{
	if (s[0] < '0' || s[0] > '9')
		return false; /* "max", -1 */
	errno = 0;
	*v = strtoull(s, end, 10);
	return errno == 0;
}

static bool
number_at_most(int dir, const char *path, uint64_t most)
{
	char line[64], *end;
	uint64_t v;

	return read_line(dir, path, line, sizeof(line)) &&
	    read_number(line, &end, &v) && v <= most;
}

/* quota and period in microseconds */
static bool
cpu_at_most(uint64_t quota, uint64_t period, uint32_t milli)
{
	milli = MAX_OF(milli, GROUP_CPU_MILLI_LEAST);
	return period > 0 && quota <= period * milli / 1000;
}

static bool
cpu_v2(int dir, uint32_t milli)
{
	char line[64], *end;
	uint64_t quota, period;

	return read_line(dir, "cpu.max", line, sizeof(line)) &&
	    read_number(line, &end, &quota) && *end == ' ' &&
	    read_number(end + 1, &end, &period) &&
	    cpu_at_most(quota, period, milli);
}

static bool
cpu_v1(int dir, const char *slot, uint32_t milli)
{
	char path[64], line[64], *end;
	uint64_t quota, period;

	(void)snprintf(path, sizeof(path), "%s/cpu.cfs_quota_us", slot);
	if (!read_line(dir, path, line, sizeof(line)) ||
	    !read_number(line, &end, &quota))
		return false;
	(void)snprintf(path, sizeof(path), "%s/cpu.cfs_period_us", slot);
	return read_line(dir, path, line, sizeof(line)) &&
	    read_number(line, &end, &period) &&
	    cpu_at_most(quota, period, milli);
}

/* rbps= or wbps= of a line of io.max: no more than that; 0: any will do. */
static bool
rate_at_most(const char *line, const char *key, uint64_t most)
{
	const char *at = strstr(line, key);
	char *end;
	uint64_t v;

	return most == 0 || (at != NULL &&
	    read_number(at + strlen(key), &end, &v) && v <= most);
}

static bool
io_v2(int dir, const struct plan *p)
{
	char line[128];

	/* of one disk: the one that node was told */
	return read_line(dir, "io.max", line, sizeof(line)) &&
	    rate_at_most(line, " rbps=", p->io_read) &&
	    rate_at_most(line, " wbps=", p->io_write);
}

static bool
asks_io(const struct plan *p)
{
	return p->io_read != 0 || p->io_write != 0;
}

uint32_t
group_unbound(const struct plan *p, uint32_t layers)
{
	return asks_io(p) ? LAYER_IO & ~layers : 0;
}

uint32_t
group_layers(const struct group_dirs *d, const struct plan *p, int fd)
{
	uint64_t pids = (uint64_t)p->pids + GROUP_PIDS_INIT +
	    d->pids_more;
	char slot[32], path[64];
	uint32_t l = 0;

	if (fd >= 0) {
		if (number_at_most(fd, "memory.max",
		    p->memory + d->memory_more))
			l |= LAYER_MEMORY;
		if (cpu_v2(fd, p->cpu_milli))
			l |= LAYER_CPU;
		if (number_at_most(fd, "pids.max", pids))
			l |= LAYER_PIDS;
		if (asks_io(p) && io_v2(fd, p))
			l |= LAYER_IO;
	}
	(void)snprintf(slot, sizeof(slot), "slot-%u", p->slot);
	(void)snprintf(path, sizeof(path), "%s/memory.limit_in_bytes", slot);
	if (d->v1[0] >= 0 && number_at_most(d->v1[0], path,
	    p->memory + d->memory_more + GROUP_MEMORY_LEFT))
		l |= LAYER_MEMORY;
	if (d->v1[1] >= 0 && cpu_v1(d->v1[1], slot, p->cpu_milli))
		l |= LAYER_CPU;
	(void)snprintf(path, sizeof(path), "%s/pids.max", slot);
	if (d->v1[2] >= 0 && number_at_most(d->v1[2], path, pids))
		l |= LAYER_PIDS;
	return l;
}
