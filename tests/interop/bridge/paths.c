/* SPDX-License-Identifier: BSD-2-Clause */
/* Live: announces, paths, destinations, single packets. */
#include <stdlib.h>
#include <string.h>

#include "tests/interop/bridge/commands.h"
#include "tests/interop/bridge/peer.h"
#include "common/util.h"
#include "transport/core/base/announce.h"
#include "transport/core/base/const.h"
#include "transport/core/base/crypt.h"
#include "transport/core/base/packet.h"
#include "transport/core/table/dest.h"
#include "transport/core/table/known.h"
#include "transport/core/table/path.h"

/* A new identity's destination, announced at once. */
static struct dest *
announce_new(struct call *c, struct peer *p, struct rns_cmd *cmd,
    struct bytes app)
{
	uint8_t pub[RNS_KEY];
	struct hash16 id, hash;

	cmd->type = RNS_CMD_DEST_ADD;
	rand_fill(NULL, cmd->dest.identity, RNS_KEY);
	cmd->dest.has_identity = true;
	cmd->dest.name = arg_name(c);
	cmd->dest.ratchets = arg_bool(c, "enable_ratchets", false);
	must(c, rns_identity_derive(pub, &id, cmd->dest.identity), "identity");
	must(c, rns_dest_hash(&hash, cmd->dest.name, &id), "name");
	peer_submit(c, p, cmd, "destination");
	*cmd = (struct rns_cmd){.type = RNS_CMD_ANNOUNCE};
	cmd->announce.dest = hash;
	cmd->announce.app_data = app.p;
	cmd->announce.app_data_len = app.n;
	peer_announce(c, p, cmd);
	put_hex(c, "destination_hash", HASH_BYTES(hash));
	put_hex(c, "identity_hash", HASH_BYTES(id));
	put_hex(c, "public_key", pub, sizeof(pub));
	return dest_find(p->r, &hash);
}

static void
put_ratchets(struct call *c, const struct dest *d)
{
	uint8_t pub[RNS_RATCHET], id[RATCHET_ID];

	if (!d->ratchets || d->ratchet_count == 0)
		return;
	crypt_x25519_public(pub, d->ratchet_keys[0]);
	ratchet_id(id, pub);
	put_bool(c, "ratchets_enabled", true);
	put_hex(c, "current_ratchet_id", id, sizeof(id));
	put_int(c, "ratchet_count", (int64_t)d->ratchet_count);
}

void
cmd_wire_announce(struct call *c)
{
	struct peer *p = peer_of(c);
	struct rns_cmd cmd = {.type = RNS_CMD_DEST_ADD};
	struct bytes app = arg_opt(c, "app_data");

	if (app.n == 0 && !arg_bool(c, "app_data_empty", false))
		app = (struct bytes){.set = false};
	put_ratchets(c, announce_new(c, p, &cmd, app));
}

static void
stream_ids(struct call *c, struct listener *l)
{
	const json_t *list = json_object_get(c->params, "buffer_stream_ids");
	size_t n = json_array_size(list);
	uint16_t *ids = calloc(n + 1, sizeof(*ids));

	if (ids == NULL)
		fail(c, "MemoryError");
	for (size_t i = 0; i < n; i++)
		ids[i] = (uint16_t)json_integer_value(json_array_get(list, i));
	l->stream_ids = ids;
	l->nstream_ids = n;
}

void
cmd_wire_listen(struct call *c)
{
	struct peer *p = peer_of(c);
	struct rns_cmd cmd = {.type = RNS_CMD_DEST_ADD};
	const char *strategy = arg_str_or(c, "resource_strategy", "all");
	struct listener *l;
	struct dest *d;

	cmd.dest.accept_links = true;
	cmd.dest.resources = strcmp(strategy, "all") == 0 ? RNS_ACCEPT_ALL :
	    strcmp(strategy, "app") == 0 ? RNS_ACCEPT_APP : RNS_ACCEPT_NONE;
	if (strcmp(arg_str_or(c, "proof_strategy", "none"), "all") == 0)
		cmd.dest.prove = RNS_PROVE_ALL;
	d = announce_new(c, p, &cmd, (struct bytes){.set = false});
	if ((l = calloc(1, sizeof(*l))) == NULL)
		fail(c, "MemoryError");
	*l = (struct listener){.next = p->listeners, .dest = d->hash,
	    .packets = json_array(), .link_packets = json_array(),
	    .resources = json_array(), .messages = json_array(),
	    .requests = json_array()};
	p->listeners = l;
	l->no_channel = !arg_bool(c, "open_channel", true);
	stream_ids(c, l);
	put_str(c, "resource_strategy", strategy);
	put_ratchets(c, d);
}

void
cmd_wire_set_proof_strategy(struct call *c)
{
	struct peer *p = peer_of(c);
	struct dest *d = dest_find(p->r, &peer_listener(c, p)->dest);

	if (arg_is(c, "strategy", "all"))
		d->prove = RNS_PROVE_ALL;
	else if (arg_is(c, "strategy", "none"))
		d->prove = RNS_PROVE_NONE;
	else if (arg_is(c, "strategy", "app"))
		d->prove = RNS_PROVE_APP;
	else
		fail(c, "ValueError: strategy %s", arg_str(c, "strategy"));
	put_str(c, "strategy", arg_str(c, "strategy"));
	put_int(c, "proof_strategy", 33 + (int)d->prove);
}

void
cmd_wire_poll_path(struct call *c)
{
	struct peer *p = peer_of(c);
	struct hash16 dest = arg_hash(c, "destination_hash");
	struct mono until = peer_until(c, 5000);
	struct rns_path path;
	bool found;

	while (!(found = rns_path_get(p->r, &dest, &path)) &&
	    !mono_reached(mono_here(), until))
		(void)peer_run(until, -1);
	put_bool(c, "found", found);
	put(c, "hops", found ? json_integer(path.hops) : json_null());
}

void
cmd_wire_request_path(struct call *c)
{
	struct peer *p = peer_of(c);
	struct rns_cmd cmd = {.type = RNS_CMD_PATH_REQUEST};

	cmd.hash = arg_hash(c, "destination_hash");
	peer_submit(c, p, &cmd, "path request");
	put_bool(c, "sent", true);
}

void
cmd_wire_read_path_entry(struct call *c)
{
	struct peer *p = peer_of(c);
	struct hash16 dest = arg_hash(c, "destination_hash");
	struct rns_path path;
	bool found = rns_path_get(p->r, &dest, &path);

	put_bool(c, "found", found);
	if (!found)
		return;
	put_int(c, "timestamp", path.learned_us / 1000);
	put_int(c, "expires", path.expires_us / 1000);
	put_int(c, "hops", path.hops);
	put_hex(c, "next_hop", HASH_BYTES(path.next_hop));
	put_str(c, "receiving_interface_name", "bridge");
}

void
cmd_wire_read_path_random_hash(struct call *c)
{
	struct peer *p = peer_of(c);
	struct hash16 dest = arg_hash(c, "destination_hash");
	struct announce a;
	struct packet k;
	struct rns_path path;
	bool found = rns_path_get(p->r, &dest, &path) &&
	    packet_parse(&k, path.announce, path.announce_len) == RNS_OK &&
	    announce_parse(&a, &k) == RNS_OK;

	put_bool(c, "found", found);
	if (found)
		put_hex(c, "random_hash", a.random_hash, ANNOUNCE_BLOB);
}

void
cmd_wire_first_hop_timeout(struct call *c)
{
	struct peer *p = peer_of(c);
	struct hash16 dest = arg_hash(c, "destination_hash");

	put_num(c, "timeout", (double)path_first_hop_timeout_us(p->r, &dest) /
	    1e6);
	put_int(c, "default_per_hop_timeout", PER_HOP_TIMEOUT);
}

/* Of a destination, or of an identity whichever it was. */
static bool
recalled(struct peer *p, const struct hash16 *key, bool identity,
    struct rns_known *k)
{
	struct hash16 at = {0}, id;

	const struct dest *own = dest_find(p->r, key);

	/* what it announced itself is in its own table, not in that one */
	if (!identity && own != NULL && own->has_identity) {
		*k = (struct rns_known){.app_data = own->app_data,
		    .app_data_len = own->app_data_len};
		memcpy(k->public_key, own->identity.pub, RNS_KEY);
		return true;
	}
	if (!identity)
		return rns_known_get(p->r, key, k);
	for (bool first = true; rns_known_next(p->r, &at, first, k);
	    first = false) {
		rns_identity_hash_of(&id, k->public_key);
		if (hash16_eq(&id, key))
			return true;
		at = k->dest;
	}
	return false;
}

void
cmd_wire_identity_recall(struct call *c)
{
	struct peer *p = peer_of(c);
	struct hash16 key = arg_hash(c, "destination_hash");
	struct mono until = peer_until(c, 0);
	struct rns_known k;
	struct hash16 id;
	bool found;

	while (!(found = recalled(p, &key, arg_bool(c, "from_identity_hash",
	    false), &k)) &&
	    !mono_reached(mono_here(), until))
		(void)peer_run(until, -1);
	put_bool(c, "found", found);
	if (!found)
		return;
	rns_identity_hash_of(&id, k.public_key);
	put_hex(c, "public_key", k.public_key, RNS_KEY);
	put_hex(c, "hash", HASH_BYTES(id));
	put_bytes(c, "app_data", (struct bytes){(uint8_t *)k.app_data,
	    k.app_data_len, k.app_data != NULL});
}

void
cmd_wire_get_adopted_ratchet(struct call *c)
{
	struct peer *p = peer_of(c);
	struct hash16 dest = arg_hash(c, "destination_hash");
	const struct known *k = known_find(p->r, &dest);
	const uint8_t *pub = k != NULL ? known_ratchet(p->r, k) : NULL;
	uint8_t id[RATCHET_ID];

	put_bool(c, "found", pub != NULL);
	if (pub == NULL) {
		put_null(c, "ratchet_public");
		put_null(c, "ratchet_id");
		return;
	}
	ratchet_id(id, pub);
	put_hex(c, "ratchet_public", pub, RNS_RATCHET);
	put_hex(c, "ratchet_id", id, sizeof(id));
}

/* ---- single packets ---- */

struct result *
peer_packet(struct call *c, struct peer *p, bool receipt)
{
	struct rns_cmd cmd = {.type = RNS_CMD_PACKET};
	struct bytes data = arg(c, "data");
	struct result *res = peer_result(c, p);
	struct rns_path path;
	struct packet k;

	cmd.packet.dest = arg_hash(c, "destination_hash");
	cmd.packet.type = RNS_SINGLE;
	cmd.packet.data = data.p;
	cmd.packet.len = data.n;
	cmd.packet.receipt = receipt;
	cmd.packet.tag = res->tag;
	p->sent_len = 0;
	peer_submit(c, p, &cmd, "packet");
	if (packet_parse(&k, p->sent, p->sent_len) == RNS_OK) {
		res->packet = k.hash;
		res->ifid = p->sent_ifid;
	}
	put_bool(c, "sent", true);
	put(c, "hops", rns_path_get(p->r, &cmd.packet.dest, &path) ?
	    json_integer(path.hops) : json_null());
	return res;
}

void
cmd_wire_send_packet(struct call *c)
{
	struct peer *p = peer_of(c);
	bool receipt = arg_bool(c, "create_receipt", true);
	struct result *res = peer_packet(c, p, receipt);

	put(c, "receipt_id", receipt ?
	    json_sprintf("%llu", (unsigned long long)res->tag) : json_null());
}

void
cmd_wire_send_opportunistic(struct call *c)
{
	struct peer *p = peer_of(c);
	struct result *res = peer_packet(c, p, true);
	bool ok;

	peer_wait(c, res);
	ok = res->done && res->status == RNS_RECEIPT_DELIVERED;
	put_bool(c, "delivered", ok);
	put_str(c, "status", ok ? "delivered" : "timeout");
}

struct result *
peer_receipt(struct call *c, struct peer *p)
{
	uint64_t tag = strtoull(arg_str(c, "receipt_id"), NULL, 10);

	for (struct result *r = p->results; r != NULL; r = r->next) {
		if (r->tag == tag)
			return r;
	}
	fail(c, "KeyError: no such receipt");
}

bool
put_receipt(struct call *c, const struct result *res)
{
	bool ok = res->done && res->status == RNS_RECEIPT_DELIVERED;

	put_int(c, "status", res->done ? res->status : RECEIPT_SENT);
	put_str(c, "status_name", !res->done ? "SENT" : ok ? "DELIVERED" :
	    res->status == RNS_RECEIPT_CULLED ? "CULLED" : "FAILED");
	put_bool(c, "proved", ok);
	return ok;
}

void
cmd_wire_packet_receipt_status(struct call *c)
{
	struct result *res = peer_receipt(c, peer_of(c));

	peer_wait(c, res);
	put_bool(c, "delivered", put_receipt(c, res));
}

void
poll_list(struct call *c, const char *key, json_t *list)
{
	struct mono until = peer_until(c, 0);

	while (json_array_size(list) == 0 &&
	    !mono_reached(mono_here(), until))
		(void)peer_run(until, -1);
	put(c, key, json_copy(list));
	(void)json_array_clear(list);
}

void
cmd_wire_opportunistic_poll(struct call *c)
{
	struct peer *p = peer_of(c);

	poll_list(c, "packets", peer_listener(c, p)->packets);
}

/* ---- keys that need no peer ---- */

void
cmd_wire_identity_keypair(struct call *c)
{
	uint8_t priv[RNS_KEY], pub[RNS_KEY];
	struct hash16 hash;

	rand_fill(NULL, priv, sizeof(priv));
	must(c, rns_identity_derive(pub, &hash, priv), "identity");
	put_hex(c, "private_key", priv, sizeof(priv));
	put_hex(c, "public_key", pub, sizeof(pub));
	put_hex(c, "hash", HASH_BYTES(hash));
}

void
cmd_wire_ratchet_keypair(struct call *c)
{
	uint8_t priv[RNS_RATCHET], pub[RNS_RATCHET];

	rand_fill(NULL, priv, sizeof(priv));
	crypt_x25519_public(pub, priv);
	put_hex(c, "private_key", priv, sizeof(priv));
	put_hex(c, "public_key", pub, sizeof(pub));
}

void
cmd_wire_identity_encrypt(struct call *c)
{
	const uint8_t *pub = arg_n(c, "public_key", RNS_KEY);
	const uint8_t *ratchet = has(c, "ratchet_pub") ?
	    arg_n(c, "ratchet_pub", RNS_RATCHET) : NULL;

	put_bytes(c, "ciphertext", encrypt_to(c, pub, ratchet,
	    arg(c, "plaintext")));
}

void
cmd_wire_identity_decrypt(struct call *c)
{
	struct bytes plain = decrypt_by(c, arg_list(c, "ratchets",
	    RNS_RATCHET), arg_bool(c, "enforce_ratchets", false), NULL);

	put_bytes(c, "plaintext", plain);
	put_bool(c, "decrypted", plain.set);
}
