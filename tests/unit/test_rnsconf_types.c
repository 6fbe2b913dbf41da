/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of the types of interfaces: reticulum-transport.md 8.1, 8.3, 10. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/config/rnsconf.h"

#define HEAD "[interfaces]\n[[I]]\nenabled = yes\n"
#define AUTO HEAD "type = AutoInterface\n"
#define PIPE HEAD "type = PipeInterface\n"
#define SERIAL HEAD "type = SerialInterface\n"
#define UDP HEAD "type = UDPInterface\n"

static struct rnsconf *
parse(const char *text)
{
	struct rnsconf *c = NULL;
	struct mistakes m = {0};

	if (rnsconf_parse(&c, text, strlen(text), &m) < 0) {
		print_error("line %u: %s\n", m.v[0].line, m.v[0].text);
		fail();
	}
	assert_int_equal(c->nifs, 1);
	return c;
}

/* The one mistake, or the first note, has these words in text or hint. */
static void
wrong(const char *text, unsigned line, const char *says, const char *hint)
{
	struct rnsconf *c = NULL;
	struct mistakes m = {0};
	const char *got, *more;
	unsigned at;

	rnsconf_look(&c, text, strlen(text), &m);
	assert_non_null(c);
	assert_true(m.n + c->nnotes > 0);
	got = m.n > 0 ? m.v[0].text : c->notes[0].text;
	more = m.n > 0 ? m.v[0].hint : c->notes[0].hint;
	at = m.n > 0 ? m.v[0].line : c->notes[0].line;
	if (at != line || strstr(got, says) == NULL ||
	    strstr(more, hint) == NULL)
		print_error("%s: line %u: %s (%s)\n", text, at, got, more);
	assert_int_equal(at, line);
	assert_non_null(strstr(got, says));
	assert_non_null(strstr(more, hint));
	rnsconf_free(c);
}

static void
display(const struct rnsconf *c, const char *want)
{
	char name[200];

	rnsconf_if_display(&c->ifs[0], name, sizeof(name));
	assert_string_equal(name, want);
}

static void
udp(void **state)
{
	struct rnsconf *c;

	(void)state;
	c = parse(UDP "listen_ip = 127.0.0.1\nport = 4242\nforward_ip = h\n"
	    "forward_port = 4243\nbitrate = 64000\npassphrase = x\n"
	    "mode = gw\nannounce_cap = 5\n");
	assert_int_equal(c->nnotes, 0);
	assert_true(c->ifs[0].enabled);
	assert_int_equal(c->ifs[0].type, RNSCONF_UDP);
	assert_int_equal(c->ifs[0].listen_port, 4242);
	assert_int_equal(c->ifs[0].forward_port, 4243);
	assert_string_equal(c->ifs[0].forward_ip, "h");
	assert_int_equal(c->ifs[0].ifac_size, 16);
	assert_int_equal(c->ifs[0].bitrate, 64000);
	display(c, "UDPInterface[I/127.0.0.1:4242]");
	rnsconf_free(c);
	c = parse(UDP "device = eth0\nport = 7\n");
	assert_int_equal(c->nnotes, 0);
	assert_int_equal(c->ifs[0].listen_port, 7);
	assert_int_equal(c->ifs[0].forward_port, 7);
	rnsconf_free(c);
	wrong(UDP, 2, "no listen_ip", "0.0.0.0");
	wrong(UDP "listen_ip = 0.0.0.0\n", 2, "no listen_port", "4242");
	wrong(UDP "forward_ip = 1.2.3.4\n", 2, "no forward_port", "4242");
	wrong(UDP "listen_ip = 0.0.0.0\nport = 1\n", 2, "sends nothing",
	    "forward_ip");
	wrong(UDP "forward_ip = 1.2.3.4\nport = 1\n", 2, "receives nothing",
	    "listen_ip");
	wrong(UDP "listen_ip = fe80::1\nport = 1\n", 5, "IPv4 only",
	    "192.168");
	wrong(UDP "forward_ip = 1.2.3.4:5\nport = 1\n", 5, "is no host",
	    "without port");
	wrong(UDP "device = eth0\nport = 65536\n", 6, "port", "65535");
	wrong(UDP "device = eth0\nport = 1\nforwardip = h\n", 7,
	    "unknown key", "\"forward_ip\"");
}

static void
group(const struct rnsconf *c, const char *want)
{
	uint8_t raw[16];
	char text[64];

	rnsconf_auto_group(&c->ifs[0], raw);
	assert_non_null(inet_ntop(AF_INET6, raw, text, sizeof(text)));
	assert_string_equal(text, want);
}

static void
automatic(void **state)
{
	struct rnsconf *c;

	(void)state;
	c = parse(AUTO);
	assert_int_equal(c->nnotes, 0);
	assert_true(c->ifs[0].enabled);
	assert_int_equal(c->ifs[0].discovery_port, 29716);
	assert_int_equal(c->ifs[0].data_port, 42671);
	assert_null(c->ifs[0].devices);
	assert_null(c->ifs[0].ignored);
	display(c, "AutoInterface[I]");
	group(c, "ff12:0:d70b:fb1c:16e4:5e39:485e:31e1");
	rnsconf_free(c);
	c = parse(AUTO "group_id = mygroup\ndiscovery_scope = Organisation\n"
	    "multicast_address_type = permanent\ndevices = eth0, wlan0\n"
	    "ignored_devices = eth1\ndiscovery_port = 1\ndata_port = 3\n"
	    "bitrate = 7000\npassphrase = x\n");
	assert_int_equal(c->nnotes, 0);
	assert_int_equal(c->ifs[0].ndevices, 2);
	assert_string_equal(c->ifs[0].devices[1], "wlan0");
	assert_int_equal(c->ifs[0].nignored, 1);
	assert_string_equal(c->ifs[0].ignored[0], "eth1");
	assert_int_equal(c->ifs[0].bitrate, 7000);
	assert_int_equal(c->ifs[0].ifac_size, 16);
	group(c, "ff08:0:7173:f7ee:9e1e:913:988f:3515");
	rnsconf_free(c);
	wrong(AUTO "discovery_scope = lnk\n", 5, "link is used", "admin");
	wrong(AUTO "multicast_address_type = x\n", 5, "temporary is used",
	    "permanent");
	wrong(AUTO "discovery_port = 65535\n", 5, "discovery_port", "65534");
	wrong(AUTO "data_port = 29717\n", 5, "data_port 29717 is one of",
	    "choose another");
	wrong(AUTO "ignored_device = lo\n", 5, "unknown key",
	    "\"ignored_devices\"");
}

static void
command(void **state)
{
	struct rnsconf *c = parse(PIPE "command = \"nc -l 'a b'\"\n"
	    "passphrase = x\nrespawn_delay = 2.5\n");
	struct mistakes m = {0};
	const char *text;

	(void)state;
	assert_int_equal(c->nnotes, 0);
	assert_string_equal(c->ifs[0].argv[0], "nc");
	assert_string_equal(c->ifs[0].argv[2], "a b");
	assert_null(c->ifs[0].argv[3]);
	assert_true(c->ifs[0].respawn_delay == 2.5);
	assert_int_equal(c->ifs[0].ifac_size, 8);
	display(c, "PipeInterface[I]");
	rnsconf_free(c);
	c = parse(PIPE "command = cat\n");
	assert_true(c->ifs[0].respawn_delay == 5);
	rnsconf_free(c);
	wrong(PIPE, 2, "no command", "command =");
	wrong(PIPE "command = \n", 5, "empty", "program");
	wrong(PIPE "command = a 'b\n", 5, "quote", "shell");
	wrong(PIPE "command = a\nrespawn_delay = -1\n", 6, "out of range",
	    "seconds");
	/* one does not hide the other, nor make a key unknown */
	text = PIPE "command = a 'b\nrespawn_delay = -1\n";
	rnsconf_look(&c, text, strlen(text), &m);
	assert_int_equal(m.n, 2);
	assert_int_equal(c->nnotes, 0);
	rnsconf_free(c);
}

static void
serial(void **state)
{
	struct rnsconf *c = parse(SERIAL "port = /dev/serial/by-id/usb-a\n");
	const struct rnsconf_if *i = &c->ifs[0];
	static const struct {
		const char *word;
		char parity;
	} words[] = {{"N", 'N'}, {"none", 'N'}, {"e", 'E'}, {"Even", 'E'},
	    {"O", 'O'}, {"odd", 'O'}};
	char text[200];

	(void)state;
	assert_int_equal(c->nnotes, 0);
	assert_string_equal(i->tty, "/dev/serial/by-id/usb-a");
	assert_int_equal(i->speed, 9600);
	assert_int_equal(i->databits, 8);
	assert_int_equal(i->stopbits, 1);
	assert_int_equal(i->parity, 'N');
	assert_int_equal(i->ifac_size, 0);
	display(c, "SerialInterface[I]");
	rnsconf_free(c);
	c = parse(SERIAL "port = /dev/ttyS0\nspeed = 3000000\ndatabits = 7\n"
	    "stopbits = 2\npassphrase = x\n");
	i = &c->ifs[0];
	assert_int_equal(c->nnotes, 0);
	assert_int_equal(i->speed, 3000000);
	assert_int_equal(i->databits, 7);
	assert_int_equal(i->stopbits, 2);
	assert_int_equal(i->ifac_size, 8);
	rnsconf_free(c);
	for (size_t k = 0; k < sizeof(words) / sizeof(*words); k++) {
		(void)snprintf(text, sizeof(text), SERIAL "port = /dev/ttyS0\n"
		    "parity = %s\n", words[k].word);
		c = parse(text);
		assert_int_equal(c->nnotes, 0);
		assert_int_equal(c->ifs[0].parity, words[k].parity);
		rnsconf_free(c);
	}
	wrong(SERIAL, 2, "no port", "port = /dev/ttyUSB0");
	wrong(SERIAL "port = ttyUSB0\n", 5, "is no path", "by-id");
	wrong(SERIAL "port = /dev/ttyS0\nparity = mark\n", 6,
	    "unknown parity", "N, E or O");
	wrong(SERIAL "port = /dev/ttyS0\nspeed = 0\n", 6, "speed", "1 to");
	wrong(SERIAL "port = /dev/ttyS0\nspeed = fast\n", 6, "speed", "");
	wrong(SERIAL "port = /dev/ttyS0\ndatabits = 9\n", 6, "databits",
	    "5 to 8");
	wrong(SERIAL "port = /dev/ttyS0\nstopbits = 3\n", 6, "stopbits",
	    "1 to 2");
	wrong(SERIAL "port = /dev/ttyS0\nsped = 3\n", 6, "sped", "speed");
}

#define PORT "port = /dev/ttyS0\n"
#define KISS HEAD "type = KISSInterface\n" PORT
#define AX25 HEAD "type = AX25KISSInterface\n" PORT

static void
tnc(void **state)
{
	struct rnsconf *c = parse(KISS);
	const struct rnsconf_tnc *t = &c->ifs[0].tnc;

	(void)state;
	assert_int_equal(c->nnotes, 0);
	assert_int_equal(c->ifs[0].speed, 9600);
	assert_int_equal(t->preamble_ms, 350);
	assert_int_equal(t->txtail_ms, 20);
	assert_int_equal(t->persistence, 64);
	assert_int_equal(t->slottime_ms, 20);
	assert_false(t->flow_control);
	assert_int_equal(t->id_interval_s, 0);
	display(c, "KISSInterface[I]");
	rnsconf_free(c);
	c = parse(KISS "speed = 1200\npreamble = 500\ntxtail = 30\n"
	    "persistence = 200\nslottime = 40\nflow_control = yes\n"
	    "id_callsign = N0CALL-1\nid_interval = 600\nnetwork_name = n\n");
	t = &c->ifs[0].tnc;
	assert_int_equal(c->nnotes, 0);
	assert_int_equal(c->ifs[0].speed, 1200);
	assert_int_equal(c->ifs[0].ifac_size, 8);
	assert_int_equal(t->preamble_ms, 500);
	assert_int_equal(t->txtail_ms, 30);
	assert_int_equal(t->persistence, 200);
	assert_int_equal(t->slottime_ms, 40);
	assert_true(t->flow_control);
	assert_int_equal(t->id_interval_s, 600);
	assert_string_equal(t->id_callsign, "N0CALL-1");
	rnsconf_free(c);
	c = parse(AX25 "callsign = n0call\nssid = 15\nflow_control = on\n");
	assert_int_equal(c->nnotes, 0);
	assert_string_equal(c->ifs[0].tnc.callsign, "n0call");
	assert_int_equal(c->ifs[0].tnc.ssid, 15);
	display(c, "AX25KISSInterface[I]");
	rnsconf_free(c);
	wrong(HEAD "type = KISSInterface\n", 2, "no port", "port =");
	wrong(KISS "preamble = 9999\n", 6, "2550 is used", "");
	wrong(KISS "persistence = 256\n", 6, "255 is used", "");
	wrong(KISS "persistence = -1\n", 6, "0 is used", "");
	wrong(KISS "txtail = 5000000000\n", 6, "txtail", "");
	wrong(KISS "slottime = ten\n", 6, "slottime", "");
	c = parse(KISS "preamble = -10\ntxtail = 2551\npersistence = 300\n"
	    "slottime = -2147483648\n");
	t = &c->ifs[0].tnc;
	assert_int_equal(c->nnotes, 4);
	assert_int_equal(t->preamble_ms, 0);
	assert_int_equal(t->txtail_ms, 2550);
	assert_int_equal(t->persistence, 255);
	assert_int_equal(t->slottime_ms, 0);
	rnsconf_free(c);
	/* as the reference takes them, with a word about it */
	wrong(KISS "id_interval = 0\nid_callsign = A\n", 6, "id_interval = 0: "
	    "1 is used", "take the line out");
	c = parse(KISS "id_interval = -5\nid_callsign = A\n");
	assert_true(c->ifs[0].enabled);
	assert_int_equal(c->ifs[0].tnc.id_interval_s, 1);
	rnsconf_free(c);
	wrong(KISS "id_interval = x\n", 6, "id_interval", "whole number");
	wrong(KISS "id_interval = 60\n", 6, "15 zero bytes", "id_callsign");
	wrong(KISS "id_callsign = A\n", 6, "never sent", "id_interval");
	wrong(KISS "id_interval = 9\nid_callsign = 0123456789abcdef0123456789"
	    "abcdef0123456789abcdef0123456789abcdefg\n", 7, "too long", "64");
	wrong(KISS "callsign = N0CALL\n", 6, "callsign", "");
	wrong(AX25 "ssid = 1\n", 2, "no callsign", "N0CALL");
	wrong(AX25 "callsign = N0CALL\n", 2, "no ssid", "ssid = 0");
	wrong(AX25 "callsign = N0CALL\nssid = 16\n", 7, "ssid", "0 to 15");
	wrong(AX25 "callsign = N0CALL-1\nssid = 1\n", 6, "is none", "dash");
	wrong(AX25 "callsign = AB\nssid = 1\n", 6, "is none", "three");
	wrong(AX25 "callsign = A-B\nssid = 1\n", 6, "odd", "letters");
	wrong(AX25 "callsign = A B C\nssid = 1\n", 6, "odd", "letters");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(automatic),
		cmocka_unit_test(command),
		cmocka_unit_test(serial),
		cmocka_unit_test(tnc),
		cmocka_unit_test(udp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
