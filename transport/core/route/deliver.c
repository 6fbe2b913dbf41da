/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/route/deliver.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/crypt.h"
#include "transport/core/base/event.h"
#include "transport/core/send/announce_own.h"
#include "transport/core/send/outbound.h"
#include "transport/core/table/iface.h"
#include "transport/core/table/known.h"
#include "transport/core/table/path.h"
#include "transport/core/table/receipt.h"

/*
 * Single packets: to destinations of ours (reticulum-endpoint.md 5.8, 3.8),
 * from the application (reticulum-endpoint.md 3.3, 3.7), and what an attached
 * program says of itself (reticulum-transport.md 12.2, 12.4).
 */
#define PROVABLE 64 /* ours: packets whose proof the application may decide */

/* A proof goes back where its packet came from. */
struct provable {
	struct id32 hash;
	struct iface *rx;
};

struct deliver {
	struct provable recent[PROVABLE];
	size_t next;
	struct timer introduce;
	bool attached_before;
};

struct outgoing {
	uint64_t tag;
};

static void introduce_all(struct rns *, void *);

int
deliver_new(struct rns *r)
{
	r->deliver = calloc(1, sizeof(*r->deliver));
	if (r->deliver == NULL)
		return RNS_ENOMEM;
	timer_init(&r->deliver->introduce, introduce_all, NULL);
	return RNS_OK;
}

void
deliver_free(struct rns *r)
{
	if (r->deliver == NULL)
		return;
	timer_clear(r, &r->deliver->introduce);
	free(r->deliver);
	r->deliver = NULL;
}

void
deliver_iface_gone(struct rns *r, const struct iface *i)
{
	for (size_t k = 0; k < PROVABLE; k++)
		if (r->deliver->recent[k].rx == i)
			r->deliver->recent[k] = (struct provable){0};
}

/*
 * reticulum-endpoint.md 3.6; via NULL: wherever, when the way back is
 * forgotten.
 */
static int
prove(struct rns *r, const struct dest *d, const struct id32 *hash,
    struct iface *via)
{
	uint8_t raw[HEADER_1_LEN + RNS_FULL_HASH + RNS_SIG];
	struct wr w = wr_make(raw, sizeof(raw));
	uint8_t sig[RNS_SIG];

	proof_sign(sig, d->identity.ed_sk, hash);
	wr_u8(&w, PACKET_FLAGS(DEST_SINGLE, PACKET_PROOF));
	wr_u8(&w, 0);
	wr_bytes(&w, hash->b, RNS_HASH);
	wr_u8(&w, CTX_NONE);
	if (!r->cfg.implicit_proof)
		wr_bytes(&w, HASH_BYTES(*hash));
	wr_bytes(&w, sig, sizeof(sig));
	return core_out(r, raw, w.len, via);
}

static void
provable_add(struct rns *r, const struct packet *p)
{
	struct provable *e = &r->deliver->recent[r->deliver->next];

	e->hash = p->hash;
	e->rx = p->rx;
	r->deliver->next = (r->deliver->next + 1) % PROVABLE;
}

void
deliver_data(struct rns *r, struct dest *d, const struct packet *p)
{
	struct rns_event ev = {
	    .type = RNS_EV_PACKET,
	    .packet = {.data = p->data, .len = p->data_len,
	        .ifid = p->rx->cfg.id}};
	uint8_t *own = NULL;
	int err;

	if (d->type != RNS_PLAIN) {
		own = malloc(p->data_len);
		if (own == NULL) {
			(void)core_drop(r, RNS_DROP_MEMORY);
			return;
		}
		err = dest_decrypt(d, own, &ev.packet.len, p->data_len,
		    p->data, p->data_len, r->now);
		if (err != RNS_OK) {
			free(own);
			(void)core_drop(r, err == RNS_ELIMIT ? RNS_DROP_LIMIT :
				RNS_DROP_DECRYPT);
			return;
		}
		ev.packet.data = own;
	}
	ev.packet.dest = d->hash;
	ev.packet.packet_hash = p->hash;
	ev.packet.prove_app = d->has_identity && d->prove == RNS_PROVE_APP;
	if (ev.packet.prove_app)
		provable_add(r, p);
	/* What the application will never see must not be proved. */
	if (event_push_own(r, &ev, own) == RNS_OK && d->has_identity &&
	    d->prove == RNS_PROVE_ALL)
		(void)prove(r, d, &p->hash, p->rx);
}

static int
prove_cmd(struct rns *r, const struct rns_cmd *cmd)
{
	const struct dest *d = dest_find(r, &cmd->prove.dest);
	struct iface *via = NULL;

	if (d == NULL)
		return RNS_ENOENT;
	if (!d->has_identity)
		return RNS_EINVAL;
	for (size_t k = 0; k < PROVABLE; k++)
		if (r->deliver->recent[k].rx != NULL &&
		    id32_eq(&r->deliver->recent[k].hash,
		    &cmd->prove.packet_hash))
			via = r->deliver->recent[k].rx;
	return prove(r, d, &cmd->prove.packet_hash, via);
}

static void
outgoing_done(struct rns *r, void *arg, enum rns_receipt_status status,
    int64_t rtt_us)
{
	struct outgoing *o = arg;
	struct rns_event ev = {
	    .type = RNS_EV_RECEIPT,
	    .receipt = {.tag = o->tag, .status = status, .rtt_us = rtt_us}};

	free(o);
	(void)event_push(r, &ev);
}

/* The payload as it goes into the packet. */
static int
seal(struct rns *r, const struct rns_cmd *cmd, struct known *k, uint8_t *out,
    size_t *len, size_t cap)
{
	uint8_t iv[16];

	switch (cmd->packet.type) {
	case RNS_SINGLE:
		if (k == NULL)
			return RNS_ENOENT;
		if (cmd->packet.len > ENCRYPTED_MDU)
			return RNS_EBIG;
		return known_encrypt(r, k, out, len, cap, cmd->packet.data,
		    cmd->packet.len);
	case RNS_GROUP:
		if (cmd->packet.group_key == NULL)
			return RNS_EINVAL;
		core_random(r, iv, sizeof(iv));
		return token_encrypt(out, len, cap, cmd->packet.group_key,
		    cmd->packet.group_key_len, iv, cmd->packet.data,
		    cmd->packet.len);
	case RNS_PLAIN:
		if (cmd->packet.len == 0)
			/* nobody takes it (reticulum-endpoint.md 3.3) */
			return RNS_EINVAL;
		if (cmd->packet.len > PLAIN_MDU)
			return RNS_EBIG;
		memcpy(out, cmd->packet.data, cmd->packet.len);
		*len = cmd->packet.len;
		return RNS_OK;
	}
	return RNS_EINVAL;
}

/* reticulum-endpoint.md 3.7 */
static struct receipt *
outgoing_receipt(struct rns *r, const struct rns_cmd *cmd,
    const struct known *k, const uint8_t *raw, size_t len)
{
	struct id32 hash;
	struct outgoing *o = malloc(sizeof(*o));
	struct receipt *e;

	if (o == NULL)
		return NULL;
	o->tag = cmd->packet.tag;
	packet_hash(&hash, raw, len, false);
	e = receipt_new(r, &hash, known_key(k) + 32, NULL,
	    path_first_hop_timeout_us(r, &cmd->packet.dest) +
	    (int64_t)PER_HOP_TIMEOUT * path_hops(r, &cmd->packet.dest) *
	    MONO_SECOND, outgoing_done, o);
	if (e == NULL)
		free(o);
	return e;
}

static int
packet_cmd(struct rns *r, const struct rns_cmd *cmd)
{
	struct known *k = known_find(r, &cmd->packet.dest);
	bool receipt = cmd->packet.receipt && cmd->packet.type != RNS_PLAIN;
	uint8_t raw[RNS_MTU];
	size_t len = 0, head;
	int err;

	if (receipt && k == NULL)
		return RNS_ENOENT;
	head = packet_head(raw, (uint8_t)PACKET_FLAGS(
	    (unsigned)cmd->packet.type, PACKET_DATA), &cmd->packet.dest,
	    CTX_NONE);
	/* A relay needs room for its transport id. */
	err = seal(r, cmd, k, raw + head, &len,
	    sizeof(raw) - HEADER_2_LEN);
	if (err != RNS_OK)
		return err;
	err = core_out(r, raw, head + len, NULL);
	if (err != RNS_OK || !receipt)
		return err;
	return outgoing_receipt(r, cmd, k, raw, head + len) != NULL ? RNS_OK :
	    RNS_ENOMEM;
}

int
deliver_submit(struct rns *r, const struct rns_cmd *cmd)
{
	return cmd->type == RNS_CMD_PROVE ? prove_cmd(r, cmd) :
	    packet_cmd(r, cmd);
}

/* ---- attached programs ---- */

void
deliver_introduce(struct rns *r)
{
	if (r->shared != NULL && !r->deliver->introduce.armed)
		timer_set(r, &r->deliver->introduce,
		    mono_add(r->now, ATTACH_ANNOUNCE_MS * 1000));
}

/*
 * The daemon is there, perhaps again: it knows nothing of us
 * (reticulum-transport.md 12.4). After a restart it is given time to come up.
 */
void
deliver_attached(struct rns *r)
{
	struct dest *d;

	for (d = dest_next(r, NULL); d != NULL; d = dest_next(r, d))
		d->introduced = false;
	if (!r->deliver->attached_before)
		deliver_introduce(r);
	else if (dest_next(r, NULL) != NULL)
		timer_set(r, &r->deliver->introduce,
		    mono_add(r->now, REATTACH_ANNOUNCE * MONO_SECOND));
	r->deliver->attached_before = true;
}

static void
introduce_all(struct rns *r, void *arg)
{
	struct dest *d;

	(void)arg;
	if (r->shared == NULL)
		return;
	for (d = dest_next(r, NULL); d != NULL; d = dest_next(r, d)) {
		if (d->type != RNS_SINGLE || d->introduced)
			continue;
		if (announce_own(r, d, r->shared) == RNS_OK)
			d->introduced = true;
	}
}
