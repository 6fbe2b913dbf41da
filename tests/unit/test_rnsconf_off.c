/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What keeps an interface off, all of it; and what would keep one off that is
 * off anyway: of every key of cables, TNCs, radios, programs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/mistake.h"
#include "common/util.h"
#include "transport/config/rnsconf.h"

#define PORT "port = /dev/ttyS0\n"
#define RADIO                                                                  \
	"frequency = 868200000\nbandwidth = 125000\ntxpower = 7\n"             \
	"spreadingfactor = 8\ncodingrate = 5\n"

/* Each with one wrong value, in place of a right one of the same key. */
static const struct {
	const char *type, *rest, *key, *value, *hint;
} wrong[] = {
	{"SerialInterface", "", "port", "ttyS0", "/dev/serial/by-id"},
	{"SerialInterface", PORT, "speed", "fast", "whole number"},
	{"SerialInterface", PORT, "databits", "9", "5 to 8"},
	{"SerialInterface", PORT, "stopbits", "1.5", "1 to 2"},
	{"KISSInterface", "", "port", "COM3", "/dev/serial/by-id"},
	{"KISSInterface", PORT, "speed", "-1", "from 1"},
	{"KISSInterface", PORT, "databits", "4", "5 to 8"},
	{"KISSInterface", PORT, "stopbits", "3", "1 to 2"},
	{"KISSInterface", PORT, "preamble", "350.5", "whole number"},
	{"KISSInterface", PORT, "txtail", "x", "whole number"},
	{"KISSInterface", PORT, "persistence", "half", "whole number"},
	{"KISSInterface", PORT, "slottime", "x", "whole number"},
	{"KISSInterface", PORT, "flow_control", "maybe", "yes or no"},
	{"KISSInterface", PORT "id_callsign = A\n", "id_interval", "x",
	    "whole number"},
	{"AX25KISSInterface", PORT "ssid = 1\n", "callsign", "N0CALL-1",
	    "dash is ssid"},
	{"AX25KISSInterface", PORT "callsign = N0CALL\n", "ssid", "16",
	    "0 to 15"},
	{"AX25KISSInterface", PORT "callsign = N0CALL\nssid = 1\n",
	    "flow_control", "2", "yes or no"},
	{"RNodeInterface", RADIO, "port", "ble://RNode 1234", "tcp://HOST"},
	{"RNodeInterface", RADIO, "port", "tcp://", "tcp://HOST:PORT"},
	{"RNodeInterface", RADIO PORT, "flow_control", "x", "yes or no"},
	{"RNodeInterface", RADIO PORT, "airtime_limit_short", "33%",
	    "a number"},
	{"RNodeInterface", RADIO PORT, "airtime_limit_long", "100.5",
	    "0 to 100"},
	{"RNodeInterface", RADIO PORT "id_callsign = A\n", "id_interval",
	    "600.5", "whole number"},
	{"RNodeInterface", RADIO PORT "id_interval = 600\n", "id_callsign",
	    "123456789012345678901234567890123", "32 bytes"},
	{"RNodeMultiInterface", "[[[A]]]\ninterface_enabled = yes\nvport = 0\n"
	    "bandwidth = 125000\nspreadingfactor = 8\ncodingrate = 5\n"
	    "txpower = 7\n", "frequency", "868.2 MHz", "137000000 to"},
	{"RNodeMultiInterface", "[[[A]]]\ninterface_enabled = yes\n" RADIO,
	    "vport", "11", "0 to 10"},
	{"WeaveInterface", "", "port", "ttyACM0", "/dev/serial/by-id"},
	{"PipeInterface", "", "command", "a 'b", "as a shell"},
	{"PipeInterface", "command = cat\n", "respawn_delay", "soon",
	    "a number"},
	/* and what all have */
	{"SerialInterface", PORT, "bitrate", "x", "whole number"},
	{"KISSInterface", PORT, "ifac_size", "513", "0 to 512"},
	{"WeaveInterface", PORT, "outgoing", "x", "yes or no"},
	{"PipeInterface", "command = cat\n", "ic_burst_hold", "-1",
	    "a number from 0"},
};

static struct rnsconf *
look(const char *text, struct mistakes *m)
{
	struct rnsconf *c = NULL;

	memset(m, 0, sizeof(*m));
	rnsconf_look(&c, text, strlen(text), m);
	assert_non_null(c);
	assert_int_equal(c->nfile, 0);
	return c;
}

static unsigned
lines(const char *text)
{
	unsigned n = 1;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

static void
each_key(void **state)
{
	char text[800], place[32];
	struct mistakes m;
	struct rnsconf *c;

	(void)state;
	for (size_t k = 0; k < 2 * NELEM(wrong); k++) {
		const bool on = k % 2 == 0;
		const size_t i = k / 2;
		const char *hint;
		unsigned line;

		(void)snprintf(text, sizeof(text), "[interfaces]\n[[I]]\n"
		    "enabled = %s\ntype = %s\n%s%s = %s\n", on ? "yes" : "no",
		    wrong[i].type, strcmp(wrong[i].type,
		    "RNodeMultiInterface") == 0 ? PORT : "", "gravity", "0");
		(void)snprintf(text + strlen(text), sizeof(text) -
		    strlen(text), "%s%s = %s\n", wrong[i].rest, wrong[i].key,
		    wrong[i].value);
		c = look(text, &m);
		line = lines(text) - 1;
		assert_false(c->ifs[0].enabled);
		assert_int_equal(c->ifs[0].on, on);
		(void)snprintf(place, sizeof(place), "config:%u:", line);
		if (on ? m.n != 1 || m.v[0].line != line || c->nnotes != 0 ||
		    c->ifs[0].mistake == NULL || c->ifs[0].also[0] != NULL ||
		    strncmp(c->ifs[0].mistake, place, strlen(place)) != 0 :
		    m.n != 0 || c->nnotes != 1 || c->notes[0].line != line ||
		    c->ifs[0].mistake != NULL || strstr(c->notes[0].text,
		    "cannot be switched on") == NULL)
			fail_msg("%s: %u mistakes, %u notes: %s", text, m.n,
			    c->nnotes, m.n > 0 ? m.v[0].text : c->nnotes > 0 ?
			    c->notes[0].text : "");
		hint = on ? m.v[0].hint : c->notes[0].hint;
		if (strstr(hint, wrong[i].hint) == NULL)
			fail_msg("%s: %s", text, hint);
		rnsconf_free(c);
	}
}

/* All of them, from the top, however the reader found them. */
static void
several(void **state)
{
	struct mistakes m;
	struct rnsconf *c = look("[interfaces]\n[[I]]\nenabled = yes\n"
	    "type = KISSInterface\nid_interval = x\nslottime = y\n"
	    "port = COM1\nspeed = 0\n[[J]]\nenabled = yes\n"
	    "type = PipeInterface\ncommand = cat\n", &m);

	(void)state;
	assert_int_equal(m.n, 4);
	assert_non_null(strstr(c->ifs[0].mistake, "config:5:15: "));
	assert_non_null(strstr(c->ifs[0].also[0], "config:6:12: "));
	assert_non_null(strstr(c->ifs[0].also[1], "config:7:8: "));
	assert_non_null(strstr(c->ifs[0].also[2], "config:8:9: "));
	assert_null(c->ifs[0].also[3]);
	assert_true(c->ifs[1].enabled);
	assert_null(c->ifs[1].mistake);
	rnsconf_free(c);
}

/* More than are kept: how many, and how to see them. */
static void
too_many(void **state)
{
	char text[2000] = "[interfaces]\n[[I]]\nenabled = yes\n"
	    "type = PipeInterface\ncommand = cat\n";
	struct mistakes m;
	struct rnsconf *c;

	(void)state;
	for (unsigned i = 0; i < 12; i++)
		(void)snprintf(text + strlen(text), sizeof(text) -
		    strlen(text), "what is this %u\n", i);
	c = look(text, &m);
	assert_int_equal(m.n, 12);
	assert_non_null(strstr(c->ifs[0].mistake, "config:6:"));
	for (unsigned i = 0; i < RNSCONF_ALSO - 1; i++)
		assert_non_null(strstr(c->ifs[0].also[i], "config:"));
	assert_string_equal(c->ifs[0].also[RNSCONF_ALSO - 1],
	    "config: and 4 more: warren check-config");
	rnsconf_free(c);
}

/* One radio of several, and all of them. */
static void
radios(void **state)
{
	struct mistakes m;
	struct rnsconf *c = look("[interfaces]\n[[I]]\n"
	    "interface_enabled = yes\ntype = RNodeMultiInterface\n" PORT
	    "[[[A]]]\ninterface_enabled = yes\nvport = 0\n" RADIO
	    "[[[B]]]\nvport = 99\n" RADIO, &m);

	(void)state;
	assert_int_equal(m.n, 0);
	assert_true(c->ifs[0].enabled);
	assert_int_equal(c->ifs[0].nradios, 1);
	assert_int_equal(c->nnotes, 1);
	assert_int_equal(c->notes[0].line, 15);
	assert_non_null(strstr(c->notes[0].text, "\"B\" is off"));
	rnsconf_free(c);
	/* as an example has them: it would be in order */
	c = look("[interfaces]\n[[I]]\nenabled = no\n"
	    "type = RNodeMultiInterface\n" PORT "[[[A]]]\nvport = 0\n" RADIO,
	    &m);
	assert_int_equal(m.n, 0);
	assert_int_equal(c->nnotes, 0);
	rnsconf_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_key),
		cmocka_unit_test(several),
		cmocka_unit_test(too_many),
		cmocka_unit_test(radios),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
