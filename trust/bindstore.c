/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/bindstore.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/util.h"
#include "common/wire.h"

#define MAGIC "WTB1"

struct entry {
	RB_ENTRY(entry) node;
	TAILQ_ENTRY(entry) lru;
	struct hash16 hash;
	bool keep;
	struct binding b;
	struct fp fp; /* of its secp256k1 key */
};

#define OLDER "binding: older than the one that this identity has shown"

/* The highest serial of a key, seen with valid signatures. */
struct serial {
	RB_ENTRY(serial) node;
	TAILQ_ENTRY(serial) lru;
	uint8_t secp[33];
	bool keep;
	uint32_t highest, first_seen;
	struct id32 statement; /* digest of the one that has it */
	struct hash16 by;      /* who showed it; of the file: if he still does */
};

static int
entry_cmp(const struct entry *a, const struct entry *b)
{
	return hash16_cmp(&a->hash, &b->hash);
}

static int
serial_cmp(const struct serial *a, const struct serial *b)
{
	return memcmp(a->secp, b->secp, sizeof(a->secp));
}

RB_HEAD(entries, entry);
TREE_PROTOTYPE(entries, entry, node, entry_cmp)
TREE_GENERATE(entries, entry, node, entry_cmp)
RB_HEAD(serials, serial);
TREE_PROTOTYPE(serials, serial, node, serial_cmp)
TREE_GENERATE(serials, serial, node, serial_cmp)

struct bindstore {
	size_t max, nentries, nserials;
	struct entries entries;
	struct serials serials;
	TAILQ_HEAD(, entry) entry_lru; /* head: used longest ago */
	TAILQ_HEAD(, serial) serial_lru;
};

struct bindstore *
bindstore_new(size_t max)
{
	struct bindstore *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->max = MIN_OF(max, BINDSTORE_MAX);
	RB_INIT(&s->entries);
	RB_INIT(&s->serials);
	TAILQ_INIT(&s->entry_lru);
	TAILQ_INIT(&s->serial_lru);
	return s;
}

static void
entry_drop(struct bindstore *s, struct entry *e)
{
	RB_REMOVE(entries, &s->entries, e);
	TAILQ_REMOVE(&s->entry_lru, e, lru);
	s->nentries--;
	free(e);
}

static void
serial_drop(struct bindstore *s, struct serial *k)
{
	RB_REMOVE(serials, &s->serials, k);
	TAILQ_REMOVE(&s->serial_lru, k, lru);
	s->nserials--;
	free(k);
}

static void
bindstore_empty(struct bindstore *s)
{
	struct entry *e;
	struct serial *k;

	while ((e = TAILQ_FIRST(&s->entry_lru)) != NULL)
		entry_drop(s, e);
	while ((k = TAILQ_FIRST(&s->serial_lru)) != NULL)
		serial_drop(s, k);
}

void
bindstore_free(struct bindstore *s)
{
	if (s == NULL)
		return;
	bindstore_empty(s);
	free(s);
}

size_t
bindstore_count(const struct bindstore *s)
{
	return s->nentries;
}

static struct entry *
entry_find(const struct bindstore *s, const struct hash16 *hash)
{
	struct entry key;

	key.hash = *hash;
	return RB_FIND(entries, (struct entries *)(uintptr_t)&s->entries, &key);
}

static struct serial *
serial_find(const struct bindstore *s, const uint8_t secp[33])
{
	struct serial key;

	memcpy(key.secp, secp, sizeof(key.secp));
	return RB_FIND(serials, (struct serials *)(uintptr_t)&s->serials, &key);
}

/* Room for one more: the oldest stranger goes. */
static bool
entry_room(struct bindstore *s)
{
	struct entry *e;

	if (s->nentries < s->max)
		return true;
	TAILQ_FOREACH(e, &s->entry_lru, lru)
		if (!e->keep) {
			entry_drop(s, e);
			return true;
		}
	return false;
}

static bool
serial_room(struct bindstore *s)
{
	struct serial *k;

	if (s->nserials < s->max)
		return true;
	TAILQ_FOREACH(k, &s->serial_lru, lru)
		if (!k->keep) {
			serial_drop(s, k);
			return true;
		}
	return false;
}

static void
statement_digest(struct id32 *out, const struct binding *b)
{
	uint8_t st[BINDING_STATEMENT_LEN];

	binding_statement(st, b);
	(void)crypto_hash_sha256(out->b, st, sizeof(st));
}

static struct serial *
serial_add(struct bindstore *s, const uint8_t secp[33])
{
	struct serial *k;

	if (!serial_room(s) || (k = calloc(1, sizeof(*k))) == NULL)
		return NULL;
	memcpy(k->secp, secp, sizeof(k->secp));
	RB_INSERT(serials, &s->serials, k);
	TAILQ_INSERT_TAIL(&s->serial_lru, k, lru);
	s->nserials++;
	return k;
}

static void
entry_set(struct entry *e, const struct binding *b)
{
	/* no point is looked at: what is stored was checked when it came */
	struct klp_key k = {.kind = KEY_SECP256K1, .len = sizeof(b->secp)};

	memcpy(k.raw, b->secp, sizeof(b->secp));
	key_fp(&e->fp, &k);
	e->b = *b;
}

static struct entry *
entry_add(struct bindstore *s, const struct hash16 *hash)
{
	struct entry *e;

	if (!entry_room(s) || (e = calloc(1, sizeof(*e))) == NULL)
		return NULL;
	e->hash = *hash;
	RB_INSERT(entries, &s->entries, e);
	TAILQ_INSERT_TAIL(&s->entry_lru, e, lru);
	s->nentries++;
	return e;
}

/*
 * Lower than the highest is for the rotation to another Reticulum identity
 * alone (klp.md 5): one that has shown its newer binding shows no older one.
 */
static const char *
serial_bad(const struct serial *k, const struct entry *e,
    const struct binding *b, const struct hash16 *by,
    const struct id32 *digest, uint32_t now)
{
	/* also when another key has taken his entry since */
	if (b->serial < k->highest && hash16_cmp(by, &k->by) == 0)
		return OLDER;
	if (e != NULL && memcmp(e->b.secp, b->secp, sizeof(b->secp)) == 0 &&
	    b->serial < e->b.serial)
		return OLDER;
	if (b->serial == k->highest && !id32_eq(digest, &k->statement))
		return "binding: another statement has this serial";
	if (b->serial < k->highest &&
	    now >= (uint64_t)k->first_seen + BINDING_GRACE)
		return "binding: a higher serial was seen";
	return NULL;
}

static void
serial_raise(struct serial *k, const struct binding *b, const struct hash16 *by,
    const struct id32 *digest, uint32_t now)
{
	k->first_seen = now;
	k->highest = b->serial;
	k->statement = *digest;
	k->by = *by;
}

const char *
bindstore_take(struct bindstore *s, const struct binding *b, uint32_t now,
    bool keep, bool *fresh)
{
	struct hash16 hash;
	struct id32 digest;
	struct serial *k = serial_find(s, b->secp);
	struct entry *e;
	const char *why;

	*fresh = false;
	statement_digest(&digest, b);
	rns_hash_of(&hash, b->rns);
	e = entry_find(s, &hash);
	why = k == NULL ? NULL : serial_bad(k, e, b, &hash, &digest, now);
	if (why != NULL)
		return why;
	if (e == NULL && (e = entry_add(s, &hash)) == NULL)
		return "binding: no room";
	/* only now, and last, since it is what cannot be taken back */
	if (k == NULL) {
		if ((k = serial_add(s, b->secp)) == NULL) {
			entry_drop(s, e);
			return "binding: no room";
		}
		serial_raise(k, b, &hash, &digest, now);
		*fresh = true;
	} else if (b->serial > k->highest) {
		serial_raise(k, b, &hash, &digest, now);
		*fresh = true;
	}
	k->keep |= keep;
	e->keep |= keep;
	*fresh |= !bindstore_has(s, b);
	entry_set(e, b);
	TAILQ_REMOVE(&s->entry_lru, e, lru);
	TAILQ_INSERT_TAIL(&s->entry_lru, e, lru);
	TAILQ_REMOVE(&s->serial_lru, k, lru);
	TAILQ_INSERT_TAIL(&s->serial_lru, k, lru);
	return NULL;
}

/* Within its times, and not replaced by a higher serial for too long. */
static bool
entry_holds(const struct bindstore *s, const struct entry *e, uint32_t now)
{
	const struct serial *k = serial_find(s, e->b.secp);

	return now < e->b.not_after &&
	    e->b.not_before <= (uint64_t)now + BINDING_EARLY &&
	    (k == NULL || e->b.serial >= k->highest ||
		now < (uint64_t)k->first_seen + BINDING_GRACE);
}

size_t
bindstore_hinted(const struct bindstore *s, const uint8_t fp4[FP4_LEN],
    uint32_t now, struct binding *out, size_t max)
{
	const struct entry *e;
	size_t n = 0;

	/* those kept come first: strangers cannot crowd them out */
	for (unsigned keep = 0; keep < 2; keep++) {
		TAILQ_FOREACH(e, &s->entry_lru, lru) {
			if (n < max && e->keep == (keep == 0) &&
			    memcmp(e->fp.b, fp4, FP4_LEN) == 0 &&
			    entry_holds(s, e, now))
				out[n++] = e->b;
		}
	}
	return n;
}

bool
bindstore_of(const struct bindstore *s, const struct fp *fp, uint32_t now,
    struct binding *out)
{
	const struct entry *e, *best = NULL;

	TAILQ_FOREACH(e, &s->entry_lru, lru) {
		if (fp_eq(&e->fp, fp) && entry_holds(s, e, now) &&
		    (best == NULL || e->b.serial > best->b.serial))
			best = e;
	}
	if (best == NULL)
		return false;
	*out = best->b;
	return true;
}

const struct binding *
bindstore_find(struct bindstore *s, const uint8_t rns[RNS_PUBLIC_LEN],
    uint32_t now)
{
	struct hash16 hash;
	struct entry *e;

	rns_hash_of(&hash, rns);
	if ((e = entry_find(s, &hash)) == NULL)
		return NULL;
	/* it stays: the clock may be ahead for an hour, and set right then */
	if (memcmp(e->b.rns, rns, RNS_PUBLIC_LEN) != 0 ||
	    !entry_holds(s, e, now))
		return NULL;
	TAILQ_REMOVE(&s->entry_lru, e, lru);
	TAILQ_INSERT_TAIL(&s->entry_lru, e, lru);
	return &e->b;
}

bool
bindstore_has(const struct bindstore *s, const struct binding *b)
{
	struct hash16 hash;
	uint8_t x[BINDING_LEN], y[BINDING_LEN];
	const struct entry *e;

	rns_hash_of(&hash, b->rns);
	if ((e = entry_find(s, &hash)) == NULL)
		return false;
	binding_put(x, &e->b);
	binding_put(y, b);
	return memcmp(x, y, sizeof(x)) == 0;
}

void
bindstore_each(const struct bindstore *s, bindstore_fn *fn, void *ctx)
{
	const struct entry *e;

	TAILQ_FOREACH(e, &s->entry_lru, lru)
		fn(ctx, &e->b, &e->hash);
}

size_t
bindstore_put(const struct bindstore *s, uint8_t *out, size_t cap,
    uint32_t floor)
{
	struct wr w = wr_make(out, cap);
	const struct entry *e;
	const struct serial *k;
	uint8_t *digest;

	wr_bytes(&w, MAGIC, 4);
	wr_u32(&w, floor);
	wr_u16(&w, (uint16_t)s->nentries);
	wr_u16(&w, (uint16_t)s->nserials);
	TAILQ_FOREACH(e, &s->entry_lru, lru) {
		uint8_t *b;

		wr_bool(&w, e->keep);
		if ((b = wr_room(&w, BINDING_LEN)) != NULL)
			binding_put(b, &e->b);
	}
	TAILQ_FOREACH(k, &s->serial_lru, lru) {
		wr_bool(&w, k->keep);
		wr_bytes(&w, k->secp, sizeof(k->secp));
		wr_u32(&w, k->highest);
		wr_u32(&w, k->first_seen);
		wr_bytes(&w, HASH_BYTES(k->statement));
	}
	if ((digest = wr_room(&w, 32)) == NULL)
		return 0;
	(void)crypto_hash_sha256(digest, out, w.len - 32);
	return w.len;
}

static bool
get_entry(struct bindstore *s, struct rd *r)
{
	struct hash16 hash;
	const uint8_t *p;
	struct binding b;
	struct entry *e;
	bool keep;

	if (!rd_bool(r, &keep) || !rd_ref(r, &p, BINDING_LEN) ||
	    !binding_parse(&b, p, BINDING_LEN))
		return false;
	rns_hash_of(&hash, b.rns);
	if (s->nentries >= s->max || entry_find(s, &hash) != NULL ||
	    (e = entry_add(s, &hash)) == NULL)
		return false;
	entry_set(e, &b);
	e->keep = keep;
	return true;
}

static bool
get_serial(struct bindstore *s, struct rd *r)
{
	struct serial v = {0}, *k;

	if (!rd_bool(r, &v.keep) || !rd_copy(r, v.secp, sizeof(v.secp)) ||
	    !rd_u32(r, &v.highest) || !rd_u32(r, &v.first_seen) ||
	    !rd_copy(r, HASH_BYTES(v.statement)))
		return false;
	if (s->nserials >= s->max || serial_find(s, v.secp) != NULL ||
	    (k = serial_add(s, v.secp)) == NULL)
		return false;
	k->keep = v.keep;
	k->highest = v.highest;
	k->first_seen = v.first_seen;
	k->statement = v.statement;
	return true;
}

static void
find_by(struct bindstore *s)
{
	const struct entry *e;
	struct serial *k;

	TAILQ_FOREACH(e, &s->entry_lru, lru)
		if ((k = serial_find(s, e->b.secp)) != NULL &&
		    k->highest == e->b.serial)
			k->by = e->hash;
}

bool
bindstore_get(struct bindstore *s, const uint8_t *buf, size_t len,
    uint32_t *floor)
{
	struct rd r = rd_make(buf, len);
	uint8_t magic[4];
	struct id32 digest;
	uint16_t nentries, nserials;
	uint32_t at;
	bool ok;

	if (len < 32)
		return false;
	(void)crypto_hash_sha256(digest.b, buf, len - 32);
	if (!id32_eq(&digest, id32_at(buf + len - 32)))
		return false;
	ok = rd_copy(&r, magic, 4) && memcmp(magic, MAGIC, 4) == 0 &&
	    rd_u32(&r, &at) && rd_u16(&r, &nentries) && rd_u16(&r, &nserials);
	for (unsigned i = 0; ok && i < nentries; i++)
		ok = get_entry(s, &r);
	for (unsigned i = 0; ok && i < nserials; i++)
		ok = get_serial(s, &r);
	if (!ok || !rd_skip(&r, 32) || !rd_end(&r)) {
		bindstore_empty(s);
		return false;
	}
	find_by(s);
	*floor = at;
	return true;
}
