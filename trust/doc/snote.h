/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_SNOTE_H
#define WARREN_TRUST_DOC_SNOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Signed notes of anybody (C2SP signed-note) and the keys that verify them:
 * checkpoints of logs and what their witnesses put below (klp.md 8). The
 * trail's own, of one fixed form, are in note.h. Pure.
 *
 *   text, ends in a newline
 *                             (an empty line)
 *   — NAME base64(key id, 4 bytes, and signature)     ... one line or more
 */
#define SNOTE_MAX 16384 /* ours: bytes of a whole note */
#define SNOTE_SIGS_MAX 64
#define SNOTE_NAME_MAX 200 /* ours: bytes of a key's name */

/* Types of signatures, and their bytes behind the key id. */
#define SNOTE_ED25519 0x01 /* 64, over the text */
#define SNOTE_COSIGNATURE 0x04 /* a time u64, 64 (C2SP tlog-cosignature) */

/* NAME+8 hex digits+base64(type, key) */
#define VKEY_TEXT_MAX (SNOTE_NAME_MAX + 9 + 45 + 1)
struct vkey {
	char name[SNOTE_NAME_MAX + 1];
	uint8_t type;
	uint8_t id[4];
	uint8_t key[32];
};

/* Not empty, no blank of any alphabet, no plus, no control character. */
bool snote_name_ok(const char *, size_t len);
/* Sets the id as well; false: a name that is none. */
bool vkey_set(struct vkey *, const char *name, uint8_t type,
    const uint8_t key[32]);
/* Its id must follow from name, type and key; other types are refused. */
bool vkey_parse(struct vkey *, const char *text, size_t len);
size_t vkey_put(char out[VKEY_TEXT_MAX], const struct vkey *);

/* Borrows the bytes. */
struct snote {
	const char *text; /* with its last newline */
	size_t text_len;
	const char *sigs; /* the lines of signatures */
	size_t sigs_len;
	unsigned nsigs;
};
/* false: it is none, too long, or has more than SNOTE_SIGS_MAX signatures. */
bool snote_parse(struct snote *, const char *bytes, size_t len);

/*
 * The i-th line of signatures, of whatever type; false: there is none, or it is
 * no signature or a longer one.
 */
#define SNOTE_SIG_MAX 520 /* ours: RSA of 4096 bits */
struct snote_line {
	const char *name; /* borrowed */
	size_t name_len;
	uint8_t id[4];
	size_t len;
	uint8_t sig[SNOTE_SIG_MAX];
};
bool snote_line(const struct snote *, unsigned i, struct snote_line *);

/*
 * Has this key signed it? BAD: a line says so and is not true, for which the
 * whole note is to be refused. when (may be NULL): of a cosignature.
 */
enum snote_sig { SNOTE_NOT, SNOTE_GOOD, SNOTE_BAD };
enum snote_sig snote_signed(const struct snote *, const struct vkey *,
    uint64_t *when);

/*
 * Has this Ed25519 key cosigned it, under whatever name? when (may be NULL) as
 * above.
 */
enum snote_sig snote_cosigned(const struct snote *, const uint8_t key[32],
    uint64_t *when);

/*
 * A line that this secret (64 bytes, libsodium's) puts below a text; when is
 * for cosignatures. Its length; 0: no room (SNOTE_LINE_MAX), or no memory.
 */
#define SNOTE_LINE_MAX (SNOTE_NAME_MAX + 4 + 1 + 104 + 2)
size_t snote_sign(char out[SNOTE_LINE_MAX], const struct vkey *,
    const uint8_t secret[64], const char *text, size_t len, uint64_t when);

#endif
