/* SPDX-License-Identifier: BSD-2-Clause */
/* What is heard of interfaces of others waits, and is weighed later. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/config/rnsconf.h"
#include "transport/discovery/offer.h"
#include "transport/engine/discovery.h"
#include "transport/engine/engine.h"

static struct engine e;
static struct discovery *d;
static unsigned told;

static void
unpredictable(void *arg, uint8_t *out, size_t n)
{
	static uint8_t next;

	(void)arg;
	memset(out, next++, n);
}

static void
heard(struct engine *x, const struct offer_entry *entry)
{
	(void)x;
	(void)entry;
	told++;
}

static int
setup(void **state)
{
	static const char text[] = "[reticulum]\ndiscover_interfaces = yes\n";
	struct rns_config cfg = {.random = unpredictable, .transport = true,
	    .identity = {1}};
	struct mistakes m = {0};

	(void)state;
	memset(&e, 0, sizeof(e));
	TAILQ_INIT(&e.ifs);
	e.loop = ev_loop_new(EVFLAG_NOENV);
	e.now.us = MONO_SECOND;
	assert_int_equal(rnsconf_parse(&e.conf, text, strlen(text), &m), 0);
	rns_limits_default(&cfg.limits);
	e.rns = rns_new(&cfg, e.now);
	assert_non_null(e.rns);
	d = discovery_new(&e, -1, NULL, heard);
	assert_non_null(d);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	discovery_free(d);
	rns_free(e.rns);
	rnsconf_free(e.conf);
	ev_loop_destroy(e.loop);
	return 0;
}

static void
announced(uint8_t who)
{
	static uint8_t app[60]; /* no stamp, so it is worth nothing */
	struct rns_event ev = {.type = RNS_EV_ANNOUNCE};

	memset(ev.announce.identity_hash.b, who, RNS_HASH);
	rns_name_hash(ev.announce.name_hash, "rnstransport.discovery."
	    "interface");
	ev.announce.app_data = app;
	ev.announce.app_data_len = sizeof(app);
	discovery_event(d, &ev);
}

static void
blackhole(uint8_t who, bool on)
{
	struct rns_cmd cmd = {.type = RNS_CMD_BLACKHOLE};

	memset(cmd.blackhole.identity.b, who, RNS_HASH);
	cmd.blackhole.on = on;
	assert_int_equal(rns_submit(e.rns, &cmd, e.now), RNS_OK);
}

/* The core lets none of a blackholed identity pass: it came before that. */
static void
test_blackhole(void **state)
{
	(void)state;
	announced(7);
	announced(8);
	blackhole(7, true);
	assert_int_equal(discovery_drops(d, OFFER_BLACKHOLE), 0);
	(void)ev_run(e.loop, EVRUN_NOWAIT);
	(void)ev_run(e.loop, EVRUN_NOWAIT);
	assert_int_equal(discovery_drops(d, OFFER_BLACKHOLE), 1);
	assert_int_equal(discovery_drops(d, OFFER_STAMP), 1);
	/* lifted meanwhile: as any other */
	announced(7);
	blackhole(7, false);
	(void)ev_run(e.loop, EVRUN_NOWAIT);
	assert_int_equal(discovery_drops(d, OFFER_BLACKHOLE), 1);
	assert_int_equal(discovery_drops(d, OFFER_STAMP), 2);
	assert_int_equal(told, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_blackhole, setup, teardown)};

	return cmocka_run_group_tests_name("discovery", tests, NULL, NULL);
}
