/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/contracts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/work/event.h"
#include "node/work/finish.h"
#include "node/work/jobs.h"
#include "node/work/late.h"
#include "node/work/state.h"
#include "node/work/turn.h"
#include "node/work/watch.h"
#include "node/work/watched.h"

static bool
named(const struct job *j)
{
	return j->m != NULL && (j->m->has & HAS_CONTRACT) != 0;
}

static void
ask(struct node *n, struct job *j)
{
	struct msg_V_CONTRACT m = {.qid = node_qid(n)};
	uint8_t *buf;
	ssize_t len;
	uint64_t size;

	if (!n->up[PROGRAM_TRUST] || (buf = malloc(CONTRACT_BYTES + 1)) == NULL)
		return;
	/* one that is too large is sent too: trust says so */
	len = n->host.blob_get(n->host.ctx, &j->owner, &j->m->contract.sha256,
	    0, buf, CONTRACT_BYTES + 1, &size);
	if (len > 0) {
		memcpy(m.rns_public, j->rns_public, 64);
		m.len = (uint32_t)len;
		j->contract_qid = m.qid;
		j->contract_asked = n->now;
		n->host.contract(n->host.ctx, &m, buf, (size_t)len);
	} else if (job_waiting(j)) {
		finish_refuse(n, j, "contract", "cannot be read");
	}
	free(buf);
}

bool
contract_ready(struct node *n, struct job *j)
{
	if (!named(j) || (j->contract != NULL &&
	    j->contract_gen == n->verdict_gen))
		return true;
	if (!late_trust(n, &j->contract_qid, j->contract_asked, j, NULL,
	    "V_CONTRACT"))
		ask(n, j);
	return false;
}

void
contract_again(struct node *n)
{
	struct job *j, *next;

	for (j = TAILQ_FIRST(&n->jobs.live); j != NULL; j = next) {
		next = TAILQ_NEXT(j, link);
		j->contract_qid = 0;
		/* one that was never judged is asked for at its turn */
		if (named(j) && j->contract != NULL)
			ask(n, j);
	}
}

/* In force, or refused. */
static void
take(struct node *n, struct job *j, struct contract *c,
    const struct msg_V_CONTRACTED *m)
{
	struct contract_in in = {.c = c, .m = j->m, .policy = &n->policy,
	    .granted = &j->limits, .image = &j->image, .level = j->level,
	    .signer = m->level, .layers = n->layers};
	char why[CONTRACT_WHY], text[512];
	const char *code, *missing;
	struct contract_out out;

	if ((code = contract_terms(&out, &in, why)) != NULL) {
		finish_refuse(n, j, code, why);
		free(c);
		return;
	}
	if (c->profile[0] != '\0' && (missing = n->host.seccomp(n->host.ctx,
		c->profile)) != NULL) {
		(void)snprintf(why, sizeof(why), "syscalls.profile: %.80s",
		    missing);
		finish_refuse(n, j, "contract", why);
		free(c);
		return;
	}
	j->level = MAX_OF(out.level, 0);
	j->limits = out.limits;
	free(j->contract);
	j->contract = c;
	j->contract_gen = n->verdict_gen;
	job_touch(&n->jobs, j);
	turn_judged(n, &j->rns_hash);
	(void)snprintf(text, sizeof(text), "signer level %d%s%s%s%s", m->level,
	    out.weaker[0] != '\0' ? "; prevented only: " : "", out.weaker,
	    out.absent[0] != '\0' ? "; not kept here: " : "", out.absent);
	node_event(n, EVK_CONTRACT, out.absent[0] != '\0' ? 2 : 1, j, NULL,
	    "contract", text, m->level, c->version);
}

void
contract_answer(struct node *n, const struct msg_V_CONTRACTED *m)
{
	struct contract *c;
	struct job *j;

	TAILQ_FOREACH(j, &n->jobs.live, link) {
		if (j->contract_qid == m->qid)
			break;
	}
	if (j == NULL)
		return;
	j->contract_qid = 0;
	if (j->m == NULL || job_ended(j))
		return;
	if (m->status != CONTRACT_OK) {
		bool revoked = m->status == CONTRACT_REVOKED;

		/* one that was taken before: its signer may be revoked now */
		if (job_waiting(j))
			finish_refuse(n, j, revoked ? "revoked" : "contract",
			    m->why);
		else if (revoked)
			finish_kill(n, j, KILL_REVOKED);
		return;
	}
	if ((c = malloc(sizeof(*c))) == NULL)
		return;
	if (!contract_record_get(c, m->record, m->record_len)) {
		free(c);
		if (job_waiting(j))
			finish_refuse(n, j, "contract", "record");
	} else if (job_waiting(j)) {
		take(n, j, c, m);
	} else {
		/* after a restart of ours: its limits were set at its start */
		free(j->contract);
		j->contract = c;
		watched_found(n, j);
	}
}

struct mono
contract_tick(struct node *n)
{
	struct mono next = MONO_NEVER;

	for (uint32_t i = 1; i <= n->slots; i++) {
		struct job *j = n->slot[i];
		enum kill_reason why;
		unsigned stop;

		if (j == NULL || j->phase != PHASE_RUNNING || !named(j) ||
		    j->kill != 0)
			continue;
		if (j->contract == NULL && !late_trust(n, &j->contract_qid,
		    j->contract_asked, j, NULL, "V_CONTRACT"))
			ask(n, j);
		if (j->contract == NULL)
			continue;
		if (!mono_reached(n->now, j->watch_at)) {
			next = mono_min(next, j->watch_at);
			continue;
		}
		j->watch_at = mono_add(n->now, CONTRACT_WATCH_MS * 1000);
		next = mono_min(next, j->watch_at);
		if ((why = contract_look(n, j, &stop)) != 0)
			finish_kill(n, j, why);
		else if (stop != RULE_NONE)
			watched_stop(n, j, (uint8_t)stop,
			    contract_rule_name(stop));
	}
	return next;
}
