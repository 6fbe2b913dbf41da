/* SPDX-License-Identifier: BSD-2-Clause */
/* An interface asks to be opened: whatever becomes of the answer, it goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "transport/engine/engine.h"
#include "transport/engine/nif.h"
#include "transport/engine/opener.h"

static struct engine e;
static struct nif n;
static struct nif_kind kind = {.carries = true};
static struct rnsconf_if conf;
static char name[] = "far";
static unsigned asked, panicked;
static bool refuse;

/* ---- what opener.c has to do with ---- */

int
program_send_DIAL(const struct process *p, const struct msg_DIAL *m, const int *fds,
    unsigned nfds)
{
	(void)p;
	(void)fds;
	(void)nfds;
	assert_int_equal(m->seq, e.next_seq);
	asked++;
	if (refuse)
		errno = ENOBUFS;
	return refuse ? -1 : 0;
}

int
program_send_BIND(const struct process *p, const struct msg_BIND *m, const int *fds,
    unsigned nfds)
{
	(void)m;
	return program_send_DIAL(p, &(struct msg_DIAL){.seq = e.next_seq}, fds,
	    nfds);
}

int
program_send_PANIC(const struct process *p, const struct msg_PANIC *m,
    const int *fds, unsigned nfds)
{
	(void)p;
	(void)fds;
	(void)nfds;
	assert_string_equal(m->name, name);
	panicked++;
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	log_init("test", 0);
	memset(&e, 0, sizeof(e));
	memset(&n, 0, sizeof(n));
	memset(&conf, 0, sizeof(conf));
	e.loop = ev_loop_new(EVFLAG_AUTO);
	conf.name = name;
	n.e = &e;
	n.kind = &kind;
	n.conf = &conf;
	ev_init(&n.retry, NULL);
	n.retry.data = &n;
	asked = panicked = 0;
	e.conf = NULL;
	refuse = false;
	return e.loop == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	ev_timer_stop(e.loop, &n.retry);
	ev_loop_destroy(e.loop);
	return 0;
}

static void
let_time_pass(void)
{
	assert_true(ev_is_active(&n.retry));
	ev_timer_stop(e.loop, &n.retry);
	ev_invoke(e.loop, &n.retry, EV_TIMER);
}

/* With panic_on_interface_error the parent hears of what is for good. */
static void
panic(void **state)
{
	struct rnsconf all = {.panic_on_interface_error = true};

	(void)state;
	e.conf = &all;
	/* nobody is there: that is no failure, until it has given up */
	opener_failed(&n, "connect", ECONNREFUSED, "");
	assert_int_equal(panicked, 0);
	assert_true(ev_is_active(&n.retry));
	conf.max_reconnect_tries = n.tries;
	opener_failed(&n, "connect", ECONNREFUSED, "");
	assert_int_equal(panicked, 1);
	assert_true(n.given_up);
	/* who listens and cannot has failed at once */
	kind.carries = false;
	n.given_up = false;
	ev_timer_stop(e.loop, &n.retry);
	opener_failed(&n, "listen", EADDRINUSE, "");
	assert_int_equal(panicked, 2);
	assert_true(n.given_up && !ev_is_active(&n.retry));
	/* without the key it is tried again */
	all.panic_on_interface_error = false;
	n.given_up = false;
	opener_failed(&n, "listen", EADDRINUSE, "");
	assert_int_equal(panicked, 2);
	assert_true(!n.given_up && ev_is_active(&n.retry));
	kind.carries = true;
}

/* A lost answer once left an interface down for good. */
static void
no_answer(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 3; i++) {
		opener_ask(&n);
		assert_int_equal(asked, i);
		assert_true(n.seq != 0 && ev_is_active(&n.retry));
		/* longer than the parent may take, and not for ever */
		assert_true(ev_timer_remaining(e.loop, &n.retry) > 50);
		assert_true(ev_timer_remaining(e.loop, &n.retry) < 300);
		let_time_pass();
		assert_int_equal(n.seq, 0);
		assert_non_null(strstr(n.error, "no answer"));
		/* and it asks again */
		assert_true(ev_timer_remaining(e.loop, &n.retry) < 61);
		ev_timer_stop(e.loop, &n.retry);
	}
	opener_again(&n);
	let_time_pass();
	assert_int_equal(asked, 4);
}

static void
an_answer(void **state)
{
	(void)state;
	opener_ask(&n);
	opener_answered(&n);
	assert_int_equal(n.seq, 0);
	assert_false(ev_is_active(&n.retry));
	opener_failed(&n, "cannot connect", ECONNREFUSED, "");
	assert_true(ev_is_active(&n.retry));
	assert_non_null(strstr(n.error, "nobody listens"));
}

static void
not_sent(void **state)
{
	(void)state;
	refuse = true;
	opener_ask(&n);
	assert_int_equal(n.seq, 0);
	assert_true(ev_timer_remaining(e.loop, &n.retry) < 61);
}

/*
 * Thrown out soon after each connect: a dial every 5 s for ever made others
 * block us.
 */
static void
thrown_out(void **state)
{
	double waits[] = {5, 10, 20, 40, 80, 160, 320, 600, 600};

	(void)state;
	n.online = true;
	for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
		double s;

		opener_done(&n);
		opener_why(&n, "lost");
		n.since.us = clock_mono().us - 19 * MONO_SECOND;
		opener_lost(&n);
		s = ev_timer_remaining(e.loop, &n.retry);
		assert_true(s > waits[i] * 0.95 && s < waits[i] * 1.15);
		assert_true((strstr(n.error, "soon after") != NULL) == (i > 0));
	}
	/* nobody there any more in between changes nothing */
	for (int i = 0; i < 3; i++)
		opener_failed(&n, "cannot connect", ECONNREFUSED, "");
	assert_true(ev_timer_remaining(e.loop, &n.retry) > 500);
	/* one that lives is forgiven all */
	opener_done(&n);
	n.since.us = clock_mono().us - 21 * MONO_SECOND;
	opener_lost(&n);
	assert_true(ev_timer_remaining(e.loop, &n.retry) < 6);
	/* and these are no tries that max_reconnect_tries counts */
	conf.max_reconnect_tries = 2;
	for (int i = 0; i < 5; i++) {
		opener_done(&n);
		n.since = clock_mono();
		opener_lost(&n);
		assert_false(n.given_up);
	}
	opener_failed(&n, "cannot connect", ECONNREFUSED, "");
	assert_false(n.given_up);
	opener_failed(&n, "cannot connect", ECONNREFUSED, "");
	assert_true(n.given_up);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(no_answer, setup, teardown),
	    cmocka_unit_test_setup_teardown(an_answer, setup, teardown),
	    cmocka_unit_test_setup_teardown(not_sent, setup, teardown),
	    cmocka_unit_test_setup_teardown(panic, setup, teardown),
	    cmocka_unit_test_setup_teardown(thrown_out, setup, teardown)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
