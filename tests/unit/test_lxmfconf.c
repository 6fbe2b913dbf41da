/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/mistake.h"
#include "node/config/nodeconf.h"
#include "transport/lxmf/lxmfset.h"

/* lxmf of node.yaml, and as transport is told of it. */

static struct mistakes m;
static struct node_config *c;

static bool
reads(const char *text)
{
	char all[600];

	node_config_free(c);
	c = NULL;
	memset(&m, 0, sizeof(m));
	(void)snprintf(all, sizeof(all), "%s", text);
	return node_config_parse(&c, all, strlen(all), &m) == 0;
}

static void
test_reads(void **state)
{
	(void)state;
	assert_true(reads(""));
	assert_false(c->lxmf.on);
	assert_true(reads("lxmf: null\n"));
	assert_false(c->lxmf.on);
	assert_true(reads("lxmf: {}\n"));
	assert_true(c->lxmf.on && c->lxmf.nnodes == 0);
	assert_int_equal(c->lxmf.look_ms, 600000);
	assert_int_equal(c->lxmf.announce_ms, 6 * 3600000);
	assert_int_equal(c->lxmf.message, 65536);
	assert_int_equal(c->lxmf.cost, 0);
	assert_true(reads("lxmf:\n"
	    "  propagation_node: 00112233445566778899aabbccddeeff\n"
	    "  look_every: 1m\n  announce_every: 1h\n"
	    "  max_message: 256KB\n  stamp_cost: 12\n"));
	assert_true(c->lxmf.on && c->lxmf.nnodes == 1);
	assert_int_equal(c->lxmf.nodes[0].b[15], 0xff);
	assert_int_equal(c->lxmf.look_ms, 60000);
	assert_int_equal(c->lxmf.message, LXMF_MESSAGE_MOST);
	assert_int_equal(c->lxmf.cost, 12);
	assert_true(reads("lxmf:\n  propagation_node:\n"
	    "    - 00112233445566778899aabbccddeeff\n"
	    "    - ff112233445566778899aabbccddeeff\n"));
	assert_int_equal(c->lxmf.nnodes, 2);
	assert_int_equal(c->lxmf.nodes[1].b[0], 0xff);
	assert_true(reads("lxmf: {propagation_node: []}\n"));
	assert_int_equal(c->lxmf.nnodes, 0);
}

/* Each with its place, and where it helps how to go on. */
static void
test_mistakes(void **state)
{
	static const char *const bad[] = {"lxmf: 3\n",
	    "lxmf: {propagation_node: 0011}\n",
	    "lxmf: {propagation_node: zz112233445566778899aabbccddeeff}\n",
	    ("lxmf: {propagation_node: [00112233445566778899aabbccddeeff, "
	     "00112233445566778899aabbccddeeff]}\n"),
	    ("lxmf: {propagation_node: [00112233445566778899aabbccddeef0, "
	     "00112233445566778899aabbccddeef1, "
	     "00112233445566778899aabbccddeef2, "
	     "00112233445566778899aabbccddeef3, "
	     "00112233445566778899aabbccddeef4]}\n"),
	    "lxmf: {propagation_node: [[]]}\n",
	    "lxmf: {propagation: x}\n", "lxmf: {look_every: 5m}\n",
	    ("lxmf: {propagation_node: 00112233445566778899aabbccddeeff, "
	     "look_every: 1s}\n"),
	    "lxmf: {max_message: 1MB}\n", "lxmf: {max_message: 10}\n",
	    "lxmf: {stamp_cost: 25}\n", "lxmf: {announce_every: 1s}\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(reads(bad[i]));
		assert_true(mistakes_count(&m) > 0);
	}
}

static void
test_set(void **state)
{
	static struct lxmfset s = {.nnodes = 2, .nodes = {{{1, 2}}, {{3}}}, .look_s = 60,
	    .announce_s = 3600, .message_max = 65536, .cost = 8,
	    .name = "a node"}, back;
	char text[LXMFSET_BYTES];
	size_t n = lxmfset_put(text, &s);

	(void)state;
	assert_true(n > 0);
	assert_true(lxmfset_get(&back, text, n));
	assert_memory_equal(&s, &back, sizeof(s));
	/* whole lines alone are taken */
	for (size_t i = 1; i < n; i++)
		assert_true(lxmfset_get(&back, text, i) ==
		    (text[i - 1] == '\n'));
	s.nnodes = LXMFSET_NODES;
	n = lxmfset_put(text, &s);
	assert_true(n > 0 && lxmfset_get(&back, text, n));
	assert_memory_equal(&s, &back, sizeof(s));
	s.nnodes = 0;
	memset(s.nodes, 0, sizeof(s.nodes));
	memset(s.name, 'x', LXMFSET_NAME);
	n = lxmfset_put(text, &s);
	assert_true(n > 0 && lxmfset_get(&back, text, n));
	assert_memory_equal(&s, &back, sizeof(s));
	s.name[3] = '\n';
	assert_int_equal(lxmfset_put(text, &s), 0);
	assert_false(lxmfset_get(&back, "look -1\n", 8));
	assert_false(lxmfset_get(&back, "look 4294967296\n", 16));
	assert_false(lxmfset_get(&back, "other 1\n", 8));
	assert_false(lxmfset_get(&back, "nodes 00\n", 9));
	assert_false(lxmfset_get(&back, "nodesx00112233445566778899aabbccddeeff\n",
	    39));
	memset(text, ' ', sizeof(text));
	memcpy(text, "nodes", 5);
	for (size_t i = 0; i < LXMFSET_NODES + 1u; i++)
		memset(text + 6 + 33 * i, '0', 32);
	n = 5 + 33 * (LXMFSET_NODES + 1);
	text[n] = '\n';
	assert_false(lxmfset_get(&back, text, n + 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reads),
	    cmocka_unit_test(test_mistakes),
	    cmocka_unit_test(test_set),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	node_config_free(c);
	return r;
}
