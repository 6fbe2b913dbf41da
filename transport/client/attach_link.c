/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/client/attach_link.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "transport/client/attach_path.h"
#include "transport/client/attach_request.h"
#include "transport/client/state.h"

#define LINK_TIMEOUT_US (60 * MONO_SECOND)
#define STEP_S 1. /* how often a link that is not up looks around */
#define STEP_MOST 32. /* ours: of an attempt that failed to the next one */
/* ours: beside the path's answer, until a request is given up for lost */
#define ANSWER_GRACE_US (2 * MONO_SECOND)
#define WAY_LIFE_US (3600 * MONO_SECOND) /* ours: of a path that is tried out */

static void
link_state(struct attach_link *l, enum attach_link_state s)
{
	if (l->dead || (l->told && l->state == s))
		return;
	l->told = true;
	l->state = s;
	if (s >= ATTACH_LINK_FAILED)
		l->dead = true;
	if (s >= ATTACH_LINK_UP)
		ev_timer_stop(l->a->loop, &l->timer);
	l->fn(l->arg, l, s);
}

static void
step_later(struct attach_link *l, double s)
{
	ev_timer_stop(l->a->loop, &l->timer);
	ev_timer_set(&l->timer, s, 0);
	ev_timer_start(l->a->loop, &l->timer);
}

static void
ask_path(struct attach_link *l)
{
	struct mono now = clock_mono();

	if (l->path_was_asked &&
	    mono_sub(now, l->path_asked) < PATH_AGAIN_US)
		return;
	l->path_was_asked = true;
	l->path_asked = now;
	apath_request(l->a, &l->dest);
}

/* The attempt that runs may be lost: let it be, and make another one. */
static void
set_aside(struct attach_link *l)
{
	l->again_at = MONO_NEVER;
	if (!l->have_id)
		return;
	l->old_tag = l->tag;
	l->old_id = l->id;
	l->tag = 0;
	l->have_id = false;
}

/* What is missing on the way to UP; called whenever that may have changed. */
static void
link_step(struct attach_link *l)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_OPEN};

	if (l->dead || l->state >= ATTACH_LINK_UP)
		return;
	if (mono_reached(clock_mono(), l->until)) {
		link_state(l, ATTACH_LINK_FAILED);
		return;
	}
	step_later(l, STEP_S);
	if (l->tag != 0 && mono_reached(clock_mono(), l->again_at))
		set_aside(l);
	if (l->tag != 0)
		return; /* an attempt runs */
	if (!apath_have(l->a, &l->dest)) {
		ask_path(l);
		link_state(l, ATTACH_LINK_PATH);
		return;
	}
	cmd.link_open.dest = l->dest;
	l->tag = cmd.link_open.tag = attach_tag(l->a);
	cmd.link_open.resources = RNS_ACCEPT_NONE;
	if (attach_submit(l->a, &cmd) != RNS_OK) {
		l->tag = 0; /* again at the next step */
		return;
	}
	l->tries++;
	l->opened = clock_mono();
	link_state(l, ATTACH_LINK_SETUP);
}

static void
on_step(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	link_step(w->data);
}

/*
 * The answer, while a link is asked for by a way of before. Another next hop:
 * the request is lost. The same one: the instance has passed it on, unless it
 * had to look for the path itself; so it is given as long again.
 */
static void
answered(struct attach_link *l)
{
	struct mono now = clock_mono();
	struct attach_way way;
	int64_t wait = MAX_OF(mono_sub(now, l->opened), ANSWER_GRACE_US);

	l->by_way = false;
	if (!attach_way_get(l->a, &l->dest, &way))
		return;
	if ((way.hops == 0) != (l->way.hops == 0) ||
	    !hash16_eq(&way.next_hop, &l->way.next_hop))
		wait = 0;
	l->again_at = mono_add(now, wait);
	step_later(l, (double)wait / 1e6);
}

void
alinks_announce(struct attach *a, const struct hash16 *dest)
{
	struct attach_link *l;

	TAILQ_FOREACH(l, &a->links, entry) {
		if (l->dead || l->state >= ATTACH_LINK_UP ||
		    !hash16_eq(&l->dest, dest))
			continue;
		if (l->tag == 0)
			step_later(l, 0);
		else if (l->by_way)
			answered(l);
	}
}

/* The core takes it as if it came from storage; what is known stays. */
static void
use_way(struct attach_link *l, const struct attach_way *way)
{
	struct rns_cmd known = {.type = RNS_CMD_KNOWN_ADD};
	struct rns_cmd path = {.type = RNS_CMD_PATH_ADD};
	int64_t now = clock_wall_us();

	if (apath_have(l->a, &l->dest))
		return;
	known.known.dest = l->dest;
	memcpy(known.known.public_key, way->public_key, RNS_KEY);
	known.known.heard_us = 1; /* whatever is heard is newer */
	path.path.dest = l->dest;
	path.path.next_hop = way->next_hop;
	path.path.hops = way->hops;
	path.path.ifid = ATTACH_IFID;
	path.path.learned_us = now;
	path.path.expires_us = now + WAY_LIFE_US;
	(void)attach_submit(l->a, &known);
	(void)attach_submit(l->a, &path);
	l->by_way = apath_have(l->a, &l->dest);
	l->way = *way;
}

struct attach_link *
attach_link_open(struct attach *a, const struct hash16 *dest,
    const struct attach_link_opts *opts,
    void (*fn)(void *, struct attach_link *, enum attach_link_state),
    void *arg)
{
	struct attach_link *l;
	int64_t timeout = LINK_TIMEOUT_US;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		return NULL;
	if (opts != NULL && opts->timeout_us > 0)
		timeout = opts->timeout_us;
	if (opts != NULL && opts->identity != NULL) {
		l->identify = true;
		memcpy(l->identity, opts->identity, RNS_KEY);
	}
	l->a = a;
	l->dest = *dest;
	l->until = mono_add(clock_mono(), timeout);
	l->again_at = MONO_NEVER;
	l->fn = fn;
	l->arg = arg;
	TAILQ_INIT(&l->requests);
	SLIST_INIT(&l->streams);
	ev_timer_init(&l->timer, on_step, 0, 0);
	l->timer.data = l;
	ev_timer_start(a->loop, &l->timer);
	TAILQ_INSERT_TAIL(&a->links, l, entry);
	if (opts != NULL && opts->way != NULL)
		use_way(l, opts->way);
	/* an old path may be wrong by now: hear of a better one meanwhile */
	ask_path(l);
	return l;
}

static void
close_id(struct attach *a, const struct hash16 *id)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_CLOSE};

	cmd.hash = *id;
	(void)attach_submit(a, &cmd);
}

static void
close_in_core(struct attach_link *l)
{
	if (l->have_id)
		close_id(l->a, &l->id);
	if (l->old_tag != 0)
		close_id(l->a, &l->old_id);
	l->have_id = false;
	l->old_tag = 0;
}

void
attach_link_close(struct attach_link *l)
{
	if (l->dead)
		return;
	l->dead = true;
	ev_timer_stop(l->a->loop, &l->timer);
	arequests_end(l, false);
	close_in_core(l);
}

static void
link_free(struct attach_link *l)
{
	struct attach_stream_in *s;

	ev_timer_stop(l->a->loop, &l->timer);
	arequests_end(l, false);
	arequests_reap(l);
	while ((s = SLIST_FIRST(&l->streams)) != NULL) {
		SLIST_REMOVE_HEAD(&l->streams, entry);
		free(s);
	}
	TAILQ_REMOVE(&l->a->links, l, entry);
	explicit_bzero(l->identity, sizeof(l->identity));
	free(l);
}

void
alinks_reap(struct attach *a)
{
	struct attach_link *l, *next;

	for (l = TAILQ_FIRST(&a->links); l != NULL; l = next) {
		next = TAILQ_NEXT(l, entry);
		if (l->dead)
			link_free(l);
		else
			arequests_reap(l);
	}
}

void
alinks_free(struct attach *a)
{
	struct attach_link *l;

	while ((l = TAILQ_FIRST(&a->links)) != NULL) {
		attach_link_close(l);
		link_free(l);
	}
}

/* ---- events ---- */

static struct attach_link *
by_tag(struct attach *a, uint64_t tag)
{
	struct attach_link *l;

	TAILQ_FOREACH(l, &a->links, entry)
		if (!l->dead && tag != 0 &&
		    (l->tag == tag || l->old_tag == tag))
			return l;
	return NULL;
}

static struct attach_link *
by_id(struct attach *a, const struct hash16 *id)
{
	struct attach_link *l;

	TAILQ_FOREACH(l, &a->links, entry)
		if (!l->dead && l->have_id &&
		    hash16_eq(&l->id, id))
			return l;
	return NULL;
}

/* One of its attempts is up: the other one is not needed. */
static void
take_attempt(struct attach_link *l, const struct rns_event *ev)
{
	bool old = l->tag != ev->link.tag;

	if (old && l->have_id)
		close_id(l->a, &l->id);
	else if (!old && l->old_tag != 0)
		close_id(l->a, &l->old_id);
	l->old_tag = 0;
	l->tag = ev->link.tag;
	l->id = ev->link.id;
	l->have_id = true;
}

int
attach_link_identify(struct attach_link *l)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_IDENTIFY};
	int err;

	if (l->dead || !l->have_id || !l->identify)
		return -1;
	cmd.identify.link = l->id;
	memcpy(cmd.identify.identity, l->identity, RNS_KEY);
	err = attach_submit(l->a, &cmd);
	explicit_bzero(&cmd, sizeof(cmd));
	return err == RNS_OK ? 0 : -1;
}

static void
on_up(struct attach_link *l)
{
	(void)attach_link_identify(l);
	link_state(l, ATTACH_LINK_UP);
}

/*
 * The second attempt comes soon, the next ones later and later: on a channel
 * that many share they would fill it. An announce of dest ends the wait.
 */
static double
again_s(const struct attach_link *l)
{
	double s = STEP_S;

	for (unsigned i = 1; i < l->tries && s < STEP_MOST; i++)
		s *= 2;
	return s * (0.75 + randombytes_uniform(512) / 1024.);
}

static void
on_closed(struct attach_link *l)
{
	l->have_id = false;
	l->tag = 0;
	if (l->state == ATTACH_LINK_UP) {
		arequests_end(l, true);
		link_state(l, ATTACH_LINK_CLOSED);
		return;
	}
	/* no proof came: the path may be old, so ask for another one */
	l->path_was_asked = false;
	ask_path(l);
	step_later(l, again_s(l));
}

void
alinks_event(struct attach *a, const struct rns_event *ev)
{
	struct attach_link *l;

	switch (ev->type) {
	case RNS_EV_LINK_PENDING:
		if ((l = by_tag(a, ev->link.tag)) != NULL &&
		    l->tag == ev->link.tag) {
			l->id = ev->link.id;
			l->have_id = true;
		}
		break;
	case RNS_EV_LINK_UP:
		if (ev->link.initiator &&
		    (l = by_tag(a, ev->link.tag)) != NULL &&
		    l->state < ATTACH_LINK_UP) {
			take_attempt(l, ev);
			on_up(l);
		}
		break;
	case RNS_EV_LINK_CLOSED:
		if ((l = by_id(a, &ev->link.id)) == NULL &&
		    (l = by_tag(a, ev->link.tag)) == NULL)
			break;
		if (l->old_tag != 0 && l->old_tag == ev->link.tag)
			l->old_tag = 0;
		else
			on_closed(l);
		break;
	case RNS_EV_RESPONSE:
	case RNS_EV_REQUEST_FAILED:
		if ((l = by_id(a, &ev->response.link)) != NULL)
			arequests_event(l, ev);
		break;
	case RNS_EV_PROGRESS:
		if ((l = by_id(a, &ev->progress.link)) != NULL)
			arequests_event(l, ev);
		break;
	case RNS_EV_STREAM_DATA:
		if ((l = by_id(a, &ev->channel.link)) == NULL)
			break;
		/* A new link can ask for the rest; a hole stays for ever. */
		if (!arequests_stream(l, ev))
			close_id(a, &l->id);
		break;
	default:
		break;
	}
}
