/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of the types of interfaces: reticulum-transport.md 8.1, 8.3, 10. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/config/rnsconf.h"

#define HEAD "[interfaces]\n[[I]]\nenabled = yes\n"
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(udp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
