/* SPDX-License-Identifier: BSD-2-Clause */
/* How packets were received, as an interface of radio would say it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <rns/rns.h>

#include "common/util.h"
#include "tests/unit/relay_node.h"

#define RADIO 1
#define OTHER 2
#define HEADER 19 /* bytes before the data of a packet of header 1 */

static const uint8_t self[RNS_KEY] = {3};
static const struct rns_signal all = {
    .has = RNS_SIGNAL_RSSI | RNS_SIGNAL_SNR | RNS_SIGNAL_Q,
    .rssi = -87, .snr = -3.25F, .q = 61.5F};

static void
begin(struct node *n)
{
	node_open(n, true, false, self);
	node_if(n, RADIO, RNS_IF_NET, RNS_MODE_FULL, 0, false);
	node_if(n, OTHER, RNS_IF_NET, RNS_MODE_FULL, 0, false);
}

static int
heard(struct node *n, unsigned ifid, const uint8_t *p, size_t len,
    const struct rns_signal *s)
{
	return rns_recv_signal(n->r, ifid, p, len, s, (struct mono){n->now});
}

/* Without hops and transport id (reticulum-endpoint.md 3.4). */
static struct id32
hash_of(const uint8_t *raw, size_t len, bool header_2)
{
	uint8_t buf[RNS_MTU];
	size_t skip = header_2 ? 18 : 2;
	struct id32 hash;

	buf[0] = raw[0] & 0x0f;
	memcpy(buf + 1, raw + skip, len - skip);
	rns_sha256(&hash, buf, len - skip + 1);
	return hash;
}

/* A packet to a stranger, the n-th. */
static size_t
numbered(uint8_t raw[RNS_MTU], unsigned n)
{
	memset(raw, 0, HEADER);
	memset(raw + 2, 0x77, RNS_HASH);
	memcpy(raw + HEADER, &n, sizeof(n));
	return HEADER + sizeof(n);
}

static uint32_t
kept(const struct node *n)
{
	struct rns_counts c;

	rns_counts(n->r, &c);
	return c.signals;
}

static bool
has(const struct node *n, const struct id32 *hash)
{
	struct rns_signal s;

	return rns_signal_get(n->r, hash, &s);
}

static void
measured(void **state)
{
	uint8_t raw[RNS_MTU];
	struct rns_signal s = {0}, only = {.has = RNS_SIGNAL_SNR, .snr = 7};
	struct stranger who;
	struct id32 hash;
	struct node n;
	size_t len;

	(void)state;
	begin(&n);
	stranger_make(&who, 7);
	len = stranger_announce(&who, raw, 1000, 0, NULL, false);
	hash = hash_of(raw, len, false);
	assert_false(rns_signal_get(n.r, &hash, &s));
	assert_int_equal(heard(&n, RADIO, raw, len, &all), RNS_OK);
	assert_true(rns_signal_get(n.r, &hash, &s));
	assert_int_equal(s.has, all.has);
	assert_int_equal(s.rssi, -87);
	assert_true(s.snr == -3.25F && s.q == 61.5F);
	len = numbered(raw, 1);
	hash = hash_of(raw, len, false);
	assert_int_equal(heard(&n, RADIO, raw, len, &only), RNS_OK);
	assert_true(rns_signal_get(n.r, &hash, &s));
	assert_int_equal(s.has, RNS_SIGNAL_SNR);
	assert_true(s.snr == 7);
	assert_int_equal(kept(&n), 2);
	node_close(&n);
}

/* What was taken is the first copy, not what a neighbour repeats. */
static void
copies(void **state)
{
	uint8_t raw[RNS_MTU], via[RNS_HASH] = {8};
	struct rns_signal s = {0}, weak = {.has = RNS_SIGNAL_RSSI,
	    .rssi = -120};
	struct stranger who;
	struct id32 hash, again;
	struct node n;
	size_t len;

	(void)state;
	begin(&n);
	stranger_make(&who, 7);
	len = stranger_announce(&who, raw, 1000, 0, NULL, false);
	hash = hash_of(raw, len, false);
	assert_int_equal(heard(&n, RADIO, raw, len, &all), RNS_OK);
	len = stranger_announce(&who, raw, 1000, 1, via, false);
	again = hash_of(raw, len, true);
	assert_true(id32_eq(&again, &hash));
	assert_int_equal(heard(&n, OTHER, raw, len, &weak), RNS_OK);
	assert_true(rns_signal_get(n.r, &hash, &s));
	assert_int_equal(s.rssi, -87);
	node_close(&n);
}

/* No packet, no interface, or no measurement: none is kept. */
static void
nothing(void **state)
{
	uint8_t raw[RNS_MTU];
	struct rns_signal none = {0};
	struct rns_if_stats stats;
	struct node n;
	size_t len;

	(void)state;
	begin(&n);
	len = numbered(raw, 1);
	assert_int_equal(heard(&n, 9, raw, len, &all), RNS_ENOENT);
	for (size_t i = 0; i < HEADER; i++)
		assert_int_equal(heard(&n, RADIO, raw, i, &all), RNS_OK);
	raw[0] |= 0x80; /* an access code, where there is none */
	assert_int_equal(heard(&n, RADIO, raw, len, &all), RNS_OK);
	raw[0] = 0;
	raw[1] = 255;
	assert_int_equal(heard(&n, RADIO, raw, len, &all), RNS_OK);
	raw[1] = 0;
	assert_int_equal(heard(&n, RADIO, raw, len, NULL), RNS_OK);
	assert_int_equal(heard(&n, RADIO, raw, len, &none), RNS_OK);
	assert_int_equal(kept(&n), 0);
	/* one that measured does not speak for the next */
	len = numbered(raw, 2);
	assert_int_equal(heard(&n, RADIO, raw, len, &all), RNS_OK);
	len = numbered(raw, 3);
	node_in(&n, RADIO, raw, len);
	assert_int_equal(kept(&n), 1);
	assert_int_equal(rns_if_stats(n.r, OTHER, &stats), RNS_OK);
	assert_int_equal(stats.signal.has, 0);
	node_close(&n);
}

static void
bounded(void **state)
{
	uint8_t raw[RNS_MTU];
	struct id32 hash[RNS_SIGNALS + 2];
	struct node n;
	size_t len;

	(void)state;
	begin(&n);
	for (unsigned i = 0; i < NELEM(hash); i++) {
		len = numbered(raw, i);
		hash[i] = hash_of(raw, len, false);
		assert_int_equal(heard(&n, RADIO, raw, len, &all), RNS_OK);
		assert_int_equal(kept(&n), MIN_OF(i + 1, RNS_SIGNALS));
	}
	for (unsigned i = 0; i < NELEM(hash); i++)
		assert_int_equal(has(&n, &hash[i]), i >= 2);
	node_close(&n);
}

/* Parts of resources are asked for too, though nobody else needs their hash. */
static void
parts(void **state)
{
	uint8_t raw[RNS_MTU];
	struct id32 hash;
	struct node n;
	size_t len;

	(void)state;
	begin(&n);
	len = numbered(raw, 1);
	raw[0] = 0x0c; /* to a link */
	raw[HEADER - 1] = 0x01;
	hash = hash_of(raw, len, false);
	assert_int_equal(heard(&n, RADIO, raw, len, &all), RNS_OK);
	assert_true(has(&n, &hash));
	node_close(&n);
}

static void
shown(void **state)
{
	uint8_t raw[RNS_MTU];
	struct rns_signal last = {.has = RNS_SIGNAL_Q, .q = 12};
	struct rns_if_stats one, sum = {0};
	struct node n;
	size_t len;

	(void)state;
	begin(&n);
	len = numbered(raw, 1);
	assert_int_equal(heard(&n, RADIO, raw, len, &all), RNS_OK);
	len = numbered(raw, 2);
	assert_int_equal(heard(&n, RADIO, raw, len, &last), RNS_OK);
	assert_int_equal(rns_if_stats(n.r, RADIO, &one), RNS_OK);
	assert_int_equal(one.signal.has, RNS_SIGNAL_Q);
	assert_true(one.signal.q == 12);
	rns_if_stats_add(&sum, &one);
	assert_int_equal(rns_if_stats(n.r, OTHER, &one), RNS_OK);
	rns_if_stats_add(&sum, &one);
	assert_int_equal(sum.signal.has, RNS_SIGNAL_Q);
	node_close(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(measured),
	    cmocka_unit_test(copies),
	    cmocka_unit_test(nothing),
	    cmocka_unit_test(bounded),
	    cmocka_unit_test(parts),
	    cmocka_unit_test(shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
