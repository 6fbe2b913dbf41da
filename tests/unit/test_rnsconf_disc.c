/* SPDX-License-Identifier: BSD-2-Clause */
/* Interface discovery in `config` (reticulum-transport.md 7.8, 8.7, 11.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "transport/config/rnsconf.h"

static struct rnsconf *
parse(const char *text)
{
	struct rnsconf *c = NULL;
	struct mistakes m = {0};

	if (rnsconf_parse(&c, text, strlen(text), &m) < 0)
		fail_msg("line %u: %s", m.v[0].line, m.v[0].text);
	return c;
}

/* One TCP server with these lines more. */
static struct rnsconf *
server(const char *lines)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), "[interfaces]\n[[Hub]]\ntype = "
	    "TCPServerInterface\nenabled = yes\nlisten_ip = 0.0.0.0\n"
	    "listen_port = 4242\n%s", lines);
	return parse(text);
}

static void
defaults(void **state)
{
	struct rnsconf *c = server("");

	(void)state;
	assert_false(c->discovery.listen);
	assert_int_equal(c->discovery.required, 16);
	assert_int_equal(c->discovery.nsources, 0);
	assert_int_equal(c->discovery.autoconnect, 0);
	assert_false(c->discovery.unverified);
	assert_int_equal(c->discovery.mode, 0);
	assert_false(c->ifs[0].offer.on || c->ifs[0].bootstrap_only);
	assert_int_equal(c->nnotes, 0);
	rnsconf_free(c);

	c = server("discoverable = yes\nreachable_on = node.example.org\n");
	assert_true(c->ifs[0].offer.on);
	assert_int_equal(c->ifs[0].offer.interval_min, 360);
	assert_int_equal(c->ifs[0].offer.cost, 16);
	assert_int_equal(c->ifs[0].mode, RNS_MODE_GATEWAY);
	assert_null(c->ifs[0].offer.name);
	assert_false(c->ifs[0].offer.placed[0] || c->ifs[0].offer.encrypt);
	assert_int_equal(c->nnotes, 0);
	rnsconf_free(c);
}

/* reticulum-transport.md 8.2 */
static void
modes(void **state)
{
	static const struct {
		const char *lines;
		enum rns_if_mode mode;
		unsigned notes;
	} rows[] = {
		{"mode = roaming\n", RNS_MODE_GATEWAY, 1},
		{"interface_mode = full\n", RNS_MODE_GATEWAY, 1},
		{"mode = ap\n", RNS_MODE_AP, 0},
		{"mode = internal\n", RNS_MODE_INTERNAL, 0},
		{"mode = gw\n", RNS_MODE_GATEWAY, 0},
		{"mode = roaming\nignore_config_warnings = yes\n",
		    RNS_MODE_ROAMING, 0},
	};
	char lines[200];

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct rnsconf *c;

		(void)snprintf(lines, sizeof(lines), "discoverable = yes\n"
		    "reachable_on = node.example.org\n%s", rows[i].lines);
		c = server(lines);
		assert_int_equal(c->ifs[0].mode, rows[i].mode);
		assert_int_equal(c->nnotes, rows[i].notes);
		rnsconf_free(c);
		(void)snprintf(lines, sizeof(lines), "mode = roaming\n");
		c = server(lines); /* not discoverable */
		assert_int_equal(c->ifs[0].mode, RNS_MODE_ROAMING);
		rnsconf_free(c);
	}
}

static void
receiving(void **state)
{
	struct rnsconf *c = parse("[reticulum]\ndiscover_interfaces = yes\n"
	    "required_discovery_value = 12\ninterface_discovery_sources = "
	    "00112233445566778899aabbccddeeff, "
	    "ff112233445566778899aabbccddeeff\n"
	    "autoconnect_discovered_interfaces = 3\n"
	    "autoconnect_unverified_implementations = yes\n"
	    "autoconnect_interface_mode = gw\n"
	    "autoconnect_interface_gravity = -2\n"
	    "autoconnect_announces_to_internal = yes\n");
	const struct rnsconf_discovery *d = &c->discovery;

	(void)state;
	assert_true(d->listen && d->unverified);
	assert_int_equal(d->required, 12);
	assert_int_equal(d->nsources, 2);
	assert_int_equal(d->sources[1].b[0], 0xff);
	assert_int_equal(d->autoconnect, 3);
	assert_int_equal(d->mode, RNS_MODE_GATEWAY);
	assert_int_equal(d->gravity, -2);
	assert_true(d->to_internal && d->to_internal_said);
	assert_int_equal(c->nnotes, 0);
	rnsconf_free(c);
	c = parse("[reticulum]\nrequired_discovery_value = -1\n");
	assert_int_equal(c->discovery.required, 16);
	assert_false(c->discovery.to_internal_said);
	rnsconf_free(c);
}

static void
sending(void **state)
{
	struct rnsconf *c = server("passphrase = secret\ndiscoverable = yes\n"
	    "announce_interval = 1\ndiscovery_stamp_value = 20\n"
	    "discovery_name = My node\nreachable_on = 192.0.2.7\n"
	    "discovery_encrypt = yes\npublish_ifac = yes\nlatitude = 55.5\n"
	    "longitude = 12\nheight = -3\ndiscovery_lxmf_address = "
	    "00112233445566778899aabbccddeeff\nbootstrap_only = yes\n"
	    "discovery_frequency = 867200000\ndiscovery_bandwidth = 125000\n"
	    "discovery_modulation = lora\n");
	const struct rnsconf_offer *o = &c->ifs[0].offer;

	(void)state;
	assert_int_equal(o->interval_min, 5); /* the least */
	assert_int_equal(o->cost, 20);
	assert_string_equal(o->name, "My node");
	assert_string_equal(o->reachable_on, "192.0.2.7");
	assert_true(o->encrypt && o->publish_ifac && c->ifs[0].bootstrap_only);
	assert_true(o->placed[0] && o->placed[1] && o->placed[2]);
	assert_true(o->place[0] == 55.5 && o->place[2] == -3);
	assert_true(o->has_operator);
	assert_int_equal(o->operator_lxmf.b[1], 0x11);
	assert_int_equal(o->frequency, 867200000);
	assert_int_equal(o->bandwidth, 125000);
	assert_string_equal(o->modulation, "lora");
	assert_int_equal(c->nnotes, 0);
	rnsconf_free(c);
	/* without discoverable nobody looks at them, as in Reticulum */
	c = server("announce_interval = x\nlatitude = y\nreachable_on = /z\n"
	    "discovery_stamp_value = 99\nlocation_cmd = /bin/pos\n");
	assert_int_equal(c->nnotes, 0);
	rnsconf_free(c);
}

/* Programs that say where it is. */
static void
programs(void **state)
{
	struct rnsconf *c = server("discoverable = yes\n"
	    "reachable_on = /usr/local/bin/where\nlocation_cmd = ~/gps\n");
	const struct rnsconf_offer *o = &c->ifs[0].offer;

	(void)state;
	assert_int_equal(c->nnotes, 0);
	assert_null(o->reachable_on);
	assert_string_equal(o->reachable_cmd, "/usr/local/bin/where");
	assert_string_equal(o->location_cmd, "~/gps");
	rnsconf_free(c);
}

/* Each says what does not happen, and in which line to mend it. */
static void
notes(void **state)
{
	static const struct {
		const char *lines, *says, *hint;
		unsigned line;
	} cases[] = {
		{"discoverable = yes\n", "is not announced",
		    "reachable_on", 7},
		{"discoverable = yes\nreachable_on = bin/ip\n",
		    "cannot be run", "whole path", 8},
		{"discoverable = yes\nreachable_on = a\npublish_ifac = yes\n",
		    "no access code", "", 9},
		{"discoverable = yes\nreachable_on = a\nlocation_cmd = x\n",
		    "location_cmd", "whole path", 9},
		{"discoverable = yes\nreachable_on = a\n"
		 "discovery_stamp_value = 41\n", "cannot be made", "16", 9},
		{"discoverable = yes\nreachable_on = a\n"
		 "discovery_lxmf_address = 12\n", "no address", "32", 9},
		{"discoverable = yes\nreachable_on = a\nclient_limit = 5\n"
		 "[stamps]\nenforce_stamps = yes\n", "1.6", "", 10},
		{"[filter]\n[[x]]\ny = z\n", "1.6", "", 7},
		{"[reticulum]\nautoconnect_discovered_interfaces = 2\n",
		    "not discovered", "discover_interfaces", 8},
	};
	struct rnsconf *c = parse("[interfaces]\n[[I]]\nenabled = yes\n"
	    "type = I2PInterface\ndiscoverable = yes\npeers = a.b32.i2p\n");

	(void)state;
	assert_int_equal(c->nnotes, 1);
	assert_string_equal(c->notes[0].hint, "add connectable = yes");
	rnsconf_free(c);
	c = parse("[interfaces]\n[[I]]\nenabled = yes\nconnectable = yes\n"
	    "type = I2PInterface\ndiscoverable = yes\n");
	assert_int_equal(c->nnotes, 0);
	rnsconf_free(c);
	/* I2P says where it is: a program is not asked, and hides no note */
	c = parse("[interfaces]\n[[I]]\nenabled = yes\n"
	    "type = I2PInterface\ndiscoverable = yes\npeers = a.b32.i2p\n"
	    "reachable_on = /bin/where\n");
	assert_null(c->ifs[0].offer.reachable_cmd);
	assert_int_equal(c->nnotes, 1);
	assert_string_equal(c->notes[0].hint, "add connectable = yes");
	rnsconf_free(c);
	for (size_t i = 0; i < NELEM(cases); i++) {
		c = server(cases[i].lines);
		assert_int_equal(c->nnotes, 1);
		assert_int_equal(c->notes[0].line, cases[i].line);
		assert_non_null(strstr(c->notes[0].text, cases[i].says));
		assert_non_null(strstr(c->notes[0].hint, cases[i].hint));
		rnsconf_free(c);
	}
}

static void
bad_source(void **state)
{
	static const char text[] = "[reticulum]\ndiscover_interfaces = yes\n"
	    "interface_discovery_sources = xyz\n";
	struct mistakes m = {0};
	struct rnsconf *c;

	(void)state;
	assert_true(rnsconf_parse(&c, text, strlen(text), &m) < 0);
	assert_int_equal(m.v[0].line, 3);
	assert_non_null(strstr(m.v[0].text, "xyz"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(modes),
		cmocka_unit_test(receiving),
		cmocka_unit_test(sending),
		cmocka_unit_test(programs), cmocka_unit_test(notes),
		cmocka_unit_test(bad_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
