/* SPDX-License-Identifier: BSD-2-Clause */
/* Live: what a peer was configured to be, its access code, its tables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/interop/bridge/commands.h"
#include "tests/interop/bridge/peer.h"
#include "transport/config/rnsconf.h"
#include "transport/core/base/announce.h"
#include "transport/core/base/ctx.h"
#include "transport/core/base/ifac.h"
#include "transport/core/table/iface.h"
#include "transport/engine/if_tcp.h"
#include "transport/engine/rpc_auth.h"

#define CONF_MAX 8192
#define OTHER_IF 0x10000 /* one that is there for one frame */

/* ---- [reticulum], read by who reads it for the daemon ---- */

static void
conf_add(struct call *c, char *text, const char *key, const char *value)
{
	size_t at = strlen(text);

	if (snprintf(text + at, CONF_MAX - at, "%s = %s\n", key, value) >=
	    (int)(CONF_MAX - at))
		fail(c, "ValueError: too long");
}

static void
conf_list(struct call *c, char *text, const char *key)
{
	const json_t *list = json_object_get(c->params, key);
	char value[CONF_MAX / 2] = "";
	size_t at = 0;
	const char *one;

	for (size_t i = 0; i < json_array_size(list); i++) {
		one = json_string_value(json_array_get(list, i));
		at += (size_t)snprintf(value + at, sizeof(value) - at, "%s%s",
		    i > 0 ? ", " : "", one != NULL ? one : "");
		if (at >= sizeof(value))
			fail(c, "ValueError: %s is too long", key);
	}
	if (at > 0)
		conf_add(c, text, key, value);
}

static void
conf_bool(struct call *c, char *text, const char *key)
{
	if (has(c, key))
		conf_add(c, text, key, arg_bool(c, key, false) ? "yes" : "no");
}

struct rnsconf *
peer_conf(struct call *c)
{
	static const char *const bools[] = {"enable_transport",
	    "respond_to_probes", "use_implicit_proof",
	    "enable_remote_management", "panic_on_interface_error"};
	static const char *const lists[] = {"remote_management_allowed",
	    "blackhole_sources", "interface_discovery_sources"};
	char *text = call_alloc(c, CONF_MAX);
	struct rnsconf *conf = NULL;
	struct mistakes m = {0};

	(void)snprintf(text, CONF_MAX, "[reticulum]\nshare_instance = no\n");
	for (size_t i = 0; i < NELEM(bools); i++)
		conf_bool(c, text, bools[i]);
	for (size_t i = 0; i < NELEM(lists); i++)
		conf_list(c, text, lists[i]);
	if (has(c, "rpc_key"))
		conf_add(c, text, "rpc_key", arg_str(c, "rpc_key"));
	if (rnsconf_parse(&conf, text, strlen(text), &m) < 0 || conf == NULL)
		fail(c, "ValueError: %s", m.n > 0 ? m.v[0].text : "config");
	return conf;
}

static void
put_hashes(struct call *c, const char *key, const struct hash16 *list,
    unsigned n)
{
	json_t *out = json_array();

	put(c, key, out);
	for (unsigned i = 0; i < n; i++)
		(void)json_array_append_new(out, hex_json(HASH_BYTES(list[i])));
}

void
cmd_wire_instance_posture(struct call *c)
{
	struct peer *p = peer_of(c);
	const struct rnsconf *f = p->conf;

	put_bool(c, "transport_enabled", p->r->cfg.transport);
	put_bool(c, "remote_management_enabled", f->enable_remote_management);
	put_bool(c, "respond_to_probes", f->respond_to_probes);
	put_bool(c, "should_use_implicit_proof", p->r->cfg.implicit_proof);
	put_bool(c, "link_mtu_discovery", p->r->cfg.link_mtu_discovery);
	put_hashes(c, "remote_management_allowed", f->managers, f->nmanagers);
	put_bool(c, "panic_on_interface_error", f->panic_on_interface_error);
	put_hashes(c, "blackhole_sources", f->blackhole_sources,
	    f->nblackhole_sources);
	put_hashes(c, "interface_discovery_sources", f->discovery.sources,
	    f->discovery.nsources);
	put_bool(c, "is_shared_instance", p->local_fd >= 0);
	put_bool(c, "is_connected_to_shared_instance", p->r->cfg.attached);
}

/* What programs prove that they know. */
void
cmd_wire_rpc_authkey(struct call *c)
{
	const struct peer *p = peer_of(c);
	const uint8_t *key;
	struct id32 derived;
	size_t n = rpc_auth_key(&key, &derived, p->conf->rpc_key,
	    p->conf->rpc_key_len, p->r->cfg.identity);

	put_hex(c, "rpc_key", key, n);
	put_hex(c, "transport_private_key", p->r->cfg.identity, RNS_KEY);
}

/* ---- the interface ---- */

void
cmd_wire_interface_bitrate(struct call *c)
{
	put_int(c, "bitrate", (int64_t)peer_of(c)->iface.bitrate);
	put_int(c, "bitrate_guess", TCP_BITRATE);
	put_int(c, "minimum_bitrate", 5);
}

void
cmd_wire_interface_hw_mtu(struct call *c)
{
	struct peer *p = peer_of(c);

	put_int(c, "hw_mtu", p->iface.hw_mtu);
	put_bool(c, "link_mtu_discovery", p->r->cfg.link_mtu_discovery);
	put_int(c, "reticulum_mtu", RNS_MTU);
	put_bool(c, "autoconfigure_mtu", !p->fixed_mtu);
	put_bool(c, "fixed_mtu", p->fixed_mtu);
	put_int(c, "class_hw_mtu", rns_mtu_for_bitrate(TCP_BITRATE));
}

static void
code_sign(struct call *c, const struct peer *p, uint8_t sig[RNS_SIG],
    const void *data, size_t n)
{
	if (p->iface.ifac_size == 0)
		fail(c, "ValueError: no access code");
	must(c, rns_identity_sign(sig, p->iface.ifac_key, data, n), "sign");
	put_hex(c, "ifac_key", p->iface.ifac_key, sizeof(p->iface.ifac_key));
	put_int(c, "ifac_size", p->iface.ifac_size);
}

void
cmd_wire_ifac_compute(struct call *c)
{
	struct peer *p = peer_of(c);
	struct bytes data = arg(c, "packet_data");
	uint8_t sig[RNS_SIG];

	code_sign(c, p, sig, data.p, data.n);
	put_hex(c, "signature", sig, sizeof(sig));
	put_hex(c, "ifac", sig + RNS_SIG - p->iface.ifac_size,
	    p->iface.ifac_size);
}

void
cmd_wire_ifac_signature(struct call *c)
{
	struct peer *p = peer_of(c);
	struct id32 hash;
	uint8_t sig[RNS_SIG];

	rns_sha256(&hash, p->iface.ifac_key, sizeof(p->iface.ifac_key));
	code_sign(c, p, sig, HASH_BYTES(hash));
	put_hex(c, "ifac_signature", sig, sizeof(sig));
	put_int(c, "default_ifac_size", 16);
}

/* ---- one frame, as from the wire ---- */

/* An announce of nobody that was heard before. */
static struct bytes
fresh_announce(struct call *c, struct hash16 *dest)
{
	struct bytes out = {.set = true};
	struct identity id;
	uint8_t key[RNS_KEY], random[5], name[RNS_NAME_HASH];

	rand_fill(NULL, key, sizeof(key));
	rand_fill(NULL, random, sizeof(random));
	must(c, identity_load(&id, key), "identity");
	must(c, rns_dest_hash(dest, "bridge.frame", &id.hash), "name");
	rns_name_hash(name, "bridge.frame");
	out.p = call_alloc(c, RNS_MTU);
	out.n = announce_build(out.p, &id, dest, name, random,
	    (uint64_t)(wall_here() / MONO_SECOND), NULL, NULL, 0, false);
	identity_clear(&id);
	return out;
}

static struct bytes
masked(struct call *c, const struct peer *p, struct bytes raw)
{
	struct bytes out = {.n = raw.n + p->iface.ifac_size, .set = true};
	struct ifac code;

	out.p = call_alloc(c, out.n);
	if (p->iface.ifac_size == 0)
		fail(c, "ValueError: no access code");
	must(c, ifac_init(&code, p->iface.ifac_size, p->iface.ifac_key),
	    "access code");
	out.n = ifac_mask(&code, out.p, out.n, raw.p, raw.n);
	ifac_clear(&code);
	return out;
}

static bool
learned(struct call *c, struct peer *p, struct bytes frame,
    const struct hash16 *dest)
{
	struct rns_cmd cmd = {.type = RNS_CMD_IF_ADD, .iface = p->iface};
	struct rns_path path;
	bool found;

	cmd.iface.id = OTHER_IF;
	peer_submit(c, p, &cmd, "interface");
	(void)rns_recv(p->r, OTHER_IF, frame.p, frame.n, mono_here());
	found = rns_path_get(p->r, dest, &path);
	peer_turn(p);
	cmd = (struct rns_cmd){.type = RNS_CMD_IF_DEL, .ifid = OTHER_IF};
	peer_submit(c, p, &cmd, "interface");
	return found;
}

void
cmd_wire_inject_raw_frame(struct call *c)
{
	struct peer *p = peer_of(c);
	const char *v = arg_str(c, "variant");
	bool coded = p->iface.ifac_size > 0 && strncmp(v, "plain_", 6) != 0;
	struct bytes frame;
	struct hash16 dest;

	put_int(c, "ifac_size", p->iface.ifac_size);
	if (strcmp(v, "inject_external") == 0) {
		frame = arg(c, "raw");
		dest = arg_hash(c, "dest_hash");
	} else {
		frame = fresh_announce(c, &dest);
		if (coded)
			frame = masked(c, p, frame);
	}
	if (strcmp(v, "masked_short") == 0)
		frame.n = MIN_OF(frame.n, 2u + p->iface.ifac_size);
	else if (strcmp(v, "min_short") == 0)
		frame.n = MIN_OF(frame.n, (size_t)arg_int(c, "trim_to", 0,
		    RNS_MTU));
	put_hex(c, "dest_hash", HASH_BYTES(dest));
	put_int(c, "frame_len", (int64_t)frame.n);
	put_bytes(c, "raw", frame);
	if (strcmp(v, "build_masked") != 0)
		put_bool(c, "learned", learned(c, p, frame, &dest));
}

/* ---- what the tables say of a destination ---- */

static struct rns_about
about(struct call *c)
{
	struct hash16 dest = arg_hash(c, "destination_hash");
	struct rns_about a = {.own = false};

	rns_about(peer_of(c)->r, &dest, &a);
	return a;
}

void
cmd_wire_has_announce_table_entry(struct call *c)
{
	put_bool(c, "found", about(c).waiting > 0);
}

void
cmd_wire_has_discovery_path_request(struct call *c)
{
	put_bool(c, "found", about(c).searched);
}

void
cmd_wire_read_announce_table_timestamp(struct call *c)
{
	struct peer *p = peer_of(c);
	struct hash16 dest = arg_hash(c, "destination_hash");
	struct rns_path path;
	bool found = about(c).waiting > 0 &&
	    rns_path_get(p->r, &dest, &path);

	put_bool(c, "found", found);
	if (found)
		put_int(c, "timestamp", path.learned_us / 1000);
}
