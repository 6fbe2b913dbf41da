/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "trust/doc/pemkey.h"

#include <string.h>

#include <sodium.h>


/* SubjectPublicKeyInfo up to the key's bytes (RFC 5480, RFC 8410). */
static const uint8_t head_ed25519[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b,
    0x65, 0x70, 0x03, 0x21, 0x00};
static const uint8_t head_p256[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
static const uint8_t head_p384[] = {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00,
    0x22, 0x03, 0x62, 0x00};

static const struct {
	enum pemkey_kind kind;
	const uint8_t *head;
	size_t head_len, key_len;
} forms[] = {
    {PEMKEY_ED25519, head_ed25519, sizeof(head_ed25519), 32},
    {PEMKEY_P256, head_p256, sizeof(head_p256), 65},
    {PEMKEY_P384, head_p384, sizeof(head_p384), 97},
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

static bool
from_der(struct pemkey *k, const char **why)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const size_t head = forms[i].head_len;

		if (k->der_len != head + forms[i].key_len ||
		    memcmp(k->der, forms[i].head, head) != 0)
			continue;
		k->kind = forms[i].kind;
		if (k->kind == PEMKEY_ED25519) {
			if (!key_set(&k->klp, KEY_ED25519, k->der + head, 32))
				break;
			key_fp(&k->fp, &k->klp);
			return true;
		}
		if (k->der[head] != 4)
			break;
		(void)crypto_hash_sha256(k->fp.b, k->der, k->der_len);
		return true;
	}
	*why = "a key that is none of P-256, P-384, Ed25519, or no point";
	return false;
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
	if (sodium_base642bin(k->der, sizeof(k->der), s, (size_t)(end - s),
		" \r\n\t", &n, &to, sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    !starts(to, end, PEM_END) ||
	    skip_space(to + strlen(PEM_END), end) != end) {
		*why = "the PEM block is damaged";
		return false;
	}
	k->der_len = (uint8_t)n;
	return from_der(k, why);
}

bool
pemkey_from_der(struct pemkey *k, const uint8_t *der, size_t len)
{
	const char *why;

	memset(k, 0, sizeof(*k));
	if (len > sizeof(k->der))
		return false;
	memcpy(k->der, der, len);
	k->der_len = (uint8_t)len;
	return from_der(k, &why);
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
