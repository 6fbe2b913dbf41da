/* SPDX-License-Identifier: BSD-2-Clause */
/* SerialInterface: reticulum-transport.md 9.1, 10.6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/modemkit.h"
#include "transport/modem/serial.h"

#define A "0000000102030405060708090a0b0c0d0e0f006461746120c0"
#define B "0000000102030405060708090a0b0c0d0e0f006461746120"

static struct modemkit k;
static struct serial s;

static void
begin(size_t limit)
{
	assert_int_equal(serial_init(&s, limit), 0);
	modemkit_init(&k, &s.m);
}

/* "online" at half a second after opened(), and then */
static void
begin_up(size_t limit)
{
	begin(limit);
	s.m.kind->opened(&s.m, k.now);
	modemkit_wait(&k, 0.5);
	assert_true(k.up);
}

static size_t
unframe(uint8_t *packet, const uint8_t *frame, size_t n)
{
	struct rns_deframer *d = rns_deframer_new(RNS_FRAME_HDLC, 2048);
	const uint8_t *p;
	size_t len;

	assert_int_equal(rns_deframer_feed(d, frame, n), RNS_OK);
	assert_true(rns_deframer_next(d, &p, &len));
	memcpy(packet, p, len);
	rns_deframer_free(d);
	return len;
}

/*
 * The reference's decoder gives two empty frames more, which are dropped later,
 * and loses the second of two frames that share a flag: ours does not.
 */
static void
session(void **state)
{
	const json_t *all = json_object_get(vec_load(
	    "rnode-kiss-serial.json"), "sessions");
	const json_t *v = json_object_get(all, "serial");
	unsigned seen = 0;
	json_t *d;
	size_t i;

	(void)state;
	assert_non_null(v);
	begin(SERIAL_MTU);
	modemkit_replay(&k, v, unframe);
	json_array_foreach(vec_array(v, "delivered_to_stack"), i, d) {
		const char *hex = vec_str(d, "data_hex");

		if (*hex != '\0')
			modemkit_packet(&k, seen++, hex);
	}
	assert_int_equal(seen, 4);
	modemkit_packet(&k, seen++, B);
	assert_int_equal(k.packets, seen);
	assert_int_equal(k.counts[SERIAL_PARTIAL], 1);
	serial_clear(&s);
}

static void
settles(void **state)
{
	(void)state;
	begin(SERIAL_MTU);
	assert_int_equal(s.m.kind->deadline(&s.m).us, MONO_NEVER.us);
	for (unsigned i = 0; i < 3; i++) { /* it is opened again */
		s.m.kind->opened(&s.m, k.now);
		k.up = false;
		assert_false(s.m.kind->takes(&s.m, 0));
		modemkit_wait(&k, 0.499);
		assert_false(k.up);
		modemkit_wait(&k, 0.001);
		assert_true(k.up);
		assert_true(s.m.kind->takes(&s.m, 0));
		assert_false(s.m.kind->takes(&s.m, 1));
		assert_int_equal(k.ups, i + 1);
		assert_int_equal(k.readies, i + 1);
	}
	serial_clear(&s);
}

/* A frame that stops for 100 ms is none; what comes after it is not lost. */
static void
silence(void **state)
{
	(void)state;
	begin_up(SERIAL_MTU);
	modemkit_feed_hex(&k, "7e" A);
	modemkit_wait(&k, 0.0999);
	modemkit_feed_hex(&k, "11");
	modemkit_wait(&k, 0.0999);
	modemkit_feed_hex(&k, "7e");
	modemkit_packet(&k, 0, A "11");
	modemkit_wait(&k, 10); /* between frames it may be silent */
	assert_int_equal(k.counts[SERIAL_PARTIAL], 0);
	modemkit_feed_hex(&k, "7e" A "7d");
	modemkit_wait(&k, 0.1);
	assert_int_equal(k.counts[SERIAL_PARTIAL], 1);
	modemkit_feed_hex(&k, "5e7e" B "7e");
	modemkit_packet(&k, 1, B);
	assert_int_equal(k.packets, 2);
	/* also when it was opened again in the middle of one */
	modemkit_feed_hex(&k, "7e" A);
	s.m.kind->opened(&s.m, k.now);
	modemkit_feed_hex(&k, A "7e" B "7e");
	modemkit_packet(&k, 2, B);
	assert_int_equal(k.packets, 3);
	serial_clear(&s);
}

static void
cut(void *arg, const uint8_t *p, size_t n)
{
	(void)arg;
	k.packets = 0;
	modemkit_feed(&k, p, n);
	assert_int_equal(k.packets, 0);
	modemkit_wait(&k, 0.2);
	modemkit_feed_hex(&k, "7e" B "7e");
	assert_int_equal(k.packets, 1);
	modemkit_packet(&k, 0, B);
}

static void
turned(void *arg, const uint8_t *p, size_t n)
{
	(void)arg;
	k.packets = 0;
	modemkit_feed(&k, p, n);
	assert_true(k.packets <= 2);
	modemkit_wait(&k, 0.2);
}

static void
truncations(void **state)
{
	size_t n;
	const uint8_t *p = vec_unhex("7e" A "7d5e7d5d7e", &n);

	(void)state;
	begin_up(SERIAL_MTU);
	vec_each_prefix(p, n, cut, NULL);
	vec_each_flip(p, n, turned, NULL);
	assert_int_equal(k.faults, 0);
	serial_clear(&s);
}

/* Packets of every length up to the limit, all of them bytes to escape. */
static void
lengths(void **state)
{
	uint8_t packet[SERIAL_MTU + 1], wire[2 * SERIAL_MTU + 8];

	(void)state;
	begin_up(SERIAL_MTU);
	for (size_t n = 20; n <= SERIAL_MTU; n++) {
		memset(packet, n % 2 ? 0x7e : 0x7d, n);
		k.packets = 0;
		s.m.kind->send(&s.m, 0, vec_copy(packet, n), n, k.now);
		assert_int_equal(k.nwrote, 2 * n + 2);
		memcpy(wire, k.wrote, k.nwrote);
		modemkit_feed(&k, wire, k.nwrote);
		k.nwrote = 0;
		assert_int_equal(k.packets, 1);
		vec_equal(k.packet[0].data, k.packet[0].len, packet, n);
	}
	assert_int_equal(k.counts[SERIAL_SIZE], 0);
	s.m.kind->send(&s.m, 0, packet, sizeof(packet), k.now);
	assert_int_equal(k.nwrote, 0);
	assert_int_equal(k.counts[SERIAL_SIZE], 1);
	memset(packet, 'x', sizeof(packet));
	modemkit_feed_hex(&k, "7e");
	modemkit_feed(&k, packet, sizeof(packet));
	modemkit_feed_hex(&k, "7e");
	assert_int_equal(k.packets, 1);
	assert_int_equal(k.counts[SERIAL_SIZE], 2);
	serial_clear(&s);
}

/* Ten minutes of noise at 115,200 baud: counted, and then it works. */
static void
garbage(void **state)
{
	static uint8_t noise[4096];
	uint32_t x = 12345;

	(void)state;
	begin_up(SERIAL_MTU);
	for (size_t sent = 0; sent < 6912000; sent += sizeof(noise)) {
		for (size_t i = 0; i < sizeof(noise); i++)
			noise[i] = (uint8_t)((x = x * 1664525 + 1013904223) >>
			    24);
		s.m.kind->bytes(&s.m, noise, sizeof(noise), k.now);
		k.packets = 0;
		modemkit_wait(&k, 0.35);
	}
	assert_int_equal(k.faults, 0);
	assert_true(k.counts[SERIAL_SIZE] > 1000);
	modemkit_feed_hex(&k, "7e" A "7e");
	modemkit_packet(&k, 0, A);
	serial_clear(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(session),
		cmocka_unit_test(settles),
		cmocka_unit_test(silence),
		cmocka_unit_test(truncations),
		cmocka_unit_test(lengths),
		cmocka_unit_test(garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
