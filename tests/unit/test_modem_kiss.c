/* SPDX-License-Identifier: BSD-2-Clause */
/* KISSInterface, AX25KISSInterface: reticulum-transport.md 9.2, 10.7. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/modemkit.h"
#include "transport/modem/kiss.h"

#define A "0000000102030405060708090a0b0c0d0e0f006461746120"
#define START "c00123c0c00402c0c00240c0c00302c0c00f01c0"
#define HEADER "82a0b4a49ca660a6a08a8620206303f0"
#define READY "c00f01c0"

static struct modemkit kit;
static struct kiss k;

static const struct kiss_conf plain = {.preamble_ms = 350, .txtail_ms = 20,
    .slottime_ms = 20, .persistence = 64};

static void
begin(const struct kiss_conf *c)
{
	kiss_init(&k, c, KISS_MTU);
	modemkit_init(&kit, &k.m);
}

static void
begin_up(const struct kiss_conf *c)
{
	begin(c);
	k.m.kind->opened(&k.m, kit.now);
	modemkit_wait(&kit, 2);
	assert_true(kit.up);
	kit.nwrote = 0;
}

static void
send(const char *hex)
{
	size_t n;
	uint8_t *p = vec_unhex(hex, &n);

	assert_true(k.m.kind->takes(&k.m, 0));
	k.m.kind->send(&k.m, 0, p, n, kit.now);
}

/* ---- sessions of the reference ---- */

static size_t
unframe(uint8_t *packet, const uint8_t *frame, size_t n)
{
	size_t head = k.conf.ax25 ? AX25_HEADER : 0;
	struct rns_deframer *d = rns_deframer_new(RNS_FRAME_KISS, 2048);
	const uint8_t *p;
	size_t len;

	assert_int_equal(rns_deframer_feed(d, frame, n), RNS_OK);
	assert_true(rns_deframer_next(d, &p, &len));
	assert_true(len > head);
	memcpy(packet, p + head, len - head);
	rns_deframer_free(d);
	return len - head;
}

static uint32_t
number(const json_t *o, const char *key, uint32_t otherwise)
{
	return vec_is_null(o, key) ? otherwise :
	    (uint32_t)strtoul(vec_str(o, key), NULL, 10);
}

static struct kiss_conf
conf_of(const json_t *session)
{
	const json_t *o = json_object_get(session, "config");
	struct kiss_conf c = {
		.preamble_ms = number(o, "preamble", 350),
		.txtail_ms = number(o, "txtail", 20),
		.slottime_ms = number(o, "slottime", 20),
		.persistence = (uint8_t)number(o, "persistence", 64),
		.flow_control = !vec_is_null(o, "flow_control"),
		.id_interval_us = number(o, "id_interval", 0) * MONO_SECOND,
	};

	if (!vec_is_null(o, "id_callsign"))
		(void)snprintf(c.id_callsign, sizeof(c.id_callsign), "%s",
		    vec_str(o, "id_callsign"));
	if (!vec_is_null(o, "callsign"))
		c.ax25 = ax25_header(c.header, vec_str(o, "callsign"),
		    number(o, "ssid", 0));
	return c;
}

/* The same packets, but those that are empty, which the core would drop. */
static void
sessions(void **state)
{
	static const char *const names[] = {"kiss", "kiss-flow-beacon",
	    "ax25"};
	const json_t *all = json_object_get(vec_load(
	    "rnode-kiss-serial.json"), "sessions");

	(void)state;
	for (size_t s = 0; s < sizeof(names) / sizeof(*names); s++) {
		const json_t *v = json_object_get(all, names[s]);
		struct kiss_conf c = conf_of(v);
		unsigned seen = 0;
		json_t *d;
		size_t i;

		begin(&c);
		modemkit_replay(&kit, v, unframe);
		json_array_foreach(vec_array(v, "delivered_to_stack"), i, d) {
			const char *hex = vec_str(d, "data_hex");

			if (*hex != '\0')
				modemkit_packet(&kit, seen++, hex);
		}
		assert_true(seen > 0);
		assert_int_equal(kit.packets, seen);
		assert_int_equal(kit.faults, 0);
	}
}

/* A stream of it, whole and in pieces: framing.json. */
static void
streams(void **state)
{
	json_t *v, *c, *w;
	size_t i, j;

	(void)state;
	json_array_foreach(vec_array(vec_load("framing.json"), "kiss_decode"),
	    i, v) {
		for (size_t step = 1; step < 40; step += 6) {
			begin_up(&plain);
			json_array_foreach(vec_array(v, "chunks"), j, c) {
				size_t n, at, now;
				uint8_t *p = vec_unhex(json_string_value(c),
				    &n);

				for (at = 0; at < n; at += now) {
					now = n - at < step ? n - at : step;
					modemkit_feed(&kit, p + at, now);
				}
			}
			json_array_foreach(vec_array(v, "packets"), j, w)
				modemkit_packet(&kit, (unsigned)j,
				    json_string_value(w));
			assert_int_equal(kit.packets, j);
		}
	}
}

/* ---- what it is told ---- */

static void
starts(void **state)
{
	struct kiss_conf c = plain;

	(void)state;
	begin(&c);
	for (unsigned i = 0; i < 3; i++) {
		k.m.kind->opened(&k.m, kit.now);
		modemkit_wait(&kit, 1.999);
		modemkit_wrote(&kit, "");
		assert_false(k.m.kind->takes(&k.m, 0));
		modemkit_wait(&kit, 0.001);
		modemkit_wrote(&kit, START);
		assert_true(k.m.kind->takes(&k.m, 0));
		assert_false(k.m.kind->takes(&k.m, 1));
	}
	/* more than a byte holds */
	c = (struct kiss_conf){.preamble_ms = 99999, .txtail_ms = 2560,
	    .persistence = 255, .slottime_ms = 9};
	begin(&c);
	k.m.kind->opened(&k.m, kit.now);
	modemkit_wait(&kit, 2);
	modemkit_wrote(&kit, "c001ffc0c004ffc0c002ffc0c00300c0c00f01c0");
}

static void
flow(void **state)
{
	struct kiss_conf c = plain;

	(void)state;
	c.flow_control = true;
	begin_up(&c);
	send(A);
	modemkit_wrote(&kit, "c000" A "c0");
	assert_false(k.m.kind->takes(&k.m, 0));
	/* READY is a command with a byte at least, on any port */
	modemkit_feed_hex(&kit, "c00fc0");
	assert_false(k.m.kind->takes(&k.m, 0));
	modemkit_feed_hex(&kit, "c0cf00c0");
	assert_true(k.m.kind->takes(&k.m, 0));
	assert_int_equal(kit.readies, 2); /* and one when it came up */
	send(A);
	modemkit_wait(&kit, 4.999);
	assert_false(k.m.kind->takes(&k.m, 0));
	modemkit_wait(&kit, 0.001);
	assert_true(k.m.kind->takes(&k.m, 0));
	assert_int_equal(kit.counts[KISS_FLOW_TIMEOUT], 1);
	send(A);
	modemkit_feed_hex(&kit, READY READY);
	modemkit_wait(&kit, 60);
	assert_int_equal(kit.counts[KISS_FLOW_TIMEOUT], 1);
	/* without flow control it is not looked at */
	begin_up(&plain);
	send(A);
	send(A);
	modemkit_feed_hex(&kit, READY);
	assert_int_equal(kit.readies, 1);
}

static void
beacons(void **state)
{
	struct kiss_conf c = plain;

	(void)state;
	c.id_interval_us = 600 * MONO_SECOND;
	(void)snprintf(c.id_callsign, sizeof(c.id_callsign), "N0CALL");
	begin_up(&c);
	modemkit_wait(&kit, 5000); /* who sends nothing says nothing */
	modemkit_wrote(&kit, "");
	send(A);
	modemkit_wait(&kit, 300);
	send(A);
	kit.nwrote = 0;
	modemkit_wait(&kit, 299.9);
	modemkit_wrote(&kit, "");
	modemkit_wait(&kit, 0.1);
	modemkit_wrote(&kit, "c0004e3043414c4c000000000000000000c0");
	assert_int_equal(kit.beacons, 1);
	assert_int_equal(kit.beacon_len, 15);
	modemkit_wait(&kit, 600); /* short ones come again */
	modemkit_wrote(&kit, "c0004e3043414c4c000000000000000000c0");
	/* while there is no room for it nothing else goes */
	kit.room = mono_add(kit.now, 700 * MONO_SECOND);
	modemkit_wait(&kit, 699);
	modemkit_wrote(&kit, "");
	assert_false(k.m.kind->takes(&k.m, 0));
	modemkit_wait(&kit, 1);
	modemkit_wrote(&kit, "c0004e3043414c4c000000000000000000c0");
	assert_true(k.m.kind->takes(&k.m, 0));
	/* nor does it wait any longer when the limit is lifted meanwhile */
	kit.room = mono_add(kit.now, 86400 * MONO_SECOND);
	modemkit_wait(&kit, 600.1);
	modemkit_wrote(&kit, "");
	kit.room = (struct mono){0};
	modemkit_wait(&kit, 10);
	modemkit_wrote(&kit, "c0004e3043414c4c000000000000000000c0");
	kit.room = MONO_NEVER; /* it alone is more than may be sent */
	modemkit_wait(&kit, 6000);
	modemkit_wrote(&kit, "");
	assert_true(k.m.kind->takes(&k.m, 0));
	kit.room = (struct mono){0};
	/* one that is not there is filled up like any other */
	c.id_callsign[0] = '\0';
	begin_up(&c);
	send(A);
	kit.nwrote = 0;
	modemkit_wait(&kit, 600.1);
	modemkit_wrote(&kit, "c000000000000000000000000000000000c0");
	/* one of 15 bytes or more waits for the next packet */
	(void)snprintf(c.id_callsign, sizeof(c.id_callsign),
	    "0123456789ABCDEF");
	c.flow_control = true;
	begin_up(&c);
	send(A);
	modemkit_wait(&kit, 601);
	assert_int_equal(kit.counts[KISS_FLOW_TIMEOUT], 1);
	kit.nwrote = 0;
	modemkit_wait(&kit, 6000);
	modemkit_wrote(&kit, "");
	/* it waits for READY, and goes before packets */
	send(A);
	modemkit_feed_hex(&kit, READY);
	modemkit_wait(&kit, 599);
	send(A);
	kit.nwrote = 0;
	modemkit_wait(&kit, 1.5);
	modemkit_wrote(&kit, "");
	modemkit_feed_hex(&kit, READY);
	modemkit_wrote(&kit, "c00030313233343536373839414243444546c0");
	assert_int_equal(kit.beacon_len, 16);
	assert_false(k.m.kind->takes(&k.m, 0));
}

/* ---- what it says ---- */

static void
silence(void **state)
{
	(void)state;
	begin_up(&plain);
	modemkit_feed_hex(&kit, "c000" A);
	modemkit_wait(&kit, 0.0999);
	modemkit_feed_hex(&kit, "db");
	modemkit_wait(&kit, 0.0999);
	modemkit_feed_hex(&kit, "dcc0");
	modemkit_packet(&kit, 0, A "c0");
	assert_int_equal(kit.counts[KISS_PARTIAL], 0);
	modemkit_feed_hex(&kit, "c0");
	modemkit_wait(&kit, 10); /* a flag alone is no part of a frame */
	modemkit_feed_hex(&kit, "00" A "c0");
	modemkit_packet(&kit, 1, A);
	modemkit_feed_hex(&kit, "c000" A);
	modemkit_wait(&kit, 0.1);
	modemkit_feed_hex(&kit, A "c0c000" A "c0");
	modemkit_packet(&kit, 2, A);
	assert_int_equal(kit.counts[KISS_PARTIAL], 1);
	/* other commands are none of ours */
	modemkit_feed_hex(&kit, "c006" A "c0c000" A "c0");
	modemkit_packet(&kit, 3, A);
	assert_int_equal(kit.counts[KISS_COMMAND], 1);
	assert_int_equal(kit.packets, 4);
}

static void
headers(void **state)
{
	struct kiss_conf c = plain;

	(void)state;
	assert_true(ax25_header(c.header, "spec", 1));
	c.ax25 = true;
	begin_up(&c);
	send(A);
	modemkit_wrote(&kit, "c000" HEADER A "c0");
	modemkit_feed_hex(&kit, "c000" HEADER "c0");
	modemkit_feed_hex(&kit, "c0001122c0");
	assert_int_equal(kit.packets, 0);
	assert_int_equal(kit.counts[KISS_HEADER], 2);
	/* whoever it is from, and to */
	modemkit_feed_hex(&kit, "c000000102030405060708090a0b0c0d0e0f77c0");
	modemkit_packet(&kit, 0, "77");
	assert_false(ax25_header(c.header, "ab", 1));
	assert_false(ax25_header(c.header, "abcdefg", 1));
	assert_false(ax25_header(c.header, "ab c", 1));
	assert_false(ax25_header(c.header, "ab\xc3\xa4", 1));
	assert_false(ax25_header(c.header, "abc", 16));
	assert_true(ax25_header(c.header, "abcdef", 15));
	assert_int_equal(c.header[13], 0x7f);
}

static void
cut(void *arg, const uint8_t *p, size_t n)
{
	(void)arg;
	kit.packets = 0;
	modemkit_feed(&kit, p, n);
	assert_int_equal(kit.packets, 0);
	modemkit_wait(&kit, 0.2);
	modemkit_feed_hex(&kit, "c000" A "c0");
	modemkit_packet(&kit, 0, A);
}

static void
turned(void *arg, const uint8_t *p, size_t n)
{
	(void)arg;
	kit.packets = 0;
	modemkit_feed(&kit, p, n);
	assert_true(kit.packets <= 2);
	modemkit_wait(&kit, 0.2);
}

static void
truncations(void **state)
{
	size_t n;
	const uint8_t *p = vec_unhex("c000" A "dbdcdbddc0", &n);

	(void)state;
	begin_up(&plain);
	vec_each_prefix(p, n, cut, NULL);
	vec_each_flip(p, n, turned, NULL);
	assert_int_equal(kit.faults, 0);
}

/* Packets of every length up to the limit, all of them bytes to escape. */
static void
lengths(void **state)
{
	uint8_t packet[KISS_MTU + AX25_HEADER + 1], wire[2 * KISS_MOST + 3];
	struct kiss_conf c = plain;

	(void)state;
	for (unsigned ax25 = 0; ax25 < 2; ax25++) {
		c.ax25 = ax25 != 0;
		assert_true(ax25_header(c.header, "abc", 0));
		begin_up(&c);
		for (size_t n = 1; n <= KISS_MTU; n++) {
			memset(packet, n % 2 ? 0xc0 : 0xdb, n);
			kit.packets = 0;
			k.m.kind->send(&k.m, 0, vec_copy(packet, n), n,
			    kit.now);
			memcpy(wire, kit.wrote, kit.nwrote);
			modemkit_feed(&kit, wire, kit.nwrote);
			kit.nwrote = 0;
			assert_int_equal(kit.packets, 1);
			vec_equal(kit.packet[0].data, kit.packet[0].len,
			    packet, n);
		}
		k.m.kind->send(&k.m, 0, packet, KISS_MTU + 1, kit.now);
		assert_int_equal(kit.nwrote, 0);
		assert_int_equal(kit.counts[KISS_SIZE], 1);
		memset(packet, 'x', sizeof(packet));
		modemkit_feed_hex(&kit, "c000");
		modemkit_feed(&kit, packet, KISS_MTU + 1 +
		    (ax25 ? AX25_HEADER : 0));
		modemkit_feed_hex(&kit, "c0");
		assert_int_equal(kit.packets, 1);
		assert_int_equal(kit.counts[KISS_SIZE], 2);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions),
		cmocka_unit_test(streams),
		cmocka_unit_test(starts),
		cmocka_unit_test(flow),
		cmocka_unit_test(beacons),
		cmocka_unit_test(silence),
		cmocka_unit_test(headers),
		cmocka_unit_test(truncations),
		cmocka_unit_test(lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
