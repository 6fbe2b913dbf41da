/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/keytext.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "trust/doc/secp.h"
#include "common/util.h"

#define PREFIX_SECP "pubkey:ecc-secp256k1:"
#define PREFIX_ED "pubkey:ed25519:"
#define PREFIX_DID "did:key:"
#define PREFIX_URN "urn:klp:"
#define PREFIX_KID "kid:"
#define NS_MAX 32

/* multicodec, as varints (klp.md 0) */
static const uint8_t codec_secp[2] = {0xe7, 0x01};
static const uint8_t codec_ed[2] = {0xed, 0x01};

static const char b58[] =
    "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

size_t
base58_decode(uint8_t *out, size_t cap, const char *in, size_t len)
{
	uint8_t byte[80];
	size_t used = 0, zeros = 0;

	if (len == 0 || len > 100)
		return 0;
	while (zeros < len && in[zeros] == '1')
		zeros++;
	for (size_t i = zeros; i < len; i++) {
		const char *at = in[i] == '\0' ? NULL : strchr(b58, in[i]);
		unsigned carry;

		if (at == NULL)
			return 0;
		carry = (unsigned)(at - b58);
		for (size_t j = 0; j < used; j++) {
			carry += byte[j] * 58u;
			byte[j] = (uint8_t)carry;
			carry >>= 8;
		}
		while (carry > 0) {
			if (used == sizeof(byte))
				return 0;
			byte[used++] = (uint8_t)carry;
			carry >>= 8;
		}
	}
	if (zeros + used > cap)
		return 0;
	memset(out, 0, zeros);
	for (size_t i = 0; i < used; i++)
		out[zeros + i] = byte[used - 1 - i];
	return zeros + used;
}

bool
key_set(struct klp_key *k, enum key_kind kind, const void *raw, size_t len)
{
	if (kind == KEY_SECP256K1) {
		if (len != 33 || !secp_point_ok(raw))
			return false;
	} else if (kind != KEY_ED25519 || len != 32) {
		return false;
	}
	memset(k, 0, sizeof(*k));
	k->kind = kind;
	k->len = (uint8_t)len;
	memcpy(k->raw, raw, len);
	return true;
}

bool
key_equal(const struct klp_key *a, const struct klp_key *b)
{
	return a->kind == b->kind && a->bip340 == b->bip340 &&
	    a->len == b->len && memcmp(a->raw, b->raw, a->len) == 0;
}

static bool
starts(const char **text, size_t *len, const char *prefix)
{
	size_t n = strlen(prefix);

	if (*len < n || memcmp(*text, prefix, n) != 0)
		return false;
	*text += n;
	*len -= n;
	return true;
}

static bool
parse_secp(struct klp_key *k, const char *t, size_t len)
{
	uint8_t raw[65], small[33];

	if (len == 66 && hex_decode(raw, 33, t, len))
		return key_set(k, KEY_SECP256K1, raw, 33);
	if (len == 130 && hex_decode(raw, 65, t, len))
		return secp_compress(small, raw) &&
		    key_set(k, KEY_SECP256K1, small, 33);
	if (len > 1 && t[0] == 'z' &&
	    base58_decode(raw, sizeof(raw), t + 1, len - 1) == 33)
		return key_set(k, KEY_SECP256K1, raw, 33);
	return false;
}

static bool
parse_ed(struct klp_key *k, const char *t, size_t len)
{
	uint8_t raw[64];

	if (len == 64 && hex_decode(raw, 32, t, len))
		return key_set(k, KEY_ED25519, raw, 32);
	if (len > 1 && t[0] == 'z' &&
	    base58_decode(raw, sizeof(raw), t + 1, len - 1) == 32)
		return key_set(k, KEY_ED25519, raw, 32);
	return false;
}

static bool
parse_did(struct klp_key *k, const char *t, size_t len)
{
	uint8_t raw[64];
	size_t n;

	if (len < 2 || t[0] != 'z')
		return false;
	n = base58_decode(raw, sizeof(raw), t + 1, len - 1);
	if (n == 35 && memcmp(raw, codec_secp, 2) == 0)
		return key_set(k, KEY_SECP256K1, raw + 2, 33);
	if (n == 34 && memcmp(raw, codec_ed, 2) == 0)
		return key_set(k, KEY_ED25519, raw + 2, 32);
	return false;
}

bool
key_parse(struct klp_key *k, const char *text, size_t len)
{
	if (starts(&text, &len, PREFIX_SECP))
		return parse_secp(k, text, len);
	if (starts(&text, &len, PREFIX_ED))
		return parse_ed(k, text, len);
	if (starts(&text, &len, PREFIX_DID))
		return parse_did(k, text, len);
	return false;
}

static const char *
key_prefix(const struct klp_key *k)
{
	return k->kind == KEY_SECP256K1 ? PREFIX_SECP : PREFIX_ED;
}

void
key_text(char out[KEY_TEXT_MAX], const struct klp_key *k)
{
	const char *prefix = key_prefix(k);
	size_t n = strlen(prefix);

	memcpy(out, prefix, n);
	hex_encode(out + n, k->raw, k->len);
}

/* Multicodec prefix and raw key: what fp and did:key are made of. */
static size_t
key_coded(uint8_t out[35], const struct klp_key *k)
{
	memcpy(out, k->kind == KEY_SECP256K1 ? codec_secp : codec_ed, 2);
	memcpy(out + 2, k->raw, k->len);
	return 2u + k->len;
}

void
key_fp(struct fp *fp, const struct klp_key *k)
{
	uint8_t coded[35];
	size_t n = key_coded(coded, k);

	(void)crypto_hash_sha256(fp->b, coded, n);
}

static bool
ns_ok(const char *ns, size_t n)
{
	if (n < 1 || n > NS_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = ns[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    c != '-')
			return false;
	}
	return true;
}

static bool
type_ok(const char *type, size_t n)
{
	static const char *const types[] = {
	    "agent", "human", "device", "service", "org", "doc", "sig"};

	for (size_t i = 0; i < NELEM(types); i++)
		if (strlen(types[i]) == n && memcmp(types[i], type, n) == 0)
			return true;
	return false;
}

/* A fingerprint is lower case: one identity has one text. */
static bool
fp_parse(struct fp *fp, const char *t, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (t[i] >= 'A' && t[i] <= 'F')
			return false;
	return hex_decode(HASH_BYTES(*fp), t, len);
}

bool
urn_parse(struct fp *fp, const char *text, size_t len)
{
	const char *colon;
	struct fp got;

	if (!starts(&text, &len, PREFIX_URN))
		return false;
	colon = memchr(text, ':', len);
	if (colon == NULL || !ns_ok(text, (size_t)(colon - text)))
		return false;
	len -= (size_t)(colon - text) + 1;
	text = colon + 1;
	colon = memchr(text, ':', len);
	if (colon == NULL || !type_ok(text, (size_t)(colon - text)))
		return false;
	len -= (size_t)(colon - text) + 1;
	if (!fp_parse(&got, colon + 1, len))
		return false;
	*fp = got;
	return true;
}

bool
urn_make(char out[URN_MAX], const char *ns, const char *type,
    const struct fp *fp)
{
	char hex[2 * FP_LEN + 1];

	if (!ns_ok(ns, strlen(ns)) || !type_ok(type, strlen(type)))
		return false;
	hex_encode(hex, HASH_BYTES(*fp));
	(void)snprintf(out, URN_MAX, PREFIX_URN "%s:%s:%s", ns, type, hex);
	return true;
}

bool
ident_parse(struct fp *fp, const char *text, size_t len)
{
	struct klp_key k;
	const char *t = text;
	size_t n = len;

	if (urn_parse(fp, text, len))
		return true;
	if (starts(&t, &n, PREFIX_KID)) {
		const char *colon = memchr(t, ':', n);
		struct fp got;

		if (colon == NULL || !ns_ok(t, (size_t)(colon - t)) ||
		    !fp_parse(&got, colon + 1, n - (size_t)(colon - t) - 1))
			return false;
		*fp = got;
		return true;
	}
	if (!key_parse(&k, text, len))
		return false;
	key_fp(fp, &k);
	return true;
}

void
rns_hash_of(struct hash16 *hash, const uint8_t pub[RNS_PUBLIC_LEN])
{
	struct id32 full;

	(void)crypto_hash_sha256(full.b, pub, RNS_PUBLIC_LEN);
	*hash = *hash16_at(full.b);
}
