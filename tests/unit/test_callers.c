/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may connect: shares of an address, who goes for whom, those that flap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transport/engine/callers.h"

struct line {
	struct guest guest; /* first */
	enum caller_worth worth;
};

static struct callers c;
static struct line lines[CALLERS_OPEN + 8];
static unsigned nlines;
static struct mono now;
static char door_a, door_b;

/* the reference's Backbone (reticulum-transport.md 10.4) */
static const struct flap_rule backbone = {.on = true, .grace = 5,
    .threshold_us = 20 * MONO_SECOND, .block_us = 720 * 60 * MONO_SECOND};
static const struct flap_rule tcp = {.on = true, .silent_only = true,
    .grace = 5, .threshold_us = 20 * MONO_SECOND,
    .block_us = 720 * 60 * MONO_SECOND, .first_us = 10 * MONO_SECOND};

static enum caller_worth
worth(const struct guest *g, struct mono t)
{
	assert_true(t.us >= now.us - 1);
	return ((const struct line *)(const void *)g)->worth;
}

static struct sockaddr_storage
sa(const char *text)
{
	struct sockaddr_storage s = {0};
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		memcpy(&s, &v4, sizeof(v4));
	else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
		memcpy(&s, &v6, sizeof(v6));
	else
		fail_msg("no address: %s", text);
	return s;
}

static int
setup(void **state)
{
	(void)state;
	memset(&c, 0, sizeof(c));
	memset(lines, 0, sizeof(lines));
	nlines = 0;
	now.us = 1000 * MONO_SECOND;
	callers_init(&c, worth);
	return 0;
}

/* As a listener does: what goes for another goes first. NULL: refused. */
static struct line *
come(const char *text, const void *door, const struct flap_rule *rule,
    enum callers_say want)
{
	struct sockaddr_storage s = sa(text);
	struct line *l = NULL;
	struct guest *out;

	assert_int_equal(callers_ask(&c, &s, rule, door, now, &out), want);
	if (want != CALL_TAKE) {
		assert_null(out);
		return NULL;
	}
	if (out != NULL) {
		callers_went(&c, out, &(struct flap_rule){0}, now);
		l = (struct line *)(void *)out;
	}
	if (l == NULL)
		l = &lines[nlines++];
	l->worth = WORTH_SILENT;
	callers_came(&c, &l->guest, &s, door, now);
	now.us++;
	return l;
}

/* 520 that say nothing took all places, and nobody else came in. */
static void
silent_ones(void **state)
{
	struct line *l;

	(void)state;
	for (int i = 0; i < 520; i++)
		(void)come("192.0.2.1", &door_a, &(struct flap_rule){0},
		    CALL_TAKE);
	assert_int_equal(c.open, CALLERS_SHARE);
	l = come("192.0.2.2", &door_a, &backbone, CALL_TAKE);
	assert_int_equal(c.open, CALLERS_SHARE + 1);
	assert_int_equal(l->worth, WORTH_SILENT);
}

/* Those that speak are never put out; their address has its share. */
static void
speakers(void **state)
{
	(void)state;
	for (int i = 0; i < CALLERS_SHARE; i++)
		come("192.0.2.1", &door_a, &backbone, CALL_TAKE)->worth = WORTH_USEFUL;
	come("192.0.2.1", &door_a, &backbone, CALL_SHARE);
	come("192.0.2.1", &door_b, &backbone, CALL_SHARE);
	come("::ffff:192.0.2.1", &door_b, &backbone, CALL_SHARE);
	come("192.0.2.3", &door_b, &backbone, CALL_TAKE);
	callers_went(&c, &lines[3].guest, &backbone, now);
	come("192.0.2.1", &door_b, &backbone, CALL_TAKE);
	come("192.0.2.1", &door_b, &backbone, CALL_TAKE)->worth = WORTH_USEFUL;
	come("192.0.2.1", &door_b, &backbone, CALL_SHARE);
}

/* So many of an address, each of that worth, while there are places. */
static unsigned
many(const char *text, unsigned n, enum caller_worth w)
{
	struct sockaddr_storage s = sa(text);
	unsigned came = 0;
	struct guest *out;

	while (came < n && callers_ask(&c, &s, &backbone, &door_a, now,
	    &out) == CALL_TAKE && out == NULL) {
		lines[nlines].worth = w;
		callers_came(&c, &lines[nlines++].guest, &s, &door_a, now);
		now.us++;
		came++;
	}
	return came;
}

static unsigned
open_of(const char *text)
{
	struct sockaddr_storage s = sa(text);
	unsigned n = 0;

	for (unsigned i = 0; i < nlines; i++)
		n += lines[i].guest.from != NULL && memcmp(
		    lines[i].guest.from->last_addr + 12,
		    &((struct sockaddr_in *)(void *)&s)->sin_addr, 4) == 0;
	return n;
}

/* A share of what is left: each address leaves some for the next. */
static void
shares(void **state)
{
	static const unsigned want[] = {64, 64, 64, 64, 64, 64, 64, 32, 16, 8,
	    4, 4, 0};
	char text[40];

	(void)state;
	for (unsigned i = 0; i < sizeof(want) / sizeof(*want); i++) {
		(void)snprintf(text, sizeof(text), "198.51.100.%u", i);
		assert_int_equal(many(text, 100, WORTH_USEFUL), want[i]);
		/* nobody who is of use goes while there is a place */
		if (c.open < CALLERS_LISTENER)
			come(text, &door_a, &backbone, CALL_SHARE);
	}
	assert_int_equal(c.open, CALLERS_LISTENER);
	/* above its share of what is left, but below the most: in their place */
	(void)come("198.51.100.9", &door_a, &backbone, CALL_TAKE);
	assert_int_equal(open_of("198.51.100.9"), 9);
	assert_int_equal(open_of("198.51.100.0"), 63);
	come("198.51.100.1", &door_a, &backbone, CALL_SHARE);
}

/* Eight addresses of junk, each beyond what it would get one by one. */
static void
junk(void **state)
{
	char text[40];

	(void)state;
	for (unsigned i = 0; i < 8 * 64; i++) {
		struct sockaddr_storage s;

		(void)snprintf(text, sizeof(text), "198.51.100.%u", i % 8);
		s = sa(text);
		lines[nlines].worth = WORTH_NONE;
		callers_came(&c, &lines[nlines++].guest, &s, &door_a, now);
		now.us++;
	}
	/* all come, and those that are here stay below the others */
	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(text, sizeof(text), "10.0.0.%u", i);
		come(text, &door_a, &backbone, CALL_TAKE);
	}
	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(text, sizeof(text), "10.0.0.%u", i);
		assert_int_equal(open_of(text), 1);
	}
	for (unsigned i = 0; i < 8; i++) {
		(void)snprintf(text, sizeof(text), "198.51.100.%u", i);
		assert_int_equal(open_of(text), 39);
		/* and do not come back but for their own */
		come(text, &door_a, &backbone, CALL_TAKE);
		assert_int_equal(open_of(text), 39);
	}
}

static void
fill(const char *net, unsigned first, unsigned n, enum caller_worth w)
{
	char text[40];

	for (unsigned i = first; i < first + n; i++) {
		(void)snprintf(text, sizeof(text), net, i / 200, i % 200);
		assert_int_equal(many(text, 1, w), 1);
	}
}

/* Who goes, in turn: each step only when there is nobody of the one before. */
static void
steps(void **state)
{
	struct line *l;

	(void)state;
	/* 0..3 link, 4..9 useful, 10 none alone, 11 none, 12 silent of three */
	assert_int_equal(many("192.0.2.1", 4, WORTH_LINK), 4);
	assert_int_equal(many("192.0.2.2", 6, WORTH_USEFUL), 6);
	assert_int_equal(many("192.0.2.3", 1, WORTH_NONE), 1);
	assert_int_equal(many("192.0.2.4", 2, WORTH_NONE), 2);
	lines[12].worth = WORTH_SILENT;
	assert_int_equal(many("192.0.2.5", 3, WORTH_USEFUL), 3);
	fill("10.0.%u.%u", 0, CALLERS_LISTENER - 16, WORTH_USEFUL);
	/* several of no use: silent first; then alone it counts as one */
	for (unsigned i = 0; i < 10; i++) {
		static const unsigned goes[] = {12, 4, 5, 10, 11, 6, 7, 13,
		    8, 14};
		char text[40];

		(void)snprintf(text, sizeof(text), "203.0.113.%u", i);
		l = come(text, &door_a, &backbone, CALL_TAKE);
		assert_ptr_equal(l, &lines[goes[i]]);
		l->worth = WORTH_LINK;
	}
	for (unsigned i = 0; i < 3; i++) {
		char text[40];

		(void)snprintf(text, sizeof(text), "203.0.113.%u", 20 + i);
		assert_ptr_equal(come(text, &door_a, &backbone, CALL_TAKE),
		    &lines[i]);
		lines[i].worth = WORTH_LINK;
	}
	/* all are alone and of use */
	come("203.0.113.100", &door_a, &backbone, CALL_FULL);
	come("10.0.0.1", &door_a, &backbone, CALL_FULL);
	/* one of the other listener does not count; that has places */
	(void)come("203.0.113.101", &door_b, &backbone, CALL_TAKE);
	come("203.0.113.100", &door_a, &backbone, CALL_FULL);
	/* that has become useless goes for a new address, or for its own */
	lines[200].worth = WORTH_NONE;
	come("10.0.0.1", &door_a, &backbone, CALL_FULL);
	assert_ptr_equal(come("10.0.0.184", &door_a, &backbone, CALL_TAKE),
	    &lines[200]);
}

/* Whoever has a network has its 65,536 of 64 bits: there it counts as one. */
static void
networks(void **state)
{
	char text[60];
	struct line *l;

	(void)state;
	for (unsigned i = 0; i < 400; i++) {
		(void)snprintf(text, sizeof(text), "2001:db8:1:%x::1", i);
		assert_int_equal(many(text, 1, WORTH_LINK), 1);
	}
	fill("10.0.%u.%u", 0, CALLERS_LISTENER - 400, WORTH_NONE);
	/* of no use goes first, whoever it is */
	l = come("192.0.2.1", &door_a, &backbone, CALL_TAKE);
	assert_ptr_equal(l, &lines[400]);
	l->worth = WORTH_LINK;
	for (unsigned i = 401; i < nlines; i++)
		lines[i].worth = WORTH_LINK;
	assert_ptr_equal(come("192.0.2.2", &door_a, &backbone, CALL_TAKE),
	    &lines[0]);
	lines[0].worth = WORTH_USEFUL;
	assert_ptr_equal(come("2001:db8:2::1", &door_a, &backbone, CALL_TAKE),
	    &lines[1]);
	/* the network itself gets nothing from those that have less */
	come("2001:db8:1:ffff::1", &door_a, &backbone, CALL_FULL);
}

/* All listeners together are full: any of their connections may go. */
static void
all_listeners(void **state)
{
	char text[40];
	struct line *l;

	(void)state;
	fill("10.0.%u.%u", 0, CALLERS_LISTENER - 10, WORTH_USEFUL);
	for (unsigned i = 0; c.open < CALLERS_OPEN; i++) {
		(void)snprintf(text, sizeof(text), "10.9.%u.%u", i / 200,
		    i % 200);
		come(text, &door_b, &backbone, CALL_TAKE)->worth =
		    i == 7 ? WORTH_NONE : WORTH_USEFUL;
	}
	l = come("192.0.2.1", &door_a, &backbone, CALL_TAKE);
	assert_ptr_equal(l, &lines[CALLERS_LISTENER - 10 + 7]);
	l->worth = WORTH_USEFUL;
	come("192.0.2.2", &door_a, &backbone, CALL_FULL);
	come("192.0.2.2", &door_b, &backbone, CALL_FULL);
}

/* All that come through a tunnel's end on this machine have one address. */
static void
tunnels(void **state)
{
	(void)state;
	for (int i = 0; i < 2 * CALLERS_SHARE; i++)
		come(i % 2 ? "127.0.0.1" : "::1", &door_a, &backbone,
		    CALL_TAKE)->worth = WORTH_USEFUL;
	for (int i = 0; i < 2 * CALLERS_SHARE; i++)
		callers_went(&c, &lines[i].guest, &backbone, now);
	come("127.0.0.1", &door_a, &backbone, CALL_TAKE);
	come("::1", &door_a, &backbone, CALL_TAKE);
}

/* They have half of the places as if each were alone, the rest is on loan. */
static void
tunnel_half(void **state)
{
	struct line *l;

	(void)state;
	assert_int_equal(many("127.0.0.1", 300, WORTH_USEFUL), 300);
	fill("10.0.%u.%u", 0, CALLERS_LISTENER - 300, WORTH_USEFUL);
	come("127.0.0.1", &door_a, &backbone, CALL_FULL);
	for (unsigned i = 0; i < 300 - CALLERS_LISTENER / 2; i++) {
		char text[40];

		(void)snprintf(text, sizeof(text), "192.0.2.%u", i);
		l = come(text, &door_a, &backbone, CALL_TAKE);
		assert_ptr_equal(l, &lines[i]);
		l->worth = WORTH_USEFUL;
	}
	come("192.0.2.99", &door_a, &backbone, CALL_FULL);
	/* of no use: for another, and for one of their own */
	lines[280].worth = WORTH_NONE;
	assert_ptr_equal(come("127.0.0.1", &door_a, &backbone, CALL_TAKE),
	    &lines[280]);
	assert_ptr_equal(come("192.0.2.99", &door_a, &backbone, CALL_TAKE),
	    &lines[280]);
}

/* Who binds another address of this machine has no half more. */
static void
loopbacks(void **state)
{
	(void)state;
	many("127.0.0.1", CALLERS_LISTENER / 2, WORTH_USEFUL);
	many("127.0.0.2", CALLERS_LISTENER / 4, WORTH_USEFUL);
	many("::1", CALLERS_LISTENER / 4, WORTH_USEFUL);
	come("127.3.4.5", &door_a, &backbone, CALL_FULL);
	come("192.0.2.1", &door_a, &backbone, CALL_TAKE);
	come("198.51.100.1", &door_a, &backbone, CALL_TAKE);
}

/* What the core says of an interface. */
static void
worths(void **state)
{
	struct rns_if_use u = {.useful = {-1}, .linked = {-1}};
	struct mono t = {5 * MONO_SECOND};

	(void)state;
	assert_int_equal(callers_worth(&u, t), WORTH_SILENT);
	u.heard = true;
	assert_int_equal(callers_worth(&u, t), WORTH_NONE);
	u.useful = t;
	assert_int_equal(callers_worth(&u, t), WORTH_USEFUL);
	t.us += CALLERS_USEFUL_S * MONO_SECOND - 1;
	assert_int_equal(callers_worth(&u, t), WORTH_USEFUL);
	t.us++;
	assert_int_equal(callers_worth(&u, t), WORTH_NONE);
	u.linked = t;
	t.us += CALLERS_LINK_S * MONO_SECOND - 1;
	assert_int_equal(callers_worth(&u, t), WORTH_LINK);
	t.us++;
	assert_int_equal(callers_worth(&u, t), WORTH_USEFUL);
	t.us += CALLERS_USEFUL_S * MONO_SECOND;
	assert_int_equal(callers_worth(&u, t), WORTH_NONE);
}

static void
flap(const char *text, const struct flap_rule *rule, int64_t s, bool spoke)
{
	struct line *l = come(text, &door_a, rule, CALL_TAKE);

	nlines--;
	l->worth = spoke ? WORTH_NONE : WORTH_SILENT;
	now.us += s * MONO_SECOND;
	callers_went(&c, &l->guest, rule, now);
}

static void
flapping(void **state)
{
	unsigned at = 0;
	uint8_t addr[16];

	(void)state;
	for (int i = 0; i < 20; i++) /* these live long enough */
		flap("192.0.2.1", &backbone, 20, true);
	for (int i = 0; i < 5; i++)
		flap("192.0.2.1", &backbone, 19, true);
	assert_false(callers_blocked(&c, now, &at, addr));
	flap("192.0.2.1", &backbone, 1, true);
	come("192.0.2.1", &door_a, &backbone, CALL_FLAPPING);
	come("192.0.2.1", &door_b, &backbone, CALL_FLAPPING);
	(void)come("192.0.2.2", &door_a, &backbone, CALL_TAKE);
	at = 0;
	assert_true(callers_blocked(&c, now, &at, addr));
	assert_memory_equal(addr + 12, ((uint8_t[]){192, 0, 2, 1}), 4);
	assert_false(callers_blocked(&c, now, &at, addr));
	now.us += 720 * 60 * MONO_SECOND - 10;
	come("192.0.2.1", &door_a, &backbone, CALL_FLAPPING);
	now.us += 10;
	/* forgotten */
	now.us += 1;
	for (int i = 0; i < 5; i++)
		flap("192.0.2.1", &backbone, 1, true);
	flap("192.0.2.1", &(struct flap_rule){0}, 1, true);
	flap("192.0.2.1", &backbone, 100, true);
}

/* TCP: only those that brought nothing, and the pause grows. */
static void
pauses(void **state)
{
	int64_t pause = 10;

	(void)state;
	for (int i = 0; i < 50; i++)
		flap("2001:db8::1", &tcp, 1, true);
	for (int i = 0; i < 5; i++)
		flap("2001:db8::1", &tcp, 1, false);
	for (int i = 0; i < 6; i++, pause *= 2) {
		/* the network of a caller counts, not its address */
		flap("2001:db8::2", &tcp, 1, false);
		come("2001:db8::3", &door_a, &tcp, CALL_FLAPPING);
		now.us += pause * MONO_SECOND - 1;
		come("2001:db8::3", &door_a, &tcp, CALL_FLAPPING);
		now.us += 1;
	}
	come("2001:db8:0:1::3", &door_a, &tcp, CALL_TAKE);
	now.us += 3600 * MONO_SECOND;
	for (int i = 0; i < 5; i++)
		flap("2001:db8::1", &tcp, 1, false);
	come("2001:db8::1", &door_a, &tcp, CALL_TAKE);
}

/* More addresses than there is memory for: who is here stays known. */
static void
forgotten(void **state)
{
	char text[40];
	struct line *l;

	(void)state;
	for (int i = 0; i < CALLERS_SHARE; i++)
		come("192.0.2.1", &door_a, &backbone, CALL_TAKE)->worth = WORTH_USEFUL;
	for (int i = 0; i < 3 * CALLERS_MAX; i++) {
		(void)snprintf(text, sizeof(text), "10.0.%d.%d", i / 250,
		    i % 250);
		flap(text, &backbone, 0, false);
	}
	come("192.0.2.1", &door_a, &backbone, CALL_SHARE);
	l = come("192.0.2.77", &door_a, &backbone, CALL_TAKE);
	callers_went(&c, &l->guest, &backbone, now);
	callers_went(&c, &l->guest, &backbone, now); /* nothing more */
	assert_int_equal(c.open, CALLERS_SHARE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(silent_ones, setup),
		cmocka_unit_test_setup(speakers, setup),
		cmocka_unit_test_setup(shares, setup),
		cmocka_unit_test_setup(junk, setup),
		cmocka_unit_test_setup(steps, setup),
		cmocka_unit_test_setup(networks, setup),
		cmocka_unit_test_setup(all_listeners, setup),
		cmocka_unit_test_setup(tunnel_half, setup),
		cmocka_unit_test_setup(loopbacks, setup),
		cmocka_unit_test_setup(worths, setup),
		cmocka_unit_test_setup(tunnels, setup),
		cmocka_unit_test_setup(flapping, setup),
		cmocka_unit_test_setup(pauses, setup),
		cmocka_unit_test_setup(forgotten, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
