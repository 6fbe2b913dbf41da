/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/base/announce.h"

#include <string.h>

#include "transport/core/base/crypt.h"
#include "common/wire.h"

#define BLOB_RANDOM 5

int
announce_parse(struct announce *a, const struct packet *p)
{
	struct rd r = rd_make(p->data, p->data_len), blob;
	struct announce v = {0};
	uint64_t emitted;

	if (p->type != PACKET_ANNOUNCE || p->dest_type != DEST_SINGLE ||
	    p->raw_len > RNS_MTU)
		return RNS_EPARSE;
	if (!rd_ref(&r, &v.public_key, RNS_KEY) ||
	    !rd_ref(&r, &v.name_hash, RNS_NAME_HASH) ||
	    !rd_ref(&r, &v.random_hash, ANNOUNCE_BLOB) ||
	    (p->context_flag && !rd_ref(&r, &v.ratchet, RNS_RATCHET)) ||
	    !rd_ref(&r, &v.signature, RNS_SIG))
		return RNS_EPARSE;
	blob = rd_make(v.random_hash, ANNOUNCE_BLOB);
	if (!rd_skip(&blob, BLOB_RANDOM) || !rd_u40(&blob, &emitted))
		return RNS_EPARSE;
	v.emitted = emitted;
	v.app_data_len = rd_left(&r);
	/*
	 * reticulum-endpoint.md 5.5 step 6, also with a ratchet: this long or
	 * less means nil
	 */
	if (p->data_len > ANNOUNCE_BARE)
		v.app_data = r.p;
	rns_identity_hash_of(&v.identity_hash, v.public_key);
	*a = v;
	return RNS_OK;
}

/*
 * reticulum-endpoint.md 5.4: app data comes last here although it follows the
 * signature there.
 */
static size_t
signed_data(uint8_t out[RNS_MTU], const struct hash16 *dest,
    const struct announce *a)
{
	struct wr w = wr_make(out, RNS_MTU);

	wr_bytes(&w, HASH_BYTES(*dest));
	wr_bytes(&w, a->public_key, RNS_KEY);
	wr_bytes(&w, a->name_hash, RNS_NAME_HASH);
	wr_bytes(&w, a->random_hash, ANNOUNCE_BLOB);
	if (a->ratchet != NULL)
		wr_bytes(&w, a->ratchet, RNS_RATCHET);
	wr_bytes(&w, a->app_data, a->app_data_len);
	return wr_ok(&w) ? w.len : 0;
}

bool
announce_signature_ok(const struct announce *a, const struct packet *p)
{
	uint8_t buf[RNS_MTU];
	size_t n = signed_data(buf, p->dest, a);

	return n > 0 && crypt_ed25519_verify(a->public_key + 32, a->signature,
			    buf, n);
}

bool
announce_dest_ok(const struct announce *a, const struct packet *p)
{
	struct iovec_c v[2] = {
	    {a->name_hash, RNS_NAME_HASH},
	    {a->identity_hash.b, RNS_HASH},
	};
	struct id32 hash;

	crypt_sha256v(&hash, v, 2);
	return crypt_equal(hash.b, HASH_BYTES(*p->dest));
}

size_t
announce_build(uint8_t out[RNS_MTU], const struct identity *id,
    const struct hash16 *dest, const uint8_t name_hash[RNS_NAME_HASH],
    const uint8_t random[5], uint64_t emitted, const uint8_t *ratchet,
    const uint8_t *app_data, size_t app_data_len, bool path_response)
{
	uint8_t blob[ANNOUNCE_BLOB], sig[RNS_SIG], buf[RNS_MTU];
	uint8_t flags = PACKET_FLAGS(DEST_SINGLE, PACKET_ANNOUNCE);
	struct wr w = wr_make(blob, sizeof(blob));
	struct announce a = {
	    .public_key = id->pub,
	    .name_hash = name_hash,
	    .random_hash = blob,
	    .ratchet = ratchet,
	    .app_data = app_data,
	    .app_data_len = app_data_len,
	};
	size_t n;

	wr_bytes(&w, random, BLOB_RANDOM);
	wr_u40(&w, emitted);
	n = signed_data(buf, dest, &a);
	if (n == 0)
		return 0;
	identity_sign(id, sig, buf, n);

	w = wr_make(out, RNS_MTU);
	wr_u8(&w, ratchet != NULL ? flags | FLAG_CONTEXT : flags);
	wr_u8(&w, 0);
	wr_bytes(&w, HASH_BYTES(*dest));
	wr_u8(&w, path_response ? CTX_PATH_RESPONSE : CTX_NONE);
	wr_bytes(&w, id->pub, RNS_KEY);
	wr_bytes(&w, name_hash, RNS_NAME_HASH);
	wr_bytes(&w, blob, ANNOUNCE_BLOB);
	if (ratchet != NULL)
		wr_bytes(&w, ratchet, RNS_RATCHET);
	wr_bytes(&w, sig, sizeof(sig));
	wr_bytes(&w, app_data, app_data_len);
	return wr_ok(&w) ? w.len : 0;
}
