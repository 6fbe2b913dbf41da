/* SPDX-License-Identifier: BSD-2-Clause */
/* A node that is the hub of others: whose lines it takes, and in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/trail_line.h"
#include "common/mpk.h"
#include "node/config/hubconf.h"
#include "node/proto/proto_get.h"
#include "node/work/events.h"
#include "node/work/peers.h"
#include "tests/unit/nodekit.h"
#include "trust/doc/alert.h"
#include "trust/doc/digest.h"
#include "trust/doc/frame.h"

static struct {
	bool has, full;
	uint64_t seq;
	struct id32 digest;
	char text[8192];
	size_t len;
	unsigned writes;
} disk;
static char lines[20][512]; /* of a sender's trail, from line 1 on */
static struct hub_peer list[2];

static bool
last(void *ctx, const struct hash16 *who, uint64_t *seq, struct id32 *digest)
{
	(void)ctx;
	assert_memory_equal(who->b, peer_next(&w.n, NULL)->rns_hash.b, 16);
	*seq = disk.seq;
	*digest = disk.digest;
	return disk.has;
}

static bool
keep(void *ctx, const struct hash16 *who, const uint8_t *p, size_t len,
    uint64_t seq, const struct id32 *digest)
{
	(void)ctx;
	(void)who;
	if (disk.full)
		return false;
	assert_true(disk.len + len <= sizeof(disk.text));
	memcpy(disk.text + disk.len, p, len);
	disk.len += len;
	disk.seq = seq;
	disk.digest = *digest;
	disk.has = true;
	disk.writes++;
	return true;
}

static void
own(struct world *world, struct host *h)
{
	(void)world;
	h->events_last = last;
	h->events_keep = keep;
}

static void
trail(const char *pad)
{
	struct id32 prev = {{0}};

	for (uint64_t i = 1; i < 20; i++) {
		char body[64];
		int n = snprintf(body, sizeof(body), "{\"n\":%llu,\"p\":\"%s\"}",
		    (unsigned long long)i, pad);
		size_t k = trail_line_event(lines[i], sizeof(lines[i]), i,
		    &prev, body, (size_t)n);

		assert_true(k > 0);
		digest_of(&prev, lines[i], k - 1);
	}
}

static int
begin(void **state)
{
	(void)state;
	memset(&disk, 0, sizeof(disk));
	world_init(&w);
	w.own = own;
	own(&w, &w.n.host);
	world_up(&w, 2);
	world_link(&w, 1, 10000000);
	world_identify(&w, 1, 0x41);
	world_run(&w, 1);
	list[0] = (struct hub_peer){.id = {{0x41}}};
	w.n.policy.hub = list;
	w.n.policy.nhub = 1;
	trail("");
	return 0;
}

static struct proto_ans *
bring(const void *p, size_t len)
{
	struct proto_req q = {.path = PATH_EVENTS, .body = {p, len}};

	return world_call(&w, 1, &q);
}

static void
taken(struct proto_ans *a, uint64_t seq)
{
	uint64_t v;

	assert_non_null(a);
	assert_int_equal(a->status, ST_OK);
	assert_true(mpk_get_uint(&a->body, &v));
	assert_int_equal(v, seq);
}

static struct proto_ans *
from_to(unsigned from, unsigned to)
{
	char text[8192];
	size_t n = 0;

	for (unsigned i = from; i <= to; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s",
		    lines[i]);
	return bring(text, n);
}

static void
in_order(void **state)
{
	char all[8192] = "";
	size_t n = 0;

	(void)state;
	taken(from_to(1, 3), 3);
	taken(from_to(1, 3), 3); /* its answer was lost: once is enough */
	taken(from_to(2, 5), 5);
	taken(from_to(6, 6), 6);
	for (unsigned i = 1; i <= 6; i++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s",
		    lines[i]);
	assert_int_equal(disk.len, n);
	assert_memory_equal(disk.text, all, disk.len);
	assert_int_equal(disk.writes, 3);
	assert_int_equal(w.events_seen[EVK_PEER_BROKEN], 0);
	/* nothing is acknowledged that is not on the disk */
	disk.full = true;
	assert_int_equal(from_to(7, 8)->status, ST_BUSY);
	disk.full = false;
	taken(from_to(7, 8), 8);
	assert_int_equal(w.events_seen[EVK_PEER_BROKEN], 0);
}

static void
breaks(void **state)
{
	(void)state;
	taken(from_to(4, 6), 6); /* where it begins here */
	assert_int_equal(w.events_seen[EVK_PEER_BROKEN], 0);
	taken(from_to(9, 9), 9);
	assert_int_equal(w.events_seen[EVK_PEER_BROKEN], 1);
	/* other lines with the next numbers: kept, and said */
	trail("other");
	taken(from_to(10, 12), 12);
	assert_int_equal(w.events_seen[EVK_PEER_BROKEN], 2);
	taken(from_to(13, 14), 14);
	assert_int_equal(w.events_seen[EVK_PEER_BROKEN], 2);
}

static void
no_lines(void **state)
{
	char text[1024];
	size_t n = (size_t)snprintf(text, sizeof(text), "%s%s", lines[1],
	    lines[2]);

	(void)state;
	for (size_t k = 0; k < n; k++) {
		char *cut = malloc(k + 1);
		struct proto_ans *a;

		memcpy(cut, text, k);
		a = bring(cut, k);
		if (a->status != ST_MALFORMED && k != strlen(lines[1]))
			fail_msg("%zu bytes: %d", k, (int)a->status);
		free(cut);
		world_drop_answers(&w);
		world_run(&w, 1000); /* its budget of requests */
	}
	n = (size_t)snprintf(text, sizeof(text), "%s%s", lines[3], lines[2]);
	assert_int_equal(bring(text, n)->status, ST_MALFORMED);
	assert_int_equal(disk.seq, 1);
}

static void
strangers(void **state)
{
	struct hash16 rns = peer_next(&w.n, NULL)->rns_hash;

	(void)state;
	w.n.policy.nhub = 0;
	assert_int_equal(from_to(1, 1)->status, ST_REFUSED);
	list[0].id.b[0] = 0x42;
	w.n.policy.nhub = 1;
	assert_int_equal(from_to(1, 1)->status, ST_REFUSED);
	list[1] = (struct hub_peer){.by_rns = true};
	memcpy(list[1].id.b, rns.b, sizeof(rns.b));
	w.n.policy.nhub = 2;
	taken(from_to(1, 1), 1);
	/* one that has not said who he is */
	world_link(&w, 2, 10000000);
	{
		struct proto_req q = {.path = PATH_EVENTS,
		    .body = {(const uint8_t *)lines[2], strlen(lines[2])}};

		assert_int_equal(world_call(&w, 2, &q)->status, ST_REFUSED);
	}
	assert_int_equal(disk.seq, 1);
}

static void
alarms(void **state)
{
	struct alert a = {.severity = 5, .class_uid = 2004, .seq = 77,
	    .count = 2};
	uint8_t frame[ALERT_SIGNED] = {0};
	struct proto_req q = {.path = PATH_ALERT, .body = {frame, ALERT_FRAME}};

	(void)state;
	alert_put(frame, &a);
	taken(world_call(&w, 1, &q), 77);
	assert_int_equal(w.events_seen[EVK_PEER_ALARM], 1);
	frame[ALERT_FRAME] = 1;
	for (size_t n = 0; n <= sizeof(frame); n++) {
		q.body.n = n;
		if (n != ALERT_FRAME)
			assert_int_equal(world_call(&w, 1, &q)->status,
			    ST_MALFORMED);
		world_drop_answers(&w);
	}
	assert_int_equal(w.events_seen[EVK_PEER_ALARM], 1);
}

static struct hash16 sender;

static bool
last_of_all(void *ctx, const struct hash16 *who, uint64_t *seq,
    struct id32 *digest)
{
	(void)ctx;
	*seq = disk.seq;
	*digest = disk.digest;
	return disk.has && hash16_eq(who, &sender);
}

/* What trust says of one; is it proved? */
static bool
came(const struct alert *a, bool ok)
{
	struct msg_T_ALERT t = {.packet = {{(uint8_t)a->seq}}};
	struct msg_V_ALERTED v = {.ok = ok, .packet = t.packet, .rns = sender};
	unsigned was = w.alerts_taken, asked = w.alerts;

	v.fp.b[0] = 0x77;
	alert_put(t.frame, a);
	t.frame[ALERT_FRAME] = 1;
	memcpy(v.frame, t.frame, sizeof(v.frame));
	events_packet(&w.n, &t);
	assert_int_equal(w.alerts, asked + 1);
	assert_memory_equal(w.alert.frame, t.frame, sizeof(t.frame));
	events_alerted(&w.n, &v);
	if (w.alerts_taken > was)
		assert_true(id32_eq(&w.alert_taken.packet, &t.packet));
	return w.alerts_taken > was;
}

/*
 * Told once, proved as often as it comes; no later than that: neither, that it
 * comes by a link; and of whom, and when.
 */
static void
packets(void **state)
{
	struct alert a = {.severity = 5, .class_uid = 2004, .seq = 77,
	    .count = 2, .time = w.n.unix_now};
	uint64_t refused = w.n.count.alarms_refused;

	(void)state;
	w.n.host.events_last = last_of_all;
	disk.has = false;
	sender = (struct hash16){{9, 9}};
	list[0] = (struct hub_peer){.by_rns = true};
	list[0].id.b[0] = list[0].id.b[1] = 9;
	w.n.policy.nhub = 1;
	assert_true(came(&a, true));
	assert_true(came(&a, true));
	assert_int_equal(w.events_seen[EVK_PEER_ALARM], 1);
	a.seq = 76; /* of the same second, and before it */
	assert_false(came(&a, true));
	a.seq = 77; /* another line */
	a.chain[7] = 1;
	assert_false(came(&a, true));
	a.chain[7] = 0;
	a.time--; /* its clock went back */
	a.seq = 90;
	assert_false(came(&a, true));
	assert_int_equal(w.events_seen[EVK_PEER_ALARM], 1);
	assert_int_equal(w.n.count.alarms_refused, refused + 3);
	a.time += 2;
	assert_true(came(&a, true));
	assert_int_equal(w.events_seen[EVK_PEER_ALARM], 2);
	/* a hub that was started anew knows by the lines themselves */
	w.n.nalarm = 0;
	disk.has = true;
	disk.seq = 90;
	memset(disk.digest.b, 0, 8);
	assert_true(came(&a, true));
	assert_int_equal(w.events_seen[EVK_PEER_ALARM], 2);
	assert_int_equal(w.n.count.alarms_refused, refused + 3);
	/* ... and its trail begun anew is not what is here */
	disk.digest.b[7] = 1;
	assert_false(came(&a, true));
	disk.seq = 1000;
	assert_false(came(&a, true));
	assert_int_equal(w.events_seen[EVK_PEER_ALARM], 2);
	disk.seq = 89;
	assert_true(came(&a, true));
	disk.seq = 95; /* its line has come since, and others */
	assert_true(came(&a, true));
	disk.seq = 89;
	assert_int_equal(w.events_seen[EVK_PEER_ALARM], 3);
	assert_int_equal(w.n.count.alarms_refused, refused + 5);
	refused += 5;
	/* by nobody, of yesterday, of tomorrow, of one who is not named */
	a.seq = 91;
	assert_false(came(&a, false));
	a.time = w.n.unix_now - 86401;
	assert_false(came(&a, true));
	a.time = w.n.unix_now + 301;
	assert_false(came(&a, true));
	a.time = w.n.unix_now + 2;
	list[0].id.b[0]++;
	assert_false(came(&a, true));
	list[0] = (struct hub_peer){.id = {{0x77}}}; /* by the key */
	assert_true(came(&a, true));
	assert_int_equal(w.events_seen[EVK_PEER_ALARM], 4);
	assert_int_equal(w.n.count.alarms_refused, refused + 4);
	/* who is no hub does not even ask */
	w.n.policy.nhub = 0;
	events_packet(&w.n, &(struct msg_T_ALERT){.packet = {{1}}});
	assert_int_equal(w.n.count.alarms_refused, refused + 5);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, teardown)
	const struct CMUnitTest tests[] = {
	    T(in_order), T(breaks), T(no_lines), T(strangers), T(alarms),
	    T(packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
