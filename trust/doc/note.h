/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_NOTE_H
#define WARREN_TRUST_DOC_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/fp.h"

/*
 * Checkpoints of the trail: C2SP tlog-checkpoint, a signed note. Pure.
 *
 *   klp-trail/<64 hex>        origin and name of the key; hex: the node's fp
 *   <size>
 *   <base64 of the root>
 *                             (an empty line)
 *   — klp-trail/<64 hex> <base64 of key id and signature>
 *
 * The signature is Ed25519 over the first three lines. keys builds those from
 * the two numbers that audit asks about; it signs no text that it is given.
 */
#define NOTE_MAX 512
#define NOTE_BODY_MAX 192
#define NOTE_ORIGIN "klp-trail/"
#define NOTE_DASH "\xe2\x80\x94 "
#define NOTE_B64 sodium_base64_VARIANT_ORIGINAL
#define NOTE_ROOT_B64 44 /* 32 bytes */
#define NOTE_SIG_B64 92  /* 4 + 64 bytes */

struct note {
	struct fp fp; /* of the node */
	uint64_t size;
	struct id32 root;
	uint8_t key_id[4];
	uint8_t sig[64];
};

/* The signed part; its length (never more than NOTE_BODY_MAX). */
size_t note_body(char out[NOTE_BODY_MAX], const struct note *);
/* Sets key_id: of the node's fp and the key that signs. */
void note_set_key(struct note *, const uint8_t key[32]);
/* The whole of a signed note, with a NUL; its length. */
size_t note_put(char out[NOTE_MAX], const struct note *);

#endif
