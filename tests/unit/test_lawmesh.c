/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Documents over the mesh (klp.md 1.6): one judge asks, another gives, and what
 * lies between them is the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/util.h"
#include "node/proto/proto.h"
#include "tests/unit/lawkit.h"
#include "trust/doc/delta.h"

/* ---- tests ---- */

static void
fetched(void **state)
{
	(void)state;
	publish(4, 3);
	assert_int_equal(line(&giver).version, 4);
	assert_string_equal(round_of(), "root:2 head:0 get+0 delta:4 ");
	assert_int_equal(line(&taker).version, 4);
	assert_int_equal(line(&taker).entries, 3);
	assert_string_equal(line(&taker).from, SOURCE_RNS NODE);
	assert_string_equal(line(&taker).failed, "");
	/* what is known is not asked for twice */
	assert_string_equal(round_of(), "root:2 head:0 delta:4 ");
	/* he who has taken it gives it, word for word */
	lawplace_again(&taker);
	assert_int_equal(line(&taker).version, 4);
}

static void
in_pieces(void **state)
{
	size_t len = publish(2, 100);
	char want[256];

	(void)state;
	assert_in_range(len, 16400, 65000);
	piece = 9000;
	(void)snprintf(want, sizeof(want), "root:2 head:0 get+0 get+9000 ");
	assert_memory_equal(round_of(), want, strlen(want));
	assert_int_equal(line(&taker).entries, 100);
	/* one that is busy meanwhile is waited for, with what has come */
	publish(3, 99);
	busy = 1;
	busy_after = 9000;
	order[0] = '\0';
	law_fetch_now(taker.l);
	for (int i = 0; i < 50 && busy > 0; i++) {
		if (is_asked)
			answer();
		(void)law_fetch(taker.l);
		(void)law_work(taker.l, NOW);
	}
	assert_int_equal(busy, 0);
	(void)snprintf(want, sizeof(want), "root:2 head:0 get+0 get+9000 ");
	assert_string_equal(order, want);
	assert_false(is_asked);
	assert_in_range((int)law_fetch(taker.l), 1, 2);
	taker.l->auth[0].src->mesh.again.us = 0; /* its time has come */
	(void)law_fetch(taker.l);
	assert_true(is_asked);
	go_on();
	assert_int_equal(line(&taker).version, 3);
	assert_int_equal(line(&taker).entries, 99);
	/* before the first it is nothing to wait for */
	publish(4, 1);
	busy = 1;
	busy_after = 0;
	(void)round_of();
	assert_int_equal(line(&taker).version, 3);
	assert_string_equal(line(&taker).failed, "");
	(void)round_of();
	assert_int_equal(line(&taker).version, 4);
}

static void
over_a_slow_way(void **state)
{
	(void)state;
	slow_way = true;
	publish(2, 100);
	assert_string_equal(round_of(), "root:2 head:0 get+0 get+0 delta:2 ");
	assert_int_equal(line(&taker).version, 2);
	/* more than 64 KiB is not for it */
	assert_true(publish(3, 500) > 65536);
	(void)round_of();
	failed("klp.allow_slow_fetch");
	assert_int_equal(line(&taker).version, 2);
	taker.conf->allow_slow_fetch = true;
	(void)round_of();
	assert_int_equal(line(&taker).version, 3);
}

/* What is too long for a slow way is gone on with by deltas all the same. */
static void
deltas_over_a_slow_way(void **state)
{
	static struct rev_entry e[501];
	uint8_t out[DELTA_BYTES];

	(void)state;
	assert_true(publish(1, 500) > 65536);
	(void)round_of();
	for (unsigned i = 0; i < NELEM(e); i++)
		e[i] = (struct rev_entry){.kind = REV_RNS,
		    .id = {(uint8_t)(1 + i / 256), (uint8_t)i}};
	kit_dir_put(&giver.klp, "documents/test.kos/" KIT_LIST ".1.delta", out,
	    delta(out, sizeof(out), 1, e, NELEM(e), 1));
	(void)law_look(giver.l, NOW, true);
	publish(2, 501);
	slow_way = true;
	assert_string_equal(round_of(),
	    "root:2 head:0 get+0 get+0 delta:1 delta:2 ");
	assert_int_equal(line(&taker).version, 2);
	assert_int_equal(line(&taker).entries, 501);
	failed("klp.allow_slow_fetch");
}

static void
lies(void **state)
{
	(void)state;
	publish(2, 20);
	(void)round_of();
	publish(3, 100);
	piece = 5000;
	for (lie = LIE_LONGER; lie < LIES; lie++) {
		(void)round_of();
		assert_int_equal(line(&taker).version, 2);
		assert_string_not_equal(line(&taker).failed, "");
	}
	lie = NO_LIE;
	(void)round_of();
	assert_int_equal(line(&taker).version, 3);
}

static void
lying_authority(void **state)
{
	(void)state;
	publish(5, 2);
	(void)round_of();
	assert_int_equal(line(&taker).version, 5);
	/* the other one holds what it has, so it is made to forget */
	kit_remove(giver.own);
	assert_int_equal(mkdir(giver.own, 0700), 0);
	(void)close(giver.dir);
	giver.dir = open(giver.own, O_RDONLY | O_DIRECTORY);
	publish(4, 2);
	lawplace_again(&giver);
	(void)round_of();
	failed("head: older than the one");
	assert_int_equal(last_event, EVK_ROLLBACK);
	publish_more(1, 5, 1, KIT_T0, 1);
	(void)round_of();
	failed("head: another of this");
	assert_int_equal(last_event, EVK_EQUIVOCATION);
	assert_int_equal(line(&taker).entries, 2);
}

static void
nobody_answers(void **state)
{
	static const struct {
		enum mesh_end end;
		bool told;
	} rows[] = {{MESH_NO_PATH, true}, {MESH_NO_LINK, true},
	    {MESH_TIMEOUT, true}, {MESH_TOO_LARGE, true}, {MESH_LATER, false},
	    {MESH_OWN, true}};

	(void)state;
	publish(2, 2);
	for (size_t i = 0; i < NELEM(rows); i++) {
		char text[32];

		mesh = rows[i].end;
		(void)round_of();
		(void)snprintf(text, sizeof(text), "end %u", mesh);
		if (rows[i].told)
			failed(text);
	}
	mesh = MESH_OK;
	no_transport = true;
	(void)round_of();
	no_transport = false;
	assert_int_equal(line(&taker).version, 0);
	/* it goes while it is asked, and answers another life of ours */
	law_fetch_now(taker.l);
	(void)law_fetch(taker.l);
	for (int i = 0; i < 50 && !is_asked; i++)
		(void)law_work(taker.l, NOW);
	law_unfetched(taker.l, false);
	assert_true(is_asked);
	law_unfetched(taker.l, true);
	answer();
	go_on();
	assert_int_equal(line(&taker).version, 0);
	(void)round_of();
	assert_int_equal(line(&taker).version, 2);
}

/* ---- roots ---- */

static void
publish_root(uint32_t version)
{
	struct kit_root r = {.version = version, .issued = 1000000000,
	    .expires = UINT32_MAX};
	static uint8_t buf[8192];
	struct id32 id;
	char name[64];

	(void)snprintf(name, sizeof(name), "documents/test.kos/%u.root.json",
	    version);
	kit_dir_put(&giver.klp, name, buf, kit_root(buf, sizeof(buf), &r,
	    &id));
}

static void
roots_follow(void **state)
{
	(void)state;
	publish_root(2);
	publish_root(3);
	publish_more(3, 7, 2, KIT_T0, 1);
	assert_int_equal(line(&giver).root_version, 3);
	assert_memory_equal(round_of(), "root:2 root:3 root:4 head:0 ", 28);
	assert_int_equal(line(&taker).root_version, 3);
	assert_int_equal(line(&taker).version, 7);
}

/* ---- what is given ---- */

static size_t
given(struct msg_V_GIVE *m, struct msg_V_GIVEN *v, uint8_t **p)
{
	struct id32 id;
	static uint8_t buf[8192];

	(void)kit_root(buf, sizeof(buf), &lawkit_root, &id);
	memcpy(m->atag, id.b, 8);
	head_ptag(m->ptag, KIT_LIST);
	return law_give(giver.l, m, v, p);
}

static unsigned
status_of(struct msg_V_GIVE m)
{
	struct msg_V_GIVEN v;
	uint8_t *p;

	(void)given(&m, &v, &p);
	free(p);
	return v.status;
}

static void
what_is_given(void **state)
{
	char self[URI_SELF_LEN + 1], uri[200];
	struct msg_V_GIVE m = {.what = GIVE_DOC, .n = 10, .max = UINT64_MAX,
	    .uri = LIST_URI};
	struct msg_V_GIVEN v;
	static uint8_t buf[8192];
	struct id32 id;
	uint8_t *p;
	size_t len = publish(6, 2);

	(void)state;
	assert_int_equal(given(&m, &v, &p), 10);
	assert_int_equal(v.version, 6);
	assert_int_equal(v.len, len);
	free(p);
	m.max = len - 1;
	assert_int_equal(status_of(m), ST_TOO_LARGE);
	m.max = len;
	assert_int_equal(status_of(m), ST_OK);
	m.has_have = true;
	m.version = 6;
	assert_int_equal(status_of(m), ST_NOT_MODIFIED);
	m.version = 5;
	assert_int_equal(status_of(m), ST_OK);
	m.offset = len;
	assert_int_equal(status_of(m), ST_NOT_FOUND);
	m.offset = UINT64_MAX;
	assert_int_equal(status_of(m), ST_NOT_FOUND);
	m.offset = 0;
	(void)snprintf(m.uri, sizeof(m.uri), LIST_URI "?v=6");
	assert_int_equal(status_of(m), ST_OK);
	(void)snprintf(m.uri, sizeof(m.uri), LIST_URI "?v=5");
	assert_int_equal(status_of(m), ST_NOT_FOUND);
	(void)snprintf(m.uri, sizeof(m.uri), "klp://test.kos/../x");
	assert_int_equal(status_of(m), ST_MALFORMED);
	(void)snprintf(m.uri, sizeof(m.uri), "klp://other.kos/" KIT_LIST);
	assert_int_equal(status_of(m), ST_NOT_FOUND);
	/* by the name that it has from its root */
	(void)kit_root(buf, sizeof(buf), &lawkit_root, &id);
	uri_self(self, &giver.l->auth[0].a.state.id);
	(void)snprintf(uri, sizeof(uri), "klp://%s/" KIT_LIST, self);
	(void)snprintf(m.uri, sizeof(m.uri), "%s", uri);
	assert_int_equal(status_of(m), ST_OK);
	m = (struct msg_V_GIVE){.what = GIVE_ROOT, .version = 1};
	assert_int_equal(status_of(m), ST_OK);
	m.version = 0;
	assert_int_equal(status_of(m), ST_NOT_FOUND);
	m.version = 2;
	assert_int_equal(status_of(m), ST_NOT_FOUND);
	m.what = 77;
	assert_int_equal(status_of(m), ST_NOT_FOUND);
}

/* What the head names and nobody here reads lies in the folder alone. */
static void
for_others(void **state)
{
	struct msg_V_GIVE m = {.what = GIVE_DOC, .n = 100, .max = UINT64_MAX,
	    .uri = "klp://test.kos/other.json"};
	struct head h = {.root_version = 1, .version = 9, .issued = KIT_T0,
	    .expires = KIT_T0 + 86400};
	static uint8_t buf[8192];
	struct msg_V_GIVEN v;
	struct id32 id;
	uint8_t *p;
	size_t len;

	(void)state;
	len = kit_list(page, sizeof(page), NULL, 1, KIT_T0, KIT_T0 + 86400,
	    NULL, 0, 1);
	kit_dir_put(&giver.klp, "documents/test.kos/" KIT_LIST, page, len);
	kit_names(&h, KIT_LIST, 1, page, len);
	kit_names(&h, "other.json", 3, (const uint8_t *)"what it is", 10);
	(void)kit_root(buf, sizeof(buf), &lawkit_root, &id);
	memcpy(h.atag, id.b, sizeof(h.atag));
	kit_dir_put(&giver.klp, "documents/test.kos/head", buf,
	    kit_head(buf, sizeof(buf), &h, 1));
	kit_dir_put(&giver.klp, "documents/test.kos/other.json", "what it is",
	    10);
	(void)law_look(giver.l, NOW, true);
	assert_int_equal(given(&m, &v, &p), 10);
	assert_memory_equal(p, "what it is", 10);
	assert_int_equal(v.version, 3);
	free(p);
	/* what is another now is not given under its name */
	kit_dir_put(&giver.klp, "documents/test.kos/other.json", "what it was",
	    11);
	free(giver.l->given);
	giver.l->given = NULL;
	assert_int_equal(status_of(m), ST_NOT_FOUND);
}

/* ---- deltas and the set ---- */

static void
deltas_come_together(void **state)
{
	(void)state;
	publish(1, 1);
	(void)round_of();
	publish_deltas(20);
	assert_int_equal(line(&giver).version, 21);
	assert_string_equal(round_of(), "root:2 head:0 delta:1 delta:21 ");
	assert_int_equal(line(&taker).version, 21);
	assert_int_equal(line(&taker).entries, 21);
	/* both know them after a restart */
	lawplace_again(&giver);
	lawplace_again(&taker);
	assert_int_equal(line(&taker).version, 21);
	assert_int_equal(status_of((struct msg_V_GIVE){.what = GIVE_DELTA,
	    .version = 1}), ST_OK);
	assert_int_equal(status_of((struct msg_V_GIVE){.what = GIVE_DELTA,
	    .version = 21}), ST_NOT_MODIFIED);
	assert_int_equal(status_of((struct msg_V_GIVE){.what = GIVE_DELTA,
	    .version = 0}), ST_NOT_FOUND);
}

static void
the_set_in_pages(void **state)
{
	struct msg_V_GIVE m = {.what = GIVE_SET, .n = 7};
	struct msg_V_GIVEN v;
	uint8_t all[64][17];
	size_t n = 0;
	uint8_t *p;

	(void)state;
	publish_deltas(30);
	do {
		size_t len = given(&m, &v, &p);

		assert_int_equal(v.status, ST_OK);
		assert_int_equal(v.version, 31);
		assert_int_equal(len % 17, 0);
		assert_true(n + len / 17 <= 31);
		memcpy(all[n], p, len);
		n += len / 17;
		free(p);
		m.has_id16 = true;
		memcpy(m.id16, all[n - 1] + 1, 16);
	} while (!v.end);
	assert_int_equal(n, 31);
	for (size_t i = 1; i < n; i++)
		assert_true(memcmp(all[i - 1] + 1, all[i] + 1, 16) < 0);
	assert_memory_equal(v.sha.b, giver.l->list.digest.b, 32);
	assert_int_equal(given(&m, &v, &p), 0);
	assert_true(v.end);
	free(p);
}

int
main(void)
{
#define MESH_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    MESH_TEST(fetched),
	    MESH_TEST(in_pieces),
	    MESH_TEST(over_a_slow_way),
	    MESH_TEST(deltas_over_a_slow_way),
	    MESH_TEST(lies),
	    MESH_TEST(lying_authority),
	    MESH_TEST(nobody_answers),
	    MESH_TEST(roots_follow),
	    MESH_TEST(what_is_given),
	    MESH_TEST(for_others),
	    MESH_TEST(deltas_come_together),
	    MESH_TEST(the_set_in_pages),
	};

	if (sodium_init() < 0 || !secp_init(NULL))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
