/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/link/link_cmd.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/event.h"
#include "transport/core/link/channel.h"
#include "transport/core/link/link_open.h"
#include "transport/core/link/request.h"
#include "transport/core/link/resource.h"
#include "transport/core/link/resource_tx.h"
#include "transport/core/link/stream.h"
#include "transport/core/table/receipt.h"

/* What the caller wants of a link. */

static int
link_identify(struct rns *r, struct link *l, const struct rns_cmd *c)
{
	uint8_t text[RNS_HASH + RNS_KEY], data[LINK_IDENTIFY_LEN];
	struct identity id;
	int rc;

	if (!l->initiator || !link_usable(l))
		return RNS_ESTATE;
	if ((rc = identity_load(&id, c->identify.identity)) != RNS_OK)
		return rc;
	memcpy(text, HASH_BYTES(l->id));
	memcpy(text + RNS_HASH, id.pub, RNS_KEY);
	memcpy(data, id.pub, RNS_KEY);
	identity_sign(&id, data + RNS_KEY, text, sizeof(text));
	identity_clear(&id);
	return link_send(r, l, CTX_LINKIDENTIFY, data, sizeof(data), NULL);
}

static void
link_receipt_done(struct rns *r, void *arg, enum rns_receipt_status status,
    int64_t rtt_us)
{
	struct link_receipt *lr = arg;
	struct rns_event ev = {.type = RNS_EV_RECEIPT};

	TAILQ_REMOVE(&lr->link->receipts, lr, entry);
	ev.receipt.tag = lr->tag;
	ev.receipt.status = status;
	ev.receipt.rtt_us = rtt_us;
	(void)event_push(r, &ev);
	free(lr);
}

static int
link_data_send(struct rns *r, struct link *l, const struct rns_cmd *c)
{
	struct id32 hash;
	struct link_receipt *lr = NULL;
	double timeout = l->rtt * LINK_TRAFFIC_FACTOR;
	int rc;

	if (!link_usable(l))
		return RNS_ESTATE;
	if (c->packet.receipt && (lr = calloc(1, sizeof(*lr))) == NULL)
		return RNS_ENOMEM;
	rc = link_send(r, l, CTX_NONE, c->packet.data, c->packet.len, &hash);
	if (rc != RNS_OK || lr == NULL) {
		free(lr);
		return rc;
	}
	lr->link = l;
	lr->tag = c->packet.tag;
	if (timeout < LINK_TRAFFIC_MIN)
		timeout = LINK_TRAFFIC_MIN;
	lr->receipt = receipt_new(r, &hash, l->peer_ed, l,
	    mono_seconds(timeout), link_receipt_done, lr);
	if (lr->receipt == NULL) {
		free(lr);
		return RNS_ENOMEM;
	}
	TAILQ_INSERT_TAIL(&l->receipts, lr, entry);
	return RNS_OK;
}

static const uint8_t *
link_of(const struct rns_cmd *c)
{
	switch (c->type) {
	case RNS_CMD_LINK_CLOSE:
	case RNS_CMD_CHANNEL_OPEN:
		return c->hash.b;
	case RNS_CMD_LINK_IDENTIFY:
		return c->identify.link.b;
	case RNS_CMD_LINK_SEND:
		return c->packet.dest.b;
	case RNS_CMD_PROVE:
		return c->prove.dest.b;
	case RNS_CMD_LINK_HOLD:
		return c->hold.link.b;
	case RNS_CMD_REQUEST:
		return c->request.link.b;
	case RNS_CMD_RESPOND:
		return c->respond.link.b;
	case RNS_CMD_RESOURCE_SEND:
		return c->resource.link.b;
	case RNS_CMD_RESOURCE_ANSWER:
		return c->answer.link.b;
	case RNS_CMD_REQUEST_CANCEL:
	case RNS_CMD_RESOURCE_CANCEL:
		return c->cancel.link.b;
	case RNS_CMD_CHANNEL_SEND:
		return c->channel.link.b;
	case RNS_CMD_STREAM_OPEN:
	case RNS_CMD_STREAM_SEND:
		return c->stream.link.b;
	default:
		return NULL;
	}
}

static int
link_channel_send(struct rns *r, struct link *l, const struct rns_cmd *c)
{
	const struct iovec_c v = {c->channel.data, c->channel.len};

	if (c->channel.msgtype >= 0xf000)
		return RNS_EINVAL;
	return channel_send(r, l, c->channel.msgtype, &v, 1, c->channel.tag);
}

static int
link_request_cancel(struct rns *r, struct link *l, uint64_t tag)
{
	struct hash16 id;
	int rc = request_cancel(r, l, tag, &id);

	if (rc != RNS_OK)
		return rc;
	/* it is gone: what ends now finds nobody to tell */
	resource_unanswered(r, l, &id);
	resource_tx_unasked(r, l, &id);
	return RNS_OK;
}

static int
link_submit_on(struct rns *r, struct link *l, const struct rns_cmd *c)
{
	if (c->type == RNS_CMD_LINK_CLOSE) {
		link_teardown_own(r, l);
		return RNS_OK;
	}
	if (!link_usable(l))
		return RNS_ESTATE;
	switch (c->type) {
	case RNS_CMD_LINK_IDENTIFY:
		return link_identify(r, l, c);
	case RNS_CMD_LINK_SEND:
		return link_data_send(r, l, c);
	case RNS_CMD_PROVE:
		link_prove(r, l, &c->prove.packet_hash);
		return RNS_OK;
	case RNS_CMD_LINK_HOLD:
		l->hold = c->hold.until;
		resource_hold(r, l);
		return RNS_OK;
	case RNS_CMD_REQUEST:
		return request_submit(r, l, c);
	case RNS_CMD_RESPOND:
		return request_respond(r, l, c);
	case RNS_CMD_RESOURCE_SEND:
		return resource_tx_submit(r, l, c);
	case RNS_CMD_RESOURCE_ANSWER:
		return resource_answer(r, l, c);
	case RNS_CMD_REQUEST_CANCEL:
		return link_request_cancel(r, l, c->cancel.tag);
	case RNS_CMD_RESOURCE_CANCEL:
		if (c->cancel.incoming)
			return resource_cancel(r, l, &c->cancel.hash);
		return resource_tx_cancel(r, l, c->cancel.tag);
	case RNS_CMD_CHANNEL_OPEN:
		return channel_open(r, l);
	case RNS_CMD_CHANNEL_SEND:
		return link_channel_send(r, l, c);
	case RNS_CMD_STREAM_OPEN:
		return stream_open(r, l, c->stream.stream);
	case RNS_CMD_STREAM_SEND:
		return stream_send(r, l, c);
	default:
		return RNS_EINVAL;
	}
}

int
link_submit(struct rns *r, const struct rns_cmd *c)
{
	const struct hash16 *id;
	struct link *l;

	links_reap(r);
	if (c->type == RNS_CMD_LINK_OPEN)
		return link_open(r, c);
	if ((id = hash16_at(link_of(c))) == NULL)
		return RNS_EINVAL;
	if ((l = link_find(r, id)) == NULL)
		return RNS_ENOENT;
	return link_submit_on(r, l, c);
}

bool
rns_link_get(const struct rns *r, const struct hash16 *id,
    struct rns_link_info *out)
{
	const struct link *l = link_find(r, id);

	if (l == NULL)
		return false;
	memset(out, 0, sizeof(*out));
	out->id = l->id;
	out->dest = l->dest;
	out->status = (int)l->status;
	out->initiator = l->initiator;
	out->identified = l->identified;
	out->identity_hash = l->peer_hash;
	out->rtt_us = mono_seconds(l->rtt);
	out->asker_rtt_us = mono_seconds(l->asker_rtt);
	out->hops = l->hops;
	out->loss_permille = loss_permille(&l->loss, l->iface != NULL ?
	    &l->iface->loss : NULL, r->now);
	out->mtu = l->mtu;
	out->mdu = l->mdu;
	out->ifid = l->iface != NULL ? l->iface->cfg.id : 0;
	out->channel_room = channel_room(l);
	return true;
}
