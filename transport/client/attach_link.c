/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/client/attach_link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "transport/client/attach_path.h"
#include "transport/client/attach_request.h"
#include "transport/client/state.h"

#define LINK_TIMEOUT_US (60 * MONO_SECOND)
#define STEP_S 1. /* how often a link that is not up looks around */

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
	apath_request(l->a, l->dest);
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
	if (l->tag != 0)
		return; /* an attempt runs */
	if (!apath_have(l->a, l->dest)) {
		ask_path(l);
		link_state(l, ATTACH_LINK_PATH);
		return;
	}
	memcpy(cmd.link_open.dest, l->dest, RNS_HASH);
	l->tag = cmd.link_open.tag = attach_tag(l->a);
	cmd.link_open.resources = RNS_ACCEPT_NONE;
	if (attach_submit(l->a, &cmd) != RNS_OK) {
		l->tag = 0; /* again at the next step */
		return;
	}
	l->tries++;
	link_state(l, ATTACH_LINK_SETUP);
}

static void
on_step(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	link_step(w->data);
}

void
alinks_announce(struct attach *a, const uint8_t dest[RNS_HASH])
{
	struct attach_link *l;

	TAILQ_FOREACH(l, &a->links, entry)
		if (!l->dead && l->state < ATTACH_LINK_UP && l->tag == 0 &&
		    memcmp(l->dest, dest, RNS_HASH) == 0)
			step_later(l, 0);
}

struct attach_link *
attach_link_open(struct attach *a, const uint8_t dest[RNS_HASH],
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
	memcpy(l->dest, dest, RNS_HASH);
	l->until = mono_add(clock_mono(), timeout);
	l->fn = fn;
	l->arg = arg;
	TAILQ_INIT(&l->requests);
	SLIST_INIT(&l->streams);
	ev_timer_init(&l->timer, on_step, 0, 0);
	l->timer.data = l;
	ev_timer_start(a->loop, &l->timer);
	TAILQ_INSERT_TAIL(&a->links, l, entry);
	/* an old path may be wrong by now: hear of a better one meanwhile */
	ask_path(l);
	return l;
}

static void
close_in_core(struct attach_link *l)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_CLOSE};

	if (!l->have_id)
		return;
	memcpy(cmd.hash, l->id, RNS_HASH);
	(void)attach_submit(l->a, &cmd);
	l->have_id = false;
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
		if (!l->dead && tag != 0 && l->tag == tag)
			return l;
	return NULL;
}

static struct attach_link *
by_id(struct attach *a, const uint8_t id[RNS_HASH])
{
	struct attach_link *l;

	TAILQ_FOREACH(l, &a->links, entry)
		if (!l->dead && l->have_id &&
		    memcmp(l->id, id, RNS_HASH) == 0)
			return l;
	return NULL;
}

static void
on_up(struct attach_link *l)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_IDENTIFY};

	if (l->identify) {
		memcpy(cmd.identify.link, l->id, RNS_HASH);
		memcpy(cmd.identify.identity, l->identity, RNS_KEY);
		(void)attach_submit(l->a, &cmd);
		explicit_bzero(&cmd, sizeof(cmd));
	}
	link_state(l, ATTACH_LINK_UP);
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
	step_later(l, STEP_S);
}

void
alinks_event(struct attach *a, const struct rns_event *ev)
{
	struct attach_link *l;

	switch (ev->type) {
	case RNS_EV_LINK_PENDING:
		if ((l = by_tag(a, ev->link.tag)) != NULL) {
			memcpy(l->id, ev->link.id, RNS_HASH);
			l->have_id = true;
		}
		break;
	case RNS_EV_LINK_UP:
		if (ev->link.initiator &&
		    (l = by_tag(a, ev->link.tag)) != NULL) {
			memcpy(l->id, ev->link.id, RNS_HASH);
			l->have_id = true;
			on_up(l);
		}
		break;
	case RNS_EV_LINK_CLOSED:
		if ((l = by_id(a, ev->link.id)) != NULL ||
		    (l = by_tag(a, ev->link.tag)) != NULL)
			on_closed(l);
		break;
	case RNS_EV_RESPONSE:
	case RNS_EV_REQUEST_FAILED:
		if ((l = by_id(a, ev->response.link)) != NULL)
			arequests_event(l, ev);
		break;
	case RNS_EV_PROGRESS:
		if ((l = by_id(a, ev->progress.link)) != NULL)
			arequests_event(l, ev);
		break;
	case RNS_EV_STREAM_DATA:
		if ((l = by_id(a, ev->channel.link)) != NULL)
			arequests_event(l, ev);
		break;
	default:
		break;
	}
}
