/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/host/blobs_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"

#define REHASH (1u << 20)

static int
cmp_own(struct own *a, struct own *b)
{
	int c = id32_cmp(&a->sha, &b->sha);

	return c != 0 ? c : fp_cmp(&a->fp, &b->fp);
}

static int
cmp_part(struct blob_part *a, struct blob_part *b)
{
	int c = id32_cmp(&a->sha, &b->sha);

	return c != 0 ? c : fp_cmp(&a->fp, &b->fp);
}

TREE_PROTOTYPE(owns, own, node, cmp_own)
TREE_GENERATE(owns, own, node, cmp_own)
TREE_PROTOTYPE(parts, blob_part, node, cmp_part)
TREE_GENERATE(parts, blob_part, node, cmp_part)

static int
cmp_holder(struct holder *a, struct holder *b)
{
	return memcmp(a->key, b->key, sizeof(a->key));
}

TREE_PROTOTYPE(holders, holder, node, cmp_holder)
TREE_GENERATE(holders, holder, node, cmp_holder)

static struct holder *
holder_of(const struct blobs *b, const struct fp *fp)
{
	struct holder key;

	memcpy(key.key, fp->b, sizeof(key.key));
	return RB_FIND(holders, (struct holders *)&b->holders, &key);
}

/* This peer holds so much more, and less. */
static void
hold(struct blobs *b, const struct fp *fp, uint64_t more, uint64_t less)
{
	struct holder *h = holder_of(b, fp);

	if (h == NULL && (h = calloc(1, sizeof(*h))) == NULL)
		fatal("out of memory");
	if (h->bytes == 0) {
		memcpy(h->key, fp->b, sizeof(h->key));
		(void)RB_INSERT(holders, &b->holders, h);
	}
	h->bytes += more;
	h->bytes -= MIN_OF(h->bytes, less);
	if (h->bytes > 0)
		return;
	(void)RB_REMOVE(holders, &b->holders, h);
	free(h);
}

uint64_t
blobs_charge(uint64_t size)
{
	return MAX_OF(size, (uint64_t)BLOB_CHARGE_LEAST);
}

void
whole_name(char out[65], const struct id32 *sha)
{
	hex_encode(out, HASH_BYTES(*sha));
}

void
list_name(char out[LIST_NAME], const struct fp *fp, const struct id32 *sha)
{
	hex_encode(out, HASH_BYTES(*fp));
	out[64] = '-';
	hex_encode(out + 65, HASH_BYTES(*sha));
}

static void
part_name(char out[PART_NAME], const struct fp *fp, const struct id32 *sha)
{
	hex_encode(out, fp->b, 16);
	out[32] = '-';
	hex_encode(out + 33, HASH_BYTES(*sha));
}

struct own *
own_find(struct blobs *b, const struct fp *fp, const struct id32 *sha)
{
	struct own key;

	key.fp = *fp;
	key.sha = *sha;
	return RB_FIND(owns, &b->owns, &key);
}

struct own *
own_next_listed(struct blobs *b, const struct fp *fp, const struct id32 *after)
{
	struct own key, *o;

	key.sha = *after;
	memset(&key.fp, 0xff, sizeof(key.fp));
	for (o = RB_NFIND(owns, &b->owns, &key); o != NULL;
	    o = RB_NEXT(owns, &b->owns, o))
		if (o->list > 0 && fp_eq(&o->fp, fp) &&
		    !id32_eq(&o->sha, after))
			return o;
	return NULL;
}

void
owns_free(struct blobs *b)
{
	struct holder *h;
	struct own *o;

	while ((o = RB_MIN(owns, &b->owns)) != NULL) {
		(void)RB_REMOVE(owns, &b->owns, o);
		free(o);
	}
	while ((h = RB_MIN(holders, &b->holders)) != NULL) {
		(void)RB_REMOVE(holders, &b->holders, h);
		free(h);
	}
}

struct blob_part *
part_first(struct blobs *b)
{
	return RB_MIN(parts, &b->parts);
}

static struct blob_part *
part_find(struct blobs *b, const struct fp *fp, const struct id32 *sha)
{
	struct blob_part key;

	key.fp = *fp;
	key.sha = *sha;
	return RB_FIND(parts, &b->parts, &key);
}

/* Any owner of this content? */
bool
owned_by_any(struct blobs *b, const struct id32 *sha)
{
	struct own key, *o;

	key.sha = *sha;
	memset(&key.fp, 0, sizeof(key.fp));
	o = RB_NFIND(owns, &b->owns, &key);
	return o != NULL && id32_eq(&o->sha, sha);
}

struct own *
own_add(struct blobs *b, const struct fp *fp, const struct id32 *sha,
    uint64_t size, uint32_t used)
{
	struct own *o = own_find(b, fp, sha);
	bool first = !owned_by_any(b, sha);

	if (o != NULL) {
		o->used = used;
		return o;
	}
	if ((o = calloc(1, sizeof(*o))) == NULL)
		return NULL;
	o->fp = *fp;
	o->sha = *sha;
	o->size = size;
	o->used = used;
	(void)RB_INSERT(owns, &b->owns, o);
	hold(b, fp, blobs_charge(size), 0);
	if (first)
		b->total += blobs_charge(size);
	return o;
}

void
own_list(struct blobs *b, struct own *o, uint32_t bytes)
{
	uint64_t less = o->list > 0 ? blobs_charge(o->list) : 0;
	uint64_t more = bytes > 0 ? blobs_charge(bytes) : 0;

	b->total -= MIN_OF(b->total, less);
	o->list = bytes;
	b->total += more;
	hold(b, &o->fp, more, less);
}

void
own_remove(struct blobs *b, struct own *o)
{
	char name[65], list[LIST_NAME];

	(void)RB_REMOVE(owns, &b->owns, o);
	if (o->list > 0) {
		list_name(list, &o->fp, &o->sha);
		(void)unlinkat(b->lists, list, 0);
		own_list(b, o, 0);
	}
	(void)ledger_disown(b->ledger, &o->fp, &o->sha);
	hold(b, &o->fp, 0, blobs_charge(o->size));
	if (!owned_by_any(b, &o->sha)) {
		whole_name(name, &o->sha);
		(void)unlinkat(b->whole, name, 0);
		b->total -= MIN_OF(b->total, blobs_charge(o->size));
	}
	free(o);
}

static uint64_t
part_charge(const struct blob_part *p)
{
	return p->free ? 0 : blobs_charge(p->size);
}

void
part_insert(struct blobs *b, struct blob_part *p)
{
	(void)RB_INSERT(parts, &b->parts, p);
	b->total += part_charge(p);
	hold(b, &p->fp, part_charge(p), 0);
}

void
part_remove(struct blobs *b, struct blob_part *p, bool file)
{
	char name[PART_NAME];

	(void)RB_REMOVE(parts, &b->parts, p);
	b->total -= MIN_OF(b->total, part_charge(p));
	hold(b, &p->fp, 0, part_charge(p));
	if (p->fd >= 0)
		(void)close(p->fd);
	if (file) {
		part_name(name, &p->fp, &p->sha);
		(void)unlinkat(b->partial, name, 0);
	}
	free(p);
}

void
claim_add(struct blobs *b, struct claim *c, const struct fp *fp, uint64_t bytes)
{
	c->fp = *fp;
	c->bytes = bytes;
	LIST_INSERT_HEAD(&b->claims, c, entry);
	b->total += bytes;
	hold(b, fp, bytes, 0);
}

void
claim_end(struct blobs *b, struct claim *c)
{
	LIST_REMOVE(c, entry);
	b->total -= MIN_OF(b->total, c->bytes);
	hold(b, &c->fp, 0, c->bytes);
}

/* ---- what is here ---- */

bool
blobs_has(struct blobs *b, const struct fp *fp, const struct id32 *sha,
    uint64_t *size)
{
	const struct own *o = own_find(b, fp, sha);

	if (o == NULL)
		return false;
	if (size != NULL)
		*size = o->size;
	return true;
}

void
blobs_use(struct blobs *b, const struct fp *fp, const struct id32 *sha,
    uint32_t unix_now)
{
	struct own *o = own_find(b, fp, sha);

	/* a minute is exact enough: no commit for each slice that is read */
	if (o == NULL || (unix_now >= o->used && unix_now - o->used < 60))
		return;
	o->used = unix_now;
	(void)ledger_own(b->ledger, fp, sha, o->size, unix_now);
}

/* A part of this peer, found again by the beginning of its fingerprint. */
static struct blob_part *
part_of(struct blobs *b, const struct fp *fp, const struct id32 *sha)
{
	struct blob_part *p = part_find(b, fp, sha);
	struct fp half = {0};

	if (p != NULL)
		return p;
	memcpy(half.b, fp->b, 16);
	if ((p = part_find(b, &half, sha)) == NULL)
		return NULL;
	(void)RB_REMOVE(parts, &b->parts, p);
	p->fp = *fp;
	(void)RB_INSERT(parts, &b->parts, p);
	return p;
}

uint64_t
blobs_have(struct blobs *b, const struct fp *fp, const struct id32 *sha)
{
	const struct own *o = own_find(b, fp, sha);
	const struct blob_part *p;

	if (o != NULL)
		return o->size;
	p = part_of(b, fp, sha);
	return p == NULL ? 0 : p->have;
}

uint64_t
blobs_claimed(struct blobs *b, const struct fp *fp, const struct id32 *sha)
{
	const struct own *o = own_find(b, fp, sha);
	const struct blob_part *p = o != NULL ? NULL : part_of(b, fp, sha);

	return o != NULL ? blobs_charge(o->size) :
	    p != NULL ? part_charge(p) : 0;
}

void
part_drop(struct blobs *b, const struct fp *fp, const struct id32 *sha)
{
	struct blob_part *p = part_of(b, fp, sha);

	if (p != NULL)
		part_remove(b, p, true);
}

uint64_t
blobs_held(struct blobs *b, const struct fp *fp)
{
	const struct holder *h = holder_of(b, fp);

	return h != NULL ? h->bytes : 0;
}

uint64_t
blobs_total(struct blobs *b)
{
	return b->total;
}

static bool
peer_fits(struct blobs *b, const struct fp *fp, uint64_t more)
{
	return blobs_held(b, fp) <= b->limits.peer_spool - more;
}

static bool
all_fit(const struct blobs *b, uint64_t more)
{
	return b->total <= b->limits.spool - more;
}

static void
mark(void *arg, const struct fp *fp, const struct id32 *sha)
{
	struct own *o = own_find(arg, fp, sha);

	if (o != NULL)
		o->needed = true;
}

static int
by_use(const void *a, const void *b)
{
	const struct own *const *x = a, *const *y = b;

	return ((*x)->used > (*y)->used) - ((*x)->used < (*y)->used);
}

/*
 * What nobody needs, that was used longest ago first; fp NULL: whoever's. One
 * walk over all jobs, however many blobs there are: a week of small ones are
 * tens of thousands of both.
 */
static struct own **
idle(struct blobs *b, const struct fp *fp, size_t *n)
{
	struct own **v, *o;
	size_t count = 0;

	RB_FOREACH(o, owns, &b->owns) {
		o->needed = false;
		count++;
	}
	*n = 0;
	if ((v = calloc(count + 1, sizeof(*v))) == NULL)
		return NULL;
	b->needed(b->ctx, fp, mark, b);
	RB_FOREACH(o, owns, &b->owns)
		if (!o->needed && (fp == NULL || fp_eq(&o->fp, fp)))
			v[(*n)++] = o;
	qsort(v, *n, sizeof(struct own *), by_use);
	return v;
}

bool
peer_room(struct blobs *b, const struct fp *fp, uint64_t more)
{
	_cleanup_free_ struct own **mine = NULL;
	size_t n;

	if (more > b->limits.peer_spool)
		return false;
	if (!peer_fits(b, fp, more)) {
		mine = idle(b, fp, &n);
		for (size_t i = 0; i < n && !peer_fits(b, fp, more); i++)
			own_remove(b, mine[i]);
	}
	return peer_fits(b, fp, more);
}

bool
blobs_room(struct blobs *b, const struct fp *fp, uint64_t more)
{
	_cleanup_free_ struct own **any = NULL;
	size_t n;

	if (more > b->limits.spool || !peer_room(b, fp, more))
		return false;
	if (!all_fit(b, more)) {
		any = idle(b, NULL, &n);
		for (size_t i = 0; i < n && !all_fit(b, more); i++)
			own_remove(b, any[i]);
	}
	return all_fit(b, more);
}

void
blobs_drop(struct blobs *b, const struct fp *fp, const struct id32 *sha)
{
	struct own *o = own_find(b, fp, sha);

	if (o == NULL)
		return;
	o->needed = false;
	b->needed(b->ctx, fp, mark, b);
	if (!o->needed)
		own_remove(b, o);
}

uint32_t
blobs_expire(struct blobs *b, uint32_t unix_now)
{
	struct blob_part *p, *next;
	uint32_t soonest = PART_IDLE_S;

	for (p = RB_MIN(parts, &b->parts); p != NULL; p = next) {
		uint32_t idle = unix_now > p->used ? unix_now - p->used : 0;

		next = RB_NEXT(parts, &b->parts, p);
		if (idle >= PART_IDLE_S)
			part_remove(b, p, true);
		else
			soonest = MIN_OF(soonest, PART_IDLE_S - idle);
	}
	return soonest;
}

/* ---- upload ---- */

/* Of one whose file was removed or cut no hole is filled up: it begins anew. */
static bool
part_open(struct blobs *b, struct blob_part *p)
{
	int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC;
	char name[PART_NAME];
	struct stat st;

	if (p->fd >= 0)
		return true;
	part_name(name, &p->fp, &p->sha);
	if (p->have > 0) {
		p->fd = openat(b->partial, name, flags);
		if (p->fd >= 0 && fstat(p->fd, &st) == 0 &&
		    (uint64_t)st.st_size >= p->have)
			return true;
		if (p->fd < 0 && errno != ENOENT)
			return false;
		close_fd(&p->fd);
		(void)unlinkat(b->partial, name, 0);
		p->have = p->hashed = 0;
		sha256_init(&p->hash);
	}
	p->fd = openat(b->partial, name, flags | O_CREAT, 0600);
	return p->fd >= 0;
}

/*
 * Open while bytes go in, and not longer: there may be thousands that wait 36
 * hours for the next.
 */
static void
part_shut(struct blob_part *p)
{
	close_fd(&p->fd);
}

/* A new part, or the old one; NULL with *why. */
static struct blob_part *
part_get(struct blobs *b, const struct fp *fp, const struct id32 *sha,
    uint64_t size, bool spare, uint32_t unix_now, enum blob_put *why)
{
	struct blob_part *p = part_of(b, fp, sha);

	*why = BLOB_FULL;
	if (p != NULL && spare && !p->free) {
		b->total -= MIN_OF(b->total, part_charge(p));
		hold(b, fp, 0, part_charge(p));
		p->free = true;
	}
	if (p != NULL && p->have <= size) {
		if (p->size < size) {
			if (!p->free && !blobs_room(b, fp, size - p->size))
				return NULL;
			b->total -= part_charge(p);
			hold(b, fp, 0, part_charge(p));
			p->size = size;
			b->total += part_charge(p);
			hold(b, fp, part_charge(p), 0);
		}
		return p;
	}
	if (p != NULL) /* longer than it is declared: not the same */
		part_remove(b, p, true);
	if (!spare && !blobs_room(b, fp, blobs_charge(size)))
		return NULL;
	*why = BLOB_FAILED;
	if ((p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	p->fp = *fp;
	p->sha = *sha;
	p->fd = -1;
	p->size = size;
	p->used = unix_now;
	p->free = spare;
	sha256_init(&p->hash);
	part_insert(b, p);
	return p;
}

/*
 * After a restart what was here before is hashed from the file: a little at
 * once, the rest by blobs_work(), so that nobody waits for it.
 */
static bool
catch_up(struct blob_part *p, uint64_t most)
{
	_cleanup_free_ uint8_t *buf = NULL;
	uint64_t end = MIN_OF(p->have, p->hashed + most);

	if (p->hashed >= p->have)
		return true;
	if ((buf = malloc(REHASH)) == NULL)
		return false;
	while (p->hashed < end) {
		size_t want = (size_t)MIN_OF(end - p->hashed,
		    (uint64_t)REHASH);

		if (!read_at(p->fd, buf, want, p->hashed))
			return false;
		sha256_update(&p->hash, want, buf);
		p->hashed += want;
	}
	return true;
}

bool
blobs_work(struct blobs *b)
{
	struct blob_part *p;

	RB_FOREACH(p, parts, &b->parts) {
		if (!p->catching)
			continue;
		if (!part_open(b, p) || !catch_up(p, REHASH)) {
			part_remove(b, p, true); /* not to be read: anew */
		} else {
			p->catching = p->hashed < p->have;
			part_shut(p);
		}
		return true;
	}
	return false;
}

bool
blobs_behind(struct blobs *b)
{
	struct blob_part *p;

	RB_FOREACH(p, parts, &b->parts)
		if (p->catching)
			return true;
	return false;
}

/* The last byte is here: check, sync, rename, own. */
static enum blob_put
complete(struct blobs *b, struct blob_part *p, uint32_t unix_now)
{
	struct id32 digest;
	char from[PART_NAME], to[65];
	struct own *o;

	if (!catch_up(p, REHASH)) {
		part_shut(p);
		return BLOB_FAILED;
	}
	sha256_digest(&p->hash, 32, digest.b);
	if (!id32_eq(&digest, &p->sha)) {
		/* what a power cut left of it need not be what was sent */
		bool old = p->old;

		part_remove(b, p, true);
		return old ? BLOB_MORE : BLOB_BAD;
	}
	if (p->free && b->take != NULL &&
	    b->take(b->take_ctx, &p->fp, &p->sha, p->fd, p->size)) {
		part_remove(b, p, true);
		return BLOB_WHOLE;
	}
	part_name(from, &p->fp, &p->sha);
	whole_name(to, &p->sha);
	/* on the disk before the ledger says that it is here */
	if (fdatasync(p->fd) != 0 ||
	    renameat(b->partial, from, b->whole, to) != 0 ||
	    fsync(b->whole) != 0 ||
	    (o = own_add(b, &p->fp, &p->sha, p->size, unix_now)) == NULL) {
		log_warn("blobs/", "an input or output that is whole cannot "
		    "be kept");
		part_remove(b, p, true);
		return BLOB_FAILED;
	}
	(void)ledger_own(b->ledger, &o->fp, &o->sha, o->size, unix_now);
	part_remove(b, p, false);
	return BLOB_WHOLE;
}

static enum blob_put
put(struct blobs *b, const struct fp *fp, const struct id32 *sha,
    uint64_t size, bool spare, uint64_t offset, const uint8_t *data,
    size_t len, uint32_t unix_now, uint64_t *have)
{
	struct blob_part *p;
	enum blob_put why;

	*have = 0;
	if ((p = part_get(b, fp, sha, size, spare, unix_now, &why)) == NULL)
		return why;
	*have = p->have;
	p->catching = p->have - p->hashed > REHASH;
	/* behind a gap, or nothing new; a blob of no bytes is whole at once,
	 * and so is one whose last byte came just before we were killed */
	if (p->have < size && (offset > p->have || len <= p->have - offset))
		return BLOB_MORE;
	if (p->catching)
		return BLOB_LATER;
	if (!part_open(b, p) || !catch_up(p, REHASH))
		goto failed;
	if (p->have < size) {
		size_t skip = (size_t)(p->have - offset);

		if (offset > p->have) { /* it has begun anew */
			part_shut(p);
			*have = p->have;
			return BLOB_MORE;
		}
		if (!write_at(p->fd, data + skip, len - skip, p->have))
			goto failed;
		sha256_update(&p->hash, len - skip, data + skip);
		p->have += len - skip;
		p->hashed = p->have;
	}
	p->used = unix_now;
	*have = p->have;
	if (p->have < p->size) {
		part_shut(p);
		return BLOB_MORE;
	}
	why = complete(b, p, unix_now);
	if (why != BLOB_WHOLE)
		*have = 0;
	return why;
failed:
	part_shut(p);
	log_warn("parts/", "bytes that were sent cannot be kept: the sender "
	    "is told to come again");
	/* what is on the disk beyond `have` is written over by the next try */
	return BLOB_FAILED;
}

enum blob_put
blobs_put(struct blobs *b, const struct fp *fp, const struct id32 *sha,
    uint64_t size, uint64_t offset, const uint8_t *data, size_t len,
    uint32_t unix_now, uint64_t *have)
{
	if (own_find(b, fp, sha) != NULL) {
		*have = size;
		return BLOB_WHOLE;
	}
	return put(b, fp, sha, size, false, offset, data, len, unix_now, have);
}

enum blob_put
blobs_put_free(struct blobs *b, const struct fp *fp, const struct id32 *sha,
    uint64_t size, uint64_t offset, const uint8_t *data, size_t len,
    uint32_t unix_now, uint64_t *have)
{
	return put(b, fp, sha, size, true, offset, data, len, unix_now, have);
}

ssize_t
blobs_get(struct blobs *b, const struct fp *fp, const struct id32 *sha,
    uint64_t offset, uint8_t *buf, size_t n, uint64_t *size)
{
	_cleanup_fd_ int fd = blobs_fd(b, fp, sha);
	size_t got = 0;

	if (fd < 0)
		return -1;
	(void)blobs_has(b, fp, sha, size);
	if (offset >= *size)
		return 0;
	n = (size_t)MIN_OF((uint64_t)n, *size - offset);
	while (got < n) {
		ssize_t r = pread(fd, buf + got, n - got,
		    (off_t)(offset + got));

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return -1;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

int
blobs_fd(struct blobs *b, const struct fp *fp, const struct id32 *sha)
{
	char name[65];

	if (own_find(b, fp, sha) == NULL)
		return -1;
	whole_name(name, sha);
	return openat(b->whole, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}
