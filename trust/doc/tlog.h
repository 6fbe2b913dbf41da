/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_TLOG_H
#define WARREN_TRUST_DOC_TLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "trust/doc/snote.h"

/*
 * Transparency logs (klp.md 8): heads (C2SP tlog-checkpoint), proofs (RFC 6962,
 * hashes as in merkle.h) that an entry is in a log and that a log has only
 * grown, their text (C2SP tlog-proof), and where a log's files keep what they
 * are made of (C2SP tlog-tiles). Pure.
 */

/* ---- heads ---- */

struct tlog_head {
	char origin[SNOTE_NAME_MAX + 1];
	uint64_t size; /* entries */
	struct id32 root;
};
#define TLOG_HEAD_MAX (SNOTE_NAME_MAX + 1 + 20 + 1 + 44 + 2)
/* The text of a checkpoint; extension lines are passed over. */
bool tlog_head_parse(struct tlog_head *, const char *text, size_t len);
/*
 * The same of a log of others, whose origin may have blanks ("NAME - NUMBER" is
 * Rekor's way, before C2SP had one).
 */
bool tlog_head_parse_old(struct tlog_head *, const char *text, size_t len);
/* Its text without any; the length. */
size_t tlog_head_put(char out[TLOG_HEAD_MAX], const struct tlog_head *);

/* ---- proofs ---- */

#define TLOG_PROOF_MAX 64 /* hashes: of a tree below 2^63 entries */
#define TLOG_SIZE_MAX (UINT64_MAX >> 1)

/* Is the entry with this leaf hash the index-th of the tree? */
bool tlog_includes(const struct tlog_head *, uint64_t index,
    const struct id32 *leaf, const struct id32 *proof, unsigned n);
/* Is the first the beginning of the second? Of an empty one anything is. */
bool tlog_extends(const struct tlog_head *old, const struct tlog_head *new_,
    const struct id32 *proof, unsigned n);

/* The hash of the index-th whole subtree of 2^level entries; false: not there. */
typedef bool tlog_read_fn(void *ctx, unsigned level, uint64_t index,
    struct id32 *out);
struct tlog_tree {
	tlog_read_fn *read;
	void *ctx;
};
/* Made from what read gives; false: it gave nothing, or there is no such entry. */
bool tlog_root(const struct tlog_tree *, uint64_t size, struct id32 *out);
bool tlog_prove(const struct tlog_tree *, uint64_t size, uint64_t index,
    struct id32 proof[TLOG_PROOF_MAX], unsigned *n);
bool tlog_prove_growth(const struct tlog_tree *, uint64_t old, uint64_t size,
    struct id32 proof[TLOG_PROOF_MAX], unsigned *n);

/* ---- the text of a proof ---- */

#define TLOG_PROOF_TEXT (64 + TLOG_PROOF_MAX * 45 + SNOTE_MAX)
struct tlog_proof {
	uint64_t index;
	unsigned n;
	struct id32 hash[TLOG_PROOF_MAX];
	const char *note; /* the checkpoint, borrowed */
	size_t note_len;
};
bool tlog_proof_parse(struct tlog_proof *, const char *text, size_t len);
/* The length; 0: no room. */
size_t tlog_proof_put(char out[TLOG_PROOF_TEXT], const struct tlog_proof *);

/* ---- the text of a growth ---- */

/*
 * A state of a log and how it follows from an earlier one, as nodes tell each
 * other (klp.md 8; the form is ours):
 *
 *   old SIZE BASE64           the earlier size, and the root that it had
 *   BASE64                    ... a line for each hash of the proof
 *                             (an empty line)
 *   the checkpoint            with its signatures
 *
 * "old 0" alone: the checkpoint, and no proof.
 */
#define TLOG_GROWTH_TEXT (128 + TLOG_PROOF_MAX * 45 + SNOTE_MAX)
struct tlog_growth {
	struct tlog_head old; /* no origin */
	unsigned n;
	struct id32 hash[TLOG_PROOF_MAX];
	const char *note; /* borrowed */
	size_t note_len;
};
bool tlog_growth_parse(struct tlog_growth *, const char *text, size_t len);
/* The length; 0: no room. */
size_t tlog_growth_put(char out[TLOG_GROWTH_TEXT], const struct tlog_growth *);

/* ---- files ---- */

#define TLOG_TILE 256 /* hashes of a whole tile, entries of a whole bundle */
#define TLOG_ENTRY_MAX 65535 /* bytes */
#define TLOG_ENTRIES UINT32_MAX /* in place of a level: bundles of entries */
#define TLOG_PATH_MAX 64
/*
 * "tile/0/x001/234", "tile/entries/000.p/17": width TLOG_TILE for a whole one.
 */
void tlog_path(char out[TLOG_PATH_MAX], uint32_t level, uint64_t index,
    unsigned width);
/*
 * Where the hash of a whole subtree can be made from: tile (of level *tile,
 * number *n), entries from *first on, 2^*height of them.
 */
void tlog_place(unsigned level, uint64_t index, uint32_t *tile, uint64_t *n,
    unsigned *first, unsigned *height);
/* How wide that tile is in a tree of this size; 0: it is not there. */
unsigned tlog_width(uint64_t size, uint32_t tile, uint64_t n);

#endif
