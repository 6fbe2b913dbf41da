/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/table/dest.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/announce.h"
#include "transport/core/base/const.h"
#include "transport/core/base/crypt.h"
#include "transport/core/base/event.h"

/*
 * reticulum-endpoint.md 5.4: a relay adds a transport id, and one byte is kept
 * for access codes
 */
#define ANNOUNCE_MAX (RNS_MTU - RNS_HASH - 1)
#define ANNOUNCE_APP_DATA_MAX (ANNOUNCE_MAX - HEADER_1_LEN - ANNOUNCE_BARE)
/* ours: a blackhole list that grows past this is an attack of its source */
#define BLACKHOLE_MAX 65536

struct black {
	RB_ENTRY(black) node;
	struct hash16 identity;
	uint8_t sources; /* a bit for each that names it */
};

RB_HEAD(dest_tree, dest);
RB_HEAD(black_tree, black);

struct dests {
	struct dest_tree tree;
	struct black_tree black;
	uint32_t black_count;
};

static int
dest_cmp(const struct dest *a, const struct dest *b)
{
	return hash16_cmp(&a->hash, &b->hash);
}

static int
black_cmp(const struct black *a, const struct black *b)
{
	return hash16_cmp(&a->identity, &b->identity);
}

TREE_PROTOTYPE(dest_tree, dest, node, dest_cmp)
TREE_GENERATE(dest_tree, dest, node, dest_cmp)
TREE_PROTOTYPE(black_tree, black, node, black_cmp)
TREE_GENERATE(black_tree, black, node, black_cmp)

int
dests_new(struct rns *r)
{
	r->dests = calloc(1, sizeof(*r->dests));
	if (r->dests == NULL)
		return RNS_ENOMEM;
	RB_INIT(&r->dests->tree);
	RB_INIT(&r->dests->black);
	return RNS_OK;
}

static void
handler_free(struct handler *h)
{
	free(h->list);
	free(h);
}

static void
dest_free(struct rns *r, struct dest *d)
{
	struct handler *h;

	timer_clear(r, &d->waiting.timer);
	free(d->waiting.app_data);

	while ((h = SLIST_FIRST(&d->handlers)) != NULL) {
		SLIST_REMOVE_HEAD(&d->handlers, entry);
		handler_free(h);
	}
	if (d->ratchet_keys != NULL)
		crypt_wipe(d->ratchet_keys, d->ratchet_count * RNS_RATCHET);
	free(d->ratchet_keys);
	free(d->app_data);
	crypt_wipe(d, sizeof(*d));
	free(d);
}

void
dests_free(struct rns *r)
{
	struct dest *d;
	struct black *b;

	if (r->dests == NULL)
		return;
	while ((d = RB_MIN(dest_tree, &r->dests->tree)) != NULL) {
		RB_REMOVE(dest_tree, &r->dests->tree, d);
		dest_free(r, d);
	}
	while ((b = RB_MIN(black_tree, &r->dests->black)) != NULL) {
		RB_REMOVE(black_tree, &r->dests->black, b);
		free(b);
	}
	free(r->dests);
	r->dests = NULL;
}

struct dest *
dest_find(const struct rns *r, const struct hash16 *hash)
{
	struct dest key;

	key.hash = *hash;
	return RB_FIND(dest_tree, &r->dests->tree, &key);
}

struct dest *
dest_next(const struct rns *r, const struct dest *d)
{
	if (d == NULL)
		return RB_MIN(dest_tree, &r->dests->tree);
	return dest_tree_RB_NEXT((struct dest *)d);
}

/* ---- add and delete ---- */

static bool
dest_cmd_ok(const struct rns_dest *c)
{
	if ((unsigned)c->prove > RNS_PROVE_ALL)
		return false;
	switch (c->type) {
	case RNS_SINGLE:
		return c->has_identity &&
		    (c->ratchet_count == 0 || c->ratchet_keys != NULL);
	case RNS_GROUP:
		return c->has_identity && c->group_key != NULL &&
		    !c->ratchets &&
		    (c->group_key_len == 64 || c->group_key_len == 32);
	case RNS_PLAIN:
		return !c->has_identity && !c->ratchets;
	default:
		return false;
	}
}

static int
dest_take_ratchets(struct dest *d, const struct rns_dest *c)
{
	size_t n = MIN_OF(c->ratchet_count, d->ratchet_retain);

	if (!d->ratchets || n == 0)
		return RNS_OK;
	d->ratchet_keys = malloc(n * RNS_RATCHET);
	if (d->ratchet_keys == NULL)
		return RNS_ENOMEM;
	memcpy(d->ratchet_keys, c->ratchet_keys, n * RNS_RATCHET);
	d->ratchet_count = n;
	return RNS_OK;
}

static int
dest_add(struct rns *r, const struct rns_dest *c)
{
	struct dest *d;
	int err = RNS_EINVAL;

	if (!dest_cmd_ok(c))
		return RNS_EINVAL;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return RNS_ENOMEM;
	SLIST_INIT(&d->handlers);
	d->type = c->type;
	d->has_identity = c->has_identity;
	if (d->has_identity && identity_load(&d->identity, c->identity) != 0)
		goto out;
	if (rns_dest_hash(&d->hash, c->name,
	    d->has_identity ? &d->identity.hash : NULL) != RNS_OK)
		goto out;
	rns_name_hash(d->name_hash, c->name);
	if (d->type == RNS_GROUP) {
		memcpy(d->group_key, c->group_key, c->group_key_len);
		d->group_key_len = c->group_key_len;
	}
	d->prove = c->prove;
	d->accept_links = c->accept_links && d->type == RNS_SINGLE;
	d->resources = c->resources;
	d->max_request = c->max_request;
	d->ratchets = c->ratchets;
	d->enforce_ratchets = c->enforce_ratchets;
	d->ratchet_interval_s = c->ratchet_interval_s != 0 ?
	    c->ratchet_interval_s : RATCHET_INTERVAL;
	d->ratchet_retain = c->ratchet_retain != 0 ?
	    c->ratchet_retain : RATCHET_RETAIN;
	err = dest_take_ratchets(d, c);
	if (err != RNS_OK)
		goto out;
	err = RNS_ELIMIT;
	if (r->counts.destinations >= r->cfg.limits.destinations)
		goto out;
	err = RNS_EEXIST;
	if (RB_INSERT(dest_tree, &r->dests->tree, d) != NULL)
		goto out;
	r->counts.destinations++;
	return RNS_OK;
out:
	dest_free(r, d);
	return err;
}

static int
dest_del(struct rns *r, const struct hash16 *hash)
{
	struct dest *d = dest_find(r, hash);

	if (d == NULL)
		return RNS_ENOENT;
	RB_REMOVE(dest_tree, &r->dests->tree, d);
	r->counts.destinations--;
	dest_free(r, d);
	return RNS_OK;
}

/* ---- handlers ---- */

const struct handler *
dest_handler(const struct dest *d, const struct hash16 *path_hash)
{
	const struct handler *h;

	SLIST_FOREACH(h, &d->handlers, entry) {
		if (hash16_eq(&h->path_hash, path_hash))
			return h;
	}
	return NULL;
}

bool
handler_allows(const struct handler *h, bool identified,
    const struct hash16 *identity_hash)
{
	if (h->allow == RNS_ALLOW_ALL)
		return true;
	if (h->allow != RNS_ALLOW_LIST || !identified)
		return false;
	for (size_t i = 0; i < h->list_len; i++) {
		if (hash16_eq(&h->list[i], identity_hash))
			return true;
	}
	return false;
}

/* False: there is none for that path. */
static bool
handler_drop(struct dest *d, const struct hash16 *path_hash)
{
	struct handler *h;

	SLIST_FOREACH(h, &d->handlers, entry) {
		if (hash16_eq(&h->path_hash, path_hash)) {
			SLIST_REMOVE(&d->handlers, h, handler, entry);
			handler_free(h);
			return true;
		}
	}
	return false;
}

static int
handler_add(struct rns *r, const struct rns_cmd *cmd)
{
	struct dest *d = dest_find(r, &cmd->handler.dest);
	size_t n = cmd->handler.list_len;
	struct handler *h;

	if (d == NULL)
		return RNS_ENOENT;
	if (cmd->handler.path == NULL || cmd->handler.path[0] == '\0' ||
	    d->type != RNS_SINGLE ||
	    (unsigned)cmd->handler.allow > RNS_ALLOW_LIST ||
	    (n > 0 && cmd->handler.list == NULL) || n > SIZE_MAX / RNS_HASH)
		return RNS_EINVAL;
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return RNS_ENOMEM;
	if (n > 0) {
		h->list = malloc(n * RNS_HASH);
		if (h->list == NULL) {
			free(h);
			return RNS_ENOMEM;
		}
		memcpy(h->list, cmd->handler.list, n * RNS_HASH);
	}
	h->list_len = n;
	rns_path_hash(&h->path_hash, cmd->handler.path);
	h->allow = cmd->handler.allow;
	h->compress_max = cmd->handler.compress_max;
	(void)handler_drop(d, &h->path_hash);
	SLIST_INSERT_HEAD(&d->handlers, h, entry);
	return RNS_OK;
}

static int
handler_del(struct rns *r, const struct rns_cmd *cmd)
{
	struct dest *d = dest_find(r, &cmd->handler.dest);
	struct hash16 path_hash;

	if (cmd->handler.path == NULL)
		return RNS_EINVAL;
	rns_path_hash(&path_hash, cmd->handler.path);
	return d != NULL && handler_drop(d, &path_hash) ? RNS_OK : RNS_ENOENT;
}

/* ---- announces ---- */

static int
app_data_set(struct dest *d, const uint8_t *data, size_t len)
{
	uint8_t *copy = NULL;

	if (d->type != RNS_SINGLE || (data == NULL && len > 0))
		return RNS_EINVAL;
	if (len > ANNOUNCE_APP_DATA_MAX)
		return RNS_EBIG;
	if (len > 0) {
		copy = malloc(len);
		if (copy == NULL)
			return RNS_ENOMEM;
		memcpy(copy, data, len);
	}
	free(d->app_data);
	d->app_data = copy;
	d->app_data_len = len;
	return RNS_OK;
}

/*
 * A new key in front. The owner hears of it before it is announced: a ratchet
 * that was never stored would lose the packets of a restart.
 */
static int
ratchet_rotate(struct rns *r, struct dest *d, int64_t now_us)
{
	size_t keep = MIN_OF(d->ratchet_count, d->ratchet_retain - 1u);
	struct rns_event ev = {.type = RNS_EV_RATCHETS};
	uint8_t (*keys)[RNS_RATCHET] = malloc((keep + 1) * RNS_RATCHET);
	int err;

	if (keys == NULL)
		return RNS_ENOMEM;
	core_random(r, keys[0], RNS_RATCHET);
	if (keep > 0)
		memcpy(keys[1], d->ratchet_keys, keep * RNS_RATCHET);
	ev.ratchets.dest = d->hash;
	ev.ratchets.keys = keys[0];
	ev.ratchets.count = keep + 1;
	err = event_push(r, &ev);
	if (err != RNS_OK) {
		crypt_wipe(keys, (keep + 1) * RNS_RATCHET);
		free(keys);
		return err;
	}
	if (d->ratchet_keys != NULL)
		crypt_wipe(d->ratchet_keys, d->ratchet_count * RNS_RATCHET);
	free(d->ratchet_keys);
	d->ratchet_keys = keys;
	d->ratchet_count = keep + 1;
	d->last_rotation_us = now_us;
	return RNS_OK;
}

bool
dest_announce_fits(const struct dest *d, size_t app_data_len)
{
	return app_data_len <= ANNOUNCE_APP_DATA_MAX -
	    (d->ratchets ? (size_t)RNS_RATCHET : 0);
}

bool
dest_announce_same(const struct dest *d, const uint8_t *app_data,
    size_t app_data_len)
{
	size_t bare = HEADER_1_LEN + ANNOUNCE_BARE +
	    (d->ratchets ? (size_t)RNS_RATCHET : 0);

	if (app_data == NULL) {
		app_data = d->app_data;
		app_data_len = d->app_data_len;
	}
	return d->last_len == bare + app_data_len && (app_data_len == 0 ||
	    memcmp(d->last + bare, app_data, app_data_len) == 0);
}

/*
 * With what stands behind it, if that fits; returns the length. app_data_len
 * fits already.
 */
static size_t
stamped(struct rns *r, const struct dest *d, uint8_t rnd[5],
    uint8_t out[ANNOUNCE_APP_DATA_MAX], const uint8_t *app_data,
    size_t app_data_len)
{
	const struct rns_stamps *s = &r->cfg.stamps;
	uint8_t suffix[RNS_SUFFIX_MAX];
	size_t n = s->announce(s->arg, &d->hash, rnd, suffix);

	if (app_data_len > 0)
		memcpy(out, app_data, app_data_len);
	if (n == 0 || n > sizeof(suffix) ||
	    !dest_announce_fits(d, app_data_len + n))
		return app_data_len;
	memcpy(out + app_data_len, suffix, n);
	return app_data_len + n;
}

int
dest_announce(struct rns *r, struct dest *d, const uint8_t *app_data,
    size_t app_data_len)
{
	uint8_t rnd[5], ratchet[RNS_RATCHET], buf[ANNOUNCE_APP_DATA_MAX];
	int64_t now_us = core_wall_us(r);
	uint64_t emitted = now_us > 0 ? (uint64_t)(now_us / MONO_SECOND) : 0;
	size_t n;

	if (d->type != RNS_SINGLE || (app_data == NULL && app_data_len > 0))
		return RNS_EINVAL;
	if (app_data == NULL) {
		app_data = d->app_data;
		app_data_len = d->app_data_len;
	}
	if (!dest_announce_fits(d, app_data_len))
		return RNS_EBIG;
	if (d->ratchets && (d->ratchet_count == 0 ||
	    now_us > d->last_rotation_us +
	    (int64_t)d->ratchet_interval_s * MONO_SECOND)) {
		int err = ratchet_rotate(r, d, now_us);

		/* an old one does for now; without any, no announce */
		if (err != RNS_OK && d->ratchet_count == 0)
			return err;
	}
	if (d->ratchets)
		crypt_x25519_public(ratchet, d->ratchet_keys[0]);
	/* also while the clock was set back */
	if (d->last_emitted > 0 && emitted <= d->last_emitted)
		emitted = d->last_emitted + 1;
	core_random(r, rnd, sizeof(rnd));
	if (r->cfg.stamps.announce != NULL) {
		app_data_len = stamped(r, d, rnd, buf, app_data, app_data_len);
		app_data = buf;
	}
	n = announce_build(d->last, &d->identity, &d->hash, d->name_hash, rnd,
	    emitted, d->ratchets ? ratchet : NULL, app_data, app_data_len,
	    false);
	if (n == 0)
		return RNS_EBIG;
	d->last_emitted = emitted;
	d->last_len = n;
	return RNS_OK;
}

/* ---- data ---- */

/* Of its ratchets, how many may be tried now. */
static size_t
tries_left(struct dest *d, struct mono now)
{
	int64_t us = d->tries_at.us == 0 ? 2 * MONO_SECOND :
	    mono_sub(now, d->tries_at);
	uint64_t more = us >= 2 * MONO_SECOND ? DEST_TRIES :
	    (uint64_t)MAX_OF(us, 0) * DEST_TRIES_S / MONO_SECOND;

	if (more > 0) {
		d->tries = (uint32_t)MIN_OF(d->tries + more, DEST_TRIES);
		d->tries_at = now;
	}
	return d->tries >= MIN_OF(d->ratchet_count, DEST_TRIES) ?
	    d->ratchet_count : MIN_OF(d->ratchet_count, DEST_TRIES_ALWAYS);
}

/* Each try costs us a key agreement, and any stranger makes what is in vain. */
static int
decrypt_single(struct dest *d, uint8_t *out, size_t *out_len, size_t cap,
    const uint8_t *in, size_t in_len, struct mono now)
{
	size_t n = tries_left(d, now), vain = n;
	int used = -1, err = identity_decrypt(out, out_len, cap, &d->identity,
	    (const uint8_t(*)[32])d->ratchet_keys, n, d->enforce_ratchets,
	    &used, in, in_len);

	if (n < d->ratchet_count)
		return err == RNS_EAUTH ? RNS_ELIMIT : err;
	if (err == RNS_OK && used >= 0)
		vain = (size_t)used;
	if (vain > DEST_TRIES_ALWAYS)
		d->tries -= (uint32_t)MIN_OF(vain, d->tries);
	return err;
}

int
dest_decrypt(struct dest *d, uint8_t *out, size_t *out_len, size_t cap,
    const uint8_t *in, size_t in_len, struct mono now)
{
	int err;

	switch (d->type) {
	case RNS_SINGLE:
		return decrypt_single(d, out, out_len, cap, in, in_len, now);
	case RNS_GROUP:
		err = token_decrypt(out, out_len, cap, d->group_key,
		    d->group_key_len, in, in_len);
		return err == RNS_EPARSE ? RNS_EAUTH : err;
	case RNS_PLAIN:
		if (in_len > cap)
			return RNS_EBIG;
		memcpy(out, in, in_len);
		*out_len = in_len;
		return RNS_OK;
	}
	return RNS_EAUTH;
}

/* ---- blackhole ---- */

static struct black *
black_find(const struct rns *r, const struct hash16 *identity)
{
	struct black key;

	key.identity = *identity;
	return RB_FIND(black_tree, &r->dests->black, &key);
}

bool
core_blackholed(const struct rns *r, const struct hash16 *identity)
{
	return black_find(r, identity) != NULL;
}

bool
rns_blackholed(const struct rns *r, const struct hash16 *identity)
{
	return core_blackholed(r, identity);
}

static int
unhole(struct dests *t, struct black *b, uint8_t bit)
{
	if (b == NULL || (b->sources & bit) == 0)
		return RNS_ENOENT;
	b->sources &= (uint8_t)~bit;
	if (b->sources == 0) {
		RB_REMOVE(black_tree, &t->black, b);
		t->black_count--;
		free(b);
	}
	return RNS_OK;
}

static int
unhole_all(struct dests *t, uint8_t bit)
{
	struct black *b, *next;

	for (b = RB_MIN(black_tree, &t->black); b != NULL; b = next) {
		next = RB_NEXT(black_tree, &t->black, b);
		(void)unhole(t, b, bit);
	}
	return RNS_OK;
}

static int
blackhole(struct rns *r, const struct hash16 *identity, bool on,
    uint8_t source)
{
	struct dests *t = r->dests;
	struct black *b = black_find(r, identity);
	uint8_t bit = (uint8_t)(1u << source % 8);

	static const struct hash16 all;

	if (!on && hash16_eq(identity, &all))
		return unhole_all(t, bit);
	if (!on)
		return unhole(t, b, bit);
	if (b != NULL && (b->sources & bit) != 0)
		return RNS_EEXIST;
	if (b != NULL) {
		b->sources |= bit;
		return RNS_OK;
	}
	if (t->black_count >= BLACKHOLE_MAX)
		return RNS_ELIMIT;
	b = calloc(1, sizeof(*b));
	if (b == NULL)
		return RNS_ENOMEM;
	b->identity = *identity;
	b->sources = bit;
	(void)RB_INSERT(black_tree, &t->black, b); /* looked for above */
	t->black_count++;
	return RNS_OK;
}

int
dest_submit(struct rns *r, const struct rns_cmd *cmd)
{
	struct dest *d;

	switch (cmd->type) {
	case RNS_CMD_DEST_ADD:
		return dest_add(r, &cmd->dest);
	case RNS_CMD_DEST_DEL:
		return dest_del(r, &cmd->hash);
	case RNS_CMD_HANDLER_ADD:
		return handler_add(r, cmd);
	case RNS_CMD_HANDLER_DEL:
		return handler_del(r, cmd);
	case RNS_CMD_APP_DATA:
		d = dest_find(r, &cmd->announce.dest);
		if (d == NULL)
			return RNS_ENOENT;
		return app_data_set(d, cmd->announce.app_data,
		    cmd->announce.app_data_len);
	case RNS_CMD_BLACKHOLE:
		return blackhole(r, &cmd->blackhole.identity,
		    cmd->blackhole.on, cmd->blackhole.source);
	default:
		return RNS_EINVAL;
	}
}
