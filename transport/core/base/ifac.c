/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/base/ifac.h"

#include <string.h>

#include "transport/core/base/const.h"
#include "transport/core/base/crypt.h"
#include "common/wire.h"

#define HEAD 2 /* flags and hops; the code stands behind them */

static const uint8_t ifac_salt[32] = {
    0xad, 0xf5, 0x4d, 0x88, 0x2c, 0x9a, 0x9b, 0x80,
    0x77, 0x1e, 0xb4, 0x99, 0x5d, 0x70, 0x2d, 0x4a,
    0x3e, 0x73, 0x33, 0x91, 0xb2, 0xa0, 0xf5, 0x3f,
    0x41, 0x6d, 0x9f, 0x90, 0x7e, 0x55, 0xcf, 0xf8,
};

int
ifac_init(struct ifac *f, uint8_t size, const uint8_t key[64])
{
	if (size > IFAC_SIZE_MAX)
		return RNS_EINVAL;
	memset(f, 0, sizeof(*f));
	f->size = size;
	if (size == 0)
		return RNS_OK;
	memcpy(f->key, key, sizeof(f->key));
	crypt_ed25519_expand(f->ed_sk, key + 32);
	return RNS_OK;
}

void
ifac_clear(struct ifac *f)
{
	crypt_wipe(f, sizeof(*f));
}

/* The last bytes of the signature are the code. */
static void
ifac_code(const struct ifac *f, uint8_t code[IFAC_SIZE_MAX],
    const uint8_t *raw, size_t len)
{
	uint8_t sig[RNS_SIG];

	crypt_ed25519_sign(sig, f->ed_sk, raw, len);
	memcpy(code, sig + RNS_SIG - f->size, f->size);
}

size_t
ifac_mask(const struct ifac *f, uint8_t *out, size_t cap, const uint8_t *raw,
    size_t len)
{
	uint8_t code[IFAC_SIZE_MAX];
	size_t s = f->size;

	if (len <= HEAD || s == 0 || cap < s || len > cap - s)
		return 0;
	ifac_code(f, code, raw, len);
	/* out holds the mask first; it runs over the code as well */
	crypt_hkdf(out, len + s, code, s, f->key, sizeof(f->key));
	out[0] = (uint8_t)((out[0] ^ raw[0]) | FLAG_IFAC);
	out[1] ^= raw[1];
	memcpy(out + HEAD, code, s);
	for (size_t i = HEAD; i < len; i++)
		out[i + s] ^= raw[i];
	return len + s;
}

int
ifac_unmask(const struct ifac *f, uint8_t *out, size_t *out_len, size_t cap,
    const uint8_t *in, size_t len)
{
	uint8_t want[IFAC_SIZE_MAX];
	const uint8_t *code;
	struct rd r = rd_make(in, len);
	size_t s = f->size;

	if (s == 0 || !rd_skip(&r, HEAD) || (in[0] & FLAG_IFAC) == 0 ||
	    !rd_ref(&r, &code, s) || rd_end(&r))
		return RNS_EPARSE;
	if (cap < len)
		return RNS_EBIG;
	crypt_hkdf(out, len, code, s, f->key, sizeof(f->key));
	out[0] = (uint8_t)((out[0] ^ in[0]) & ~FLAG_IFAC);
	out[1] ^= in[1];
	for (size_t i = HEAD + s; i < len; i++)
		out[i - s] = in[i] ^ out[i];
	ifac_code(f, want, out, len - s);
	if (!crypt_equal(want, code, s))
		return RNS_EAUTH;
	*out_len = len - s;
	return RNS_OK;
}

int
rns_ifac_key(uint8_t key[64], const char *network_name, const char *passphrase)
{
	uint8_t origin[64];
	struct id32 hash;
	size_t n = 0;

	if (network_name != NULL && network_name[0] != '\0') {
		crypt_sha256(id32_into(origin), network_name,
		    strlen(network_name));
		n += RNS_FULL_HASH;
	}
	if (passphrase != NULL && passphrase[0] != '\0') {
		crypt_sha256(id32_into(origin + n), passphrase,
		    strlen(passphrase));
		n += RNS_FULL_HASH;
	}
	if (n == 0)
		return RNS_EINVAL;
	crypt_sha256(&hash, origin, n);
	crypt_hkdf(key, 64, HASH_BYTES(hash), ifac_salt, sizeof(ifac_salt));
	crypt_wipe(origin, sizeof(origin));
	crypt_wipe(HASH_BYTES(hash));
	return RNS_OK;
}
