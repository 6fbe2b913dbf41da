/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/client/attach_path.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "transport/client/state.h"

#define PATH_TIMEOUT_US (15 * MONO_SECOND)
#define STEP_S 1. /* how often a wait looks around */

void
apath_request(struct attach *a, const struct hash16 *dest)
{
	struct rns_cmd cmd = {.type = RNS_CMD_PATH_REQUEST};

	cmd.hash = *dest;
	(void)attach_submit(a, &cmd);
}

bool
apath_have(const struct attach *a, const struct hash16 *dest)
{
	struct rns_path p;
	struct rns_known k;

	return rns_path_get(a->rns, dest, &p) &&
	    rns_known_get(a->rns, dest, &k);
}

bool
attach_way_get(const struct attach *a, const struct hash16 *dest,
    struct attach_way *out)
{
	struct rns_path p;
	struct rns_known k;

	if (!rns_path_get(a->rns, dest, &p) || !rns_known_get(a->rns, dest, &k))
		return false;
	memcpy(out->public_key, k.public_key, RNS_KEY);
	out->next_hop = p.next_hop;
	out->hops = p.hops;
	return true;
}

static void
wait_end(struct path_wait *w, bool found)
{
	struct attach *a = w->a;
	struct path_wait copy = *w;

	ev_timer_stop(a->loop, &w->timer);
	TAILQ_REMOVE(&a->paths, w, entry);
	free(w);
	copy.fn(copy.arg, found);
}

static void
on_wait(struct ev_loop *loop, ev_timer *t, int revents)
{
	struct path_wait *w = t->data;

	(void)revents;
	if (apath_have(w->a, &w->dest)) {
		wait_end(w, true);
		return;
	}
	if (mono_reached(clock_mono(), w->until)) {
		wait_end(w, false);
		return;
	}
	ev_timer_set(t, STEP_S, 0);
	ev_timer_start(loop, t);
}

int
attach_path(struct attach *a, const struct hash16 *dest, int64_t timeout_us,
    void (*fn)(void *, bool), void *arg)
{
	struct path_wait *w;

	if ((w = calloc(1, sizeof(*w))) == NULL)
		return -1;
	w->a = a;
	w->dest = *dest;
	w->until = mono_add(clock_mono(),
	    timeout_us > 0 ? timeout_us : PATH_TIMEOUT_US);
	w->fn = fn;
	w->arg = arg;
	ev_timer_init(&w->timer, on_wait, 0, 0);
	w->timer.data = w;
	ev_timer_start(a->loop, &w->timer);
	TAILQ_INSERT_TAIL(&a->paths, w, entry);
	if (!apath_have(a, dest))
		apath_request(a, dest);
	return 0;
}

void
apaths_announce(struct attach *a, const struct hash16 *dest)
{
	struct path_wait *w;

	/* callbacks come from the timer: one place, one order */
	TAILQ_FOREACH(w, &a->paths, entry)
		if (hash16_eq(&w->dest, dest)) {
			ev_timer_stop(a->loop, &w->timer);
			ev_timer_set(&w->timer, 0, 0);
			ev_timer_start(a->loop, &w->timer);
		}
}

void
apaths_free(struct attach *a)
{
	struct path_wait *w;

	while ((w = TAILQ_FIRST(&a->paths)) != NULL) {
		ev_timer_stop(a->loop, &w->timer);
		TAILQ_REMOVE(&a->paths, w, entry);
		free(w);
	}
}
