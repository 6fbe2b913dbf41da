/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/numbers.h"

#include <stdio.h>
#include <string.h>

#include "node/work/peers.h"
#include "node/work/state.h"

void
numbers_count(struct code_counts *c, const char *code)
{
	unsigned i = 0;

	while (i < c->n && strncmp(c->of[i].code, code, NUMBER_LABEL) != 0)
		i++;
	if (i == NUMBERS_CODES)
		i--;
	else if (i == c->n)
		(void)snprintf(c->of[c->n++].code, NUMBER_LABEL + 1, "%s",
		    i == NUMBERS_CODES - 1 ? "other" : code);
	c->of[i].times++;
}

static void
tell(struct node *n, uint32_t seq, enum number_family family,
    const char *label, uint64_t value)
{
	struct msg_N_NUMBER m = {.seq = seq, .family = (uint8_t)family,
	    .value = value};

	(void)snprintf(m.label, sizeof(m.label), "%s", label);
	n->host.send_N_NUMBER(n->host.ctx, &m);
}

static void
tell_codes(struct node *n, uint32_t seq, enum number_family family,
    const struct code_counts *c)
{
	for (unsigned i = 0; i < c->n; i++)
		tell(n, seq, family, c->of[i].code, c->of[i].times);
}

/* Of peers what they may ask, of owners what their jobs may cost. */
static void
tell_used_up(struct node *n, uint32_t seq)
{
	uint64_t bytes = 0, requests = 0, jobs = 0, cpu = 0;
	struct peer *p = NULL;
	struct owner *o;

	while ((p = peer_next(n, p)) != NULL) {
		bytes += p->bytes.cap != 0 &&
		    bucket_left(&p->bytes, n->now) == 0;
		requests += p->requests.cap != 0 &&
		    bucket_left(&p->requests, n->now) == 0;
	}
	for (o = owner_next(n, NULL); o != NULL; o = owner_next(n, o)) {
		jobs += o->quota.jobs.cap != 0 &&
		    bucket_left(&o->quota.jobs, n->now) == 0;
		cpu += o->quota.cpu.cap != 0 &&
		    bucket_left(&o->quota.cpu, n->now) == 0;
	}
	tell(n, seq, NUMBER_USED_UP, "bytes", bytes);
	tell(n, seq, NUMBER_USED_UP, "requests", requests);
	tell(n, seq, NUMBER_USED_UP, "jobs_per_hour", jobs);
	tell(n, seq, NUMBER_USED_UP, "cpu_seconds_per_day", cpu);
}

static void
tell_warm(struct node *n, uint32_t seq)
{
	const struct msg_J_POOL *m = &n->warm.pool;

	tell(n, seq, NUMBER_WARM, "", n->warm.on ? m->prepared : 0);
	tell(n, seq, NUMBER_STARTS, "warm", m->warm);
	tell(n, seq, NUMBER_STARTS, "none", m->none);
	tell(n, seq, NUMBER_STARTS, "shape", m->shape);
	tell(n, seq, NUMBER_STARTS, "writable", m->writable);
	tell(n, seq, NUMBER_STARTS, "image", m->image);
	tell(n, seq, NUMBER_WARM_FAILED, "", m->failed);
}

void
numbers_tell(struct node *n, uint32_t seq, uint64_t spool)
{
	for (unsigned i = 0; i < JS_COUNT; i++)
		tell(n, seq, NUMBER_JOBS, job_state_name(i), n->jobs.n[i]);
	tell(n, seq, NUMBER_SLOTS, "", n->slots);
	tell(n, seq, NUMBER_READY, "", n->sched.ready);
	tell(n, seq, NUMBER_PARKED, "", n->nparked);
	tell(n, seq, NUMBER_REQUESTS, "", n->count.requests);
	tell(n, seq, NUMBER_ADMITTED, "", n->count.admitted);
	tell_codes(n, seq, NUMBER_REFUSED, &n->refusals);
	tell_codes(n, seq, NUMBER_BUSY, &n->busy);
	tell_warm(n, seq);
	if (n->policy.mail) {
		tell_codes(n, seq, NUMBER_LETTERS, &n->mail.count);
		tell(n, seq, NUMBER_LETTERS_OPEN, "", n->mail.bag.nopen);
	}
	tell_used_up(n, seq);
	if (n->hub.on) {
		tell(n, seq, NUMBER_HUB_SENT, "", n->hub.sent);
		tell(n, seq, NUMBER_HUB_ACKED, "", n->hub.acked);
		tell(n, seq, NUMBER_HUB_BEHIND, "", n->hub.behind);
		tell(n, seq, NUMBER_HUB_FAILED, "", n->hub.failed);
	}
	tell(n, seq, NUMBER_SPOOL, "", spool);
	tell(n, seq, NUMBER_LOOKED, "", n->verified.state.passes);
	tell(n, seq, NUMBER_FOUND, "", n->verified.state.found);
	tell(n, seq, NUMBER_HELD, "", n->verified.nfound);
	tell(n, seq, NUMBER_DISK_FREE, "", n->host.disk_free(n->host.ctx));
	tell(n, seq, NUMBER_END, "", 0);
}
