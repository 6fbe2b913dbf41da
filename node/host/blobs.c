/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/host/blobs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nettle/sha2.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

/* compute.md 3.2: dropped an hour after the last byte */
#define PART_IDLE_S 3600
/* ours: an empty folder is 1 kB of tar, but a file and rows cost more */
#define BLOB_CHARGE_LEAST 4096
#define REHASH (1u << 20)

/* One owner's claim on a blob. */
struct own {
	RB_ENTRY(own) node;
	struct fp fp;
	struct id32 sha;
	uint64_t size;
	uint32_t used;
};

/* What one peer has sent of one. */
struct blob_part {
	RB_ENTRY(blob_part) node;
	struct fp fp;
	struct id32 sha;
	uint64_t size; /* of the whole; 0: not told since the restart */
	uint64_t have, hashed;
	uint32_t used;
	int fd; /* -1: opened when needed */
	struct sha256_ctx hash;
};

RB_HEAD(owns, own);
RB_HEAD(parts, blob_part);

struct blobs {
	int dir, whole, partial; /* directories */
	struct ledger *ledger;
	struct blobs_limits limits;
	blobs_needed_fn *needed;
	void *ctx;
	struct owns owns;
	struct parts parts;
	uint64_t total;
	uint64_t serial; /* of temporary names */
};

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

static uint64_t
charge(uint64_t size)
{
	return MAX_OF(size, (uint64_t)BLOB_CHARGE_LEAST);
}

static void
whole_name(char out[65], const struct id32 *sha)
{
	hex_encode(out, HASH_BYTES(*sha));
}

#define PART_NAME 98
static void
part_name(char out[PART_NAME], const struct fp *fp, const struct id32 *sha)
{
	hex_encode(out, fp->b, 16);
	out[32] = '-';
	hex_encode(out + 33, HASH_BYTES(*sha));
}

static struct own *
own_find(struct blobs *b, const struct fp *fp, const struct id32 *sha)
{
	struct own key;

	key.fp = *fp;
	key.sha = *sha;
	return RB_FIND(owns, &b->owns, &key);
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
static bool
owned_by_any(struct blobs *b, const struct id32 *sha)
{
	struct own key, *o;

	key.sha = *sha;
	memset(&key.fp, 0, sizeof(key.fp));
	o = RB_NFIND(owns, &b->owns, &key);
	return o != NULL && id32_eq(&o->sha, sha);
}

static struct own *
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
	if (first)
		b->total += charge(size);
	return o;
}

static void
own_remove(struct blobs *b, struct own *o)
{
	char name[65];

	(void)RB_REMOVE(owns, &b->owns, o);
	(void)ledger_disown(b->ledger, &o->fp, &o->sha);
	if (!owned_by_any(b, &o->sha)) {
		whole_name(name, &o->sha);
		(void)unlinkat(b->whole, name, 0);
		b->total -= MIN_OF(b->total, charge(o->size));
	}
	free(o);
}

static void
part_remove(struct blobs *b, struct blob_part *p, bool file)
{
	char name[PART_NAME];

	(void)RB_REMOVE(parts, &b->parts, p);
	b->total -= MIN_OF(b->total, charge(p->size));
	if (p->fd >= 0)
		(void)close(p->fd);
	if (file) {
		part_name(name, &p->fp, &p->sha);
		(void)unlinkat(b->partial, name, 0);
	}
	free(p);
}

/* ---- start ---- */

static int
subdir(int dir, const char *name)
{
	if (mkdirat(dir, name, 0700) != 0 && errno != EEXIST)
		return -1;
	return openat(dir, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* A claim of the ledger counts when the file is there with its size. */
static void
restore_own(void *ctx, const struct fp *fp, const struct id32 *sha,
    uint64_t size, uint32_t used)
{
	struct blobs *b = ctx;
	char name[65];
	struct stat st;

	whole_name(name, sha);
	if (fstatat(b->whole, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(st.st_mode) || (uint64_t)st.st_size != size) {
		(void)ledger_disown(b->ledger, fp, sha);
		return;
	}
	(void)own_add(b, fp, sha, size, used);
}

typedef void entry_fn(struct blobs *, const char *name);

static void
each_entry(struct blobs *b, int dir, entry_fn *fn)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = dir_take(fd);
	struct dirent *de;

	if (d == NULL)
		return;
	while ((de = readdir(d)) != NULL) {
		if (de->d_name[0] != '.')
			fn(b, de->d_name);
	}
	(void)closedir(d);
}

static void
sweep_whole(struct blobs *b, const char *name)
{
	struct id32 sha;

	if (!hex_decode(HASH_BYTES(sha), name, strlen(name)) ||
	    !owned_by_any(b, &sha))
		(void)unlinkat(b->whole, name, 0);
}

/*
 * The rest of the fingerprint is not in a part's name: it is found again when
 * its peer goes on, by the first 16 bytes, which are all that is compared then.
 */
static void
restore_part(struct blobs *b, const char *name)
{
	struct blob_part *p = calloc(1, sizeof(*p));
	struct stat st;

	if (p == NULL)
		return;
	if (strlen(name) != PART_NAME - 1 || name[32] != '-' ||
	    !hex_decode(p->fp.b, 16, name, 32) ||
	    !hex_decode(HASH_BYTES(p->sha), name + 33, 64) ||
	    fstatat(b->partial, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(st.st_mode)) {
		(void)unlinkat(b->partial, name, 0);
		free(p);
		return;
	}
	p->fd = -1;
	p->have = p->size = (uint64_t)st.st_size;
	p->used = (uint32_t)st.st_mtime;
	sha256_init(&p->hash);
	(void)RB_INSERT(parts, &b->parts, p);
	b->total += charge(p->size);
}

struct blobs *
blobs_open(int dir, struct ledger *l, const struct blobs_limits *limits,
    blobs_needed_fn *needed, void *ctx)
{
	struct blobs *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->dir = dir;
	b->ledger = l;
	b->limits = *limits;
	b->needed = needed;
	b->ctx = ctx;
	RB_INIT(&b->owns);
	RB_INIT(&b->parts);
	b->whole = subdir(dir, "blobs");
	b->partial = subdir(dir, "parts");
	if (b->whole < 0 || b->partial < 0 ||
	    ledger_owned(l, restore_own, b) != 0) {
		blobs_close(b);
		return NULL;
	}
	each_entry(b, b->whole, sweep_whole);
	each_entry(b, b->partial, restore_part);
	return b;
}

void
blobs_close(struct blobs *b)
{
	struct own *o;
	struct blob_part *p;

	if (b == NULL)
		return;
	while ((o = RB_MIN(owns, &b->owns)) != NULL) {
		(void)RB_REMOVE(owns, &b->owns, o);
		free(o);
	}
	while ((p = RB_MIN(parts, &b->parts)) != NULL)
		part_remove(b, p, false);
	if (b->whole >= 0)
		(void)close(b->whole);
	if (b->partial >= 0)
		(void)close(b->partial);
	free(b);
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
blobs_held(struct blobs *b, const struct fp *fp)
{
	struct own *o;
	struct blob_part *p;
	uint64_t sum = 0;

	RB_FOREACH(o, owns, &b->owns) {
		if (fp_eq(&o->fp, fp))
			sum += charge(o->size);
	}
	RB_FOREACH(p, parts, &b->parts) {
		if (memcmp(p->fp.b, fp->b, 16) == 0)
			sum += charge(p->size);
	}
	return sum;
}

uint64_t
blobs_total(struct blobs *b)
{
	return b->total;
}

/* The one that was used longest ago and that nobody needs; fp NULL: any. */
static struct own *
oldest(struct blobs *b, const struct fp *fp)
{
	struct own *o, *best = NULL;

	RB_FOREACH(o, owns, &b->owns) {
		if ((fp == NULL || fp_eq(&o->fp, fp)) &&
		    (best == NULL || o->used < best->used) &&
		    !b->needed(b->ctx, &o->fp, &o->sha))
			best = o;
	}
	return best;
}

bool
blobs_room(struct blobs *b, const struct fp *fp, uint64_t more)
{
	struct own *o;

	if (more > b->limits.peer_spool || more > b->limits.spool)
		return false;
	while (blobs_held(b, fp) > b->limits.peer_spool - more) {
		if ((o = oldest(b, fp)) == NULL)
			return false;
		own_remove(b, o);
	}
	while (b->total > b->limits.spool - more) {
		if ((o = oldest(b, NULL)) == NULL)
			return false;
		own_remove(b, o);
	}
	return true;
}

void
blobs_drop(struct blobs *b, const struct fp *fp, const struct id32 *sha)
{
	struct own *o = own_find(b, fp, sha);

	if (o != NULL && !b->needed(b->ctx, fp, sha))
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

static bool
part_open(struct blobs *b, struct blob_part *p)
{
	char name[PART_NAME];

	if (p->fd >= 0)
		return true;
	part_name(name, &p->fp, &p->sha);
	p->fd = openat(b->partial, name,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return p->fd >= 0;
}

/* A new part, or the old one; NULL with *why. */
static struct blob_part *
part_get(struct blobs *b, const struct fp *fp, const struct id32 *sha,
    uint64_t size, uint32_t unix_now, enum blob_put *why)
{
	struct blob_part *p = part_of(b, fp, sha);

	*why = BLOB_FULL;
	if (p != NULL && p->have <= size) {
		if (p->size < size) {
			if (!blobs_room(b, fp, size - p->size))
				return NULL;
			b->total += charge(size) - charge(p->size);
			p->size = size;
		}
		return p;
	}
	if (p != NULL) /* longer than it is declared: not the same */
		part_remove(b, p, true);
	if (!blobs_room(b, fp, size))
		return NULL;
	*why = BLOB_FAILED;
	if ((p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	p->fp = *fp;
	p->sha = *sha;
	p->fd = -1;
	p->size = size;
	p->used = unix_now;
	sha256_init(&p->hash);
	(void)RB_INSERT(parts, &b->parts, p);
	b->total += charge(size);
	return p;
}

/* After a restart: hash what was here before, from the file. */
static bool
catch_up(struct blob_part *p)
{
	_cleanup_free_ uint8_t *buf = NULL;

	if (p->hashed >= p->have)
		return true;
	if ((buf = malloc(REHASH)) == NULL)
		return false;
	while (p->hashed < p->have) {
		size_t want = (size_t)MIN_OF(p->have - p->hashed,
		    (uint64_t)REHASH);
		ssize_t n = pread(p->fd, buf, want, (off_t)p->hashed);

		if (n <= 0)
			return false;
		sha256_update(&p->hash, (size_t)n, buf);
		p->hashed += (uint64_t)n;
	}
	return true;
}

static bool
write_at(int fd, const uint8_t *p, size_t n, uint64_t at)
{
	while (n > 0) {
		ssize_t w = pwrite(fd, p, n, (off_t)at);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return false;
		p += w;
		at += (uint64_t)w;
		n -= (size_t)w;
	}
	return true;
}

/* The last byte is here: check, sync, rename, own. */
static enum blob_put
complete(struct blobs *b, struct blob_part *p, uint32_t unix_now)
{
	struct id32 digest;
	char from[PART_NAME], to[65];
	struct own *o;

	if (!catch_up(p))
		return BLOB_FAILED;
	sha256_digest(&p->hash, 32, digest.b);
	if (!id32_eq(&digest, &p->sha)) {
		part_remove(b, p, true);
		return BLOB_BAD;
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

enum blob_put
blobs_put(struct blobs *b, const struct fp *fp, const struct id32 *sha,
    uint64_t size, uint64_t offset, const uint8_t *data, size_t len,
    uint32_t unix_now, uint64_t *have)
{
	struct blob_part *p;
	enum blob_put why;

	*have = 0;
	if (own_find(b, fp, sha) != NULL) {
		*have = size;
		return BLOB_WHOLE;
	}
	if ((p = part_get(b, fp, sha, size, unix_now, &why)) == NULL)
		return why;
	*have = p->have;
	/* behind a gap, or nothing new; a blob of no bytes is whole at once,
	 * and so is one whose last byte came just before we were killed */
	if (p->have < size && (offset > p->have || len <= p->have - offset))
		return BLOB_MORE;
	if (!part_open(b, p) || !catch_up(p))
		goto failed;
	if (p->have < size) {
		size_t skip = (size_t)(p->have - offset);

		if (!write_at(p->fd, data + skip, len - skip, p->have))
			goto failed;
		sha256_update(&p->hash, len - skip, data + skip);
		p->have += len - skip;
		p->hashed = p->have;
	}
	p->used = unix_now;
	*have = p->have;
	if (p->have < p->size)
		return BLOB_MORE;
	why = complete(b, p, unix_now);
	if (why != BLOB_WHOLE)
		*have = 0;
	return why;
failed:
	why = errno == ENOSPC || errno == EDQUOT ? BLOB_FULL : BLOB_FAILED;
	log_warn("parts/", "bytes that were sent cannot be kept: the sender "
	    "is told to come again");
	/* what is on the disk beyond `have` is written over by the next try */
	return why;
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

/* ---- outputs ---- */

struct blob_writer {
	struct blobs *b;
	int fd;
	char name[40];
	uint64_t size;
	struct sha256_ctx hash;
};

struct blob_writer *
blob_writer_open(struct blobs *b)
{
	struct blob_writer *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->b = b;
	sha256_init(&w->hash);
	/* swept at the next start if it stays */
	(void)snprintf(w->name, sizeof(w->name), "out-%llu",
	    (unsigned long long)++b->serial);
	w->fd = openat(b->whole, w->name,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (w->fd < 0) {
		free(w);
		return NULL;
	}
	return w;
}

int
blob_writer_add(struct blob_writer *w, const uint8_t *p, size_t n)
{
	if (!write_at(w->fd, p, n, w->size))
		return -1;
	sha256_update(&w->hash, n, p);
	w->size += n;
	return 0;
}

uint64_t
blob_writer_size(const struct blob_writer *w)
{
	return w->size;
}

int
blob_writer_finish(struct blob_writer *w, const struct fp *fp,
    uint32_t unix_now, struct id32 *sha, uint64_t *size)
{
	char name[65];
	struct blobs *b = w->b;

	sha256_digest(&w->hash, 32, sha->b);
	whole_name(name, sha);
	*size = w->size;
	if (fdatasync(w->fd) != 0 ||
	    renameat(b->whole, w->name, b->whole, name) != 0 ||
	    fsync(b->whole) != 0 ||
	    own_add(b, fp, sha, w->size, unix_now) == NULL) {
		blob_writer_abort(w);
		return -1;
	}
	(void)ledger_own(b->ledger, fp, sha, w->size, unix_now);
	(void)close(w->fd);
	free(w);
	return 0;
}

void
blob_writer_abort(struct blob_writer *w)
{
	if (w == NULL)
		return;
	(void)unlinkat(w->b->whole, w->name, 0);
	(void)close(w->fd);
	free(w);
}
