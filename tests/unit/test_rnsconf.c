/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reticulum's `config`: grammar (reticulum-transport.md 11.2), values
 * (reticulum-transport.md 8, 10.3, 11.3), mistakes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/config/example.h"
#include "transport/config/rnsconf.h"

static struct rnsconf *
parse(const char *text)
{
	struct rnsconf *c = NULL;
	struct mistakes m = {0};

	if (rnsconf_parse(&c, text, strlen(text), &m) < 0) {
		print_error("line %u: %s\n", m.v[0].line, m.v[0].text);
		fail();
	}
	return c;
}

/* ---- the values ---- */

static void
defaults(void **state)
{
	struct rnsconf *c = parse("");
	char name[108];

	(void)state;
	assert_int_equal(c->loglevel, 3);
	assert_false(c->enable_transport);
	assert_true(c->share_instance);
	assert_int_equal(c->local_bitrate, RNSCONF_LOCAL_BITRATE);
	assert_string_equal(c->instance_name, "default");
	assert_int_equal(c->shared_instance_type, RNSCONF_UNIX);
	assert_int_equal(c->shared_instance_port, 37428);
	assert_int_equal(c->instance_control_port, 37429);
	assert_true(c->link_mtu_discovery && c->use_implicit_proof);
	assert_int_equal(c->rpc_key_len, 0);
	assert_int_equal(c->nifs, 0);
	assert_int_equal(c->nnotes, 0);
	assert_int_equal(rnsconf_socket_name(c, false, name, sizeof(name)), 11);
	assert_string_equal(name, "rns/default");
	assert_int_equal(rnsconf_socket_name(c, true, name, sizeof(name)), 15);
	rnsconf_free(c);
}

/* reticulum-transport.md 8.5, 11.3 */
static const char bursts[] =
    "[reticulum]\nic_burst_hold = 3\nic_burst_freq = 0\n"
    "ec_pr_freq = 2.5\negress_control = yes\nic_max_held_announces = 0\n"
    "ic_new_time = 60\n"
    "[interfaces]\n"
    "[[A]]\ntype = TCPClientInterface\nenabled = yes\n"
    "target_host = a.example\ntarget_port = 1\n"
    "[[B]]\ntype = TCPClientInterface\nenabled = yes\n"
    "target_host = b.example\ntarget_port = 1\n"
    "ingress_control = no\negress_control = no\nic_burst_hold = 0\n"
    "ic_burst_freq_new = 7\nic_burst_freq = 1.5\n"
    "ic_pr_burst_freq_new = 4\nic_pr_burst_freq = 5\nic_new_time = 9\n"
    "ic_burst_penalty = 0\nic_held_release_interval = 2\n"
    "ic_max_held_announces = 11\nec_pr_freq = 6\n";

static void
burst_values(void **state)
{
	const struct rns_ingress own = RNS_INGRESS_DEFAULT;
	struct rnsconf *c = parse(bursts);
	const struct rns_ingress *g = &c->ifs[0].ingress;

	(void)state;
	assert_int_equal(c->nnotes, 0);
	/* A 0 in [reticulum] is the value that is built in. */
	assert_true(g->set && g->control && g->egress);
	assert_true(g->hold_s == 3 && g->burst_hz == own.burst_hz);
	assert_true(g->egress_hz == 2.5 && g->max_held == own.max_held);
	assert_true(g->new_time_s == 60 && g->penalty_s == own.penalty_s);
	assert_true(g->burst_hz_new == own.burst_hz_new);
	assert_true(g->pr_burst_hz == own.pr_burst_hz);
	assert_true(g->pr_burst_hz_new == own.pr_burst_hz_new);
	assert_true(g->release_s == own.release_s);
	/* An interface says what it means. */
	g = &c->ifs[1].ingress;
	assert_true(g->set && !g->control && !g->egress);
	assert_true(g->hold_s == 0 && g->burst_hz_new == 7);
	assert_true(g->burst_hz == 1.5 && g->pr_burst_hz_new == 4);
	assert_true(g->pr_burst_hz == 5 && g->new_time_s == 9);
	assert_true(g->penalty_s == 0 && g->release_s == 2);
	assert_true(g->max_held == 11 && g->egress_hz == 6);
	rnsconf_free(c);
}

/* What local programs count as; none that makes sense is none. */
static void
forced_rate(void **state)
{
	static const struct {
		const char *value;
		int64_t want;
	} v[] = {{"5000", 5000}, {"10_000_000_000", INT64_C(10000000000)},
	    {"0", RNSCONF_LOCAL_BITRATE}, {"-1", RNSCONF_LOCAL_BITRATE}};
	struct rnsconf *c;
	char text[100];

	(void)state;
	for (size_t i = 0; i < NELEM(v); i++) {
		(void)snprintf(text, sizeof(text), "[reticulum]\n"
		    "force_shared_instance_bitrate = %s\n", v[i].value);
		c = parse(text);
		assert_int_equal(c->local_bitrate, v[i].want);
		assert_int_equal(c->nnotes, 0);
		rnsconf_free(c);
	}
}

static const char full[] =
    "[logging]\nloglevel = 6\n"
    "[reticulum]\nenable_transport = Yes\nshare_instance = on\n"
    "instance_name = mine\nshared_instance_type = tcp\n"
    "shared_instance_port = 4_000\nrpc_key = 00ff10\n"
    "use_implicit_proof = no\nlink_mtu_discovery = False\n"
    "default_ar_target = 0\ndefault_gravity = -3\nlocal_hops_delta = 1\n"
    "blackhole_sources = 00112233445566778899aabbccddeeff, "
    "00112233445566778899aabbccddeeff\n"
    "blackhole_update_interval = 0.5\npublish_blackhole = yes\n"
    "respond_to_probes = yes\nenable_remote_management = yes\n"
    "remote_management_allowed = ffeeddccbbaa99887766554433221100, "
    "00112233445566778899aabbccddeeff\n"
    "[interfaces]\n"
    "[[Listen]]\ntype = TCPServerInterface\nenabled = true\n"
    "listen_ip = ::1\nport = 4242\nmode = gw\nannounce_cap = 3.5\n"
    "bitrate = 1000000\nnetwork_name = specnet\npassphrase = \"a, b\"\n"
    "ifac_size = 128\nannounces_from_internal = no\n"
    "announces_to_internal = yes\n"
    "[[Off]]\ntype = NoSuchThing\nlisten_port = nonsense\n"
    "[[Radio]]\ntype = RadioInterface\nenabled = yes\n"
    "[[Plug]]\ntype = MyOwn\nenabled = yes\n"
    "[[Dial]]\ntype = TCPClientInterface\ninterface_enabled = 1\n"
    "target_host = example.org\ntarget_port = 4243\noutgoing = no\n"
    "kiss_framing = yes\nfixed_mtu = 500\nmax_reconnect_tries = 3\n"
    "interface_mode = roaming\nmode = full\ngravity = 7\n"
    "announce_rate_target = 10\npassphrase = None\nodd = 1\n";

static void
all_values(void **state)
{
	struct rnsconf *c = parse(full);
	const struct rnsconf_if *i;
	char name[200];

	(void)state;
	assert_int_equal(c->loglevel, 6);
	assert_true(c->enable_transport);
	assert_string_equal(c->instance_name, "mine");
	assert_int_equal(c->shared_instance_type, RNSCONF_TCP);
	assert_int_equal(c->shared_instance_port, 4000);
	assert_int_equal(c->rpc_key_len, 3);
	assert_memory_equal(c->rpc_key, "\x00\xff\x10", 3);
	assert_false(c->use_implicit_proof || c->link_mtu_discovery);
	assert_true(c->local_hops_delta);
	assert_int_equal(c->nblackhole_sources, 1);
	assert_int_equal(c->blackhole_sources[0].b[15], 0xff);
	assert_int_equal(c->blackhole_update_s, 120);
	assert_true(c->publish_blackhole && c->respond_to_probes);
	assert_true(c->enable_remote_management);
	assert_int_equal(c->nmanagers, 2);
	assert_int_equal(c->managers[0].b[0], 0xff);
	assert_int_equal(c->managers[1].b[0], 0x00);
	assert_int_equal(c->nifs, 5);
	i = &c->ifs[0];
	assert_true(i->enabled);
	assert_int_equal(i->type, RNSCONF_TCP_SERVER);
	assert_int_equal(i->listen_port, 4242);
	assert_int_equal(i->mode, RNS_MODE_GATEWAY);
	assert_int_equal(i->announce_cap_permille, 35);
	assert_int_equal(i->bitrate, 1000000);
	assert_string_equal(i->network_name, "specnet");
	assert_string_equal(i->passphrase, "a, b");
	assert_int_equal(i->ifac_size, 16);
	assert_int_equal(i->gravity, -3);
	assert_int_equal(i->ar_target_s, 3600); /* 0 means the default */
	assert_int_equal(i->ar_grace, 5);
	rnsconf_if_display(i, name, sizeof(name));
	assert_string_equal(name, "TCPServerInterface[Listen/[::1]:4242]");
	assert_false(i->announces_from_internal);
	assert_true(i->announces_to_internal && i->to_internal_said);
	assert_false(c->ifs[1].enabled);
	assert_int_equal(c->ifs[2].type, RNSCONF_UNKNOWN);
	assert_int_equal(c->ifs[3].type, RNSCONF_UNKNOWN);
	assert_false(c->ifs[2].enabled || c->ifs[3].enabled);
	i = &c->ifs[4];
	assert_int_equal(i->index, 4);
	assert_true(i->enabled && i->kiss_framing && !i->outgoing);
	assert_int_equal(i->fixed_mtu, 500);
	assert_int_equal(i->max_reconnect_tries, 3);
	assert_int_equal(i->mode, RNS_MODE_ROAMING);
	assert_int_equal(i->gravity, 7);
	assert_true(i->announces_from_internal);
	assert_false(i->announces_to_internal || i->to_internal_said);
	assert_int_equal(i->ar_target_s, 10);
	assert_int_equal(i->ar_grace, 0);
	assert_null(i->passphrase);
	assert_int_equal(i->ifac_size, 0);
	rnsconf_if_display(i, name, sizeof(name));
	assert_string_equal(name, "TCPInterface[Dial/example.org:4243]");
	/* Off and its type, Radio, Plug, odd */
	assert_int_equal(c->nnotes, 5);
	assert_non_null(strstr(c->notes[0].text, "Off"));
	assert_non_null(strstr(c->notes[1].text, "NoSuchThing"));
	assert_non_null(strstr(c->notes[2].text, "RadioInterface"));
	assert_non_null(strstr(c->notes[3].text, "MyOwn"));
	assert_non_null(strstr(c->notes[4].text, "odd"));
	assert_int_equal(c->notes[4].line, 58);
	rnsconf_free(c);
}

#define BACKBONE "[interfaces]\n[[B]]\ntype = BackboneInterface\nenabled = 1\n"
/* reticulum-transport.md 10.4; as a stock rnsd of both versions reads it */
static void
backbone(void **state)
{
	static const struct {
		const char *text, *name;
		bool client;
	} v[] = {
		{BACKBONE "listen_on = ::1\nport = 1\n",
		    "BackboneInterface[B/[::1]:1]", false},
		{BACKBONE "listen_ip = 0.0.0.0\nlisten_port = 2\n",
		    "BackboneInterface[B/0.0.0.0:2]", false},
		/* the short ones win */
		{BACKBONE "listen_ip = a\nlisten_on = b\nlisten_port = 2\n"
		    "port = 3\n", "BackboneInterface[B/b:3]", false},
		{BACKBONE "remote = a\nport = 1\ntarget_host = b\n"
		    "target_port = 2\nlisten_ip = c\n",
		    "BackboneInterface[B/a:1]", true},
		{BACKBONE "target_host = [fe80::1%eth0]\ntarget_port = 2\n",
		    "BackboneInterface[B/[fe80::1%eth0]:2]", true},
		{"[interfaces]\n[[B]]\ntype = BackboneClientInterface\n"
		    "enabled = 1\nremote = a\nport = 9\nprefer_ipv6 = yes\n"
		    "connect_timeout = 7\nmax_reconnect_tries = 4\n",
		    "BackboneInterface[B/a:9]", true},
	};
	struct rnsconf *c;
	char name[200];

	(void)state;
	for (size_t i = 0; i < NELEM(v); i++) {
		c = parse(v[i].text);
		assert_int_equal(c->ifs[0].type, v[i].client ?
		    RNSCONF_BACKBONE_CLIENT : RNSCONF_BACKBONE);
		rnsconf_if_display(&c->ifs[0], name, sizeof(name));
		assert_string_equal(name, v[i].name);
		rnsconf_free(c);
	}
	c = parse(v[NELEM(v) - 1].text);
	assert_int_equal(c->ifs[0].connect_timeout_s, 7);
	assert_int_equal(c->ifs[0].max_reconnect_tries, 4);
	assert_true(c->ifs[0].prefer_ipv6);
	rnsconf_free(c);
	c = parse(v[0].text);
	assert_true(c->ifs[0].block_flapping);
	assert_int_equal(c->ifs[0].flap_threshold_s, 20);
	assert_int_equal(c->ifs[0].flap_grace, 5);
	assert_int_equal(c->ifs[0].flap_block_min, 720);
	rnsconf_free(c);
	c = parse(BACKBONE "listen_on = ::\nport = 1\npassphrase = x\n"
	    "block_fast_flapping = no\nfast_flapping_threshold = 1\n"
	    "fast_flapping_grace = 2\nfast_flapping_block_time = 3\n");
	assert_false(c->ifs[0].block_flapping);
	assert_int_equal(c->ifs[0].flap_threshold_s, 1);
	assert_int_equal(c->ifs[0].flap_grace, 2);
	assert_int_equal(c->ifs[0].flap_block_min, 3);
	assert_int_equal(c->ifs[0].ifac_size, 16);
	assert_int_equal(c->nnotes, 0);
	rnsconf_free(c);
}

#define I2P "[interfaces]\n[[I]]\ntype = I2PInterface\nenabled = 1\n"
static void
i2p(void **state)
{
	struct rnsconf *c;
	char name[200];

	(void)state;
	c = parse(I2P "connectable = yes\npeers = a.b32.i2p, b-~=\n"
	    "network_name = x\n");
	assert_int_equal(c->ifs[0].type, RNSCONF_I2P);
	assert_true(c->ifs[0].enabled && c->ifs[0].connectable);
	assert_int_equal(c->ifs[0].ni2p_peers, 2);
	assert_string_equal(c->ifs[0].i2p_peers[1], "b-~=");
	assert_int_equal(c->ifs[0].ifac_size, 16);
	assert_int_equal(c->nnotes, 0);
	rnsconf_if_display(&c->ifs[0], name, sizeof(name));
	assert_string_equal(name, "I2PInterface[I]");
	rnsconf_free(c);
	c = parse(I2P "peers = a.b32.i2p\n");
	assert_int_equal(c->ifs[0].ni2p_peers, 1);
	rnsconf_free(c);
	c = parse(I2P);
	assert_int_equal(c->nnotes, 1);
	rnsconf_free(c);
}

static void
mistakes(void **state)
{
#define SERVER "[interfaces]\n[[S]]\ntype = TCPServerInterface\nenabled = 1\n"
#define CLIENT "[interfaces]\n[[C]]\ntype = TCPClientInterface\nenabled = 1\n"
	static const struct {
		const char *text;
		unsigned line;
		const char *says; /* in the text or the hint; NULL: any */
	} bad[] = {
		{"[logging]\nloglevel = x\n", 2, "a whole number"},
		{"[reticulum]\nenable_transport = maybe\n", 2, "yes or no"},
		{"[reticulum]\nenable_transport = yes, no\n", 2, "list"},
		{"[reticulum]\nshared_instance_port = 65536\n", 2, "65535"},
		{"[reticulum]\nshared_instance_port = 0\n", 2, "from 1"},
		{"[reticulum]\nshared_instance_port = 1__0\n", 2, "1__0"},
		{"[reticulum]\nshared_instance_type = pipe\n", 2, "tcp"},
		{"[reticulum]\n\nblackhole_sources = 0011\n", 3, "32 hex"},
		{"[reticulum]\nic_burst_hold = -1\n", 2, "from 0 to"},
		{"[reticulum]\nic_burst_freq = often\n", 2, "2.5"},
		{"[reticulum]\nremote_management_allowed = 0011\n", 2, "32 hex"},
		{"[reticulum]\nrespond_to_probes = perhaps\n", 2, "perhaps"},
		{"[reticulum]\ninstance_name = "
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", 2,
		    "99 bytes"},
		{"[interfaces]\n[[S]]\nenabled = yes\n", 2, "no type"},
		{"[interfaces]\n[[S]]\nenabled = yes\ntyp = X\n", 2,
		    "\"typ\" in line 4"},
		{"[interfaces]\n[[S]]\nenabled = ja\n", 3, "yes or no"},
		{SERVER, 2, "listen_port"},
		{SERVER "listen_ip = ::\n", 2, "listen_port"},
		/* neither does Reticulum take it */
		{SERVER "listen_ip = 1.2.3.4, ::1\nport = 1\n", 5,
		    "a section of its own"},
		{CLIENT "target_host = a, b\ntarget_port = 1\n", 5, "not a list"},
		{BACKBONE "port = 1\n", 2, "listen_ip"},
		{I2P "peers = a b.b32.i2p\n", 5, "I2P address"},
		{BACKBONE "listen_on = ::\n", 2, "listen_port"},
		{BACKBONE "listen_on = ::,\nport = 1\n", 5, "not a list"},
		{BACKBONE "remote = a\n", 2, "target_port"},
		{BACKBONE "listen_on = ::\nport = 1\n"
		    "block_fast_flapping = 5\n", 7, "yes or no"},
		{SERVER "listen_prt = 1\nlisten_ip = ::\n", 2,
		    "\"listen_prt\" in line 5"},
		{SERVER "listen_ip = ::\nlisten_port = 99999\n", 6, "65535"},
		{SERVER "device = eth0\nport = 1\nbitrate = fast\n", 7, "fast"},
		{SERVER "device = eth0\nport = 1\nannounce_cap = much\n", 7,
		    "2.5"},
		{SERVER "device = eth0\nport = 1\nannounce_cap = 0x2\n", 7,
		    "2.5"},
		{SERVER "device = eth0\nport = 1\npassphrase = a, b\n", 7,
		    "quotes"},
		{SERVER "device = eth0\nport = 1\nifac_size = 1024\n", 7,
		    "512"},
		{CLIENT, 2, "target_host"},
		{CLIENT "target_host =\ntarget_port = 1\n", 2, "target_host"},
		{CLIENT "taget_host = x\ntarget_port = 1\n", 2,
		    "\"taget_host\" in line 5"},
		{CLIENT "target_host = x\n", 2, "target_port"},
		{CLIENT "host = x\ntarget_port = 1\n", 2,
		    "\"host\" in line 5"},
		{CLIENT "target_host = x\ntarget_port = %(p)s\n", 6, "(p)s"},
		{CLIENT "target_host = x\ntarget_port = 1\nfixed_mtu = 499\n",
		    7, "500"},
	};
	struct rnsconf *c;
	struct mistakes m = {0};

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++) {
		m.n = 0;
		c = NULL;
		/* of the file, or of its one interface, which is off then */
		if (rnsconf_parse(&c, bad[i].text, strlen(bad[i].text),
		    &m) < 0)
			assert_int_not_equal(bad[i].text[1], 'i');
		else if (c->nifs != 1 || c->ifs[0].enabled ||
		    c->ifs[0].mistake == NULL || bad[i].text[1] != 'i')
			fail_msg("not off: %s", bad[i].text);
		rnsconf_free(c);
		for (unsigned k = 0; k < m.n; k++)
			if (m.v[k].column == 0 || m.v[k].hint[0] == '\0')
				fail_msg("%s: no hint, or place", bad[i].text);
		if (m.n == 0 || m.v[0].line != bad[i].line ||
		    (bad[i].says != NULL && strstr(m.v[0].text, bad[i].says) ==
		    NULL && strstr(m.v[0].hint, bad[i].says) == NULL))
			fail_msg("%s: line %u: %s (%s)", bad[i].text,
			    m.v[0].line, m.v[0].text, m.v[0].hint);
	}
}

/* All that is wrong is said at once, and what is only odd beside it. */
static void
mistakes_at_once(void **state)
{
	static const char text[] = "[reticulum]\nshare_instance = 7\nx\n"
	    "[logging]]\nlost = 1\nlost = 2\n[logging]\nloglevel = x\n"
	    "loglevel = 4\n";
	static const char values[] = CLIENT "taget_host = x\n"
	    "target_prt = 1\n[reticulum]\nshare_instance = 7\n";
	struct mistakes m = {0};
	struct rnsconf *c;

	(void)state;
	assert_int_equal(rnsconf_parse(&c, text, sizeof(text) - 1, &m), -1);
	assert_int_equal(m.n, 5);
	assert_int_equal(m.v[0].line, 3);
	assert_int_equal(m.v[1].line, 4);
	assert_int_equal(m.v[2].line, 9);
	assert_non_null(strstr(m.v[2].text, "in line 8"));
	assert_int_equal(m.v[3].line, 8);
	assert_int_equal(m.v[4].line, 2);
	m.n = 0;
	assert_int_equal(rnsconf_parse(&c, values, sizeof(values) - 1, &m),
	    -1);
	assert_int_equal(m.n, 3);
	assert_int_equal(m.v[0].line, 8);
	assert_non_null(strstr(m.v[1].hint, "taget_host"));
	assert_non_null(strstr(m.v[2].hint, "target_prt"));
}

/*
 * Whatever is wrong in a section of [interfaces] keeps that interface off, and
 * neither those before and behind it nor the daemon.
 */
static void
one_is_off(void **state)
{
#define BEFORE "[reticulum]\nenable_transport = yes\n" SERVER "port = 1\n"     \
	"listen_ip = ::\n"
#define BEHIND "[[Z]]\ntype = TCPClientInterface\nenabled = yes\n"             \
	"target_host = z\ntarget_port = 1\n[logging]\nloglevel = 5\n"
	static const struct {
		const char *text;
		unsigned line, column;
		const char *says;
	} bad[] = {
		{"[[A]]\ntype = TCPClientInterface\nenabled = yes\n"
		    "target_host = x\n  target_port = 70000\n", 13, 17,
		    "65535"},
		{"[[A]]\ntype = TCPServerInterface\nenabled = yes\n"
		    "listen_ip = ::\nport = 2\nifac_size = None\n", 14, 13,
		    "ifac_size"},
		{"[[A]]\ntype = TCPServerInterface\nenabled = yes\n"
		    "target_host = x\ntarget_port = 3\n", 9, 1,
		    "its target_host belongs to a TCPClientInterface"},
		{"  [[S]]\ntype = TCPServerInterface\nenabled = yes\n"
		    "listen_ip = ::\nport = 2\n", 9, 3, "line 4"},
		{"[[A]]\nenabled = yes\ntype = TCPServerInterface\n"
		    "what is this\n", 12, 1, "key = value"},
		{"[[A]]\nenabled = yes\ntype = TCPServerInterface\n"
		    " port = 1\n port = 2\n", 13, 2, "line 12"},
		{"[[A]\nenabled = yes\n", 9, 1, "brackets"},
		{"[[A\nenabled = yes\n", 9, 1, "[[name]]"},
		{"[[A]] b\nenabled = yes\n", 9, 1, "[[name]]"},
		{"[[A]]\nenabled = yes\n[[[[B]]]]\n", 11, 1, "too deep"},
		{"[[A]]\nenabled = yes\ntype = TCPServerInterface\n"
		    "listen_ip = 'x\n", 12, 13, "quote"},
		{"[[A]]\nenabled = yes\ntype = TCPServerInterface\n"
		    "listen_ip = \303\244%(no)s\nport = 9\n", 12, 13, "no)s"},
		{"[[A]]\nenabled = perhaps\n", 10, 11, "yes or no"},
	};
	char text[1000];
	struct rnsconf *c;

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++) {
		struct mistakes m = {0};

		(void)snprintf(text, sizeof(text), "%s%s%s", BEFORE,
		    bad[i].text, BEHIND);
		if (rnsconf_parse(&c, text, strlen(text), &m) < 0)
			fail_msg("%s: %s", bad[i].text, m.v[0].text);
		if (m.n == 0 || m.v[0].line != bad[i].line ||
		    m.v[0].column != bad[i].column || c->ifs[1].mistake ==
		    NULL || strstr(c->ifs[1].mistake, bad[i].says) == NULL)
			fail_msg("%s: %u at %u:%u: %s", bad[i].text, m.n,
			    m.v[0].line, m.v[0].column, c->ifs[1].mistake);
		assert_int_equal(c->nifs, 3);
		assert_int_equal(c->nfile, 0);
		assert_true(c->enable_transport);
		assert_int_equal(c->loglevel, 5);
		assert_true(c->ifs[0].enabled && c->ifs[2].enabled);
		assert_null(c->ifs[0].mistake);
		assert_null(c->ifs[2].mistake);
		assert_false(c->ifs[1].enabled);
		assert_int_equal(strncmp(c->ifs[1].mistake, "config:", 7), 0);
		rnsconf_free(c);
	}
}

/* What is wrong elsewhere ends the start, wherever interfaces stand. */
static void
the_file_is_bad(void **state)
{
	static const char *const bad[] = {
	    "[[A]]\n[reticulum]\nshare_instance = 7\n", "[[A]]\n[other\n",
	    "[interfaces]\n", "[[A]]\np = '''x\n", "[[A]]\n[B]]\n",
	    "[[A]]\np = \xff\n"};
	char text[1000];
	struct rnsconf *c;

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++) {
		struct mistakes m = {0};

		(void)snprintf(text, sizeof(text), "%s%s", SERVER
		    "listen_ip = ::\nport = 1\n", bad[i]);
		if (rnsconf_parse(&c, text, strlen(text), &m) == 0)
			fail_msg("taken: %s", bad[i]);
		assert_true(m.n > 0);
	}
}

/* What is passed over is named, and the word that was meant. */
static void
notes(void **state)
{
#define DIAL "target_host = x\ntarget_port = 1\n"
	static const struct {
		const char *text;
		unsigned line;
		const char *says, *hint;
	} odd[] = {
		{"[reticulum]\nenable_transprt = yes\n", 2,
		    "[reticulum]: unknown key \"enable_transprt\"",
		    "\"enable_transport\""},
		{"[reticulum]\nxyzzy = yes\n", 2, "unknown key", ""},
		{"[logging]\nlog_level = 4\n", 2, "log_level", "\"loglevel\""},
		{"[interfces]\n[[C]]\n", 1, "section [interfces] is ignored",
		    "[interfaces]"},
		{"[C]\ntype = TCPClientInterface\n", 1, "[C] is ignored",
		    "[[NAME]]"},
		{"enable_transport = yes\n", 1, "in no section", "[reticulum]"},
		{"[interfaces]\nenabled = yes\n", 2, "no interface", "[[NAME]]"},
		{"[interfaces]\n[[C]]\ntype = TCPClientInterface\n" DIAL, 2,
		    "is off", "enabled = yes"},
		{"[interfaces]\n[[C]]\nenable = yes\n"
		    "type = TCPClientInterface\n" DIAL, 2, "is off",
		    "\"enable\" in line 3"},
		/* what would be of no use if it was switched on */
		{"[interfaces]\n[[C]]\nenabled = no\n"
		    "type = TCPClientInterface\ntarget_host = x\n"
		    "target_port = 0x50\n", 6, "interface \"C\" is off, and "
		    "cannot be switched on like this: \"target_port\"",
		    "65535"},
		{"[interfaces]\n[[C]]\nenabled = no\ntype = a, b\n", 4,
		    "is off, and", "quotes"},
		{"[interfaces]\n[[C]]\nenabled = no\n"
		    "type = KISSInterface\nspeed = 9600\n", 2,
		    "has no port", "port = /dev/ttyUSB0"},
		{"[interfaces]\n[[C]]\ntype = TCPClientInterfce\nenabled = 1\n",
		    3, "unknown type \"TCPClientInterfce\"",
		    "\"TCPClientInterface\""},
		{"[interfaces]\n[[C]]\ntype = Own\nenabled = 1\n", 3,
		    "unknown type", "TCPServerInterface"},
		{"[interfaces]\n[[C]]\ntype = Own\nenabled = 1\n", 3,
		    "unknown type", "RNodeMultiInterface and WeaveInterface"},
		{"[interfaces]\n[[C]]\ntype = Own\nenabled = 1\n", 3,
		    "unknown type", "AutoInterface, UDPInterface"},
		{"[reticulum]\nqlen_in_pr = 4\n", 2, "waits in no queue",
		    "rnsd"},
		{SERVER "listen_ip = 0.0.0.0:1\nlisten_port = 1\n", 5,
		    "listen_ip \"0.0.0.0:1\" is no host", "and port"},
		{CLIENT "target_host = a:1\ntarget_port = 1\n", 5,
		    "\"a:1\" is no host", "without http:// and port"},
		{"[interfaces]\n[[C]]\ntype = TCPClient\nenabled = 1\n", 3,
		    "unknown type", "\"TCPClientInterface\""},
		{SERVER "listen_ip = ::\nport = 1\n[[T]]\nenabled = 1\n"
		    "type = TCPServerInterface\nlisten_ip = ::\nport = 1\n",
		    7, "\"T\" listens where \"S\" does", "port"},
		{"[interfaces]\n[[A]]\nenabled = 1\ntype = SerialInterface\n"
		    "port = /dev/a\n[[B]]\nenabled = 1\nport = /dev/a\n"
		    "type = KISSInterface\n", 6, "\"B\" has the port of "
		    "\"A\"", "the other waits"},
		{"[interfaces]\n[[C]]\ntype = tcpclientinterface\nenabled = 1"
		    "\n", 3, "unknown type", "\"TCPClientInterface\""},
		{CLIENT DIAL "mode = rooming\n", 7, "unknown mode",
		    "\"roaming\""},
		{CLIENT DIAL "passhrase = x\n", 7,
		    "interface \"C\": unknown key", "\"passphrase\""},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(odd); i++) {
		struct rnsconf *c = parse(odd[i].text);

		if (c->nnotes != 1 || c->notes[0].column == 0 ||
		    c->notes[0].line != odd[i].line ||
		    strstr(c->notes[0].text, odd[i].says) == NULL ||
		    strstr(c->notes[0].hint, odd[i].hint) == NULL ||
		    (odd[i].hint[0] == '\0' && c->notes[0].hint[0] != '\0'))
			fail_msg("%s: %u notes; %u: %s (%s)", odd[i].text,
			    c->nnotes, c->nnotes > 0 ? c->notes[0].line : 0,
			    c->nnotes > 0 ? c->notes[0].text : "",
			    c->nnotes > 0 ? c->notes[0].hint : "");
		rnsconf_free(c);
	}
}

/* What a first start writes means what the reference's own does. */
static void
first_text(void **state)
{
	struct rnsconf *c = parse(rnsconf_default_text);

	(void)state;
	assert_false(c->enable_transport);
	assert_true(c->share_instance);
	assert_string_equal(c->instance_name, "default");
	assert_int_equal(c->loglevel, 4);
	assert_int_equal(c->nifs, 1);
	assert_true(c->ifs[0].on);
	assert_string_equal(c->ifs[0].name, "Default Interface");
	assert_string_equal(c->ifs[0].type_text, "AutoInterface");
	rnsconf_free(c);
}

/*
 * The example is right as it stands, and with the mark away before each
 * "# key = value" too: each is a key that is known, and a value that it takes.
 */
static void
example_text(void **state)
{
	struct rnsconf *c = parse(rnsconf_example_text);
	char *text = strdup(rnsconf_example_text), *eq;

	(void)state;
	for (unsigned i = 0; i < c->nnotes; i++)
		fail_msg("%s", c->notes[i].text);
	rnsconf_free(c);
	assert_non_null(text);
	for (char *p = text; (p = strstr(p, "\n")) != NULL;) {
		p += 1 + strspn(p + 1, " ");
		eq = strstr(p, " = ");
		if (p[0] == '#' && p[1] == ' ' && eq != NULL &&
		    strcspn(p + 2, " \n") == (size_t)(eq - p - 2) &&
		    strncmp(p + 2, "key ", 4) != 0)
			*p = ' ';
		else if (strncmp(p, "enabled = no", 12) == 0)
			memcpy(p, "enabled = on", 12);
	}
	c = parse(text);
	assert_int_equal(c->nifs, 14);
	for (unsigned i = 0; i < c->nnotes; i++)
		if (strstr(c->notes[i].text, "unknown") != NULL)
			fail_msg("%s", c->notes[i].text);
	for (unsigned i = 0; i < c->nifs; i++)
		assert_true(c->ifs[i].on && c->ifs[i].mistake == NULL);
	assert_int_equal(c->rpc_key_len, 7);
	rnsconf_free(c);
	free(text);
}

/* What the reference takes, although nobody would write it. */
static void
odd_values(void **state)
{
	static const struct {
		const char *text;
		int level;
	} levels[] = {{"9", 8}, {"-2", 0}, {"+3", 3},
	    {"99999999999999999999999", 8}, {"-99999999999999999999999", 0}};
	char text[200];
	struct rnsconf *c;

	(void)state;
	for (size_t i = 0; i < NELEM(levels); i++) {
		(void)snprintf(text, sizeof(text), "[logging]\nloglevel = %s\n",
		    levels[i].text);
		c = parse(text);
		assert_int_equal(c->loglevel, levels[i].level);
		/* what is taken instead is said */
		if (strcmp(levels[i].text, "+3") == 0) {
			assert_int_equal(c->nnotes, 0);
		} else {
			assert_int_equal(c->nnotes, 1);
			assert_int_equal(c->notes[0].line, 2);
			assert_non_null(strstr(c->notes[0].text,
			    levels[i].level == 8 ? "8 is taken" :
			    "0 is taken"));
		}
		rnsconf_free(c);
	}
	c = parse("[reticulum]\nrpc_key = 00 fF\t10  11\n");
	assert_int_equal(c->rpc_key_len, 4);
	assert_memory_equal(c->rpc_key, "\x00\xff\x10\x11", 4);
	assert_int_equal(c->nnotes, 0);
	rnsconf_free(c);
	(void)snprintf(text, sizeof(text), "[reticulum]\nrpc_key = %0160d\n",
	    7);
	c = parse(text);
	assert_int_equal(c->rpc_key_len, 80);
	assert_int_equal(c->rpc_key[79], 7);
	rnsconf_free(c);
	c = parse("[reticulum]\nrpc_key = 00 f f\n");
	assert_int_equal(c->rpc_key_len, 0);
	assert_int_equal(c->nnotes, 1);
	rnsconf_free(c);
}

/* Text of a stranger in a note or an error stays printable. */
static void
escapes(void **state)
{
	struct rnsconf *c = parse("[reticulum]\n\033[31mred = 1\n");
	struct mistakes m = {0};
	static const char bad[] = "[reticulum]\nenable_transport = \033[2J\n";
	char line[1024];

	(void)state;
	assert_int_equal(c->nnotes, 1);
	assert_null(strchr(c->notes[0].text, '\033'));
	rnsconf_free(c);
	assert_int_equal(rnsconf_parse(&c, bad, sizeof(bad) - 1, &m), -1);
	mistake_line(line, sizeof(line), "config", &m.v[0]);
	assert_null(strchr(line, '\033'));
	assert_non_null(strstr(line, "\\x1b[2J"));
}

/* Every beginning of a good file parses or is refused, no more. */
static void
prefixes(void **state)
{
	struct rnsconf *c;
	struct mistakes m = {0};
	char *copy;

	(void)state;
	for (size_t n = 0; n < sizeof(full); n++) {
		copy = malloc(n + 1);
		assert_non_null(copy);
		memcpy(copy, full, n);
		if (rnsconf_parse(&c, copy, n, &m) == 0)
			rnsconf_free(c);
		free(copy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(forced_rate),
		cmocka_unit_test(all_values),
		cmocka_unit_test(burst_values),
		cmocka_unit_test(backbone),
		cmocka_unit_test(i2p),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(mistakes_at_once),
		cmocka_unit_test(one_is_off),
		cmocka_unit_test(the_file_is_bad),
		cmocka_unit_test(notes),
		cmocka_unit_test(first_text),
		cmocka_unit_test(example_text),
		cmocka_unit_test(odd_values),
		cmocka_unit_test(escapes),
		cmocka_unit_test(prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
