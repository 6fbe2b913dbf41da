/* SPDX-License-Identifier: BSD-2-Clause */
/* What is asked of the klp.node of others, over a wire to another core. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/ipc.h"
#include "tests/unit/link_pair.h"
#include "transport/engine/engine.h"
#include "transport/engine/errand.h"
#include "transport/engine/nif.h"

#define SECOND MONO_SECOND

static struct engine e;
static struct errands *x;
static struct pair p;
static struct nif iface;
static struct ipc *ours, *trust;
static bool trust_gone;
static enum program asker;

/* What node 1 does, and has seen. */
static size_t answer_len; /* 0: it says nothing */
static bool hangs_up;
static unsigned links, requests, identified, closed, packets;
static size_t request_len;
static struct hash16 their_link, who;

int
engine_submit(struct engine *en, const struct rns_cmd *cmd)
{
	return rns_submit(en->rns, cmd, en->now);
}

struct ipc *
engine_ipc(const struct engine *en, enum program prog)
{
	(void)en;
	return prog == asker && !trust_gone ? ours : NULL;
}

void
engine_send_failed(enum program prog)
{
	fail_msg("nothing can be sent to %d", (int)prog);
}

struct nif *
nif_find(const struct engine *en, unsigned id)
{
	(void)en;
	return id == PAIR_IF ? &iface : NULL;
}

static const struct rns_event *
first(int node)
{
	struct pair_event *ev = TAILQ_FIRST(&p.n[node].events);

	return ev == NULL ? NULL : pair_take(&p, node, ev->ev.type);
}

static void
respond(const struct rns_event *ev)
{
	struct rns_cmd c = {.type = RNS_CMD_RESPOND};
	static uint8_t *bytes;

	requests++;
	request_len = ev->request.len;
	if (hangs_up) {
		c.type = RNS_CMD_LINK_CLOSE;
		c.hash = ev->request.link;
		(void)pair_submit(&p, 1, &c);
		return;
	}
	if (answer_len == 0)
		return;
	free(bytes);
	bytes = pair_filler(answer_len, 1);
	bytes[0] = 0xc6; /* a bin of so many */
	bytes[1] = (uint8_t)((answer_len - 5) >> 24);
	bytes[2] = (uint8_t)((answer_len - 5) >> 16);
	bytes[3] = (uint8_t)((answer_len - 5) >> 8);
	bytes[4] = (uint8_t)(answer_len - 5);
	c.respond.link = ev->request.link;
	c.respond.request_id = ev->request.request_id;
	c.respond.data = bytes;
	c.respond.len = answer_len;
	assert_int_equal(pair_submit(&p, 1, &c), RNS_OK);
}

static void
theirs(const struct rns_event *ev)
{
	switch (ev->type) {
	case RNS_EV_LINK_UP:
		links++;
		their_link = ev->link.id;
		break;
	case RNS_EV_LINK_IDENTIFIED:
		identified++;
		who = ev->link.identity_hash;
		break;
	case RNS_EV_LINK_CLOSED:
		closed++;
		break;
	case RNS_EV_REQUEST:
		respond(ev);
		break;
	case RNS_EV_PACKET:
		packets++;
		break;
	default:
		break;
	}
}

/* So many seconds pass on both sides. */
static void
live(unsigned seconds)
{
	const struct rns_event *ev;

	for (unsigned i = 0; i < seconds * 10; i++) {
		bool more = true;

		while (more) {
			pair_run(&p);
			more = false;
			for (; (ev = first(1)) != NULL; more = true)
				theirs(ev);
			e.now = p.now;
			for (; (ev = first(0)) != NULL; more = true)
				(void)errands_event(x, ev);
		}
		pair_wait(&p, SECOND / 10);
		e.now = p.now;
		if (i % 10 == 9)
			errands_tick(x);
	}
}

static int
begin(enum rns_prove prove)
{
	struct pair_opts o = {.name = "klp.node", .delay_us = 1000,
	    .max_request = IPC_MESH_BODY, .prove = prove};
	int fds[2];

	memset(&e, 0, sizeof(e));
	pair_new(&p, &o);
	pair_handler(&p, "/klp/v1/head", RNS_ALLOW_ALL, NULL, 0, 0);
	pair_handler(&p, "/klp/v1/alert", RNS_ALLOW_ALL, NULL, 0, 0);
	asker = PROGRAM_TRUST;
	e.rns = p.n[0].r;
	e.now = p.now;
	memset(e.identity, 0x44, RNS_KEY);
	assert_int_equal(rns_identity_derive(e.identity_public,
	    &e.identity_hash, e.identity), RNS_OK);
	iface.cfg.bitrate = 10000000;
	x = errands_new(&e);
	assert_non_null(x);
	assert_int_equal(ipc_pair(fds), 0);
	ours = ipc_new(fds[0], PROGRAM_TRANSPORT, PROGRAM_TRUST);
	trust = ipc_new(fds[1], PROGRAM_TRUST, PROGRAM_TRANSPORT);
	trust_gone = hangs_up = false;
	answer_len = 100;
	links = requests = identified = closed = packets = 0;
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	return begin(RNS_PROVE_NONE);
}

static int
setup_proves(void **state)
{
	(void)state;
	return begin(RNS_PROVE_ALL);
}

static int
teardown(void **state)
{
	(void)state;
	errands_free(x);
	ipc_free(ours);
	ipc_free(trust);
	pair_free(&p);
	return 0;
}

static struct msg_M_ASK
question(uint32_t seq)
{
	struct msg_M_ASK m = {.seq = seq, .path = "/klp/v1/head",
	    .max = 4096, .deadline_ms = 60000};
	uint8_t priv[RNS_KEY], pub[RNS_KEY];

	memset(priv, 0x33, sizeof(priv)); /* node 1's klp.node */
	assert_int_equal(rns_identity_derive(pub, &m.identity, priv), RNS_OK);
	return m;
}

static void
ask(const struct msg_M_ASK *m)
{
	struct ipc_in none = {.nfds = 0};

	errands_ask(x, PROGRAM_TRUST, m, &none);
}

/* The next answer; its bytes are looked at when there are any. */
static struct msg_M_ANSWER
answered(uint32_t seq)
{
	struct msg_M_ANSWER m;
	struct ipc_in in;

	assert_int_equal(ipc_recv(trust, &in), 1);
	assert_int_equal(in.type, IPC_M_ANSWER);
	assert_true(msg_get_M_ANSWER(in.body, &m));
	assert_int_equal(m.seq, seq);
	assert_int_equal(in.nfds, m.len > 0);
	if (m.len > 0) {
		size_t len = m.len;
		const uint8_t *map = memfd_map(in.fds[0], &len, 1 << 20);

		assert_non_null(map);
		assert_int_equal(map[0], 0xc6);
		memfd_unmap(map, len);
	}
	ipc_in_done(&in);
	return m;
}

static bool
silent(void)
{
	struct ipc_in in;
	int rc = ipc_recv(trust, &in);

	if (rc > 0)
		ipc_in_done(&in);
	return rc == 0;
}

static void
an_answer_comes(void **state)
{
	struct msg_M_ASK m = question(7);
	struct msg_M_ANSWER a;

	(void)state;
	pair_announce(&p);
	ask(&m);
	live(1);
	a = answered(7);
	assert_int_equal(a.end, MESH_OK);
	assert_int_equal(a.len, 100);
	assert_int_equal(a.bitrate, 10000000);
	assert_int_equal(identified, 0);
	assert_int_equal(request_len, 1); /* nil */
	/* the link is still there, and is closed some time later */
	m = question(8);
	m.identify = true;
	ask(&m);
	live(1);
	assert_int_equal(answered(8).end, MESH_OK);
	assert_int_equal(links, 1);
	assert_int_equal(identified, 1);
	assert_true(hash16_eq(&who, &e.identity_hash));
	live(28);
	assert_int_equal(closed, 0);
	live(6);
	assert_int_equal(closed, 1);
	assert_true(silent());
}

/* A path is asked for, and used as soon as it is there. */
static void
a_path_is_waited_for(void **state)
{
	struct msg_M_ASK m = question(1);

	(void)state;
	ask(&m);
	live(2);
	assert_int_equal(answered(1).end, MESH_OK);
	/* nobody has heard of this one */
	memset(m.identity.b, 9, RNS_HASH);
	ask(&m);
	live(14);
	assert_true(silent());
	live(4);
	assert_int_equal(answered(1).end, MESH_NO_PATH);
	/* ... nor is it asked about longer than the asker waits */
	m.deadline_ms = 3000;
	ask(&m);
	live(5);
	assert_int_equal(answered(1).end, MESH_NO_PATH);
}

static void
answers_have_a_size(void **state)
{
	struct msg_M_ASK m = question(1);

	(void)state;
	pair_announce(&p);
	answer_len = 4097;
	ask(&m);
	live(2);
	assert_int_equal(answered(1).end, MESH_TOO_LARGE);
	answer_len = 4096;
	ask(&m);
	live(2);
	assert_int_equal(answered(1).len, 4096);
	answer_len = 300000;
	m.max = IPC_MESH_BYTES;
	ask(&m);
	live(5);
	assert_int_equal(answered(1).len, 300000);
}

static void
a_slow_way(void **state)
{
	struct msg_M_ASK m = question(1);

	(void)state;
	pair_announce(&p);
	iface.cfg.bitrate = 1200;
	ask(&m);
	live(1);
	assert_int_equal(answered(1).end, MESH_SLOW);
	assert_int_equal(links, 0);
	m.slow = true;
	ask(&m);
	live(1);
	assert_int_equal(answered(1).end, MESH_OK);
	/* the link is there, and this question is not for it all the same */
	m.slow = false;
	ask(&m);
	live(1);
	assert_int_equal(answered(1).end, MESH_SLOW);
	assert_int_equal(requests, 1);
}

static void
without_a_sign_it_is_asked_again(void **state)
{
	struct msg_M_ASK m = question(1);

	(void)state;
	pair_announce(&p);
	answer_len = 0;
	ask(&m);
	live(4);
	assert_in_range(requests, 2, 3);
	answer_len = 50;
	live(4);
	assert_int_equal(answered(1).len, 50);
	live(10);
	assert_true(silent());
	/* not for ever */
	answer_len = requests = 0;
	m.deadline_ms = 20000;
	ask(&m);
	live(25);
	assert_int_equal(answered(1).end, MESH_TIMEOUT);
	assert_int_equal(requests, 4);
}

static void
a_link_is_lost(void **state)
{
	struct msg_M_ASK m = question(1);

	(void)state;
	pair_announce(&p);
	hangs_up = true;
	ask(&m);
	live(1);
	/* opened once more, and that was that */
	assert_int_equal(links, 2);
	assert_int_equal(answered(1).end, MESH_NO_LINK);
	hangs_up = false;
	ask(&m);
	live(1);
	assert_int_equal(answered(1).end, MESH_OK);
	assert_int_equal(links, 3);
}

static bool
deaf(void *arg, int from, const uint8_t *b, size_t n)
{
	(void)arg;
	(void)b;
	(void)n;
	return from == 0;
}

static void
nobody_there(void **state)
{
	struct msg_M_ASK m = question(1);

	(void)state;
	pair_announce(&p);
	pair_run(&p);
	p.tap = deaf;
	ask(&m);
	live(58);
	assert_int_equal(answered(1).end, MESH_NO_LINK);
	assert_int_equal(requests, 0);
}

static void
not_too_many_at_once(void **state)
{
	struct msg_M_ASK m = question(1);
	struct errand_counts c;

	(void)state;
	for (unsigned i = 0; i < ERRANDS_MAX; i++) {
		memset(m.identity.b, (int)i, RNS_HASH);
		m.seq = 10 + i;
		ask(&m);
	}
	assert_true(silent());
	m.seq = 99;
	ask(&m);
	assert_int_equal(answered(99).end, MESH_LATER);
	errands_counts(x, &c);
	assert_int_equal(c.waiting, ERRANDS_MAX);
	assert_int_equal(c.ended[MESH_LATER], 1);
	/* who has asked is gone, and nobody waits any more */
	errands_gone(x, PROGRAM_TRUST);
	live(2);
	errands_counts(x, &c);
	assert_int_equal(c.waiting, 0);
	assert_int_equal(c.links, 0);
	assert_true(silent());
	m = question(5);
	pair_announce(&p);
	ask(&m);
	live(1);
	assert_int_equal(answered(5).end, MESH_OK);
}

static void
out_of_bounds(void **state)
{
	struct msg_M_ASK good = question(1), m = good;

	(void)state;
	m.path[0] = '\0';
	ask(&m);
	assert_int_equal(answered(1).end, MESH_OWN);
	m = good;
	m.max = 0;
	ask(&m);
	assert_int_equal(answered(1).end, MESH_OWN);
	m.max = IPC_MESH_BYTES + 1;
	ask(&m);
	assert_int_equal(answered(1).end, MESH_OWN);
	m = good;
	m.deadline_ms = 0;
	ask(&m);
	assert_int_equal(answered(1).end, MESH_OWN);
	m = good;
	m.len = 10; /* and none of them there */
	ask(&m);
	assert_int_equal(answered(1).end, MESH_OWN);
	m = good;
	m.identity = e.identity_hash;
	ask(&m);
	assert_int_equal(answered(1).end, MESH_NO_PATH);
}

/* Audit asks the hub that the operator names, for what it is for. */
static void
the_hub_alone(void **state)
{
	struct msg_M_ASK m = question(1);
	struct ipc_in none = {.nfds = 0};

	(void)state;
	asker = PROGRAM_AUDIT;
	(void)snprintf(m.path, sizeof(m.path), "/klp/v1/alert");
	errands_ask(x, PROGRAM_AUDIT, &m, &none);
	assert_int_equal(answered(1).end, MESH_OWN);
	e.hub = m.identity;
	e.hub.b[0] ^= 1;
	errands_ask(x, PROGRAM_AUDIT, &m, &none);
	assert_int_equal(answered(1).end, MESH_OWN);
	m.identity = (struct hash16){{0}};
	e.hub = m.identity; /* none is named */
	errands_ask(x, PROGRAM_AUDIT, &m, &none);
	assert_int_equal(answered(1).end, MESH_OWN);
	m = question(1);
	e.hub = m.identity;
	errands_ask(x, PROGRAM_AUDIT, &m, &none);
	assert_int_equal(answered(1).end, MESH_OWN); /* a document */
	pair_announce(&p);
	(void)snprintf(m.path, sizeof(m.path), "/klp/v1/alert");
	errands_ask(x, PROGRAM_AUDIT, &m, &none);
	live(5);
	assert_int_equal(answered(1).end, MESH_OK);
}

static struct msg_M_ASK
alarm_(uint32_t seq)
{
	struct msg_M_ASK m = question(seq);

	asker = PROGRAM_AUDIT;
	(void)snprintf(m.path, sizeof(m.path), "/klp/v1/alert");
	m.packet = m.slow = true;
	m.len = m.data_len = IPC_ALERT;
	e.hub = m.identity;
	return m;
}

/* A packet of its own: no link, and its proof is the answer. */
static void
a_packet(void **state)
{
	struct msg_M_ASK m = alarm_(1);
	struct ipc_in none = {.nfds = 0};

	(void)state;
	iface.cfg.bitrate = 1200;
	errands_ask(x, PROGRAM_AUDIT, &m, &none); /* its path is asked for */
	live(2);
	assert_int_equal(answered(1).end, MESH_OK);
	m.seq = 2;
	errands_ask(x, PROGRAM_AUDIT, &m, &none);
	live(2);
	assert_int_equal(answered(2).end, MESH_OK);
	assert_int_equal(packets, 2);
	assert_int_equal(links + requests, 0);
	/* on the same way one that wants a link gets it */
	m.seq = 3;
	m.packet = false;
	errands_ask(x, PROGRAM_AUDIT, &m, &none);
	live(2);
	assert_int_equal(answered(3).end, MESH_OK);
	assert_int_equal(links, 1);
	m.seq = 4;
	m.packet = true;
	errands_ask(x, PROGRAM_AUDIT, &m, &none);
	live(2);
	assert_int_equal(answered(4).end, MESH_OK);
	assert_int_equal(packets, 3);
	/* nothing but an alarm may be one */
	for (int i = 0; i < 2; i++) {
		m.len = m.data_len = (uint16_t)(IPC_ALERT - 1 + 2 * i);
		errands_ask(x, PROGRAM_AUDIT, &m, &none);
		assert_int_equal(answered(4).end, MESH_OWN);
	}
}

/* Sent twice, and then it was in vain. */
static void
a_packet_in_vain(void **state)
{
	struct msg_M_ASK m = alarm_(1);
	struct ipc_in none = {.nfds = 0};

	(void)state;
	pair_announce(&p);
	errands_ask(x, PROGRAM_AUDIT, &m, &none);
	live(59);
	assert_true(silent());
	live(3);
	assert_int_equal(answered(1).end, MESH_TIMEOUT);
	assert_int_equal(packets, 2);
	assert_int_equal(links, 0);
}

/* No link comes up; *arg: nor is a packet proved. */
static bool
no_links(void *arg, int from, const uint8_t *b, size_t n)
{
	bool proof = from == 1 && (b[0] & 3) == 3;

	(void)n;
	return !proof || (b[18] != 0xff && !*(bool *)arg); /* 0xff: LRPROOF */
}

/* While a link to the same one is opened a packet goes, and needs no link. */
static void
a_packet_beside_a_link(void **state)
{
	struct msg_M_ASK m = alarm_(1);
	struct ipc_in none = {.nfds = 0};
	bool lost = false;

	(void)state;
	pair_announce(&p);
	pair_run(&p);
	p.tap = no_links;
	p.tap_arg = &lost;
	m.packet = false;
	errands_ask(x, PROGRAM_AUDIT, &m, &none);
	live(1);
	assert_true(silent());
	m.seq = 2;
	m.packet = true;
	errands_ask(x, PROGRAM_AUDIT, &m, &none);
	live(1);
	assert_int_equal(answered(2).end, MESH_OK);
	assert_true(silent());
	assert_int_equal(packets, 1);
	/* nor does it end with what wants one */
	lost = true;
	m.seq = 3;
	live(13);
	errands_ask(x, PROGRAM_AUDIT, &m, &none);
	live(20);
	assert_int_equal(answered(1).end, MESH_NO_LINK);
	assert_true(silent());
	lost = false;
	live(14);
	assert_int_equal(answered(3).end, MESH_OK);
	assert_int_equal(links, 0);
	/* what is asked then has its path and its link as ever */
	p.tap = NULL;
	m.seq = 4;
	m.packet = false;
	errands_ask(x, PROGRAM_AUDIT, &m, &none);
	live(8);
	assert_int_equal(answered(4).end, MESH_OK);
	assert_int_equal(links, 1);
}

static void
large_questions(void **state)
{
	struct msg_M_ASK m = question(1);
	struct ipc_in in = {.nfds = 1};
	uint8_t *body = pair_filler(200000, 3);

	(void)state;
	pair_announce(&p);
	memcpy(body, "\xc6\x00\x03\x0d\x3b", 5);
	in.fds[0] = memfd_sealed("body", body, 200000);
	m.len = 200000;
	errands_ask(x, PROGRAM_TRUST, &m, &in);
	live(5);
	assert_int_equal(answered(1).end, MESH_OK);
	assert_int_equal(request_len, 200000);
	assert_int_equal(requests, 1);
	in.nfds = 1;
	in.fds[0] = memfd_sealed("body", body, 1000);
	errands_ask(x, PROGRAM_TRUST, &m, &in);
	assert_int_equal(answered(1).end, MESH_OWN);
	free(body);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_answer_comes),
	    TEST(a_path_is_waited_for),
	    TEST(answers_have_a_size),
	    TEST(a_slow_way),
	    TEST(without_a_sign_it_is_asked_again),
	    TEST(a_link_is_lost),
	    TEST(nobody_there),
	    TEST(not_too_many_at_once),
	    TEST(out_of_bounds),
	    TEST(large_questions),
	    TEST(the_hub_alone), TEST(a_packet_in_vain),
	    cmocka_unit_test_setup_teardown(a_packet, setup_proves, teardown),
	    cmocka_unit_test_setup_teardown(a_packet_beside_a_link,
		setup_proves, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
