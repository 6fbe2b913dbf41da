/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/base/event.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/crypt.h"

/*
 * A first-in first-out queue of separately allocated events, each with the
 * bytes that its pointers name behind it. `cur` is the one that the caller
 * looks at. Payloads can be plaintext, so they are cleared when they go. Some
 * small ones are used again: between what an announce leaves in the tables
 * each would leave a hole that nothing there fits.
 */
#define EVENT_SMALL 224 /* ours: bytes of most announces */
#define SPARES_MAX 32   /* ours: the events of one read */

struct evnode {
	TAILQ_ENTRY(evnode) entry;
	struct rns_event ev;
	uint8_t *own;
	size_t own_len;
	size_t len; /* of data[] */
	uint8_t data[];
};

struct evq {
	TAILQ_HEAD(evnodes, evnode) head;
	struct evnodes spares; /* of EVENT_SMALL bytes */
	unsigned spare_count;
	struct evnode *cur;
	uint32_t count;
	uint64_t bytes;
};

#define EVENT_PIECES 3

struct piece {
	const uint8_t **p;
	size_t n;
};

/* Which bytes an event names; the count of pieces. */
static size_t
event_pieces(struct rns_event *ev, struct piece out[EVENT_PIECES])
{
	switch (ev->type) {
	case RNS_EV_ANNOUNCE:
		out[0] = (struct piece){&ev->announce.app_data,
		    ev->announce.app_data_len};
		out[1] = (struct piece){&ev->announce.ratchet, RNS_RATCHET};
		out[2] = (struct piece){&ev->announce.raw,
		    ev->announce.raw_len};
		return 3;
	case RNS_EV_PACKET:
	case RNS_EV_LINK_DATA:
		out[0] = (struct piece){&ev->packet.data, ev->packet.len};
		return 1;
	case RNS_EV_RATCHETS:
		out[0] = (struct piece){&ev->ratchets.keys,
		    ev->ratchets.count * RNS_RATCHET};
		return 1;
	case RNS_EV_REQUEST:
		out[0] = (struct piece){&ev->request.data, ev->request.len};
		return 1;
	case RNS_EV_RESPONSE:
		out[0] = (struct piece){&ev->response.data, ev->response.len};
		out[1] = (struct piece){&ev->response.metadata,
		    ev->response.metadata_len};
		return 2;
	case RNS_EV_RESOURCE_ADV:
	case RNS_EV_RESOURCE_DATA:
	case RNS_EV_RESOURCE_DONE:
		out[0] = (struct piece){&ev->resource.data, ev->resource.len};
		out[1] = (struct piece){&ev->resource.metadata,
		    ev->resource.metadata_len};
		return 2;
	case RNS_EV_CHANNEL_MESSAGE:
	case RNS_EV_STREAM_DATA:
		out[0] = (struct piece){&ev->channel.data, ev->channel.len};
		return 1;
	case RNS_EV_RECEIPT:
	case RNS_EV_PATH_REQUEST:
	case RNS_EV_LINK_PENDING:
	case RNS_EV_LINK_UP:
	case RNS_EV_LINK_IDENTIFIED:
	case RNS_EV_LINK_CLOSED:
	case RNS_EV_REQUEST_FAILED:
	case RNS_EV_PROGRESS:
	case RNS_EV_SENT:
	case RNS_EV_CHANNEL_DELIVERED:
	case RNS_EV_CHANNEL_READY:
		break;
	}
	return 0;
}

static uint64_t
evnode_cost(const struct evnode *n)
{
	return sizeof(*n) + n->len + n->own_len;
}

/* Its bytes are anything; NULL: no memory. */
static struct evnode *
evnode_make(struct evq *q, size_t len)
{
	struct evnode *n = TAILQ_FIRST(&q->spares);

	if (len > EVENT_SMALL)
		return malloc(sizeof(*n) + len);
	if (n == NULL)
		return malloc(sizeof(*n) + EVENT_SMALL);
	TAILQ_REMOVE(&q->spares, n, entry);
	q->spare_count--;
	return n;
}

static void
evnode_free(struct rns *r, struct evnode *n)
{
	struct evq *q = r->evq;
	size_t len;

	if (n == NULL)
		return;
	q->bytes -= evnode_cost(n);
	if (n->own != NULL) {
		crypt_wipe(n->own, n->own_len);
		free(n->own);
	}
	len = n->len;
	crypt_wipe(n, sizeof(*n) + len);
	if (len > EVENT_SMALL || q->spare_count == SPARES_MAX) {
		free(n);
		return;
	}
	TAILQ_INSERT_HEAD(&q->spares, n, entry);
	q->spare_count++;
}

int
event_push_own(struct rns *r, const struct rns_event *ev, uint8_t *own)
{
	struct evq *q = r->evq;
	struct rns_event copy = *ev;
	struct piece pieces[EVENT_PIECES] = {{0}};
	size_t count = event_pieces(&copy, pieces), first = own != NULL;
	size_t len = 0, at = 0, own_len = first ? pieces[0].n : 0;
	struct evnode *n;

	for (size_t i = first; i < count; i++)
		len += *pieces[i].p != NULL ? pieces[i].n : 0;
	if (q->count >= r->cfg.limits.events ||
	    q->bytes + sizeof(*n) + len + own_len >
	    r->cfg.limits.event_bytes) {
		free(own);
		(void)core_drop(r, RNS_DROP_LIMIT);
		return RNS_ELIMIT;
	}
	n = evnode_make(q, len);
	if (n == NULL) {
		free(own);
		(void)core_drop(r, RNS_DROP_MEMORY);
		return RNS_ENOMEM;
	}
	for (size_t i = first; i < count; i++) {
		if (*pieces[i].p == NULL)
			continue;
		if (pieces[i].n > 0)
			memcpy(n->data + at, *pieces[i].p, pieces[i].n);
		*pieces[i].p = n->data + at;
		at += pieces[i].n;
	}
	n->ev = copy;
	n->own = own;
	n->own_len = own_len;
	n->len = len;
	TAILQ_INSERT_TAIL(&q->head, n, entry);
	q->count++;
	q->bytes += evnode_cost(n);
	return RNS_OK;
}

int
event_push(struct rns *r, const struct rns_event *ev)
{
	return event_push_own(r, ev, NULL);
}

int
evq_new(struct rns *r)
{
	r->evq = calloc(1, sizeof(*r->evq));
	if (r->evq == NULL)
		return RNS_ENOMEM;
	TAILQ_INIT(&r->evq->head);
	TAILQ_INIT(&r->evq->spares);
	return RNS_OK;
}

void
evq_free(struct rns *r)
{
	struct evnode *n;

	if (r->evq == NULL)
		return;
	evnode_free(r, r->evq->cur);
	while ((n = TAILQ_FIRST(&r->evq->head)) != NULL) {
		TAILQ_REMOVE(&r->evq->head, n, entry);
		evnode_free(r, n);
	}
	while ((n = TAILQ_FIRST(&r->evq->spares)) != NULL) {
		TAILQ_REMOVE(&r->evq->spares, n, entry);
		free(n);
	}
	free(r->evq);
	r->evq = NULL;
}

bool
evq_next(struct rns *r, struct rns_event *ev)
{
	struct evq *q = r->evq;

	evnode_free(r, q->cur);
	q->cur = TAILQ_FIRST(&q->head);
	if (q->cur == NULL)
		return false;
	TAILQ_REMOVE(&q->head, q->cur, entry);
	q->count--;
	*ev = q->cur->ev;
	return true;
}
