/* SPDX-License-Identifier: BSD-2-Clause */
/* `warren trust why`: what warren-trust answers, and how node keeps it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "node/host/trustwhy.h"
#include "tests/unit/graphkit.h"
#include "trust/why.h"

#define NOW 1800000000u
#define HOPS_MAX 32

static struct standing s;
static struct verdicts v;
static struct level_anchor anchors[8];
static struct msg_V_HOP hop[HOPS_MAX];
static unsigned nhops;

/* The fingerprint of a name of klp-trust.json. */
static struct fp
named(const char *name)
{
	json_t *names = json_object_get(vec_load("klp-trust.json"), "names");
	const char *hex;
	json_t *value;
	struct fp fp;

	json_object_foreach(names, hex, value)
		if (strcmp(json_string_value(value), name) == 0) {
			assert_true(hex_decode(HASH_BYTES(fp), hex, 64));
			return fp;
		}
	fail_msg("%s", name);
	abort();
}

static int
set_up(void **state)
{
	const struct graph_head head = {.version = 1};
	json_t *root = vec_load("klp-trust.json");
	struct edge *edge;
	struct graph *g;
	size_t n;

	(void)state;
	edge = graphkit_edges(root, &n);
	g = graph_make(&head, edge, n);
	free(edge);
	n = graphkit_anchors(json_array_get(vec_array(root, "verdicts"), 0),
	    anchors);
	s.levels = (struct level_conf){.anchors = anchors, .nanchors = n};
	s.g = g;
	s.now = kte1_new(g, anchors, n);
	s.graph = (struct standing_age){true, true, NOW + 1000, NOW + 1000, 0};
	v.s = &s;
	v.store = bindstore_new(8);
	return s.now == NULL || v.store == NULL;
}

static int
tear_down(void **state)
{
	(void)state;
	kte1_free(s.now);
	graph_free((struct graph *)(uintptr_t)s.g);
	bindstore_free(v.store);
	return 0;
}

static void
take_hop(void *ctx, const struct msg_V_HOP *m)
{
	(void)ctx;
	assert_true(nhops < HOPS_MAX);
	hop[nhops++] = *m;
}

static struct msg_V_BECAUSE
ask(const struct msg_V_WHY *m)
{
	struct msg_V_BECAUSE out;

	nhops = 0;
	why_answer(&v, &out, m, NOW, take_hop, NULL);
	assert_int_equal(out.qid, m->qid);
	return out;
}

static void
test_paths(void **state)
{
	struct msg_V_WHY m = {.qid = 7, .scope = SCOPE_JOB_SUBMIT};
	struct fp a1 = named("A1"), i1 = named("I1"), n2 = named("N2");
	struct msg_V_BECAUSE out;

	(void)state;
	/* N2: A1 to I1, A2 to I2, both to N2 */
	m.id = n2;
	out = ask(&m);
	assert_int_equal(out.level, 2);
	assert_string_equal(out.why, "reached from anchors on separate paths");
	assert_true(out.has_fp && fp_eq(&out.fp, &n2) && !out.has_rns);
	assert_int_equal(nhops, 4);
	assert_int_equal(hop[0].path, hop[1].path);
	assert_int_not_equal(hop[1].path, hop[2].path);
	assert_true(fp_eq(&hop[0].target, &hop[1].source));
	assert_true(fp_eq(&hop[3].target, &n2));
	for (unsigned i = 0; i < 4; i += 2)
		if (fp_eq(&hop[i].source, &a1)) {
			assert_true(fp_eq(&hop[i].target, &i1));
			assert_int_equal(hop[i].conf, 950);
			assert_int_equal(hop[i].left, 950);
			assert_int_equal(hop[i].level, 2);
		}
	/* N4: three edges */
	m.id = named("N4");
	out = ask(&m);
	assert_int_equal(out.level, 1);
	assert_int_equal(nhops, 3);
	/* N7: an anchor's word */
	m.id = named("N7");
	out = ask(&m);
	assert_int_equal(out.level, -3);
	assert_int_equal(nhops, 1);
	assert_int_equal(hop[0].level, -3);
	/* nobody */
	memset(&m.id, 0x55, sizeof(m.id));
	out = ask(&m);
	assert_int_equal(out.level, 0);
	assert_int_equal(nhops, 0);
}

/* What the operator has said himself has no path. */
static void
test_local(void **state)
{
	struct msg_V_WHY m = {.qid = 8, .scope = SCOPE_JOB_SUBMIT};
	struct level_pin pin = {.id = named("N2"), .level = -1};
	struct msg_V_BECAUSE out;

	(void)state;
	m.id = pin.id;
	s.levels.pins = &pin;
	s.levels.npins = 1;
	out = ask(&m);
	assert_int_equal(out.level, -1);
	assert_string_equal(out.why, "pinned by the operator");
	assert_int_equal(nhops, 0);
	s.levels.npins = 0;
	m.id = named("A1");
	out = ask(&m);
	assert_int_equal(out.level, 3);
	assert_int_equal(nhops, 0);
	/* a Reticulum identity that nothing is known of */
	m.is_rns = true;
	out = ask(&m);
	assert_int_equal(out.level, 0);
	assert_true(out.has_rns && !out.has_fp);
}

/* A key and the identity that is bound to it are one, by either name. */
static void
test_bound(void **state)
{
	json_t *root = vec_load("klp-binding.json");
	json_t *row = json_array_get(vec_array(root, "bindings"), 0);
	struct msg_V_WHY m = {.qid = 9, .scope = SCOPE_JOB_SUBMIT};
	struct msg_V_BECAUSE out;
	struct level_pin pin = {.level = 2, .is_rns = true};
	struct hash16 rns;
	struct binding b;
	struct klp_key k;
	uint8_t *raw;
	bool fresh;
	size_t n;

	(void)state;
	raw = vec_bytes(row, "standalone", &n);
	assert_true(binding_parse(&b, raw, n) && binding_key(&k, &b));
	assert_null(bindstore_take(v.store, &b, NOW, true, &fresh));
	key_fp(&m.id, &k);
	rns_hash_of(&rns, b.rns);
	memcpy(pin.id.b, HASH_BYTES(rns));
	s.levels.pins = &pin;
	s.levels.npins = 1;
	out = ask(&m);
	assert_true(out.has_rns && hash16_eq(&out.rns, &rns));
	assert_int_equal(out.level, 2);
	pin.is_rns = false;
	pin.id = m.id;
	m = (struct msg_V_WHY){.qid = 10, .scope = SCOPE_JOB_SUBMIT,
	    .is_rns = true};
	memcpy(m.id.b, HASH_BYTES(rns));
	out = ask(&m);
	assert_true(out.has_fp && fp_eq(&out.fp, &pin.id));
	assert_int_equal(out.level, 2);
	s.levels.npins = 0;
}

/* ---- node's half ---- */

static struct msg_V_WHY sent;
static unsigned nsent;

static void
send_why(void *ctx, const struct msg_V_WHY *m)
{
	(void)ctx;
	sent = *m;
	nsent++;
}

static json_t *
node_ask(struct trustwhy *w, struct node *n, const char *text, const char **bad)
{
	json_t *q = json_loads(text, 0, NULL), *a;

	assert_non_null(q);
	a = trustwhy_ask(w, n, q, bad);
	json_decref(q);
	return a;
}

#define ABOUT(x) "{\"id\":\"" x x x x x x x x "\",\"scope\":\"job.submit\"}"

static void
is_pending(json_t *a)
{
	assert_true(json_is_true(json_object_get(a, "pending")));
	json_decref(a);
}

static void
test_node(void **state)
{
	static struct node n;
	struct trustwhy w = {.qid = 0};
	struct msg_V_BECAUSE out = {.level = 2, .why = "because"};
	struct msg_V_HOP h = {.level = 2, .conf = 900, .left = 450};
	const char *bad = NULL;
	json_t *a;

	(void)state;
	n.host.send_V_WHY = send_why;
	assert_null(node_ask(&w, &n, "{}", &bad));
	assert_non_null(bad);
	assert_null(node_ask(&w, &n, "{\"id\":\"zz\",\"scope\":\"*\"}", &bad));
	assert_null(node_ask(&w, &n, "{\"id\":\"0102030405060708010203040506070"
	    "8\",\"scope\":\"none\"}", &bad));
	assert_int_equal(nsent, 0);
	is_pending(node_ask(&w, &n, ABOUT("01020304"), &bad));
	assert_int_equal(nsent, 1);
	assert_false(sent.is_rns);
	assert_int_equal(sent.id.b[31], 4);
	/* asked again it is still under way; another has to wait */
	is_pending(node_ask(&w, &n, ABOUT("01020304"), &bad));
	is_pending(node_ask(&w, &n, ABOUT("05060708"), &bad));
	assert_int_equal(nsent, 1);
	/* an answer to another question, and paths that cannot be */
	out.qid = h.qid = sent.qid + 1;
	trustwhy_hop(&w, &h);
	trustwhy_because(&w, &out);
	out.qid = h.qid = sent.qid;
	h.path = 200;
	trustwhy_hop(&w, &h);
	h.path = 0;
	for (int i = 0; i < 5; i++)
		trustwhy_hop(&w, &h);
	h.path = 1;
	trustwhy_hop(&w, &h);
	is_pending(node_ask(&w, &n, ABOUT("01020304"), &bad));
	trustwhy_because(&w, &out);
	/* not to somebody who has asked about another */
	is_pending(node_ask(&w, &n, ABOUT("05060708"), &bad));
	a = node_ask(&w, &n, ABOUT("01020304"), &bad);
	assert_non_null(a);
	assert_int_equal(json_integer_value(json_object_get(a, "level")), 2);
	assert_int_equal(json_array_size(json_object_get(a, "paths")), 2);
	assert_int_equal(json_array_size(json_array_get(json_object_get(a,
	    "paths"), 0)), KTE1_HOPS);
	json_decref(a);
	/* given out once: the next question is a new one */
	is_pending(node_ask(&w, &n, ABOUT("01020304"), &bad));
	assert_int_equal(nsent, 2);
	trustwhy_clear(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_paths),
	    cmocka_unit_test(test_local),
	    cmocka_unit_test(test_bound),
	    cmocka_unit_test(test_node),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
