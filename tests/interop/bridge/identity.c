/* SPDX-License-Identifier: BSD-2-Clause */
/* Identities. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/interop/bridge/commands.h"
#include "common/file.h"
#include "transport/core/base/crypt.h"
#include "transport/core/base/ctx.h"
#include "transport/core/base/identity.h"

#define OVERHEAD 96 /* at least: a key, and a token's iv, MAC and padding */

static struct identity *
identity_arg(struct call *c)
{
	struct identity *id = call_alloc(c, sizeof(*id));

	must(c, identity_load(id, arg_n(c, "private_key", RNS_KEY)),
	    "identity");
	return id;
}

static void
put_public(struct call *c, const uint8_t priv[RNS_KEY])
{
	uint8_t pub[RNS_KEY];
	struct hash16 hash;

	must(c, rns_identity_derive(pub, &hash, priv), "identity");
	put_hex(c, "public_key", pub, sizeof(pub));
	put_hex(c, "hash", HASH_BYTES(hash));
	put_hex(c, "hexhash", HASH_BYTES(hash));
}

void
cmd_identity_from_private_key(struct call *c)
{
	put_public(c, arg_n(c, "private_key", RNS_KEY));
}

void
cmd_identity_hash(struct call *c)
{
	struct hash16 hash;

	rns_identity_hash_of(&hash, arg_n(c, "public_key", RNS_KEY));
	put_hex(c, "hash", HASH_BYTES(hash));
}

struct bytes
encrypt_to(struct call *c, const uint8_t pub[RNS_KEY], const uint8_t *ratchet,
    struct bytes in)
{
	struct bytes out = {.n = in.n + OVERHEAD, .set = true};
	uint8_t eph[32], iv[16];
	struct hash16 hash;

	out.p = call_alloc(c, out.n);
	rand_fill(NULL, eph, sizeof(eph));
	rand_fill(NULL, iv, sizeof(iv));
	rns_identity_hash_of(&hash, pub);
	must(c, identity_encrypt(out.p, &out.n, out.n, pub, &hash, ratchet,
	    eph, iv, in.p, in.n), "encrypt");
	return out;
}

void
cmd_identity_encrypt(struct call *c)
{
	const uint8_t *pub = arg_n(c, "public_key", RNS_KEY);

	put_bytes(c, "ciphertext", encrypt_to(c, pub, NULL,
	    arg(c, "plaintext")));
}

struct bytes
decrypt_by(struct call *c, struct bytes ratchets, bool enforce, int *used)
{
	struct identity *id = identity_arg(c);
	struct bytes in = arg(c, "ciphertext"), out = {.n = in.n};

	out.p = call_alloc(c, in.n);
	out.set = identity_decrypt(out.p, &out.n, in.n, id,
	    (const uint8_t (*)[32])ratchets.p, ratchets.n / RNS_RATCHET,
	    enforce, used, in.p, in.n) == RNS_OK;
	return out;
}

void
cmd_identity_decrypt(struct call *c)
{
	put_bytes(c, "plaintext", decrypt_by(c, (struct bytes){.n = 0}, false,
	    NULL));
}

void
cmd_identity_sign(struct call *c)
{
	struct identity *id = identity_arg(c);
	struct bytes msg = arg(c, "message");
	uint8_t sig[RNS_SIG];

	identity_sign(id, sig, msg.p, msg.n);
	put_hex(c, "signature", sig, sizeof(sig));
}

void
cmd_identity_verify(struct call *c)
{
	const uint8_t *pub = arg_n(c, "public_key", RNS_KEY);
	struct bytes sig = arg(c, "signature"), msg = arg(c, "message");

	put_bool(c, "valid", sig.n == RNS_SIG &&
	    rns_identity_verify(pub, sig.p, msg.p, msg.n));
}

void
cmd_identity_to_file(struct call *c)
{
	const uint8_t *key = arg_n(c, "private_key", RNS_KEY);
	char path[] = "/tmp/warren-bridge-identity-XXXXXX";
	int fd = mkstemp(path);
	bool ok;

	if (fd < 0)
		fail(c, "OSError: no temporary file");
	ok = write(fd, key, RNS_KEY) == RNS_KEY;
	(void)close(fd);
	if (!ok)
		fail(c, "OSError: %s cannot be written", path);
	put_str(c, "path", path);
}

void
cmd_identity_from_file(struct call *c)
{
	size_t n = 0;
	char *key = file_load(AT_FDCWD, arg_str(c, "path"), RNS_KEY, &n);

	if (key != NULL)
		call_defer(c, free, key);
	put_bool(c, "found", key != NULL && n == RNS_KEY);
	if (key != NULL && n == RNS_KEY)
		put_public(c, (const uint8_t *)key);
}

void
cmd_identity_random_hash(struct call *c)
{
	struct hash16 h;

	core_random(session(c), HASH_BYTES(h));
	put_hex(c, "random_hash", HASH_BYTES(h));
}

void
cmd_identity_remember(struct call *c)
{
	struct rns_cmd cmd = {.type = RNS_CMD_KNOWN_ADD};
	struct bytes pub = arg(c, "public_key"), app = arg_opt(c, "app_data");
	struct bytes packet = arg(c, "packet_hash");
	struct rns *r = session(c);
	struct rns_known k;
	int err;

	cmd.known.dest = arg_hash(c, "destination_hash");
	put_int(c, "public_key_len", (int64_t)pub.n);
	put_bool(c, "ok", pub.n == RNS_KEY);
	if (pub.n != RNS_KEY) {
		put_str(c, "error", "TypeError");
		return;
	}
	memcpy(cmd.known.public_key, pub.p, RNS_KEY);
	memcpy(cmd.known.packet_hash.b, packet.p, MIN_OF(packet.n,
	    sizeof(cmd.known.packet_hash.b)));
	cmd.known.app_data = app.p;
	cmd.known.app_data_len = app.n;
	cmd.known.heard_us = wall_here();
	err = rns_submit(r, &cmd, mono_here());
	if (err != RNS_EEXIST)
		must(c, err, "remember");
	put_bool(c, "recalled", rns_known_get(r, &cmd.known.dest, &k) &&
	    memcmp(k.public_key, pub.p, RNS_KEY) == 0);
}

/*
 * The library has no identity without keys: a destination that has none is
 * refused, and so is a packet to one whose identity nobody has announced.
 */
void
cmd_identity_keyless_op(struct call *c)
{
	struct rns_cmd cmd = {.type = RNS_CMD_DEST_ADD};
	struct bytes data = arg(c, "data");
	int err;

	if (arg_is(c, "op", "encrypt")) {
		cmd.type = RNS_CMD_PACKET;
		cmd.packet.type = RNS_SINGLE;
		cmd.packet.data = data.p;
		cmd.packet.len = data.n;
	} else if (arg_is(c, "op", "decrypt") || arg_is(c, "op", "sign")) {
		cmd.dest.name = "bridge.keyless";
		cmd.dest.type = RNS_SINGLE;
	} else {
		fail(c, "ValueError: unknown op");
	}
	err = rns_submit(scratch(c, wall_here()), &cmd, mono_here());
	put_str(c, "raised", err == RNS_ENOENT || err == RNS_EINVAL ?
	    "KeyError" : "");
	put_str(c, "message", rns_strerror(err));
}

void
cmd_ratchet_id(struct call *c)
{
	uint8_t id[RATCHET_ID];

	ratchet_id(id, arg_n(c, "ratchet_public", RNS_RATCHET));
	put_hex(c, "ratchet_id", id, sizeof(id));
}

void
cmd_ratchet_public_from_private(struct call *c)
{
	uint8_t pub[RNS_RATCHET];

	crypt_x25519_public(pub, arg_n(c, "ratchet_private", RNS_RATCHET));
	put_hex(c, "ratchet_public", pub, sizeof(pub));
}

void
cmd_ratchet_encrypt(struct call *c)
{
	const uint8_t *pub = arg_n(c, "public_key", RNS_KEY);
	const uint8_t *ratchet = arg_n(c, "ratchet_public", RNS_RATCHET);

	put_bytes(c, "ciphertext", encrypt_to(c, pub, ratchet,
	    arg(c, "plaintext")));
}

void
cmd_ratchet_decrypt(struct call *c)
{
	struct bytes keys = arg_list(c, "ratchet_privates", RNS_RATCHET);
	uint8_t pub[RNS_RATCHET], id[RATCHET_ID];
	struct bytes plain;
	int used = -1;

	if (!keys.set && has(c, "ratchet_private")) {
		keys = arg(c, "ratchet_private");
		(void)arg_n(c, "ratchet_private", RNS_RATCHET);
	}
	plain = decrypt_by(c, keys, arg_bool(c, "enforce_ratchets", false),
	    &used);
	put_bytes(c, "plaintext", plain);
	if (!plain.set || used < 0) {
		put_null(c, "latest_ratchet_id");
		return;
	}
	crypt_x25519_public(pub, keys.p + (size_t)used * RNS_RATCHET);
	ratchet_id(id, pub);
	put_hex(c, "latest_ratchet_id", id, sizeof(id));
}
