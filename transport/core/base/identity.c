/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/base/identity.h"

#include <string.h>

#include "transport/core/base/const.h"
#include "transport/core/base/crypt.h"

#define X_KEY 32
#define TOKEN_KEY 64

int
identity_load(struct identity *id, const uint8_t priv[RNS_KEY])
{
	memcpy(id->x_priv, priv, X_KEY);
	crypt_x25519_public(id->pub, priv);
	crypt_ed25519_expand(id->ed_sk, priv + X_KEY);
	memcpy(id->pub + X_KEY, id->ed_sk + 32, 32);
	rns_identity_hash_of(&id->hash, id->pub);
	return RNS_OK;
}

void
identity_clear(struct identity *id)
{
	crypt_wipe(id, sizeof(*id));
}

void
identity_sign(const struct identity *id, uint8_t sig[64], const void *msg,
    size_t len)
{
	crypt_ed25519_sign(sig, id->ed_sk, msg, len);
}

/*
 * reticulum-endpoint.md 4.5: the salt is the identity's hash, also when a
 * ratchet is the key.
 */
static int
derive(uint8_t key[TOKEN_KEY], const uint8_t priv[32], const uint8_t pub[32],
    const struct hash16 *hash)
{
	uint8_t shared[32];
	int err = crypt_x25519(shared, priv, pub);

	if (err != RNS_OK)
		return err;
	crypt_hkdf(key, TOKEN_KEY, shared, sizeof(shared), HASH_BYTES(*hash));
	crypt_wipe(shared, sizeof(shared));
	return RNS_OK;
}

int
identity_encrypt(uint8_t *out, size_t *out_len, size_t cap,
    const uint8_t pub[RNS_KEY], const struct hash16 *hash,
    const uint8_t *ratchet, const uint8_t eph[32], const uint8_t iv[16],
    const uint8_t *in, size_t in_len)
{
	uint8_t key[TOKEN_KEY];
	size_t n;
	int err;

	if (cap < X_KEY)
		return RNS_EBIG;
	err = derive(key, eph, ratchet != NULL ? ratchet : pub, hash);
	if (err != RNS_OK)
		return err;
	err = token_encrypt(out + X_KEY, &n, cap - X_KEY, key, sizeof(key), iv,
	    in, in_len);
	crypt_wipe(key, sizeof(key));
	if (err != RNS_OK)
		return err;
	crypt_x25519_public(out, eph);
	*out_len = X_KEY + n;
	return RNS_OK;
}

static int
open_with(uint8_t *out, size_t *out_len, size_t cap, const uint8_t priv[32],
    const struct hash16 *hash, const uint8_t *in, size_t in_len)
{
	uint8_t key[TOKEN_KEY];
	int err = derive(key, priv, in, hash);

	if (err != RNS_OK)
		return err;
	err = token_decrypt(out, out_len, cap, key, sizeof(key), in + X_KEY,
	    in_len - X_KEY);
	crypt_wipe(key, sizeof(key));
	return err;
}

int
identity_decrypt(uint8_t *out, size_t *out_len, size_t cap,
    const struct identity *id, const uint8_t (*ratchets)[32], size_t n,
    bool enforce, int *used, const uint8_t *in, size_t in_len)
{
	/* Lengths first: a hopeless packet must not cost n key agreements. */
	if (in_len < X_KEY + token_len(0) || (in_len - X_KEY) % 16 != 0)
		return RNS_EAUTH;
	if (cap < in_len - X_KEY - TOKEN_OVERHEAD)
		return RNS_EBIG;
	for (size_t i = 0; i < n; i++) {
		if (open_with(out, out_len, cap, ratchets[i], &id->hash, in,
			in_len) != RNS_OK)
			continue;
		if (used != NULL)
			*used = (int)i;
		return RNS_OK;
	}
	if (n > 0 && enforce)
		return RNS_EAUTH;
	if (open_with(out, out_len, cap, id->x_priv, &id->hash, in, in_len) !=
	    RNS_OK)
		return RNS_EAUTH;
	if (used != NULL)
		*used = -1;
	return RNS_OK;
}

/* ---- helpers of rns.h ---- */

void
rns_identity_hash_of(struct hash16 *hash, const uint8_t pub[RNS_KEY])
{
	struct id32 full;

	crypt_sha256(&full, pub, RNS_KEY);
	*hash = *hash16_at(full.b);
}

int
rns_identity_derive(uint8_t pub[RNS_KEY], struct hash16 *hash,
    const uint8_t priv[RNS_KEY])
{
	crypt_x25519_public(pub, priv);
	crypt_ed25519_public(pub + X_KEY, priv + X_KEY);
	rns_identity_hash_of(hash, pub);
	return RNS_OK;
}

int
rns_identity_sign(uint8_t sig[RNS_SIG], const uint8_t priv[RNS_KEY],
    const void *msg, size_t len)
{
	uint8_t sk[64];

	crypt_ed25519_expand(sk, priv + X_KEY);
	crypt_ed25519_sign(sig, sk, msg, len);
	crypt_wipe(sk, sizeof(sk));
	return RNS_OK;
}

bool
rns_identity_verify(const uint8_t pub[RNS_KEY], const uint8_t sig[RNS_SIG],
    const void *msg, size_t len)
{
	return crypt_ed25519_verify(pub + X_KEY, sig, msg, len);
}

void
ratchet_id(uint8_t out[RATCHET_ID], const uint8_t pub[RNS_RATCHET])
{
	struct id32 full;

	crypt_sha256(&full, pub, RNS_RATCHET);
	memcpy(out, full.b, RATCHET_ID);
}
