/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/lxmf/lxmf.h"

#include <stdlib.h>
#include <string.h>

#include "common/mpk.h"
#include "common/wire.h"
#include "transport/core/base/crypt.h"
#include "transport/core/base/identity.h"

#define MP_ARRAY4 0x94
#define MP_ARRAY5 0x95
#define SOURCE_AT 16
#define SIG_AT 32
#define ADDRESSES 32 /* destination and source */
#define SF_COMPRESSION 0 /* compressed resources are understood */
#define COST_MAX 254 /* more is no number of bits that anybody reaches */

/* ---- writing ---- */

static void
put_fields(struct wr *w, const struct lxmf *m)
{
	mpk_put_map(w, (size_t)m->has_type + (size_t)m->has_data);
	if (m->has_type) {
		mpk_put_uint(w, LXMF_FIELD_TYPE);
		mpk_put_strn(w, (const char *)m->type.p, m->type.n);
	}
	if (m->has_data) {
		mpk_put_uint(w, LXMF_FIELD_DATA);
		mpk_put_bin(w, m->data.p, m->data.n);
	}
}

/* The payload of four: what is hashed and signed. */
static void
put_payload(struct wr *w, const struct lxmf *m)
{
	mpk_put_array(w, 4);
	mpk_put_double(w, m->time);
	mpk_put_bin(w, m->title.p, m->title.n);
	mpk_put_bin(w, m->content.p, m->content.n);
	put_fields(w, m);
}

/* payload: whole, with or without a stamp behind it; n: without. */
static void
hash_message(struct id32 *out, const struct hash16 *dest,
    const struct hash16 *source, const uint8_t *payload, size_t n)
{
	static const uint8_t four = MP_ARRAY4;
	const struct iovec_c v[] = {{dest, sizeof(*dest)},
	    {source, sizeof(*source)}, {&four, 1}, {payload + 1, n - 1}};

	crypt_sha256v(out, v, 4);
}

int
lxmf_id(struct id32 *out, const struct lxmf *m, uint8_t *scratch, size_t cap)
{
	struct wr w = wr_make(scratch, cap);

	put_payload(&w, m);
	if (!wr_ok(&w))
		return RNS_EBIG;
	hash_message(out, &m->dest, &m->source, scratch, w.len);
	return RNS_OK;
}

int
lxmf_pack(uint8_t *out, size_t *len, size_t cap, struct id32 *id,
    const struct lxmf *m, const uint8_t *stamp, const uint8_t priv[RNS_KEY])
{
	struct wr w = wr_make(out, cap);
	struct id32 hash;
	uint8_t sig[RNS_SIG];
	size_t n;

	/*
	 * What is signed must lie in one piece: addresses, payload, id. They
	 * are written behind each other first, and then the signature comes
	 * between.
	 */
	wr_zero(&w, SIG_AT + RNS_SIG - ADDRESSES);
	wr_bytes(&w, &m->dest, sizeof(m->dest));
	wr_bytes(&w, &m->source, sizeof(m->source));
	put_payload(&w, m);
	n = w.len;
	wr_zero(&w, sizeof(hash));
	if (!wr_ok(&w))
		return RNS_EBIG;
	hash_message(&hash, &m->dest, &m->source, out + LXMF_HEAD,
	    n - LXMF_HEAD);
	memcpy(out + n, &hash, sizeof(hash));
	rns_identity_sign(sig, priv, out + LXMF_HEAD - ADDRESSES,
	    n + sizeof(hash) - (LXMF_HEAD - ADDRESSES));
	w.len = n;
	if (stamp != NULL)
		mpk_put_bin(&w, stamp, STAMP_LEN);
	if (!wr_ok(&w))
		return RNS_EBIG;
	if (stamp != NULL)
		out[LXMF_HEAD] = MP_ARRAY5;
	memmove(out, out + LXMF_HEAD - ADDRESSES, ADDRESSES);
	memcpy(out + SIG_AT, sig, sizeof(sig));
	*len = w.len;
	if (id != NULL)
		*id = hash;
	return RNS_OK;
}

/* ---- reading ---- */

/* A str or a bin; anything else well-formed is passed over. */
static bool
get_text(struct rd *r, struct lxmf_text *t, bool *is)
{
	struct rd at = *r;
	struct mpk v;

	*is = mpk_get(&at, &v) && (v.type == MPK_BIN || v.type == MPK_STR);
	if (!*is)
		return mpk_skip(r);
	t->p = v.p;
	t->n = v.n;
	*r = at;
	return true;
}

static bool
get_fields(struct rd *r, struct lxmf *m)
{
	struct lxmf_text t = {NULL, 0};
	struct rd all;
	const uint8_t *p;
	uint64_t key;
	size_t n;
	bool is;

	/* whole, to its depth, and no key twice */
	if (!mpk_value(r, &p, &n))
		return false;
	all = rd_make(p, n);
	if (!mpk_get_map(&all, &n))
		return false;
	while (n-- > 0) {
		if (!mpk_get_uint(&all, &key)) {
			if (!mpk_skip(&all) || !mpk_skip(&all))
				return false;
			continue;
		}
		if (!get_text(&all, &t, &is))
			return false;
		if (is && key == LXMF_FIELD_TYPE) {
			m->has_type = true;
			m->type = t;
		} else if (is && key == LXMF_FIELD_DATA) {
			m->has_data = true;
			m->data = t;
		}
	}
	return true;
}

static bool
get_payload(struct lxmf *m, struct rd *r)
{
	const uint8_t *begin = r->p;
	bool title, content;
	uint8_t head;

	if (!rd_u8(r, &head) || (head != MP_ARRAY4 && head != MP_ARRAY5) ||
	    !mpk_get_number(r, &m->time) || !get_text(r, &m->title, &title) ||
	    !title || !get_text(r, &m->content, &content) || !content ||
	    !get_fields(r, m))
		return false;
	m->payload.p = begin;
	m->payload.n = (size_t)(r->p - begin);
	m->has_stamp = head == MP_ARRAY5;
	return (!m->has_stamp ||
		   mpk_get_bin(r, &m->stamp.p, &m->stamp.n)) &&
	    rd_end(r);
}

int
lxmf_parse(struct lxmf *m, const uint8_t *p, size_t n)
{
	struct rd r = rd_make(p, n);
	struct lxmf got = {0};

	if (!rd_copy(&r, &got.dest, sizeof(got.dest)) ||
	    !rd_copy(&r, &got.source, sizeof(got.source)) ||
	    !rd_copy(&r, got.sig, sizeof(got.sig)) || !get_payload(&got, &r))
		return RNS_EPARSE;
	hash_message(&got.id, &got.dest, &got.source, got.payload.p,
	    got.payload.n);
	*m = got;
	return RNS_OK;
}

void
lxmf_address(struct hash16 *out, const uint8_t pub[RNS_KEY])
{
	struct hash16 identity;

	rns_identity_hash_of(&identity, pub);
	/* cannot fail: the name is ours and good */
	(void)rns_dest_hash(out, LXMF_DELIVERY, &identity);
}

bool
lxmf_signed_by(const struct lxmf *m, const uint8_t pub[RNS_KEY])
{
	size_t n = ADDRESSES + m->payload.n + sizeof(m->id);
	struct hash16 address;
	uint8_t *all;
	bool good;

	lxmf_address(&address, pub);
	if (!hash16_eq(&address, &m->source))
		return false;
	all = malloc(n);
	if (all == NULL)
		return false;
	memcpy(all, &m->dest, SOURCE_AT);
	memcpy(all + SOURCE_AT, &m->source, SOURCE_AT);
	memcpy(all + ADDRESSES, m->payload.p, m->payload.n);
	all[ADDRESSES] = MP_ARRAY4;
	memcpy(all + ADDRESSES + m->payload.n, &m->id, sizeof(m->id));
	good = rns_identity_verify(pub, m->sig, all, n);
	free(all);
	return good;
}

bool
lxmf_stamp_ok(const struct lxmf *m, unsigned cost)
{
	struct stamp_work work;
	struct id32 product;

	if (cost == 0)
		return true;
	if (!m->has_stamp || m->stamp.n != STAMP_LEN || cost > COST_MAX)
		return false;
	stamp_work(&work, &m->id, sizeof(m->id), LXMF_ROUNDS);
	stamp_product(&product, &work, m->stamp.p, m->stamp.n);
	return stamp_valid(&product, cost * STAMP_BIT);
}

/* ---- sealed ---- */

int
lxmf_seal(uint8_t *out, size_t *len, size_t cap, struct id32 *id,
    const uint8_t *packed, size_t n, const uint8_t pub[RNS_KEY],
    const uint8_t *ratchet, const uint8_t random[LXMF_SEAL_RANDOM])
{
	struct hash16 identity, address;
	size_t token = 0;
	int err;

	if (n < LXMF_HEAD || cap < sizeof(address))
		return n < LXMF_HEAD ? RNS_EINVAL : RNS_EBIG;
	lxmf_address(&address, pub);
	if (memcmp(&address, packed, sizeof(address)) != 0)
		return RNS_EINVAL;
	rns_identity_hash_of(&identity, pub);
	err = identity_encrypt(out + sizeof(address), &token,
	    cap - sizeof(address), pub, &identity, ratchet, random,
	    random + 32, packed + sizeof(address), n - sizeof(address));
	if (err != RNS_OK)
		return err;
	memcpy(out, &address, sizeof(address));
	*len = sizeof(address) + token;
	if (id != NULL)
		crypt_sha256(id, out, *len);
	return RNS_OK;
}

int
lxmf_unseal(uint8_t *out, size_t *len, size_t cap, struct id32 *id,
    const uint8_t *sealed, size_t n, const uint8_t priv[RNS_KEY],
    const uint8_t (*ratchets)[RNS_RATCHET], size_t nratchets)
{
	struct identity self;
	struct hash16 address;
	size_t plain = 0;
	int err = RNS_ENOENT;

	if (n <= sizeof(address))
		return RNS_EPARSE;
	if (cap < sizeof(address))
		return RNS_EBIG;
	(void)identity_load(&self, priv);
	lxmf_address(&address, self.pub);
	if (memcmp(&address, sealed, sizeof(address)) == 0)
		err = identity_decrypt(out + sizeof(address), &plain,
		    cap - sizeof(address), &self, ratchets, nratchets, false,
		    NULL, sealed + sizeof(address), n - sizeof(address));
	identity_clear(&self);
	if (err != RNS_OK)
		return err;
	memcpy(out, &address, sizeof(address));
	*len = sizeof(address) + plain;
	if (id != NULL)
		crypt_sha256(id, sealed, n);
	return RNS_OK;
}

/* ---- announces ---- */

int
lxmf_delivery_pack(uint8_t *out, size_t *len, size_t cap, const char *name,
    unsigned cost)
{
	struct wr w = wr_make(out, cap);

	if (cost > COST_MAX)
		return RNS_EINVAL;
	mpk_put_array(&w, 3);
	if (name != NULL)
		mpk_put_bin(&w, name, strlen(name));
	else
		mpk_put_nil(&w);
	if (cost > 0)
		mpk_put_uint(&w, cost);
	else
		mpk_put_nil(&w);
	mpk_put_array(&w, 1);
	mpk_put_uint(&w, SF_COMPRESSION);
	if (!wr_ok(&w))
		return RNS_EBIG;
	*len = w.len;
	return RNS_OK;
}

unsigned
lxmf_delivery_cost(const uint8_t *app_data, size_t n)
{
	struct rd r = rd_make(app_data, n);
	uint64_t cost;
	size_t elements;

	if (!mpk_get_array(&r, &elements) || elements < 2 || !mpk_skip(&r) ||
	    !mpk_get_uint(&r, &cost) || cost > COST_MAX)
		return 0;
	return (unsigned)cost;
}
