/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/counted.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/util.h"

#define ACK_EVENTS 16	/* ours: a sender keeps 64 and more */
#define ACK_S 0.05	/* ours: a message for many events, and soon */

/* ---- what is settled ---- */

static void
tell(struct counted *c, enum program who)
{
	struct heard *h = &c->heard[who];
	struct msg_EVENT_ACK m = {.run = h->run, .upto = h->upto};

	if (h->run == 0 || h->told == h->upto)
		return;
	/* who is not there hears it again from its EVENT_RUN on */
	if (ipc_send_EVENT_ACK(program_channel(c->prog, who), &m, NULL, 0) ==
	    0)
		h->told = h->upto;
}

static void
on_ack(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	for (unsigned i = 0; i < PROGRAM_COUNT; i++)
		tell(w->data, (enum program)i);
}

static void
settled(struct counted *c, enum program who, uint64_t number)
{
	struct heard *h = &c->heard[who];

	heard_settled(h, number);
	if (h->upto - h->told >= ACK_EVENTS)
		tell(c, who);
	else if (!ev_is_active(&c->ack)) {
		ev_timer_set(&c->ack, ACK_S, 0.);
		ev_timer_start(c->loop, &c->ack);
	}
}

void
counted_init(struct counted *c)
{
	ev_timer_init(&c->ack, on_ack, ACK_S, 0.);
	c->ack.data = c;
}

/* ---- what is lost ---- */

/* Those of this program up to number have not come, or were not written. */
static int
say_lost(struct counted *c, enum program who, uint64_t number)
{
	struct heard *h = &c->heard[who];
	uint64_t n = number - h->upto, seq;
	struct id32 digest;
	struct msg_EVENT e;

	if (number <= h->upto)
		return 0;
	e = (struct msg_EVENT){.kind = EVK_EVENTS_LOST, .severity = 5,
	    .when_us = clock_wall_us(), .run = h->run, .number = number,
	    .a = (int64_t)MIN_OF(n, (uint64_t)INT64_MAX),
	    .b = (int64_t)MIN_OF(h->upto + 1, (uint64_t)INT64_MAX)};
	(void)snprintf(e.code, sizeof(e.code), "%s", program_name(who));
	(void)snprintf(e.text, sizeof(e.text), "events of a program did not "
	    "come, or could not be written, and are lost");
	if (c->line(c->ctx, &e, PROGRAM_AUDIT, &seq, &digest) < 0)
		return -1;
	settled(c, who, number);
	return 0;
}

/* Its life before this one ends, and what came of it and is not written. */
static void
speaks(struct counted *c, enum program who, uint64_t run)
{
	struct heard *h = &c->heard[who];

	if (h->run != run && say_lost(c, who, h->failed) < 0)
		c->untold += h->failed - h->upto;
	(void)heard_run(h, run);
}

/* ---- in their turn ---- */

int
counted_write(struct counted *c, const struct msg_EVENT *e, enum program from,
    uint64_t *seq, struct id32 *digest)
{
	struct heard *h = &c->heard[from];

	speaks(c, from, e->run);
	if (e->number <= h->upto) {
		/* any line behind it vouches for it */
		trail_tip(c->trail, seq, digest);
		settled(c, from, h->upto);
		return 1;
	}
	if (say_lost(c, from, e->number - 1) < 0 ||
	    c->line(c->ctx, e, from, seq, digest) < 0) {
		heard_failed(h, e->number);
		return -1;
	}
	settled(c, from, e->number);
	return 0;
}

void
counted_run(struct counted *c, const struct msg_EVENT_RUN *m, enum program from)
{
	struct heard *h = &c->heard[from];

	speaks(c, from, m->run);
	heard_base(h, m->acked);
	if (say_lost(c, from, m->upto) < 0)
		heard_failed(h, m->upto);
	settled(c, from, h->upto);
}
