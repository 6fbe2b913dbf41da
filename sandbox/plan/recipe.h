/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_PLAN_RECIPE_H
#define WARREN_SANDBOX_PLAN_RECIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "trust/doc/chunks.h"

/*
 * How the layers of an image are put together again from what its files hold
 * (compute.md 3.7): a layer's tar, without compression, is bytes of its own
 * (headers, padding, what is small) and contents by digest in between, cut as
 * compute.md 3.3 cuts. Whoever reads one has a stranger's bytes: what is put
 * together counts by its digest alone. Pure.
 *
 *   recipe: "KIL1", u64 total, u32 contents, u32 steps, u32 literal,
 *     contents x (32 bytes SHA-256, u16 size), in the order in which they come,
 *     steps x (u32 bytes of literal, u32 contents that follow them),
 *     literal bytes
 *   head: "KIH1", u32 and u32 length of manifest and configuration, u16
 *     layers, layers x (32 bytes diff_id, u64 size, u32 length and 32 bytes
 *     SHA-256 of its recipe), manifest, configuration
 */
#define RECIPE_LEAST 512u	      /* ours: smaller files are literal */
#define RECIPE_LITERAL_MAX (128u << 20)
#define RECIPE_CONTENTS_MAX (2u << 20)
#define RECIPE_TOTAL_MAX (16ull << 30) /* as IMPORT_BYTES_MAX */
#define RECIPE_HEAD 24u
#define RECIPE_STEP 8u
/* a step has a content, but the last one */
#define RECIPE_MAX ((size_t)RECIPE_HEAD + RECIPE_LITERAL_MAX + \
	(RECIPE_CONTENTS_MAX + 1) * (CHUNK_ENTRY + RECIPE_STEP))

/* ---- making one ---- */

struct recipe_maker; /* about 40 kB, and the recipe */
struct recipe_maker *recipe_maker_new(void); /* NULL: memory */
void recipe_maker_free(struct recipe_maker *); /* NULL is fine */
/* Bytes of a layer's tar, cut anywhere. */
void recipe_make(struct recipe_maker *, const void *, size_t);
/*
 * The layer is over. The three parts of the recipe, borrowed; NULL, or why
 * there is none, a literal: a layer is made of what has no content.
 */
struct recipe_made {
	uint8_t head[RECIPE_HEAD];
	const uint8_t *contents, *steps, *literal;
	size_t contents_len, steps_len, literal_len;
};
const char *recipe_made(struct recipe_maker *, struct recipe_made *);

/* ---- reading one ---- */

struct recipe {
	const uint8_t *contents, *steps, *literal;
	uint32_t ncontents, nsteps, nliteral;
	uint64_t total;
};
/* Every bound, and that the sums are right. false: why is a literal. */
bool recipe_read(struct recipe *, const uint8_t *, size_t len,
    const char **why);

static inline const struct id32 *
recipe_digest(const struct recipe *r, uint32_t i)
{
	return id32_at(r->contents + (size_t)i * CHUNK_ENTRY);
}

static inline uint32_t
recipe_size(const struct recipe *r, uint32_t i)
{
	return get_u16(r->contents + (size_t)i * CHUNK_ENTRY + 32);
}

/* Piece by piece, from all zero: bytes, or (bytes NULL) content number i. */
struct recipe_at {
	uint32_t step, literal, content, left;
};
struct recipe_piece {
	const uint8_t *bytes;
	uint32_t n, i;
};
bool recipe_next(const struct recipe *, struct recipe_at *,
    struct recipe_piece *);

/* ---- the head ---- */

#define IMAGE_HEAD_LAYERS 256
#define IMAGE_HEAD_DOC (4u << 20) /* bytes of each document */
#define IMAGE_HEAD_FIXED 14u
#define IMAGE_HEAD_LAYER 76u
#define IMAGE_HEAD_MAX (IMAGE_HEAD_FIXED + 2 * (size_t)IMAGE_HEAD_DOC + \
	IMAGE_HEAD_LAYERS * IMAGE_HEAD_LAYER)
struct image_head {
	const uint8_t *manifest, *config;
	uint32_t manifest_len, config_len;
	uint16_t nlayers;
	struct image_head_layer {
		struct id32 diff, recipe;
		uint64_t size;
		uint32_t recipe_len;
	} layer[IMAGE_HEAD_LAYERS];
};
/* manifest and config borrow from the bytes. false: why is a literal. */
bool image_head_read(struct image_head *, const uint8_t *, size_t len,
    const char **why);
/* wr_ok() tells whether it fitted. */
void image_head_put(struct wr *, const struct image_head *);

/* ---- what a node keeps to hand them out: meta/DIGEST.parts ---- */

/*
 * The head at PARTS_FIXED, the recipes of its layers behind it in their order;
 * then where each content lies, by digest; the paths that these name; and what
 * lies in no file of the root, since a later layer took it away.
 */
#define PARTS_FIXED 64u
#define PARTS_PLACE 48u
#define PARTS_NO_PATH UINT32_MAX /* in rest */
struct parts {
	uint32_t head_len, nplaces;
	uint64_t places, paths, paths_len, rest, rest_len; /* offsets */
};
struct parts_place {
	struct id32 digest;
	uint16_t size;
	uint32_t path; /* offset in paths, NUL behind it */
	uint64_t at;   /* in the file, or in rest */
};
void parts_put(uint8_t out[PARTS_FIXED], const struct parts *);
bool parts_read(struct parts *, const uint8_t in[PARTS_FIXED]);
void parts_place_put(uint8_t out[PARTS_PLACE], const struct parts_place *);
void parts_place_read(struct parts_place *, const uint8_t in[PARTS_PLACE]);

#endif
