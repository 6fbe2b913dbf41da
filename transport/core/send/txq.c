/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/send/txq.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/kind.h"
#include "transport/core/base/packet.h"

/*
 * Packets that wait to be pulled, in one queue of blocks. A record is a head
 * of fixed size and the packet; records are appended to the last block and
 * taken from the first. Blocks are used again, so that a packet costs a copy
 * and no allocation. What rns_next_tx() handed out stays where it is until
 * the next call of it.
 */
#define TXQ_BLOCK 65536 /* ours: one read of a socket, and below mmap */
#define TXQ_BYTES_MIN (1024u * 1024) /* ours: a few of the largest packets */

struct txhead {
	uint32_t ifid, from;
	uint32_t len, kind;
	struct hash16 dest;
};

struct txblock {
	STAILQ_ENTRY(txblock) entry;
	size_t cap, head, tail;
	uint8_t data[];
};

struct txq {
	STAILQ_HEAD(, txblock) blocks;
	struct txblock *spare;
	uint32_t count;
	uint64_t bytes, bytes_max;
	struct hash16 dest; /* of what was handed out last */
};

int
txq_new(struct rns *r)
{
	struct txq *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return RNS_ENOMEM;
	STAILQ_INIT(&q->blocks);
	q->bytes_max = MAX_OF(TXQ_BYTES_MIN,
	    (uint64_t)r->cfg.limits.tx_packets * RNS_MTU);
	r->txq = q;
	return RNS_OK;
}

void
txq_free(struct rns *r)
{
	struct txblock *b;

	if (r->txq == NULL)
		return;
	while ((b = STAILQ_FIRST(&r->txq->blocks)) != NULL) {
		STAILQ_REMOVE_HEAD(&r->txq->blocks, entry);
		free(b);
	}
	free(r->txq->spare);
	free(r->txq);
	r->txq = NULL;
}

/* A block that has room for `need` more bytes, or NULL. */
static struct txblock *
txq_block(struct txq *q, size_t need)
{
	struct txblock *b = STAILQ_LAST(&q->blocks, txblock, entry);
	size_t cap = MAX_OF(need, (size_t)TXQ_BLOCK);

	if (b != NULL && b->cap - b->tail >= need)
		return b;
	if (q->spare != NULL && q->spare->cap >= need) {
		b = q->spare;
		q->spare = NULL;
	} else {
		b = malloc(sizeof(*b) + cap);
		if (b == NULL)
			return NULL;
		b->cap = cap;
	}
	b->head = b->tail = 0;
	STAILQ_INSERT_TAIL(&q->blocks, b, entry);
	return b;
}

/* An empty block that is not needed now; one is kept. */
static void
txq_retire(struct txq *q, struct txblock *b)
{
	STAILQ_REMOVE_HEAD(&q->blocks, entry);
	if (q->spare == NULL && b->cap == TXQ_BLOCK)
		q->spare = b;
	else
		free(b);
}

/* Of what is handled now, but there. */
static void
tx_drop(struct rns *r, enum rns_drop why, const struct iface *i)
{
	if (r->rx_packet != NULL)
		(void)core_drop_of(r, why, r->rx_packet->dest, i->cfg.id);
	else
		(void)core_drop(r, why);
}

/* What it is and where it goes, which the access code will hide. */
static void
tx_mark(const struct rns *r, struct txhead *h, const uint8_t *p)
{
	size_t at = (p[0] & FLAG_HEADER_2) != 0 ? 2 + RNS_HASH : 2;

	h->kind = packet_kind(p[0], p[at + RNS_HASH], r->passing,
	    r->rx_packet != NULL && r->rx_packet->from_local);
	h->dest = *hash16_at(p + at);
}

/*
 * With an access code the packet is put together behind the place of the
 * masked one, in the same block, and then given back.
 */
int
core_txv(struct rns *r, struct iface *i, const struct iovec_c *v, size_t n)
{
	struct txq *q = r->txq;
	struct txhead h = {.ifid = i->cfg.id, .from = r->rx_from};
	size_t len = 0, masked, at;
	struct txblock *b;
	uint8_t *p;

	if (r->closing)
		return RNS_ESTATE;
	if (!iface_sends(i)) {
		tx_drop(r, RNS_DROP_TX_OFFLINE, i);
		return RNS_ESTATE;
	}
	for (size_t k = 0; k < n; k++)
		len += v[k].n;
	masked = i->ifac.size != 0 ? len + i->ifac.size : 0;
	if (q->count >= r->cfg.limits.tx_packets ||
	    q->bytes + len > q->bytes_max) {
		tx_drop(r, RNS_DROP_TX_FULL, i);
		return RNS_ELIMIT;
	}
	b = txq_block(q, sizeof(h) + masked + len);
	if (b == NULL) {
		(void)core_drop(r, RNS_DROP_MEMORY);
		return RNS_ENOMEM;
	}
	at = b->tail + sizeof(h);
	p = b->data + at + masked;
	for (size_t k = 0; k < n; k++) {
		memcpy(p, v[k].p, v[k].n);
		p += v[k].n;
	}
	tx_mark(r, &h, p - len);
	if (masked != 0)
		len = ifac_mask(&i->ifac, b->data + at, masked,
		    b->data + at + masked, len);
	if (len == 0)
		return RNS_EBIG;
	h.len = (uint32_t)len;
	memcpy(b->data + b->tail, &h, sizeof(h));
	b->tail = at + len;
	q->count++;
	q->bytes += len;
	i->tx_packets++;
	i->tx_bytes += len;
	i->tx_kinds[h.kind].packets++;
	i->tx_kinds[h.kind].bytes += len;
	r->counts.tx_packets++;
	r->counts.tx_bytes += len;
	return RNS_OK;
}

int
core_tx(struct rns *r, struct iface *i, const uint8_t *raw, size_t len)
{
	struct iovec_c v = {raw, len};

	return core_txv(r, i, &v, 1);
}

uint32_t
txq_waiting(const struct rns *r)
{
	const struct txq *q = r->txq;

	/* by bytes too: large packets fill it before their number does */
	return MAX_OF(q->count, (uint32_t)(q->bytes / RNS_MTU));
}

bool
txq_next(struct rns *r, struct rns_tx *tx)
{
	struct txq *q = r->txq;
	struct txblock *b;
	struct txhead h;

	while ((b = STAILQ_FIRST(&q->blocks)) != NULL && b->head == b->tail)
		txq_retire(q, b);
	if (b == NULL)
		return false;
	memcpy(&h, b->data + b->head, sizeof(h));
	b->head += sizeof(h);
	*tx = (struct rns_tx){
	    .ifid = h.ifid, .from = h.from, .data = b->data + b->head,
	    .len = h.len, .kind = h.kind, .dest = &q->dest};
	q->dest = h.dest;
	b->head += h.len;
	q->count--;
	q->bytes -= h.len;
	return true;
}
