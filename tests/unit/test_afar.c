/* SPDX-License-Identifier: BSD-2-Clause */
/* Where an interface that a stranger announced may lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "common/util.h"
#include "node/parent/afar.h"

static struct lookup_addr
at(const char *text)
{
	struct lookup_addr r = {.family = strchr(text, ':') != NULL ? 6 : 4};

	assert_int_equal(inet_pton(r.family == 6 ? AF_INET6 : AF_INET, text,
	    r.addr), 1);
	return r;
}

static const struct {
	const char *text;
	unsigned bits;
} machine[] = {
	{"127.0.0.1", 8}, {"::1", 128}, {"192.168.7.2", 24},
	{"203.0.113.9", 24}, {"10.9.0.1", 16}, {"100.64.3.1", 10},
	{"fd00:1:2:3::9", 64}, {"2001:db8:5::7", 64}, {"fe80::1", 64},
};

static const char *
refused(const char *text)
{
	struct own_net own[NELEM(machine)];
	struct lookup_addr r = at(text);

	for (size_t i = 0; i < NELEM(machine); i++)
		own[i] = (struct own_net){at(machine[i].text),
		    machine[i].bits};
	return afar_refused(&r, own, NELEM(own));
}

static void
test_never(void **state)
{
	static const char *texts[] = {
		/* this machine */
		"127.0.0.1", "127.255.255.254", "::1", "::", "0.0.0.0",
		"0.1.2.3", "192.168.7.2", "203.0.113.9", "2001:db8:5::7",
		"fd00:1:2:3::9",
		/* link-local, and what is no host's */
		"169.254.0.1", "169.254.169.254", "fe80::1", "fe80:1::2",
		"febf::1", "fec0::1", "224.0.0.1", "239.1.2.3", "240.0.0.1",
		"255.255.255.255", "ff02::1",
		/* overlay */
		"200::1", "3ff::1",
		/* private, and beside us */
		"192.168.7.1", "192.168.7.255", "10.9.77.1", "100.127.0.1",
		"fd00:1:2:3::1",
		/* the same in IPv6's clothes */
		"::ffff:127.0.0.1", "::ffff:192.168.7.1", "::ffff:203.0.113.9",
		"::ffff:169.254.169.254", "64:ff9b::127.0.0.1",
		"64:ff9b::192.168.7.1", "2002:7f00:1::1", "2002:c0a8:701::1",
		"::127.0.0.1", "::192.168.7.9",
	};

	(void)state;
	for (size_t i = 0; i < NELEM(texts); i++)
		if (refused(texts[i]) == NULL)
			fail_msg("%s may be connected to", texts[i]);
}

static void
test_may(void **state)
{
	static const char *texts[] = {"1.1.1.1", "203.0.113.8", "198.51.100.1",
	    "192.168.8.1", "10.8.0.1", "172.16.0.1", "126.255.255.255",
	    "128.0.0.1", "169.253.0.1", "223.255.255.255", "101.0.0.1",
	    "2001:db8:5::8", "2a00::1", "fd00:1:2:4::1", "400::1", "1ff::1",
	    "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"};

	(void)state;
	for (size_t i = 0; i < NELEM(texts); i++)
		if (refused(texts[i]) != NULL)
			fail_msg("%s: %s", texts[i], refused(texts[i]));
}

static void
test_family(void **state)
{
	struct lookup_addr r = {.family = 5, .addr = {1, 1, 1, 1}};

	(void)state;
	assert_non_null(afar_refused(&r, NULL, 0));
	r.family = 4;
	assert_null(afar_refused(&r, NULL, 0));
}

/* A network of 0 or 32 bits is no special case. */
static void
test_bits(void **state)
{
	struct lookup_addr r = at("10.1.2.3");
	struct own_net own = {at("10.9.9.9"), 0};

	(void)state;
	assert_non_null(afar_refused(&r, &own, 1));
	own.bits = 32;
	assert_null(afar_refused(&r, &own, 1));
	own.bits = 8;
	assert_non_null(afar_refused(&r, &own, 1));
	own.bits = 9;
	assert_non_null(afar_refused(&r, &own, 1));
	own.bits = 13; /* 10.8.0.0 */
	assert_null(afar_refused(&r, &own, 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_never),
		cmocka_unit_test(test_may),
		cmocka_unit_test(test_family),
		cmocka_unit_test(test_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
