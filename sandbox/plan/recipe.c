/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/plan/recipe.h"

#include <string.h>

#include "common/wire.h"

#define RECIPE_MAGIC "KIL1"
#define HEAD_MAGIC "KIH1"
#define PARTS_MAGIC "WIP1"

/* ---- recipes ---- */

/* Are all bytes of the layer there, once each? */
static const char *
sums_wrong(const struct recipe *r)
{
	uint64_t total = r->nliteral, literal = 0, contents = 0;

	for (uint32_t i = 0; i < r->ncontents; i++) {
		uint32_t n = recipe_size(r, i);

		if (n == 0 || n > CHUNK_MAX)
			return "a content of no size that one has";
		total += n;
	}
	for (uint32_t i = 0; i < r->nsteps; i++) {
		const uint8_t *p = r->steps + (size_t)i * RECIPE_STEP;

		literal += get_u32(p);
		contents += get_u32(p + 4);
		/* so that there are no more of them than contents */
		if (get_u32(p + 4) == 0 && i + 1 < r->nsteps)
			return "a step without a content";
	}
	return total != r->total || literal != r->nliteral ||
	    contents != r->ncontents ? "its sums are wrong" : NULL;
}

bool
recipe_read(struct recipe *out, const uint8_t *p, size_t len,
    const char **why)
{
	struct rd in = rd_make(p, len);
	struct recipe r;
	const uint8_t *magic;

	*why = "it is none, or cut off";
	if (!rd_ref(&in, &magic, 4) || memcmp(magic, RECIPE_MAGIC, 4) != 0 ||
	    !rd_u64(&in, &r.total) || !rd_u32(&in, &r.ncontents) ||
	    !rd_u32(&in, &r.nsteps) || !rd_u32(&in, &r.nliteral))
		return false;
	if (r.total > RECIPE_TOTAL_MAX || r.ncontents > RECIPE_CONTENTS_MAX ||
	    r.nsteps > RECIPE_CONTENTS_MAX + 1 ||
	    r.nliteral > RECIPE_LITERAL_MAX) {
		*why = "larger than one may be";
		return false;
	}
	if (!rd_ref(&in, &r.contents, (size_t)r.ncontents * CHUNK_ENTRY) ||
	    !rd_ref(&in, &r.steps, (size_t)r.nsteps * RECIPE_STEP) ||
	    !rd_ref(&in, &r.literal, r.nliteral) || !rd_end(&in))
		return false;
	if ((*why = sums_wrong(&r)) != NULL)
		return false;
	*out = r;
	return true;
}

bool
recipe_next(const struct recipe *r, struct recipe_at *at,
    struct recipe_piece *piece)
{
	const uint8_t *p;

	if (at->left > 0) {
		at->left--;
		*piece = (struct recipe_piece){.n = recipe_size(r,
		    at->content), .i = at->content};
		at->content++;
		return true;
	}
	if (at->step == r->nsteps)
		return false;
	p = r->steps + (size_t)at->step++ * RECIPE_STEP;
	*piece = (struct recipe_piece){.bytes = r->literal + at->literal,
	    .n = get_u32(p)};
	at->literal += piece->n;
	at->left = get_u32(p + 4);
	return true;
}

/* ---- the head ---- */

bool
image_head_read(struct image_head *h, const uint8_t *p, size_t len,
    const char **why)
{
	struct rd in = rd_make(p, len);
	const uint8_t *magic;

	*why = "it is none, or cut off";
	if (!rd_ref(&in, &magic, 4) || memcmp(magic, HEAD_MAGIC, 4) != 0 ||
	    !rd_u32(&in, &h->manifest_len) || !rd_u32(&in, &h->config_len) ||
	    !rd_u16(&in, &h->nlayers))
		return false;
	if (h->manifest_len > IMAGE_HEAD_DOC || h->config_len >
	    IMAGE_HEAD_DOC || h->nlayers > IMAGE_HEAD_LAYERS) {
		*why = "larger than one may be";
		return false;
	}
	for (unsigned i = 0; i < h->nlayers; i++) {
		struct image_head_layer *l = &h->layer[i];

		if (!rd_copy(&in, l->diff.b, sizeof(l->diff.b)) ||
		    !rd_u64(&in, &l->size) || !rd_u32(&in, &l->recipe_len) ||
		    !rd_copy(&in, l->recipe.b, sizeof(l->recipe.b)))
			return false;
		if (l->size > RECIPE_TOTAL_MAX ||
		    l->recipe_len < RECIPE_HEAD ||
		    l->recipe_len > RECIPE_MAX) {
			*why = "a layer larger than one may be";
			return false;
		}
	}
	return rd_ref(&in, &h->manifest, h->manifest_len) &&
	    rd_ref(&in, &h->config, h->config_len) && rd_end(&in);
}

void
image_head_put(struct wr *w, const struct image_head *h)
{
	wr_bytes(w, HEAD_MAGIC, 4);
	wr_u32(w, h->manifest_len);
	wr_u32(w, h->config_len);
	wr_u16(w, h->nlayers);
	for (unsigned i = 0; i < h->nlayers; i++) {
		const struct image_head_layer *l = &h->layer[i];

		wr_bytes(w, l->diff.b, sizeof(l->diff.b));
		wr_u64(w, l->size);
		wr_u32(w, l->recipe_len);
		wr_bytes(w, l->recipe.b, sizeof(l->recipe.b));
	}
	wr_bytes(w, h->manifest, h->manifest_len);
	wr_bytes(w, h->config, h->config_len);
}

/* ---- what is kept ---- */

void
parts_put(uint8_t out[PARTS_FIXED], const struct parts *p)
{
	struct wr w = wr_make(out, PARTS_FIXED);

	wr_bytes(&w, PARTS_MAGIC, 4);
	wr_u32(&w, p->head_len);
	wr_u32(&w, p->nplaces);
	wr_u64(&w, p->places);
	wr_u64(&w, p->paths);
	wr_u64(&w, p->paths_len);
	wr_u64(&w, p->rest);
	wr_u64(&w, p->rest_len);
	wr_zero(&w, PARTS_FIXED - w.len);
}

bool
parts_read(struct parts *p, const uint8_t in[PARTS_FIXED])
{
	struct rd r = rd_make(in, PARTS_FIXED);
	const uint8_t *magic;

	return rd_ref(&r, &magic, 4) && memcmp(magic, PARTS_MAGIC, 4) == 0 &&
	    rd_u32(&r, &p->head_len) && rd_u32(&r, &p->nplaces) &&
	    rd_u64(&r, &p->places) && rd_u64(&r, &p->paths) &&
	    rd_u64(&r, &p->paths_len) && rd_u64(&r, &p->rest) &&
	    rd_u64(&r, &p->rest_len) && p->head_len <= IMAGE_HEAD_MAX;
}

void
parts_place_put(uint8_t out[PARTS_PLACE], const struct parts_place *p)
{
	struct wr w = wr_make(out, PARTS_PLACE);

	wr_bytes(&w, p->digest.b, sizeof(p->digest.b));
	wr_u16(&w, p->size);
	wr_zero(&w, 2);
	wr_u32(&w, p->path);
	wr_u64(&w, p->at);
}

void
parts_place_read(struct parts_place *p, const uint8_t in[PARTS_PLACE])
{
	memcpy(p->digest.b, in, sizeof(p->digest.b));
	p->size = get_u16(in + 32);
	p->path = get_u32(in + 36);
	p->at = get_u64(in + 40);
}
