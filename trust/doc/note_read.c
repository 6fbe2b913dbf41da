/* SPDX-License-Identifier: BSD-2-Clause */
/* The reading half of note.h, apart: warren-keys links the other one only. */
#include "trust/doc/note.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "common/util.h"

#define ORIGIN "klp-trail/"
#define DASH "\xe2\x80\x94 "
#define B64 sodium_base64_VARIANT_ORIGINAL
#define ROOT_B64 44 /* 32 bytes */
#define SIG_B64 92  /* 4 + 64 bytes */

bool
note_parse(struct note *out, const char *text, size_t len)
{
	char copy[NOTE_MAX], again[NOTE_MAX], fp[65], root[ROOT_B64 + 1];
	char b64[SIG_B64 + 1];
	unsigned long long size;
	uint8_t both[68];
	size_t got;
	struct note n;

	if (len >= sizeof(copy) || memchr(text, '\0', len) != NULL)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (sscanf(copy,
		ORIGIN "%64[0-9a-f]\n%16llu\n%44[A-Za-z0-9+/=]\n\n" DASH ORIGIN
		       "%*64[0-9a-f] %92[A-Za-z0-9+/=]",
		fp, &size, root, b64) != 4 ||
	    !hex_decode(n.fp, 32, fp, strlen(fp)) ||
	    sodium_base642bin(n.root, 32, root, strlen(root), NULL, &got, NULL,
		B64) != 0 ||
	    got != 32 ||
	    sodium_base642bin(both, sizeof(both), b64, strlen(b64), NULL, &got,
		NULL, B64) != 0 ||
	    got != sizeof(both))
		return false;
	n.size = size;
	memcpy(n.key_id, both, 4);
	memcpy(n.sig, both + 4, 64);
	/* sscanf is lenient with white space: the bytes decide */
	if (note_put(again, &n) != len || memcmp(again, text, len) != 0)
		return false;
	*out = n;
	return true;
}

bool
note_verify(const struct note *n, const uint8_t key[32])
{
	char body[NOTE_BODY_MAX];
	size_t len = note_body(body, n);
	struct note want = *n;

	note_set_key(&want, key);
	return memcmp(want.key_id, n->key_id, 4) == 0 &&
	    crypto_sign_verify_detached(n->sig, (const uint8_t *)body, len,
		key) == 0;
}
