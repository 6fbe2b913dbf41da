/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/core/base/bz.h"
#include "transport/core/base/ctx.h"
#include "transport/core/link/channel.h"
#include "transport/core/link/link.h"
#include "tests/unit/link_pair.h"

/* What reaches the application of a stream or a channel has no hole. */

#define STREAM 5

static void
ready(struct pair *p)
{
	struct rns_cmd c;

	pair_new(p, &(struct pair_opts){.delay_us = 1000});
	pair_up(p);
	for (int node = 0; node < 2; node++) {
		c = pair_cmd(p, RNS_CMD_STREAM_OPEN);
		c.stream.stream = STREAM;
		assert_int_equal(pair_submit(p, node, &c), RNS_OK);
	}
}

static void
say(struct pair *p, const char *text, bool eof)
{
	struct rns_cmd c = pair_cmd(p, RNS_CMD_STREAM_SEND);
	size_t taken = 0;

	c.stream.stream = STREAM;
	c.stream.data = (const uint8_t *)text;
	c.stream.len = strlen(text);
	c.stream.eof = eof;
	c.stream.taken = &taken;
	assert_int_equal(pair_submit(p, 0, &c), RNS_OK);
	assert_int_equal(taken, strlen(text));
	pair_wait(p, 50000);
}

/* One message of the stream as a stranger would make it. */
static void
say_raw(struct pair *p, uint16_t head, const uint8_t *b, size_t n)
{
	uint8_t h[2] = {(uint8_t)(head >> 8), (uint8_t)head};
	struct iovec_c v[2] = {{h, 2}, {b, n}};
	struct rns *r = p->n[0].r;

	assert_int_equal(channel_send(r, link_find(r, &p->link),
	    CHANNEL_STREAM, v, 2, 0), RNS_OK);
	pair_wait(p, 50000);
}

static void
hears(struct pair *p, const char *text, bool eof)
{
	const struct rns_event *ev = pair_take(p, 1, RNS_EV_STREAM_DATA);

	assert_non_null(ev);
	assert_int_equal(ev->channel.err, RNS_OK);
	assert_int_equal(ev->channel.msgtype, STREAM);
	assert_int_equal(ev->channel.len, strlen(text));
	assert_memory_equal(ev->channel.data, text, strlen(text));
	assert_int_equal(ev->channel.eof, eof);
}

static void
breaks_off(struct pair *p, int err)
{
	const struct rns_event *ev = pair_take(p, 1, RNS_EV_STREAM_DATA);

	assert_non_null(ev);
	assert_int_equal(ev->channel.err, err);
	assert_int_equal(ev->channel.msgtype, STREAM);
	assert_int_equal(ev->channel.len, 0);
	assert_false(ev->channel.eof);
}

static void
a_damaged_piece_is_the_end(void **state)
{
	static const uint8_t zeros[16385];
	struct iovec_c v = {zeros, sizeof(zeros)};
	uint8_t bomb[200];
	struct pair p;
	size_t n;

	(void)state;
	assert_int_equal(bz_compress(bomb, &n, sizeof(bomb), &v, 1), RNS_OK);
	for (int garbage = 0; garbage < 2; garbage++) {
		ready(&p);
		say(&p, "first", false);
		if (garbage)
			say_raw(&p, 0x4000 | STREAM, zeros, 9);
		else
			say_raw(&p, 0x4000 | STREAM, bomb, n);
		say(&p, "third", true);
		hears(&p, "first", false);
		breaks_off(&p, garbage ? RNS_EPARSE : RNS_EBIG);
		assert_null(pair_take(&p, 1, RNS_EV_STREAM_DATA));
		/* the channel goes on for the others */
		assert_true(rns_drops(p.n[1].r, RNS_DROP_CHANNEL) > 1);
		assert_null(pair_take(&p, 0, RNS_EV_LINK_CLOSED));
		assert_true(TAILQ_EMPTY(&link_find(p.n[0].r,
		    &p.link)->channel->ring));
		pair_free(&p);
	}
}

/* What cannot be queued is not proved, so it comes again. */
static void
nothing_is_lost_to_a_full_queue(void **state)
{
	static const char *const words[] = {"first", "second", "third"};
	struct rns_limits *limits;
	struct pair p;

	(void)state;
	ready(&p);
	limits = &p.n[1].r->cfg.limits;
	limits->events = 0;
	say(&p, words[0], false);
	say(&p, words[1], false);
	assert_null(pair_take(&p, 1, RNS_EV_STREAM_DATA));
	/* the second one is held, out of its turn */
	assert_int_equal(link_find(p.n[0].r, &p.link)->channel->ring_count, 1);
	assert_true(rns_drops(p.n[1].r, RNS_DROP_LIMIT) > 0);
	limits->events = 100;
	pair_wait(&p, 2 * MONO_SECOND);
	say(&p, words[2], true);
	for (int i = 0; i < 3; i++)
		hears(&p, words[i], i == 2);
	assert_null(pair_take(&p, 1, RNS_EV_STREAM_DATA));
	pair_free(&p);
}

/* Those that were proved before their turn wait on, and stay in order. */
static void
held_ones_wait_for_the_queue(void **state)
{
	struct rns *r;
	struct channel *c;
	struct pair p;

	(void)state;
	ready(&p);
	r = p.n[1].r;
	c = link_find(r, &p.link)->channel;
	c->rx_next = 0xffff; /* as if the one before were on its way */
	say(&p, "first", false);
	assert_false(TAILQ_EMPTY(&c->held));
	assert_int_equal(link_find(p.n[0].r, &p.link)->channel->ring_count, 0);
	c->rx_next = 0;
	r->cfg.limits.events = 0;
	say(&p, "second", false);
	assert_false(TAILQ_EMPTY(&c->held));
	assert_int_equal(c->rx_next, 0);
	r->cfg.limits.events = 100;
	say(&p, "third", true);
	pair_wait(&p, 2 * MONO_SECOND);
	hears(&p, "first", false);
	hears(&p, "second", false);
	hears(&p, "third", true);
	assert_null(pair_take(&p, 1, RNS_EV_STREAM_DATA));
	assert_true(TAILQ_EMPTY(&c->held));
	pair_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_damaged_piece_is_the_end),
	    cmocka_unit_test(nothing_is_lost_to_a_full_queue),
	    cmocka_unit_test(held_ones_wait_for_the_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
