/* SPDX-License-Identifier: BSD-2-Clause */
/* Volumes in chunks on real files: what lacks, what comes, restarts, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nettle/sha2.h>

#include "common/util.h"
#include "node/host/blobs_store.h"
#include "node/host/ledger.h"
#include "node/host/volumes.h"
#include "trust/doc/chunks.h"

#define NOW 1800000000u
#define SIZE 700000u
#define PLENTY (UINT64_C(64) << 20)

static const struct fp alice = {{1}}, bob = {{2}};
static char dir[64];
static struct ledger *l;
static struct blobs *b;
static struct volumes *vs;
static struct chunk_gear gear;
static unsigned good, bad;
static char said[128];

/* ---- the store ---- */

static const struct id32 *kept; /* alice needs it */

static void
needed(void *ctx, const struct fp *fp, inputs_each_fn *each, void *arg)
{
	(void)ctx;
	(void)fp;
	if (kept != NULL)
		each(arg, &alice, kept);
}

static void
done(void *ctx, const struct fp *fp, const struct id32 *sha, bool ok,
    const char *why)
{
	(void)ctx;
	assert_true(ok == blobs_has(b, fp, sha, NULL));
	good += ok;
	bad += !ok;
	(void)snprintf(said, sizeof(said), "%s", ok ? "" : why);
}

static void
changed(void *ctx, struct job *j, enum job_state old)
{
	(void)ctx;
	(void)j;
	(void)old;
}

static void
open_store(uint64_t spool, uint64_t peer)
{
	struct blobs_limits limits = {spool, peer};
	char path[96], why[160];
	int fd = open(dir, O_RDONLY | O_DIRECTORY);

	assert_true(fd >= 0);
	(void)snprintf(path, sizeof(path), "%s/ledger.db", dir);
	l = ledger_open(path, why);
	assert_non_null(l);
	b = blobs_open(fd, l, &limits, needed, NULL);
	assert_non_null(b);
	vs = volumes_open(fd, b, done, NULL);
	assert_non_null(vs);
	(void)close(fd);
	kept = NULL;
}

static void
close_store(void)
{
	struct jobs none;
	bool full;

	jobs_init(&none, changed, NULL);
	assert_int_equal(ledger_commit(l, &none, &full), 0);
	volumes_close(vs);
	blobs_close(b);
	ledger_close(l);
}

static void
again(void)
{
	close_store();
	open_store(PLENTY, PLENTY);
}

static void
work(void)
{
	unsigned steps = 0;

	while (volumes_work(vs, NOW))
		assert_true(++steps < 10000);
	assert_true(volumes_idle(vs));
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/warren-volumes-XXXXXX");
	assert_non_null(mkdtemp(dir));
	chunk_gear_init(&gear);
	good = bad = 0;
	open_store(PLENTY, PLENTY);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	close_store();
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static unsigned
files(const char *sub)
{
	char path[96];
	struct dirent *de;
	unsigned n = 0;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, sub);
	d = opendir(path);
	assert_non_null(d);
	while ((de = readdir(d)) != NULL)
		n += de->d_name[0] != '.';
	(void)closedir(d);
	return n;
}

/* ---- volumes ---- */

static void
sha_of(struct id32 *out, const void *p, size_t n)
{
	struct sha256_ctx c;

	sha256_init(&c);
	sha256_update(&c, n, p);
	sha256_digest(&c, 32, out->b);
}

struct vol {
	uint8_t *data, *list;
	struct blob_ref whole, chunks;
	struct chunk_table t;
};

static void
vol_list(struct vol *v)
{
	const char *why;
	struct chunk_list cl;
	struct id32 d;
	uint32_t n = 0;
	size_t at = 0, len;

	v->list = malloc(CHUNK_HEAD + (v->whole.size / 64 + 2) * CHUNK_ENTRY);
	assert_non_null(v->list);
	for (; at < v->whole.size; at += len, n++) {
		len = chunk_cut(&gear, v->data + at, v->whole.size - at);
		sha_of(&d, v->data + at, len);
		chunk_list_entry(v->list + CHUNK_HEAD + n * CHUNK_ENTRY, &d,
		    (uint32_t)len);
	}
	chunk_list_head(v->list, n, v->whole.size);
	v->chunks.size = CHUNK_HEAD + (uint64_t)n * CHUNK_ENTRY;
	sha_of(&v->chunks.sha256, v->list, v->chunks.size);
	sha_of(&v->whole.sha256, v->data, v->whole.size);
	assert_true(chunk_list_read(&cl, v->list, v->chunks.size, &why));
	assert_true(chunk_table_make(&v->t, &cl, &why));
}

/* Bytes that look like nothing, by seed. */
static void
vol_make(struct vol *v, uint64_t seed, size_t size)
{
	uint64_t x = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;

	v->data = malloc(size + 1);
	assert_non_null(v->data);
	for (size_t i = 0; i < size; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		v->data[i] = (uint8_t)(x >> 32);
	}
	v->whole.size = size;
	vol_list(v);
}

static void
vol_free(struct vol *v)
{
	chunk_table_free(&v->t);
	free(v->data);
	free(v->list);
}

static enum volume_is
begin(const struct fp *fp, const struct vol *v)
{
	const char *why = "";
	uint64_t have;
	enum volume_is is;

	assert_int_equal(volumes_put(vs, fp, &v->chunks.sha256, v->chunks.size,
		0, v->list, v->chunks.size, NOW, &have), BLOB_WHOLE);
	is = volumes_begin(vs, fp, &v->whole, &v->chunks, NOW, &why);
	(void)snprintf(said, sizeof(said), "%s", why == NULL ? "" : why);
	return is;
}

/* How many chunks lack; all of them named. */
static struct id32 lacks[1024];
static unsigned
lacking(const struct fp *fp, const struct vol *v)
{
	unsigned n = 0;
	bool more = false;

	assert_int_equal(volumes_lacks(vs, fp, &v->whole.sha256, lacks, 1024,
		&n, &more), VOLUME_LACKS);
	assert_false(more);
	return n;
}

static enum blob_put
put_chunk(const struct fp *fp, const struct vol *v, const struct id32 *sha)
{
	struct id32 whole;
	uint64_t size, have;
	uint32_t k;

	assert_true(chunk_find(&v->t, sha, &k));
	assert_true(volumes_chunk(vs, fp, sha, &whole, &size));
	return volumes_put_chunk(vs, fp, sha, size, 0,
	    v->data + v->t.at[v->t.order[k]], size, NOW, &have);
}

static bool
chunk_here(const struct fp *fp, const struct id32 *sha)
{
	bool here = false;

	volumes_here(vs, fp, sha, 1, &here);
	return here;
}

static void
put_lacking(const struct fp *fp, const struct vol *v)
{
	for (unsigned i = 0, n = lacking(fp, v); i < n; i++)
		assert_int_equal(put_chunk(fp, v, &lacks[i]), BLOB_WHOLE);
}

static void
whole(const struct fp *fp, const struct vol *v)
{
	uint8_t *got = malloc(v->whole.size + 1);
	uint64_t size;

	assert_non_null(got);
	assert_int_equal(blobs_get(b, fp, &v->whole.sha256, 0, got,
		v->whole.size + 1, &size), v->whole.size);
	assert_memory_equal(got, v->data, v->whole.size);
	free(got);
}

/* ---- tests ---- */

static void
test_comes(void **state)
{
	struct vol v, w;
	uint64_t have;
	unsigned n;

	(void)state;
	vol_make(&v, 1, SIZE);
	/* nothing of this owner is here: known at once */
	assert_int_equal(begin(&alice, &v), VOLUME_LACKS);
	assert_false(blobs_has(b, &alice, &v.chunks.sha256, NULL));
	/* its last slice once more: it is not asked for again */
	assert_int_equal(volumes_put(vs, &alice, &v.chunks.sha256,
		v.chunks.size, 100, v.list + 100, 50, NOW, &have), BLOB_WHOLE);
	assert_int_equal(have, v.chunks.size);
	assert_int_equal(lacking(&alice, &v), v.t.l.n);
	assert_int_equal(volumes_to_come(vs, &alice, &v.whole, &v.chunks),
	    SIZE);
	assert_int_equal(volumes_to_come(vs, &bob, &v.whole, &v.chunks),
	    SIZE + v.chunks.size);
	assert_int_equal(volumes_claimed(vs, &alice, &v.whole.sha256),
	    SIZE + 4096);
	assert_int_equal(blobs_held(b, &alice), SIZE + 4096);
	put_lacking(&alice, &v);
	/* twice does no harm, and is taken as here */
	assert_int_equal(put_chunk(&alice, &v, &lacks[3]), BLOB_WHOLE);
	work();
	assert_int_equal(good, 1);
	whole(&alice, &v);
	assert_int_equal(blobs_held(b, &alice), SIZE + 4096);
	assert_int_equal(blobs_total(b), SIZE + 4096);
	assert_int_equal(files("gaps"), 0);
	assert_int_equal(files("parts"), 0);

	/* a byte more in the middle: only what it changes lacks */
	w.data = malloc(SIZE + 1);
	assert_non_null(w.data);
	memcpy(w.data, v.data, SIZE / 2);
	w.data[SIZE / 2] = 0;
	memcpy(w.data + SIZE / 2 + 1, v.data + SIZE / 2, SIZE - SIZE / 2);
	w.whole.size = SIZE + 1;
	vol_list(&w);
	(void)begin(&alice, &w);
	work();
	n = lacking(&alice, &w);
	assert_true(n >= 1 && n <= 3);
	put_lacking(&alice, &w);
	work();
	whole(&alice, &w);
	/* also after a restart, and of a volume that is the same but for that */
	again();
	whole(&alice, &w);
	assert_int_equal(blobs_held(b, &alice), 2 * SIZE + 1 + 2 * 4096);

	/* who knows the digests has nothing by it */
	assert_int_equal(begin(&bob, &w), VOLUME_LACKS);
	assert_int_equal(lacking(&bob, &w), w.t.l.n);
	assert_false(chunk_here(&bob, chunk_digest(&w.t.l, 0)));
	assert_int_equal(put_chunk(&bob, &w, chunk_digest(&w.t.l, 0)),
	    BLOB_WHOLE);
	assert_true(chunk_here(&bob, chunk_digest(&w.t.l, 0)));
	assert_false(chunk_here(&bob, chunk_digest(&w.t.l, 1)));
	/* what came in chunks is there as chunks, for who has sent it */
	{
		bool here[VOLUMES_ASK] = {false};
		uint8_t buf[CHUNK_MAX];
		uint32_t last = w.t.l.n - 1;
		uint64_t size;

		for (uint32_t i = 0; i < w.t.l.n; i++)
			lacks[i] = *chunk_digest(&w.t.l, i);
		lacks[w.t.l.n] = (struct id32){{1}};
		volumes_here(vs, &alice, lacks, w.t.l.n + 1, here);
		for (uint32_t i = 0; i <= w.t.l.n; i++)
			assert_int_equal(here[i], i < w.t.l.n);
		assert_int_equal(volumes_get(vs, &alice, &lacks[last], 5, buf,
			sizeof(buf), &size), chunk_size(&w.t.l, last) - 5);
		assert_int_equal(size, chunk_size(&w.t.l, last));
		assert_memory_equal(buf, w.data + w.t.at[last] + 5, size - 5);
		assert_int_equal(volumes_get(vs, &alice, &lacks[last], size,
			buf, sizeof(buf), &size), 0);
		assert_int_equal(volumes_get(vs, &bob, &lacks[last], 0, buf,
			sizeof(buf), &size), -1);
	}
	vol_free(&v);
	vol_free(&w);
}

/* The volume's own bytes in its order, whatever the slices. */
static void
test_in_order(void **state)
{
	static const size_t slices[] = {1000, 4096, 50000, 262144, SIZE};

	(void)state;
	for (size_t k = 0; k < NELEM(slices); k++) {
		uint64_t have = 0, size = 0, moved = 0;
		struct id32 of;
		struct vol v;

		vol_make(&v, 10 + k, SIZE);
		assert_int_equal(begin(&alice, &v), VOLUME_LACKS);
		/* two are here by themselves: they are leapt over */
		assert_int_equal(put_chunk(&alice, &v,
			chunk_digest(&v.t.l, 5)), BLOB_WHOLE);
		assert_int_equal(put_chunk(&alice, &v,
			chunk_digest(&v.t.l, v.t.l.n - 1)), BLOB_WHOLE);
		/* behind the gap nothing is kept */
		assert_int_equal(volumes_put(vs, &alice, &v.whole.sha256, SIZE,
			100, v.data + 100, 100, NOW, &have), BLOB_MORE);
		assert_int_equal(have, 0);
		while (have < SIZE) {
			size_t n = MIN_OF(slices[k], (size_t)(SIZE - have));
			uint64_t was = have;

			assert_int_equal(volumes_put(vs, &alice,
				&v.whole.sha256, SIZE, have, v.data + have, n,
				NOW, &have), BLOB_MORE);
			assert_true(have >= was + n);
			moved += n;
		}
		assert_true(moved <= SIZE - chunk_size(&v.t.l, 5) -
		    chunk_size(&v.t.l, v.t.l.n - 1) + 2 * slices[k]);
		assert_true(volumes_chunk(vs, &alice, chunk_digest(&v.t.l, 0),
			&of, &size));
		work();
		whole(&alice, &v);
		vol_free(&v);
	}
	assert_int_equal(good, NELEM(slices));
}

static void
test_restart(void **state)
{
	const char *why;
	struct vol v;
	uint64_t have, size;
	unsigned n = 0;
	bool more = false;
	struct id32 of;
	const struct id32 *last;

	(void)state;
	vol_make(&v, 3, SIZE);
	assert_int_equal(begin(&alice, &v), VOLUME_LACKS);
	last = chunk_digest(&v.t.l, v.t.l.n - 2);
	/* the beginning, then one from the middle, then half of one */
	assert_int_equal(volumes_put(vs, &alice, &v.whole.sha256, SIZE, 0,
		v.data, 100000, NOW, &have), BLOB_MORE);
	assert_int_equal(have, 100000);
	again();
	/* what is here is looked at first: nobody is told to send it again */
	assert_int_equal(volumes_lacks(vs, &alice, &v.whole.sha256, lacks, 1024,
		&n, &more), VOLUME_LATER);
	assert_int_equal(volumes_put(vs, &alice, &v.whole.sha256, SIZE, 0,
		NULL, 0, NOW, &have), BLOB_LATER);
	assert_int_equal(volumes_begin(vs, &alice, &v.whole, &v.chunks, NOW,
		&why), VOLUME_LATER);
	work();
	/* at the byte, not at the chunk */
	assert_int_equal(volumes_put(vs, &alice, &v.whole.sha256, SIZE, 0,
		NULL, 0, NOW, &have), BLOB_MORE);
	assert_int_equal(have, 100000);
	assert_true(volumes_chunk(vs, &alice, last, &of, &size));
	assert_int_equal(volumes_put_chunk(vs, &alice, last, size, 0,
		v.data + v.t.at[v.t.l.n - 2], 1000, NOW, &have), BLOB_MORE);
	assert_int_equal(have, 1000);
	/* its bytes are the volume's: charged once */
	assert_int_equal(blobs_held(b, &alice), SIZE + 4096);
	again();
	work();
	assert_int_equal(volumes_put_chunk(vs, &alice, last, size, 1000,
		v.data + v.t.at[v.t.l.n - 2] + 1000, size - 1000, NOW, &have),
	    BLOB_WHOLE);
	assert_int_equal(files("parts"), 0);
	n = lacking(&alice, &v);
	assert_true(n < v.t.l.n - 8);
	/* all but one; killed while the whole is hashed */
	put_lacking(&alice, &v);
	(void)volumes_work(vs, NOW);
	again();
	assert_int_equal(good, 0);
	work();
	assert_int_equal(good, 1);
	whole(&alice, &v);
	vol_free(&v);
}

/* Bytes that a power cut has left otherwise are asked for again. */
static void
test_torn(void **state)
{
	char path[256], hex[65];
	struct vol v;
	uint64_t have;
	int fd;

	(void)state;
	vol_make(&v, 4, SIZE);
	assert_int_equal(begin(&alice, &v), VOLUME_LACKS);
	assert_int_equal(volumes_put(vs, &alice, &v.whole.sha256, SIZE, 0,
		v.data, 100000, NOW, &have), BLOB_MORE);
	close_store();
	hex_encode(hex, HASH_BYTES(v.whole.sha256));
	(void)snprintf(path, sizeof(path), "%s/gaps/01%062d-%s", dir, 0, hex);
	fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "torn", 4, 30000), 4);
	assert_int_equal(pwrite(fd, "torn", 4, 99990), 4);
	(void)close(fd);
	open_store(PLENTY, PLENTY);
	work();
	assert_int_equal(volumes_put(vs, &alice, &v.whole.sha256, SIZE, 0,
		NULL, 0, NOW, &have), BLOB_MORE);
	assert_true(have <= 30000);
	while (have < SIZE)
		assert_int_equal(volumes_put(vs, &alice, &v.whole.sha256, SIZE,
			have, v.data + have, MIN_OF(SIZE - have, 3000), NOW,
			&have), BLOB_MORE);
	work();
	whole(&alice, &v);
	assert_int_equal(bad, 0);
	vol_free(&v);
}

static void
test_lies(void **state)
{
	struct vol v, w;
	struct id32 d, of;
	uint64_t have, size;
	uint8_t *p;

	(void)state;
	vol_make(&v, 5, SIZE);
	vol_make(&w, 6, SIZE);
	/* a list of another size, and bytes that are none */
	w.whole.size--;
	assert_int_equal(begin(&alice, &w), VOLUME_BAD);
	assert_string_equal(said, "it is of another size");
	w.whole.size++;
	w.list[0] = 'k';
	sha_of(&w.chunks.sha256, w.list, w.chunks.size);
	assert_int_equal(begin(&alice, &w), VOLUME_BAD);
	assert_int_equal(files("gaps") + files("lists"), 0);
	w.list[0] = 'K';
	sha_of(&w.chunks.sha256, w.list, w.chunks.size);
	/* chunks of one volume, named as the whole of another */
	w.chunks = v.chunks;
	p = w.list;
	w.list = v.list;
	assert_int_equal(begin(&alice, &w), VOLUME_LACKS);
	w.list = p;
	assert_true(volumes_chunk(vs, &alice, chunk_digest(&v.t.l, 0), &of,
		&size));
	assert_true(id32_eq(&of, &w.whole.sha256));
	/* a chunk that is not what it is called: at once, or in pieces */
	p = calloc(1, size);
	d = *chunk_digest(&v.t.l, 0);
	assert_int_equal(volumes_put_chunk(vs, &alice, &d, size, 0, p, size,
		NOW, &have), BLOB_BAD);
	assert_int_equal(volumes_put_chunk(vs, &alice, &d, size, 0, p, 10, NOW,
		&have), BLOB_MORE);
	assert_int_equal(volumes_put_chunk(vs, &alice, &d, size, 10, p + 10,
		size - 10, NOW, &have), BLOB_BAD);
	assert_int_equal(have, 0);
	assert_int_equal(volumes_put(vs, &alice, &w.whole.sha256, SIZE, 0, p,
		size, NOW, &have), BLOB_BAD);
	assert_int_equal(lacking(&alice, &w), v.t.l.n);
	free(p);
	for (uint32_t i = 0; i < v.t.l.n; i++)
		assert_int_equal(put_chunk(&alice, &v,
			chunk_digest(&v.t.l, i)), BLOB_WHOLE);
	work();
	assert_int_equal(bad, 1);
	assert_string_equal(said,
	    "the chunks are not the whole that was signed");
	assert_int_equal(files("gaps") + files("lists"), 0);
	assert_int_equal(blobs_held(b, &alice), 0);
	assert_int_equal(blobs_total(b), 0);
	vol_free(&v);
	vol_free(&w);
}

static void
test_alike(void **state)
{
	struct vol v, w;

	(void)state;
	/* one chunk in many places is named and sent once */
	v.data = calloc(1, SIZE);
	v.whole.size = SIZE;
	vol_list(&v);
	assert_int_equal(begin(&alice, &v), VOLUME_LACKS);
	assert_int_equal(lacking(&alice, &v), 2);
	/* a volume of its own that is a chunk as well */
	w.data = calloc(1, CHUNK_MAX);
	w.whole.size = CHUNK_MAX;
	vol_list(&w);
	{
		uint64_t have;

		assert_int_equal(volumes_put(vs, &alice, &w.whole.sha256,
			CHUNK_MAX, 0, w.data, CHUNK_MAX, NOW, &have),
		    BLOB_WHOLE);
	}
	assert_true(blobs_has(b, &alice, &w.whole.sha256, NULL));
	assert_int_equal(lacking(&alice, &v), 1);
	put_lacking(&alice, &v);
	work();
	whole(&alice, &v);
	vol_free(&v);
	vol_free(&w);
}

static void
test_limits(void **state)
{
	struct vol v, w;

	(void)state;
	vol_make(&v, 7, SIZE);
	vol_make(&w, 8, SIZE);
	/* exactly what it takes, once it is whole */
	close_store();
	open_store(PLENTY, SIZE + 4096);
	assert_int_equal(begin(&alice, &v), VOLUME_LACKS);
	put_lacking(&alice, &v);
	work();
	whole(&alice, &v);
	/* what somebody needs stays, else it makes room */
	kept = &v.whole.sha256;
	{
		uint64_t have;

		assert_int_equal(volumes_put(vs, &alice, &w.chunks.sha256,
			w.chunks.size, 0, w.list, w.chunks.size, NOW, &have),
		    BLOB_FULL);
	}
	kept = NULL;
	(void)begin(&alice, &w);
	assert_false(blobs_has(b, &alice, &v.whole.sha256, NULL));
	assert_int_equal(files("lists"), 1);
	work();
	assert_int_equal(lacking(&alice, &w), w.t.l.n);
	put_lacking(&alice, &w);
	/* dropped hours after the last byte, and not while it is hashed */
	(void)volumes_expire(vs, NOW + PART_IDLE_S);
	work();
	whole(&alice, &w);
	(void)begin(&bob, &v);
	work();
	assert_int_equal(lacking(&bob, &v), v.t.l.n);
	assert_true(volumes_expire(vs, NOW + PART_IDLE_S - 1) <= 1);
	assert_int_equal(lacking(&bob, &v), v.t.l.n);
	(void)volumes_expire(vs, NOW + PART_IDLE_S);
	assert_int_equal(volumes_claimed(vs, &bob, &v.whole.sha256), 0);
	assert_int_equal(blobs_held(b, &bob), 0);
	assert_int_equal(files("gaps"), 0);
	vol_free(&v);
	vol_free(&w);
}

static void
touch(const char *sub, const char *name)
{
	char path[320];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s/%s", dir, sub, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
}

/* What a kill at any place leaves, the next start makes good. */
static void
test_leavings(void **state)
{
	char path[256], hex[65];
	struct vol v;

	(void)state;
	vol_make(&v, 9, SIZE);
	assert_int_equal(begin(&alice, &v), VOLUME_LACKS);
	put_lacking(&alice, &v);
	hex_encode(hex, HASH_BYTES(v.whole.sha256));
	close_store();
	(void)snprintf(path, sizeof(path), "%s/lists/01%062d-%s", dir, 0, hex);
	/* a list without its end, one without a volume, a volume without one */
	assert_int_equal(truncate(path, 100), 0);
	touch("lists", "x");
	touch("gaps", "y");
	(void)snprintf(path, sizeof(path), "02%062d-%s", 0, hex);
	touch("lists", path);
	open_store(PLENTY, PLENTY);
	work();
	assert_int_equal(files("lists") + files("gaps"), 0);
	assert_int_equal(blobs_total(b), 0);
	/* and it comes anew */
	assert_int_equal(begin(&alice, &v), VOLUME_LACKS);
	put_lacking(&alice, &v);
	work();
	whole(&alice, &v);
	vol_free(&v);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_comes), T(test_in_order), T(test_restart), T(test_torn),
	    T(test_lies), T(test_alike), T(test_limits), T(test_leavings),
	};

	return cmocka_run_group_tests_name("volumes", tests, NULL, NULL);
}
