/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a letter is, what was tried, how it ends: no core, nobody is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/unit/postkit.h"

static struct post *post;
static struct mono now;
static bool node_there; /* a path to the second node, nothing behind it */
static struct hash16 nodes[2] = {{{1}}, {{2}}};
static bool both; /* ... and to the first one */
static bool node_known; /* ... and what it has announced */
static enum post_end ended;
static const char *why;

/* Takes messages of a kilobyte, without a stamp. */
static uint8_t said[] = {0x97, 0xc2, 0x01, 0xc3, 0x01, 0x01, 0x93, 0x00,
    0x00, 0x00, 0x80};

static uint64_t opens, asks, sends; /* tags of the last ones */

static int
do_submit(void *arg, const struct rns_cmd *cmd)
{
	(void)arg;
	if (cmd->type == RNS_CMD_LINK_OPEN)
		opens = cmd->link_open.tag;
	else if (cmd->type == RNS_CMD_REQUEST)
		asks = cmd->request.tag;
	else if (cmd->type == RNS_CMD_LINK_SEND)
		sends = cmd->packet.tag;
	return RNS_OK;
}

static bool
do_known(void *arg, const struct hash16 *dest, struct rns_known *out)
{
	(void)arg;
	memset(out, 0, sizeof(*out));
	out->app_data = said;
	out->app_data_len = sizeof(said);
	return node_known && (both || hash16_eq(dest, &nodes[1]));
}

static bool
do_path(void *arg, const struct hash16 *dest)
{
	(void)arg;
	return node_there && (both || hash16_eq(dest, &nodes[1]));
}

static void
on_message(void *arg, const struct post_message *m)
{
	(void)arg;
	(void)m;
}

static void
on_ended(void *arg, uint64_t tag, enum post_end end, const char *of)
{
	(void)arg;
	(void)tag;
	ended = end;
	why = of;
}

/* One letter with the tag 5 for somebody whose key is given. */
static void
begin_of(unsigned nnodes, enum post_way way, size_t content, bool good)
{
	static uint8_t text[2000];

	struct post_io io = {NULL, do_submit, do_known, do_path,
	    postkit_random, on_message, on_ended, postkit_looked, NULL};
	struct post_conf conf = {.tags = UINT64_C(1) << 59, .nnodes = nnodes};
	struct post_letter l = {.tag = 5, .way = way};
	static uint8_t packed[4096];
	uint8_t other[RNS_KEY], pub[RNS_KEY];
	struct lxmf m = {.time = 1, .content = {text, content}};
	struct hash16 hash;
	size_t n;

	now = (struct mono){1000000};
	node_there = node_known = both = false;
	said[3] = 0xc3;
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
	pub[0] ^= !good;
	l.packed = packed;
	l.len = n;
	l.pub = pub;
	l.until = mono_add(now, 3600 * MONO_SECOND);
	assert_int_equal(post_send(post, &l, now), RNS_OK);
}

static void
begin(unsigned nnodes, enum post_way way)
{
	begin_of(nnodes, way, 0, true);
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

/* What no node will ever take ends, and nobody looks at it any more. */
static void
never(void **state)
{
	struct post_where w;
	struct post_counts c;

	(void)state;
	for (int good = 0; good < 2; good++) {
		begin_of(2, POST_NODE, good ? 1500 : 10, good);
		node_there = node_known = true;
		run(60);
		assert_int_equal(ended, POST_FAILED);
		assert_string_equal(why, good ?
		    "it is larger than the propagation node takes" :
		    "the key given is not that of its destination");
		assert_false(post_where(post, 5, now, &w));
		post_counts(post, &c);
		assert_true(c.waiting == 0 && c.failed == 1);
		post_free(post);
	}
}

static void
link_is(enum rns_event_type type)
{
	struct rns_event ev = {.type = type};

	ev.link.id.b[0] = 3;
	ev.link.initiator = true;
	ev.link.tag = opens;
	ev.link.mdu = 431;
	assert_true(post_event(post, &ev, now));
}

static void
nothing_there(void)
{
	static const uint8_t nothing[] = {0x90};
	struct rns_event ev = {.type = RNS_EV_RESPONSE};

	ev.response.tag = asks;
	ev.response.data = nothing;
	ev.response.len = sizeof(nothing);
	assert_true(post_event(post, &ev, now));
}

/* A letter for the nodes, and a look, for which a link to the first is up. */
static void
looks(bool active)
{
	opens = asks = sends = 0;
	begin(2, POST_NODE);
	said[3] = active ? 0xc3 : 0xc2;
	node_there = node_known = both = true;
	assert_int_equal(post_look(post, now), RNS_OK);
	for (int i = 0; i < 100 && opens == 0; i++) {
		run(1);
		post_work(post, 1000, now);
	}
	link_is(RNS_EV_LINK_PENDING);
	link_is(RNS_EV_LINK_UP);
	for (int i = 0; i < 10; i++) {
		run(1);
		post_work(post, 1000, now);
	}
	assert_int_not_equal(asks, 0);
	opens = 0;
}

/* A look into the second node waits for a letter's proof, and does not spin. */
static void
look_waits(void **state)
{
	struct post_where w;

	(void)state;
	looks(true);
	nothing_there();
	assert_int_not_equal(sends, 0);
	run(1);
	assert_true(post_where(post, 5, now, &w));
	assert_true(w.stage == POST_SENDS && w.by_node && w.node == 0);
	for (int i = 0; i < 60 && w.stage == POST_SENDS; i++) {
		assert_true(mono_sub(post_deadline(post), now) > 0);
		run(1);
		assert_true(post_where(post, 5, now, &w));
	}
	assert_true(w.nodes[0].failed == 1);
	post_free(post);
	/* and begins as soon as it may, whatever ends the letter */
	looks(true);
	nothing_there();
	post_cancel(post, 5);
	assert_true(mono_reached(now, post_deadline(post)));
	post_tick(post, now);
	assert_int_not_equal(opens, 0);
	post_free(post);
}

/* One that takes nothing is left, also when its link is up. */
static void
takes_nothing(void **state)
{
	struct post_where w;

	(void)state;
	looks(false);
	assert_true(post_where(post, 5, now, &w));
	assert_true(w.by_node && w.node == 0 && w.nodes[0].failed == 0);
	nothing_there();
	run(1);
	assert_true(post_where(post, 5, now, &w));
	assert_true(w.node == 1 && w.nodes[0].failed == 1);
	assert_int_not_equal(opens, 0);
	post_free(post);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(to_itself),
		cmocka_unit_test(through_nodes),
		cmocka_unit_test(never),
		cmocka_unit_test(look_waits),
		cmocka_unit_test(takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
