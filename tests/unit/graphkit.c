/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/graphkit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint32_t
bits(const json_t *row, const char *name, int (*parse)(const char *, size_t))
{
	uint32_t out = 0;
	json_t *s;
	size_t i;

	json_array_foreach(vec_array(row, name), i, s)
	{
		int bit = parse(json_string_value(s), json_string_length(s));

		assert_true(bit >= 0);
		out |= UINT32_C(1) << bit;
	}
	return out;
}

struct edge *
graphkit_edges(const json_t *root, size_t *n)
{
	json_t *list = vec_array(root, "edges"), *row;
	struct edge *out = calloc(json_array_size(list), sizeof(*out));
	size_t i;

	assert_non_null(out);
	json_array_foreach(list, i, row)
	{
		struct edge *e = &out[i];

		vec_exact(row, "s", HASH_BYTES(e->source));
		vec_exact(row, "t", HASH_BYTES(e->target));
		e->level = (int8_t)vec_int(row, "l");
		e->conf = (uint16_t)vec_int(row, "c");
		e->tags = bits(row, "tags", tag_parse);
		e->scopes = bits(row, "scopes", scope_parse);
		e->depth = (uint8_t)vec_int(row, "depth");
		e->issued = (uint32_t)vec_int(row, "iss");
		e->expires = (uint32_t)vec_int(row, "exp");
		e->half_life = (uint16_t)vec_int(row, "hl");
	}
	*n = json_array_size(list);
	return out;
}

size_t
graphkit_anchors(const json_t *row, struct level_anchor *out)
{
	json_t *one;
	size_t i;

	json_array_foreach(vec_array(row, "anchors"), i, one)
	{
		vec_exact(one, "id", HASH_BYTES(out[i].fp));
		out[i].max_level = (int8_t)vec_int(one, "max_level");
		out[i].scopes = bits(one, "scopes", scope_parse);
	}
	return i;
}

struct graph *
graphkit_load(const void *payload, size_t len, const struct graph *before,
    struct graph_stats *stats, const char **why)
{
	struct graph_load *l = graph_load_new(payload, len, NULL, 0,
	    before == NULL ? NULL : graph_known(before), why);
	struct graph *g = NULL;
	int rc = l == NULL ? -1 : 1;

	while (rc > 0)
		rc = graph_load_step(l, 1, why);
	if (rc == 0) {
		g = graph_load_take(l);
		if (stats != NULL)
			*stats = *graph_load_stats(l);
	}
	graph_load_free(l);
	return g;
}
