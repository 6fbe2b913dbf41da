/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A graph is read and made in turns of bounded work, and comes out as if it was
 * made at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "trust/doc/graph_in.h"
#include "trust/doc/level.h"
#include "common/util.h"

#define KEYS 16
#define EDGES 1500
#define TEXT (2u << 20)

/* ---- sorting ---- */

struct item {
	uint32_t key, place;
};

static unsigned compared;

static int
by_key(const void *a, const void *b, void *arg)
{
	const struct item *x = a, *y = b;

	assert_ptr_equal(arg, &compared);
	compared++;
	return (x->key > y->key) - (x->key < y->key);
}

static void
sort_one(size_t n, size_t budget, uint32_t keys)
{
	struct item *v = calloc(n + 1, sizeof(*v));
	struct sorting s;
	bool more = true;

	for (uint32_t i = 0; i < n; i++)
		v[i] = (struct item){randombytes_uniform(keys), i};
	assert_true(sorting_begin(&s, v, n, sizeof(*v), by_key, &compared));
	while (more) {
		compared = 0;
		more = sorting_step(&s, budget);
		/* a run is never cut; 2,048 are 11 merges of them */
		if (compared > budget + 11 * (budget + SORTING_RUN))
			fail_msg("%u comparisons in a turn", compared);
	}
	for (uint32_t i = 1; i < n; i++)
		if (v[i - 1].key > v[i].key || (v[i - 1].key == v[i].key &&
		    v[i - 1].place > v[i].place))
			fail_msg("n %zu at %u", n, i);
	sorting_free(&s);
	free(v);
}

static void
test_sorting(void **state)
{
	static const size_t n[] = {0, 1, 2, 3, 2047, 2048, 2049, 4096, 4097,
	    10000, 30000};

	(void)state;
	for (size_t i = 0; i < NELEM(n); i++) {
		sort_one(n[i], 1, UINT32_MAX);
		sort_one(n[i], 1000, 7);
		sort_one(n[i], 1u << 20, UINT32_MAX);
	}
}

/* ---- graphs ---- */

static struct klp_key key[KEYS];
static char urn[KEYS][URN_MAX], text[TEXT];
static struct edge said[EDGES];

static int
setup(void **state)
{
	struct klp_secret s = {.kind = KEY_ED25519};
	struct fp fp;

	(void)state;
	if (sodium_init() < 0)
		return -1;
	for (unsigned i = 0; i < KEYS; i++) {
		s.raw[0] = (uint8_t)i;
		if (!secret_public(&key[i], &s))
			return -1;
		key_fp(&fp, &key[i]);
		if (!urn_make(urn[i], "t", "device", &fp))
			return -1;
	}
	return 0;
}

/* Edges of those who sign the whole, so that none has a signature. */
static size_t
document(unsigned nedges, unsigned label)
{
	size_t n = (size_t)snprintf(text, TEXT, "{\"_type\":"
	    "\"klp.trust-graph\",\"edges\":[");

	for (unsigned i = 0; i < nedges; i++) {
		unsigned s = randombytes_uniform(KEYS);
		unsigned t = (s + 1 + randombytes_uniform(KEYS - 1)) % KEYS;
		struct edge *e = &said[i];

		*e = (struct edge){.issued = 1000 + randombytes_uniform(20),
		    .expires = 5000, .conf = 1000, .level =
		    (int8_t)randombytes_uniform(4), .scopes = 1u <<
		    SCOPE_JOB_SUBMIT};
		key_fp(&e->source, &key[s]);
		key_fp(&e->target, &key[t]);
		n += (size_t)snprintf(text + n, TEXT - n, "%s{\"confidence\":1,"
		    "\"expires\":5000,\"issued\":%u,\"scopes\":[\"job.submit\"],"
		    "\"source\":\"%s\",\"target\":\"%s\",\"trust_level\":%d}",
		    i > 0 ? "," : "", e->issued, urn[s], urn[t], e->level);
	}
	n += (size_t)snprintf(text + n, TEXT - n, "],\"expires\":5000,"
	    "\"issued\":1000,\"namespace\":\"t\",\"nodes\":[{\"id\":\"%s\","
	    "\"label\":\"", urn[0]);
	memset(text + n, 'l', label);
	n += label;
	n += (size_t)snprintf(text + n, TEXT - n, "\"}],\"uri\":\"klp://t/g\","
	    "\"version\":1}");
	return n;
}

static struct graph *
load(size_t n, unsigned budget, unsigned *turns)
{
	const char *why = "";
	struct graph_load *l = graph_load_begin(text, n, key, KEYS, NULL, &why);
	struct graph *g;
	int rc = 1;

	assert_non_null(l);
	assert_null(graph_load_head(l));
	for (*turns = 0; rc > 0; ++*turns)
		rc = graph_load_step(l, budget, &why);
	if (rc < 0)
		fail_msg("%s", why);
	assert_string_equal(graph_load_head(l)->uri, "klp://t/g");
	g = graph_load_take(l);
	graph_load_free(l);
	return g;
}

static void
same(const struct graph *a, const struct graph *b)
{
	assert_int_equal(a->n, b->n);
	assert_int_equal(a->nedges, b->nedges);
	assert_memory_equal(a->fp, b->fp, a->n * sizeof(*a->fp));
	assert_memory_equal(a->out_first, b->out_first,
	    (a->n + 1) * sizeof(uint32_t));
	assert_memory_equal(a->in_first, b->in_first,
	    (a->n + 1) * sizeof(uint32_t));
	assert_memory_equal(a->in, b->in, a->nedges * sizeof(uint32_t));
	assert_memory_equal(a->by_time, b->by_time,
	    a->nedges * sizeof(uint32_t));
	for (uint32_t i = 0; i < a->nedges; i++) {
		const struct graph_edge *x = &a->edge[i], *y = &b->edge[i];

		if (x->source != y->source || x->target != y->target ||
		    x->issued != y->issued || x->level != y->level)
			fail_msg("edge %u", i);
	}
}

/* What the order of klp.md 3.2 says, looked at edge by edge. */
static void
in_order(const struct graph *g)
{
	for (uint32_t i = 1; i < g->nedges; i++) {
		const struct graph_edge *x = &g->edge[i - 1], *y = &g->edge[i];

		if (x->source > y->source || (x->source == y->source &&
		    (x->target > y->target || (x->target == y->target &&
		    (x->issued < y->issued || (x->issued == y->issued &&
		    x->level > y->level))))))
			fail_msg("edge %u", i);
	}
	for (uint32_t n = 1; n < g->n; n++)
		assert_true(fp_cmp(&g->fp[n - 1], &g->fp[n]) < 0);
}

static void
test_equal(void **state)
{
	static const unsigned budget[] = {1, 3, 64, 1u << 20};

	(void)state;
	for (unsigned round = 0; round < 12; round++) {
		unsigned nedges = randombytes_uniform(EDGES), turns;
		size_t n = document(nedges, 10);
		struct graph *once;

		once = graph_make(&(struct graph_head){.version = 1}, said,
		    nedges);
		assert_non_null(once);
		in_order(once);
		for (size_t i = 0; i < NELEM(budget); i++) {
			struct graph *g = load(n, budget[i], &turns);

			same(once, g);
			graph_free(g);
		}
		graph_free(once);
	}
}

/* As many turns as the work needs, in each of its parts. */
static void
test_turns(void **state)
{
	unsigned turns, few;
	size_t n = document(EDGES, 60000);
	struct graph *g = load(n, 1, &turns);

	(void)state;
	/* 8 KiB of text and 16 elements a turn; 128 to be sorted */
	assert_true(turns >= n / 8192 + 2 * EDGES / 16);
	graph_free(g);
	g = load(n, 1000, &few);
	assert_true(few < 40);
	graph_free(g);
}

/* One long member, one long element: no turn looks through it whole. */
static void
test_long(void **state)
{
	const char *why = "";
	struct graph_load *l;
	unsigned turns = 0;
	size_t n;
	int rc = 1;

	(void)state;
	n = document(3, 1000000);
	l = graph_load_begin(text, n, key, KEYS, NULL, &why);
	while (rc > 0) {
		rc = graph_load_step(l, 1, &why);
		turns++;
	}
	assert_int_equal(rc, -1);
	assert_true(turns >= 1000000 / 8192);
	assert_string_equal(why, "nodes, edges: not in canonical form");
	graph_load_free(l);
	n = (size_t)snprintf(text, TEXT, "{\"_type\":\"");
	memset(text + n, '\\', 1000000);
	l = graph_load_begin(text, n + 1000000, key, KEYS, NULL, &why);
	for (turns = 0, rc = 1; rc > 0; turns++)
		rc = graph_load_step(l, 1, &why);
	assert_int_equal(rc, -1);
	assert_true(turns >= 1000000 / 8192);
	graph_load_free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sorting),
	    cmocka_unit_test(test_equal),
	    cmocka_unit_test(test_turns),
	    cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
