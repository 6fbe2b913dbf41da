/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/host/volumes_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

/* ours: what one call of volumes_work() reads, so that the loop goes on */
#define PIECE (256u * 1024)
#define PIECES_AT_ONCE 4 /* ours: ... and what is done while somebody waits */
/* ours: lists of volumes under way in memory, of one owner and of all */
#define OWNER_LISTS (2u * CHUNK_LIST_MAX)
#define ALL_LISTS (8u * CHUNK_LIST_MAX)

/* The list is read and makes sense; false: why, NULL: no memory. */
static bool
take_list(struct volume *v, uint8_t *list, size_t len, const char **why)
{
	struct chunk_list l;

	if (!chunk_list_read(&l, list, len, why))
		return false;
	if (l.total != v->size) {
		*why = "it is of another size";
		return false;
	}
	if (!chunk_table_make(&v->t, &l, why))
		return false;
	v->here = calloc(l.n / 8 + 1, 1);
	if (v->here == NULL) {
		chunk_table_free(&v->t);
		*why = NULL;
		return false;
	}
	v->lacking = l.n;
	volume_digest(&v->list_sha, list, len);
	v->list = list;
	v->list_len = (uint32_t)len;
	return true;
}

static struct volume *
volume_make(struct volumes *vs, const struct fp *fp, const struct id32 *sha,
    uint64_t size, uint32_t list_len, uint32_t used)
{
	struct volume *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return NULL;
	v->fp = *fp;
	v->sha = *sha;
	v->size = size;
	v->list_len = list_len;
	v->used = used;
	volume_insert(vs, v);
	claim_add(vs->b, &v->claim, fp,
	    blobs_charge(size) + blobs_charge(list_len));
	return v;
}

static bool
too_many_lists(struct volumes *vs, const struct fp *fp, uint64_t more)
{
	struct volume *v = NULL;
	uint64_t own = more, all = more;

	while ((v = volume_next(vs, v)) != NULL) {
		all += v->list_len;
		if (fp_eq(&v->fp, fp))
			own += v->list_len;
	}
	return own > OWNER_LISTS || all > ALL_LISTS;
}

static uint8_t *
read_list(struct blobs *b, const struct fp *fp, const struct blob_ref *list)
{
	_cleanup_fd_ int fd = blobs_fd(b, fp, &list->sha256);
	uint8_t *p = malloc((size_t)list->size + 1);

	if (fd < 0 || p == NULL || !read_at(fd, p, (size_t)list->size, 0)) {
		free(p);
		return NULL;
	}
	return p;
}

/* After a restart: what the file holds of it. */
static void
scan(struct volumes *vs, struct volume *v)
{
	_cleanup_fd_ int fd = volume_open(vs, v);
	uint8_t buf[CHUNK_MAX];
	uint64_t done = 0;
	struct stat st;
	struct id32 d;

	if (fd < 0 || fstat(fd, &st) != 0)
		st.st_size = 0;
	for (; v->i < v->t.l.n && done < PIECE; v->i++) {
		uint32_t size = chunk_size(&v->t.l, v->i);

		if (v->t.at[v->i] + size > (uint64_t)st.st_size)
			break;
		if (!read_at(fd, buf, size, v->t.at[v->i]))
			continue;
		done += size;
		volume_digest(&d, buf, size);
		if (id32_eq(&d, chunk_digest(&v->t.l, v->i)) &&
		    !volume_is_here(v, v->i))
			volume_mark(v, v->i);
	}
	if (v->i < v->t.l.n && done >= PIECE)
		return;
	volume_advance(v);
	/* the beginning of a chunk, sent in the volume's order */
	if (v->next < v->t.l.n && (uint64_t)st.st_size > v->t.at[v->next] &&
	    (uint64_t)st.st_size < v->t.at[v->next + 1])
		v->tail = (uint32_t)((uint64_t)st.st_size - v->t.at[v->next]);
	v->doubt = v->tail > 0;
	v->at = AT_MATCH;
	v->i = 0;
}

static void
read_again(struct volumes *vs, struct volume *v)
{
	char name[LIST_NAME];
	const char *why = NULL;
	uint8_t *list = malloc(v->list_len + 1);

	list_name(name, &v->fp, &v->sha);
	if (list == NULL || file_read(vs->b->lists, name, list,
		v->list_len) != (ssize_t)v->list_len ||
	    !take_list(v, list, v->list_len, &why)) {
		free(list);
		volume_drop(vs, v); /* its peer begins anew */
		return;
	}
	v->at = AT_SCAN;
	v->i = 0;
}

/* From another file of this owner; what does not check is not there. */
static uint64_t
copy(struct volumes *vs, struct volume *v, int from, uint64_t at,
    const struct id32 *sha, uint32_t size)
{
	_cleanup_fd_ int fd = -1;
	uint8_t buf[CHUNK_MAX];
	struct id32 d;

	if (!read_at(from, buf, size, at))
		return 0;
	volume_digest(&d, buf, size);
	if (id32_eq(&d, sha) && (fd = volume_open(vs, v)) >= 0)
		(void)volume_place(v, fd, sha, buf);
	return size;
}

/* A chunk may have been sent as a blob of its own. */
static bool
match_blobs(struct volumes *vs, struct volume *v)
{
	uint64_t done = 0;

	for (; v->i < v->t.l.n && done < PIECE; v->i++) {
		const struct id32 *d = chunk_digest(&v->t.l, v->i);
		_cleanup_fd_ int from = -1;
		uint64_t size;

		if (volume_is_here(v, v->i) || !blobs_has(vs->b, &v->fp, d, &size) ||
		    size != chunk_size(&v->t.l, v->i) ||
		    (from = blobs_fd(vs->b, &v->fp, d)) < 0)
			continue;
		done += copy(vs, v, from, 0, d, (uint32_t)size);
	}
	return v->i == v->t.l.n;
}

/* The list of a blob of this owner; NULL: it cannot be read. */
static uint8_t *
kept_list(struct volumes *vs, const struct own *o, struct chunk_list *l)
{
	char name[LIST_NAME];
	const char *why;
	uint8_t *p = malloc(o->list + 1u);

	list_name(name, &o->fp, &o->sha);
	if (p != NULL && file_read(vs->b->lists, name, p, o->list) ==
		(ssize_t)o->list && chunk_list_read(l, p, o->list, &why))
		return p;
	free(p);
	return NULL;
}

/* The next of this owner's volumes that came in chunks. false: none. */
static bool
match_next(struct volumes *vs, struct volume *v)
{
	struct own *o;

	while ((o = own_next_listed(vs->b, &v->fp, &v->from)) != NULL) {
		v->from = o->sha;
		v->from_list = kept_list(vs, o, &v->from_l);
		if (v->from_list != NULL) {
			v->i = 0;
			v->from_at = 0;
			return true;
		}
	}
	return false;
}

/* A piece of it; bytes that were looked at. */
static uint64_t
match(struct volumes *vs, struct volume *v)
{
	_cleanup_fd_ int from = -1;
	uint64_t done = 0;

	if (!v->blobs_done) {
		v->blobs_done = match_blobs(vs, v);
		return PIECE;
	}
	if (v->lacking == 0 ||
	    (v->from_list == NULL && !match_next(vs, v))) {
		volume_settled(vs, v);
		return 0;
	}
	from = blobs_fd(vs->b, &v->fp, &v->from); /* -1: evicted meanwhile */
	for (; from >= 0 && v->i < v->from_l.n && done < PIECE; v->i++) {
		const struct id32 *d = chunk_digest(&v->from_l, v->i);
		uint32_t size = chunk_size(&v->from_l, v->i);

		if (volume_lacks(v, d))
			done += copy(vs, v, from, v->from_at, d, size);
		else
			done += 64; /* looking costs something, too */
		v->from_at += size;
	}
	if (from >= 0 && v->i < v->from_l.n)
		return done;
	free(v->from_list);
	v->from_list = NULL;
	return done + 4096;
}

/* It is what was signed: a blob of this owner's, with its list. */
static bool
keep(struct volumes *vs, struct volume *v, int fd, uint32_t unix_now)
{
	char from[LIST_NAME], to[65];
	struct own *o;

	list_name(from, &v->fp, &v->sha);
	whole_name(to, &v->sha);
	if (fdatasync(fd) != 0 ||
	    renameat(vs->gaps, from, vs->b->whole, to) != 0 ||
	    fsync(vs->b->whole) != 0 ||
	    (o = own_add(vs->b, &v->fp, &v->sha, v->size, unix_now)) == NULL)
		return false;
	own_list(vs->b, o, v->list_len);
	(void)ledger_own(vs->b->ledger, &o->fp, &o->sha, o->size, unix_now);
	return true;
}

static void
finish(struct volumes *vs, struct volume *v, int fd, uint32_t unix_now)
{
	struct fp fp = v->fp;
	struct id32 sha = v->sha, d;

	sha256_digest(&v->hash, 32, d.b);
	if (!id32_eq(&d, &v->sha)) {
		volume_drop(vs, v);
		vs->done(vs->ctx, &fp, &sha, false,
		    "the chunks are not the whole that was signed");
	} else if (keep(vs, v, fd, unix_now)) {
		volume_free(vs, v);
		vs->done(vs->ctx, &fp, &sha, true, NULL);
	} else {
		/* no fault of its peer's, who is asked for it anew */
		log_warn("gaps/", "an input that is whole cannot be kept");
		volume_drop(vs, v);
	}
}

static void
hash(struct volumes *vs, struct volume *v, uint32_t unix_now)
{
	_cleanup_fd_ int fd = volume_open(vs, v);
	size_t n = (size_t)MIN_OF(v->size - v->hashed, (uint64_t)PIECE);
	static uint8_t buf[PIECE];

	if (fd < 0 || !read_at(fd, buf, n, v->hashed)) {
		/* what was written is not there: look again at what is */
		log_warn("gaps/", "an input cannot be read");
		memset(v->here, 0, v->t.l.n / 8 + 1);
		v->lacking = v->t.l.n;
		v->next = v->tail = v->i = 0;
		v->at = AT_SCAN;
		return;
	}
	sha256_update(&v->hash, n, buf);
	/* what is written early does not hold up the sync at the end */
	(void)sync_file_range(fd, (off64_t)v->hashed, (off64_t)n,
	    SYNC_FILE_RANGE_WRITE);
	v->hashed += n;
	if (v->hashed == v->size)
		finish(vs, v, fd, unix_now);
}

static void
step(struct volumes *vs, struct volume *v, uint32_t unix_now)
{
	switch (v->at) {
	case AT_READ:
		read_again(vs, v);
		break;
	case AT_SCAN:
		scan(vs, v);
		break;
	case AT_MATCH:
		(void)match(vs, v);
		break;
	case AT_OPEN:
		volume_unqueue(vs, v);
		break;
	case AT_HASH:
		hash(vs, v, unix_now);
		break;
	}
}

bool
volumes_work(struct volumes *vs, uint32_t unix_now)
{
	struct volume *v = TAILQ_FIRST(&vs->turns);

	if (blobs_work(vs->b) || v == NULL)
		return !volumes_idle(vs);
	TAILQ_REMOVE(&vs->turns, v, turn);
	TAILQ_INSERT_TAIL(&vs->turns, v, turn);
	step(vs, v, unix_now);
	return !volumes_idle(vs);
}

bool
volumes_idle(const struct volumes *vs)
{
	return TAILQ_EMPTY(&vs->turns) && !blobs_behind(vs->b);
}

uint32_t
volumes_expire(struct volumes *vs, uint32_t unix_now)
{
	struct volume *v, *next;
	uint32_t soonest = blobs_expire(vs->b, unix_now);

	for (v = volume_next(vs, NULL); v != NULL; v = next) {
		uint32_t idle = unix_now > v->used ? unix_now - v->used : 0;

		next = volume_next(vs, v);
		if (v->queued)
			continue;
		if (idle >= PART_IDLE_S)
			volume_drop(vs, v);
		else
			soonest = MIN_OF(soonest, PART_IDLE_S - idle);
	}
	return soonest;
}

/* ---- chunks that are here ---- */

static const struct id32 *sorting; /* by whom qsort() compares */

static int
cmp_asked(const void *a, const void *b)
{
	return id32_cmp(&sorting[*(const uint16_t *)a],
	    &sorting[*(const uint16_t *)b]);
}

/* The place of a digest in the sorted ones: the first; n: none. */
static unsigned
asked_at(const struct id32 *d, const uint16_t *order, unsigned n,
    const struct id32 *sha)
{
	unsigned lo = 0, hi = n;

	while (lo < hi) {
		unsigned mid = lo + (hi - lo) / 2;

		if (id32_cmp(&d[order[mid]], sha) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && id32_eq(&d[order[lo]], sha) ? lo : n;
}

void
volumes_here(struct volumes *vs, const struct fp *fp, const struct id32 *d,
    unsigned n, bool *here)
{
	uint16_t order[VOLUMES_ASK];
	struct id32 after = {0};
	struct volume *v = NULL;
	struct own *o;
	uint32_t k;

	n = MIN_OF(n, (unsigned)VOLUMES_ASK);
	for (unsigned i = 0; i < n; i++)
		order[i] = (uint16_t)i;
	sorting = d;
	qsort(order, n, sizeof(order[0]), cmp_asked);
	while ((v = volume_next(vs, v)) != NULL)
		for (unsigned i = 0; i < n && v->list != NULL &&
		    fp_eq(&v->fp, fp); i++)
			here[i] |= chunk_find(&v->t, &d[i], &k) &&
			    !volume_lacks(v, &d[i]);
	while ((o = own_next_listed(vs->b, fp, &after)) != NULL) {
		struct chunk_list l;
		_cleanup_free_ uint8_t *p = kept_list(vs, o, &l);

		after = o->sha;
		for (uint32_t i = 0; p != NULL && i < l.n; i++) {
			const struct id32 *sha = chunk_digest(&l, i);
			unsigned at = asked_at(d, order, n, sha);

			for (; at < n && id32_eq(&d[order[at]], sha); at++)
				here[order[at]] = true;
		}
	}
}

ssize_t
volumes_get(struct volumes *vs, const struct fp *fp, const struct id32 *sha,
    uint64_t offset, uint8_t *buf, size_t n, uint64_t *size)
{
	struct id32 after = {0};
	struct own *o;

	while ((o = own_next_listed(vs->b, fp, &after)) != NULL) {
		struct chunk_list l;
		_cleanup_free_ uint8_t *p = kept_list(vs, o, &l);
		uint64_t at = 0, whole;

		after = o->sha;
		for (uint32_t i = 0; p != NULL && i < l.n; i++) {
			if (!id32_eq(chunk_digest(&l, i), sha)) {
				at += chunk_size(&l, i);
				continue;
			}
			*size = chunk_size(&l, i);
			if (offset >= *size)
				return 0;
			return blobs_get(vs->b, fp, &o->sha, at + offset, buf,
			    (size_t)MIN_OF((uint64_t)n, *size - offset),
			    &whole);
		}
	}
	return -1;
}

/* ---- the beginning ---- */

enum volume_is
volumes_begin(struct volumes *vs, const struct fp *fp,
    const struct blob_ref *whole, const struct blob_ref *list,
    uint32_t unix_now, const char **why)
{
	_cleanup_free_ uint8_t *bytes = NULL;
	char name[LIST_NAME];
	struct volume *v;
	uint64_t done = 0;

	*why = NULL;
	if (volume_find(vs, fp, &whole->sha256) != NULL)
		return VOLUME_LATER;
	if (list->size > CHUNK_LIST_MAX) {
		*why = "it is over 4 MiB";
		return VOLUME_BAD;
	}
	if (too_many_lists(vs, fp, list->size))
		return VOLUME_LATER;
	if ((bytes = read_list(vs->b, fp, list)) == NULL)
		return VOLUME_LATER;
	/* the list is charged once: as the volume's from now on */
	part_drop(vs->b, fp, &whole->sha256);
	if (!blobs_room(vs->b, fp, blobs_charge(whole->size)))
		return VOLUME_FULL;
	v = volume_make(vs, fp, &whole->sha256, whole->size,
	    (uint32_t)list->size, unix_now);
	if (v == NULL)
		return VOLUME_LATER;
	if (!take_list(v, bytes, (size_t)list->size, why)) {
		volume_free(vs, v);
		if (*why == NULL)
			return VOLUME_LATER;
		blobs_drop(vs->b, fp, &list->sha256);
		return VOLUME_BAD;
	}
	list_name(name, fp, &whole->sha256);
	if (file_replace(vs->b->lists, name, bytes, (size_t)list->size,
		0600) != 0) {
		log_warn("lists/", "a chunk list cannot be kept");
		v->list = NULL; /* ours to free */
		volume_free(vs, v);
		return VOLUME_FULL;
	}
	(void)steal_ptr(&bytes);
	blobs_drop(vs->b, fp, &list->sha256);
	v->at = AT_MATCH;
	volume_queue(vs, v);
	/* with little to look at what lacks is known at once */
	while (v->at == AT_MATCH && done < PIECES_AT_ONCE * PIECE)
		done += match(vs, v);
	return v->at == AT_OPEN ? VOLUME_LACKS :
	    v->at == AT_HASH ? VOLUME_ALL : VOLUME_LATER;
}

/* ---- start ---- */

static bool
name_of(struct fp *fp, struct id32 *sha, const char *name)
{
	return strlen(name) == LIST_NAME - 1 && name[64] == '-' &&
	    hex_decode(HASH_BYTES(*fp), name, 64) &&
	    hex_decode(HASH_BYTES(*sha), name + 65, 64);
}

/* The list of a blob that is here, or of a volume under way. */
static void
restore(struct volumes *vs, const char *name)
{
	uint8_t head[CHUNK_HEAD];
	_cleanup_fd_ int fd = openat(vs->b->lists, name,
	    O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st, gap;
	struct volume *v;
	struct id32 sha;
	struct own *o;
	struct fp fp;

	if (fd < 0 || !name_of(&fp, &sha, name) || fstat(fd, &st) != 0 ||
	    !S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(head) ||
	    st.st_size > CHUNK_LIST_MAX ||
	    !read_at(fd, head, sizeof(head), 0) ||
	    get_u64(head + 8) > (uint64_t)CHUNKS_MAX * CHUNK_MAX) {
		(void)unlinkat(vs->b->lists, name, 0);
	} else if ((o = own_find(vs->b, &fp, &sha)) != NULL) {
		own_list(vs->b, o, (uint32_t)st.st_size);
	} else if (fstatat(vs->gaps, name, &gap, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(gap.st_mode) ||
	    (v = volume_make(vs, &fp, &sha, get_u64(head + 8),
		(uint32_t)st.st_size, (uint32_t)gap.st_mtime)) == NULL) {
		(void)unlinkat(vs->b->lists, name, 0);
	} else {
		v->at = AT_READ;
		volume_queue(vs, v);
	}
}

static void
sweep(struct volumes *vs, const char *name)
{
	struct id32 sha;
	struct fp fp;

	if (!name_of(&fp, &sha, name) || volume_find(vs, &fp, &sha) == NULL)
		(void)unlinkat(vs->gaps, name, 0);
}

static void
each(struct volumes *vs, int dir, void (*fn)(struct volumes *, const char *))
{
	DIR *d = dir_take(openat(dir, ".",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *de;

	if (d == NULL)
		return;
	while ((de = readdir(d)) != NULL) {
		if (de->d_name[0] != '.')
			fn(vs, de->d_name);
	}
	(void)closedir(d);
}

struct volumes *
volumes_open(int dir, struct blobs *b, volumes_done_fn *done, void *ctx)
{
	struct volumes *vs = calloc(1, sizeof(*vs));

	if (vs == NULL)
		return NULL;
	vs->b = b;
	vs->done = done;
	vs->ctx = ctx;
	RB_INIT(&vs->all);
	TAILQ_INIT(&vs->turns);
	vs->gaps = dir_open(dir, "gaps", true, 0700);
	if (vs->gaps < 0) {
		free(vs);
		return NULL;
	}
	b->take = volumes_take;
	b->take_ctx = vs;
	each(vs, b->lists, restore);
	each(vs, vs->gaps, sweep);
	return vs;
}

void
volumes_close(struct volumes *vs)
{
	struct volume *v;

	if (vs == NULL)
		return;
	while ((v = volume_next(vs, NULL)) != NULL)
		volume_free(vs, v);
	vs->b->take = NULL;
	(void)close(vs->gaps);
	free(vs);
}
