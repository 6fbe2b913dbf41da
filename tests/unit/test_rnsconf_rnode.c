/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of RNodes: reticulum-transport.md 8.1, 8.2, 10.8, 10.9. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "transport/config/rnsconf.h"

#define HEAD "[interfaces]\n[[Mast]]\nenabled = yes\ntype = RNodeInterface\n"
#define PORT "port = /dev/ttyACM0\n"
#define RADIO "frequency = 868200000\nbandwidth = 125000\ntxpower = 7\n"       \
    "spreadingfactor = 8\ncodingrate = 5\n"
#define MULTI "[interfaces]\n[[Mast]]\nenabled = yes\n"                        \
    "type = RNodeMultiInterface\n" PORT

static struct rnsconf *
look(const char *text, struct mistakes *m)
{
	struct rnsconf *c = NULL;

	memset(m, 0, sizeof(*m));
	rnsconf_look(&c, text, strlen(text), m);
	assert_non_null(c);
	return c;
}

static struct rnsconf *
parse(const char *text)
{
	struct mistakes m;
	struct rnsconf *c = look(text, &m);

	if (m.n > 0)
		print_error("line %u: %s\n", m.v[0].line, m.v[0].text);
	assert_int_equal(m.n, 0);
	assert_true(c->ifs[0].enabled);
	return c;
}

/* Its one mistake has these words, and keeps this interface off. */
static void
wrong(const char *text, unsigned line, const char *says, const char *hint)
{
	struct mistakes m;
	struct rnsconf *c = look(text, &m);

	if (m.n != 1 || m.v[0].line != line ||
	    strstr(m.v[0].text, says) == NULL ||
	    strstr(m.v[0].hint, hint) == NULL)
		print_error("%s: %u: line %u: %s (%s)\n", text, m.n,
		    m.v[0].line, m.v[0].text, m.v[0].hint);
	assert_int_equal(m.n, 1);
	assert_int_equal(m.v[0].line, line);
	assert_non_null(strstr(m.v[0].text, says));
	assert_non_null(strstr(m.v[0].hint, hint));
	assert_false(c->ifs[0].enabled);
	assert_int_equal(c->nfile, 0);
	rnsconf_free(c);
}

static void
noted(const char *text, const char *says, const char *hint)
{
	struct rnsconf *c = parse(text);

	assert_int_equal(c->nnotes, 1);
	assert_non_null(strstr(c->notes[0].text, says));
	assert_non_null(strstr(c->notes[0].hint, hint));
	rnsconf_free(c);
}

static void
all_keys(void **state)
{
	struct rnsconf *c;
	char name[100];

	(void)state;
	c = parse(HEAD PORT RADIO "flow_control = yes\nid_callsign = AB1CD\n"
	    "id_interval = 600\nairtime_limit_short = 0.29\n"
	    "airtime_limit_long = 100\nmode = ap\nbitrate = 1000\n"
	    "networkname = x\n");
	assert_int_equal(c->nnotes, 0);
	assert_int_equal(c->ifs[0].type, RNSCONF_RNODE);
	assert_string_equal(c->ifs[0].tty, "/dev/ttyACM0");
	assert_null(c->ifs[0].target_host);
	assert_int_equal(c->ifs[0].speed, 115200);
	assert_int_equal(c->ifs[0].nradios, 1);
	assert_int_equal(c->ifs[0].radios[0].frequency, 868200000);
	assert_int_equal(c->ifs[0].radios[0].bandwidth, 125000);
	assert_int_equal(c->ifs[0].radios[0].txpower, 7);
	assert_int_equal(c->ifs[0].radios[0].sf, 8);
	assert_int_equal(c->ifs[0].radios[0].cr, 5);
	assert_true(c->ifs[0].radios[0].flow_control);
	assert_true(c->ifs[0].radios[0].st_limited);
	/* cut, not rounded, as RNS 1.5.7 does */
	assert_int_equal(c->ifs[0].radios[0].st_limit, 28);
	assert_int_equal(c->ifs[0].radios[0].lt_limit, 10000);
	assert_string_equal(c->ifs[0].id_callsign, "AB1CD");
	assert_int_equal(c->ifs[0].id_interval_s, 600);
	assert_int_equal(c->ifs[0].ifac_size, 8);
	assert_int_equal(c->ifs[0].mode, RNS_MODE_AP);
	rnsconf_if_display(&c->ifs[0], name, sizeof(name));
	assert_string_equal(name, "RNodeInterface[Mast]");
	rnsconf_free(c);
	c = parse(HEAD PORT RADIO);
	assert_false(c->ifs[0].radios[0].st_limited);
	assert_null(c->ifs[0].id_callsign);
	rnsconf_free(c);
	/* as the reference has it */
	noted(HEAD PORT "frequency = 868200000\nbandwidth = 125000\n"
	    "spreadingfactor = 8\ncodingrate = 5\n", "0 dBm is used",
	    "txpower = 7");
}

static void
ports(void **state)
{
	static const struct {
		const char *port, *host;
		unsigned number;
	} good[] = {
		{"tcp://10.0.0.7", "10.0.0.7", 7633},
		{"TCP://rnode.local:77", "rnode.local", 77},
		{"tcp://fe80::1", "fe80::1", 7633},
		{"tcp://[fe80::1]:77", "fe80::1", 77},
		{"tcp://[::1]", "::1", 7633},
	};
	static const char *const bad[] = {"tcp://", "tcp://a:", "tcp://a:x",
	    "tcp://a:0", "tcp://a:65536", "tcp://[::1", "tcp://[::1]7",
	    "tcp://:7633", "tcp://a/b", "tcp://[]", "tcp://a:7 7"};
	char text[400];

	(void)state;
	for (size_t i = 0; i < NELEM(good); i++) {
		struct rnsconf *c;

		(void)snprintf(text, sizeof(text), HEAD RADIO "port = %s\n",
		    good[i].port);
		c = parse(text);
		assert_null(c->ifs[0].tty);
		assert_string_equal(c->ifs[0].target_host, good[i].host);
		assert_int_equal(c->ifs[0].target_port, good[i].number);
		rnsconf_free(c);
	}
	for (size_t i = 0; i < NELEM(bad); i++) {
		(void)snprintf(text, sizeof(text), HEAD RADIO "port = %s\n",
		    bad[i]);
		wrong(text, 10, "is no address", "tcp://HOST");
	}
	wrong(HEAD RADIO "port = ble://RNode 1234\n", 10, "Bluetooth is not "
	    "built in", "connect it with a cable");
	wrong(HEAD RADIO "port = COM3\n", 10, "is no path", "/dev/");
	wrong(HEAD RADIO, 2, "has no port", "port = /dev/ttyUSB0");
}

/* The ends of each range are in it. */
static void
ranges(void **state)
{
	static const struct {
		const char *key, *least, *most, *below, *above;
	} all[] = {
		{"frequency", "137000000", "3000000000", "136999999",
		    "3000000001"},
		{"bandwidth", "7800", "1625000", "7799", "1625001"},
		{"txpower", "0", "37", "-1", "38"},
		{"spreadingfactor", "5", "12", "4", "13"},
		{"codingrate", "5", "8", "4", "9"},
		{"airtime_limit_short", "0", "100", "-0.01", "100.01"},
		{"airtime_limit_long", "0", "100", "-0.01", "nan"},
	};
	static const char *const usual[] = {"868200000", "125000", "7", "8",
	    "5", "33", "1.5"};
	char text[600], lines[400];

	(void)state;
	for (size_t i = 0; i < NELEM(all); i++)
		for (unsigned k = 0; k < 4; k++) {
			const char *v = k == 0 ? all[i].least : k == 1 ?
			    all[i].most : k == 2 ? all[i].below :
			    all[i].above;
			size_t len = 0;

			for (size_t j = 0; j < NELEM(all); j++)
				len += (size_t)snprintf(lines + len,
				    sizeof(lines) - len, "%s = %s\n",
				    all[j].key, j == i ? v : usual[j]);
			(void)snprintf(text, sizeof(text), HEAD PORT "%s",
			    lines);
			if (k < 2)
				rnsconf_free(parse(text));
			else
				wrong(text, (unsigned)(6 + i), all[i].key,
				    "");
		}
	/* what is not there */
	for (size_t i = 0; i < 5; i++) {
		size_t len = 0;

		if (i == 2) /* txpower */
			continue;
		for (size_t j = 0; j < 5; j++)
			if (j != i)
				len += (size_t)snprintf(lines + len,
				    sizeof(lines) - len, "%s = %s\n",
				    all[j].key, usual[j]);
		(void)snprintf(text, sizeof(text), HEAD PORT "%s", lines);
		wrong(text, 2, all[i].key, all[i].key);
	}
	wrong(HEAD PORT "frequenzy = 868200000\nbandwidth = 125000\n"
	    "txpower = 7\nspreadingfactor = 8\ncodingrate = 5\n", 2,
	    "has no \"frequency\"", "\"frequenzy\" in line 6");
}

static void
call_signs(void **state)
{
	(void)state;
	wrong(HEAD PORT RADIO "id_callsign = "
	    "123456789012345678901234567890123\nid_interval = 600\n", 11,
	    "cannot be sent", "1 to 32 bytes");
	noted(HEAD PORT RADIO "id_callsign = X\nid_interval = 0\n",
	    "id_interval = 0: 1 is used", "take the line out");
	noted(HEAD PORT RADIO "id_callsign = \"\"\nid_interval = 600\n",
	    "is empty, and none is sent", "take the line out");
	rnsconf_free(parse(HEAD PORT RADIO "id_interval = 600\nid_callsign = "
	    "12345678901234567890123456789012\n"));
	noted(HEAD PORT RADIO "id_callsign = X\n", "only together",
	    "add the other");
	noted(HEAD PORT RADIO "id_interval = 7\n", "only together",
	    "add the other");
}

/* Words of the reference: what it takes means the same. */
static void
as_stock(void **state)
{
	static const struct {
		const char *line;
		bool flow;
		uint16_t st;
	} same[] = {
		{"flow_control = yes\n", true, 0},
		{"flow_control = True\n", true, 0},
		{"flow_control = 1\n", true, 0},
		{"flow_control = ON\n", true, 0},
		{"flow_control = False\n", false, 0},
		{"flow_control = 0\n", false, 0},
		{"airtime_limit_short = 33\n", false, 3300},
		{"airtime_limit_short = \"33.5\"\n", false, 3350},
		{"airtime_limit_short = 1e1\n", false, 1000},
		{"airtime_limit_short = 1.15\n", false, 114},
		{"airtime_limit_short = 0\n", false, 0},
	};
	char text[400];

	(void)state;
	for (size_t i = 0; i < NELEM(same); i++) {
		struct rnsconf *c;

		(void)snprintf(text, sizeof(text), HEAD PORT RADIO "%s",
		    same[i].line);
		c = parse(text);
		assert_int_equal(c->nnotes, 0);
		assert_int_equal(c->ifs[0].radios[0].flow_control,
		    same[i].flow);
		assert_int_equal(c->ifs[0].radios[0].st_limit, same[i].st);
		assert_int_equal(c->ifs[0].radios[0].st_limited,
		    strncmp(same[i].line, "airtime", 7) == 0);
		rnsconf_free(c);
	}
}

static void
several(void **state)
{
	struct rnsconf *c;
	char name[100];

	(void)state;
	c = parse(MULTI "id_callsign = X\nid_interval = 9\nmode = gw\n"
	    "[[[Low]]]\nvport = 0\ninterface_enabled = yes\n" RADIO
	    "[[[High]]]\nvport = 1\nfrequency = 2412000000\n"
	    "bandwidth = 812500\ntxpower = -9\nspreadingfactor = 7\n"
	    "codingrate = 5\noutgoing = no\nflow_control = yes\n");
	assert_int_equal(c->nnotes, 0);
	assert_int_equal(c->ifs[0].nradios, 2);
	assert_string_equal(c->ifs[0].radios[0].name, "Low");
	assert_string_equal(c->ifs[0].radios[1].name, "High");
	assert_int_equal(c->ifs[0].radios[1].vport, 1);
	assert_int_equal(c->ifs[0].radios[1].txpower, -9);
	assert_true(c->ifs[0].radios[0].outgoing);
	assert_false(c->ifs[0].radios[1].outgoing);
	assert_true(c->ifs[0].radios[1].flow_control);
	assert_int_equal(c->ifs[0].mode, RNS_MODE_GATEWAY);
	assert_string_equal(c->ifs[0].id_callsign, "X");
	rnsconf_if_display(&c->ifs[0], name, sizeof(name));
	assert_string_equal(name, "RNodeMultiInterface[Mast]");
	rnsconf_free(c);
	/* which of them are meant */
	noted(MULTI "[[[A]]]\nvport = 0\ninterface_enabled = no\n" RADIO
	    "[[[B]]]\nvport = 1\n" RADIO, "\"A\" is off here, and rnsd would",
	    "take the section out");
	c = parse("[interfaces]\n[[M]]\ninterface_enabled = yes\n"
	    "type = RNodeMultiInterface\n" PORT "[[[A]]]\nvport = 0\n" RADIO
	    "[[[B]]]\ninterface_enabled = yes\nvport = 1\n" RADIO);
	assert_int_equal(c->ifs[0].nradios, 1);
	assert_string_equal(c->ifs[0].radios[0].name, "B");
	rnsconf_free(c);
	/* keys below it that are none */
	noted(MULTI "[[[A]]]\nvport = 0\nflow_kontrol = yes\n" RADIO,
	    "\"A\": unknown key \"flow_kontrol\"", "flow_control");
}

static void
several_wrong(void **state)
{
	char text[4000];
	size_t len;

	(void)state;
	wrong(MULTI, 2, "has no radio that is enabled", "[[[NAME]]]");
	wrong(MULTI "[[[A]]]\n" RADIO, 6, "has no \"vport\"", "vport = 0");
	wrong(MULTI "[[[A]]]\nvport = 11\n" RADIO, 7, "vport", "0 to 10");
	wrong(MULTI "[[[A]]]\nvport = 0\n" RADIO "[[[B]]]\nvport = 0\n" RADIO,
	    13, "vport 0 is that of \"A\"", "one section");
	wrong(MULTI "[[[A]]]\nvport = 0\n" RADIO "[[[B]]]\nvport = 1\n"
	    "frequency = 868200000\nbandwidth = 125000\ntxpower = -10\n"
	    "spreadingfactor = 8\ncodingrate = 5\n", 17, "txpower", "-9 to 37");
	len = (size_t)snprintf(text, sizeof(text), MULTI);
	for (unsigned i = 0; i < 11; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "[[[R%u]]]\nvport = %u\n" RADIO, i, i);
	rnsconf_free(parse(text));
	(void)snprintf(text + len, sizeof(text) - len, "[[[R11]]]\nvport = "
	    "10\n" RADIO);
	wrong(text, 83, "more than 11 radios", "take one out");
	/* a section twice belongs to this interface alone */
	wrong(MULTI "[[[A]]]\nvport = 0\n" RADIO "[[[A]]]\nvport = 1\n" RADIO,
	    13, "is there already", "own name");
}

static void
weave(void **state)
{
	struct rnsconf *c = parse("[interfaces]\n[[W]]\nenabled = yes\n"
	    "type = WeaveInterface\nport = /dev/ttyACM2\nspeed = 9600\n"
	    "passphrase = x\n");
	char name[100];

	(void)state;
	assert_int_equal(c->ifs[0].type, RNSCONF_WEAVE);
	assert_string_equal(c->ifs[0].tty, "/dev/ttyACM2");
	assert_int_equal(c->ifs[0].speed, 3000000);
	assert_int_equal(c->ifs[0].ifac_size, 16);
	assert_int_equal(c->nnotes, 1); /* it has no other speed */
	rnsconf_if_display(&c->ifs[0], name, sizeof(name));
	assert_string_equal(name, "WeaveInterface[W]");
	rnsconf_free(c);
	wrong("[interfaces]\n[[W]]\nenabled = yes\ntype = WeaveInterface\n", 2,
	    "has no port", "/dev/");
}

static void
offered(void **state)
{
	struct rnsconf *c;

	(void)state;
	c = parse(HEAD PORT RADIO "discoverable = yes\n");
	assert_int_equal(c->nnotes, 0); /* needs no reachable_on */
	assert_true(c->ifs[0].offer.on);
	assert_int_equal(c->ifs[0].mode, RNS_MODE_AP);
	rnsconf_free(c);
	noted(HEAD PORT RADIO "discoverable = yes\nmode = full\n",
	    "its mode is access_point", "mode = access_point");
	c = parse(HEAD PORT RADIO "discoverable = yes\nmode = gateway\n");
	assert_int_equal(c->ifs[0].mode, RNS_MODE_GATEWAY);
	rnsconf_free(c);
	noted(MULTI "discoverable = yes\n[[[A]]]\nvport = 0\n" RADIO,
	    "several radios", "RNodeInterface");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_keys),
		cmocka_unit_test(ports),
		cmocka_unit_test(ranges),
		cmocka_unit_test(call_signs),
		cmocka_unit_test(as_stock),
		cmocka_unit_test(several),
		cmocka_unit_test(several_wrong),
		cmocka_unit_test(weave),
		cmocka_unit_test(offered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
