/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_AUTHKIT_H
#define WARREN_TESTS_UNIT_AUTHKIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trust/doc/authority.h"
#include "trust/doc/revlist.h"

/*
 * An authority of the tests: keys 0 (ed25519), 1 (ecdsa), 2 (bip340), 3 and
 * more (ecdsa) sign what is asked, as masks of keys. Every call fails the test
 * that runs when it cannot be made.
 */
#define KIT_KEYS 6
#define KIT_T0 UINT32_C(1800000000)
#define KIT_LIST "core.json"

struct kit_root {
	const char *name; /* NULL: test.kos */
	uint32_t version, issued, expires; /* 0: 1, KIT_T0, and a year */
	unsigned keys[3];     /* of root, head, revocation-list; 0: key 0 */
	unsigned threshold[3]; /* 0: 1 */
	unsigned signers;     /* 0: keys[0] */
	const char *more;     /* members of the JSON text, over these; NULL */
};

struct klp_secret kit_secret(unsigned i);
struct klp_key kit_key(unsigned i);
struct fp kit_fp(unsigned i);
/* Signatures of the mask's keys over payload; their number. */
unsigned kit_sign(struct env_signed *out, unsigned mask, const char *type,
    const void *payload, size_t len);
size_t kit_root(uint8_t *out, size_t cap, const struct kit_root *,
    struct id32 *id);
size_t kit_head(uint8_t *out, size_t cap, const struct head *,
    unsigned signers);
/* A list at klp://NAME/core.json (name NULL: test.kos). */
size_t kit_list(uint8_t *out, size_t cap, const char *name, uint32_t version,
    uint32_t issued, uint32_t expires, const struct rev_entry *, size_t n,
    unsigned signers);
/* Names it in the head, at its place. */
void kit_names(struct head *, const char *path, uint32_t version,
    const uint8_t *file, size_t len);

/* ---- folders in memory ---- */

struct kit_file {
	char name[80];
	uint8_t *p;
	size_t len;
};
/* An own allocation; NULL with errno: ENOENT, EFBIG. */
uint8_t *kit_give(const struct kit_file *, size_t n, const char *name,
    size_t max, size_t *len);
void kit_put(struct kit_file *, size_t n, const char *name, const void *,
    size_t len);

/* ---- a folder klp/ of the operator's, with the root of test.kos ---- */

struct kit_dir {
	int fd; /* -1: none */
	char path[64];
	struct id32 digest; /* of the last list's set */
};
void kit_dir_make(struct kit_dir *);
void kit_dir_put(const struct kit_dir *, const char *name, const void *p,
    size_t n);
/*
 * A list of this key and of identities 01.. 02.. and on, n in all, and the
 * head that names it, which is good for so many seconds.
 */
void kit_list_here(struct kit_dir *, const struct fp *, uint32_t version,
    unsigned n, bool suspended, uint32_t life);
void kit_dir_remove(struct kit_dir *);
/* A folder of mkdtemp(), with all in it. */
void kit_remove(const char *path);

#endif
