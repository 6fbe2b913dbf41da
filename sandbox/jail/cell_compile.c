/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/jail/cell_compile.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "sandbox/base/limits.h"
#include "sandbox/jail/cell_ask.h"
#include "sandbox/jail/cell_snap.h"
#include "sandbox/jail/jail.h"
#include "sandbox/plan/wasm.h"

/*
 * The job has not begun, and its processor time holds for what is done for it
 * all the same. 0: no bound, as the slot's own groups have it.
 */
static void
quota(const struct cell *c, uint32_t milli)
{
	/* the kernel's least is a millisecond of its period, which is 100 */
	unsigned us = MAX_OF(milli, 10u) * 100;
	char v2[24] = "max", v1[24] = "-1";

	if (milli != 0) {
		(void)snprintf(v2, sizeof(v2), "%u", us);
		(void)snprintf(v1, sizeof(v1), "%u", us);
	}
	if (c->snap.room[ROOM_CPU] >= 0)
		(void)!write(c->snap.room[ROOM_CPU], v2, strlen(v2));
	if (c->snap.room[ROOM_CPU_V1] >= 0)
		(void)!write(c->snap.room[ROOM_CPU_V1], v1, strlen(v1));
}

bool
cell_compile_due(const struct cell *c)
{
	return c->module >= 0;
}

void
cell_compile_begin(const struct jail *j, struct cell *c)
{
	c->compiling = true;
	c->step = STEP_COMPILE;
	c->volume = 0;
	c->deadline = cell_after_ms(wasm_compile_ms(c->plan.module));
	cell_snap_room(c, c->snap.kept + JAIL_SLOT_MEMORY + j->groups.memory_more +
	    wasm_compile_memory(c->plan.memory));
	quota(c, c->plan.cpu_milli);
}

void
cell_compile_over(const struct jail *j, const struct cell *c)
{
	if (!c->compiling)
		return;
	cell_snap_room(c, JAIL_SLOT_MEMORY + j->groups.memory_more);
	quota(c, 0);
}

void
cell_compile_end(struct cell *c)
{
	c->compiling = false;
	close_fd(&c->module);
	close_fd(&c->code_w);
}

int
cell_compile_reap(const struct jail *j, struct cell *c, siginfo_t *si)
{
	struct rusage u = {.ru_utime = {0, 0}};
	long rv = syscall(SYS_waitid, P_PIDFD, c->pidfd, si,
	    WEXITED | WNOHANG, &u);

	if (rv == 0 && si->si_pid != 0 && c->compiling) {
		cell_compile_over(j, c);
		c->compile_ms += (uint32_t)((u.ru_utime.tv_sec +
		    u.ru_stime.tv_sec) * 1000 + (u.ru_utime.tv_usec +
		    u.ru_stime.tv_usec + 999) / 1000);
	}
	return (int)rv;
}
