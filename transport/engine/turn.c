/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/turn.h"

#include "common/clock.h"
#include "common/log.h"
#include "transport/engine/air.h"
#include "transport/engine/autodial.h"
#include "transport/engine/bridge.h"
#include "transport/engine/discovery.h"
#include "transport/engine/engine.h"
#include "transport/engine/errand.h"
#include "transport/engine/fetch.h"
#include "transport/engine/holes.h"
#include "transport/engine/mail.h"
#include "transport/engine/manage.h"
#include "transport/engine/nif.h"
#include "transport/engine/rpc_stats.h"
#include "transport/engine/store.h"

#define WALL_STEP_US (2 * MONO_SECOND) /* ours: more is a step of the clock */

static void
on_event(struct engine *e, const struct rns_event *ev)
{
	if (e->discovery != NULL)
		discovery_event(e->discovery, ev);
	tidings_event(e, ev);
	/* nobody else here has destinations, links or receipts */
	if (e->bridge != NULL && bridge_event(e->bridge, ev))
		return;
	if (e->mailroom != NULL && mailroom_event(e->mailroom, ev))
		return;
	if (!manage_event(e->manage, ev) && !errands_event(e->errands, ev))
		(void)fetch_event(e->fetch, ev);
}

/*
 * Before the loop sleeps: everything that came in this turn has been given to
 * the core; take out what it made of it, and write each socket once.
 */
static void
turn(struct engine *e)
{
	struct rns_event ev;
	bool more;

	do {
		more = false;
		nif_out_all(e);
		while (rns_next_event(e->rns, &ev)) {
			on_event(e, &ev);
			more = true;
		}
	} while (more);
	nif_flush_all(e);
}

static void
on_prepare(struct ev_loop *loop, ev_prepare *w, int revents)
{
	struct engine *e = w->data;
	struct mono at;
	double s;

	(void)revents;
	if (e->rns == NULL)
		return;
	turn(e);
	if (e->mailroom != NULL)
		mailroom_turn(e->mailroom);
	at = rns_deadline(e->rns);
	ev_timer_stop(loop, &e->deadline);
	if (at.us == INT64_MAX)
		return;
	s = (double)mono_sub(at, clock_mono()) / 1e6;
	ev_now_update(loop);
	ev_timer_set(&e->deadline, s > 0 ? s : 0, 0);
	ev_timer_start(loop, &e->deadline);
}

/* The loop woke up: the one look at the clock of this turn. */
static void
on_check(struct ev_loop *loop, ev_check *w, int revents)
{
	struct engine *e = w->data;

	(void)loop;
	(void)revents;
	e->now = clock_mono();
	realtime_turn(e);
}

static void
on_deadline(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct engine *e = w->data;

	(void)loop;
	(void)revents;
	rns_tick(e->rns, e->now);
}

static void
on_second(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct engine *e = w->data;
	struct mono now = e->now;
	int64_t wall = clock_wall_us(), drift;

	(void)loop;
	(void)revents;
	if (e->rns == NULL)
		return;
	drift = wall - now.us - e->wall_minus_mono;
	if (drift > WALL_STEP_US || drift < -WALL_STEP_US) {
		log_notice("clock", "stepped by %lld s",
		    (long long)(drift / MONO_SECOND));
		e->wall_minus_mono = wall - now.us;
		rns_set_wall(e->rns, wall, now);
	}
	manage_tick(e->manage);
	fetch_tick(e->fetch);
	errands_tick(e->errands);
	rpc_stats_tick(e);
	holes_tick(e->holes);
	if (e->discovery != NULL)
		discovery_tick(e->discovery);
	autodial_tick(e->autodial);
	nif_second_all(e);
	air_second(e);
	if (e->store != NULL)
		store_tick(e->store);
}

void
turn_init(struct engine *e)
{
	ev_prepare_init(&e->prepare, on_prepare);
	e->prepare.data = e;
	ev_prepare_start(e->loop, &e->prepare);
	ev_check_init(&e->check, on_check);
	ev_set_priority(&e->check, EV_MAXPRI);
	e->check.data = e;
	ev_check_start(e->loop, &e->check);
	ev_init(&e->deadline, on_deadline);
	e->deadline.data = e;
	ev_timer_init(&e->second, on_second, 1, 1);
	e->second.data = e;
	ev_timer_start(e->loop, &e->second);
}
