/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/core/base/announce.h"
#include "transport/core/base/crypt.h"
#include "transport/core/table/dest.h"
#include "tests/unit/vec.h"

#define WALL INT64_C(1700000000000000)
#define S MONO_SECOND

static const struct mono t0 = {1000};

static void
counting(void *arg, uint8_t *out, size_t n)
{
	uint8_t *next = arg;

	for (size_t i = 0; i < n; i++)
		out[i] = (*next)++;
}

static struct rns *
ctx(uint32_t destinations)
{
	static uint8_t next;
	struct rns_config c = {
	    .random = counting,
	    .random_arg = &next,
	    .wall_us = WALL,
	};
	struct rns *r;

	next = 1;
	rns_limits_default(&c.limits);
	c.limits.destinations = destinations;
	memset(c.identity, 9, sizeof(c.identity));
	r = rns_new(&c, t0);
	assert_non_null(r);
	return r;
}

static struct rns_cmd
single(const char *name)
{
	struct rns_cmd c = {.type = RNS_CMD_DEST_ADD};

	c.dest.type = RNS_SINGLE;
	c.dest.name = name;
	c.dest.has_identity = true;
	memset(c.dest.identity, 5, RNS_KEY);
	return c;
}

static void
hash_of(struct hash16 *out, const char *name)
{
	uint8_t priv[64], pub[64];
	struct hash16 id;

	memset(priv, 5, sizeof(priv));
	assert_int_equal(rns_identity_derive(pub, &id, priv), RNS_OK);
	assert_int_equal(rns_dest_hash(out, name, &id), RNS_OK);
}

static void
test_add_delete(void **state)
{
	struct rns *r = ctx(3);
	struct rns_cmd c = single("app.one"), del = {.type = RNS_CMD_DEST_DEL};
	struct hash16 hash, plain;
	uint8_t key[32] = {1};
	struct dest *d;

	(void)state;
	hash_of(&hash, "app.one");
	assert_null(dest_find(r, &hash));
	assert_int_equal(rns_submit(r, &c, t0), RNS_OK);
	assert_int_equal(rns_submit(r, &c, t0), RNS_EEXIST);
	d = dest_find(r, &hash);
	assert_non_null(d);
	assert_int_equal(d->type, RNS_SINGLE);
	c.dest.prove = (enum rns_prove)(RNS_PROVE_ALL + 1);
	assert_int_equal(rns_submit(r, &c, t0), RNS_EINVAL);
	c.dest.prove = RNS_PROVE_NONE;
	c.dest.has_identity = false;
	assert_int_equal(rns_submit(r, &c, t0), RNS_EINVAL);
	c.dest.type = RNS_PLAIN;
	c.dest.name = "";
	assert_int_equal(rns_submit(r, &c, t0), RNS_EINVAL);
	c.dest.name = "rnstransport.path.request2";
	assert_int_equal(rns_submit(r, &c, t0), RNS_OK);
	assert_int_equal(rns_dest_hash(&plain, c.dest.name, NULL), RNS_OK);
	assert_non_null(dest_find(r, &plain));
	c.dest.has_identity = true;
	assert_int_equal(rns_submit(r, &c, t0), RNS_EINVAL);
	c.dest.type = RNS_GROUP;
	assert_int_equal(rns_submit(r, &c, t0), RNS_EINVAL);
	c.dest.group_key = key;
	c.dest.group_key_len = 31;
	assert_int_equal(rns_submit(r, &c, t0), RNS_EINVAL);
	c.dest.group_key_len = 32;
	assert_int_equal(rns_submit(r, &c, t0), RNS_OK);
	c.dest.name = "app.four";
	assert_int_equal(rns_submit(r, &c, t0), RNS_ELIMIT);
	del.hash = hash;
	assert_int_equal(rns_submit(r, &del, t0), RNS_OK);
	assert_int_equal(rns_submit(r, &del, t0), RNS_ENOENT);
	assert_null(dest_find(r, &hash));
	assert_int_equal(rns_submit(r, &c, t0), RNS_OK);
	rns_free(r);
}

static void
test_handlers(void **state)
{
	struct rns *r = ctx(8);
	struct rns_cmd c = single("app.one"), h = {.type = RNS_CMD_HANDLER_ADD};
	struct hash16 path, ids[3] = {{{1}}, {{2}}, {{3}}}, other = {{4}};
	const struct handler *found;
	struct dest *d;

	(void)state;
	hash_of(&h.handler.dest, "app.one");
	h.handler.path = "/status";
	h.handler.allow = RNS_ALLOW_LIST;
	assert_int_equal(rns_submit(r, &h, t0), RNS_ENOENT);
	assert_int_equal(rns_submit(r, &c, t0), RNS_OK);
	h.handler.path = "";
	assert_int_equal(rns_submit(r, &h, t0), RNS_EINVAL);
	h.handler.path = "/status";
	h.handler.list_len = 3;
	assert_int_equal(rns_submit(r, &h, t0), RNS_EINVAL);
	h.handler.list = ids[0].b;
	assert_int_equal(rns_submit(r, &h, t0), RNS_OK);
	d = dest_find(r, &h.handler.dest);
	rns_path_hash(&path, "/status");
	found = dest_handler(d, &path);
	assert_non_null(found);
	assert_true(handler_allows(found, true, &ids[2]));
	assert_false(handler_allows(found, false, &ids[2]));
	assert_false(handler_allows(found, true, &other));
	h.handler.allow = RNS_ALLOW_ALL; /* replaced */
	assert_int_equal(rns_submit(r, &h, t0), RNS_OK);
	found = dest_handler(d, &path);
	assert_true(handler_allows(found, false, &other));
	h.handler.allow = RNS_ALLOW_NONE;
	assert_int_equal(rns_submit(r, &h, t0), RNS_OK);
	found = dest_handler(d, &path);
	assert_false(handler_allows(found, true, &ids[0]));
	path.b[0] ^= 1;
	assert_null(dest_handler(d, &path));
	path.b[0] ^= 1;
	h.type = RNS_CMD_HANDLER_DEL;
	h.handler.path = "/other";
	assert_int_equal(rns_submit(r, &h, t0), RNS_ENOENT);
	h.handler.path = NULL;
	assert_int_equal(rns_submit(r, &h, t0), RNS_EINVAL);
	h.handler.path = "/status";
	assert_int_equal(rns_submit(r, &h, t0), RNS_OK);
	assert_null(dest_handler(d, &path));
	assert_int_equal(rns_submit(r, &h, t0), RNS_ENOENT);
	h.handler.dest.b[0] ^= 1;
	assert_int_equal(rns_submit(r, &h, t0), RNS_ENOENT);
	rns_free(r);
}

/* Builds an announce and reads it back; the ratchet or NULL. */
static const uint8_t *
announced(struct rns *r, struct dest *d, uint8_t raw[RNS_MTU],
    struct announce *a, int64_t at_s)
{
	struct packet p;

	rns_tick(r, (struct mono){t0.us + at_s * S});
	assert_int_equal(dest_announce(r, d, NULL, 0), RNS_OK);
	memcpy(raw, d->last, d->last_len);
	assert_int_equal(packet_parse(&p, raw, d->last_len), RNS_OK);
	assert_int_equal(announce_parse(a, &p), RNS_OK);
	assert_true(announce_signature_ok(a, &p));
	assert_true(announce_dest_ok(a, &p));
	return a->ratchet;
}

static size_t
stored(struct rns *r, uint8_t keys[8][32])
{
	struct rns_event ev;

	while (rns_next_event(r, &ev)) {
		if (ev.type != RNS_EV_RATCHETS)
			continue;
		assert_true(ev.ratchets.count <= 8);
		memcpy(keys, ev.ratchets.keys, ev.ratchets.count * 32);
		return ev.ratchets.count;
	}
	return 0;
}

static void
test_rotation(void **state)
{
	struct rns *r = ctx(8);
	struct rns_cmd c = single("app.ratchet");
	struct hash16 hash;
	uint8_t raw[RNS_MTU], keys[8][32] = {{0}}, pub[32], old[32];
	uint8_t load[3][32] = {{1}, {2}, {3}};
	struct announce a;
	struct dest *d;

	(void)state;
	c.dest.ratchets = true;
	c.dest.ratchet_retain = 3;
	c.dest.ratchet_keys = load[0];
	c.dest.ratchet_count = 3;
	assert_int_equal(rns_submit(r, &c, t0), RNS_OK);
	hash_of(&hash, "app.ratchet");
	d = dest_find(r, &hash);
	/* the first announce always rotates, and the list is cut */
	assert_non_null(announced(r, d, raw, &a, 0));
	assert_int_equal(stored(r, keys), 3);
	crypt_x25519_public(pub, keys[0]);
	assert_memory_equal(a.ratchet, pub, 32);
	assert_memory_equal(keys[1], load[0], 32);
	assert_memory_equal(keys[2], load[1], 32);
	memcpy(old, pub, 32);
	/* not before its interval is over */
	assert_memory_equal(announced(r, d, raw, &a, 1800), old, 32);
	assert_int_equal(stored(r, keys), 0);
	assert_memory_not_equal(announced(r, d, raw, &a, 1801), old, 32);
	assert_int_equal(stored(r, keys), 3);
	assert_memory_equal(keys[2], load[0], 32);
	rns_free(r);
}

static void
test_clock_back(void **state)
{
	struct rns *r = ctx(8);
	struct rns_cmd c = single("app.clock");
	struct hash16 hash;
	uint8_t raw[RNS_MTU];
	struct announce a;
	struct dest *d;

	(void)state;
	assert_int_equal(rns_submit(r, &c, t0), RNS_OK);
	hash_of(&hash, "app.clock");
	d = dest_find(r, &hash);
	assert_null(announced(r, d, raw, &a, 10));
	assert_int_equal(a.emitted, WALL / S + 10);
	rns_set_wall(r, WALL - 5000 * S, (struct mono){t0.us + 11 * S});
	(void)announced(r, d, raw, &a, 12);
	/* newer all the same, or no relay would take it */
	assert_int_equal(a.emitted, WALL / S + 11);
	rns_free(r);
}

static void
test_app_data(void **state)
{
	struct rns *r = ctx(8);
	struct rns_cmd c = single("app.data"), a = {.type = RNS_CMD_APP_DATA};
	uint8_t raw[RNS_MTU], data[400] = {0};
	struct announce an;
	struct dest *d;

	(void)state;
	hash_of(&a.announce.dest, "app.data");
	assert_int_equal(rns_submit(r, &a, t0), RNS_ENOENT);
	assert_int_equal(rns_submit(r, &c, t0), RNS_OK);
	d = dest_find(r, &a.announce.dest);
	a.announce.app_data_len = 5;
	assert_int_equal(rns_submit(r, &a, t0), RNS_EINVAL);
	a.announce.app_data = (const uint8_t *)"hello";
	assert_int_equal(rns_submit(r, &a, t0), RNS_OK);
	(void)announced(r, d, raw, &an, 0);
	vec_equal(an.app_data, an.app_data_len, "hello", 5);
	/*
	 * reticulum-endpoint.md 5.4: 316 bytes still fit when a relay adds its
	 * id
	 */
	a.announce.app_data = data;
	a.announce.app_data_len = 317;
	assert_int_equal(rns_submit(r, &a, t0), RNS_EBIG);
	assert_int_equal(dest_announce(r, d, data, 317), RNS_EBIG);
	a.announce.app_data_len = 316;
	assert_int_equal(rns_submit(r, &a, t0), RNS_OK);
	assert_int_equal(dest_announce(r, d, NULL, 0), RNS_OK);
	assert_int_equal(d->last_len, 483);
	a.type = RNS_CMD_ANNOUNCE;
	a.announce.one_interface = true;
	assert_int_equal(rns_submit(r, &a, t0), RNS_ENOENT);
	rns_free(r);
}

/* ---- one announce of a destination in a second ---- */

/* What left since: packets of announces, by interface and in order. */
struct left {
	unsigned ifid;
	struct announce a;
	uint8_t context;
	uint8_t raw[RNS_MTU];
};

static struct rns *
spaced(const struct hash16 *hash, unsigned interfaces)
{
	struct rns *r = ctx(8);
	struct rns_cmd i = {.type = RNS_CMD_IF_ADD, .iface = {
	    .bitrate = 1000000, .out = true, .online = true,
	    .kind = RNS_IF_NET, .mode = RNS_MODE_FULL}};
	struct rns_cmd c = single("app.spaced");

	for (i.iface.id = 1; i.iface.id <= interfaces; i.iface.id++)
		assert_int_equal(rns_submit(r, &i, t0), RNS_OK);
	assert_int_equal(rns_submit(r, &c, t0), RNS_OK);
	assert_non_null(dest_find(r, hash));
	return r;
}

static size_t
leaves(struct rns *r, int64_t ms, struct left *out, size_t cap)
{
	struct rns_tx tx;
	struct packet p;
	size_t n = 0;

	rns_tick(r, (struct mono){t0.us + ms * 1000});
	while (rns_next_tx(r, &tx)) {
		assert_true(n < cap);
		memcpy(out[n].raw, tx.data, tx.len);
		assert_int_equal(packet_parse(&p, out[n].raw, tx.len), RNS_OK);
		if (p.type != PACKET_ANNOUNCE)
			continue;
		assert_int_equal(announce_parse(&out[n].a, &p), RNS_OK);
		assert_true(announce_signature_ok(&out[n].a, &p));
		out[n].ifid = tx.ifid;
		out[n].context = p.context;
		n++;
	}
	return n;
}

static int
say(struct rns *r, const struct hash16 *hash, const char *what, unsigned ifid,
    int64_t ms)
{
	struct rns_cmd c = {.type = RNS_CMD_ANNOUNCE};

	c.announce.dest = *hash;
	c.announce.app_data = (const uint8_t *)what;
	c.announce.app_data_len = what == NULL ? 0 : strlen(what);
	c.announce.one_interface = ifid != 0;
	c.announce.ifid = ifid;
	return rns_submit(r, &c, (struct mono){t0.us + ms * 1000});
}

static void
says(const struct left *l, const char *what, unsigned ifid, uint64_t emitted)
{
	vec_equal(l->a.app_data, l->a.app_data_len, what, strlen(what));
	assert_int_equal(l->ifid, ifid);
	assert_int_equal(l->context, CTX_NONE);
	assert_int_equal(l->a.emitted, emitted);
}

/* The last of those that come too soon leaves, newer, when it is time. */
static void
test_spacing(void **state)
{
	static struct left got[8];
	struct hash16 hash;
	struct rns_cmd c = {.type = RNS_CMD_DEST_DEL};
	struct rns *r;

	(void)state;
	hash_of(&hash, "app.spaced");
	r = spaced(&hash, 1);
	assert_int_equal(say(r, &hash, "off", 0, 0), RNS_OK);
	assert_int_equal(say(r, &hash, "no", 0, 100), RNS_OK);
	assert_int_equal(say(r, &hash, "on", 0, 300), RNS_OK);
	assert_int_equal(leaves(r, 300, got, 8), 1);
	says(&got[0], "off", 1, WALL / S);
	assert_int_equal(rns_deadline(r).us, t0.us + S);
	assert_int_equal(leaves(r, 999, got, 8), 0);
	assert_int_equal(leaves(r, 1000, got, 8), 1);
	says(&got[0], "on", 1, WALL / S + 1);
	/* over the bound, what waits stays as it is */
	assert_int_equal(say(r, &hash, "last", 0, 1100), RNS_OK);
	memset(got[0].raw, 'x', 317);
	got[0].raw[317] = '\0';
	assert_int_equal(say(r, &hash, (char *)got[0].raw, 0, 1200), RNS_EBIG);
	/* a clock that is set back does not make it old, nor keep it */
	rns_set_wall(r, WALL - 5000 * S, (struct mono){t0.us + 1500 * 1000});
	assert_int_equal(leaves(r, 2000, got, 8), 1);
	says(&got[0], "last", 1, WALL / S + 2);
	/* one that is gone says nothing more */
	assert_int_equal(say(r, &hash, "never", 0, 2100), RNS_OK);
	c.hash = hash;
	assert_int_equal(rns_submit(r, &c, (struct mono){t0.us + 2200000}),
	    RNS_OK);
	assert_int_equal(leaves(r, 9000, got, 8), 0);
	rns_free(r);
}

/* Whoever does not look at the timers in time gets no two of them either. */
static void
test_spacing_late(void **state)
{
	static struct left got[8];
	struct rns_cmd c = {.type = RNS_CMD_ANNOUNCE};
	struct hash16 hash;
	struct rns *r;

	(void)state;
	hash_of(&hash, "app.spaced");
	r = spaced(&hash, 1);
	assert_int_equal(say(r, &hash, "a", 0, 0), RNS_OK);
	assert_int_equal(say(r, &hash, "b", 0, 100), RNS_OK);
	/* overtaken */
	assert_int_equal(say(r, &hash, "c", 0, 1500), RNS_OK);
	assert_int_equal(leaves(r, 1500, got, 8), 2);
	says(&got[1], "c", 1, WALL / S + 1);
	assert_int_equal(leaves(r, 9000, got, 8), 0);
	/* put off by a path response that was first */
	assert_int_equal(say(r, &hash, "d", 0, 9000), RNS_OK);
	assert_int_equal(say(r, &hash, "e", 0, 9100), RNS_OK);
	c.announce.dest = hash;
	c.announce.path_response = true;
	assert_int_equal(rns_submit(r, &c, (struct mono){t0.us + 10500000}),
	    RNS_OK);
	assert_int_equal(leaves(r, 11499, got, 8), 2);
	assert_int_equal(leaves(r, 11500, got, 8), 1);
	says(&got[0], "e", 1, WALL / S + 11);
	rns_free(r);
}

static void
test_spacing_interfaces(void **state)
{
	static struct left got[8];
	struct hash16 hash;
	struct rns_cmd c = {.type = RNS_CMD_ANNOUNCE};
	struct rns *r;

	(void)state;
	hash_of(&hash, "app.spaced");
	r = spaced(&hash, 3);
	/* each interface is told the same at once: that is one announce */
	assert_int_equal(say(r, &hash, "a", 1, 0), RNS_OK);
	assert_int_equal(say(r, &hash, "a", 2, 10), RNS_OK);
	assert_int_equal(leaves(r, 20, got, 8), 2);
	says(&got[0], "a", 1, WALL / S);
	says(&got[1], "a", 2, WALL / S);
	vec_equal(got[0].raw, 171, got[1].raw, 171);
	/* something else waits, for both and so for all */
	assert_int_equal(say(r, &hash, "b", 1, 30), RNS_OK);
	assert_int_equal(say(r, &hash, "b", 2, 40), RNS_OK);
	assert_int_equal(leaves(r, 999, got, 8), 0);
	assert_int_equal(leaves(r, 1000, got, 8), 3);
	says(&got[2], "b", 3, WALL / S + 1);
	/* a path response does not: it is the last one again */
	c.announce.dest = hash;
	c.announce.path_response = c.announce.one_interface = true;
	c.announce.ifid = 2;
	assert_int_equal(rns_submit(r, &c, (struct mono){t0.us + 1500000}),
	    RNS_OK);
	assert_int_equal(leaves(r, 1500, got + 3, 5), 1);
	assert_int_equal(got[3].context, CTX_PATH_RESPONSE);
	assert_int_equal(got[3].ifid, 2);
	got[3].raw[18] = CTX_NONE;
	vec_equal(got[3].raw, 171, got[2].raw, 171);
	/* later it is a new one, and an announce behind it waits for that */
	assert_int_equal(rns_submit(r, &c, (struct mono){t0.us + 2500000}),
	    RNS_OK);
	assert_int_equal(say(r, &hash, "c", 0, 2600), RNS_OK);
	assert_int_equal(leaves(r, 3499, got, 8), 1);
	assert_int_equal(got[0].a.emitted, WALL / S + 2);
	assert_int_equal(leaves(r, 3500, got, 8), 3);
	says(&got[0], "c", 1, WALL / S + 3);
	rns_free(r);
}

static int
opens(struct dest *d, const uint8_t priv[32], int64_t ms)
{
	uint8_t eph[32] = {7}, iv[16] = {8}, pub[32], data[200], out[200];
	size_t n, len;

	crypt_x25519_public(pub, priv);
	assert_int_equal(identity_encrypt(data, &n, sizeof(data),
	    d->identity.pub, &d->identity.hash, pub, eph, iv,
	    (const uint8_t *)"abc", 3), RNS_OK);
	return dest_decrypt(d, out, &len, sizeof(out), data, n,
	    mono_add(t0, ms * 1000));
}

/* Packets of strangers do not cost a try of every ratchet each. */
static void
test_tries(void **state)
{
	struct rns *r = ctx(8);
	struct rns_cmd c = single("app.many");
	static uint8_t keys[512][32];
	const uint8_t none[32] = {1, 2, 3};
	struct hash16 hash;
	struct dest *d;

	(void)state;
	for (unsigned i = 0; i < 512; i++)
		memcpy(keys[i], (uint8_t[]){9, (uint8_t)i, (uint8_t)(i >> 8)}, 3);
	c.dest.ratchets = true;
	c.dest.ratchet_retain = 512;
	c.dest.ratchet_keys = keys[0];
	c.dest.ratchet_count = 512;
	assert_int_equal(rns_submit(r, &c, t0), RNS_OK);
	hash_of(&hash, "app.many");
	d = dest_find(r, &hash);
	/* what the newest open costs nothing */
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(opens(d, keys[i % 3], 1), RNS_OK);
	assert_int_equal(opens(d, none, 1), RNS_EAUTH);
	assert_int_equal(opens(d, keys[511], 1), RNS_OK);
	/* as many in vain as may be: the newest and the identity's are left */
	assert_int_equal(d->tries, DEST_TRIES - 512 - 511);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(opens(d, none, 1), RNS_ELIMIT);
	assert_int_equal(opens(d, keys[511], 1), RNS_ELIMIT);
	assert_int_equal(opens(d, keys[2], 1), RNS_ELIMIT);
	assert_int_equal(opens(d, keys[0], 1), RNS_OK);
	assert_int_equal(opens(d, keys[1], 1), RNS_OK);
	assert_int_equal(opens(d, d->identity.x_priv, 1), RNS_OK);
	/* half a second brings half of them, a whole one all */
	assert_int_equal(opens(d, keys[511], 501), RNS_ELIMIT);
	assert_int_equal(opens(d, keys[511], 1001), RNS_OK);
	assert_int_equal(opens(d, keys[511], 1002), RNS_ELIMIT);
	/* a clock that goes back brings none */
	assert_int_equal(opens(d, keys[511], 0), RNS_ELIMIT);
	assert_int_equal(opens(d, keys[511], 1000000), RNS_OK);
	assert_true(d->tries <= DEST_TRIES);
	rns_free(r);
}

static void
test_decrypt(void **state)
{
	struct rns *r = ctx(8);
	struct rns_cmd c = single("app.x");
	struct hash16 hash;
	uint8_t eph[32] = {7}, iv[16] = {8}, data[200], out[200];
	uint8_t ratchet[1][32] = {{6}}, pub[32], key[64] = {3};
	struct dest *d;
	size_t n, len;

	(void)state;
	c.dest.ratchets = c.dest.enforce_ratchets = true;
	c.dest.ratchet_keys = ratchet[0];
	c.dest.ratchet_count = 1;
	assert_int_equal(rns_submit(r, &c, t0), RNS_OK);
	hash_of(&hash, "app.x");
	d = dest_find(r, &hash);
	crypt_x25519_public(pub, ratchet[0]);
	assert_int_equal(identity_encrypt(data, &n, sizeof(data),
	    d->identity.pub, &d->identity.hash, pub, eph, iv,
	    (const uint8_t *)"abc", 3), RNS_OK);
	assert_int_equal(dest_decrypt(d, out, &len, sizeof(out), data, n, t0),
	    RNS_OK);
	vec_equal(out, len, "abc", 3);
	assert_int_equal(identity_encrypt(data, &n, sizeof(data),
	    d->identity.pub, &d->identity.hash, NULL, eph, iv,
	    (const uint8_t *)"abc", 3), RNS_OK);
	assert_int_equal(dest_decrypt(d, out, &len, sizeof(out), data, n, t0),
	    RNS_EAUTH);
	d->enforce_ratchets = false;
	assert_int_equal(dest_decrypt(d, out, &len, sizeof(out), data, n, t0),
	    RNS_OK);
	/* GROUP and PLAIN */
	c = single("app.group");
	c.dest.type = RNS_GROUP;
	c.dest.group_key = key;
	c.dest.group_key_len = 64;
	assert_int_equal(rns_submit(r, &c, t0), RNS_OK);
	hash_of(&hash, "app.group");
	d = dest_find(r, &hash);
	assert_int_equal(token_encrypt(data, &n, sizeof(data), key, 64, iv,
	    (const uint8_t *)"def", 3), RNS_OK);
	assert_int_equal(dest_decrypt(d, out, &len, sizeof(out), data, n, t0),
	    RNS_OK);
	vec_equal(out, len, "def", 3);
	assert_int_equal(dest_decrypt(d, out, &len, sizeof(out), data, n - 1, t0),
	    RNS_EAUTH);
	data[3] ^= 1;
	assert_int_equal(dest_decrypt(d, out, &len, sizeof(out), data, n, t0),
	    RNS_EAUTH);
	d->type = RNS_PLAIN;
	assert_int_equal(dest_decrypt(d, out, &len, 2, data, 3, t0), RNS_EBIG);
	assert_int_equal(dest_decrypt(d, out, &len, 3, data, 3, t0), RNS_OK);
	vec_equal(out, len, data, 3);
	rns_free(r);
}

static void
test_blackhole(void **state)
{
	struct rns *r = ctx(8);
	struct rns_cmd b = {.type = RNS_CMD_BLACKHOLE};

	(void)state;
	memset(&b.blackhole.identity, 0xcc, sizeof(b.blackhole.identity));
	assert_false(core_blackholed(r, &b.blackhole.identity));
	assert_int_equal(rns_submit(r, &b, t0), RNS_ENOENT);
	b.blackhole.on = true;
	assert_int_equal(rns_submit(r, &b, t0), RNS_OK);
	assert_int_equal(rns_submit(r, &b, t0), RNS_EEXIST);
	assert_true(core_blackholed(r, &b.blackhole.identity));
	/* another source: it is in until both have taken it back */
	b.blackhole.source = 1;
	assert_int_equal(rns_submit(r, &b, t0), RNS_OK);
	assert_int_equal(rns_submit(r, &b, t0), RNS_EEXIST);
	b.blackhole.on = false;
	assert_int_equal(rns_submit(r, &b, t0), RNS_OK);
	assert_int_equal(rns_submit(r, &b, t0), RNS_ENOENT);
	assert_true(core_blackholed(r, &b.blackhole.identity));
	/* all of one source */
	b.blackhole.on = true;
	for (uint8_t i = 1; i < 20; i++) {
		b.blackhole.identity.b[0] = i;
		b.blackhole.source = i % 2;
		assert_int_equal(rns_submit(r, &b, t0), RNS_OK);
	}
	b = (struct rns_cmd){.type = RNS_CMD_BLACKHOLE};
	b.blackhole.source = 1;
	assert_int_equal(rns_submit(r, &b, t0), RNS_OK);
	b.blackhole.source = 0;
	memset(&b.blackhole.identity, 0xcc, sizeof(b.blackhole.identity));
	for (uint8_t i = 1; i < 20; i++) {
		b.blackhole.identity.b[0] = i;
		assert_int_equal(core_blackholed(r, &b.blackhole.identity),
		    i % 2 == 0);
	}
	b.blackhole.identity.b[0] = 0xcc;
	assert_int_equal(rns_submit(r, &b, t0), RNS_OK);
	assert_false(core_blackholed(r, &b.blackhole.identity));
	rns_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_add_delete),
	    cmocka_unit_test(test_handlers),
	    cmocka_unit_test(test_rotation),
	    cmocka_unit_test(test_clock_back),
	    cmocka_unit_test(test_app_data),
	    cmocka_unit_test(test_spacing),
	    cmocka_unit_test(test_spacing_late),
	    cmocka_unit_test(test_spacing_interfaces),
	    cmocka_unit_test(test_tries),
	    cmocka_unit_test(test_decrypt),
	    cmocka_unit_test(test_blackhole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
