/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/link/resource_asm.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/bz.h"
#include "transport/core/base/event.h"
#include "transport/core/link/charge.h"

/*
 * Assembly and proof of an incoming segment (reticulum-endpoint.md 8.9), and
 * the proof once more.
 */

struct growth { /* what a decompressed buffer may still take */
	struct rns *r;
	uint64_t charged;
};

static bool
asm_charge(void *arg, size_t n)
{
	struct growth *g = arg;

	return charge_add(g->r, &g->charged, n);
}

/*
 * Decrypt and decompress into *b, whose memory is charged to *charged. More
 * than the transfer has left by its own advertisement is corrupt: that is the
 * ceiling of the decompressor, too.
 */
static int
asm_content(struct rns *r, struct res_in *x, struct bytes *b,
    uint64_t *charged)
{
	uint64_t left = x->total - x->delivered;
	struct growth g = {.r = r};
	uint8_t *plain, *out = NULL;
	size_t n, out_len = 0;
	int rc;

	if (!charge_add(r, charged, x->size))
		return RNS_ELIMIT;
	if ((plain = malloc(x->size)) == NULL)
		return RNS_ENOMEM;
	rc = token_decrypt(plain, &n, x->size, x->link->key,
	    sizeof(x->link->key), x->stream, x->size);
	if (rc == RNS_OK && n < RES_RANDOM)
		rc = RNS_EPARSE;
	if (rc == RNS_OK && x->compressed) {
		rc = bz_decompress(&out, &out_len,
		    (size_t)MIN_OF(left, (uint64_t)RES_COMPRESS_MAX),
		    plain + RES_RANDOM, n - RES_RANDOM, asm_charge, &g);
		*charged += g.charged;
	} else if (rc == RNS_OK && n - RES_RANDOM > left) {
		rc = RNS_EBIG;
	}
	if (rc != RNS_OK || x->compressed) {
		crypt_wipe(plain, x->size);
		free(plain);
		charge_sub(r, charged, x->size);
	}
	if (rc != RNS_OK)
		return rc;
	if (x->compressed)
		*b = (struct bytes){out, 0, out_len, out_len};
	else
		*b = (struct bytes){plain, RES_RANDOM, n - RES_RANDOM,
		    x->size};
	return RNS_OK;
}

static bool
asm_genuine(const struct res_in *x, const struct bytes *b,
    struct id32 *proof)
{
	const struct iovec_c v = {b->base + b->off, b->len};
	struct id32 hash;

	crypt_sha256_proof(&hash, proof, &v, 1, x->random, RES_RANDOM);
	return crypt_equal(hash.b, HASH_BYTES(x->hash));
}

/* Take the metadata block off the first segment (reticulum-endpoint.md 8.2). */
static bool
asm_metadata(struct rns *r, struct res_in *x, struct bytes *b)
{
	struct rd rd = rd_make(b->base + b->off, b->len);
	const uint8_t *p;
	uint32_t n;

	if (!rd_u24(&rd, &n) || !rd_ref(&rd, &p, n) ||
	    !charge_add(r, &x->charged, n))
		return false;
	if ((x->metadata = malloc(n > 0 ? n : 1)) == NULL)
		return false;
	memcpy(x->metadata, p, n);
	x->metadata_len = n;
	b->off += n + 3;
	b->len -= n + 3;
	return true;
}

static bool
asm_append(struct res_in *x, struct bytes *b)
{
	uint8_t *p;

	if (x->whole.base == NULL) {
		x->whole = *b;
		b->base = NULL;
		return true;
	}
	p = realloc(x->whole.base, x->whole.off + x->whole.len + b->len);
	if (p == NULL)
		return false;
	memcpy(p + x->whole.off + x->whole.len, b->base + b->off, b->len);
	x->whole.base = p;
	x->whole.len += b->len;
	x->whole.cap = x->whole.off + x->whole.len;
	return true;
}

/* Hand a plain segment on; the event takes the buffer. */
static bool
asm_deliver(struct rns *r, struct res_in *x, struct bytes *b, uint64_t offset)
{
	struct rns_event ev = {.type = RNS_EV_RESOURCE_DATA};
	uint8_t *own = b->base;

	ev.resource.link = x->link->id;
	ev.resource.hash = x->orig;
	ev.resource.size = x->total;
	ev.resource.data = b->base + b->off;
	ev.resource.len = b->len;
	ev.resource.offset = offset;
	if (x->segment == 1) {
		ev.resource.metadata = x->metadata;
		ev.resource.metadata_len = x->metadata_len;
	}
	b->base = NULL;
	return event_push_own(r, &ev, own) == RNS_OK;
}

static void
asm_prove(struct rns *r, struct res_in *x, const struct id32 *proof)
{
	struct link *l = x->link;
	size_t i = l->proof_count++ % LINK_PROOFS_KEPT;
	uint8_t raw[HEADER_1_LEN + 64];
	size_t n;

	memcpy(l->proofs[i].data, HASH_BYTES(x->hash));
	memcpy(l->proofs[i].data + 32, HASH_BYTES(*proof));
	n = packet_build(raw, sizeof(raw),
	    PACKET_FLAGS(DEST_LINK, PACKET_PROOF), &l->id, CTX_RESOURCE_PRF,
	    l->proofs[i].data, 64);
	packet_hash(&l->proofs[i].hash, raw, n, false);
	(void)link_send_clear(r, l, PACKET_PROOF, CTX_RESOURCE_PRF,
	    l->proofs[i].data, 64);
}

int
resource_assemble(struct rns *r, struct res_in *x)
{
	struct bytes b = {0};
	uint64_t offset = x->delivered, charged = 0;
	struct id32 proof;
	bool ok;
	int rc = asm_content(r, x, &b, &charged);

	x->charged += charged;
	if (rc == RNS_OK && !asm_genuine(x, &b, &proof))
		rc = RNS_EAUTH;
	if (rc != RNS_OK)
		goto out;
	x->delivered += b.len;
	if (x->segment == 1 && x->has_metadata && !asm_metadata(r, x, &b)) {
		rc = RNS_EPARSE;
		goto out;
	}
	if (x->kind == RES_PLAIN) {
		ok = asm_deliver(r, x, &b, offset);
		charge_sub(r, &x->charged, charged);
	} else {
		ok = asm_append(x, &b);
	}
	if (ok)
		asm_prove(r, x, &proof);
	else
		rc = RNS_ENOMEM;
out:
	free(b.base);
	return rc;
}

bool
resource_prove_again(struct rns *r, struct link *l, const struct id32 *hash)
{
	size_t kept = MIN_OF(l->proof_count, (uint32_t)LINK_PROOFS_KEPT);

	for (size_t i = 0; i < kept; i++) {
		if (!id32_eq(id32_at(l->proofs[i].data), hash))
			continue;
		(void)link_send_clear(r, l, PACKET_PROOF, CTX_RESOURCE_PRF,
		    l->proofs[i].data, sizeof(l->proofs[i].data));
		return true;
	}
	return false;
}

/*
 * A peer that missed our proof asks for it by the packet's hash
 * (reticulum-endpoint.md 8.12).
 */
void
resource_cache_in(struct rns *r, struct link *l, const struct packet *p)
{
	size_t kept = MIN_OF(l->proof_count, (uint32_t)LINK_PROOFS_KEPT);

	for (size_t i = 0; i < kept; i++) {
		if (p->data_len != RNS_FULL_HASH ||
		    !id32_eq(&l->proofs[i].hash, id32_at(p->data)))
			continue;
		(void)link_send_clear(r, l, PACKET_PROOF, CTX_RESOURCE_PRF,
		    l->proofs[i].data, sizeof(l->proofs[i].data));
		return;
	}
	core_drop(r, RNS_DROP_RESOURCE);
}
