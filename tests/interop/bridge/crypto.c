/* SPDX-License-Identifier: BSD-2-Clause */
/* Cryptography. */
#include <sodium.h>
#include <string.h>

#include "tests/interop/bridge/commands.h"
#include "transport/core/base/crypt.h"

#define HKDF_MAX (1 << 24) /* bytes that may be asked for */
#define BLOCK 16

static void
put_pair(struct call *c, const uint8_t priv[32], const uint8_t pub[32])
{
	put_hex(c, "private_key", priv, 32);
	put_hex(c, "public_key", pub, 32);
}

void
cmd_x25519_generate(struct call *c)
{
	const uint8_t *seed = arg_n(c, "seed", 32);
	uint8_t pub[32];

	crypt_x25519_public(pub, seed);
	put_pair(c, seed, pub);
}

void
cmd_x25519_public_from_private(struct call *c)
{
	uint8_t pub[32];

	crypt_x25519_public(pub, arg_n(c, "private_key", 32));
	put_hex(c, "public_key", pub, 32);
}

static void
exchange(struct call *c, const char *key)
{
	const uint8_t *priv = arg_n(c, "private_key", 32);
	uint8_t out[32];

	must(c, crypt_x25519(out, priv, arg_n(c, "peer_public_key", 32)),
	    "exchange");
	put_hex(c, key, out, sizeof(out));
}

void
cmd_x25519_exchange(struct call *c)
{
	exchange(c, "shared_secret");
}

void
cmd_ed25519_generate(struct call *c)
{
	const uint8_t *seed = arg_n(c, "seed", 32);
	uint8_t pub[32];

	crypt_ed25519_public(pub, seed);
	put_pair(c, seed, pub);
}

/* The key is the seed, or that and the public key behind it. */
static void
ed25519_sign(struct call *c, const char *key)
{
	struct bytes msg = arg(c, "message"), priv = arg(c, "private_key");
	uint8_t sk[64], sig[64];

	crypt_ed25519_expand(sk, priv.n == sizeof(sk) ? priv.p :
	    arg_n(c, "private_key", 32));
	crypt_ed25519_sign(sig, sk, msg.p, msg.n);
	put_hex(c, key, sig, sizeof(sig));
}

void
cmd_ed25519_sign(struct call *c)
{
	ed25519_sign(c, "signature");
}

void
cmd_ed25519_verify(struct call *c)
{
	struct bytes pub = arg(c, "public_key"), sig = arg(c, "signature");
	struct bytes msg = arg(c, "message");

	put_bool(c, "valid", pub.n == 32 && sig.n == 64 &&
	    crypt_ed25519_verify(pub.p, sig.p, msg.p, msg.n));
}

void
cmd_sha256(struct call *c)
{
	struct bytes data = arg(c, "data");
	struct id32 h;

	rns_sha256(&h, data.p, data.n);
	put_hex(c, "hash", HASH_BYTES(h));
}

/* The one that is under the library's Ed25519; nothing else here uses it. */
void
cmd_sha512(struct call *c)
{
	struct bytes data = arg(c, "data");
	uint8_t h[64];

	(void)crypto_hash_sha512(h, data.p, data.n);
	put_hex(c, "hash", h, sizeof(h));
}

void
cmd_truncated_hash(struct call *c)
{
	struct bytes data = arg(c, "data");
	struct id32 h;

	rns_sha256(&h, data.p, data.n);
	put_hex(c, "hash", HASH_BYTES(*hash16_at(h.b)));
	put_hex(c, "full_hash", HASH_BYTES(h));
}

void
cmd_hmac_sha256(struct call *c)
{
	struct bytes key = arg(c, "key"), msg = arg(c, "message");
	struct iovec_c v = {msg.p, msg.n};
	uint8_t out[32];

	crypt_hmac(out, key.p, key.n, &v, 1);
	put_hex(c, "hmac", out, sizeof(out));
}

void
cmd_hkdf(struct call *c)
{
	size_t n = (size_t)arg_int(c, "length", 1, HKDF_MAX);
	struct bytes ikm = arg(c, "ikm"), salt = arg_opt(c, "salt");
	struct bytes info = arg_opt(c, "info");
	uint8_t *out = call_alloc(c, n);

	crypt_hkdf_info(out, n, ikm.p, ikm.n, salt.p, salt.n, info.p, info.n);
	put_hex(c, "derived_key", out, n);
}

/* With room for the padding, and padded if asked. */
static struct bytes
blocks(struct call *c, struct bytes in, bool pad)
{
	struct bytes b = {call_alloc(c, in.n + BLOCK), in.n, true};

	if (in.n > 0)
		memcpy(b.p, in.p, in.n);
	if (pad)
		b.n += crypt_pad(b.p + b.n, b.n);
	if (b.n % BLOCK != 0)
		fail(c, "ValueError: %zu bytes are no whole blocks", b.n);
	return b;
}

static struct bytes
unpadded(struct call *c, struct bytes b)
{
	if (!crypt_unpad(b.p, b.n, &b.n))
		fail(c, "ValueError: wrong padding");
	return b;
}

void
cmd_pkcs7_pad(struct call *c)
{
	put_bytes(c, "padded", blocks(c, arg(c, "data"), true));
}

void
cmd_pkcs7_unpad(struct call *c)
{
	put_bytes(c, "unpadded", unpadded(c, arg(c, "data")));
}

/* "AES_128_CBC" or "AES_256_CBC"; 0: neither. */
static size_t
mode_bytes(struct call *c)
{
	const char *mode = arg_str_or(c, "mode", "AES_256_CBC");

	if (strcmp(mode, "AES_256_CBC") == 0)
		return 32;
	return strcmp(mode, "AES_128_CBC") == 0 ? 16 : 0;
}

static struct bytes
encrypt(struct call *c, size_t key_len, bool pad)
{
	const uint8_t *key = arg_n(c, "key", key_len);
	struct bytes b = blocks(c, arg(c, "plaintext"), pad);

	crypt_cbc_encrypt(key, key_len, arg_n(c, "iv", BLOCK), b.p, b.n);
	return b;
}

static struct bytes
decrypt(struct call *c, size_t key_len)
{
	const uint8_t *key = arg_n(c, "key", key_len);
	struct bytes in = blocks(c, arg(c, "ciphertext"), false), out = in;

	out.p = call_alloc(c, in.n);
	crypt_cbc_decrypt(key, key_len, arg_n(c, "iv", BLOCK), out.p, in.p,
	    in.n);
	return out;
}

static size_t
mode_must(struct call *c)
{
	size_t n = mode_bytes(c);

	if (n == 0)
		fail(c, "ValueError: unknown mode");
	return n;
}

void
cmd_aes_encrypt(struct call *c)
{
	put_bytes(c, "ciphertext", encrypt(c, mode_must(c), true));
}

void
cmd_aes_decrypt(struct call *c)
{
	put_bytes(c, "plaintext", unpadded(c, decrypt(c, mode_must(c))));
}

void
cmd_aes_256_cbc_encrypt(struct call *c)
{
	put_bytes(c, "ciphertext", encrypt(c, 32, false));
}

void
cmd_aes_256_cbc_decrypt(struct call *c)
{
	put_bytes(c, "plaintext", decrypt(c, 32));
}

void
cmd_token_encrypt(struct call *c)
{
	struct bytes key = arg(c, "key"), in = arg(c, "plaintext");
	size_t cap = token_len(in.n), n;
	uint8_t *out = call_alloc(c, cap), iv[BLOCK];

	rand_fill(NULL, iv, sizeof(iv));
	must(c, token_encrypt(out, &n, cap, key.p, key.n, iv, in.p, in.n),
	    "token");
	put_hex(c, "token", out, n);
}

void
cmd_token_decrypt(struct call *c)
{
	struct bytes key = arg(c, "key"), in = arg(c, "token");
	uint8_t *out = call_alloc(c, in.n);
	size_t n;

	must(c, token_decrypt(out, &n, in.n, key.p, key.n, in.p, in.n),
	    "token");
	put_hex(c, "plaintext", out, n);
}

void
cmd_token_verify_hmac(struct call *c)
{
	struct bytes key = arg(c, "key"), in = arg(c, "token");
	int err = token_check(key.p, key.n, in.p, in.n);

	if (err != RNS_EAUTH)
		must(c, err, "token");
	put_bool(c, "valid", err == RNS_OK);
}

void
cmd_token_generate_key(struct call *c)
{
	size_t n = 2 * mode_bytes(c);
	uint8_t key[64];

	if (n == 0)
		fail(c, "TypeError: invalid token mode");
	rand_fill(NULL, key, n);
	put_hex(c, "key", key, n);
}

/* Of the two back ends that may be named, the library has one. */
void
cmd_crypto_provider_op(struct call *c)
{
	if (arg_is(c, "op", "x25519_exchange"))
		exchange(c, "result");
	else if (arg_is(c, "op", "ed25519_sign"))
		ed25519_sign(c, "result");
	else if (arg_is(c, "op", "ed25519_verify"))
		cmd_ed25519_verify(c);
	else if (arg_is(c, "op", "aes_256_cbc_encrypt"))
		put_bytes(c, "result", encrypt(c, 32, false));
	else
		fail(c, "ValueError: unknown op");
}
