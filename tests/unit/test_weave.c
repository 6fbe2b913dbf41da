/* SPDX-License-Identifier: BSD-2-Clause */
/* Weave devices (reticulum-transport.md 10.11), in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <rns/hash.h>

#include "common/util.h"
#include "common/wire.h"
#include "tests/unit/vec.h"
#include "tests/unit/weavekit.h"

static struct weavekit k;

static const uint8_t pub[32] = {1, 2, 3, [28] = 0xa1, 0xa2, 0x7e, 0x7d};

static bool
takes(unsigned port)
{
	return k.v.m.kind->takes(&k.v.m, port);
}

/* What is around a packet on its medium: whom it is for. */
static void
airtime(void **state)
{
	struct airtime a = {.how = AIRTIME_BITS, .bitrate = 250000};

	(void)state;
	weavekit_begin(&k);
	k.v.m.kind->airtime(&k.v.m, 1, &a);
	assert_int_equal(airtime_us(&a, 492), 500 * 8 * 4);
}

static void
endpoint(uint8_t out[WEAVE_ENDPOINT], unsigned i)
{
	memset(out, 0x7d, WEAVE_ENDPOINT);
	out[0] = (uint8_t)i;
}

static void
alive(unsigned i)
{
	uint8_t e[WEAVE_ENDPOINT];

	endpoint(e, i);
	weavekit_log(&k, 0x3102, e, sizeof(e));
}

/* ---- the handshake ---- */

static void
handshake(void **state)
{
	const uint8_t *p;
	size_t n;

	(void)state;
	weavekit_begin(&k);
	/* as RNS 1.5.7 begins: to everybody, our number, at once */
	p = weavekit_frame(&k, 0, &n);
	assert_int_equal(n, 9);
	assert_memory_equal(p, "\xff\xff\xff\xff\0\xfc\xfd\xfe\xff", 9);
	weavekit_discovered(&k, pub, true);
	p = weavekit_frame(&k, 1, &n);
	assert_int_equal(n, 5 + 32 + 64);
	assert_memory_equal(p, "\xa1\xa2\x7e\x7d\1", 5);
	assert_memory_equal(p + 5, weavekit_keys.pub, 32);
	/* its signature is over the device's number */
	assert_memory_equal(p + 37, "signed\xa1\xa2\x7e\x7d", 10);
	assert_false(k.up[0]);
	weavekit_run(&k, 1999999);
	assert_int_equal(k.faults, 0);
	weavekit_log(&k, 0x3002, NULL, 0);
	assert_true(k.up[0]);
	/* a device that is idle is asked now and then, and goes on */
	for (unsigned i = 0; i < 200; i++) {
		weavekit_run(&k, 20 * MONO_SECOND);
		assert_int_equal(k.frames, 3 + 2 * i);
		weavekit_discovered(&k, pub, true);
		weavekit_log(&k, 0x3002, NULL, 0);
		assert_int_equal(k.frames, 4 + 2 * i);
	}
	assert_int_equal(k.faults, 0);
	assert_true(k.up[0]);
	assert_false(takes(0));
}

/* A device that was restarted, and knows nobody: it is joined once more. */
static void
forgets(void **state)
{
	static const uint8_t other[32] = {9, [28] = 1, 2, 3, 4};
	const uint8_t *p;
	size_t n;

	(void)state;
	weavekit_online(&k, pub);
	alive(7);
	weavekit_run(&k, 10 * MONO_SECOND);
	alive(7);
	assert_true(k.up[1]);
	/* a proof that nobody asked for changes nothing */
	weavekit_discovered(&k, other, true);
	assert_int_equal(k.faults, 0);
	weavekit_run(&k, 20 * MONO_SECOND - 1);
	assert_int_equal(k.frames, 2);
	weavekit_run(&k, 1);
	p = weavekit_frame(&k, 2, &n);
	assert_memory_equal(p, "\xff\xff\xff\xff\0\xfc\xfd\xfe\xff", 9);
	weavekit_run(&k, 1900000);
	weavekit_discovered(&k, pub, true);
	p = weavekit_frame(&k, 3, &n);
	assert_memory_equal(p, "\xa1\xa2\x7e\x7d\1", 5);
	weavekit_run(&k, 1900000);
	assert_true(k.up[0]);
	weavekit_log(&k, 0x3002, NULL, 0);
	weavekit_run(&k, 10 * MONO_SECOND);
	assert_true(k.up[0]);
	alive(7);
	assert_true(takes(1));
	assert_int_equal(k.faults, 0);
	/* it answers, again and again, and does not let us in */
	weavekit_run(&k, 20 * MONO_SECOND);
	assert_int_equal(k.frames, 5);
	for (unsigned i = 0; i < 20; i++) {
		weavekit_discovered(&k, pub, true);
		assert_int_equal(k.frames, 6);
		assert_int_equal(k.faults, 0);
		weavekit_run(&k, MONO_SECOND / 10);
	}
	assert_int_equal(k.faults, 1);
	assert_int_equal(k.reason, WEAVE_REASON_LOST);
	assert_false(k.up[0] || k.up[1]);
	/* it hangs */
	weavekit_online(&k, pub);
	weavekit_run(&k, 22 * MONO_SECOND - 1);
	assert_int_equal(k.faults, 0);
	weavekit_run(&k, 1);
	assert_int_equal(k.faults, 1);
	assert_int_equal(k.reason, WEAVE_REASON_LOST);
	/* another one was plugged in, at the same place */
	weavekit_online(&k, pub);
	weavekit_run(&k, 20 * MONO_SECOND);
	weavekit_discovered(&k, other, true);
	assert_int_equal(k.faults, 1);
	assert_int_equal(k.reason, WEAVE_REASON_OTHER);
	/* nothing of what came behind it counts */
	weavekit_log(&k, 0x3002, NULL, 0);
	assert_false(k.up[0]);
}

static void
no_handshake(void **state)
{
	uint8_t data[96] = {0};

	(void)state;
	weavekit_begin(&k);
	weavekit_run(&k, 1999999);
	assert_int_equal(k.faults, 0);
	weavekit_run(&k, 1);
	assert_int_equal(k.faults, 1);
	assert_int_equal(k.reason, WEAVE_REASON_SILENT);
	assert_non_null(strstr(k.text, "right port"));
	assert_true(k.v.m.kind->deadline(&k.v.m).us == MONO_NEVER.us);
	weavekit_discovered(&k, pub, true); /* too late */
	assert_int_equal(k.frames, 1);
	/* one that signs for another, or says too little */
	weavekit_begin(&k);
	weavekit_discovered(&k, pub, false);
	assert_int_equal(k.counts[WEAVE_REASON_SIGNATURE], 1);
	for (size_t n = 1; n < sizeof(data); n++)
		weavekit_says(&k, weavekit_host, 0, data, n);
	assert_int_equal(k.counts[WEAVE_REASON_FORM], 95);
	assert_int_equal(k.frames, 1);
	/* to another host, and an event before its time */
	weavekit_says(&k, (const uint8_t *)"\1\2\3\4", 0, data, 96);
	weavekit_log(&k, 0x3002, NULL, 0);
	assert_false(k.up[0]);
	/* it signs, and does not let us in */
	weavekit_discovered(&k, pub, true);
	weavekit_run(&k, 2 * MONO_SECOND);
	assert_int_equal(k.faults, 1);
	assert_non_null(strstr(k.text, "does not let"));
}

/* ---- peers ---- */

static void
heard_from(unsigned i, const char *text)
{
	uint8_t data[100];
	const size_t n = strlen(text);

	memcpy(data, text, n);
	endpoint(data + n, i);
	weavekit_says(&k, weavekit_host, 5, data, n + WEAVE_ENDPOINT);
}

static void
peers(void **state)
{
	const uint8_t *p;
	size_t n;

	(void)state;
	weavekit_online(&k, pub);
	assert_false(takes(1));
	heard_from(7, "from nobody yet");
	assert_int_equal(k.counts[WEAVE_REASON_STRANGER], 1);
	alive(7);
	alive(7);
	assert_true(k.up[1] && takes(1));
	alive(9);
	assert_true(k.up[2] && !k.up[3]);
	heard_from(9, "hello");
	assert_int_equal(k.packets, 1);
	assert_int_equal(k.port, 2);
	vec_equal(k.data, k.len, "hello", 5);
	k.v.m.kind->send(&k.v.m, 2, (const uint8_t *)"\x7e\x7d", 2, k.now);
	p = weavekit_frame(&k, k.frames - 1, &n);
	assert_int_equal(n, 17);
	assert_memory_equal(p, "\xa1\xa2\x7e\x7d\2\0\1\x09\x7d\x7d\x7d\x7d\x7d"
	    "\x7d\x7d\x7e\x7d", 17);
	/* one that is heard of stays, the other goes 20 s later */
	weavekit_run(&k, 21 * MONO_SECOND);
	alive(9);
	weavekit_run(&k, MONO_SECOND);
	assert_false(k.up[1] || takes(1));
	assert_true(k.up[2]);
	/* its place is the next one's */
	alive(11);
	assert_true(k.up[1]);
	/* packets count as well as the word that it lives */
	for (unsigned i = 0; i < 10; i++) {
		weavekit_run(&k, 10 * MONO_SECOND);
		heard_from(11, "still here");
	}
	assert_true(k.up[1] && !k.up[2]);
}

static void
copies(void **state)
{
	(void)state;
	weavekit_online(&k, pub);
	alive(1);
	alive(2);
	heard_from(1, "the same");
	heard_from(2, "the same"); /* by another way */
	assert_int_equal(k.packets, 1);
	assert_int_equal(k.counts[WEAVE_REASON_COPY], 1);
	weavekit_run(&k, 750000);
	heard_from(2, "the same");
	assert_int_equal(k.packets, 2);
	/* 48 others, and it is forgotten */
	for (unsigned i = 0; i < WEAVE_REMEMBERED; i++) {
		char text[2] = {(char)('0' + i), '\0'};

		heard_from(1, text);
	}
	heard_from(1, "the same");
	assert_int_equal(k.packets, 2 + WEAVE_REMEMBERED + 1);
}

static void
many_peers(void **state)
{
	(void)state;
	weavekit_online(&k, pub);
	for (unsigned i = 0; i < 200; i++)
		alive(i);
	for (unsigned i = 1; i <= WEAVE_PEERS; i++)
		assert_true(k.up[i]);
	assert_int_equal(k.counts[WEAVE_REASON_CROWDED], 200 - WEAVE_PEERS);
	/* opened again: all of them are to be heard of anew */
	k.v.m.kind->opened(&k.v.m, k.now);
	for (unsigned i = 0; i < MODEM_PORTS; i++)
		assert_false(k.up[i]);
}

static void
figures(void **state)
{
	uint8_t via[12];

	(void)state;
	weavekit_online(&k, pub);
	weavekit_log(&k, 0x3003, (const uint8_t *)"endpoint", 8);
	assert_true(k.v.has_endpoint);
	assert_memory_equal(k.v.endpoint, "endpoint", 8);
	weavekit_log(&k, 0xe003, (const uint8_t *)"\x07", 1);
	weavekit_log(&k, 0xe005, (const uint8_t *)"\0\1\0\0\0\4\0\0", 8);
	assert_int_equal(k.v.cpu, 7);
	assert_int_equal(k.v.memory_free, 65536);
	assert_int_equal(k.v.memory_all, 262144);
	endpoint(via, 5);
	memcpy(via + 8, "abcd", 4);
	weavekit_log(&k, 0x3104, via, 12); /* of nobody */
	alive(5);
	weavekit_log(&k, 0x3104, via, 12);
	assert_true(k.v.peer[0].has_via);
	assert_memory_equal(k.v.peer[0].via, "abcd", 4);
	/* each of them cut short says nothing */
	weavekit_online(&k, pub);
	weavekit_log(&k, 0x3003, (const uint8_t *)"endpoin", 7);
	weavekit_log(&k, 0x3102, (const uint8_t *)"endpoin", 7);
	weavekit_log(&k, 0xe003, NULL, 0);
	weavekit_log(&k, 0xe005, (const uint8_t *)"\0\1\0\0\0\4\0", 7);
	weavekit_says(&k, weavekit_host, 3, (const uint8_t *)"12345678", 8);
	weavekit_says(&k, weavekit_host, 5, (const uint8_t *)"12345678", 8);
	assert_false(k.v.has_endpoint || k.v.has_cpu || k.v.has_memory);
	assert_false(k.up[1]);
	assert_int_equal(k.counts[WEAVE_REASON_FORM], 2);
}

static void
too_long(void **state)
{
	static uint8_t packet[WEAVE_MTU + 65];

	(void)state;
	weavekit_online(&k, pub);
	alive(1);
	k.v.m.kind->send(&k.v.m, 1, packet, WEAVE_MTU + 64, k.now);
	assert_int_equal(k.counts[WEAVE_REASON_OVERSIZE], 0);
	k.v.m.kind->send(&k.v.m, 1, packet, WEAVE_MTU + 65, k.now);
	k.v.m.kind->send(&k.v.m, 2, packet, 10, k.now);
	k.v.m.kind->send(&k.v.m, 99, packet, 10, k.now);
	assert_int_equal(k.counts[WEAVE_REASON_OVERSIZE], 1);
	assert_int_equal(k.frames, 3);
}

/* ---- strangers ---- */

static void
any_bytes(void *arg, const uint8_t *p, size_t n)
{
	(void)arg;
	weavekit_begin(&k);
	k.v.m.kind->bytes(&k.v.m, p, n, k.now);
	for (unsigned i = 0; i < MODEM_PORTS; i++)
		if (takes(i))
			k.v.m.kind->send(&k.v.m, i, p, n, k.now);
	weavekit_run(&k, 100 * MONO_SECOND);
	assert_true(k.faults <= 1);
}

static void
broken_streams(void **state)
{
	static uint8_t all[1024];
	size_t n = 0;

	(void)state;
	weavekit_record(&k, all, sizeof(all), &n);
	weavekit_begin(&k);
	weavekit_discovered(&k, pub, true);
	weavekit_log(&k, 0x3002, NULL, 0);
	alive(1);
	heard_from(1, "hello");
	weavekit_log(&k, 0xe005, (const uint8_t *)"\0\1\0\0\0\4\0\0", 8);
	weavekit_record(&k, NULL, 0, NULL);
	assert_true(n > 150);
	vec_each_prefix(all, n, any_bytes, NULL);
	vec_each_flip(all, n, any_bytes, NULL);
}

static int
teardown(void **state)
{
	(void)state;
	weavekit_end(&k);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(airtime, teardown),
		cmocka_unit_test_teardown(handshake, teardown),
		cmocka_unit_test_teardown(forgets, teardown),
		cmocka_unit_test_teardown(no_handshake, teardown),
		cmocka_unit_test_teardown(peers, teardown),
		cmocka_unit_test_teardown(copies, teardown),
		cmocka_unit_test_teardown(many_peers, teardown),
		cmocka_unit_test_teardown(figures, teardown),
		cmocka_unit_test_teardown(too_long, teardown),
		cmocka_unit_test_teardown(broken_streams, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
