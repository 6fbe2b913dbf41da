/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/late.h"

#include <stdio.h>

#include "common/log.h"
#include "common/util.h"
#include "node/work/event.h"
#include "sandbox/plan/wasm.h"

/* Answers that do not come: of a jail or a trust that lives and is silent. */

static void
wait_ms(struct node *n, struct job *j, uint64_t ms)
{
	ms = MIN_OF(ms, (uint64_t)INT64_MAX / 2000 - NODE_JAIL_MS);
	j->answer_at = mono_add(n->now, (int64_t)(ms + NODE_JAIL_MS) * 1000);
	j->late = false;
}

/* Each volume is filled, and each is cleaned, by a step of its own. */
static uint64_t
steps_ms(const struct job *j)
{
	return (uint64_t)j->nvolumes * NODE_STEP_MS;
}

void
late_run(struct node *n, struct job *j)
{
	uint64_t time = MIN_OF(j->limits.v[LIMIT_TIME], UINT64_MAX / 4);

	/* later its manifest may be dropped */
	if (j->m != NULL)
		j->nvolumes = (unsigned)j->m->nvolumes;
	/* a module may have to be compiled before */
	if (j->m != NULL && (j->m->has & HAS_WASM) != 0)
		time += wasm_compile_ms(j->m->wasm.size);
	wait_ms(n, j, steps_ms(j) + time + NODE_GRACE_MS);
}

void
late_step(struct node *n, struct job *j)
{
	wait_ms(n, j, NODE_STEP_MS);
}

void
late_kill(struct node *n, struct job *j)
{
	/* one that is filled has its time still */
	if (j->phase == PHASE_RUNNING)
		wait_ms(n, j, 0);
}

void
late_forget(struct node *n, struct job *j)
{
	/* one that is filled or packed still is ended before */
	wait_ms(n, j, steps_ms(j) + NODE_STEP_MS);
}

bool
late_passed(struct node *n, struct job *j, struct mono *next)
{
	bool over = mono_reached(n->now, j->answer_at);

	if (over && j->late)
		return true;
	if (over) {
		/* it may be we who were stopped */
		j->late = true;
		j->answer_at = mono_add(n->now, INT64_C(1000) * NODE_LATE_MS);
	}
	*next = mono_min(*next, j->answer_at);
	return false;
}

static void
unanswered(struct node *n, const struct job *j, const struct peer *p,
    const char *what, const char *text)
{
	n->count.unanswered++;
	node_event(n, EVK_UNANSWERED, 4, j, p, what, text,
	    j == NULL ? 0 : j->slot, 0);
}

void
late_alarm(struct node *n, const struct job *j, const char *what,
    const char *text)
{
	char hex[9];

	hex_encode(hex, j->id.b, 4);
	log_errx(hex, "jail does not answer %s: %s", what, text);
	unanswered(n, j, NULL, what, text);
}

bool
late_trust(struct node *n, uint64_t *qid, struct mono asked,
    const struct job *j, const struct peer *p, const char *what)
{
	if (*qid == 0)
		return false;
	if (!mono_reached(n->now,
	    mono_add(asked, INT64_C(1000) * NODE_ASK_MS)))
		return true;
	*qid = 0;
	log_warnx("trust", "does not answer %s: asked again", what);
	unanswered(n, j, p, what, "asked again");
	return false;
}
