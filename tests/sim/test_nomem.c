/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/sim/trio.h"

/*
 * The same story again and again, each time with another allocation refused,
 * and then with all from there on refused. A core may drop and refuse; it must
 * not crash, leak, or forget its limits; and when memory is back it works.
 */
void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_realloc(void *, size_t);

static struct trio t;

static const enum rns_event_type seen[] = {
    RNS_EV_ANNOUNCE, RNS_EV_PACKET, RNS_EV_RECEIPT, RNS_EV_LINK_UP,
    RNS_EV_LINK_IDENTIFIED, RNS_EV_LINK_DATA, RNS_EV_REQUEST,
    RNS_EV_RESPONSE, RNS_EV_SENT, RNS_EV_RESOURCE_DONE,
    RNS_EV_CHANNEL_DELIVERED, RNS_EV_LINK_CLOSED};

static uint64_t asked, fail_at, fail_until;

static int
refused(void)
{
	asked++;
	return asked >= fail_at && asked < fail_until;
}

void *
__wrap_malloc(size_t n)
{
	return refused() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t m)
{
	return refused() ? NULL : __real_calloc(n, m);
}

void *
__wrap_realloc(void *p, size_t n)
{
	return refused() ? NULL : __real_realloc(p, n);
}

static void
story(void)
{
	static const enum trio_what what[] = {
	    TRIO_SEND, TRIO_LINK_OPEN, TRIO_IDENTIFY, TRIO_LINK_DATA,
	    TRIO_REQUEST, TRIO_REQUEST_BIG, TRIO_RESOURCE, TRIO_CHANNEL,
	    TRIO_STREAM, TRIO_LINK_CLOSE};

	trio_do(&t, TRIO_ANNOUNCE, TRIO_B);
	trio_do(&t, TRIO_ANNOUNCE, TRIO_A);
	trio_run(&t, 8000000);
	for (size_t i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
		trio_do(&t, what[i], TRIO_A);
		trio_run(&t, 3000000);
	}
	trio_do(&t, TRIO_PATH_DROP, TRIO_A);
	trio_do(&t, TRIO_PATH_REQUEST, TRIO_A);
	trio_run(&t, 5000000);
	trio_do(&t, TRIO_IF_FLAP, TRIO_B);
	trio_run(&t, 1000000);
}

/* With memory again: an announce, a packet and its proof. */
static void
afterwards(void)
{
	unsigned before;

	fail_at = UINT64_MAX;
	trio_run(&t, 100000000);
	for (unsigned i = 0; i < TRIO_NODES; i++)
		if (t.n[i] == NULL)
			return;
	trio_do(&t, TRIO_IF_FLAP, TRIO_A);
	trio_do(&t, TRIO_IF_FLAP, TRIO_B);
	trio_do(&t, TRIO_DEST_FLAP, TRIO_A);
	trio_do(&t, TRIO_DEST_FLAP, TRIO_B);
	trio_run(&t, 60000000);
	trio_do(&t, TRIO_ANNOUNCE, TRIO_B);
	trio_do(&t, TRIO_ANNOUNCE, TRIO_A);
	trio_run(&t, 10000000);
	before = t.events[RNS_EV_PACKET];
	trio_do(&t, TRIO_SEND, TRIO_A);
	trio_run(&t, 10000000);
	assert_true(t.events[RNS_EV_PACKET] > before);
	assert_true(trio_bounded(&t));
}

/* Returns how many allocations the story asks for. */
static uint64_t
run(bool attached, uint64_t from, uint64_t until)
{
	asked = 0;
	fail_at = from;
	fail_until = until;
	if (trio_open(&t, attached)) {
		story();
		assert_true(trio_bounded(&t));
		if (from != UINT64_MAX)
			afterwards();
	}
	fail_at = UINT64_MAX;
	trio_close(&t);
	return asked;
}

static void
one_refused(void **state)
{
	bool attached = *(bool *)*state;
	uint64_t all = run(attached, UINT64_MAX, UINT64_MAX);

	/* It is a story worth the trouble. */
	assert_true(all > 100);
	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
		if (t.events[seen[i]] == 0)
			fail_msg("event %d never came", (int)seen[i]);
	for (uint64_t n = 1; n <= all; n++)
		(void)run(attached, n, n + 1);
}

static void
all_refused_for_a_while(void **state)
{
	bool attached = *(bool *)*state;
	uint64_t all = run(attached, UINT64_MAX, UINT64_MAX);

	for (uint64_t n = 1; n <= all; n += 7)
		(void)run(attached, n, n + 40);
}

int
main(void)
{
	static bool no = false, yes = true;
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_prestate(one_refused, &no),
	    cmocka_unit_test_prestate(all_refused_for_a_while, &no),
	    cmocka_unit_test_prestate(one_refused, &yes),
	    cmocka_unit_test_prestate(all_refused_for_a_while, &yes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
