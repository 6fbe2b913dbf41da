/* SPDX-License-Identifier: BSD-2-Clause */
/* Trust graphs: statements, the reading of a document, what is left out. */
#define _GNU_SOURCE /* memmem */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "tests/unit/graphkit.h"

/* The document of klp-trust.json. */
static uint8_t *
document(size_t *n)
{
	json_t *root = vec_load("klp-trust.json");

	return vec_bytes(json_array_get(vec_array(root, "graph"), 0), "payload",
	    n);
}

/* A copy of the document with one text in the place of another. */
static char *
with(const char *old, const char *new, size_t *n)
{
	size_t len, o = strlen(old), w = strlen(new);
	const char *p = (const char *)document(&len);
	const char *at = memmem(p, len, old, o);
	char *out = malloc(len + w + 1);

	assert_non_null(out);
	if (at == NULL)
		fail_msg("%s", old);
	memcpy(out, p, (size_t)(at - p));
	memcpy(out + (at - p), new, w);
	memcpy(out + (at - p) + w, at + o, len - (size_t)(at - p) - o);
	*n = len - o + w;
	return out;
}

static void
test_statements(void **state)
{
	json_t *root = vec_load("klp-trust.json"), *s;
	json_t *doc = json_array_get(vec_array(root, "graph"), 0);
	size_t i;

	(void)state;
	json_array_foreach(vec_array(doc, "statements"), i, s)
	{
		size_t n;
		uint8_t *want = vec_unhex(json_string_value(s), &n);
		uint8_t got[EDGE_LEN];
		struct edge e;

		assert_int_equal(n, EDGE_LEN);
		assert_true(edge_get(&e, want, n));
		edge_put(got, &e);
		assert_memory_equal(got, want, n);
		assert_null(edge_bad(&e));
		for (size_t cut = 0; cut < n; cut++)
			assert_false(edge_get(&e, vec_copy(want, cut), cut));
		want[0] ^= 1;
		assert_false(edge_get(&e, want, n));
	}
	assert_int_equal(i, 3);
}

static void
test_bounds(void **state)
{
	const struct edge good = {.source = {{1}}, .target = {{2}},
	    .issued = 1000, .expires = 1000 + GRAPH_EDGE_LIFE_MAX,
	    .conf = 1000, .level = -3, .tags = 0x3ff, .scopes = 0x800003ff};
	struct edge e = good;

	(void)state;
	assert_null(edge_bad(&e));
	e.level = -4;
	assert_non_null(edge_bad(&e));
	e = good, e.level = 4;
	assert_non_null(edge_bad(&e));
	e = good, e.conf = 1001;
	assert_non_null(edge_bad(&e));
	e = good, e.target = e.source;
	assert_non_null(edge_bad(&e));
	e = good, e.expires++;
	assert_non_null(edge_bad(&e));
	e = good, e.expires = e.issued;
	assert_non_null(edge_bad(&e));
	e = good, e.tags |= 0x400;
	assert_non_null(edge_bad(&e));
	e = good, e.scopes |= 0x400;
	assert_non_null(edge_bad(&e));
	/* scopes of tags, only where none are written */
	assert_int_equal(edge_covers(&good), 0x800003ff);
	e = good, e.scopes = 0;
	assert_int_equal(edge_covers(&e), 0x3ff);
	e.tags = 1u << TAG_AUTHORITY;
	assert_int_equal(edge_covers(&e), 0);
	e.tags |= 1u << TAG_CODE_SIGNER;
	assert_int_equal(edge_covers(&e),
	    1u << SCOPE_IMAGE_SIGN | 1u << SCOPE_CONTRACT_SIGN);
}

static void
test_indexes(void **state)
{
	const struct graph_head head = {.version = 7, .uri = "klp://a/b"};
	json_t *root = vec_load("klp-trust.json");
	struct edge *edge;
	struct graph *g;
	uint32_t outs = 0;
	size_t n;

	(void)state;
	edge = graphkit_edges(root, &n);
	g = graph_make(&head, edge, n);
	assert_non_null(g);
	assert_int_equal(graph_head(g)->version, 7);
	for (uint32_t i = 0; i < graph_count(g); i++) {
		uint32_t first, count, found;
		uint32_t out = graph_out(g, i, &first);
		const uint32_t *in = graph_in(g, i, &count);
		const uint32_t *by_time = graph_by_time(g, i);

		assert_true(graph_find(g, graph_fp(g, i), &found));
		assert_int_equal(found, i);
		if (i > 0)
			assert_true(fp_cmp(graph_fp(g, i - 1),
			    graph_fp(g, i)) < 0);
		for (uint32_t e = 0; e < out; e++) {
			const struct graph_edge *t = graph_edge(g, by_time[e]);

			assert_int_equal(graph_edge(g, first + e)->source, i);
			assert_int_equal(t->source, i);
			if (e > 0)
				assert_true(graph_edge(g, by_time[e - 1])->
				    issued <= t->issued);
		}
		for (uint32_t e = 0; e < count; e++)
			assert_int_equal(graph_edge(g, in[e])->target, i);
		outs += out;
	}
	assert_int_equal(outs, n);
	graph_free(g);
	/* nothing at all is a graph too */
	g = graph_make(&head, edge, 0);
	assert_non_null(g);
	assert_int_equal(graph_count(g), 0);
	graph_free(g);
	free(edge);
}

static void
test_document(void **state)
{
	struct graph_stats st;
	struct graph_head head;
	struct graph *g, *next;
	const char *why;
	size_t n;
	uint8_t *p;

	(void)state;
	p = document(&n);
	assert_true(graph_form(p, n, &why));
	assert_true(graph_peek(&head, p, n, &why));
	assert_int_equal(head.version, 1);
	assert_int_equal(head.expires, 1802592000);
	assert_string_equal(head.uri, "klp://trust.kos/mesh-overlay.json");
	g = graphkit_load(p, n, NULL, &st, &why);
	assert_non_null(g);
	assert_int_equal(st.edges, 3);
	assert_int_equal(st.accepted, 2);
	assert_int_equal(st.fault[EDGE_BAD_SIG], 1);
	assert_int_equal(st.checked, 3);
	assert_int_equal(graph_edges(g), 2);
	/* what was found good is not looked at again; the bad one is */
	next = graphkit_load(p, n, g, &st, &why);
	assert_non_null(next);
	assert_int_equal(st.accepted, 2);
	assert_int_equal(st.checked, 1);
	graph_free(g);
	g = graphkit_load(p, n, next, &st, &why);
	assert_non_null(g);
	assert_int_equal(st.checked, 1);
	graph_free(g);
	graph_free(next);
}

static void
test_says(void **state)
{
	char says[GRAPH_SAYS_MAX];
	struct graph_load *l;
	const char *why;
	size_t n;
	uint8_t *p = document(&n);

	(void)state;
	l = graph_load_new(p, n, NULL, 0, NULL, &why);
	assert_non_null(l);
	while (graph_load_step(l, GRAPH_BUDGET, &why) > 0)
		;
	graph_load_says(says, l);
	assert_string_equal(says, "edges=3 accepted=2 unsigned=0 "
				  "bad-signature=1 unknown-tag-or-scope=0 "
				  "never-valid=0 checked=3");
	graph_load_free(l);
}

/* A role's signature over the whole stands for those of its own edges. */
static void
test_signers(void **state)
{
	json_t *root = vec_load("klp-keys.json");
	json_t *row = json_array_get(vec_array(root, "keys"), 0);
	const char *text = vec_str(row, "text"), *why;
	struct klp_key alice;
	struct graph_load *l;
	size_t n;
	char *p;

	(void)state;
	assert_true(key_parse(&alice, text, strlen(text)));
	/* alice's edge without a signature, and with one that is another's */
	p = with("\"sig\":\"HpeEP6NzDbkBDPKRIugo2gXy/FPwMfdo6Fk4usGqixwJdplI"
		 "iwURlBnBXDoBKy72UdZNJN7pLhpI1eLDIdiDJQ==\",", "", &n);
	for (unsigned signers = 0; signers < 2; signers++) {
		l = graph_load_new(p, n, &alice, signers, NULL, &why);
		assert_non_null(l);
		while (graph_load_step(l, 1, &why) > 0)
			;
		assert_int_equal(graph_load_stats(l)->accepted, 1 + signers);
		assert_int_equal(graph_load_stats(l)->fault[EDGE_UNSIGNED],
		    1 - signers);
		graph_load_free(l);
	}
	free(p);
	p = with("HpeEP6NzDbk", "AAAAP6NzDbk", &n);
	l = graph_load_new(p, n, &alice, 1, NULL, &why);
	assert_non_null(l);
	while (graph_load_step(l, 100, &why) > 0)
		;
	assert_int_equal(graph_load_stats(l)->accepted, 1);
	graph_load_free(l);
	free(p);
}

/* A document that is refused whole; each for its own reason. */
static const struct {
	const char *old, *new, *why;
} refused[] = {
	{"klp.trust-graph", "klp.trust-grape", "_type"},
	{"\"namespace\"", "\"nbmespace\"", "namespace"},
	{"\"version\":1}", "\"version\":-1}", "version"},
	{"\"version\":1}", "\"version\":4294967296}", "version"},
	{"\"version\":1}", "\"version\": 1}", "canonical"},
	{"\"version\":1}", "\"version\":1} ", "canonical"},
	{"\"version\":1}", "\"version\":1}}", "bracket"},
	{"\"version\":1}", "\"version\":1", "canonical"},
	{"\"version\":1}", "\"version\":1,\"version\":1}", "twice"},
	{"{\"_type\"", "{\"_type\":1,\"_type\"", "twice"},
	{"\"_type\"", "\"\\u005ftype\"", "canonical"},
	{"\"edges\":[", "\"edgfs\":[", "edges"},
	{"\"edges\":[", "\"edges\":[],\"edges\":[", "twice"},
	{"\"edges\":[{", "\"edges\":[ {", "canonical"},
	{"\"edges\":[{", "\"edges\":[1,{", "canonical"},
	{"\"edges\":[{", "\"edges\":[[{", "canonical"},
	{"\"edges\":[{", "\"edges\":[{},{", "source"},
	{"\"edges\":[", "\"crit\":[\"new\"],\"edges\":[", "crit"},
	{"\"edges\":[", "\"crit\":7,\"edges\":[", "crit"},
	{"}],\"expires\"", "},],\"expires\"", "canonical"},
	{"}],\"expires\"", "}},\"expires\"", ""},
	{"\"confidence\":0.92", "\"confidence\":2", "confidence"},
	{"\"confidence\":0.92", "\"confidence\":-1", "confidence"},
	{"\"confidence\":0.92", "\"confidence\":0.9215", "number"},
	{"\"confidence\":0.92", "\"confidence\":0.920", "number"},
	{"\"confidence\":0.92", "\"confidence\":\"1\"", "confidence"},
	{"\"confidence\":0.92,\"depth\"", "\"depth\":1,\"confidence\"",
	    "canonical"},
	{"\"depth\":1", "\"depth\":256", "depth"},
	{"\"depth\":1", "\"depth\":-1", "depth"},
	{"\"expires\":1808640000", "\"expires\":4294967296", "expires"},
	{"\"half_life_days\":0", "\"half_life_days\":65536", "half_life"},
	{"\"scopes\":[\"job.submit\"]", "\"scopes\":\"job.submit\"", "scopes"},
	{"\"scopes\":[\"job.submit\"]", "\"scopes\":[1]", "scopes"},
	{"\"sig\":\"HpeE", "\"sig\":7,\"sih\":\"HpeE", "sig"},
	{"\"source\":\"urn:klp:", "\"source\":\"urn:kip:", "source"},
	{"\"trust_level\":2", "\"trust_level\":0.5", "trust_level"},
	{"\"trust_level\":2", "\"trust_level\":\"2\"", "trust_level"},
	{"\"key\":\"pubkey:ecc-secp256k1:0268",
	    "\"key\":\"pubkey:ecc-secp256k1:0368", "key"},
	{"\"key\":\"pubkey:ecc", "\"key\":\"pubkex:ecc", "key"},
	{"\"scheme\":\"ecdsa\"", "\"scheme\":\"ed25519\"", "scheme"},
	{"\"id\":\"urn:klp:kindai:device:b592e54c9c3c55aa07d361645ba809591fa3fa"
	 "08a0b838d29de260a512fbec26\",\"key\":\"pubkey:ecc-secp256k1:02f40b4cd"
	 "76235f98b43bd529b4ea4e4167e5fe097aace56453cbbc19a1c4ed3b6\"",
	    "\"id\":\"urn:klp:kindai:device:a17636ee2000e767c974a77c1961d29828c"
	    "91946019f5833844664ee07f57cad\",\"key\":\"pubkey:ecc-secp256k1:026"
	    "878042aa4b020a11dc43e3da7687678d6963a1ef44a83ccf2b4acc23737d98a\"",
	    "twice"},
	/* 14 in an edge are 17 in the whole */
	{"\"confidence\":0.92", "\"a\":[[[[[[[[[[[[[[]]]]]]]]]]]]]],"
	 "\"confidence\":0.92", ""},
};

static void
test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(refused); i++) {
		const char *why = NULL;
		struct graph *g;
		size_t n;
		char *p = with(refused[i].old, refused[i].new, &n);

		g = graphkit_load(p, n, NULL, NULL, &why);
		if (g != NULL || graph_form(p, n, &why))
			fail_msg("%s", refused[i].new);
		free(p);
		assert_non_null(why);
		if (strstr(why, refused[i].why) == NULL)
			fail_msg("%s: %s", refused[i].new, why);
	}
}

/* An edge that cannot count, in a document that does. */
static const struct {
	const char *old, *new;
	enum edge_fault fault;
} left_out[] = {
	{"\"trust_level\":2", "\"trust_level\":4", EDGE_NEVER},
	{"\"trust_level\":2", "\"trust_level\":-400", EDGE_NEVER},
	{"\"trust_level\":2", "\"trust_level\":1", EDGE_BAD_SIG},
	{"\"confidence\":0.92", "\"confidence\":1", EDGE_BAD_SIG},
	{"\"issued\":1799999000,\"scopes\":[\"job.submit\"]",
	    "\"issued\":1700000000,\"scopes\":[\"job.submit\"]", EDGE_NEVER},
	{"\"scopes\":[\"job.submit\"]", "\"scopes\":[\"job.other\"]",
	    EDGE_UNKNOWN},
	{"\"tags\":[\"authority\",", "\"tags\":[\"king\",", EDGE_UNKNOWN},
	{"\"sig\":\"HpeE", "\"sig\":\"!peE", EDGE_BAD_SIG},
	{"\"sig\":\"HpeE", "\"sig\":\"peE", EDGE_BAD_SIG},
	{"\"sig\":\"HpeE", "\"siH\":\"HpeE", EDGE_UNSIGNED},
	/* without its record nobody knows the source's key */
	{"{\"id\":\"urn:klp:kindai:device:a17636ee2000e767c974a77c1961d29828c9"
	 "1946019f5833844664ee07f57cad\",\"key\":\"pubkey:ecc-secp256k1:026878"
	 "042aa4b020a11dc43e3da7687678d6963a1ef44a83ccf2b4acc23737d98a\","
	 "\"scheme\":\"ecdsa\"},", "", EDGE_UNSIGNED},
};

static void
test_left_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(left_out); i++) {
		struct graph_stats st;
		const char *why;
		struct graph *g;
		size_t n;
		char *p = with(left_out[i].old, left_out[i].new, &n);

		g = graphkit_load(p, n, NULL, &st, &why);
		free(p);
		if (g == NULL)
			fail_msg("%s: %s", left_out[i].new, why);
		assert_int_equal(st.accepted, 1);
		if (left_out[i].fault == EDGE_BAD_SIG)
			st.fault[EDGE_BAD_SIG]--;
		if (st.fault[left_out[i].fault] != 1)
			fail_msg("%s", left_out[i].new);
		graph_free(g);
	}
}

/* Members that are new, and a node without a key, change nothing. */
static void
test_unknown_members(void **state)
{
	static const char *const more[][2] = {
	    {"\"confidence\":0.92", "\"a\":[[{\"edges\":[]}]],"
				    "\"confidence\":0.92"},
	    {"\"expires\":1802592000", "\"expires\":1802592000,"
				       "\"f\":{\"nodes\":[1,2]}"},
	    {"\"edges\":[", "\"crit\":[\"uri\",\"edges\"],\"edges\":["},
	    {"\"nodes\":[", "\"nodes\":[{\"id\":\"urn:klp:kindai:device:"
	     "0000000000000000000000000000000000000000000000000000000000000000"
	     "\",\"label\":\"a \\\"b\\\\\",\"rns\":["
	     "\"00000000000000000000000000000000\"],\"tags\":[\"king\"]},"},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(more); i++) {
		struct graph_stats st;
		const char *why;
		struct graph *g;
		size_t n;
		char *p = with(more[i][0], more[i][1], &n);

		g = graphkit_load(p, n, NULL, &st, &why);
		free(p);
		if (g == NULL)
			fail_msg("%s: %s", more[i][1], why);
		assert_int_equal(st.accepted, 2);
		graph_free(g);
	}
}

static size_t
put(char *to, const char *text)
{
	memcpy(to, text, strlen(text));
	return strlen(text);
}

/* A document with one element of a list n times. */
static char *
many(const char *list, const char *element, size_t n, size_t *len)
{
	static const char rest[] = "\"expires\":9,\"issued\":8,"
				   "\"namespace\":\"a\",\"nodes\":[";
	bool edges = strcmp(list, "edges") == 0;
	size_t one = strlen(element), at = 0;
	char *out = malloc(n * (one + 1) + 512);

	assert_non_null(out);
	at += put(out, "{\"_type\":\"klp.trust-graph\","
				      "\"edges\":[");
	if (!edges) {
		at += put(out + at, "],");
		at += put(out + at, rest);
	}
	for (size_t i = 0; i < n; i++) {
		memcpy(out + at, element, one);
		at += one;
		out[at++] = ',';
	}
	at--; /* the last comma */
	if (edges) {
		at += put(out + at, "],");
		at += put(out + at, rest);
	}
	at += put(out + at, "],\"uri\":\"klp://a/b\","
					   "\"version\":1}");
	*len = at;
	return out;
}

static void
test_limits(void **state)
{
	static const char edge[] = "{\"source\":\"urn:klp:a:org:"
	    "11111111111111111111111111111111"
	    "11111111111111111111111111111111\",\"target\":\"urn:klp:a:org:"
	    "22222222222222222222222222222222"
	    "22222222222222222222222222222222\"}";
	static const char node[] = "{\"id\":\"urn:klp:a:org:"
	    "11111111111111111111111111111111"
	    "11111111111111111111111111111111\"}";
	const char *why = NULL;
	size_t n;
	char *p;

	(void)state;
	p = many("edges", edge, GRAPH_EDGES_MAX, &n);
	assert_true(graph_form(p, n, &why));
	free(p);
	p = many("edges", edge, GRAPH_EDGES_MAX + 1, &n);
	assert_false(graph_form(p, n, &why));
	assert_non_null(strstr(why, "50,000"));
	free(p);
	p = many("nodes", node, GRAPH_NODES_MAX + 1, &n);
	assert_false(graph_form(p, n, &why));
	assert_non_null(strstr(why, "20,000"));
	free(p);
	p = calloc(1, GRAPH_BYTES_MAX + 1);
	assert_non_null(p);
	assert_false(graph_form(p, GRAPH_BYTES_MAX + 1, &why));
	assert_string_equal(why, "too large");
	free(p);
}

static void
one_cut(void *arg, const uint8_t *data, size_t n)
{
	const char *why = NULL;

	(void)arg;
	assert_null(graphkit_load(data, n, NULL, NULL, &why));
	assert_non_null(why);
}

static void
test_truncations(void **state)
{
	size_t n;
	uint8_t *p = document(&n);

	(void)state;
	vec_each_prefix(p, n, one_cut, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_statements),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_indexes),
	    cmocka_unit_test(test_document),
	    cmocka_unit_test(test_says),
	    cmocka_unit_test(test_signers),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_left_out),
	    cmocka_unit_test(test_unknown_members),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_truncations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
