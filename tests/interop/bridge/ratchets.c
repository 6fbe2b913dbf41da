/* SPDX-License-Identifier: BSD-2-Clause */
/* Live: ratchets, groups, what is encrypted without being sent. */
#include <stdlib.h>
#include <string.h>

#include "tests/interop/bridge/commands.h"
#include "tests/interop/bridge/peer.h"
#include "transport/core/base/crypt.h"
#include "transport/core/table/dest.h"
#include "common/mpk.h"
#include "transport/core/table/known.h"
#include "transport/core/table/stores.h"

static struct dest *
own_dest(struct call *c, struct peer *p)
{
	struct hash16 hash = arg_hash(c, "destination_hash");
	struct dest *d = dest_find(p->r, &hash);

	if (d == NULL)
		fail(c, "KeyError: no destination of ours");
	return d;
}

static void
put_ratchet_id(struct call *c, const char *key, const uint8_t *priv)
{
	uint8_t pub[RNS_RATCHET], id[RATCHET_ID];

	if (priv == NULL) {
		put_null(c, key);
		return;
	}
	crypt_x25519_public(pub, priv);
	ratchet_id(id, pub);
	put_hex(c, key, id, sizeof(id));
}

static const uint8_t *
ratchet_at(const struct dest *d, size_t n)
{
	return n < d->ratchet_count ? d->ratchet_keys[n] : NULL;
}

static void
put_own(struct call *c, const struct dest *d)
{
	put_ratchet_id(c, "current_ratchet_id", ratchet_at(d, 0));
	put_ratchet_id(c, "previous_ratchet_id", ratchet_at(d, 1));
	put_int(c, "ratchet_interval", d->ratchet_interval_s);
	put_num(c, "latest_ratchet_time", (double)d->last_rotation_us / 1e6);
}

void
cmd_wire_read_ratchets(struct call *c)
{
	const struct dest *d = own_dest(c, peer_of(c));

	put_own(c, d);
	put_int(c, "ratchet_count", (int64_t)d->ratchet_count);
	put_int(c, "retained_ratchets", d->ratchet_retain);
	put_null(c, "latest_ratchet_id"); /* the library keeps none */
}

void
cmd_wire_set_ratchet_interval(struct call *c)
{
	struct dest *d = own_dest(c, peer_of(c));
	double s = arg_num_or(c, "seconds", 0);
	bool ok = s >= 1 && s <= UINT32_MAX;

	if (ok)
		d->ratchet_interval_s = (uint32_t)s;
	put_bool(c, "ok", ok);
	put_int(c, "ratchet_interval", d->ratchet_interval_s);
}

/* A rotation is made with an announce; none is sent. */
void
cmd_wire_rotate_ratchet(struct call *c)
{
	struct peer *p = peer_of(c);
	struct dest *d = own_dest(c, p);
	size_t before = d->ratchet_count;
	int64_t was;

	put_ratchet_id(c, "before_current_id", ratchet_at(d, 0));
	if (has(c, "last_rotation_ago_s"))
		d->last_rotation_us = wall_here() - (int64_t)(1e6 *
		    arg_num_or(c, "last_rotation_ago_s", 0));
	was = d->last_rotation_us;
	must(c, dest_announce(p->r, d, NULL, 0), "announce");
	put_bool(c, "rotated", d->last_rotation_us != was);
	put_int(c, "before_count", (int64_t)before);
	put_int(c, "after_count", (int64_t)d->ratchet_count);
	put_own(c, d);
	peer_turn(p);
}

void
cmd_wire_reannounce(struct call *c)
{
	struct peer *p = peer_of(c);
	struct rns_cmd cmd = {.type = RNS_CMD_ANNOUNCE};
	struct bytes app = arg_opt(c, "app_data");
	struct mono until = mono_add(mono_here(), 2 * MONO_SECOND);
	struct dest *d = own_dest(c, p);

	if (has(c, "rotate_ago_s"))
		d->last_rotation_us = wall_here() - (int64_t)(1e6 *
		    arg_num_or(c, "rotate_ago_s", 0));
	cmd.announce.dest = d->hash;
	cmd.announce.app_data = app.n > 0 ? app.p : NULL;
	cmd.announce.app_data_len = app.n;
	peer_announce(c, p, &cmd);
	/* the second of a second waits for the next */
	while (d->waiting.timer.armed && !mono_reached(mono_here(), until))
		(void)peer_run(until, -1);
	put_bool(c, "announced", true);
	put_ratchet_id(c, "current_ratchet_id", ratchet_at(d, 0));
}

void
cmd_wire_encrypt_to_remote(struct call *c)
{
	struct peer *p = peer_of(c);
	struct hash16 dest = arg_hash(c, "destination_hash");
	const struct known *k = known_find(p->r, &dest);
	const uint8_t *ratchet;
	uint8_t id[RATCHET_ID];
	bool use;

	if (k == NULL)
		fail(c, "KeyError: nobody has announced it");
	ratchet = known_ratchet(p->r, k);
	use = ratchet != NULL && arg_bool(c, "use_ratchet", true);
	put_bytes(c, "ciphertext", encrypt_to(c, known_key(k),
	    use ? ratchet : NULL, arg(c, "plaintext")));
	put_bool(c, "used_ratchet", use);
	put_bytes(c, "ratchet_public", (struct bytes){(uint8_t *)ratchet,
	    RNS_RATCHET, use});
	if (use)
		ratchet_id(id, ratchet);
	put_bytes(c, "ratchet_id", (struct bytes){id, sizeof(id), use});
}

/* What a packet for it says; and with which of its keys. */
static struct bytes
open_own(struct call *c, const struct dest *d, struct bytes in, int *used)
{
	struct bytes out = {.n = in.n};

	out.p = call_alloc(c, in.n);
	*used = -1;
	out.set = identity_decrypt(out.p, &out.n, in.n, &d->identity,
	    (const uint8_t(*)[32])d->ratchet_keys, d->ratchet_count,
	    d->enforce_ratchets, used, in.p, in.n) == RNS_OK;
	return out;
}

void
cmd_wire_destination_decrypt(struct call *c)
{
	const struct dest *d = own_dest(c, peer_of(c));
	int used;
	struct bytes plain = open_own(c, d, arg(c, "ciphertext"), &used);

	put_bool(c, "decrypted", plain.set);
	put_bytes(c, "plaintext", plain);
	put_ratchet_id(c, "latest_ratchet_id", plain.set && used >= 0 ?
	    ratchet_at(d, (size_t)used) : NULL);
}

void
cmd_wire_destination_latest_ratchet_id(struct call *c)
{
	static uint8_t text[] = "latest";
	const struct dest *d = own_dest(c, peer_of(c));
	uint8_t pub[RNS_RATCHET];
	struct bytes plain;
	int used;

	if (d->ratchet_count == 0)
		fail(c, "ValueError: no ratchets");
	crypt_x25519_public(pub, d->ratchet_keys[0]);
	plain = open_own(c, d, encrypt_to(c, d->identity.pub, pub,
	    (struct bytes){text, sizeof(text) - 1, true}), &used);
	put_bool(c, "decrypted", plain.set);
	put_bytes(c, "plaintext", plain);
	put_ratchet_id(c, "latest_ratchet_id", plain.set && used >= 0 ?
	    ratchet_at(d, (size_t)used) : NULL);
	put_ratchet_id(c, "encrypt_ratchet_id", d->ratchet_keys[0]);
	put_ratchet_id(c, "current_ratchet_id", d->ratchet_keys[0]);
	put_bool(c, "match", plain.set && used == 0);
	put_int(c, "ratchet_count", (int64_t)d->ratchet_count);
}

/* ---- groups, and what is in clear ---- */

void
cmd_wire_group_create(struct call *c)
{
	struct peer *p = peer_of(c);
	struct rns_cmd cmd = {.type = RNS_CMD_DEST_ADD};
	struct bytes key = arg_opt(c, "key");
	uint8_t fresh[64], pub[RNS_KEY];
	struct hash16 id, hash;

	if (!key.set) {
		rand_fill(NULL, fresh, sizeof(fresh));
		key = (struct bytes){fresh, sizeof(fresh), true};
	}
	cmd.dest.type = RNS_GROUP;
	cmd.dest.name = arg_name(c);
	cmd.dest.has_identity = true;
	rand_fill(NULL, cmd.dest.identity, RNS_KEY);
	cmd.dest.group_key = key.p;
	cmd.dest.group_key_len = key.n;
	must(c, rns_identity_derive(pub, &id, cmd.dest.identity), "identity");
	must(c, rns_dest_hash(&hash, cmd.dest.name, &id), "name");
	peer_submit(c, p, &cmd, "group");
	put_hex(c, "destination_hash", HASH_BYTES(hash));
	put_bytes(c, "key", key);
}

void
cmd_wire_group_encrypt(struct call *c)
{
	struct dest *d = own_dest(c, peer_of(c));
	struct bytes in = arg(c, "plaintext"), out = {.set = true};
	uint8_t iv[16];

	out.n = token_len(in.n);
	out.p = call_alloc(c, out.n);
	rand_fill(NULL, iv, sizeof(iv));
	must(c, token_encrypt(out.p, &out.n, out.n, d->group_key,
	    d->group_key_len, iv, in.p, in.n), "encrypt");
	put_bytes(c, "ciphertext", out);
}

static void
put_opened(struct call *c, struct dest *d)
{
	struct bytes in = arg(c, "ciphertext"), out = {.n = in.n};

	out.p = call_alloc(c, in.n);
	out.set = dest_decrypt(d, out.p, &out.n, in.n, in.p, in.n,
	    mono_here()) == RNS_OK;
	put_bytes(c, "plaintext", out);
	put_bool(c, "decrypted", out.set);
}

void
cmd_wire_group_decrypt(struct call *c)
{
	put_opened(c, own_dest(c, peer_of(c)));
}

static struct dest *
plain_dest(struct call *c)
{
	struct rns_cmd cmd = {.type = RNS_CMD_DEST_ADD};
	struct rns *r = scratch(c, wall_here());
	struct hash16 hash;

	cmd.dest.type = RNS_PLAIN;
	cmd.dest.name = arg_name(c);
	must(c, rns_submit(r, &cmd, mono_here()), "destination");
	must(c, rns_dest_hash(&hash, cmd.dest.name, NULL), "name");
	return dest_find(r, &hash);
}

/* A packet to it leaves a node, and its data is read off the wire. */
void
cmd_wire_plain_encrypt(struct call *c)
{
	struct rns_cmd cmd = {.type = RNS_CMD_IF_ADD};
	struct bytes in = arg(c, "plaintext");
	struct rns *r = scratch(c, wall_here());
	struct packet k;
	struct rns_tx tx;

	cmd.iface = (struct rns_if){.id = 1, .kind = RNS_IF_NET,
	    .mode = RNS_MODE_FULL, .out = true, .online = true};
	must(c, rns_submit(r, &cmd, mono_here()), "interface");
	cmd = (struct rns_cmd){.type = RNS_CMD_PACKET};
	must(c, rns_dest_hash(&cmd.packet.dest, arg_name(c), NULL), "name");
	cmd.packet.type = RNS_PLAIN;
	cmd.packet.data = in.p;
	cmd.packet.len = in.n;
	must(c, rns_submit(r, &cmd, mono_here()), "packet");
	if (!rns_next_tx(r, &tx))
		fail(c, "OSError: nothing was sent");
	must(c, packet_parse(&k, tx.data, tx.len), "packet");
	put_hex(c, "ciphertext", k.data, k.data_len);
	put_bool(c, "passthrough", k.data_len == in.n &&
	    memcmp(k.data, in.p, in.n) == 0);
}

void
cmd_wire_plain_decrypt(struct call *c)
{
	struct bytes in = arg(c, "ciphertext"), out = {.n = in.n};

	out.p = call_alloc(c, in.n);
	out.set = dest_decrypt(plain_dest(c), out.p, &out.n, in.n, in.p,
	    in.n, mono_here()) == RNS_OK;
	put_bytes(c, "plaintext", out);
	put_bool(c, "passthrough", out.set && out.n == in.n &&
	    memcmp(out.p, in.p, in.n) == 0);
}

/* ---- what the files of the daemon hold ---- */

/* All that is known there, as the file has it. */
static struct bytes
known_file(struct call *c, const struct rns *r)
{
	size_t cap = STORES_KNOWN_HEAD_MAX, n = 0;
	struct rns_known k;
	struct wr w;

	for (bool more = rns_known_next(r, NULL, true, &k); more; n++) {
		cap += stores_known_max(&k);
		more = rns_known_next(r, &k.dest, false, &k);
	}
	w = wr_make(call_alloc(c, cap), cap);
	stores_known_put_head(&w, n);
	for (bool more = rns_known_next(r, NULL, true, &k); more;
	    more = rns_known_next(r, &k.dest, false, &k))
		stores_known_put(&w, &k);
	if (!wr_ok(&w))
		fail(c, "RuntimeError: it does not fit");
	return (struct bytes){w.buf, w.len, true};
}

static size_t
known_fields(struct call *c, const struct rns_known *k)
{
	size_t cap = stores_known_max(k), fields = 0;
	struct wr w = wr_make(call_alloc(c, cap), cap);
	struct rd r;

	stores_known_put(&w, k);
	r = rd_make(w.buf, w.len);
	return mpk_skip(&r) && mpk_get_array(&r, &fields) ? fields : 0;
}

/* Written, and read by one that knows nothing. */
void
cmd_wire_known_destinations_roundtrip(struct call *c)
{
	const struct rns *r = peer_of(c)->r;
	struct hash16 dest = arg_hash(c, "destination_hash");
	struct bytes file = known_file(c, r), app = {.n = 0};
	struct rns *fresh = scratch(c, wall_here());
	struct rd at = rd_make(file.p, file.n);
	struct rns_known k;
	struct rns_cmd cmd;
	size_t n = 0, read = 0;
	bool found;
	int err;

	put_bool(c, "present_before_save", rns_known_get(r, &dest, &k));
	put_bool(c, "recall_after_clear_found", rns_known_get(fresh, &dest,
	    &k));
	must(c, stores_known_head(&at, &n), "known_destinations");
	for (; n > 0; n--) {
		if ((err = stores_known_next(&at, &k)) == RNS_ENOENT)
			continue;
		must(c, err, "known_destinations");
		cmd = stores_known_cmd(&k);
		must(c, rns_submit(fresh, &cmd, mono_here()), "known");
		read++;
	}
	found = rns_known_get(fresh, &dest, &k);
	if (found)
		app = (struct bytes){(uint8_t *)k.app_data, k.app_data_len,
		    k.app_data != NULL};
	put_bool(c, "recall_after_load_found", found);
	put_bytes(c, "app_data_after_load", app);
	put(c, "entry_len_after_load", found ?
	    json_integer((json_int_t)known_fields(c, &k)) : json_null());
	put_int(c, "table_size_after_load", (int64_t)read);
}

void
cmd_wire_ratchet_file_roundtrip(struct call *c)
{
	const struct dest *d = own_dest(c, peer_of(c));
	size_t cap = stores_own_len(d->ratchet_count), n = 0;
	struct wr w = wr_make(call_alloc(c, cap), cap);
	uint8_t (*keys)[RNS_RATCHET] = call_alloc(c, (d->ratchet_count + 1) *
	    sizeof(*keys)), pub[RNS_RATCHET], id[RATCHET_ID];
	json_t *ids = json_array();
	int err;

	put(c, "ratchet_ids", ids);
	stores_own_put(&w, &d->identity,
	    (const uint8_t(*)[RNS_RATCHET])d->ratchet_keys, d->ratchet_count);
	err = stores_own_get(w.buf, w.len, d->identity.pub, keys,
	    d->ratchet_count + 1, &n);
	put_bool(c, "ratchets_path_set", wr_ok(&w));
	put_bool(c, "reload_ok", err == RNS_OK);
	put_int(c, "ratchet_count_before", (int64_t)d->ratchet_count);
	put_int(c, "ratchet_count_after", (int64_t)n);
	put_bool(c, "roundtrip_match", n == d->ratchet_count &&
	    memcmp(keys, d->ratchet_keys, n * sizeof(*keys)) == 0);
	for (size_t i = 0; i < n; i++) {
		crypt_x25519_public(pub, keys[i]);
		ratchet_id(id, pub);
		(void)json_array_append_new(ids, hex_json(id, sizeof(id)));
	}
}
