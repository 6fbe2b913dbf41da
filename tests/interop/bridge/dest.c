/* SPDX-License-Identifier: BSD-2-Clause */
/* Names and destinations. */
#include <stdio.h>
#include <string.h>

#include "tests/interop/bridge/commands.h"
#include "common/util.h"
#include "transport/core/base/crypt.h"
#include "transport/core/base/announce.h"
#include "transport/core/base/packet.h"
#include "transport/core/table/dest.h"

#define STRATEGY_NONE 33 /* and 34 APP, 35 ALL: of the library from 0 */
#define DIRECTION_IN 17
#define DIRECTION_OUT 18

void
cmd_name_hash(struct call *c)
{
	uint8_t h[RNS_NAME_HASH];

	rns_name_hash(h, arg_str(c, "name"));
	put_hex(c, "hash", h, sizeof(h));
}

void
cmd_destination_hash(struct call *c)
{
	struct hash16 id = arg_hash(c, "identity_hash"), h;

	must(c, rns_dest_hash(&h, arg_name(c), &id), "name");
	put_hex(c, "destination_hash", HASH_BYTES(h));
}

void
cmd_hash_from_name_and_identity(struct call *c)
{
	struct hash16 id = arg_hash(c, "identity_hash"), h;

	must(c, rns_dest_hash(&h, arg_str(c, "full_name"), &id), "name");
	put_hex(c, "destination_hash", HASH_BYTES(h));
}

void
cmd_app_and_aspects_from_name(struct call *c)
{
	const char *name = arg_str(c, "full_name"), *dot;
	json_t *aspects = json_array();
	size_t n = strcspn(name, ".");

	put(c, "app_name", json_stringn(name, n));
	put(c, "aspects", aspects);
	for (dot = name + n; *dot == '.'; dot += n + 1) {
		n = strcspn(dot + 1, ".");
		(void)json_array_append_new(aspects, json_stringn(dot + 1, n));
	}
}

static const char *
named(struct call *c, const char *name, const struct hash16 *identity)
{
	char hex[2 * RNS_HASH + 1], *full;
	size_t n = strlen(name) + 1 + sizeof(hex);

	if (identity == NULL)
		return name;
	full = call_alloc(c, n);
	hex_encode(hex, HASH_BYTES(*identity));
	(void)snprintf(full, n, "%s.%s", name, hex);
	return full;
}

void
cmd_destination_expand_name(struct call *c)
{
	const char *name = arg_name(c);
	uint8_t pub[RNS_KEY];
	struct hash16 hash;
	bool id = has(c, "identity_private_key");

	if (id) {
		must(c, rns_identity_derive(pub, &hash,
		    arg_n(c, "identity_private_key", RNS_KEY)), "identity");
		put_hex(c, "identity_hexhash", HASH_BYTES(hash));
	}
	put_str(c, "name", named(c, name, id ? &hash : NULL));
}

/* ---- destinations of the library ---- */

struct ours {
	struct rns *r;
	struct rns_cmd add; /* as it was made */
	struct dest *d;     /* NULL: an outgoing one, which is a hash */
	struct hash16 hash, identity;
	const char *name;   /* with the identity behind it */
	bool has_identity, automatic;
	int direction;
};

static int
number(struct call *c, const char *key, const char *const *words, size_t n,
    int first)
{
	const json_t *v = json_object_get(c->params, key);
	int64_t value;

	for (size_t i = 0; json_is_string(v) && i < n; i++) {
		if (arg_is(c, key, words[i]))
			return first + (int)i;
	}
	value = arg_int(c, key, INT32_MIN, INT32_MAX);
	if (value < first || value >= first + (int64_t)n)
		fail(c, "ValueError: unknown %s %lld", key, (long long)value);
	return (int)value;
}

static void
ours_identity(struct call *c, struct ours *o)
{
	struct rns_dest *d = &o->add.dest;
	uint8_t pub[RNS_KEY];

	o->has_identity = has(c, "identity_private_key");
	if (o->has_identity)
		memcpy(d->identity, arg_n(c, "identity_private_key", RNS_KEY),
		    RNS_KEY);
	if (!o->has_identity && d->type != RNS_PLAIN) {
		if (o->direction == DIRECTION_OUT)
			fail(c, "ValueError: no identity to send to");
		o->has_identity = o->automatic = true;
		rand_fill(NULL, d->identity, RNS_KEY);
	}
	d->has_identity = o->has_identity;
	if (o->has_identity)
		must(c, rns_identity_derive(pub, &o->identity, d->identity),
		    "identity");
}

/* What the parameters say; not in a context yet. */
static struct ours *
ours_read(struct call *c)
{
	static const char *const directions[] = {"in", "out"};
	static const char *const types[] = {"single", "group", "plain"};
	struct ours *o = call_alloc(c, sizeof(*o));
	struct rns_dest *d = &o->add.dest;

	o->direction = number(c, "direction", directions, 2, DIRECTION_IN);
	d->type = (enum rns_dest_type)number(c, "type", types, 3, 0);
	o->add.type = RNS_CMD_DEST_ADD;
	ours_identity(c, o);
	d->name = arg_name(c);
	if (o->automatic)
		d->name = named(c, d->name, &o->identity);
	o->name = named(c, d->name, o->has_identity ? &o->identity : NULL);
	o->r = scratch(c, wall_here());
	return o;
}

static struct ours *
ours_add(struct call *c, struct ours *o)
{
	struct rns_dest *d = &o->add.dest;
	uint8_t key[64];

	must(c, rns_dest_hash(&o->hash, d->name, o->has_identity ?
	    &o->identity : NULL), "name");
	if (o->direction == DIRECTION_OUT) {
		if (d->type == RNS_PLAIN && o->has_identity)
			fail(c, "TypeError: PLAIN with an identity");
		return o;
	}
	rand_fill(NULL, key, sizeof(key));
	if (d->type == RNS_GROUP) {
		d->group_key = key;
		d->group_key_len = sizeof(key);
	}
	must(c, rns_submit(o->r, &o->add, mono_here()), "destination");
	o->d = dest_find(o->r, &o->hash);
	return o;
}

/* One that can announce itself, or a mistake. */
static struct dest *
incoming(struct call *c, const struct ours *o)
{
	if (o->d == NULL)
		fail(c, "TypeError: only an incoming destination does that");
	return o->d;
}

void
cmd_destination_construct(struct call *c)
{
	struct ours *o = ours_add(c, ours_read(c));
	uint8_t h[RNS_NAME_HASH];

	rns_name_hash(h, o->add.dest.name);
	put_hex(c, "destination_hash", HASH_BYTES(o->hash));
	put_str(c, "name", o->name);
	put_hex(c, "name_hash", h, sizeof(h));
	put_int(c, "proof_strategy", STRATEGY_NONE +
	    (o->d != NULL ? (int)o->d->prove : 0));
	put_int(c, "type", o->add.dest.type);
	put_int(c, "direction", o->direction);
	if (o->automatic)
		put_hex(c, "auto_identity_hexhash", HASH_BYTES(o->identity));
}

void
cmd_destination_announce_attempt(struct call *c)
{
	struct ours *o = ours_add(c, ours_read(c));

	must(c, dest_announce(o->r, incoming(c, o), NULL, 0), "announce");
	put_bool(c, "ok", true);
	put_hex(c, "destination_hash", HASH_BYTES(o->hash));
}

void
cmd_destination_set_proof_strategy_raw(struct call *c)
{
	struct ours *o = ours_read(c);

	o->add.dest.prove = (enum rns_prove)(arg_int(c, "strategy_value",
	    INT32_MIN, INT32_MAX) - STRATEGY_NONE);
	(void)ours_add(c, o);
	put_bool(c, "set", true);
	put_int(c, "proof_strategy", STRATEGY_NONE +
	    (int)incoming(c, o)->prove);
}

void
cmd_destination_rotate_ratchets(struct call *c)
{
	struct ours *o = ours_read(c);

	o->add.dest.ratchets = arg_bool(c, "enable", false);
	(void)ours_add(c, o);
	must(c, dest_announce(o->r, incoming(c, o), NULL, 0), "announce");
	if (o->d->ratchet_count == 0)
		fail(c, "SystemError: ratchets are not enabled");
	put_bool(c, "rotated", o->d->last_rotation_us > 0);
	put_bool(c, "has_ratchets", o->d->ratchets);
}

void
cmd_destination_group_encrypt(struct call *c)
{
	struct rns_cmd cmd = {.type = RNS_CMD_DEST_ADD};
	struct bytes in = arg(c, "plaintext");
	size_t n = token_len(in.n), back;
	uint8_t *out = call_alloc(c, n), *plain = call_alloc(c, n);
	uint8_t key[64], iv[16], pub[RNS_KEY];
	struct rns *r = scratch(c, wall_here());
	bool keys = arg_bool(c, "create_keys", false);
	struct hash16 id, hash;

	rand_fill(NULL, key, sizeof(key));
	rand_fill(NULL, iv, sizeof(iv));
	cmd.dest.type = RNS_GROUP;
	cmd.dest.name = arg_name(c);
	cmd.dest.has_identity = true;
	rand_fill(NULL, cmd.dest.identity, RNS_KEY);
	cmd.dest.group_key = keys ? key : NULL;
	cmd.dest.group_key_len = keys ? sizeof(key) : 0;
	must(c, rns_submit(r, &cmd, mono_here()), "group destination");
	must(c, rns_identity_derive(pub, &id, cmd.dest.identity), "identity");
	must(c, rns_dest_hash(&hash, cmd.dest.name, &id), "name");
	must(c, token_encrypt(out, &n, n, key, sizeof(key), iv, in.p, in.n),
	    "encrypt");
	must(c, dest_decrypt(dest_find(r, &hash), plain, &back, n, out, n,
	    mono_here()),
	    "decrypt");
	put_hex(c, "ciphertext", out, n);
	put_hex(c, "roundtrip", plain, back);
	put_bool(c, "has_key", true);
}

/*
 * A callable is the owner's: it is asked by him when he announces, and what it
 * says is what he announces.
 */
void
cmd_destination_default_app_data(struct call *c)
{
	struct ours *o = ours_add(c, ours_read(c));
	struct rns_cmd cmd = {.type = RNS_CMD_APP_DATA};
	bool none = arg_is(c, "default_kind", "none");
	struct bytes value = none ? (struct bytes){.set = false} :
	    arg_opt(c, "default_value");
	struct bytes over = arg_opt(c, "override_app_data");
	struct announce a;
	struct packet p;

	cmd.announce.dest = o->hash;
	cmd.announce.app_data = value.p;
	cmd.announce.app_data_len = value.n;
	must(c, rns_submit(o->r, &cmd, mono_here()), "app data");
	must(c, dest_announce(o->r, incoming(c, o), over.p, over.n),
	    "announce");
	must(c, packet_parse(&p, o->d->last, o->d->last_len), "packet");
	must(c, announce_parse(&a, &p), "announce");
	put_hex(c, "app_data", a.app_data, a.app_data_len);
	put_bool(c, "default_app_data_set", o->d->app_data != NULL);
}

void
cmd_destination_register_request_handler_validate(struct call *c)
{
	struct ours *o = ours_add(c, ours_read(c));
	struct rns_cmd cmd = {.type = RNS_CMD_HANDLER_ADD};
	const struct handler *h;
	int n = 0;

	cmd.handler.dest = o->hash;
	/* who answers is not the library's: the path stands for both */
	cmd.handler.path = arg_bool(c, "generator_valid", true) ?
	    arg_str_or(c, "path", "/echo") : NULL;
	cmd.handler.allow = (enum rns_allow)arg_int_or(c, "allow", INT32_MIN,
	    INT32_MAX, RNS_ALLOW_NONE);
	must(c, rns_submit(o->r, &cmd, mono_here()), "handler");
	SLIST_FOREACH(h, &incoming(c, o)->handlers, entry)
		n++;
	put_bool(c, "registered", true);
	put_int(c, "handler_count", n);
}
