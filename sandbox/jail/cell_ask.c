/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/jail/cell_ask.h"

#include <sys/wait.h>

#include <stdio.h>

#include "common/clock.h"
#include "common/layers.h"
#include "common/log.h"

bool
cell_may_run(const struct cell *c)
{
	/* its end shows in the report's, when its descriptor has not come */
	return c->pidfd >= 0 || (c->asked && c->report >= 0);
}

bool
cell_of_job(const struct cell *c)
{
	return c->life.state == CELL_FILLING ||
	    c->life.state == CELL_STARTING || c->life.state == CELL_RUNNING;
}

const char *
cell_step_end(const struct cell *c, const siginfo_t *si)
{
	if (c->timed_out)
		return c->compiling ? "its compilation took too long" :
		    "took too long";
	if (c->kill_step || (c->kill && c->life.state == CELL_FILLING))
		return "killed";
	/* one that gets no memory falls */
	if (c->compiling && si->si_code != CLD_EXITED)
		return "its compilation fell: more memory than its limit of "
		    "memory lets it have?";
	if (si->si_code == CLD_EXITED || si->si_status != SIGKILL)
		return "ended early";
	/* nobody else kills here */
	return c->life.state == CELL_FILLING ?
	    "too large for the job's limit of memory" : "out of memory";
}

struct mono
cell_after_ms(uint64_t ms)
{
	struct mono now = clock_mono();

	now.us += (int64_t)ms * 1000;
	return now;
}

void
cell_thaw(struct cell *c)
{
	int64_t us = clock_mono().us - c->frozen.us;

	if (c->frozen.us == 0)
		return;
	c->frozen.us = 0;
	c->began.us += us;
	if (c->deadline.us != 0)
		c->deadline.us += us;
}

bool
cell_lost_policy(const struct jail *j, struct cell *c)
{
	if (((c->plan.layers | j->limits.required) & LAYER_LSM &
	    ~c->layers) == 0)
		return false;
	(void)snprintf(c->fail_code, sizeof(c->fail_code), "posture");
	(void)snprintf(c->why, sizeof(c->why), "SELinux only warns now");
	c->kill = true;
	return true;
}

void
cell_orphan(const struct jail *j, const struct cell *c, bool must)
{
	bool alone = true;

	if (!c->lost || !c->asked || !cell_may_run(c))
		return;
	for (uint32_t i = 0; i < j->nslots; i++)
		if (&j->cells[i] != c && j->cells[i].life.state != CELL_FREE &&
		    j->cells[i].life.state != CELL_BROKEN)
			alone = false;
	if (must || (alone && c->ready))
		fatalx("slot %u: a job that nothing else can end: starting "
		    "anew", c->number);
}
