/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/jail/cell_linger.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"
#include "sandbox/base/group.h"
#include "sandbox/base/sys.h"
#include "sandbox/jail/kind.h"

/*
 * Opened anew: to an open file of v1 the kernel says the same for a second. A
 * group that is not there is empty; one that cannot be read is not known to be.
 */
static bool
populated(int dir, const char *path)
{
	_cleanup_fd_ int fd = -1;
	ssize_t n;
	char c;

	if (dir < 0)
		return false;
	fd = sys_openat2(dir, path, O_RDONLY | O_CLOEXEC, SYS_BENEATH);
	if (fd < 0)
		return errno != ENOENT && errno != ENODEV;
	n = read(fd, &c, 1);
	return n > 0 || (n < 0 && errno != ENODEV);
}

static bool
anybody(const struct jail *j, const struct cell *c)
{
	char path[PLAN_GROUP_MAX + 16];

	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", c->group);
	if (populated(j->groups.jobs, path))
		return true;
	(void)snprintf(path, sizeof(path), "slot-%u/cgroup.procs", c->number);
	for (size_t i = 0; i < NELEM(j->groups.v1); i++)
		if (populated(j->groups.v1[i], path))
			return true;
	return false;
}

bool
cell_lingers(const struct jail *j, struct cell *c)
{
	struct mono now = clock_mono();

	if (!j->kind->afar || (c->life.state != CELL_STARTING &&
	    c->life.state != CELL_RUNNING) || !anybody(j, c)) {
		c->linger = c->lingers_since = (struct mono){0};
		return false;
	}
	if (c->lingers_since.us == 0)
		c->lingers_since = now;
	if (now.us - c->lingers_since.us > LINGER_MOST_MS * 1000) {
		log_errx("jail", "slot %u: its job has ended, and processes of "
		    "it have not", c->number);
		c->outlived = true;
		c->linger = c->lingers_since = (struct mono){0};
		return false;
	}
	c->linger.us = now.us + LINGER_LOOK_MS * 1000;
	return true;
}
