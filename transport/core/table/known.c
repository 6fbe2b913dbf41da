/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/table/known.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/crypt.h"

#define CLEAN_S 300       /* reticulum-endpoint.md 4.6 */
#define LINGER_S 360      /* reticulum-endpoint.md 4.6: never used, no path */
#define UNUSED_S 756000   /* reticulum-endpoint.md 4.6: 1.25 weeks */
/* ours: a sweep of the whole table at once would hold up the packets */
#define SWEEP_STEP 2048
#define SWEEP_PAUSE_US 50000
/* ours: how far a new one looks for an idle one without a path */
#define EVICT_LOOK 16

struct known_table {
	struct htab table;
	TAILQ_HEAD(, known) idle;
	known_kept_fn *kept;
	struct timer sweep;
	bool sweeping;
	struct hash16 at; /* the sweep goes on behind this one */
};

static void
known_remove(struct rns *r, struct known *k)
{
	struct known_table *t = r->known;

	if (k->used_us == 0)
		TAILQ_REMOVE(&t->idle, k, idle);
	r->counts.known--;
	heard_drop(k->heard);
	free(k->ratchet);
	htab_remove(&t->table, k);
	htab_free(&t->table, k);
}

void
known_kept_by(struct rns *r, known_kept_fn *kept)
{
	r->known->kept = kept;
}

static bool
known_kept(const struct rns *r, const struct known *k)
{
	return r->known->kept != NULL && r->known->kept(r, &k->dest);
}

/* ---- cleaning ---- */

static bool
known_stale(const struct rns *r, const struct known *k, int64_t now_us)
{
	int64_t unused;

	if (k->used_us < 0 || known_kept(r, k))
		return false;
	if (k->used_us == 0)
		return now_us - k->heard_us > LINGER_S * MONO_SECOND;
	unused = now_us - k->used_us;
	return unused > UNUSED_S * MONO_SECOND;
}

static struct known *
known_after(const struct rns *r, const struct hash16 *after, bool first)
{
	return first ? htab_first(&r->known->table) :
	    htab_after(&r->known->table, after, false);
}

static void
known_sweep(struct rns *r, void *arg)
{
	struct known_table *t = arg;
	struct known *k = known_after(r, &t->at, !t->sweeping), *next;
	int64_t now_us = core_wall_us(r);

	for (int i = 0; k != NULL && i < SWEEP_STEP; i++) {
		next = htab_after(&t->table, &k->dest, false);
		t->at = k->dest;
		if (known_stale(r, k, now_us))
			known_remove(r, k);
		k = next;
	}
	t->sweeping = k != NULL;
	timer_set(r, &t->sweep, mono_add(r->now,
	    t->sweeping ? SWEEP_PAUSE_US : CLEAN_S * MONO_SECOND));
}

int
known_table_new(struct rns *r)
{
	struct known_table *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return RNS_ENOMEM;
	if (htab_init(r, &t->table, sizeof(struct known)) != RNS_OK) {
		free(t);
		return RNS_ENOMEM;
	}
	TAILQ_INIT(&t->idle);
	r->known = t;
	timer_init(&t->sweep, known_sweep, t);
	timer_set(r, &t->sweep, mono_add(r->now, CLEAN_S * MONO_SECOND));
	return RNS_OK;
}

void
known_table_free(struct rns *r)
{
	struct known *k;

	if (r->known == NULL)
		return;
	timer_clear(r, &r->known->sweep);
	while ((k = htab_first(&r->known->table)) != NULL)
		known_remove(r, k);
	htab_clear(&r->known->table);
	free(r->known);
	r->known = NULL;
}

struct known *
known_find(const struct rns *r, const struct hash16 *dest)
{
	return htab_find(&r->known->table, dest);
}

void
known_soon(const struct rns *r, const struct hash16 *dest)
{
	htab_soon(&r->known->table, dest);
}

/* ---- learning ---- */

/*
 * Room for one more, at the cost of the idlest that no path needs; those that
 * one needs have their turn again later. False: all are in use.
 */
static bool
known_make_room(struct rns *r)
{
	struct known_table *t = r->known;
	struct known *k;

	if (r->counts.known < r->cfg.limits.known)
		return true;
	for (int looked = 0; looked < EVICT_LOOK; looked++) {
		k = TAILQ_FIRST(&t->idle);
		if (k == NULL || !known_kept(r, k))
			break;
		TAILQ_REMOVE(&t->idle, k, idle);
		TAILQ_INSERT_TAIL(&t->idle, k, idle);
	}
	k = TAILQ_FIRST(&t->idle);
	if (k == NULL)
		return core_drop(r, RNS_DROP_KNOWN_FULL);
	(void)core_drop_of(r, RNS_DROP_KNOWN_FULL, &k->dest, 0);
	known_remove(r, k);
	return true;
}

void
known_first_out(struct rns *r, const struct hash16 *dest)
{
	struct known *k = known_find(r, dest);

	if (k == NULL || k->used_us != 0)
		return;
	TAILQ_REMOVE(&r->known->idle, k, idle);
	TAILQ_INSERT_HEAD(&r->known->idle, k, idle);
}

struct hash16
known_identity(const struct known *k)
{
	struct hash16 id;

	rns_identity_hash_of(&id, known_key(k));
	return id;
}

/* NULL: nil. */
static const uint8_t *
known_app_data(const struct known *k, size_t *len)
{
	*len = k->app_data_at != 0 ? k->heard->len - k->app_data_at : 0;
	return k->app_data_at != 0 ? k->heard->raw + k->app_data_at : NULL;
}

static int
known_new(struct rns *r, const struct hash16 *dest, struct known **out)
{
	struct known *k;

	if (!known_make_room(r))
		return RNS_ELIMIT;
	k = htab_add(&r->known->table, dest); /* the caller looked */
	if (k == NULL)
		return RNS_ENOMEM;
	TAILQ_INSERT_TAIL(&r->known->idle, k, idle);
	r->counts.known++;
	*out = k;
	return RNS_OK;
}

/*
 * Takes the bytes (NULL: no memory), in which the key and the app data (0: nil)
 * begin there.
 */
static int
known_store(struct rns *r, struct known **kp, const struct hash16 *dest,
    struct heard *h, size_t key, size_t app_data, int64_t heard_us)
{
	struct known *k = *kp;
	int err;

	if (h == NULL)
		return RNS_ENOMEM;
	if (k == NULL) {
		err = known_new(r, dest, &k);
		if (err != RNS_OK) {
			heard_drop(h);
			return err;
		}
	} else if (k->used_us == 0) {
		TAILQ_REMOVE(&r->known->idle, k, idle);
		TAILQ_INSERT_TAIL(&r->known->idle, k, idle);
	}
	heard_drop(k->heard);
	k->heard = h;
	k->key_at = (uint16_t)key;
	k->app_data_at = (uint16_t)app_data;
	k->heard_us = heard_us;
	*kp = k;
	return RNS_OK;
}

struct heard *
known_share(const struct rns *r, const struct hash16 *dest, const uint8_t *raw,
    size_t len)
{
	const struct known *k = known_find(r, dest);

	return k != NULL && heard_is(k->heard, raw, len) ?
	    heard_ref(k->heard) : NULL;
}

void
known_adopt(struct rns *r, const struct hash16 *dest, const struct packet *p,
    struct heard *h)
{
	struct known *k = known_find(r, dest);
	const uint8_t *was;
	struct announce a;
	struct id32 hash;
	size_t len;

	if (k == NULL || !k->heard->bare)
		return;
	heard_hash(k->heard, &hash);
	if (!id32_eq(&hash, &p->hash) || announce_parse(&a, p) != RNS_OK ||
	    memcmp(a.public_key, known_key(k), RNS_KEY) != 0)
		return;
	was = known_app_data(k, &len);
	if ((a.app_data != NULL) != (was != NULL) || (was != NULL &&
	    (a.app_data_len != len || memcmp(a.app_data, was, len) != 0)))
		return;
	heard_drop(k->heard);
	k->heard = heard_ref(h);
	k->key_at = (uint16_t)(a.public_key - p->raw);
	if (a.app_data != NULL)
		k->app_data_at = (uint16_t)(a.app_data - p->raw);
}

/* Without memory the one before it stays. */
static int
ratchet_keep(struct known *k, const uint8_t key[RNS_RATCHET], int64_t us)
{
	if (k->ratchet == NULL &&
	    (k->ratchet = calloc(1, sizeof(*k->ratchet))) == NULL)
		return RNS_ENOMEM;
	memcpy(k->ratchet->key, key, RNS_RATCHET);
	k->ratchet->us = us;
	return RNS_OK;
}

int
known_learn(struct rns *r, const struct announce *a, const struct packet *p)
{
	struct known *k = known_find(r, p->dest);
	int err;

	if (k != NULL && memcmp(known_key(k), a->public_key, RNS_KEY) != 0)
		return RNS_EAUTH;
	err = known_store(r, &k, p->dest, heard_new(p->raw, p->raw_len),
	    (size_t)(a->public_key - p->raw), a->app_data != NULL ?
	    (size_t)(a->app_data - p->raw) : 0, core_wall_us(r));
	if (err != RNS_OK)
		return err;
	return a->ratchet == NULL ? RNS_OK :
	    ratchet_keep(k, a->ratchet, k->heard_us);
}

static void
known_set_used(struct rns *r, struct known *k, int64_t used_us)
{
	if (k->used_us == 0 && used_us != 0)
		TAILQ_REMOVE(&r->known->idle, k, idle);
	else if (k->used_us != 0 && used_us == 0)
		TAILQ_INSERT_TAIL(&r->known->idle, k, idle);
	k->used_us = used_us;
}

void
known_mark_used(struct rns *r, struct known *k)
{
	int64_t now_us = core_wall_us(r);

	/* -1 is for good; a clock before 1970 must not look like it */
	if (k->used_us >= 0)
		known_set_used(r, k, now_us > 0 ? now_us : 1);
}

/* From storage; differences of two of them do not overflow. */
static bool
time_ok(int64_t us)
{
	return us >= 0 && us <= INT64_MAX / 2;
}

static int
known_add(struct rns *r, const struct rns_cmd *cmd)
{
	const uint8_t *key = cmd->known.public_key;
	struct known *k = known_find(r, &cmd->known.dest);
	int err;

	if (cmd->known.used_us < -1 || !time_ok(cmd->known.heard_us) ||
	    (cmd->known.app_data == NULL && cmd->known.app_data_len > 0))
		return RNS_EINVAL;
	if (k != NULL && memcmp(known_key(k), key, RNS_KEY) != 0)
		return RNS_EEXIST;
	if (k == NULL || cmd->known.heard_us > k->heard_us) {
		err = known_store(r, &k, &cmd->known.dest,
		    heard_bare(key, &cmd->known.packet_hash,
		    cmd->known.app_data, cmd->known.app_data_len), 0,
		    cmd->known.app_data != NULL ?
		    RNS_KEY + RNS_FULL_HASH : 0, cmd->known.heard_us);
		if (err != RNS_OK)
			return err;
	}
	known_set_used(r, k, cmd->known.used_us);
	return RNS_OK;
}

/* ---- ratchets ---- */

static bool
ratchet_fresh(const struct rns *r, int64_t received_us)
{
	return core_wall_us(r) - received_us <= RATCHET_EXPIRY * MONO_SECOND;
}

static int
ratchet_add(struct rns *r, const struct rns_cmd *cmd)
{
	struct known *k = known_find(r, &cmd->ratchet.dest);

	if (k == NULL)
		return RNS_ENOENT;
	if (!time_ok(cmd->ratchet.received_us) ||
	    !ratchet_fresh(r, cmd->ratchet.received_us))
		return RNS_EINVAL;
	if (k->ratchet != NULL && k->ratchet->us >= cmd->ratchet.received_us)
		return RNS_OK;
	return ratchet_keep(k, cmd->ratchet.key, cmd->ratchet.received_us);
}

const uint8_t *
known_ratchet(const struct rns *r, const struct known *k)
{
	return k->ratchet != NULL && ratchet_fresh(r, k->ratchet->us) ?
	    k->ratchet->key : NULL;
}

int
known_encrypt(struct rns *r, struct known *k, uint8_t *out, size_t *out_len,
    size_t cap, const uint8_t *in, size_t in_len)
{
	struct hash16 id = known_identity(k);
	uint8_t eph[32], iv[16];
	int err;

	core_random(r, eph, sizeof(eph));
	core_random(r, iv, sizeof(iv));
	err = identity_encrypt(out, out_len, cap, known_key(k),
	    &id, known_ratchet(r, k), eph, iv, in, in_len);
	crypt_wipe(eph, sizeof(eph));
	if (err == RNS_OK)
		known_mark_used(r, k);
	return err;
}

int
known_submit(struct rns *r, const struct rns_cmd *cmd)
{
	switch (cmd->type) {
	case RNS_CMD_KNOWN_ADD:
		return known_add(r, cmd);
	case RNS_CMD_RATCHET_ADD:
		return ratchet_add(r, cmd);
	default:
		return RNS_EINVAL;
	}
}

/* ---- looking ---- */

static void
known_show(const struct known *k, struct rns_known *out)
{
	*out = (struct rns_known){
	    .heard_us = k->heard_us,
	    .used_us = k->used_us,
	    .ratchet = k->ratchet != NULL ? k->ratchet->key : NULL,
	    .ratchet_us = k->ratchet != NULL ? k->ratchet->us : 0,
	};
	out->dest = k->dest;
	out->app_data = known_app_data(k, &out->app_data_len);
	memcpy(out->public_key, known_key(k), RNS_KEY);
	heard_hash(k->heard, &out->packet_hash);
}

bool
rns_known_get(const struct rns *r, const struct hash16 *dest,
    struct rns_known *out)
{
	const struct known *k = known_find(r, dest);

	if (k == NULL)
		return false;
	known_show(k, out);
	return true;
}

bool
rns_known_next(const struct rns *r, const struct hash16 *after, bool first,
    struct rns_known *out)
{
	const struct known *k = known_after(r, after, first);

	if (k == NULL)
		return false;
	known_show(k, out);
	return true;
}
