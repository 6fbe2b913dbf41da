/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/host/volumes_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"

static int
cmp_volume(struct volume *a, struct volume *b)
{
	int c = fp_cmp(&a->fp, &b->fp);

	return c != 0 ? c : id32_cmp(&a->sha, &b->sha);
}

TREE_PROTOTYPE(volume_tree, volume, node, cmp_volume)
TREE_GENERATE(volume_tree, volume, node, cmp_volume)

struct volume *
volume_find(struct volumes *vs, const struct fp *fp, const struct id32 *sha)
{
	struct volume key;

	key.fp = *fp;
	key.sha = *sha;
	return RB_FIND(volume_tree, &vs->all, &key);
}

struct volume *
volume_next(struct volumes *vs, struct volume *v)
{
	return v == NULL ? RB_MIN(volume_tree, &vs->all) :
	    RB_NEXT(volume_tree, &vs->all, v);
}

/* The same of one owner. */
static struct volume *
next_of(struct volumes *vs, const struct fp *fp, struct volume *v)
{
	struct volume key = {.fp = *fp};

	v = v == NULL ? RB_NFIND(volume_tree, &vs->all, &key) :
	    RB_NEXT(volume_tree, &vs->all, v);
	return v != NULL && fp_eq(&v->fp, fp) ? v : NULL;
}

void
volume_insert(struct volumes *vs, struct volume *v)
{
	(void)RB_INSERT(volume_tree, &vs->all, v);
}

void
volume_queue(struct volumes *vs, struct volume *v)
{
	if (!v->queued)
		TAILQ_INSERT_TAIL(&vs->turns, v, turn);
	v->queued = true;
}

void
volume_unqueue(struct volumes *vs, struct volume *v)
{
	if (v->queued)
		TAILQ_REMOVE(&vs->turns, v, turn);
	v->queued = false;
}

void
volume_free(struct volumes *vs, struct volume *v)
{
	volume_unqueue(vs, v);
	(void)RB_REMOVE(volume_tree, &vs->all, v);
	claim_end(vs->b, &v->claim);
	chunk_table_free(&v->t);
	free(v->from_list);
	free(v->list);
	free(v->here);
	free(v);
}

void
volume_drop(struct volumes *vs, struct volume *v)
{
	char name[LIST_NAME];

	list_name(name, &v->fp, &v->sha);
	(void)unlinkat(vs->gaps, name, 0);
	(void)unlinkat(vs->b->lists, name, 0);
	volume_free(vs, v);
}

int
volume_open(const struct volumes *vs, const struct volume *v)
{
	char name[LIST_NAME];

	list_name(name, &v->fp, &v->sha);
	return openat(vs->gaps, name,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* ---- places ---- */

bool
volume_is_here(const struct volume *v, uint32_t i)
{
	return (v->here[i / 8] & 1u << i % 8) != 0;
}

void
volume_digest(struct id32 *out, const uint8_t *p, size_t n)
{
	struct sha256_ctx st;

	sha256_init(&st);
	sha256_update(&st, n, p);
	sha256_digest(&st, 32, out->b);
}

/* Past what is here; a tail is of the place that it was. */
void
volume_advance(struct volume *v)
{
	uint32_t was = v->next;

	while (v->next < v->t.l.n && volume_is_here(v, v->next))
		v->next++;
	if (v->next != was)
		v->tail = 0;
}

void
volume_mark(struct volume *v, uint32_t i)
{
	v->here[i / 8] |= (uint8_t)(1u << i % 8);
	v->lacking--;
}

/* A chunk that was checked goes to all places that lack it. */
bool
volume_place(struct volume *v, int fd, const struct id32 *sha, const uint8_t *p)
{
	uint32_t k;
	bool any = chunk_find(&v->t, sha, &k);

	for (; any; any = chunk_next_same(&v->t, &k)) {
		uint32_t i = v->t.order[k];

		if (volume_is_here(v, i))
			continue;
		if (!write_at(fd, p, chunk_size(&v->t.l, i), v->t.at[i]))
			return false;
		volume_mark(v, i);
	}
	volume_advance(v);
	return true;
}

bool
volume_lacks(const struct volume *v, const struct id32 *sha)
{
	uint32_t k;
	bool any = chunk_find(&v->t, sha, &k);

	for (; any; any = chunk_next_same(&v->t, &k))
		if (!volume_is_here(v, v->t.order[k]))
			return true;
	return false;
}

/* All of it has come, or what lacks is known now. */
void
volume_settled(struct volumes *vs, struct volume *v)
{
	v->at = v->lacking == 0 ? AT_HASH : AT_OPEN;
	v->hashed = 0;
	if (v->at == AT_OPEN) {
		volume_unqueue(vs, v);
		return;
	}
	sha256_init(&v->hash);
	volume_queue(vs, v);
}

/* ---- what lacks ---- */

enum volume_is
volumes_lacks(struct volumes *vs, const struct fp *fp, const struct id32 *sha,
    struct id32 *out, unsigned max, unsigned *n, bool *more)
{
	struct volume *v = volume_find(vs, fp, sha);
	uint32_t k;

	if (v == NULL)
		return VOLUME_NONE;
	if (v->at == AT_HASH)
		return VOLUME_ALL;
	if (v->at != AT_OPEN)
		return VOLUME_LATER;
	for (uint32_t i = v->next; i < v->t.l.n; i++) {
		const struct id32 *d = chunk_digest(&v->t.l, i);

		/* each once: where it comes first */
		if (volume_is_here(v, i) || !chunk_find(&v->t, d, &k) ||
		    v->t.order[k] != i)
			continue;
		if (*n == max) {
			*more = true;
			break;
		}
		out[(*n)++] = *d;
	}
	return VOLUME_LACKS;
}

bool
volumes_chunk(struct volumes *vs, const struct fp *fp, const struct id32 *chunk,
    struct id32 *whole, uint64_t *size)
{
	struct volume *v = NULL;
	uint32_t k;

	while ((v = next_of(vs, fp, v)) != NULL) {
		if (v->list == NULL || !chunk_find(&v->t, chunk, &k))
			continue;
		*whole = v->sha;
		*size = chunk_size(&v->t.l, v->t.order[k]);
		return true;
	}
	return false;
}

/* Each chunk that lacks, once, without what is there of the first. */
static uint64_t
lacking_bytes(const struct volume *v)
{
	uint64_t sum = 0;
	uint32_t k;

	for (uint32_t i = v->next; i < v->t.l.n; i++)
		if (!volume_is_here(v, i) &&
		    chunk_find(&v->t, chunk_digest(&v->t.l, i), &k) &&
		    v->t.order[k] == i)
			sum += chunk_size(&v->t.l, i);
	return sum - MIN_OF((uint64_t)v->tail, sum);
}

static uint64_t
rest_of(struct volumes *vs, const struct fp *fp, const struct blob_ref *ref)
{
	return ref->size - MIN_OF(blobs_have(vs->b, fp, &ref->sha256),
	    ref->size);
}

uint64_t
volumes_to_come(struct volumes *vs, const struct fp *fp,
    const struct blob_ref *whole, const struct blob_ref *list)
{
	const struct volume *v = volume_find(vs, fp, &whole->sha256);
	uint64_t sum;

	if (v != NULL && v->at == AT_HASH)
		return 0;
	if (v != NULL && v->at == AT_OPEN)
		return lacking_bytes(v);
	/* the list is here, and what lacks is being found out */
	if (v != NULL)
		return whole->size;
	sum = rest_of(vs, fp, whole);
	if (list != NULL && sum > 0)
		sum += MIN_OF(rest_of(vs, fp, list), UINT64_MAX - sum);
	return sum;
}

uint64_t
volumes_claimed(struct volumes *vs, const struct fp *fp, const struct id32 *sha)
{
	const struct volume *v = volume_find(vs, fp, sha);

	return v == NULL ? blobs_claimed(vs->b, fp, sha) : v->claim.bytes;
}

/* ---- bytes that come ---- */

static enum blob_put
failed(void)
{
	log_warn("gaps/", "bytes that were sent cannot be kept: the sender "
	    "is told to come again");
	return BLOB_FAILED;
}

/* To every volume of this owner that lacks it. */
static bool
place_all(struct volumes *vs, const struct fp *fp, const struct id32 *sha,
    const uint8_t *p)
{
	struct volume *v = NULL;

	while ((v = next_of(vs, fp, v)) != NULL) {
		_cleanup_fd_ int fd = -1;

		if (v->list == NULL ||
		    v->at == AT_HASH || !volume_lacks(v, sha))
			continue;
		if ((fd = volume_open(vs, v)) < 0 || !volume_place(v, fd, sha, p))
			return false;
		if (v->at == AT_OPEN && v->lacking == 0)
			volume_settled(vs, v);
	}
	return true;
}

/* One that came in pieces is whole: struct blobs' take(). */
bool
volumes_take(void *ctx, const struct fp *fp, const struct id32 *sha, int fd,
    uint64_t size)
{
	struct volumes *vs = ctx;
	struct id32 whole;
	uint64_t is;
	uint8_t buf[CHUNK_MAX];

	if (size > sizeof(buf) || !volumes_chunk(vs, fp, sha, &whole, &is) ||
	    is != size || !read_at(fd, buf, (size_t)size, 0))
		return false;
	return place_all(vs, fp, sha, buf);
}

/* Somebody is still looked at, or it is here everywhere. */
static bool
chunk_state(struct volumes *vs, const struct fp *fp, const struct id32 *sha,
    bool *later, uint32_t unix_now)
{
	struct volume *v = NULL;
	bool any = false;

	*later = false;
	while ((v = next_of(vs, fp, v)) != NULL) {
		uint32_t k;

		if (v->list == NULL ||
		    !chunk_find(&v->t, sha, &k))
			continue;
		*later |= v->at < AT_OPEN;
		v->used = unix_now;
		any |= volume_lacks(v, sha);
	}
	return any;
}

enum blob_put
volumes_put_chunk(struct volumes *vs, const struct fp *fp,
    const struct id32 *sha, uint64_t size, uint64_t offset,
    const uint8_t *data, size_t len, uint32_t unix_now, uint64_t *have)
{
	struct id32 d;
	bool later;

	*have = size;
	if (!chunk_state(vs, fp, sha, &later, unix_now))
		return BLOB_WHOLE;
	*have = 0;
	if (later)
		return BLOB_LATER;
	if (offset != 0 || len != size)
		return blobs_put_free(vs->b, fp, sha, size, offset, data, len,
		    unix_now, have);
	volume_digest(&d, data, len);
	part_drop(vs->b, fp, sha);
	if (!id32_eq(&d, sha))
		return BLOB_BAD;
	if (!place_all(vs, fp, sha, data))
		return failed();
	*have = size;
	return BLOB_WHOLE;
}

/* The place that lacks its chunk has all its bytes: are they those? */
static bool
check_tail(struct volumes *vs, struct volume *v, int fd)
{
	uint32_t size = chunk_size(&v->t.l, v->next);
	const struct id32 *want = chunk_digest(&v->t.l, v->next);
	uint8_t buf[CHUNK_MAX];
	struct id32 d;

	v->tail = 0;
	if (!read_at(fd, buf, size, v->t.at[v->next]))
		return false;
	volume_digest(&d, buf, size);
	return id32_eq(&d, want) && place_all(vs, &v->fp, want, buf);
}

static enum blob_put
put_beginning(struct volumes *vs, struct volume *v, uint64_t offset,
    const uint8_t *data, size_t len, uint64_t *have)
{
	_cleanup_fd_ int fd = -1;
	uint64_t end = offset + len;

	*have = v->t.at[v->next] + v->tail;
	if (offset > *have || end <= *have)
		return BLOB_MORE;
	if ((fd = volume_open(vs, v)) < 0)
		return failed();
	while (v->at == AT_OPEN && *have < end) {
		uint32_t left = chunk_size(&v->t.l, v->next) - v->tail;
		size_t n = (size_t)MIN_OF(end - *have, (uint64_t)left);

		if (!write_at(fd, data + (*have - offset), n, *have))
			return failed();
		v->tail += (uint32_t)n;
		if (n == left && !check_tail(vs, v, fd)) {
			bool lost = v->doubt;

			v->doubt = false;
			*have = lost ? v->t.at[v->next] : 0;
			return lost ? BLOB_MORE : BLOB_BAD;
		}
		v->doubt = v->doubt && n != left;
		*have = v->t.at[v->next] + v->tail;
	}
	return BLOB_MORE;
}

static bool
is_list(struct volumes *vs, const struct fp *fp, const struct id32 *sha)
{
	struct volume *v = NULL;

	while ((v = next_of(vs, fp, v)) != NULL)
		if (v->list != NULL && id32_eq(&v->list_sha, sha))
			return true;
	return false;
}

/* A blob of its own may be a chunk as well. */
static void
offer(struct volumes *vs, const struct fp *fp, const struct id32 *sha,
    uint64_t size)
{
	_cleanup_fd_ int fd = -1;
	struct id32 whole;
	uint64_t is;

	if (size <= CHUNK_MAX && volumes_chunk(vs, fp, sha, &whole, &is) &&
	    (fd = blobs_fd(vs->b, fp, sha)) >= 0)
		(void)volumes_take(vs, fp, sha, fd, size);
}

enum blob_put
volumes_put(struct volumes *vs, const struct fp *fp, const struct id32 *sha,
    uint64_t size, uint64_t offset, const uint8_t *data, size_t len,
    uint32_t unix_now, uint64_t *have)
{
	struct volume *v = volume_find(vs, fp, sha);

	/* a list that a volume has taken, once more: its answer was lost */
	if (v == NULL && is_list(vs, fp, sha)) {
		*have = size;
		return BLOB_WHOLE;
	}
	if (v == NULL || blobs_has(vs->b, fp, sha, NULL)) {
		enum blob_put r = blobs_put(vs->b, fp, sha, size, offset, data,
		    len, unix_now, have);

		if (r == BLOB_WHOLE)
			offer(vs, fp, sha, size);
		return r;
	}
	v->used = unix_now;
	*have = size;
	if (v->at == AT_HASH)
		return BLOB_MORE; /* to come: it is whole or gone soon */
	*have = 0;
	if (v->at != AT_OPEN)
		return BLOB_LATER;
	return put_beginning(vs, v, offset, data, len, have);
}
