/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a letter is, and what was tried: no core, nobody is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "transport/lxmf/post.h"

static struct post *post;
static struct mono now;
static bool node_there; /* a path to the second node, nothing behind it */
static struct hash16 nodes[2] = {{{1}}, {{2}}};
static enum post_end ended;

static int
do_submit(void *arg, const struct rns_cmd *cmd)
{
	(void)arg;
	(void)cmd;
	return RNS_OK;
}

static bool
do_known(void *arg, const struct hash16 *dest, struct rns_known *out)
{
	(void)arg;
	(void)dest;
	(void)out;
	return false;
}

static bool
do_path(void *arg, const struct hash16 *dest)
{
	(void)arg;
	return node_there && hash16_eq(dest, &nodes[1]);
}

static void
do_random(void *arg, uint8_t *out, size_t n)
{
	(void)arg;
	memset(out, 9, n);
}

static void
on_message(void *arg, const struct post_message *m)
{
	(void)arg;
	(void)m;
}

static void
on_ended(void *arg, uint64_t tag, enum post_end end, const char *why)
{
	(void)arg;
	(void)tag;
	(void)why;
	ended = end;
}

static void
on_looked(void *arg, enum post_look how, unsigned n)
{
	(void)arg;
	(void)how;
	(void)n;
}

/* One letter with the tag 5 for somebody whose key is known. */
static void
begin(unsigned nnodes, enum post_way way)
{
	struct post_io io = {NULL, do_submit, do_known, do_path, do_random,
	    on_message, on_ended, on_looked, NULL};
	struct post_conf conf = {.tags = UINT64_C(1) << 59, .nnodes = nnodes};
	struct post_letter l = {.tag = 5, .way = way};
	static uint8_t packed[1024];
	uint8_t other[RNS_KEY], pub[RNS_KEY];
	struct lxmf m = {.time = 1};
	struct hash16 hash;
	size_t n;

	now = (struct mono){1000000};
	node_there = false;
	memset(conf.identity, 0x41, RNS_KEY);
	memset(other, 0x42, RNS_KEY);
	memcpy(conf.nodes, nodes, sizeof(nodes));
	(void)rns_identity_derive(pub, &hash, conf.identity);
	lxmf_address(&m.source, pub);
	(void)rns_identity_derive(pub, &hash, other);
	lxmf_address(&m.dest, pub);
	assert_int_equal(lxmf_pack(packed, &n, sizeof(packed), NULL, &m, NULL,
	    conf.identity), RNS_OK);
	post = post_new(&conf, &io, now);
	assert_non_null(post);
	l.packed = packed;
	l.len = n;
	l.pub = pub;
	l.until = mono_add(now, 3600 * MONO_SECOND);
	assert_int_equal(post_send(post, &l, now), RNS_OK);
}

static void
run(unsigned seconds)
{
	for (unsigned i = 0; i < seconds * 10; i++) {
		now = mono_add(now, MONO_SECOND / 10);
		post_tick(post, now);
	}
}

static void
to_itself(void **state)
{
	struct post_where w;

	(void)state;
	begin(0, POST_ANY);
	assert_false(post_where(post, 6, now, &w));
	run(1);
	assert_true(post_where(post, 5, now, &w));
	assert_true(w.stage == POST_SEEKS && !w.by_node &&
	    w.direct.failed == 0 && w.direct.why == NULL);
	run(16);
	assert_true(post_where(post, 5, now, &w));
	assert_true(w.stage == POST_WAITS && !w.by_node &&
	    mono_sub(w.next, now) > 0 && w.direct.failed == 1);
	assert_string_equal(w.direct.why,
	    "there is no path to its destination");
	run(3600);
	assert_int_equal(ended, POST_FAILED);
	assert_false(post_where(post, 5, now, &w));
	post_free(post);
}

static void
through_nodes(void **state)
{
	struct post_where w;

	(void)state;
	begin(2, POST_ANY);
	run(1);
	assert_true(post_where(post, 5, now, &w));
	assert_true(w.stage == POST_SEEKS && !w.by_node);
	/* its own node is not there: the first one's turn */
	run(8);
	assert_true(post_where(post, 5, now, &w));
	assert_true(w.stage == POST_SEEKS && w.by_node && w.node == 0 &&
	    w.direct.failed == 1 && w.nodes[0].failed == 0);
	/* neither is that, nor the second */
	run(40);
	assert_true(post_where(post, 5, now, &w));
	assert_true(w.nodes[0].failed == 1 && w.nodes[1].failed == 1);
	assert_non_null(w.nodes[0].why);
	for (unsigned i = 0; i < 60 && w.stage != POST_WAITS; i++) {
		run(1);
		assert_true(post_where(post, 5, now, &w));
	}
	assert_true(w.stage == POST_WAITS && mono_sub(w.next, now) > 0);
	/* one that there is a path to is asked for a link */
	node_there = true;
	run(600);
	assert_true(post_where(post, 5, now, &w));
	assert_true(w.nodes[0].failed > 1 && w.nodes[1].failed > 1);
	assert_true(strcmp(w.nodes[0].why, w.nodes[1].why) != 0);
	post_free(post);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(to_itself),
		cmocka_unit_test(through_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
