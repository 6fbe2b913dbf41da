/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/jail/cell_tell.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"
#include "sandbox/jail/kind.h"

void
tell_failed(struct jail *j, const struct id32 *job, const char *code,
    const char *why)
{
	struct msg_J_FAILED m;

	memset(&m, 0, sizeof(m));
	m.job = *job;
	(void)snprintf(m.code, sizeof(m.code), "%s", code);
	(void)snprintf(m.why, sizeof(m.why), "%s", why);
	for (uint32_t i = 0; i < j->nslots; i++) {
		const struct cell *c = &j->cells[i];

		if (c->life.state == CELL_FREE ||
		    c->life.state == CELL_BROKEN || !id32_eq(&c->job, job))
			continue;
		m.slot = c->number;
		m.kill = c->killed_for;
		m.compile_ms = c->compile_ms;
	}
	log_info("jail", "not started: %s: %s", m.code, m.why);
	TELL(j, J_FAILED, &m, NULL, 0);
}

static uint64_t
ran_ms(const struct cell *c)
{
	struct mono end = c->ended.us != 0 ? c->ended :
	    c->frozen.us != 0 ? c->frozen : clock_mono();

	return (uint64_t)MAX_OF(end.us - c->began.us, INT64_C(0)) / 1000;
}

void
tell_exited(struct jail *j, const struct cell *c)
{
	struct msg_J_EXITED m;

	memset(&m, 0, sizeof(m));
	m.job = c->job;
	m.how = c->how;
	m.code = c->code;
	m.kill = c->killed_for;
	m.ran_ms = ran_ms(c);
	TELL(j, J_EXITED, &m, NULL, 0);
}

void
tell_step(struct jail *j, const struct cell *c, bool ok)
{
	struct msg_J_STEP_DONE m;

	memset(&m, 0, sizeof(m));
	m.job = c->job;
	m.step = (uint8_t)c->step;
	m.volume = (uint8_t)c->volume;
	m.ok = ok;
	m.dropped = c->left.count;
	m.left_len = c->left.len;
	memcpy(m.left, c->left.buf, c->left.len);
	(void)text_printable(m.why, sizeof(m.why), c->why, strlen(c->why));
	TELL(j, J_STEP_DONE, &m, NULL, 0);
}

void
tell_forgotten(struct jail *j, const struct cell *c)
{
	struct msg_J_FORGOTTEN m;

	memset(&m, 0, sizeof(m));
	m.job = c->job;
	m.slot = c->number;
	TELL(j, J_FORGOTTEN, &m, NULL, 0);
}

static void
tell_staging(struct jail *j, const struct cell *c)
{
	struct msg_J_STAGING m;

	memset(&m, 0, sizeof(m));
	m.job = c->job;
	m.slot = c->number;
	m.kill = c->killed_for;
	TELL(j, J_STAGING, &m, NULL, 0);
}

void
cells_tell(struct jail *j)
{
	struct msg_J_POSTURE p;

	for (uint32_t i = 0; i < j->nslots; i++) {
		struct cell *c = &j->cells[i];
		struct msg_J_RUNNING m;
		int fds[3] = {c->out, c->err, c->job_pidfd};

		if (c->life.state == CELL_ENDED && c->failed)
			tell_failed(j, &c->job, c->fail_code, c->why);
		if (c->life.state == CELL_FILLING ||
		    c->life.state == CELL_STARTING)
			tell_staging(j, c);
		if (!c->started || c->failed || c->life.state == CELL_FREE ||
		    c->life.state == CELL_BROKEN)
			continue;
		memset(&m, 0, sizeof(m));
		m.job = c->job;
		m.slot = c->number;
		m.layers = c->layers;
		m.policy = c->policy;
		m.exited = c->exited;
		m.how = c->how;
		m.code = c->code;
		m.kill = c->killed_for;
		m.ran_ms = ran_ms(c);
		m.compile_ms = c->compile_ms;
		TELL(j, J_RUNNING, &m, fds, 3);
	}
	memset(&p, 0, sizeof(p));
	p.layers = j->limits.available;
	for (uint32_t i = 0; i < j->nslots; i++)
		p.slots += j->cells[i].life.state != CELL_BROKEN;
	(void)snprintf(p.missing, sizeof(p.missing), "%s", j->missing);
	p.runner = j->kind->number;
	p.runner_1 = j->kind->version[0];
	p.runner_2 = j->kind->version[1];
	p.runner_3 = j->kind->version[2];
	p.room_pids = j->kind->pids;
	p.room_memory = j->kind->memory;
	TELL(j, J_POSTURE, &p, NULL, 0);
}
