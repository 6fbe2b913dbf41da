/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/secp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nettle/sha2.h>
#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>
#include <sodium.h>

#include "trust/doc/digest.h"

#define BIP340_TAG "klp/dsse/v1"

/* Costs 20 kB and some ms to make, is read-only afterwards. */
static secp256k1_context *ctx;

bool
secp_init(const uint8_t seed[32])
{
	if (ctx == NULL)
		ctx = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
	if (ctx == NULL)
		return false;
	return seed == NULL || secp256k1_context_randomize(ctx, seed) == 1;
}

static const secp256k1_context *
secp_ctx(void)
{
	if (ctx == NULL)
		(void)secp_init(NULL);
	return ctx;
}

bool
secp_point_ok(const uint8_t raw[33])
{
	secp256k1_pubkey pub;

	return secp_ctx() != NULL &&
	    secp256k1_ec_pubkey_parse(ctx, &pub, raw, 33) == 1;
}

bool
secp_compress(uint8_t out[33], const uint8_t in[65])
{
	secp256k1_pubkey pub;
	size_t n = 33;

	/* 06 and 07 are X9.62's hybrid forms, which no text of ours has. */
	return in[0] == 0x04 && secp_ctx() != NULL &&
	    secp256k1_ec_pubkey_parse(ctx, &pub, in, 65) == 1 &&
	    secp256k1_ec_pubkey_serialize(ctx, out, &n, &pub,
		SECP256K1_EC_COMPRESSED) == 1;
}

bool
secret_public(struct klp_key *k, const struct klp_secret *s)
{
	memset(k, 0, sizeof(*k));
	k->kind = s->kind;
	if (s->kind == KEY_SECP256K1) {
		secp256k1_pubkey pub;
		size_t n = 33;

		k->bip340 = s->bip340;
		k->len = 33;
		return secp_ctx() != NULL &&
		    secp256k1_ec_pubkey_create(ctx, &pub, s->raw) == 1 &&
		    secp256k1_ec_pubkey_serialize(ctx, k->raw, &n, &pub,
			SECP256K1_EC_COMPRESSED) == 1;
	} else {
		uint8_t secret[crypto_sign_SECRETKEYBYTES];

		k->len = 32;
		(void)crypto_sign_seed_keypair(k->raw, secret, s->raw);
		explicit_bzero(secret, sizeof(secret));
		return true;
	}
}

static bool
sign_bip340(uint8_t sig[SIG_LEN], const uint8_t secret[32],
    const struct id32 *digest, const uint8_t aux[32])
{
	static const uint8_t zero[32];
	secp256k1_keypair pair;
	bool ok;

	ok = secp256k1_keypair_create(ctx, &pair, secret) == 1 &&
	    secp256k1_schnorrsig_sign32(ctx, sig, digest->b, &pair,
		aux != NULL ? aux : zero) == 1;
	explicit_bzero(&pair, sizeof(pair));
	return ok;
}

bool
secp_sign(uint8_t sig[SIG_LEN], const struct klp_secret *s,
    const struct id32 *digest, const uint8_t aux[32])
{
	secp256k1_ecdsa_signature es;

	if (s->kind != KEY_SECP256K1 || secp_ctx() == NULL)
		return false;
	if (s->bip340)
		return sign_bip340(sig, s->raw, digest, aux);
	/* NULL, NULL: RFC 6979 without extra data; S comes out low */
	return secp256k1_ecdsa_sign(ctx, &es, digest->b, s->raw, NULL, NULL) ==
	    1 && secp256k1_ecdsa_signature_serialize_compact(ctx, sig, &es) ==
	    1;
}

bool
secp_verify(const struct klp_key *k, const uint8_t sig[SIG_LEN],
    const struct id32 *digest)
{
	if (k->kind != KEY_SECP256K1 || k->len != 33 || secp_ctx() == NULL)
		return false;
	if (k->bip340) {
		secp256k1_xonly_pubkey x;

		return secp256k1_xonly_pubkey_parse(ctx, &x, k->raw + 1) == 1 &&
		    secp256k1_schnorrsig_verify(ctx, sig, HASH_BYTES(*digest),
		    &x) == 1;
	} else {
		secp256k1_ecdsa_signature es;
		secp256k1_pubkey pub;

		return secp256k1_ec_pubkey_parse(ctx, &pub, k->raw, 33) == 1 &&
		    secp256k1_ecdsa_signature_parse_compact(ctx, &es, sig) ==
		    1 && secp256k1_ecdsa_verify(ctx, &es, digest->b, &pub) == 1;
	}
}

void
tagged_hash(struct id32 *out, const char *tag, const struct part *part,
    size_t nparts)
{
	struct sha256_ctx st;
	struct id32 th;

	digest_of(&th, tag, strlen(tag));
	sha256_init(&st);
	sha256_update(&st, sizeof(th.b), th.b);
	sha256_update(&st, sizeof(th.b), th.b);
	for (size_t i = 0; i < nparts; i++)
		sha256_update(&st, part[i].n, part[i].p);
	sha256_digest(&st, sizeof(out->b), out->b);
}

/* 0: the type is longer than any of ours. */
static size_t
pae_head(char out[PAE_HEAD_MAX], const char *type, size_t len)
{
	int n = snprintf(out, PAE_HEAD_MAX, "DSSEv1 %zu %s %zu ", strlen(type),
	    type, len);

	return n < 0 || n >= PAE_HEAD_MAX ? 0 : (size_t)n;
}

uint8_t *
pae_make(size_t *out_len, const char *type, const void *payload, size_t len)
{
	char head[PAE_HEAD_MAX];
	size_t n = pae_head(head, type, len);
	uint8_t *m;

	if (n == 0 || (m = malloc(n + len)) == NULL)
		return NULL;
	memcpy(m, head, n);
	if (len > 0)
		memcpy(m + n, payload, len);
	*out_len = n + len;
	return m;
}

size_t
pae_front(uint8_t *payload, const char *type, size_t len)
{
	char head[PAE_HEAD_MAX];
	size_t n = pae_head(head, type, len);

	memcpy(payload - n, head, n);
	return n;
}

/* What a secp256k1 key signs of M. */
static bool
pae_digest(struct id32 *out, bool bip340, const char *type, const void *payload,
    size_t len)
{
	char head[PAE_HEAD_MAX];
	size_t n = pae_head(head, type, len);
	struct sha256_ctx st;

	if (n == 0)
		return false;
	if (bip340) {
		const struct part parts[] = {{head, n}, {payload, len}};

		tagged_hash(out, BIP340_TAG, parts, 2);
		return true;
	}
	sha256_init(&st);
	sha256_update(&st, n, (const uint8_t *)head);
	sha256_update(&st, len, payload);
	sha256_digest(&st, sizeof(out->b), out->b);
	return true;
}

bool
pae_sign(uint8_t sig[SIG_LEN], const struct klp_secret *s, const char *type,
    const void *payload, size_t len, const uint8_t aux[32])
{
	struct id32 digest;
	uint8_t pub[32], secret[crypto_sign_SECRETKEYBYTES];
	uint8_t *m;
	size_t n;

	if (s->kind == KEY_SECP256K1)
		return pae_digest(&digest, s->bip340, type, payload, len) &&
		    secp_sign(sig, s, &digest, aux);
	if ((m = pae_make(&n, type, payload, len)) == NULL)
		return false;
	(void)crypto_sign_seed_keypair(pub, secret, s->raw);
	(void)crypto_sign_detached(sig, NULL, m, n, secret);
	explicit_bzero(secret, sizeof(secret));
	free(m);
	return true;
}

bool
pae_verify(const struct klp_key *k, const uint8_t sig[SIG_LEN],
    const char *type, const void *payload, size_t len)
{
	struct id32 digest;
	uint8_t *m;
	size_t n;
	bool ok;

	if (k->kind == KEY_SECP256K1)
		return pae_digest(&digest, k->bip340, type, payload, len) &&
		    secp_verify(k, sig, &digest);
	if ((m = pae_make(&n, type, payload, len)) == NULL)
		return false;
	ok = pae_whole_holds(k, sig, m, n);
	free(m);
	return ok;
}

bool
pae_whole_holds(const struct klp_key *k, const uint8_t sig[SIG_LEN],
    const uint8_t *m, size_t n)
{
	return k->kind == KEY_ED25519 && k->len == 32 &&
	    crypto_sign_verify_detached(sig, m, n, k->raw) == 0;
}

/* ---- in turns ---- */

bool
pae_sum_begin(struct pae_sum *s, bool bip340, const char *type, size_t len)
{
	char head[PAE_HEAD_MAX];
	size_t n = pae_head(head, type, len);
	struct id32 tag;

	s->bip340 = bip340;
	sha256_init(&s->st);
	if (bip340) {
		digest_of(&tag, BIP340_TAG, sizeof(BIP340_TAG) - 1);
		sha256_update(&s->st, sizeof(tag.b), tag.b);
		sha256_update(&s->st, sizeof(tag.b), tag.b);
	}
	pae_sum_add(s, head, n);
	return n > 0;
}

void
pae_sum_add(struct pae_sum *s, const void *p, size_t n)
{
	if (n > 0)
		sha256_update(&s->st, n, p);
}

void
pae_sum_end(struct pae_sum *s)
{
	sha256_digest(&s->st, sizeof(s->sum.b), s->sum.b);
}

bool
pae_sum_holds(const struct pae_sum *s, const struct klp_key *k,
    const uint8_t sig[SIG_LEN])
{
	return k->bip340 == s->bip340 && secp_verify(k, sig, &s->sum);
}
