/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said of an interface of our own (reticulum-transport.md 7.8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "transport/discovery/describe.h"

#define B32 "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq"
#define SERVER "type = TCPServerInterface\nlisten_port = 4242\n"
#define NUMBERS "discovery_frequency = 868000000\ndiscovery_bandwidth = 125000\n"

static struct describe_node
here(void)
{
	struct describe_node n = {.transport = true, .version = "1.0"};

	n.transport_id.b[0] = 7;
	return n;
}

/* A section with these lines; false: nothing is said of it. */
static bool
describe(struct offer *o, const char *lines, const struct describe_node *n)
{
	struct rnsconf *c = NULL;
	struct mistakes m = {0};
	char text[1024];
	bool said;

	(void)snprintf(text, sizeof(text), "[interfaces]\n[[Hub]]\n"
	    "enabled = yes\ndiscoverable = yes\n%s", lines);
	if (rnsconf_parse(&c, text, strlen(text), &m) < 0 || c->nifs != 1)
		fail_msg("%s: %s", lines, m.v[0].text);
	said = describe_offer(o, &c->ifs[0], n);
	rnsconf_free(c);
	return said;
}

static void
reached(void **state)
{
	static const struct {
		const char *lines, *host;
		uint16_t port;
		enum offer_type type;
	} cases[] = {
		{SERVER "reachable_on = relay.example.org\n",
		    "relay.example.org", 4242, OFFER_TCP_SERVER},
		{"type = BackboneInterface\nlisten_port = 1\n"
		 "listen_on = 0.0.0.0\nreachable_on = 203.0.113.5\n",
		    "203.0.113.5", 1, OFFER_BACKBONE},
		{"type = I2PInterface\nconnectable = yes\n"
		 "reachable_on = example.org\n", B32, 0, OFFER_I2P},
		{"type = I2PInterface\npeers = a.b32.i2p\n", "", 0, OFFER_I2P},
	};
	struct describe_node n = here();
	struct offer o;

	(void)state;
	n.b32 = B32;
	for (size_t i = 0; i < NELEM(cases); i++) {
		assert_true(describe(&o, cases[i].lines, &n));
		assert_int_equal(o.type, cases[i].type);
		assert_string_equal(o.host, cases[i].host);
		assert_int_equal(o.port, cases[i].port);
		assert_string_equal(o.name, "Hub");
		assert_string_equal(o.impl, OFFER_IMPL);
		assert_string_equal(o.version, "1.0");
		assert_true(o.transport && o.transport_id.b[0] == 7);
		assert_false(o.placed[0] || o.has_operator ||
		    o.numbered[OFFER_FREQUENCY]);
		assert_true(*o.netname == '\0' && *o.netkey == '\0');
	}
	n.b32 = NULL; /* not up yet */
	assert_true(describe(&o, cases[2].lines, &n));
	assert_string_equal(o.host, "");
}

static void
not_offered(void **state)
{
	static const char *const cases[] = {SERVER, SERVER
	    "reachable_on = no host!\n", SERVER "reachable_on = /bin/where\n",
	    "type = UDPInterface\nlisten_ip = 127.0.0.1\nlisten_port = 1\n",
	    "type = TCPClientInterface\ntarget_host = a\ntarget_port = 1\n"};
	struct describe_node n = here();
	struct offer o;

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++)
		assert_false(describe(&o, cases[i], &n));
}

static void
radios(void **state)
{
	static const char *const cases[] = {
	    "type = TCPClientInterface\ntarget_host = a\ntarget_port = 1\n"
	    "kiss_framing = yes\n" NUMBERS "discovery_modulation = gfsk\n",
	    "type = WeaveInterface\nport = /dev/x\n" NUMBERS
	    "discovery_modulation = gfsk\n"};
	static const enum offer_type types[] = {OFFER_KISS, OFFER_WEAVE};
	uint8_t packed[OFFER_APP_MAX];
	struct describe_node n = here();
	struct offer o, again;
	struct wr w;

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		assert_true(describe(&o, cases[i], &n));
		assert_int_equal(o.type, types[i]);
		assert_int_equal(o.number[OFFER_FREQUENCY], 868000000);
		assert_int_equal(o.number[OFFER_BANDWIDTH], 125000);
		assert_string_equal(o.modulation, "gfsk");
		/* a Weave's has a channel, though none is known */
		w = wr_make(packed, sizeof(packed));
		offer_pack(&w, &o);
		assert_int_equal(offer_parse(&again, packed, w.len),
		    OFFER_TAKEN);
		assert_false(again.numbered[OFFER_CHANNEL]);
	}
	assert_true(describe(&o, "type = RNodeInterface\nport = /dev/x\n"
	    "frequency = 867200000\nbandwidth = 125000\ntxpower = 7\n"
	    "spreadingfactor = 8\ncodingrate = 5\n", &n));
	assert_int_equal(o.type, OFFER_RNODE);
	assert_int_equal(o.number[OFFER_SF], 8);
	assert_int_equal(o.number[OFFER_CR], 5);
}

/* What programs said counts where the section names programs. */
static void
programs(void **state)
{
	static const bool placed[3] = {true, false, true};
	static const double place[3] = {55.5, 0, -3};
	struct describe_node n = here();
	struct offer o;

	(void)state;
	n.host = "203.0.113.1";
	n.placed = placed;
	n.place = place;
	assert_true(describe(&o, SERVER "reachable_on = /bin/where\n"
	    "location_cmd = /bin/place\nlatitude = 1\n", &n));
	assert_string_equal(o.host, "203.0.113.1");
	assert_true(o.placed[0] && !o.placed[1] && o.place[0] > 55 &&
	    o.place[2] < -2);
	assert_true(describe(&o, SERVER "reachable_on = a\nlongitude = 12\n",
	    &n));
	assert_string_equal(o.host, "a");
	assert_true(!o.placed[0] && o.placed[1] && o.place[1] > 11);
}

static void
codes(void **state)
{
	struct describe_node n = here();
	struct offer o;

	(void)state;
	assert_true(describe(&o, SERVER "reachable_on = a\npassphrase = k\n"
	    "network_name = n\n", &n));
	assert_true(*o.netname == '\0' && *o.netkey == '\0');
	assert_true(describe(&o, SERVER "reachable_on = a\npassphrase = k\n"
	    "publish_ifac = yes\ndiscovery_name = Our hub\n", &n));
	assert_string_equal(o.netkey, "k");
	assert_string_equal(o.netname, "");
	assert_string_equal(o.name, "Our hub");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reached),
		cmocka_unit_test(not_offered),
		cmocka_unit_test(radios),
		cmocka_unit_test(programs),
		cmocka_unit_test(codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
