/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events between who sends them and audit: whatever is lost of the way, or of
 * either side, each number is written once or said to be lost, and none twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/log.h"
#include "common/util.h"
#include "common/witness.h"

#define RUN UINT64_C(0x1122334455667788)
#define MOST 4000

static struct witness w;
static struct ipc *ours, *theirs; /* the sender's end, and audit's */

/* What audit does with it, as audit/counted.c has it, and a trail. */
static struct heard h;
static uint64_t written[MOST], nwritten, lost, acks;
static bool no_room;

static void
connect_up(void)
{
	int fds[2];

	ipc_free(ours);
	ipc_free(theirs);
	assert_int_equal(ipc_pair(fds), 0);
	ours = ipc_new(fds[0], PROGRAM_KEYS, PROGRAM_AUDIT);
	theirs = ipc_new(fds[1], PROGRAM_AUDIT, PROGRAM_KEYS);
	assert_non_null(ours);
	assert_non_null(theirs);
	witness_up(&w, ours);
}

/* Audit is killed: all that it has not read is gone, and its ends. */
static void
cut(void)
{
	ipc_free(ours);
	ipc_free(theirs);
	ours = theirs = NULL;
}

/* What the next one reads in the trail. */
static void
begin_again(void)
{
	h = (struct heard){.run = h.run, .upto = h.upto};
}

static void
gap(uint64_t upto)
{
	if (upto > h.upto)
		lost += upto - h.upto;
	heard_settled(&h, upto);
}

static void
take(const struct ipc_in *in)
{
	struct msg_EVENT_RUN r;
	struct msg_EVENT e;

	if (in->type == IPC_EVENT_RUN) {
		assert_true(msg_get_EVENT_RUN(in->body, &r));
		heard_run(&h, r.run);
		heard_base(&h, r.acked);
		gap(r.upto);
		return;
	}
	assert_int_equal(in->type, IPC_EVENT);
	assert_true(msg_get_EVENT(in->body, &e));
	/* the number of an event goes with it, whatever is sent again */
	assert_int_equal(e.a, (int64_t)e.number);
	heard_run(&h, e.run);
	if (e.number <= h.upto)
		return;
	if (no_room) {
		heard_failed(&h, e.number);
		return;
	}
	gap(e.number - 1);
	assert_true(nwritten < MOST);
	written[nwritten++] = e.number;
	heard_settled(&h, e.number);
}

/* Audit reads so many messages at most, and says how far it is. */
static void
reads(unsigned most, bool says)
{
	struct msg_EVENT_ACK a;
	struct ipc_in in;

	(void)ipc_flush(ours);
	while (most-- > 0 && ipc_recv(theirs, &in) == 1) {
		take(&in);
		ipc_in_done(&in);
		(void)ipc_flush(ours);
	}
	if (!says)
		return;
	a = (struct msg_EVENT_ACK){.run = h.run, .upto = h.upto};
	assert_int_equal(ipc_send_EVENT_ACK(theirs, &a, NULL, 0), 0);
	while (ipc_recv(ours, &in) == 1) {
		assert_true(msg_get_EVENT_ACK(in.body, &a));
		witness_acked(&w, &a);
		ipc_in_done(&in);
		acks++;
	}
}

static void
tell(unsigned n)
{
	while (n-- > 0) {
		struct msg_EVENT e = {.kind = EVK_SIGNED,
		    .a = (int64_t)w.last + 1};

		witness_tell(&w, ours, &e);
	}
}

/* Ascending, each once; with those said to be lost, as many as were sent. */
static void
exact(void)
{
	for (uint64_t i = 1; i < nwritten; i++)
		assert_true(written[i] > written[i - 1]);
	assert_int_equal(nwritten + lost, w.last);
}

static int
setup(void **state)
{
	(void)state;
	log_init("test", 0);
	h = (struct heard){.run = 0};
	nwritten = lost = acks = 0;
	no_room = false;
	witness_init(&w, RUN, 64);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	cut();
	witness_clear(&w);
	assert_int_equal(w.n, 0);
	return 0;
}

static void
test_plain(void **state)
{
	(void)state;
	tell(10); /* before audit is there */
	assert_int_equal(w.n, 10);
	connect_up();
	tell(5);
	reads(100, true);
	assert_int_equal(w.n, 0);
	assert_int_equal(w.acked, 15);
	assert_int_equal(nwritten, 15);
	exact();
}

/* Killed with what it has not read, with what it has written and not said. */
static void
test_cut_everywhere(void **state)
{
	(void)state;
	for (unsigned at = 0; at < 45; at++) {
		assert_int_equal(setup(NULL), 0);
		connect_up();
		tell(20);
		reads(at, at % 2 == 0);
		tell(20);
		reads(at % 7, false);
		cut();
		begin_again();
		tell(3);
		connect_up();
		reads(200, true);
		assert_int_equal(lost, 0);
		assert_int_equal(nwritten, 43);
		assert_int_equal(w.n, 0);
		exact();
		assert_int_equal(teardown(NULL), 0);
	}
	assert_int_equal(setup(NULL), 0);
}

static void
test_doubles(void **state)
{
	(void)state;
	connect_up();
	tell(30);
	reads(100, false); /* written, and nobody knows */
	for (unsigned i = 0; i < 3; i++) {
		cut();
		begin_again();
		connect_up();
		reads(100, false);
	}
	assert_int_equal(nwritten, 30);
	assert_int_equal(w.n, 30);
	reads(0, true);
	assert_int_equal(w.n, 0);
	exact();
}

/* What found no room while it was away is said by the next one at once. */
static void
test_overflow(void **state)
{
	(void)state;
	tell(100);
	assert_int_equal(w.n, 64);
	connect_up();
	reads(200, true);
	assert_int_equal(nwritten, 64);
	assert_int_equal(lost, 36);
	exact();
	/* while it is there but slow: not kept, sent all the same */
	tell(100);
	reads(200, true);
	assert_int_equal(nwritten, 164);
	assert_int_equal(lost, 36);
	exact();
	/* ... and lost with it, but for those that it has written */
	tell(100);
	reads(80, false);
	cut();
	begin_again();
	connect_up();
	reads(200, true);
	assert_int_equal(nwritten, 244);
	assert_int_equal(lost, 56);
	assert_int_equal(w.n, 0);
	exact();
}

/* A place is free again, between others that were not kept. */
static void
test_holes(void **state)
{
	struct msg_EVENT_ACK part = {.run = RUN, .upto = 50};

	(void)state;
	tell(70); /* 65 to 70 are not kept */
	witness_acked(&w, &part);
	assert_int_equal(w.n, 14);
	tell(50); /* 71 to 120 are */
	assert_int_equal(w.n, 64);
	tell(1);
	nwritten = 0;
	heard_run(&h, RUN);
	connect_up(); /* audit's trail is another one: it begins at 50 */
	reads(200, true);
	assert_int_equal(h.upto, 121);
	assert_int_equal(nwritten, 64);
	assert_int_equal(lost, 7);
	assert_int_equal(nwritten + lost + 50, w.last);
}

/* The other side lives on: another run begins at 1, no number is mixed up. */
static void
test_sender_again(void **state)
{
	uint64_t before;

	(void)state;
	connect_up();
	tell(40);
	reads(200, true);
	exact();
	before = nwritten;
	witness_clear(&w);
	witness_init(&w, RUN + 1, 64);
	connect_up();
	tell(7);
	reads(200, true);
	assert_int_equal(nwritten - before, 7);
	assert_int_equal(written[before], 1);
	assert_int_equal(h.upto, 7);
	assert_int_equal(lost, 0);
	/* what is said of another life settles nothing */
	tell(1);
	witness_acked(&w, &(struct msg_EVENT_ACK){.run = RUN, .upto = 8});
	assert_int_equal(w.n, 1);
	/* nor does more than was sent, or less than was heard */
	witness_acked(&w, &(struct msg_EVENT_ACK){.run = RUN + 1, .upto = 9});
	witness_acked(&w, &(struct msg_EVENT_ACK){.run = RUN + 1, .upto = 3});
	assert_int_equal(w.n, 1);
	assert_int_equal(w.acked, 7);
}

/* A disk without room: those are said to be lost by the next that is written. */
static void
test_no_room(void **state)
{
	(void)state;
	connect_up();
	tell(5);
	reads(200, true);
	no_room = true;
	tell(9);
	reads(200, true);
	assert_int_equal(h.failed, 14);
	assert_int_equal(w.n, 9); /* not settled */
	no_room = false;
	tell(1);
	reads(200, true);
	assert_int_equal(lost, 9);
	assert_int_equal(w.n, 0);
	exact();
	/* killed before: they are there still, and are written */
	no_room = true;
	tell(9);
	reads(200, true);
	cut();
	begin_again();
	no_room = false;
	connect_up();
	reads(200, true);
	assert_int_equal(lost, 9);
	exact();
}

/* Numbers end where 64 bits do; nobody sends so many, and none is taken back. */
static void
test_last_numbers(void **state)
{
	(void)state;
	w.last = w.acked = UINT64_MAX - 3;
	h = (struct heard){.run = RUN, .upto = UINT64_MAX - 3};
	connect_up();
	tell(3);
	reads(200, true);
	assert_int_equal(nwritten, 3);
	assert_true(h.upto == UINT64_MAX);
	assert_int_equal(w.n, 0);
	assert_int_equal(lost, 0);
}

/* By chance: a thousand times anything, then peace. */
static void
test_chance(void **state)
{
	uint32_t seed = 4711;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		unsigned r = (seed = seed * 1664525 + 1013904223) >> 16;

		if (ours == NULL)
			connect_up();
		switch (r % 5) {
		case 0:
			tell(r / 5 % 9);
			break;
		case 1:
			reads(r / 5 % 20, true);
			break;
		case 2:
			reads(r / 5 % 20, false);
			break;
		case 3:
			tell(1);
			break;
		default:
			if (r / 5 % 8 != 0)
				break;
			cut();
			begin_again();
			tell(r / 40 % 90);
		}
	}
	if (ours == NULL)
		connect_up();
	reads(MOST, true);
	assert_int_equal(w.n, 0);
	assert_true(lost > 0 && acks > 0);
	exact();
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {T(test_plain),
	    T(test_cut_everywhere), T(test_doubles), T(test_overflow),
	    T(test_holes), T(test_sender_again), T(test_no_room),
	    T(test_last_numbers), T(test_chance)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
