/* SPDX-License-Identifier: BSD-2-Clause */
/* Limits of airtime as transport has them, and its books on the disk. */
#define _GNU_SOURCE /* mkdtemp */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "transport/engine/air.h"
#include "transport/engine/engine.h"
#include "transport/engine/store.h"

static struct engine e;
static struct nif radio;
static const struct nif_kind silent;
static struct rnsconf_if conf;
static char top[] = "/tmp/warren-air-XXXXXX";
static int dir = -1;

static const struct airtime medium = {.how = AIRTIME_BITS, .bitrate = 1000};
static const char limit[] = "10000 100000000 25 50 Radio\n"; /* 10 of 100 s */

int
store_dir(const struct store *s)
{
	(void)s;
	return dir;
}

static void
begin(void)
{
	memset(&radio, 0, sizeof(radio));
	conf.name = "Radio";
	e.now = clock_mono();
	radio.kind = &silent;
	radio.e = &e;
	radio.conf = &conf;
	(void)snprintf(radio.name, sizeof(radio.name), "RNode[Radio]");
	TAILQ_INIT(&e.ifs);
	TAILQ_INSERT_TAIL(&e.ifs, &radio, link);
	assert_int_equal(air_new(&radio), 0);
	air_up(&radio, &medium);
}

/* 1 s on the air, if it may go now or a little later. */
static bool
sends_by(struct nif *n, struct mono *now)
{
	static const uint8_t bytes[125];
	static const struct hash16 dest;
	struct rns_tx tx = {.data = bytes, .len = sizeof(bytes),
	    .dest = &dest, .kind = RNS_KIND_RELAY};
	struct airq_packet p;
	struct mono due;
	size_t dropped;

	assert_true(airq_put(n->medium->q, &tx, *now));
	due = airq_due(n->medium->q, *now);
	if (mono_sub(due, *now) < 5 * MONO_SECOND) {
		*now = (struct mono){MAX_OF(now->us, due.us)};
		e.now = *now;
		if (!airq_next(n->medium->q, &p, *now))
			return false;
		air_left(n, p.kind, p.len);
		return true;
	}
	assert_int_equal(airq_clear(n->medium->q, &dropped), 1);
	return false;
}

static bool
sends(struct mono *now)
{
	return sends_by(&radio, now);
}

static unsigned
sends_at_once(void)
{
	struct mono now = clock_mono();
	unsigned n = 0;

	while (n < 50 && sends(&now))
		n++;
	return n;
}

static int
setup(void **state)
{
	(void)state;
	log_init("test", 0);
	log_set_level(-1);
	e.store = (struct store *)(uintptr_t)&e; /* there is one */
	(void)snprintf(top, sizeof(top), "/tmp/warren-air-XXXXXX");
	if (mkdtemp(top) == NULL)
		return -1;
	dir = open(top, O_RDONLY | O_DIRECTORY);
	air_settings(&e, limit, sizeof(limit) - 1);
	return dir < 0 ? -1 : 0;
}

/* The one file, or none. */
static bool
book(char *name, size_t cap)
{
	int sub = dir_open(dir, "airtime", false, 0700);
	struct dirent *d;
	bool found = false;
	DIR *all;

	if (sub < 0 || (all = dir_take(sub)) == NULL)
		return false;
	while ((d = readdir(all)) != NULL)
		if (d->d_name[0] != '.') {
			(void)snprintf(name, cap, "%.60s", d->d_name);
			found = true;
		}
	(void)closedir(all);
	return found;
}

static int
teardown(void **state)
{
	char name[64], path[128];

	(void)state;
	air_free(&radio);
	air_clear(&e);
	if (book(name, sizeof(name))) {
		(void)snprintf(path, sizeof(path), "airtime/%s", name);
		(void)unlinkat(dir, path, 0);
		(void)unlinkat(dir, "airtime", AT_REMOVEDIR);
	}
	(void)close(dir);
	return rmdir(top);
}

static void
no_fresh_budget(void **state)
{
	(void)state;
	begin();
	assert_int_equal(sends_at_once(), 10);
	air_free(&radio);
	begin();
	assert_int_equal(sends_at_once(), 0);
}

/* As if it were killed: what is on the disk is of before. */
static void
killed(void **state)
{
	(void)state;
	begin();
	assert_int_equal(sends_at_once(), 10);
	e.now = mono_add(e.now, (AIR_SAVE_S + 1) * MONO_SECOND);
	air_second(&e); /* once a minute */
	airq_free(radio.medium->q);
	free(radio.medium);
	begin();
	assert_int_equal(sends_at_once(), 0);
}

static void
damaged(void **state)
{
	char name[64];
	int sub;

	(void)state;
	begin();
	air_free(&radio);
	assert_true(book(name, sizeof(name)));
	sub = dir_open(dir, "airtime", false, 0700);
	assert_int_equal(file_replace(sub, name, "no book", 7, 0600), 0);
	(void)close(sub);
	begin();
	assert_int_equal(sends_at_once(), 0);
}

/* Where there is no limit nothing is written; one may come by a reload. */
static void
reloaded(void **state)
{
	char name[64];

	(void)state;
	air_settings(&e, NULL, 0);
	begin();
	assert_int_equal(sends_at_once(), 50);
	air_free(&radio);
	assert_false(book(name, sizeof(name)));
	begin();
	air_settings(&e, limit, sizeof(limit) - 1);
	assert_int_equal(sends_at_once(), 10);
	air_settings(&e, "10000 100000000 25 50 Other\n", 28);
	assert_true(sends_at_once() > 0);
	air_settings(&e, limit, sizeof(limit) - 1);
	assert_int_equal(sends_at_once(), 0);
}

#define AIR_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/*
 * Peers behind one radio: what they send together is what the duty cycle gives,
 * also with one that is new, that was away, or after a restart.
 */
static void
one_radio(void **state)
{
	static struct nif peer[3];
	struct mono now;
	char name[64];
	unsigned sent = 0, part;

	(void)state;
	for (int life = 0; life < 2; life++) {
		begin();
		now = e.now;
		for (unsigned i = 0; i < 2; i++) {
			memset(&peer[i], 0, sizeof(peer[i]));
			peer[i].e = &e;
			peer[i].conf = &conf;
			peer[i].parent = &radio;
			(void)snprintf(peer[i].name, sizeof(peer[i].name),
			    "Peer[%u]", i);
			TAILQ_INSERT_TAIL(&e.ifs, &peer[i], link);
			assert_int_equal(air_new(&peer[i]), 0);
			air_up(&peer[i], &medium);
		}
		part = 0;
		for (unsigned i = 0; i < 50 && sends_by(&peer[i % 2], &now);
		     i++)
			part++;
		if (life == 0)
			assert_int_equal(part, 10);
		sent += part;
		assert_false(sends_by(&peer[0], &now));
		assert_false(sends_by(&peer[1], &now));
		/* it goes, and comes back */
		TAILQ_REMOVE(&e.ifs, &peer[1], link);
		air_free(&peer[1]);
		peer[2] = peer[1];
		TAILQ_INSERT_TAIL(&e.ifs, &peer[2], link);
		assert_int_equal(air_new(&peer[2]), 0);
		air_up(&peer[2], &medium);
		assert_false(sends_by(&peer[2], &now));
		air_free(&peer[0]);
		air_free(&peer[2]);
		/* the radio's is the one book, also of one that is killed */
		assert_true(book(name, sizeof(name)));
		e.now = mono_add(clock_mono(), (AIR_SAVE_S + 1) * MONO_SECOND);
		air_second(&e);
		airq_free(radio.medium->q);
		free(radio.medium);
		radio.medium = NULL;
	}
	/* a clock that went on by nothing between both lives */
	assert_int_equal(sent, 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    AIR_TEST(no_fresh_budget),
	    AIR_TEST(killed),
	    AIR_TEST(damaged),
	    AIR_TEST(reloaded),
	    AIR_TEST(one_radio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
