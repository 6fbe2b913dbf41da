/* SPDX-License-Identifier: BSD-2-Clause */
/* Sections of interfaces in Reticulum's configuration. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/interop/bridge/commands.h"
#include "transport/config/rnsconf.h"

/*
 * The caller's type of interface is his own, with this bitrate; ours, which has
 * the same access codes, reads the common keys.
 */
#define PROBE_TYPE "ConfigParseProbeInterface"
#define OUR_TYPE                                                               \
	"TCPClientInterface\ntarget_host = 127.0.0.1\ntarget_port = 4242"
#define PROBE_BITRATE 62500

static void
conf_end(void *conf)
{
	rnsconf_free(conf);
}

static struct rnsconf_if *
section(struct call *c, const char *text, const char *name)
{
	struct rnsconf *conf = NULL;
	struct mistakes m = {0};
	int err = rnsconf_parse(&conf, text, strlen(text), &m);

	if (conf != NULL)
		call_defer(c, conf_end, conf);
	if (err < 0 || conf == NULL)
		fail(c, "ValueError: %s", m.n > 0 ? m.v[0].text : "config");
	for (unsigned i = 0; i < conf->nifs; i++) {
		if (strcmp(conf->ifs[i].name, name) != 0)
			continue;
		if (conf->ifs[i].mistake != NULL)
			fail(c, "ValueError: %s", conf->ifs[i].mistake);
		return &conf->ifs[i];
	}
	fail(c, "KeyError: no interface \"%s\"", name);
}

/* text with `instead` in the first place where `at` stands in it. */
static const char *
with(struct call *c, const char *text, const char *at, const char *instead)
{
	const char *p = strstr(text, at);
	size_t n = strlen(text) + strlen(instead) + 1;
	char *out;

	if (p == NULL)
		return text;
	out = call_alloc(c, n);
	(void)snprintf(out, n, "%.*s%s%s", (int)(p - text), text, instead,
	    p + strlen(at));
	return out;
}

static void
put_mode(struct call *c, enum rns_if_mode mode)
{
	static const char *const names[] = {[RNS_MODE_FULL] = "full",
	    [RNS_MODE_PTP] = "pointtopoint", [RNS_MODE_AP] = "access_point",
	    [RNS_MODE_ROAMING] = "roaming", [RNS_MODE_BOUNDARY] = "boundary",
	    [RNS_MODE_GATEWAY] = "gateway", [RNS_MODE_INTERNAL] = "internal"};

	put_int(c, "selected_interface_mode", mode);
	put_int(c, "mode", mode);
	put_str(c, "mode_name", names[mode]);
}

static void
put_ingress(struct call *c, const struct rns_ingress *in)
{
	put_int(c, "ic_max_held_announces", in->max_held);
	put_num(c, "ic_burst_hold", in->hold_s);
	put_num(c, "ic_burst_freq_new", in->burst_hz_new);
	put_num(c, "ic_burst_freq", in->burst_hz);
	put_num(c, "ic_new_time", in->new_time_s);
	put_num(c, "ic_burst_penalty", in->penalty_s);
	put_num(c, "ic_held_release_interval", in->release_s);
}

/*
 * The size of the access code there is, or would be: the library has none for
 * an interface without a name or key, so one is read with a key.
 */
static unsigned
code_size(struct call *c, const char *text, const char *name,
    const struct rnsconf_if *i)
{
	if (i->ifac_size > 0)
		return i->ifac_size;
	return section(c, with(c, text, OUR_TYPE, OUR_TYPE
	    "\npass_phrase = bridge"), name)->ifac_size;
}

void
cmd_config_parse_interface(struct call *c)
{
	const char *name = arg_str(c, "interface_name");
	const char *text = with(c, arg_str(c, "config_text"), PROBE_TYPE,
	    OUR_TYPE);
	const struct rnsconf_if *i = section(c, text, name);
	const struct rnsconf_if *bare = section(c, "[interfaces]\n[[x]]\n"
	    "enabled = yes\npassphrase = x\ntype = " OUR_TYPE "\n", "x");

	put_mode(c, i->mode);
	put(c, "configured_bitrate", i->bitrate > 0 ?
	    json_integer((json_int_t)i->bitrate) : json_null());
	put_int(c, "bitrate", i->bitrate > 0 ? (int64_t)i->bitrate :
	    PROBE_BITRATE);
	put_num(c, "announce_cap", i->announce_cap_permille / 1000.0);
	put_int(c, "ifac_size", code_size(c, text, name, i));
	put_int(c, "default_ifac_size", bare->ifac_size);
	put_bool(c, "discoverable", i->offer.on);
	put(c, "discovery_announce_interval", i->offer.on ?
	    json_integer((json_int_t)i->offer.interval_min * 60) :
	    json_null());
	put_str(c, "ifac_netname", i->network_name);
	put_str(c, "ifac_netkey", i->passphrase);
	put_bool(c, "ifac_active", i->ifac_size > 0);
	put_ingress(c, &i->ingress);
}

/* Of the types that are built here. */
void
cmd_interface_default_ifac_size(struct call *c)
{
	static const struct {
		const char *key, *lines;
	} types[] = {
	    {"TCPServerInterface", "type = TCPServerInterface\n"
		"listen_ip = 127.0.0.1\nlisten_port = 4242\n"},
	    {"TCPClientInterface", "type = " OUR_TYPE "\n"},
	    {"UDPInterface", "type = UDPInterface\n"
		"listen_ip = 127.0.0.1\nlisten_port = 4242\n"},
	    {"PipeInterface", "type = PipeInterface\ncommand = cat\n"},
	    {"SerialInterface", "type = SerialInterface\nport = /dev/x\n"},
	    {"KISSInterface", "type = KISSInterface\nport = /dev/x\n"},
	    {"AX25KISSInterface", "type = AX25KISSInterface\n"
		"port = /dev/x\ncallsign = N0CALL\nssid = 0\n"},
	    {"RNodeInterface", "type = RNodeInterface\nport = /dev/x\n"
		"frequency = 868000000\nbandwidth = 125000\ntxpower = 7\n"
		"spreadingfactor = 8\ncodingrate = 5\n"}};
	json_t *map = json_object();
	char text[400];

	put(c, "default_ifac_size", map);
	for (size_t k = 0; k < sizeof(types) / sizeof(types[0]); k++) {
		(void)snprintf(text, sizeof(text), "[interfaces]\n[[x]]\n"
		    "enabled = yes\npassphrase = x\n%s", types[k].lines);
		(void)json_object_set_new(map, types[k].key,
		    json_integer(section(c, text, "x")->ifac_size));
	}
	put_int(c, "ifac_min_size", 1);
}

void
cmd_wire_interface_transport_defaults(struct call *c)
{
	static const char text[] = "[reticulum]\nenable_transport = yes\n"
	    "[interfaces]\n[[x]]\nenabled = yes\ntype = " OUR_TYPE "\n";
	struct rnsconf *conf = NULL;
	struct mistakes m = {0};

	if (rnsconf_parse(&conf, text, strlen(text), &m) < 0 ||
	    conf->nifs != 1)
		fail(c, "ValueError: config");
	call_defer(c, conf_end, conf);
	put_int(c, "local_interface_port", conf->shared_instance_port);
	put_int(c, "ar_target", conf->ifs[0].ar_target_s);
	put_int(c, "ar_penalty", conf->ifs[0].ar_penalty_s);
	put_int(c, "ar_grace", conf->ifs[0].ar_grace);
}
