/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fakehost.h"
#include "transport/core/base/crypt.h"
#include "trust/doc/manifest_record.h"

#define START_UNIX INT64_C(1800000000)

/* The spool of the pretended node: a table in memory. */
static struct fake_blob *
blob_of(struct world *w, const struct fp *fp, const struct id32 *sha)
{
	for (unsigned i = 0; i < w->nblobs; i++) {
		if (fp_eq(&w->blobs[i].fp, fp) &&
		    id32_eq(&w->blobs[i].sha, sha))
			return &w->blobs[i];
	}
	return NULL;
}

bool
fake_has(void *ctx, const struct fp *fp, const struct id32 *sha, uint64_t *size)
{
	struct fake_blob *b = blob_of(ctx, fp, sha);

	if (b == NULL || !b->whole)
		return false;
	if (size != NULL)
		*size = b->size;
	return true;
}

uint64_t
fake_claimed(void *ctx, const struct fp *fp, const struct id32 *sha)
{
	struct fake_blob *b = blob_of(ctx, fp, sha);

	return b == NULL ? 0 : b->size;
}

static struct fake_blob *
blob_make(struct world *w, const struct fp *fp, const struct id32 *sha,
    uint64_t size)
{
	struct fake_blob *b = &w->blobs[w->nblobs++];

	assert_true(w->nblobs <= FAKE_BLOBS);
	b->fp = *fp;
	b->sha = *sha;
	b->size = size;
	b->have = 0;
	b->whole = false;
	b->data = calloc(1, size + 1);
	assert_non_null(b->data);
	return b;
}

enum blob_put
fake_put(void *ctx, const struct fp *fp, const struct id32 *sha, uint64_t size,
    uint64_t offset, const uint8_t *data, size_t n, uint64_t *have)
{
	struct fake_blob *b = blob_of(ctx, fp, sha);
	struct id32 digest;

	if (b == NULL)
		b = blob_make(ctx, fp, sha, size);
	if (offset <= b->have && offset + n > b->have) {
		memcpy(b->data + offset, data, n);
		b->have = offset + n;
	}
	*have = b->have;
	if (b->have < size)
		return BLOB_MORE;
	crypt_sha256(&digest, b->data, size);
	b->whole = id32_eq(&digest, sha);
	if (b->whole)
		return BLOB_WHOLE;
	b->have = *have = 0;
	return BLOB_BAD;
}

/* ---- volumes in chunks ---- */

static struct fake_volume *
volume_of(struct world *w, const struct fp *fp, const struct id32 *sha)
{
	for (unsigned i = 0; i < w->nvolumes; i++) {
		struct fake_volume *v = &w->volumes[i];

		if (!v->over && fp_eq(&v->fp, fp) && id32_eq(&v->sha, sha))
			return v;
	}
	return NULL;
}

/* All chunks are blobs: the whole is one, or its jobs are refused. */
static void
join(struct world *w, struct fake_volume *v)
{
	struct fake_blob *b;
	uint64_t at = 0;
	struct id32 d;

	for (uint32_t i = 0; i < v->list.n; i++)
		if (!fake_has(w, &v->fp, chunk_digest(&v->list, i), NULL))
			return;
	v->over = true;
	b = blob_make(w, &v->fp, &v->sha, v->list.total);
	for (uint32_t i = 0; i < v->list.n; i++) {
		struct fake_blob *c = blob_of(w, &v->fp,
		    chunk_digest(&v->list, i));

		memcpy(b->data + at, c->data, c->size);
		at += c->size;
	}
	crypt_sha256(&d, b->data, b->size);
	b->whole = id32_eq(&d, &v->sha);
	b->have = b->size;
	if (b->whole)
		inputs_came(&w->n, &v->fp, &v->sha, true);
	else
		inputs_bad(&w->n, &v->fp, &v->sha, "not the whole");
}

enum volume_is
fake_begin(void *ctx, const struct fp *fp, const struct blob_ref *whole,
    const struct blob_ref *list, const char **why)
{
	struct world *w = ctx;
	struct fake_blob *b = blob_of(w, fp, &list->sha256);
	struct fake_volume *v = &w->volumes[w->nvolumes];

	assert_true(w->nvolumes < FAKE_VOLUMES && b != NULL && b->whole);
	if (!chunk_list_read(&v->list, b->data, b->size, why))
		return VOLUME_BAD;
	*why = "it is of another size";
	if (v->list.total != whole->size)
		return VOLUME_BAD;
	v->fp = *fp;
	v->sha = whole->sha256;
	w->nvolumes++;
	return w->volumes_later ? VOLUME_LATER : VOLUME_LACKS;
}

enum volume_is
fake_lacks(void *ctx, const struct fp *fp, const struct id32 *whole,
    struct id32 *out, unsigned max, unsigned *n, bool *more)
{
	struct world *w = ctx;
	struct fake_volume *v = volume_of(w, fp, whole);

	if (v == NULL)
		return VOLUME_NONE;
	if (w->volumes_later)
		return VOLUME_LATER;
	for (uint32_t i = 0; i < v->list.n; i++) {
		bool twice = false;

		for (uint32_t k = 0; k < i; k++)
			twice |= id32_eq(chunk_digest(&v->list, k),
			    chunk_digest(&v->list, i));
		if (twice ||
		    fake_has(w, fp, chunk_digest(&v->list, i), NULL))
			continue;
		if (*n == max)
			*more = true;
		else
			out[(*n)++] = *chunk_digest(&v->list, i);
	}
	return VOLUME_LACKS;
}

uint64_t
fake_to_come(void *ctx, const struct fp *fp, const struct blob_ref *whole,
    const struct blob_ref *list)
{
	struct fake_volume *v = volume_of(ctx, fp, &whole->sha256);
	struct fake_blob *b = blob_of(ctx, fp, &whole->sha256);
	uint64_t sum = 0;

	if (v == NULL) {
		sum = whole->size - (b == NULL ? 0 : b->have);
		b = list == NULL ? NULL : blob_of(ctx, fp, &list->sha256);
		return list == NULL || sum == 0 ? sum :
		    sum + list->size - (b == NULL ? 0 : b->have);
	}
	for (uint32_t i = 0; i < v->list.n; i++) {
		bool twice = false;

		for (uint32_t k = 0; k < i; k++)
			twice |= id32_eq(chunk_digest(&v->list, k),
			    chunk_digest(&v->list, i));
		if (!twice &&
		    !fake_has(ctx, fp, chunk_digest(&v->list, i), NULL))
			sum += chunk_size(&v->list, i);
	}
	return sum;
}

bool
fake_chunk_of(void *ctx, const struct fp *fp, const struct id32 *chunk,
    struct id32 *whole, uint64_t *size)
{
	struct world *w = ctx;

	for (unsigned i = 0; i < w->nvolumes; i++) {
		struct fake_volume *v = &w->volumes[i];

		for (uint32_t k = 0; !v->over && k < v->list.n; k++) {
			if (!fp_eq(&v->fp, fp) ||
			    !id32_eq(chunk_digest(&v->list, k), chunk))
				continue;
			*whole = v->sha;
			*size = chunk_size(&v->list, k);
			return true;
		}
	}
	return false;
}

void
fake_chunks_here(void *ctx, const struct fp *fp, const struct id32 *d,
    unsigned n, bool *here)
{
	for (unsigned i = 0; i < n; i++)
		here[i] |= fake_has(ctx, fp, &d[i], NULL);
}

enum blob_put
fake_chunk_put(void *ctx, const struct fp *fp, const struct id32 *sha,
    uint64_t size, uint64_t offset, const uint8_t *data, size_t n,
    uint64_t *have)
{
	struct world *w = ctx;
	enum blob_put r = fake_put(ctx, fp, sha, size, offset, data, n, have);

	for (unsigned i = 0; r == BLOB_WHOLE && i < w->nvolumes; i++)
		if (!w->volumes[i].over)
			join(w, &w->volumes[i]);
	return r;
}

ssize_t
fake_get(void *ctx, const struct fp *fp, const struct id32 *sha,
    uint64_t offset, uint8_t *buf, size_t n, uint64_t *size)
{
	struct fake_blob *b = blob_of(ctx, fp, sha);

	if (b == NULL || !b->whole)
		return -1;
	*size = b->size;
	if (offset >= b->size)
		return 0;
	n = (size_t)MIN_OF((uint64_t)n, b->size - offset);
	memcpy(buf, b->data + offset, n);
	return (ssize_t)n;
}

uint64_t
fake_held(void *ctx, const struct fp *fp)
{
	struct world *w = ctx;
	uint64_t sum = 0;

	for (unsigned i = 0; i < w->nblobs; i++) {
		if (fp_eq(&w->blobs[i].fp, fp) && w->blobs[i].have > 0)
			sum += w->blobs[i].size;
	}
	return sum;
}

bool
fake_room(void *ctx, const struct fp *fp, uint64_t more)
{
	(void)ctx;
	(void)fp->b;
	(void)more;
	return true;
}

void
fake_blob_fn(void *ctx, const struct fp *fp, const struct id32 *sha)
{
	(void)ctx;
	(void)fp->b;
	(void)sha->b;
}

uint64_t
fake_disk(void *ctx)
{
	return ((struct world *)ctx)->disk_free;
}

bool
fake_readonly(void *ctx)
{
	return ((struct world *)ctx)->disk_readonly;
}

/* ---- images ---- */

enum image_state
fake_image(void *ctx, const struct manifest *m, struct id32 *digest)
{
	(void)m;
	memset(digest, 0x11, sizeof(*digest));
	return ((struct world *)ctx)->image;
}

uint32_t
fake_image_rules(void *ctx, const struct id32 *digest)
{
	const struct world *w = ctx;

	(void)digest;
	return w->image_rules;
}

enum image_state
fake_image_here(void *ctx, const struct id32 *digest)
{
	(void)digest->b;
	return ((struct world *)ctx)->image;
}

bool
fake_image_named(void *ctx, struct pstr name, struct id32 *digest)
{
	(void)ctx;
	memset(digest, 0x11, sizeof(*digest));
	return pstr_is(name, "test:1");
}

/* As long as its number says, in letters. */
ssize_t
fake_image_part(void *ctx, const struct id32 *image, uint64_t part,
    uint64_t offset, uint8_t *buf, size_t n, uint64_t *size)
{
	(void)ctx;
	(void)image->b;
	if (part > 2)
		return -1;
	*size = 1000 * (part + 1);
	n = (size_t)MIN_OF((uint64_t)n, *size - MIN_OF(offset, *size));
	memset(buf, 'a' + (int)part, n);
	return (ssize_t)n;
}

/* A hundred bytes each; those of digests that begin with 0 are not here. */
ssize_t
fake_image_contents(void *ctx, const struct id32 *image,
    struct plist digests, uint8_t *buf, size_t n)
{
	const uint8_t *d;
	size_t have = 0;

	(void)ctx;
	(void)image->b;
	while (plist_next(&digests, &d) && d[0] != 0 && have + 100 <= n) {
		memset(buf + have, d[0], 100);
		have += 100;
	}
	return have > 0 ? (ssize_t)have : -1;
}

unsigned
fake_images(void *ctx, struct proto_image *out, unsigned max)
{
	static const struct id32 digest = {{1}};

	(void)ctx;
	(void)max;
	out[0] = (struct proto_image){pstr_of("test:1"), digest.b};
	return 1;
}

/* The one that all jobs have, and another one. */
void
fake_roots(void *ctx, bool (*fn)(void *, const struct id32 *), void *arg)
{
	struct id32 id;

	for (uint8_t c = 0x11; c <= 0x12; c++) {
		memset(&id, c, sizeof(id));
		if (!((struct world *)ctx)->no_roots && !fn(arg, &id))
			return;
	}
}

const char *
fake_seccomp(void *ctx, const char *name)
{
	(void)ctx;
	return name[0] == '\0' ? NULL : "not here";
}

const char *
fake_volumes(void *ctx, const struct manifest *m, const struct id32 *image,
    char why[HOST_WHY])
{
	struct world *w = ctx;

	(void)m;
	(void)image->b;
	(void)snprintf(why, HOST_WHY, "/v0 is a file");
	return w->volume_code;
}

/* ---- logs ---- */

ssize_t
fake_log_read(void *ctx, const struct job *j, unsigned stream,
    uint64_t offset, uint8_t *buf, size_t n)
{
	(void)ctx;
	(void)j;
	(void)offset;
	memset(buf, 'a' + (int)stream, n);
	return (ssize_t)n;
}

bool
fake_follow(void *ctx, const struct hash16 *link, unsigned stream,
    const struct job *j, uint64_t offset)
{
	struct world *w = ctx;

	(void)link->b;
	(void)stream;
	(void)j;
	(void)offset;
	w->follows++;
	return true;
}

void
fake_unfollow(void *ctx, const struct hash16 *link, unsigned stream)
{
	struct world *w = ctx;

	(void)link->b;
	(void)stream;
	w->unfollows++;
}

/* All of stdout at once, then whatever there is. */
size_t
fake_runs(void *ctx, const struct job *j, uint64_t from, uint8_t *out,
    size_t max)
{
	(void)ctx;
	if (from > 0 || max == 0 || j->log[0] == 0)
		return 0;
	put_u32(out, (uint32_t)j->log[0]);
	return 1;
}

/* Bodies outlive a restart of the node: beside the world, by job id. */
static struct {
	struct id32 id;
	uint8_t rec[8192];
	size_t len;
} bodies[1100];
static unsigned nbodies;

void
fake_bodies_none(void)
{
	nbodies = 0;
}

bool
fake_keep(void *ctx, const struct job *j, const uint8_t *record, size_t rlen,
    const uint8_t *envelope, size_t elen)
{
	crypt_sha256(&((struct world *)ctx)->kept, envelope, elen);
	assert_true(nbodies < NELEM(bodies) && rlen <= sizeof(bodies[0].rec));
	bodies[nbodies].id = j->id;
	memcpy(bodies[nbodies].rec, record, rlen);
	bodies[nbodies++].len = rlen;
	return true;
}

bool
fake_load(void *ctx, struct job *j)
{
	(void)ctx;
	for (unsigned i = 0; i < nbodies; i++) {
		if (!id32_eq(&bodies[i].id, &j->id))
			continue;
		j->m = malloc(sizeof(*j->m));
		assert_non_null(j->m);
		return manifest_record_get(j->m, bodies[i].rec, bodies[i].len);
	}
	return false;
}

size_t
fake_envelope_of(void *ctx, const struct id32 *job, uint8_t *out, size_t cap)
{
	(void)ctx;
	for (unsigned i = 0; i < nbodies; i++) {
		if (!id32_eq(&bodies[i].id, job))
			continue;
		if (bodies[i].len <= cap)
			memcpy(out, bodies[i].rec, bodies[i].len);
		return bodies[i].len;
	}
	return 0;
}
