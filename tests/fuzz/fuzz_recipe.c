/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recipes and heads of strangers: what is read has pieces that make up what it
 * says; and any bytes, taken for a layer, have a recipe that gives them back.
 */
#include <stdlib.h>
#include <string.h>

#include "common/wire.h"
#include "sandbox/plan/recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

static void
read_one(const uint8_t *p, size_t n)
{
	static struct image_head head;
	struct recipe_at at = {0};
	struct recipe_piece piece;
	struct recipe r;
	uint64_t sum = 0;
	const char *why;

	if (recipe_read(&r, p, n, &why)) {
		fuzz_taken++;
		while (recipe_next(&r, &at, &piece)) {
			if (piece.bytes != NULL && (piece.bytes < p ||
			    piece.n > (size_t)(p + n - piece.bytes)))
				abort();
			if (piece.bytes == NULL && piece.i >= r.ncontents)
				abort();
			sum += piece.n;
		}
		if (sum != r.total)
			abort();
	}
	if (image_head_read(&head, p, n, &why)) {
		uint8_t *out = malloc(n);
		struct wr w = wr_make(out, n);

		image_head_put(&w, &head);
		if (!wr_ok(&w) || w.len != n || memcmp(out, p, n) != 0)
			abort();
		free(out);
	}
}

/* All but what lies between: that is told by the lengths. */
static void
make_one(const uint8_t *p, size_t n)
{
	struct recipe_maker *m = recipe_maker_new();
	struct recipe_made made;
	struct recipe_at at = {0};
	struct recipe_piece piece;
	struct recipe r;
	size_t cut = n > 0 ? p[0] : 0, len, off = 0;
	const char *why;
	uint8_t *all;

	if (m == NULL)
		return;
	recipe_make(m, p, cut < n ? cut : n);
	if (cut < n)
		recipe_make(m, p + cut, n - cut);
	if (recipe_made(m, &made) != NULL)
		abort();
	len = sizeof(made.head) + made.contents_len + made.steps_len +
	    made.literal_len;
	all = malloc(len);
	struct wr w = wr_make(all, len);
	wr_bytes(&w, made.head, sizeof(made.head));
	if (made.contents_len > 0)
		wr_bytes(&w, made.contents, made.contents_len);
	if (made.steps_len > 0)
		wr_bytes(&w, made.steps, made.steps_len);
	if (made.literal_len > 0)
		wr_bytes(&w, made.literal, made.literal_len);
	if (!recipe_read(&r, all, len, &why))
		abort();
	while (recipe_next(&r, &at, &piece)) {
		if (piece.n > n - off || (piece.bytes != NULL &&
		    memcmp(piece.bytes, p + off, piece.n) != 0))
			abort();
		off += piece.n;
	}
	if (off != n)
		abort();
	free(all);
	recipe_maker_free(m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	read_one(p, n);
	make_one(p, n);
	return 0;
}
