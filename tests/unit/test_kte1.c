/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KTE-1 against klp-trust.json (the table of klp.md 3.6, its quota, borders
 * and decay). tests/oracle/kte1.py holds it to the code of Appendix A.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "tests/unit/graphkit.h"
#include "trust/doc/kte1.h"

#define NOW 1800000000u

/* Revoked or suspended by a row. */
static bool
row_revokes(void *ctx, const struct fp *fp)
{
	static const char *const lists[] = {"revoked", "suspended"};
	const json_t *row = ctx;
	char hex[2 * FP_LEN + 1];

	hex_encode(hex, fp->b, FP_LEN);
	for (size_t l = 0; l < NELEM(lists); l++) {
		json_t *one, *arr = json_object_get(row, lists[l]);
		size_t i;

		json_array_foreach(arr, i, one)
			if (strcmp(json_string_value(one), hex) == 0)
				return true;
	}
	return false;
}

/* Is step 0 what decides the row? */
static bool
is_local(const json_t *row, const struct fp *target)
{
	struct level_anchor anchor[8];
	size_t n = graphkit_anchors(row, anchor);
	bool found = json_array_size(vec_array(row, "pins")) > 0 ||
	    row_revokes((void *)(uintptr_t)row, target);

	for (size_t i = 0; i < n; i++)
		found |= fp_eq(&anchor[i].fp, target);
	return found;
}

/* A path is one: from an anchor, edge by edge, to the target. */
static void
check_paths(const struct graph *g, const struct kte1_result *r,
    const struct fp *target)
{
	for (unsigned i = 0; i < r->npaths; i++) {
		const struct kte1_path *p = &r->path[i];

		assert_in_range(p->n, 1, KTE1_HOPS);
		for (unsigned h = 0; h + 1 < p->n; h++)
			assert_int_equal(graph_edge(g, p->edge[h])->target,
			    graph_edge(g, p->edge[h + 1])->source);
		assert_true(fp_eq(graph_fp(g,
		    graph_edge(g, p->edge[p->n - 1])->target), target));
	}
}

static void
test_vectors(void **state)
{
	json_t *root = vec_load("klp-trust.json"), *row;
	const struct graph_head head = {.version = 1};
	unsigned asked = 0, local = 0;
	struct edge *edge;
	struct graph *g;
	size_t n, i;

	(void)state;
	edge = graphkit_edges(root, &n);
	g = graph_make(&head, edge, n);
	assert_non_null(g);
	assert_int_equal(graph_edges(g), n);
	json_array_foreach(vec_array(root, "verdicts"), i, row)
	{
		const char *scope = vec_str(row, "scope");
		struct level_anchor anchor[8];
		struct kte1_result r, again;
		struct fp target;
		struct kte1 *k = kte1_new(g, anchor,
		    graphkit_anchors(row, anchor));

		assert_non_null(k);
		kte1_revoked(k, row_revokes, row);
		vec_exact(row, "target", HASH_BYTES(target));
		if (is_local(row, &target)) {
			local++;
			kte1_free(k);
			continue;
		}
		kte1_ask(k, &r, &target,
		    (enum scope)scope_parse(scope, strlen(scope)), NOW);
		if (r.level != vec_int(row, "level"))
			fail_msg("%s: %d", vec_str(row, "name"), r.level);
		check_paths(g, &r, &target);
		assert_true(r.npaths > 0 || r.level == 0);
		/* what is kept is what was found */
		kte1_ask(k, &again, &target,
		    (enum scope)scope_parse(scope, strlen(scope)), NOW);
		assert_memory_equal(&again, &r, sizeof(r));
		asked++;
		kte1_free(k);
	}
	assert_int_equal(local, 7);
	assert_int_equal(asked, 173);
	graph_free(g);
	free(edge);
}

static void
test_decay(void **state)
{
	json_t *root = vec_load("klp-trust.json"), *row;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(root, "decay"), i, row)
	{
		const struct graph_edge e = {
		    .conf = (uint16_t)vec_int(row, "c"),
		    .half_life = (uint16_t)vec_int(row, "half_life_days"),
		    .issued = NOW - (uint32_t)vec_int(row, "age")};

		assert_int_equal(kte1_conf(&e, NOW),
		    vec_int(row, "effective"));
	}
	assert_int_equal(i, 72);
}

/* The secp256k1 key of klp-keys.json with this name. */
static void
whose(const char *name, struct fp *fp)
{
	json_t *root = vec_load("klp-keys.json"), *row;
	size_t i;

	json_array_foreach(vec_array(root, "keys"), i, row)
	{
		if (strcmp(vec_str(row, "name"), name) != 0 ||
		    strcmp(vec_str(row, "kind"), "ecc-secp256k1") != 0)
			continue;
		vec_exact(row, "fp", HASH_BYTES(*fp));
		return;
	}
	fail_msg("%s", name);
}

/* A signed document, read and then asked. */
static void
test_document(void **state)
{
	json_t *root = vec_load("klp-trust.json");
	json_t *doc = json_array_get(vec_array(root, "graph"), 0), *row;
	struct level_anchor anchor = {.max_level = 3, .scopes = 1u << SCOPE_ALL};
	struct graph_stats st;
	const char *why;
	struct graph *g;
	struct kte1 *k;
	uint8_t *payload;
	size_t n, i;

	(void)state;
	payload = vec_bytes(doc, "payload", &n);
	g = graphkit_load(payload, n, NULL, &st, &why);
	assert_non_null(g);
	assert_int_equal(st.accepted, vec_int(doc, "edges_accepted"));
	whose(vec_str(doc, "anchor"), &anchor.fp);
	k = kte1_new(g, &anchor, 1);
	json_array_foreach(vec_array(doc, "verdicts"), i, row)
	{
		struct kte1_result r;
		struct fp fp;

		whose(vec_str(row, "target"), &fp);
		kte1_ask(k, &r, &fp, SCOPE_JOB_SUBMIT, NOW);
		assert_int_equal(r.level, vec_int(row, "level"));
	}
	kte1_free(k);
	graph_free(g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_decay),
	    cmocka_unit_test(test_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
