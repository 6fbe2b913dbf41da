/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/table/receipt.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/crypt.h"

/*
 * Receipts in a tree by packet hash. A proof names its packet: on a single
 * packet by its destination (the truncated hash), on a link by the hash in it.
 * So one proof costs at most one signature check, whatever comes in.
 */

struct receipt {
	RB_ENTRY(receipt) node;
	TAILQ_ENTRY(receipt) age;
	struct id32 hash;
	uint8_t pub[32];
	struct link *link;
	struct mono sent;
	struct timer timer;
	receipt_fn *done;
	void *arg;
};
RB_HEAD(receipt_tree, receipt);

struct receipts {
	struct receipt_tree tree;
	TAILQ_HEAD(, receipt) age; /* oldest first */
};

static int
receipt_cmp(const struct receipt *a, const struct receipt *b)
{
	return id32_cmp(&a->hash, &b->hash);
}

TREE_PROTOTYPE(receipt_tree, receipt, node, receipt_cmp)
TREE_GENERATE(receipt_tree, receipt, node, receipt_cmp)

int
receipts_new(struct rns *r)
{
	r->receipts = calloc(1, sizeof(*r->receipts));
	if (r->receipts == NULL)
		return RNS_ENOMEM;
	RB_INIT(&r->receipts->tree);
	TAILQ_INIT(&r->receipts->age);
	return RNS_OK;
}

void
receipt_drop(struct rns *r, struct receipt *e)
{
	timer_clear(r, &e->timer);
	RB_REMOVE(receipt_tree, &r->receipts->tree, e);
	TAILQ_REMOVE(&r->receipts->age, e, age);
	r->counts.receipts--;
	free(e);
}

/* It is gone before its owner hears of it, who may make another. */
static void
receipt_conclude(struct rns *r, struct receipt *e,
    enum rns_receipt_status status)
{
	int64_t rtt = mono_sub(r->now, e->sent);
	receipt_fn *done = e->done;
	void *arg = e->arg;

	receipt_drop(r, e);
	done(r, arg, status, rtt);
}

void
receipts_free(struct rns *r)
{
	struct receipt *e;

	if (r->receipts == NULL)
		return;
	while ((e = TAILQ_FIRST(&r->receipts->age)) != NULL)
		receipt_conclude(r, e, RNS_RECEIPT_CULLED);
	free(r->receipts);
	r->receipts = NULL;
}

static void
receipt_timer(struct rns *r, void *arg)
{
	receipt_conclude(r, arg, RNS_RECEIPT_FAILED);
}

struct receipt *
receipt_new(struct rns *r, const struct id32 *hash,
    const uint8_t pub[32], struct link *link, int64_t timeout_us,
    receipt_fn *done, void *arg)
{
	struct receipt *e = calloc(1, sizeof(*e)), *old;

	if (e == NULL)
		return NULL;
	e->hash = *hash;
	memcpy(e->pub, pub, sizeof(e->pub));
	e->link = link;
	e->sent = r->now;
	e->done = done;
	e->arg = arg;
	timer_init(&e->timer, receipt_timer, e);
	/* The same bytes sent twice are one packet; the later receipt counts. */
	old = RB_FIND(receipt_tree, &r->receipts->tree, e);
	if (old == NULL && r->counts.receipts >= r->cfg.limits.receipts)
		old = TAILQ_FIRST(&r->receipts->age);
	if (old != NULL)
		receipt_conclude(r, old, RNS_RECEIPT_CULLED);
	(void)RB_INSERT(receipt_tree, &r->receipts->tree, e);
	TAILQ_INSERT_TAIL(&r->receipts->age, e, age);
	r->counts.receipts++;
	timer_set(r, &e->timer, mono_add(r->now, timeout_us));
	return e;
}

/* The first receipt whose hash starts with, or is, what the proof names. */
static struct receipt *
receipt_find(const struct rns *r, const uint8_t *hash, size_t len)
{
	struct receipt key = {0}, *e;

	memcpy(key.hash.b, hash, len);
	e = RB_NFIND(receipt_tree, &r->receipts->tree, &key);
	return e != NULL && memcmp(e->hash.b, hash, len) == 0 ? e : NULL;
}

bool
receipt_proof_in(struct rns *r, const struct packet *p, struct link *link)
{
	struct rd rd = rd_make(p->data, p->data_len);
	const uint8_t *hash = NULL, *sig;
	struct receipt *e;

	if (p->data_len == PROOF_EXPLICIT_LEN) {
		if (!rd_ref(&rd, &hash, RNS_FULL_HASH))
			return false;
	} else if (p->data_len != PROOF_IMPLICIT_LEN || link != NULL) {
		return false;
	}
	if (!rd_ref(&rd, &sig, RNS_SIG))
		return false;
	e = hash != NULL ? receipt_find(r, hash, RNS_FULL_HASH) :
	    receipt_find(r, HASH_BYTES(*p->dest));
	if (e == NULL || e->link != link ||
	    !crypt_ed25519_verify(e->pub, sig, HASH_BYTES(e->hash)))
		return false;
	receipt_conclude(r, e, RNS_RECEIPT_DELIVERED);
	return true;
}
