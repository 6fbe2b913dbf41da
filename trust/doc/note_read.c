/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/note_read.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "common/b64.h"
#include "common/util.h"

bool
note_parse(struct note *out, const char *text, size_t len)
{
	char copy[NOTE_MAX], again[NOTE_MAX], fp[65], root[NOTE_ROOT_B64 + 1];
	char b64[NOTE_SIG_B64 + 1];
	unsigned long long size;
	uint8_t both[68];
	size_t got;
	struct note n;

	if (len >= sizeof(copy) || memchr(text, '\0', len) != NULL)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (sscanf(copy,
		NOTE_ORIGIN "%64[0-9a-f]\n%16llu\n%44[A-Za-z0-9+/=]\n\n"
		NOTE_DASH NOTE_ORIGIN "%*64[0-9a-f] %92[A-Za-z0-9+/=]",
		fp, &size, root, b64) != 4 ||
	    !hex_decode(HASH_BYTES(n.fp), fp, strlen(fp)) ||
	    !b64_get(HASH_BYTES(n.root), root, strlen(root), &got,
		NOTE_B64) ||
	    got != 32 ||
	    !b64_get(both, sizeof(both), b64, strlen(b64), &got, NOTE_B64) ||
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
