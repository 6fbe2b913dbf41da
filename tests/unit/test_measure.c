/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers of the other programs: asked for, told, late, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/util.h"
#include "transport/engine/engine.h"
#include "transport/engine/measure.h"

static struct engine e;
static unsigned told, asked;
static uint32_t seq;
static bool no_node, no_parent;

/* Two that are never looked into. */
struct ipc *
engine_ipc(const struct engine *me, enum program who)
{
	static char parent, node;

	(void)me;
	if (who == PROGRAM_NODE)
		return no_node ? NULL : (struct ipc *)(void *)&node;
	return no_parent ? NULL : (struct ipc *)(void *)&parent;
}

int __wrap_ipc_send_NUMBERS(struct ipc *, const struct msg_NUMBERS *,
    const int *, unsigned);
int
__wrap_ipc_send_NUMBERS(struct ipc *c, const struct msg_NUMBERS *m,
    const int *fds, unsigned nfds)
{
	(void)c;
	(void)fds;
	assert_int_equal(nfds, 0);
	asked++;
	seq = m->seq;
	return 0;
}

static void
on_told(struct engine *me)
{
	assert_ptr_equal(me, &e);
	told++;
}

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	told = asked = 0;
	no_node = no_parent = false;
	e.loop = ev_default_loop(EVFLAG_NOENV);
	measure_init(&e.measure, &e, on_told);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	assert_false(ev_is_active(&e.measure.limit) && told > 0);
	measure_clear(&e.measure);
	return 0;
}

/* Another round is due. */
static void
later(void)
{
	e.measure.at.us -= 1000000;
}

static void
memory(uint32_t of, unsigned program, uint64_t rss, uint64_t pss)
{
	struct msg_MEMORY m = {.seq = of, .program = (uint8_t)program,
	    .rss = rss, .pss = pss};

	measure_memory(&e.measure, &m);
}

static void
number(uint32_t of, unsigned family, const char *label, uint64_t value)
{
	struct msg_N_NUMBER m = {.seq = of, .family = (uint8_t)family,
	    .value = value};

	(void)snprintf(m.label, sizeof(m.label), "%s", label);
	measure_number(&e.measure, &m);
}

static uint64_t
sum(void)
{
	return measure_memory_sum(&e.measure, clock_mono());
}

static void
test_round(void **state)
{
	(void)state;
	assert_int_equal(sum(), 0);
	assert_true(measure_ask(&e.measure));
	assert_int_equal(asked, 2);
	/* who comes meanwhile waits for the same */
	assert_true(measure_ask(&e.measure));
	assert_int_equal(asked, 2);
	memory(seq, PROGRAM_PARENT, 100, 10);
	memory(seq, PROGRAM_TRANSPORT, 200, 0);
	number(seq, NUMBER_JOBS, "running", 3);
	assert_int_equal(sum(), 0); /* not all are there */
	memory(seq, PROGRAM_COUNT, 0, 0);
	assert_int_equal(told, 0);
	assert_int_equal(e.measure.nsamples, 0);
	number(seq, NUMBER_END, "", 0);
	assert_int_equal(told, 1);
	assert_int_equal(sum(), 210);
	assert_int_equal(e.measure.nsamples, 1);
	assert_string_equal(e.measure.samples[0].label, "running");
	/* they are those of now */
	assert_false(measure_ask(&e.measure));
	assert_int_equal(asked, 2);
	later();
	assert_true(measure_ask(&e.measure));
	assert_int_equal(asked, 4);
	/* of a program that ended since nothing stays */
	memory(seq, PROGRAM_PARENT, 100, 10);
	memory(seq, PROGRAM_COUNT, 0, 0);
	number(seq, NUMBER_END, "", 0);
	assert_int_equal(told, 2);
	assert_int_equal(sum(), 10);
	assert_int_equal(e.measure.nsamples, 0);
	e.measure.at.us -= 60 * 1000000;
	assert_int_equal(sum(), 0); /* of a minute ago */
}

static void
test_strange(void **state)
{
	(void)state;
	/* nobody has asked */
	memory(0, PROGRAM_COUNT, 0, 0);
	number(0, NUMBER_END, "", 0);
	assert_int_equal(told, 0);
	assert_true(measure_ask(&e.measure));
	memory(seq - 1, PROGRAM_PARENT, 5, 5);
	memory(seq - 1, PROGRAM_COUNT, 0, 0);
	number(seq + 1, NUMBER_END, "", 0);
	assert_int_equal(told, 0);
	/* more than there is room for */
	for (unsigned i = 0; i < 2 * MEASURE_SAMPLES; i++)
		number(seq, NUMBER_REFUSED, "x", i);
	number(seq, NUMBER_END, "", 0);
	assert_int_equal(e.measure.nsamples, MEASURE_SAMPLES);
	memory(seq, PROGRAM_COUNT, 0, 0);
	assert_int_equal(told, 1);
	/* after the end */
	number(seq, NUMBER_JOBS, "late", 1);
	memory(seq, PROGRAM_COUNT, 0, 0);
	assert_int_equal(told, 1);
}

static void
test_silent(void **state)
{
	(void)state;
	assert_true(measure_ask(&e.measure));
	memory(seq, PROGRAM_PARENT, 7, 0);
	memory(seq, PROGRAM_COUNT, 0, 0);
	number(seq, NUMBER_JOBS, "running", 3);
	assert_int_equal(told, 0);
	assert_true(ev_is_active(&e.measure.limit));
	ev_feed_event(e.loop, &e.measure.limit, EV_TIMER);
	ev_invoke_pending(e.loop);
	assert_int_equal(told, 1);
	assert_int_equal(sum(), 7); /* what did come counts */
	assert_int_equal(e.measure.nsamples, 0);
	later();
	assert_true(measure_ask(&e.measure));
	ev_feed_event(e.loop, &e.measure.limit, EV_TIMER);
	ev_invoke_pending(e.loop);
	assert_int_equal(told, 2);
	assert_int_equal(sum(), 0);
}

static void
test_gone(void **state)
{
	(void)state;
	assert_true(measure_ask(&e.measure));
	memory(seq, PROGRAM_COUNT, 0, 0);
	measure_node_gone(&e.measure);
	assert_int_equal(told, 1);
	measure_node_gone(&e.measure);
	assert_int_equal(told, 1);
	/* a relay alone has none */
	no_node = true;
	later();
	assert_true(measure_ask(&e.measure));
	memory(seq, PROGRAM_COUNT, 0, 0);
	assert_int_equal(told, 2);
	no_parent = true;
	later();
	assert_false(measure_ask(&e.measure));
	assert_int_equal(told, 2);
}

#define FRESH(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {FRESH(test_round),
	    FRESH(test_strange), FRESH(test_silent), FRESH(test_gone)};

	return cmocka_run_group_tests_name("measure", tests, NULL, NULL);
}
