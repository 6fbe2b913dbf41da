/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links on which much is lost, is held or is no longer wanted: what still gets
 * through, and what is heard; and those that never come up, whose places others
 * need.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/core/link/link.h"
#include "tests/unit/link_pair.h"

#define MS INT64_C(1000)

static int
ask(struct pair *p, const uint8_t *data, size_t n)
{
	struct rns_cmd c = pair_cmd(p, RNS_CMD_REQUEST);

	c.request.path = "/echo";
	c.request.data = data;
	c.request.len = n;
	c.request.tag = 9;
	return pair_submit(p, 0, &c);
}

/* What does not compress, as one packed value. */
static uint8_t *
packed(size_t n)
{
	uint8_t *body = pair_filler(n, 9);

	body[0] = 0xc5;
	body[1] = (uint8_t)((n - 3) >> 8);
	body[2] = (uint8_t)(n - 3);
	return body;
}

/*
 * The RTT packet is sent once: without it, whatever follows under the link's
 * key brings up the responder's end, and what does not is refused as before.
 */
static bool
lose_rtt(void *arg, int from, const uint8_t *raw, size_t n)
{
	(void)n;
	if (from != 0 || raw[18] != CTX_LRRTT)
		return true;
	++*(unsigned *)arg;
	return false;
}

static void
test_rtt_lost(void **state)
{
	uint8_t *data = packed(3000);
	enum { IDENTIFY, DATA, SMALL, BIG, CHANNEL, KINDS };
	static const uint8_t nil[] = {0xc0};
	struct rns_cmd c;
	struct pair p;

	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		unsigned lost = 0;

		pair_new(&p, &(struct pair_opts){.delay_us = MS});
		pair_handler(&p, "/echo", RNS_ALLOW_ALL, NULL, 0, 0);
		p.tap = lose_rtt;
		p.tap_arg = &lost;
		pair_announce(&p);
		assert_int_equal(pair_open(&p, RNS_ACCEPT_ALL), RNS_OK);
		pair_wait(&p, 10 * MS);
		assert_non_null(pair_take(&p, 0, RNS_EV_LINK_UP));
		assert_int_equal(lost, 1);
		assert_null(pair_take(&p, 1, RNS_EV_LINK_UP));
		c = pair_cmd(&p, kind == IDENTIFY ? RNS_CMD_LINK_IDENTIFY :
			kind == DATA ? RNS_CMD_LINK_SEND :
				       RNS_CMD_CHANNEL_SEND);
		if (kind == IDENTIFY) {
			memset(c.identify.identity, 0x42, RNS_KEY);
		} else if (kind == DATA) {
			c.packet.dest = p.link;
			c.packet.data = data;
			c.packet.len = 10;
		} else if (kind == CHANNEL) {
			c.channel.data = data;
			c.channel.len = 10;
		}
		if (kind == SMALL || kind == BIG)
			assert_int_equal(ask(&p, kind == BIG ? data : nil,
			    kind == BIG ? 3000 : 1), RNS_OK);
		else
			assert_int_equal(pair_submit(&p, 0, &c), RNS_OK);
		pair_wait(&p, 100 * MS);
		assert_int_equal(pair_take(&p, 1, RNS_EV_LINK_UP) != NULL,
		    kind != CHANNEL);
		if (kind == SMALL || kind == BIG)
			assert_non_null(pair_take(&p, 1, RNS_EV_REQUEST));
		if (kind == IDENTIFY)
			assert_non_null(pair_take(&p, 1,
			    RNS_EV_LINK_IDENTIFIED));
		if (kind == DATA)
			assert_non_null(pair_take(&p, 1, RNS_EV_LINK_DATA));
		pair_free(&p);
	}
	free(data);
}

/* A pause before what came instead of the RTT packet is no way. */
static void
test_rtt_lost_late(void **state)
{
	static const uint8_t nil[] = {0xc0};
	struct rns_link_info info;
	unsigned lost = 0;
	struct pair p;

	(void)state;
	pair_new(&p, &(struct pair_opts){.delay_us = 500 * MS});
	pair_handler(&p, "/echo", RNS_ALLOW_ALL, NULL, 0, 0);
	p.tap = lose_rtt;
	p.tap_arg = &lost;
	pair_announce(&p);
	assert_int_equal(pair_open(&p, RNS_ACCEPT_ALL), RNS_OK);
	pair_wait(&p, 100 * MONO_SECOND);
	assert_int_equal(lost, 1);
	assert_int_equal(ask(&p, nil, 1), RNS_OK);
	assert_non_null(pair_until(&p, 1, RNS_EV_REQUEST, 9 * MONO_SECOND));
	assert_true(rns_link_get(p.n[1].r, &p.link, &info));
	assert_in_range(info.rtt_us, 1, 20 * MONO_SECOND);
	assert_int_equal(info.asker_rtt_us, 0);
	pair_free(&p);
}

/* Who answers waits for more than who asks, and knows what that one saw. */
static void
test_rtt_of_the_asker(void **state)
{
	struct rns_link_info asks, answers;
	struct pair p;

	(void)state;
	pair_new(&p, &(struct pair_opts){.delay_us = 500 * MS});
	pair_announce(&p);
	assert_int_equal(pair_open(&p, RNS_ACCEPT_ALL), RNS_OK);
	pair_wait(&p, 10 * MONO_SECOND);
	assert_true(rns_link_get(p.n[0].r, &p.link, &asks));
	assert_true(rns_link_get(p.n[1].r, &p.link, &answers));
	assert_int_equal(asks.asker_rtt_us, asks.rtt_us);
	assert_in_range(asks.rtt_us, 1000 * MS, 1100 * MS);
	assert_int_equal(answers.asker_rtt_us, asks.rtt_us);
	pair_free(&p);
}

/* ---- answers ---- */

/* Whatever the peer sends in this context is lost. */
static bool
lose_context(void *arg, int from, const uint8_t *raw, size_t n)
{
	(void)n;
	return from != 1 || raw[18] != *(uint8_t *)arg;
}

static void
respond(struct pair *p, const struct rns_event *ev, const uint8_t *data,
    size_t n)
{
	struct rns_cmd c = pair_cmd(p, RNS_CMD_RESPOND);

	c.respond.request_id = ev->request.request_id;
	c.respond.data = data;
	c.respond.len = n;
	c.respond.tag = 77;
	assert_int_equal(pair_submit(p, 1, &c), RNS_OK);
}

/* Who asked with much and is not answered knows that all of it has come. */
static void
test_answer_lost(void **state)
{
	static const uint8_t nil[] = {0xc0};
	uint8_t lost = CTX_RESPONSE;
	uint8_t *data = packed(3000);
	const struct rns_event *ev;
	struct pair p;

	(void)state;
	pair_new(&p, &(struct pair_opts){.delay_us = MS});
	pair_handler(&p, "/echo", RNS_ALLOW_ALL, NULL, 0, 0);
	pair_up(&p);
	p.tap = lose_context;
	p.tap_arg = &lost;
	for (unsigned big = 0; big < 2; big++) {
		assert_int_equal(ask(&p, big ? data : nil, big ? 3000 : 1),
		    RNS_OK);
		ev = pair_until(&p, 1, RNS_EV_REQUEST, MONO_SECOND);
		assert_non_null(ev);
		respond(&p, ev, nil, 1);
		ev = pair_until(&p, 0, RNS_EV_REQUEST_FAILED,
		    30 * MONO_SECOND);
		assert_non_null(ev);
		assert_int_equal(ev->response.delivered, big);
		assert_false(ev->response.too_large);
	}
	pair_free(&p);
	free(data);
}

/* Where the proof is lost the answer says as much: what is next goes at once. */
static void
test_proof_lost(void **state)
{
	static const uint8_t nil[] = {0xc0};
	uint8_t lost = CTX_RESOURCE_PRF;
	uint8_t *data = packed(3000);
	const struct rns_event *ev;
	struct pair p;

	(void)state;
	for (unsigned big = 0; big < 2; big++) {
		pair_new(&p, &(struct pair_opts){.delay_us = MS});
		pair_handler(&p, "/echo", RNS_ALLOW_ALL, NULL, 0, 0);
		pair_up(&p);
		p.tap = lose_context;
		p.tap_arg = &lost;
		for (unsigned i = 0; i < 4; i++) {
			assert_int_equal(ask(&p, data, 3000), RNS_OK);
			ev = pair_until(&p, 1, RNS_EV_REQUEST, MONO_SECOND);
			assert_non_null(ev);
			respond(&p, ev, big ? data : nil, big ? 3000 : 1);
			assert_non_null(pair_until(&p, 0, RNS_EV_RESPONSE,
			    MONO_SECOND));
		}
		pair_free(&p);
	}
	free(data);
}

/* While a link is held nothing is asked for: that time is not its own. */
static void
test_held(void **state)
{
	uint8_t *data = packed(60000);
	const struct rns_event *ev;
	struct rns_cmd c;
	struct pair p;
	int64_t took_us;

	(void)state;
	pair_new(&p, &(struct pair_opts){.delay_us = 50 * MS});
	pair_handler(&p, "/echo", RNS_ALLOW_ALL, NULL, 0, 0);
	pair_up(&p);
	assert_int_equal(ask(&p, data, 60000), RNS_OK);
	ev = pair_until(&p, 1, RNS_EV_REQUEST, 60 * MONO_SECOND);
	assert_non_null(ev);
	took_us = ev->request.took_us;
	assert_in_range(took_us, 300 * MS, 9 * MONO_SECOND);
	/* from its beginning on, midway, and midway for longer */
	c = pair_cmd(&p, RNS_CMD_LINK_HOLD);
	assert_int_equal(ask(&p, data, 60000), RNS_OK);
	for (unsigned i = 0; i < 4; i++) {
		c.hold.until = mono_add(p.now, (i == 0 ? 5 : 20) *
		    MONO_SECOND);
		assert_int_equal(pair_submit(&p, 1, &c), RNS_OK);
		pair_wait(&p, i == 2 ? MONO_SECOND : mono_sub(c.hold.until,
		    p.now) + 150 * MS);
		assert_null(pair_take(&p, 1, RNS_EV_REQUEST));
	}
	ev = pair_until(&p, 1, RNS_EV_REQUEST, 60 * MONO_SECOND);
	assert_non_null(ev);
	assert_in_range(ev->request.took_us, 300 * MS, took_us + 2 *
	    MONO_SECOND);
	pair_free(&p);
	free(data);
}

/* An answer that nobody waits for any more is not brought. */
static void
test_cancelled(void **state)
{
	static const uint8_t nil[] = {0xc0};
	uint8_t *data = packed(3000);
	const struct rns_event *ev;
	struct rns_cmd c;
	struct pair p;

	(void)state;
	pair_new(&p, &(struct pair_opts){.delay_us = MS});
	pair_handler(&p, "/echo", RNS_ALLOW_ALL, NULL, 0, 0);
	pair_up(&p);
	assert_int_equal(ask(&p, nil, 1), RNS_OK);
	c = pair_cmd(&p, RNS_CMD_REQUEST_CANCEL);
	c.cancel.tag = 8;
	assert_int_equal(pair_submit(&p, 0, &c), RNS_ENOENT);
	ev = pair_until(&p, 1, RNS_EV_REQUEST, MONO_SECOND);
	assert_non_null(ev);
	c.cancel.tag = 9;
	assert_int_equal(pair_submit(&p, 0, &c), RNS_OK);
	assert_int_equal(pair_submit(&p, 0, &c), RNS_ENOENT);
	respond(&p, ev, data, 3000);
	ev = pair_until(&p, 1, RNS_EV_SENT, MONO_SECOND);
	assert_non_null(ev);
	assert_int_equal(ev->sent.status, RNS_RES_REJECTED);
	pair_wait(&p, 60 * MONO_SECOND);
	assert_null(pair_take(&p, 0, RNS_EV_RESPONSE));
	assert_null(pair_take(&p, 0, RNS_EV_REQUEST_FAILED));
	pair_free(&p);
	free(data);
}

static void
cancel(struct pair *p, uint64_t tag)
{
	struct rns_cmd c = pair_cmd(p, RNS_CMD_REQUEST_CANCEL);

	c.cancel.tag = tag;
	assert_int_equal(pair_submit(p, 0, &c), RNS_OK);
	assert_int_equal(pair_submit(p, 0, &c), RNS_ENOENT);
}

/* Nor is the rest of one that is on its way; what is asked next is answered. */
static void
test_cancelled_midway(void **state)
{
	static const uint8_t nil[] = {0xc0};
	uint8_t *data = packed(60000);
	const struct rns_event *ev;
	struct pair p;

	(void)state;
	pair_new(&p, &(struct pair_opts){.delay_us = 50 * MS});
	pair_handler(&p, "/echo", RNS_ALLOW_ALL, NULL, 0, 0);
	pair_up(&p);
	assert_int_equal(ask(&p, nil, 1), RNS_OK);
	ev = pair_until(&p, 1, RNS_EV_REQUEST, MONO_SECOND);
	assert_non_null(ev);
	respond(&p, ev, data, 60000);
	assert_non_null(pair_until(&p, 0, RNS_EV_PROGRESS, MONO_SECOND));
	cancel(&p, 9);
	ev = pair_until(&p, 1, RNS_EV_SENT, MONO_SECOND);
	assert_non_null(ev);
	assert_int_equal(ev->sent.status, RNS_RES_REJECTED);
	assert_int_equal(p.n[0].r->resource_bytes, 0);
	pair_wait(&p, 60 * MONO_SECOND);
	assert_null(pair_take(&p, 0, RNS_EV_RESPONSE));
	assert_null(pair_take(&p, 0, RNS_EV_REQUEST_FAILED));
	assert_int_equal(ask(&p, nil, 1), RNS_OK);
	ev = pair_until(&p, 1, RNS_EV_REQUEST, MONO_SECOND);
	assert_non_null(ev);
	respond(&p, ev, data, 60000);
	ev = pair_until(&p, 0, RNS_EV_RESPONSE, 60 * MONO_SECOND);
	assert_non_null(ev);
	assert_int_equal(ev->response.len, 60000);
	pair_free(&p);
	free(data);
}

/* A question that is on its way, and one that waits behind it. */
static void
test_unasked(void **state)
{
	uint8_t *data = packed(60000);
	const struct rns_event *ev;
	struct rns_cmd c;
	struct pair p;

	(void)state;
	for (unsigned waits = 0; waits < 2; waits++) {
		pair_new(&p, &(struct pair_opts){.delay_us = 50 * MS});
		pair_handler(&p, "/echo", RNS_ALLOW_ALL, NULL, 0, 0);
		pair_up(&p);
		c = pair_cmd(&p, RNS_CMD_REQUEST);
		c.request.path = "/echo";
		c.request.data = data;
		c.request.len = 60000;
		for (c.request.tag = 1; c.request.tag <= 3; c.request.tag++) {
			data[9] = (uint8_t)c.request.tag;
			assert_int_equal(pair_submit(&p, 0, &c), RNS_OK);
		}
		assert_non_null(pair_until(&p, 0, RNS_EV_PROGRESS,
		    MONO_SECOND));
		cancel(&p, waits ? 2 : 1);
		assert_non_null(pair_until(&p, 1, RNS_EV_REQUEST,
		    9 * MONO_SECOND));
		assert_non_null(pair_until(&p, 1, RNS_EV_REQUEST,
		    9 * MONO_SECOND));
		assert_null(pair_until(&p, 1, RNS_EV_REQUEST,
		    9 * MONO_SECOND));
		assert_int_equal(p.n[1].r->resource_bytes, 0);
		pair_wait(&p, 60 * MONO_SECOND); /* nobody answers them */
		for (unsigned i = 0; i < 2; i++) {
			ev = pair_take(&p, 0, RNS_EV_REQUEST_FAILED);
			assert_non_null(ev);
			assert_int_not_equal(ev->response.tag, waits ? 2 : 1);
			assert_true(ev->response.delivered);
		}
		assert_null(pair_take(&p, 0, RNS_EV_REQUEST_FAILED));
		pair_free(&p);
	}
	free(data);
}

/* Who asks with much hears how it goes, as who is answered with much does. */
static void
test_request_progress(void **state)
{
	const struct rns_event *ev;
	struct pair p;
	uint8_t *data = packed(20000);
	uint64_t done = 0;

	(void)state;
	pair_new(&p, &(struct pair_opts){.delay_us = MS});
	pair_handler(&p, "/echo", RNS_ALLOW_ALL, NULL, 0, 0);
	pair_up(&p);
	assert_int_equal(ask(&p, data, 20000), RNS_OK);
	assert_non_null(pair_until(&p, 1, RNS_EV_REQUEST, 9 * MONO_SECOND));
	while ((ev = pair_take(&p, 0, RNS_EV_PROGRESS)) != NULL) {
		assert_int_equal(ev->progress.tag, 9);
		assert_false(ev->progress.incoming);
		assert_true(ev->progress.total >= 20000);
		assert_true(ev->progress.done >= done);
		done = ev->progress.done;
	}
	assert_true(done > 10000);
	/* it is a request's: SENT is not for it */
	assert_null(pair_take(&p, 0, RNS_EV_SENT));
	pair_free(&p);
	free(data);
}

/* ---- places ---- */

#define PLACES 4

/* Nobody answers a link request: the proofs of node *arg are lost. */
static bool
lose_proofs(void *arg, int from, const uint8_t *raw, size_t n)
{
	(void)n;
	return from != *(int *)arg || raw[18] != CTX_LRPROOF;
}

/* A destination of node 0, which node 1 hears of. */
static struct hash16
own_dest(struct pair *p)
{
	struct rns_cmd c = {.type = RNS_CMD_DEST_ADD,
	    .dest = {.type = RNS_SINGLE, .name = "test.own",
	        .has_identity = true, .accept_links = true}};
	struct rns_cmd a = {.type = RNS_CMD_ANNOUNCE};
	uint8_t pub[RNS_KEY];
	struct hash16 id;

	memset(c.dest.identity, 0x17, RNS_KEY);
	assert_int_equal(pair_submit(p, 0, &c), RNS_OK);
	assert_int_equal(rns_identity_derive(pub, &id, c.dest.identity),
	    RNS_OK);
	assert_int_equal(rns_dest_hash(&a.announce.dest, "test.own", &id),
	    RNS_OK);
	assert_int_equal(pair_submit(p, 0, &a), RNS_OK);
	pair_wait(p, 10 * MS);
	return a.announce.dest;
}

/*
 * Link requests cost a stranger nothing and hold their places for as long as
 * the hops say that came with them: the oldest makes room for one of ours.
 */
static void
test_strangers_make_room(void **state)
{
	struct rns_cmd c = {.type = RNS_CMD_LINK_OPEN};
	int silent = 0;
	struct pair p;

	(void)state;
	pair_new(&p, &(struct pair_opts){.delay_us = MS});
	pair_announce(&p);
	c.link_open.dest = own_dest(&p);
	p.n[0].r->cfg.limits.links = PLACES;
	p.tap = lose_proofs;
	p.tap_arg = &silent;
	for (unsigned i = 0; i < PLACES; i++) {
		assert_int_equal(pair_submit(&p, 1, &c), RNS_OK);
		pair_wait(&p, 10 * MS);
	}
	assert_int_equal(p.n[0].r->links->count, PLACES);
	assert_int_equal(rns_drops(p.n[0].r, RNS_DROP_LIMIT), 0);
	assert_int_equal(pair_open(&p, RNS_ACCEPT_ALL), RNS_OK);
	pair_wait(&p, 10 * MS);
	assert_non_null(pair_take(&p, 0, RNS_EV_LINK_UP));
	assert_int_equal(p.n[0].r->links->count, PLACES);
	assert_int_equal(rns_drops(p.n[0].r, RNS_DROP_LIMIT), 1);
	pair_free(&p);
}

/*
 * Our own are ours to give up: one that does not come up has its place until
 * it is closed, or until the time that the hops of its path give it.
 */
static void
test_own_keep_their_places(void **state)
{
	struct rns_cmd c = {.type = RNS_CMD_LINK_CLOSE};
	int silent = 1;
	struct pair p;

	(void)state;
	pair_new(&p, &(struct pair_opts){.delay_us = MS});
	pair_announce(&p);
	p.n[0].r->cfg.limits.links = PLACES;
	p.tap = lose_proofs;
	p.tap_arg = &silent;
	for (unsigned i = 0; i < PLACES; i++)
		assert_int_equal(pair_open(&p, RNS_ACCEPT_ALL), RNS_OK);
	c.hash = p.link;
	assert_int_equal(pair_open(&p, RNS_ACCEPT_ALL), RNS_ELIMIT);
	assert_int_equal(pair_submit(&p, 0, &c), RNS_OK);
	p.tap = NULL;
	assert_int_equal(pair_open(&p, RNS_ACCEPT_ALL), RNS_OK);
	pair_wait(&p, 10 * MS);
	assert_non_null(pair_take(&p, 0, RNS_EV_LINK_UP));
	pair_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rtt_lost),
	    cmocka_unit_test(test_rtt_lost_late),
	    cmocka_unit_test(test_rtt_of_the_asker),
	    cmocka_unit_test(test_answer_lost),
	    cmocka_unit_test(test_proof_lost),
	    cmocka_unit_test(test_held),
	    cmocka_unit_test(test_cancelled),
	    cmocka_unit_test(test_cancelled_midway),
	    cmocka_unit_test(test_unasked),
	    cmocka_unit_test(test_request_progress),
	    cmocka_unit_test(test_strangers_make_room),
	    cmocka_unit_test(test_own_keep_their_places),
	};

	return cmocka_run_group_tests_name("link_lost", tests, NULL, NULL);
}
