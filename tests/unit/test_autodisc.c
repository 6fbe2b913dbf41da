/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is there on the devices of an AutoInterface: reticulum-transport.md 10.1. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/wire.h"
#include "transport/engine/autodisc.h"

static struct autodisc d;
static struct auto_device *eth;
static struct in6_addr own;

static struct mono
at(int64_t us)
{
	return (struct mono){1000000000 + us};
}

static struct in6_addr
address(unsigned n)
{
	struct in6_addr a = {.s6_addr = {0xfe, 0x80}};

	put_u32(a.s6_addr + 12, n);
	return a;
}

static int
setup(void **state)
{
	(void)state;
	autodisc_init(&d, "reticulum", (const uint8_t *)"0123456789abcdef");
	own = address(1);
	eth = autodisc_up(&d, "eth0", &own, at(0));
	assert_non_null(eth);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	autodisc_clear(&d);
	assert_int_equal(d.npeers, 0);
	return 0;
}

/* A good token of that address, on that device. */
static enum auto_heard
hear(struct auto_device *dev, unsigned n, struct mono now)
{
	struct in6_addr a = address(n);
	uint8_t token[AUTO_TOKEN];
	struct auto_peer *p;

	autodisc_token(token, "reticulum", &a);
	return autodisc_hear(&d, dev, &a, token, sizeof(token), now, &p);
}

static struct auto_peer *
data(struct auto_device *dev, unsigned n, const char *bytes, struct mono now)
{
	struct in6_addr a = address(n);

	return autodisc_data(&d, dev, &a, (const uint8_t *)bytes,
	    strlen(bytes), now);
}

/* The values of reticulum-transport.md 10.1. */
static void
token(void **state)
{
	static const uint8_t want[AUTO_TOKEN] = {0x97, 0xb2, 0x55, 0x76, 0x74,
	    0x9e, 0xa9, 0x36, 0xb0, 0xd8, 0xa8, 0x53, 0x6f, 0xfa, 0xf4, 0x42,
	    0xd1, 0x57, 0xcf, 0x47, 0xd4, 0x60, 0xdc, 0xf1, 0x3c, 0x48, 0xb7,
	    0xbd, 0x18, 0xb6, 0xc1, 0x63};
	uint8_t got[AUTO_TOKEN];

	(void)state;
	autodisc_token(got, "reticulum", &own);
	assert_memory_equal(got, want, sizeof(want));
}

/* A stranger becomes a peer by a good token only, whatever its length. */
static void
wrong(void **state)
{
	struct in6_addr a = address(2), b = address(3);
	uint8_t t[2 * AUTO_TOKEN] = {0};
	struct auto_peer *p;

	(void)state;
	autodisc_token(t, "reticulum", &a);
	for (size_t n = 0; n < AUTO_TOKEN; n++)
		assert_int_equal(autodisc_hear(&d, eth, &a, t, n, at(0), &p),
		    AUTO_WRONG);
	for (size_t i = 0; i < AUTO_TOKEN; i++) {
		t[i] ^= 0x10;
		assert_int_equal(autodisc_hear(&d, eth, &a, t, AUTO_TOKEN,
		    at(0), &p), AUTO_WRONG);
		t[i] ^= 0x10;
	}
	assert_int_equal(autodisc_hear(&d, eth, &b, t, AUTO_TOKEN, at(0), &p),
	    AUTO_WRONG);
	autodisc_token(t, "another", &a);
	assert_int_equal(autodisc_hear(&d, eth, &a, t, AUTO_TOKEN, at(0), &p),
	    AUTO_WRONG);
	assert_int_equal(d.wrong, 2 * AUTO_TOKEN + 2);
	assert_int_equal(d.npeers, 0);
	assert_null(data(eth, 2, "packet", at(0)));
	assert_int_equal(d.strangers, 1);
	/* what follows a token is ignored */
	autodisc_token(t, "reticulum", &a);
	assert_int_equal(autodisc_hear(&d, eth, &a, t, sizeof(t), at(0), &p),
	    AUTO_NEW);
	assert_non_null(data(eth, 2, "packet", at(0)));
	assert_int_equal(d.strangers, 1);
}

static void
life(void **state)
{
	struct auto_peer *p;

	(void)state;
	assert_int_equal(hear(eth, 2, at(0)), AUTO_NEW);
	assert_int_equal(hear(eth, 2, at(10000000)), AUTO_KNOWN);
	assert_null(autodisc_silent(&d, at(32000000)));
	assert_non_null(data(eth, 2, "x", at(31000000)));
	assert_null(autodisc_silent(&d, at(53000000)));
	assert_non_null(p = autodisc_silent(&d, at(53000001)));
	/* due once, then not for 5.2 s */
	assert_null(autodisc_reverse(&d, at(AUTO_REVERSE_US)));
	assert_ptr_equal(autodisc_reverse(&d, at(AUTO_REVERSE_US + 1)), p);
	assert_null(autodisc_reverse(&d, at(2 * AUTO_REVERSE_US)));
	autodisc_drop(&d, p);
	assert_null(autodisc_silent(&d, at(99000000)));
	assert_null(data(eth, 2, "x", at(99000000)));
	assert_int_equal(hear(eth, 2, at(99000000)), AUTO_NEW);
}

/* Our own token is the echo; of another device of ours it is no peer either. */
static void
echo(void **state)
{
	struct in6_addr a = address(9);
	struct auto_device *wlan = autodisc_up(&d, "wlan0", &a, at(0));

	(void)state;
	assert_int_equal(hear(eth, 1, at(6000000)), AUTO_SELF);
	assert_int_equal(hear(eth, 9, at(6000000)), AUTO_SELF);
	assert_int_equal(d.npeers, 0);
	assert_false(autodisc_echo_changed(eth, at(6500001)));
	assert_true(autodisc_echo_changed(wlan, at(6500001)));
	assert_true(wlan->silent);
	assert_false(autodisc_echo_changed(wlan, at(9000000)));
	assert_int_equal(hear(wlan, 9, at(9000000)), AUTO_SELF);
	assert_true(autodisc_echo_changed(wlan, at(9000001)));
	assert_false(wlan->silent);
}

/* By two ways the same packet comes once; the same again later is another. */
static void
two_ways(void **state)
{
	struct in6_addr a = address(9);
	struct auto_device *wlan = autodisc_up(&d, "wlan0", &a, at(0));
	struct auto_peer *one, *two;
	char text[8] = "m00";

	(void)state;
	assert_int_equal(hear(eth, 2, at(0)), AUTO_NEW);
	assert_int_equal(hear(wlan, 2, at(0)), AUTO_NEW);
	assert_int_equal(d.npeers, 2);
	assert_non_null(one = data(eth, 2, "packet", at(0)));
	assert_null(data(wlan, 2, "packet", at(749999)));
	assert_int_equal(d.twice, 1);
	assert_non_null(two = data(wlan, 2, "packet", at(750000)));
	assert_ptr_not_equal(one, two);
	/* 48 are remembered */
	for (unsigned i = 0; i < AUTO_REMEMBERED - 1; i++) {
		text[1] = (char)('0' + i / 10);
		text[2] = (char)('0' + i % 10);
		assert_non_null(data(eth, 2, text, at(800000)));
	}
	assert_null(data(eth, 2, "packet", at(800000)));
	assert_non_null(data(eth, 2, "one more", at(800000)));
	assert_non_null(data(eth, 2, "packet", at(800000)));
}

/* A flood on one device leaves places for the others; then all are taken. */
static void
flood(void **state)
{
	struct in6_addr a = address(0xffff0001), b = address(0xffff0002);
	struct auto_device *second = autodisc_up(&d, "eth1", &a, at(0));
	struct auto_device *third = autodisc_up(&d, "eth2", &b, at(0));

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(hear(eth, 100 + i, at(0)),
		    i < AUTO_DEVICE_PEERS ? AUTO_NEW : AUTO_CROWDED);
	assert_int_equal(d.crowded, 1000 - AUTO_DEVICE_PEERS);
	assert_int_equal(hear(eth, 100, at(0)), AUTO_KNOWN);
	for (unsigned i = 0; i < AUTO_PEERS - AUTO_DEVICE_PEERS; i++)
		assert_int_equal(hear(second, 100 + i, at(0)), AUTO_NEW);
	assert_int_equal(hear(third, 100, at(0)), AUTO_CROWDED);
	autodisc_drop(&d, autodisc_silent(&d, at(AUTO_PEER_US + 1)));
	assert_int_equal(hear(third, 100, at(0)), AUTO_NEW);
}

/* A device that goes keeps its peers, and its place, until they are silent. */
static void
devices(void **state)
{
	struct in6_addr a = address(77);
	struct auto_peer *p;
	char name[16] = "v00";

	(void)state;
	assert_int_equal(hear(eth, 2, at(0)), AUTO_NEW);
	autodisc_down(eth);
	assert_int_equal(hear(eth, 2, at(0)), AUTO_WRONG);
	assert_null(autodisc_reverse(&d, at(9000000)));
	assert_ptr_equal(autodisc_device(&d, "eth0"), eth);
	assert_ptr_equal(autodisc_up(&d, "eth0", &a, at(1)), eth);
	assert_int_equal(hear(eth, 2, at(1)), AUTO_KNOWN);
	assert_int_equal(hear(eth, 77, at(1)), AUTO_SELF);
	autodisc_down(eth);
	for (unsigned i = 1; i < AUTO_DEVICES; i++) {
		name[1] = (char)('0' + i / 10);
		name[2] = (char)('0' + i % 10);
		assert_non_null(autodisc_up(&d, name, &a, at(0)));
	}
	assert_null(autodisc_up(&d, "more", &a, at(0)));
	assert_non_null(p = autodisc_silent(&d, at(30000000)));
	autodisc_drop(&d, p);
	assert_ptr_equal(autodisc_up(&d, "more", &a, at(0)), eth);
	assert_null(autodisc_device(&d, "eth0"));
	assert_null(autodisc_up(&d, "sixteen letters!", &a, at(0)));
	assert_null(autodisc_device(&d, ""));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(token), TEST(wrong), TEST(life), TEST(echo),
		TEST(two_ways), TEST(flood), TEST(devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
