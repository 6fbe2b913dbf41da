/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "trust/doc/snote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rns/hash.h>
#include <sodium.h>

#include "common/b64.h"
#include "common/util.h"

#define DASH "\xe2\x80\x94 "
#define DASH_LEN 4
#define B64 sodium_base64_VARIANT_ORIGINAL
#define SIG_MOST (4 + 8 + 64)
#define KEY_B64 44 /* 33 bytes */

/* Of Unicode's White_Space, as UTF-8; those of ASCII are looked at first. */
static const char *const blanks[] = {"\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80",
    "\xe2\x80\x80", "\xe2\x80\x81", "\xe2\x80\x82", "\xe2\x80\x83",
    "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86", "\xe2\x80\x87",
    "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
    "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};

bool
snote_name_ok(const char *s, size_t len)
{
	if (len == 0 || len > SNOTE_NAME_MAX || !utf8_valid(s, len))
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] <= ' ' || s[i] == '+' || s[i] == 0x7f)
			return false;
	for (size_t i = 0; i < NELEM(blanks); i++)
		if (memmem(s, len, blanks[i], strlen(blanks[i])) != NULL)
			return false;
	return true;
}

/* ---- keys ---- */

static void
set_id(struct vkey *k)
{
	static const uint8_t newline = '\n';
	crypto_hash_sha256_state st;
	struct id32 digest;

	(void)crypto_hash_sha256_init(&st);
	(void)crypto_hash_sha256_update(&st, (const uint8_t *)k->name,
	    strlen(k->name));
	(void)crypto_hash_sha256_update(&st, &newline, 1);
	(void)crypto_hash_sha256_update(&st, &k->type, 1);
	(void)crypto_hash_sha256_update(&st, k->key, sizeof(k->key));
	(void)crypto_hash_sha256_final(&st, digest.b);
	memcpy(k->id, digest.b, sizeof(k->id));
}

bool
vkey_set(struct vkey *k, const char *name, uint8_t type,
    const uint8_t key[32])
{
	if (!snote_name_ok(name, strlen(name)))
		return false;
	*k = (struct vkey){.type = type};
	memcpy(k->name, name, strlen(name) + 1);
	memcpy(k->key, key, sizeof(k->key));
	set_id(k);
	return true;
}

bool
vkey_parse(struct vkey *out, const char *text, size_t len)
{
	const char *id = memchr(text, '+', len);
	uint8_t said[4], raw[33];
	struct vkey k = {.type = 0};
	size_t name, got;

	if (id == NULL)
		return false;
	name = (size_t)(id - text);
	if (len != name + 1 + 8 + 1 + KEY_B64 || id[9] != '+' ||
	    !snote_name_ok(text, name) ||
	    !hex_decode(said, sizeof(said), id + 1, 8) ||
	    !b64_get(raw, sizeof(raw), id + 10, KEY_B64, &got, B64) ||
	    got != sizeof(raw) ||
	    (raw[0] != SNOTE_ED25519 && raw[0] != SNOTE_COSIGNATURE))
		return false;
	memcpy(k.name, text, name);
	k.type = raw[0];
	memcpy(k.key, raw + 1, sizeof(k.key));
	set_id(&k);
	if (memcmp(k.id, said, sizeof(said)) != 0)
		return false;
	*out = k;
	return true;
}

size_t
vkey_put(char out[VKEY_TEXT_MAX], const struct vkey *k)
{
	char id[9], b64[KEY_B64 + 1];
	uint8_t raw[33];
	int n;

	raw[0] = k->type;
	memcpy(raw + 1, k->key, sizeof(k->key));
	hex_encode(id, k->id, sizeof(k->id));
	(void)sodium_bin2base64(b64, sizeof(b64), raw, sizeof(raw), B64);
	n = snprintf(out, VKEY_TEXT_MAX, "%s+%s+%s", k->name, id, b64);
	return n < 0 ? 0 : (size_t)n;
}

/* ---- notes ---- */

struct line {
	const char *name;
	size_t name_len;
	const char *b64;
	size_t b64_len;
};

/* The next line of *at, which moves behind it. */
static bool
next_line(const char **at, const char *end, struct line *l)
{
	const char *nl = memchr(*at, '\n', (size_t)(end - *at)), *sp;

	if (nl == NULL || (size_t)(nl - *at) <= DASH_LEN ||
	    memcmp(*at, DASH, DASH_LEN) != 0)
		return false;
	l->name = *at + DASH_LEN;
	sp = memchr(l->name, ' ', (size_t)(nl - l->name));
	if (sp == NULL)
		return false;
	l->name_len = (size_t)(sp - l->name);
	l->b64 = sp + 1;
	l->b64_len = (size_t)(nl - l->b64);
	*at = nl + 1;
	return l->b64_len > 0 && memchr(l->b64, ' ', l->b64_len) == NULL &&
	    snote_name_ok(l->name, l->name_len);
}

bool
snote_parse(struct snote *out, const char *b, size_t len)
{
	struct snote n = {.text = b};
	const char *at, *end = b + len;
	struct line l;
	size_t cut = 0;

	if (len == 0 || len > SNOTE_MAX || b[len - 1] != '\n' ||
	    !utf8_valid(b, len))
		return false;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)b[i] < ' ' && b[i] != '\n')
			return false;
		/* the last empty line divides them */
		if (i > 0 && b[i] == '\n' && b[i - 1] == '\n')
			cut = i;
	}
	if (cut == 0 || cut + 1 == len)
		return false;
	n.text_len = cut;
	n.sigs = b + cut + 1;
	n.sigs_len = len - cut - 1;
	for (at = n.sigs; at < end; n.nsigs++)
		if (n.nsigs == SNOTE_SIGS_MAX || !next_line(&at, end, &l))
			return false;
	*out = n;
	return true;
}

bool
snote_line(const struct snote *n, unsigned i, struct snote_line *out)
{
	const char *at = n->sigs, *end = n->sigs + n->sigs_len;
	uint8_t raw[4 + SNOTE_SIG_MAX];
	struct line l = {.name = NULL};
	size_t got;

	if (i >= n->nsigs)
		return false;
	do {
		if (!next_line(&at, end, &l))
			return false;
	} while (i-- > 0);
	if (!b64_get(raw, sizeof(raw), l.b64, l.b64_len, &got, B64) ||
	    got <= 4)
		return false;
	out->name = l.name;
	out->name_len = l.name_len;
	memcpy(out->id, raw, 4);
	out->len = got - 4;
	memcpy(out->sig, raw + 4, out->len);
	return true;
}

/* What a cosignature signs, in an own allocation. */
static char *
dated(const char *text, size_t len, uint64_t when, size_t *out_len)
{
	char head[64], *all;
	int n = snprintf(head, sizeof(head), "cosignature/v1\ntime %llu\n",
	    (unsigned long long)when);

	all = malloc((size_t)n + len);
	if (all == NULL)
		return NULL;
	memcpy(all, head, (size_t)n);
	memcpy(all + n, text, len);
	*out_len = (size_t)n + len;
	return all;
}

static uint64_t
time_of(const uint8_t b[8])
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | b[i];
	return v;
}

static bool
good(const struct snote *n, const struct vkey *k, const uint8_t *sig,
    size_t len, uint64_t *when)
{
	size_t all_len;
	char *all;
	bool ok;

	if (k->type == SNOTE_ED25519)
		return len == 64 && crypto_sign_verify_detached(sig,
		    (const uint8_t *)n->text, n->text_len, k->key) == 0;
	if (len != 72 || (*when = time_of(sig)) > INT64_MAX)
		return false;
	all = dated(n->text, n->text_len, *when, &all_len);
	ok = all != NULL && crypto_sign_verify_detached(sig + 8,
	    (const uint8_t *)all, all_len, k->key) == 0;
	free(all);
	return ok;
}

enum snote_sig
snote_signed(const struct snote *n, const struct vkey *k, uint64_t *when)
{
	const char *at = n->sigs, *end = n->sigs + n->sigs_len;
	enum snote_sig found = SNOTE_NOT;
	uint64_t at_time = 0;
	struct line l;

	while (at < end && next_line(&at, end, &l)) {
		uint8_t raw[SIG_MOST];
		size_t got = 0;

		if (l.name_len != strlen(k->name) ||
		    memcmp(l.name, k->name, l.name_len) != 0)
			continue;
		/* one that is too long is of a type that is not ours */
		if (!b64_get(raw, sizeof(raw), l.b64, l.b64_len, &got, B64) ||
		    got < 4 || memcmp(raw, k->id, 4) != 0)
			continue;
		if (!good(n, k, raw + 4, got - 4, &at_time))
			return SNOTE_BAD;
		found = SNOTE_GOOD;
	}
	if (when != NULL)
		*when = at_time;
	return found;
}

enum snote_sig
snote_cosigned(const struct snote *n, const uint8_t key[32], uint64_t *when)
{
	const char *at = n->sigs, *end = n->sigs + n->sigs_len;
	char name[SNOTE_NAME_MAX + 1];
	struct vkey k;
	struct line l;

	while (at < end && next_line(&at, end, &l)) {
		enum snote_sig is;

		if (l.name_len > SNOTE_NAME_MAX)
			continue;
		memcpy(name, l.name, l.name_len);
		name[l.name_len] = '\0';
		if (vkey_set(&k, name, SNOTE_COSIGNATURE, key) &&
		    (is = snote_signed(n, &k, when)) != SNOTE_NOT)
			return is;
	}
	return SNOTE_NOT;
}

size_t
snote_sign(char out[SNOTE_LINE_MAX], const struct vkey *k,
    const uint8_t secret[64], const char *text, size_t len, uint64_t when)
{
	uint8_t raw[SIG_MOST];
	char b64[128], *all = NULL;
	size_t n = 4, all_len = len;
	int put;

	memcpy(raw, k->id, 4);
	if (k->type == SNOTE_COSIGNATURE) {
		all = dated(text, len, when, &all_len);
		if (all == NULL)
			return 0;
		for (int i = 0; i < 8; i++)
			raw[n++] = (uint8_t)(when >> (56 - 8 * i));
	}
	(void)crypto_sign_detached(raw + n, NULL,
	    (const uint8_t *)(all != NULL ? all : text), all_len, secret);
	free(all);
	(void)sodium_bin2base64(b64, sizeof(b64), raw, n + 64, B64);
	put = snprintf(out, SNOTE_LINE_MAX, DASH "%s %s\n", k->name, b64);
	return put < 0 || put >= SNOTE_LINE_MAX ? 0 : (size_t)put;
}
