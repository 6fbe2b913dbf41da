/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "trust/doc/pemkey.h"

#include <string.h>

#include <sodium.h>

#include "common/b64.h"
#include "common/util.h"
#include "common/wire.h"
#include "trust/doc/der.h"

/* SubjectPublicKeyInfo up to the key's bytes (RFC 5480, RFC 8410). */
static const uint8_t head_ed25519[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b,
    0x65, 0x70, 0x03, 0x21, 0x00};
static const uint8_t head_p256[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
static const uint8_t head_p384[] = {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00,
    0x22, 0x03, 0x62, 0x00};

static const uint8_t head_p521[] = {0x30, 0x81, 0x9b, 0x30, 0x10, 0x06, 0x07,
    0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04,
    0x00, 0x23, 0x03, 0x81, 0x86, 0x00};

static const struct {
	enum pemkey_kind kind;
	const uint8_t *head;
	size_t head_len, key_len;
} forms[] = {
    {PEMKEY_ED25519, head_ed25519, sizeof(head_ed25519), 32},
    {PEMKEY_P256, head_p256, sizeof(head_p256), 65},
    {PEMKEY_P384, head_p384, sizeof(head_p384), 97},
    {PEMKEY_P521, head_p521, sizeof(head_p521), 133},
};

#define PEM_BEGIN "-----BEGIN PUBLIC KEY-----"
#define PEM_END "-----END PUBLIC KEY-----"

static const char *
skip_space(const char *s, const char *end)
{
	while (s < end && (*s == ' ' || *s == '\n' || *s == '\r' || *s == '\t'))
		s++;
	return s;
}

static bool
starts(const char *s, const char *end, const char *with)
{
	size_t n = strlen(with);

	return (size_t)(end - s) >= n && memcmp(s, with, n) == 0;
}

/* ---- RSA (RFC 8017, A.1.1; RFC 3279, 2.3.1) ---- */

#define RSA_EXP_MIN 65537u
#define RSA_EXP_MAX 0x7fffffffu

/* rsaEncryption with its NULL, as an AlgorithmIdentifier. */
static const uint8_t rsa_algorithm[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48,
    0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};

static bool
rsa_numbers(struct pemkey *k, struct rd *r, const char **why)
{
	const uint8_t *m, *e;
	size_t mn, en;
	uint32_t exponent = 0;
	struct rd seq;

	*why = "an RSA key that is damaged";
	if (!der_in(r, DER_SEQUENCE, &seq) || !rd_end(r) || !der_number(&seq, &m, &mn) ||
	    !der_number(&seq, &e, &en) || !rd_end(&seq) || m[mn - 1] % 2 == 0)
		return false;
	if (m[0] < 0x80 || (mn != 256 && mn != 384 && mn != 512)) {
		*why = "an RSA key of other than 2048, 3072 or 4096 bits";
		return false;
	}
	for (size_t i = 0; i < en && i < sizeof(exponent); i++)
		exponent = exponent << 8 | e[i];
	if (en > sizeof(exponent) || exponent < RSA_EXP_MIN ||
	    exponent > RSA_EXP_MAX || exponent % 2 == 0) {
		*why = "an RSA key whose exponent is not odd and from 65537 to "
		    "2147483647";
		return false;
	}
	k->bits = (uint16_t)(mn * 8);
	k->kind = PEMKEY_RSA;
	return true;
}

static bool
is_rsa(const struct pemkey *k)
{
	struct rd r = rd_make(k->der, k->der_len), in;
	const uint8_t *p;

	return der_in(&r, DER_SEQUENCE, &in) && rd_ref(&in, &p, sizeof(rsa_algorithm)) &&
	    memcmp(p, rsa_algorithm, sizeof(rsa_algorithm)) == 0;
}

static bool
read_rsa(struct pemkey *k, const char **why)
{
	struct rd r = rd_make(k->der, k->der_len), in, bits;
	uint8_t unused;

	*why = "an RSA key that is damaged";
	return der_in(&r, DER_SEQUENCE, &in) && rd_end(&r) &&
	    rd_skip(&in, sizeof(rsa_algorithm)) && der_in(&in, DER_BITS, &bits) &&
	    rd_end(&in) && rd_u8(&bits, &unused) && unused == 0 &&
	    rsa_numbers(k, &bits, why);
}

/* ---- any of them ---- */

static bool
read_curve(struct pemkey *k)
{
	for (size_t i = 0; i < NELEM(forms); i++) {
		const size_t head = forms[i].head_len;

		if (k->der_len != head + forms[i].key_len ||
		    memcmp(k->der, forms[i].head, head) != 0)
			continue;
		k->kind = forms[i].kind;
		return k->kind == PEMKEY_ED25519 ?
		    key_set(&k->klp, KEY_ED25519, k->der + head, 32) :
		    k->der[head] == 4;
	}
	return false;
}

static bool
from_der(struct pemkey *k, const char **why)
{
	if (is_rsa(k)) {
		if (!read_rsa(k, why))
			return false;
	} else if (!read_curve(k)) {
		*why = "a key that is none of P-256, P-384, P-521, Ed25519 and "
		    "RSA, or no point";
		return false;
	}
	if (k->kind == PEMKEY_ED25519)
		key_fp(&k->fp, &k->klp);
	else
		(void)crypto_hash_sha256(k->fp.b, k->der, k->der_len);
	return true;
}

bool
pemkey_parse(struct pemkey *k, const char *text, size_t len, const char **why)
{
	const char *end = text + len, *s = skip_space(text, end), *to;
	size_t n;

	memset(k, 0, sizeof(*k));
	if (len > PEMKEY_TEXT_MAX) {
		*why = "longer than a key";
		return false;
	}
	if (!starts(s, end, PEM_BEGIN)) {
		while (end > s && skip_space(end - 1, end) == end)
			end--;
		if (key_parse(&k->klp, s, (size_t)(end - s))) {
			key_fp(&k->fp, &k->klp);
			return true;
		}
		*why = "no PEM block \"PUBLIC KEY\", and no pubkey: of ours";
		return false;
	}
	s += strlen(PEM_BEGIN);
	if (!b64_get_lines(k->der, sizeof(k->der), s, (size_t)(end - s), &n,
		&to) ||
	    !starts(to, end, PEM_END) ||
	    skip_space(to + strlen(PEM_END), end) != end) {
		*why = "the PEM block is damaged";
		return false;
	}
	k->der_len = (uint16_t)n;
	return from_der(k, why);
}

bool
pemkey_from_der(struct pemkey *k, const uint8_t *der, size_t len,
    const char **why)
{
	memset(k, 0, sizeof(*k));
	if (len > sizeof(k->der)) {
		*why = "longer than a key";
		return false;
	}
	memcpy(k->der, der, len);
	k->der_len = (uint16_t)len;
	return from_der(k, why);
}

bool
pemkey_from_pkcs1(struct pemkey *k, const uint8_t *der, size_t len,
    const char **why)
{
	uint8_t spki[PEMKEY_DER_MAX];
	struct wr w = wr_make(spki, sizeof(spki));

	/* every one that counts is longer than what a byte of length says */
	if (len < 0x100 || len > PEMKEY_DER_MAX) {
		*why = "an RSA key of other than 2048, 3072 or 4096 bits";
		return false;
	}
	wr_u16(&w, 0x3082);
	wr_u16(&w, (uint16_t)(sizeof(rsa_algorithm) + 5 + len));
	wr_bytes(&w, rsa_algorithm, sizeof(rsa_algorithm));
	wr_u16(&w, 0x0382);
	wr_u16(&w, (uint16_t)(len + 1));
	wr_u8(&w, 0); /* no bit is unused */
	wr_bytes(&w, der, len);
	if (!wr_ok(&w)) {
		*why = "longer than a key";
		return false;
	}
	return pemkey_from_der(k, spki, w.len, why);
}

bool
pemkey_supported(const struct pemkey *k)
{
#ifdef HAVE_LIBCRYPTO
	(void)k;
	return true;
#else
	return k->kind == PEMKEY_KLP || k->kind == PEMKEY_ED25519;
#endif
}

bool
pemkey_equal(const struct pemkey *a, const struct pemkey *b)
{
	return fp_eq(&a->fp, &b->fp);
}
