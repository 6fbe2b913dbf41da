/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/note.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "common/util.h"

size_t
note_body(char out[NOTE_BODY_MAX], const struct note *n)
{
	char fp[65], root[NOTE_ROOT_B64 + 1];
	int len;

	hex_encode(fp, HASH_BYTES(n->fp));
	(void)sodium_bin2base64(root, sizeof(root), HASH_BYTES(n->root),
	    NOTE_B64);
	len = snprintf(out, NOTE_BODY_MAX, NOTE_ORIGIN "%s\n%llu\n%s\n", fp,
	    (unsigned long long)n->size, root);
	return len < 0 ? 0 : (size_t)len;
}

void
note_set_key(struct note *n, const uint8_t key[32])
{
	char name[sizeof(NOTE_ORIGIN) + 65];
	struct id32 digest;
	uint8_t b[sizeof(name) + 40];
	int len;

	hex_encode(name, HASH_BYTES(n->fp));
	len = snprintf((char *)b, sizeof(b), NOTE_ORIGIN "%s\n%c", name, 0x01);
	memcpy(b + len, key, 32);
	(void)crypto_hash_sha256(digest.b, b, (size_t)len + 32);
	memcpy(n->key_id, digest.b, sizeof(n->key_id));
}

size_t
note_put(char out[NOTE_MAX], const struct note *n)
{
	char body[NOTE_BODY_MAX], fp[65], b64[NOTE_SIG_B64 + 1];
	uint8_t both[68];
	int len;

	(void)note_body(body, n);
	hex_encode(fp, HASH_BYTES(n->fp));
	memcpy(both, n->key_id, 4);
	memcpy(both + 4, n->sig, 64);
	(void)sodium_bin2base64(b64, sizeof(b64), both, sizeof(both), NOTE_B64);
	len = snprintf(out, NOTE_MAX, "%s\n" NOTE_DASH NOTE_ORIGIN "%s %s\n",
	    body, fp, b64);
	return len < 0 ? 0 : (size_t)len;
}
