/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/send/announce_own.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/packet.h"
#include "transport/core/send/outbound.h"

/*
 * An announce carries its time in seconds, and who has heard one takes no other
 * that is not newer (reticulum-endpoint.md 5.5): of two within a second the
 * later one, which may say something else, would be lost on every relay until
 * the next. So each destination makes at most one in a second. A path response
 * does not wait: it shows the last one again, to somebody who has none.
 */
#define SPACING_US MONO_SECOND
#define CONTEXT_AT (2 + RNS_HASH) /* of the context, in a header of type 1 */

/* No app data of its own is the destination's. */
static int
announce_make(struct rns *r, struct dest *d, const uint8_t *app_data,
    size_t app_data_len, struct iface *via, bool path_response)
{
	uint64_t emitted = d->last_emitted;
	int err = dest_announce(r, d, app_data, app_data_len);

	if (err != RNS_OK)
		return err;
	d->last[CONTEXT_AT] = path_response ? CTX_PATH_RESPONSE : CTX_NONE;
	err = core_out(r, d->last, d->last_len, via);
	if (err != RNS_OK) {
		/* nobody has heard it */
		d->last_emitted = emitted;
		d->last_len = 0;
		return err;
	}
	d->last_at = r->now;
	d->last_everywhere = via == NULL || path_response;
	if (via == NULL || via == r->shared)
		d->introduced = true;
	return RNS_OK;
}

static bool
too_soon(const struct rns *r, const struct dest *d)
{
	return d->last_len > 0 && mono_sub(r->now, d->last_at) < SPACING_US;
}

static int
announce_again(struct rns *r, struct dest *d, struct iface *via,
    uint8_t context)
{
	uint8_t raw[RNS_MTU];

	memcpy(raw, d->last, d->last_len);
	raw[CONTEXT_AT] = context;
	return core_out(r, raw, d->last_len, via);
}

int
announce_own(struct rns *r, struct dest *d, struct iface *via)
{
	if (too_soon(r, d))
		return announce_again(r, d, via, CTX_PATH_RESPONSE);
	return announce_make(r, d, NULL, 0, via, true);
}

/* ---- those that wait for their second ---- */

static void
announce_due(struct rns *r, void *arg)
{
	struct dest *d = arg;
	struct dest_waiting *w = &d->waiting;
	struct iface *via = w->everywhere ? NULL : iface_find(r, w->ifid);
	uint8_t *data = w->app_data;

	/* a path response has left since, before the timers were looked at */
	if (too_soon(r, d)) {
		timer_set(r, &w->timer, mono_add(d->last_at, SPACING_US));
		return;
	}
	w->app_data = NULL;
	if (via != NULL || w->everywhere)
		(void)announce_make(r, d, data, w->app_data_len, via, false);
	free(data);
}

/* What waits is overtaken by one that everybody hears now. */
static void
announce_forget(struct rns *r, struct dest_waiting *w)
{
	timer_clear(r, &w->timer);
	free(w->app_data);
	w->app_data = NULL;
}

static int
announce_wait(struct rns *r, struct dest *d, const struct rns_cmd *cmd)
{
	struct dest_waiting *w = &d->waiting;
	bool one = cmd->announce.one_interface;
	size_t len = cmd->announce.app_data_len;
	uint8_t *copy = NULL;

	if (!dest_announce_fits(d, len))
		return RNS_EBIG;
	if (cmd->announce.app_data != NULL) {
		copy = malloc(len > 0 ? len : 1);
		if (copy == NULL)
			return RNS_ENOMEM;
		if (len > 0)
			memcpy(copy, cmd->announce.app_data, len);
	}
	free(w->app_data);
	w->app_data = copy;
	w->app_data_len = len;
	/* of two interfaces that wait, all hear it */
	w->everywhere = !one || (w->timer.armed &&
	    (w->everywhere || w->ifid != cmd->announce.ifid));
	w->ifid = cmd->announce.ifid;
	if (!w->timer.armed) {
		timer_init(&w->timer, announce_due, d);
		timer_set(r, &w->timer, mono_add(d->last_at, SPACING_US));
	}
	return RNS_OK;
}

int
announce_submit(struct rns *r, const struct rns_cmd *cmd)
{
	struct dest *d = dest_find(r, &cmd->announce.dest);
	bool response = cmd->announce.path_response;
	struct iface *via = NULL;

	if (d == NULL)
		return RNS_ENOENT;
	if (cmd->announce.one_interface) {
		via = iface_find(r, cmd->announce.ifid);
		if (via == NULL)
			return RNS_ENOENT;
	}
	if (d->type != RNS_SINGLE ||
	    (cmd->announce.app_data == NULL && cmd->announce.app_data_len > 0))
		return RNS_EINVAL;
	if (!too_soon(r, d) && !response && via == NULL)
		announce_forget(r, &d->waiting);
	if (!too_soon(r, d))
		return announce_make(r, d, cmd->announce.app_data,
		    cmd->announce.app_data_len, via, response);
	if (response)
		return announce_again(r, d, via, CTX_PATH_RESPONSE);
	/* one interface after the other is told the same */
	if (via != NULL && !d->last_everywhere && !d->waiting.timer.armed &&
	    dest_announce_same(d, cmd->announce.app_data,
		cmd->announce.app_data_len))
		return announce_again(r, d, via, CTX_NONE);
	return announce_wait(r, d, cmd);
}
