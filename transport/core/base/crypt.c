/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/base/crypt.h"

#include <string.h>
#include <nettle/aes.h>
#include <nettle/cbc.h>
#include <nettle/hmac.h>
#include <nettle/sha2.h>
#include <sodium.h>

#include "transport/core/base/const.h"

#define AES_BLOCK 16
#define TAG_LEN 32

void
crypt_sha256(struct id32 *out, const void *p, size_t n)
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, n, p);
	sha256_digest(&ctx, 32, out->b);
}

void
crypt_sha256v(struct id32 *out, const struct iovec_c *v, size_t count)
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	for (size_t i = 0; i < count; i++)
		sha256_update(&ctx, v[i].n, v[i].p);
	sha256_digest(&ctx, 32, out->b);
}

void
crypt_sha256_proof(struct id32 *hash, struct id32 *proof,
    const struct iovec_c *v, size_t count, const void *tail, size_t n)
{
	struct sha256_ctx ctx, second;

	sha256_init(&ctx);
	for (size_t i = 0; i < count; i++)
		sha256_update(&ctx, v[i].n, v[i].p);
	second = ctx;
	sha256_update(&ctx, n, tail);
	sha256_digest(&ctx, 32, hash->b);
	sha256_update(&second, 32, hash->b);
	sha256_digest(&second, 32, proof->b);
}

void
crypt_hmac(uint8_t out[32], const uint8_t *key, size_t key_len,
    const struct iovec_c *v, size_t count)
{
	struct hmac_sha256_ctx ctx;

	hmac_sha256_set_key(&ctx, key_len, key);
	for (size_t i = 0; i < count; i++)
		hmac_sha256_update(&ctx, v[i].n, v[i].p);
	hmac_sha256_digest(&ctx, TAG_LEN, out);
	crypt_wipe(&ctx, sizeof(ctx));
}

void
crypt_hkdf(uint8_t *out, size_t len, const uint8_t *ikm, size_t ikm_len,
    const uint8_t *salt, size_t salt_len)
{
	crypt_hkdf_info(out, len, ikm, ikm_len, salt, salt_len, NULL, 0);
}

void
crypt_hkdf_info(uint8_t *out, size_t len, const uint8_t *ikm, size_t ikm_len,
    const uint8_t *salt, size_t salt_len, const uint8_t *info,
    size_t info_len)
{
	static const uint8_t no_salt[32];
	struct hmac_sha256_ctx ctx;
	uint8_t prk[32], block[32], counter = 0;
	size_t have = 0;

	if (salt == NULL || salt_len == 0) {
		salt = no_salt;
		salt_len = sizeof(no_salt);
	}
	hmac_sha256_set_key(&ctx, salt_len, salt);
	hmac_sha256_update(&ctx, ikm_len, ikm);
	hmac_sha256_digest(&ctx, sizeof(prk), prk);

	/* The key schedule is kept: nettle's digest returns to it. */
	hmac_sha256_set_key(&ctx, sizeof(prk), prk);
	while (len > 0) {
		size_t n = len < sizeof(block) ? len : sizeof(block);

		/*
		 * wraps after 255 blocks, unlike RFC 5869
		 * (reticulum-endpoint.md 2.2)
		 */
		counter++;
		hmac_sha256_update(&ctx, have, block);
		hmac_sha256_update(&ctx, info_len, info);
		hmac_sha256_update(&ctx, 1, &counter);
		hmac_sha256_digest(&ctx, sizeof(block), block);
		have = sizeof(block);
		memcpy(out, block, n);
		out += n;
		len -= n;
	}
	crypt_wipe(&ctx, sizeof(ctx));
	crypt_wipe(prk, sizeof(prk));
	crypt_wipe(block, sizeof(block));
}

void
crypt_wipe(void *p, size_t n)
{
	sodium_memzero(p, n);
}

bool
crypt_equal(const void *a, const void *b, size_t n)
{
	return sodium_memcmp(a, b, n) == 0;
}

int
crypt_x25519(uint8_t out[32], const uint8_t priv[32], const uint8_t pub[32])
{
	uint8_t shared[32];

	/* libsodium refuses points of small order: an all zero secret */
	if (crypto_scalarmult_curve25519(shared, priv, pub) != 0)
		return RNS_EAUTH;
	memcpy(out, shared, sizeof(shared));
	crypt_wipe(shared, sizeof(shared));
	return RNS_OK;
}

void
crypt_x25519_public(uint8_t pub[32], const uint8_t priv[32])
{
	(void)crypto_scalarmult_curve25519_base(pub, priv); /* cannot fail */
}

void
crypt_ed25519_expand(uint8_t sk[64], const uint8_t seed[32])
{
	uint8_t pub[32];

	(void)crypto_sign_ed25519_seed_keypair(pub, sk, seed); /* ditto */
}

void
crypt_ed25519_public(uint8_t pub[32], const uint8_t seed[32])
{
	uint8_t sk[64];

	(void)crypto_sign_ed25519_seed_keypair(pub, sk, seed); /* ditto */
	crypt_wipe(sk, sizeof(sk));
}

void
crypt_ed25519_sign(uint8_t sig[64], const uint8_t sk[64], const void *msg,
    size_t len)
{
	(void)crypto_sign_ed25519_detached(sig, NULL, msg, len, sk); /* ditto */
}

bool
crypt_ed25519_verify(const uint8_t pub[32], const uint8_t sig[64],
    const void *msg, size_t len)
{
	return crypto_sign_ed25519_verify_detached(sig, msg, len, pub) == 0;
}

size_t
token_len(size_t plain_len)
{
	return TOKEN_OVERHEAD + AES_BLOCK * (plain_len / AES_BLOCK + 1);
}

struct token_keys {
	const uint8_t *mac, *enc;
	size_t half;
};

/* The MAC half comes first (reticulum-endpoint.md 2.4). */
static bool
token_split(struct token_keys *k, const uint8_t *key, size_t key_len)
{
	if (key_len != 64 && key_len != 32)
		return false;
	k->half = key_len / 2;
	k->mac = key;
	k->enc = key + k->half;
	return true;
}

void
crypt_cbc_encrypt(const uint8_t *key, size_t key_len, const uint8_t iv[16],
    uint8_t *p, size_t n)
{
	union {
		struct aes256_ctx a256;
		struct aes128_ctx a128;
	} ctx;
	uint8_t v[AES_BLOCK];

	memcpy(v, iv, sizeof(v));
	if (key_len == AES256_KEY_SIZE) {
		aes256_set_encrypt_key(&ctx.a256, key);
		cbc_aes256_encrypt(&ctx.a256, v, n, p, p);
	} else {
		aes128_set_encrypt_key(&ctx.a128, key);
		cbc_aes128_encrypt(&ctx.a128, v, n, p, p);
	}
	crypt_wipe(&ctx, sizeof(ctx));
}

void
crypt_cbc_decrypt(const uint8_t *key, size_t key_len, const uint8_t iv[16],
    uint8_t *out, const uint8_t *in, size_t n)
{
	union {
		struct aes256_ctx a256;
		struct aes128_ctx a128;
	} ctx;
	uint8_t v[AES_BLOCK];

	memcpy(v, iv, sizeof(v));
	if (key_len == AES256_KEY_SIZE) {
		aes256_set_decrypt_key(&ctx.a256, key);
		cbc_decrypt(&ctx.a256, (nettle_cipher_func *)aes256_decrypt,
		    AES_BLOCK, v, n, out, in);
	} else {
		aes128_set_decrypt_key(&ctx.a128, key);
		cbc_decrypt(&ctx.a128, (nettle_cipher_func *)aes128_decrypt,
		    AES_BLOCK, v, n, out, in);
	}
	crypt_wipe(&ctx, sizeof(ctx));
}

int
token_encryptv(uint8_t *out, size_t *out_len, size_t out_cap,
    const uint8_t *key, size_t key_len, const uint8_t iv[16],
    const struct iovec_c *v, size_t count)
{
	struct token_keys k;
	struct iovec_c mac;
	size_t plain = 0, body;
	uint8_t *p = out + AES_BLOCK;

	if (!token_split(&k, key, key_len))
		return RNS_EINVAL;
	for (size_t i = 0; i < count; i++) {
		if (v[i].n > SIZE_MAX - TOKEN_OVERHEAD - AES_BLOCK - plain)
			return RNS_EBIG;
		plain += v[i].n;
	}
	if (token_len(plain) > out_cap)
		return RNS_EBIG;

	for (size_t i = 0; i < count; i++) {
		if (v[i].n > 0 && v[i].p != p)
			memmove(p, v[i].p, v[i].n);
		p += v[i].n;
	}
	body = plain + crypt_pad(p, plain);
	memcpy(out, iv, AES_BLOCK);
	crypt_cbc_encrypt(k.enc, k.half, iv, out + AES_BLOCK, body);

	mac = (struct iovec_c){out, AES_BLOCK + body};
	crypt_hmac(out + mac.n, k.mac, k.half, &mac, 1);
	*out_len = mac.n + TAG_LEN;
	return RNS_OK;
}

int
token_encrypt(uint8_t *out, size_t *out_len, size_t out_cap,
    const uint8_t *key, size_t key_len, const uint8_t iv[16],
    const uint8_t *in, size_t in_len)
{
	struct iovec_c one = {in, in_len};

	return token_encryptv(out, out_len, out_cap, key, key_len, iv, &one, 1);
}

size_t
crypt_pad(uint8_t *end, size_t n)
{
	size_t pad = AES_BLOCK - n % AES_BLOCK;

	memset(end, (int)pad, pad);
	return pad;
}

/*
 * As the reference: the last byte alone counts, and 0 takes nothing away. Who
 * comes this far holds the key, so that nothing leaks.
 */
bool
crypt_unpad(const uint8_t *p, size_t n, size_t *plain)
{
	if (n == 0 || n % AES_BLOCK != 0 || p[n - 1] > AES_BLOCK)
		return false;
	*plain = n - p[n - 1];
	return true;
}

int
token_check(const uint8_t *key, size_t key_len, const uint8_t *in,
    size_t in_len)
{
	struct token_keys k;
	struct iovec_c mac;
	uint8_t tag[TAG_LEN];

	if (!token_split(&k, key, key_len))
		return RNS_EINVAL;
	if (in_len <= TAG_LEN)
		return RNS_EPARSE;
	mac = (struct iovec_c){in, in_len - TAG_LEN};
	crypt_hmac(tag, k.mac, k.half, &mac, 1);
	return crypt_equal(tag, in + mac.n, TAG_LEN) ? RNS_OK : RNS_EAUTH;
}

int
token_decrypt(uint8_t *out, size_t *out_len, size_t out_cap,
    const uint8_t *key, size_t key_len, const uint8_t *in, size_t in_len)
{
	struct token_keys k;
	size_t body, plain;
	int err;

	if (!token_split(&k, key, key_len))
		return RNS_EINVAL;
	if (in_len < TOKEN_OVERHEAD + AES_BLOCK || in_len % AES_BLOCK != 0)
		return RNS_EPARSE;
	body = in_len - TOKEN_OVERHEAD;
	if (out_cap < body)
		return RNS_EBIG;
	err = token_check(key, key_len, in, in_len);
	if (err != RNS_OK)
		return err;
	crypt_cbc_decrypt(k.enc, k.half, in, out, in + AES_BLOCK, body);
	if (!crypt_unpad(out, body, &plain)) {
		crypt_wipe(out, body);
		return RNS_EPARSE;
	}
	*out_len = plain;
	return RNS_OK;
}
