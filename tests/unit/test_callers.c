/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may connect: shares of an address, the silent, those that flap. */
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
	bool heard;
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

static bool
heard(const struct guest *g)
{
	return ((const struct line *)(const void *)g)->heard;
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
	callers_init(&c, heard);
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
		assert_false(heard(out));
		callers_went(&c, out, rule, now);
		l = (struct line *)(void *)out;
	}
	if (l == NULL)
		l = &lines[nlines++];
	l->heard = false;
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
	assert_false(heard(&l->guest));
}

/* Those that speak are never put out; their address has its share. */
static void
speakers(void **state)
{
	(void)state;
	for (int i = 0; i < CALLERS_SHARE; i++)
		come("192.0.2.1", &door_a, &backbone, CALL_TAKE)->heard = true;
	come("192.0.2.1", &door_a, &backbone, CALL_SHARE);
	come("192.0.2.1", &door_b, &backbone, CALL_SHARE);
	come("::ffff:192.0.2.1", &door_b, &backbone, CALL_SHARE);
	come("192.0.2.3", &door_b, &backbone, CALL_TAKE);
	callers_went(&c, &lines[3].guest, &backbone, now);
	come("192.0.2.1", &door_b, &backbone, CALL_TAKE);
	come("192.0.2.1", &door_b, &backbone, CALL_TAKE)->heard = true;
	come("192.0.2.1", &door_b, &backbone, CALL_SHARE);
}

/* Full: the oldest silent one of whoever has the most places goes. */
static void
full(void **state)
{
	char text[40];
	unsigned n = 0;
	struct line *l;

	(void)state;
	for (unsigned a = 1; n < CALLERS_LISTENER; a++) {
		(void)snprintf(text, sizeof(text), "198.51.100.%u", a);
		for (unsigned k = 0; k < 50 && n < CALLERS_LISTENER; k++, n++)
			come(text, &door_a, &backbone, CALL_TAKE)->heard =
			    k != 7 || a == 1;
	}
	l = come("203.0.113.1", &door_a, &backbone, CALL_TAKE);
	assert_int_equal(c.open, CALLERS_LISTENER);
	assert_ptr_equal(l, &lines[57]); /* the second's eighth */
	l->heard = true;
	/* the other listener has places yet, until all are gone */
	for (n = 0; c.open < CALLERS_OPEN; n++) {
		(void)snprintf(text, sizeof(text), "203.0.113.%u", n / 60 + 9);
		come(text, &door_b, &backbone, CALL_TAKE)->heard = true;
	}
	for (unsigned i = 0; i < nlines; i++)
		lines[i].heard = true;
	come("203.0.113.200", &door_b, &backbone, CALL_FULL);
	come("203.0.113.200", &door_a, &backbone, CALL_FULL);
}

/* All that come through a tunnel's end on this machine have one address. */
static void
tunnels(void **state)
{
	(void)state;
	for (int i = 0; i < 2 * CALLERS_SHARE; i++)
		come(i % 2 ? "127.0.0.1" : "::1", &door_a, &backbone,
		    CALL_TAKE)->heard = true;
	for (int i = 0; i < 2 * CALLERS_SHARE; i++)
		callers_went(&c, &lines[i].guest, &backbone, now);
	come("127.0.0.1", &door_a, &backbone, CALL_TAKE);
	come("::1", &door_a, &backbone, CALL_TAKE);
}

static void
flap(const char *text, const struct flap_rule *rule, int64_t s, bool spoke)
{
	struct line *l = come(text, &door_a, rule, CALL_TAKE);

	nlines--;
	l->heard = spoke;
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
many(void **state)
{
	char text[40];
	struct line *l;

	(void)state;
	for (int i = 0; i < CALLERS_SHARE; i++)
		come("192.0.2.1", &door_a, &backbone, CALL_TAKE)->heard = true;
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
		cmocka_unit_test_setup(full, setup),
		cmocka_unit_test_setup(tunnels, setup),
		cmocka_unit_test_setup(flapping, setup),
		cmocka_unit_test_setup(pauses, setup),
		cmocka_unit_test_setup(many, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
