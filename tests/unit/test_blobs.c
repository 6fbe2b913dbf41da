/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <nettle/sha2.h>

#include "node/host/blobs_store.h"
#include "tests/unit/ledgerkit.h"

/* ---- blobs ---- */

static bool keep; /* somebody needs all that was put */
static struct {
	struct fp fp;
	struct id32 sha;
} were_put[32];
static unsigned nput;

static void
needed(void *ctx, const struct fp *fp, inputs_each_fn *each, void *arg)
{
	(void)ctx;
	(void)fp;
	for (unsigned i = 0; keep && i < nput; i++)
		each(arg, &were_put[i].fp, &were_put[i].sha);
}

struct store {
	struct ledger *l;
	struct blobs *b;
	int fd;
};

static struct store
open_blobs(uint64_t spool, uint64_t peer)
{
	struct blobs_limits limits = {spool, peer};
	struct store s = {ledgerkit_open(), NULL, open(ledgerkit_dir, O_RDONLY | O_DIRECTORY)};

	assert_true(s.fd >= 0);
	s.b = blobs_open(s.fd, s.l, &limits, needed, NULL);
	assert_non_null(s.b);
	keep = false;
	nput = 0;
	return s;
}

static void
close_blobs(struct store *s)
{
	ledgerkit_commit(s->l);
	blobs_close(s->b);
	ledger_close(s->l);
	(void)close(s->fd);
}

static void
sha_of(struct id32 *out, const void *p, size_t n)
{
	struct sha256_ctx c;

	sha256_init(&c);
	sha256_update(&c, n, p);
	sha256_digest(&c, 32, out->b);
}

static const struct fp alice = {{1}}, bob = {{2}};

static void
test_upload(void **state)
{
	struct store s = open_blobs(1 << 20, 1 << 20);
	const uint8_t *data = (const uint8_t *)"hello, blob";
	struct id32 sha;
	uint8_t buf[64];
	uint64_t have, size;

	(void)state;
	sha_of(&sha, data, 11);
	assert_int_equal(blobs_put(s.b, &alice, &sha, 11, 0, data, 0, NOW,
	    &have), BLOB_MORE);
	assert_int_equal(have, 0);
	assert_int_equal(blobs_put(s.b, &alice, &sha, 11, 0, data, 4, NOW,
	    &have), BLOB_MORE);
	assert_int_equal(have, 4);
	/* behind a gap: not stored; below what is here: skipped */
	assert_int_equal(blobs_put(s.b, &alice, &sha, 11, 6, data + 6, 5, NOW,
		&have), BLOB_MORE);
	assert_int_equal(have, 4);
	assert_int_equal(blobs_put(s.b, &alice, &sha, 11, 2, data + 2, 4, NOW,
		&have), BLOB_MORE);
	assert_int_equal(have, 6);
	assert_false(blobs_has(s.b, &alice, &sha, &size));
	/* a restart in between */
	close_blobs(&s);
	s = open_blobs(1 << 20, 1 << 20);
	assert_int_equal(blobs_have(s.b, &alice, &sha), 6);
	assert_int_equal(blobs_have(s.b, &bob, &sha), 0);
	assert_int_equal(blobs_put(s.b, &alice, &sha, 11, 6, data + 6, 5, NOW,
		&have), BLOB_WHOLE);
	assert_int_equal(have, 11);
	assert_true(blobs_has(s.b, &alice, &sha, &size));
	assert_int_equal(size, 11);
	assert_int_equal(blobs_get(s.b, &alice, &sha, 7, buf, 64, &size), 4);
	assert_memory_equal(buf, "blob", 4);
	assert_int_equal(blobs_get(s.b, &alice, &sha, 11, buf, 64, &size), 0);
	assert_int_equal(blobs_get(s.b, &alice, &sha, UINT64_MAX, buf, 64,
	    &size), 0);
	/* knowing a digest is not having it */
	assert_false(blobs_has(s.b, &bob, &sha, NULL));
	assert_int_equal(blobs_get(s.b, &bob, &sha, 0, buf, 64, &size), -1);
	assert_int_equal(blobs_fd(s.b, &bob, &sha), -1);
	assert_int_equal(blobs_put(s.b, &bob, &sha, 11, 0, data, 4, NOW, &have),
	    BLOB_MORE);
	assert_int_equal(have, 4);
	assert_int_equal(blobs_put(s.b, &bob, &sha, 11, 4, data + 4, 7, NOW,
		&have), BLOB_WHOLE);
	close_blobs(&s);
	s = open_blobs(1 << 20, 1 << 20);
	assert_true(blobs_has(s.b, &alice, &sha, NULL));
	assert_true(blobs_has(s.b, &bob, &sha, NULL));
	/* shared by content: one goes, the other still has it */
	blobs_drop(s.b, &alice, &sha);
	assert_false(blobs_has(s.b, &alice, &sha, NULL));
	assert_int_equal(blobs_get(s.b, &bob, &sha, 0, buf, 64, &size), 11);
	close_blobs(&s);
}

static void
test_bad_digest(void **state)
{
	struct store s = open_blobs(1 << 20, 1 << 20);
	struct id32 sha = {{3}};
	uint64_t have = 9;

	(void)state;
	assert_int_equal(blobs_put(s.b, &alice, &sha, 4, 0,
		(const uint8_t *)"abc", 3, NOW, &have), BLOB_MORE);
	assert_int_equal(blobs_put(s.b, &alice, &sha, 4, 3,
		(const uint8_t *)"d", 1, NOW, &have), BLOB_BAD);
	assert_int_equal(have, 0);
	assert_int_equal(blobs_have(s.b, &alice, &sha), 0);
	assert_int_equal(blobs_held(s.b, &alice), 0);
	assert_int_equal(blobs_total(s.b), 0);
	close_blobs(&s);
}

static void
put_whole(struct store *s, const struct fp *fp, uint8_t fill, size_t n,
    uint32_t when, enum blob_put expect)
{
	uint8_t *data = malloc(n);
	struct id32 sha;
	uint64_t have;

	assert_non_null(data);
	memset(data, fill, n);
	sha_of(&sha, data, n);
	assert_int_equal(blobs_put(s->b, fp, &sha, n, 0, data, n, when, &have),
	    expect);
	assert_true(nput < NELEM(were_put));
	were_put[nput].fp = *fp;
	were_put[nput++].sha = sha;
	free(data);
}

static bool
has(struct store *s, const struct fp *fp, uint8_t fill, size_t n)
{
	uint8_t *data = malloc(n);
	struct id32 sha;
	bool yes;

	assert_non_null(data);
	memset(data, fill, n);
	sha_of(&sha, data, n);
	yes = blobs_has(s->b, fp, &sha, NULL);
	free(data);
	return yes;
}

static struct own *
own_of(struct store *s, const struct fp *fp, uint8_t fill, size_t n)
{
	uint8_t *data = malloc(n);
	struct own *o;
	struct id32 sha;

	assert_non_null(data);
	memset(data, fill, n);
	sha_of(&sha, data, n);
	free(data);
	o = own_find(s->b, fp, &sha);
	assert_non_null(o);
	return o;
}

static void
test_limits(void **state)
{
	struct store s = open_blobs(50000, 30000);
	struct id32 sha;
	uint64_t have;

	(void)state;
	put_whole(&s, &alice, 1, 10000, NOW, BLOB_WHOLE);
	put_whole(&s, &alice, 2, 10000, NOW + 1, BLOB_WHOLE);
	put_whole(&s, &alice, 3, 10000, NOW + 2, BLOB_WHOLE);
	/* the least recently used goes, when nobody needs it */
	put_whole(&s, &alice, 4, 10000, NOW + 3, BLOB_WHOLE);
	assert_false(has(&s, &alice, 1, 10000));
	assert_true(has(&s, &alice, 2, 10000));
	sha_of(&sha, "x", 1);
	keep = true;
	put_whole(&s, &alice, 5, 10000, NOW + 4, BLOB_FULL);
	put_whole(&s, &alice, 5, 40000, NOW + 4, BLOB_FULL);
	/* a partial one counts with its full size; tiny ones have a price */
	keep = false;
	assert_int_equal(blobs_put(s.b, &bob, &sha, 20000, 0,
		(const uint8_t *)"x", 1, NOW, &have), BLOB_MORE);
	assert_int_equal(blobs_held(s.b, &bob), 20000);
	put_whole(&s, &bob, 6, 1, NOW, BLOB_WHOLE);
	assert_int_equal(blobs_held(s.b, &bob), 24096);
	/* the spool of all: alice's oldest makes room */
	assert_true(blobs_total(s.b) <= 54096);
	/* dropped hours after the last byte */
	assert_true(blobs_expire(s.b, NOW + PART_IDLE_S - 1) <=
	    PART_IDLE_S);
	assert_int_equal(blobs_have(s.b, &bob, &sha), 1);
	(void)blobs_expire(s.b, NOW + PART_IDLE_S);
	assert_int_equal(blobs_have(s.b, &bob, &sha), 0);
	close_blobs(&s);
}

/* The sum of each peer is that of what it holds, whatever came and went. */
static void
test_sums(void **state)
{
	struct store s = open_blobs(1 << 20, 1 << 20);
	struct claim c;
	struct id32 sha;
	uint64_t have;

	(void)state;
	put_whole(&s, &alice, 1, 5000, NOW, BLOB_WHOLE);
	put_whole(&s, &alice, 2, 100, NOW, BLOB_WHOLE);
	put_whole(&s, &bob, 1, 5000, NOW, BLOB_WHOLE);
	sha_of(&sha, "xyz", 3);
	/* a part grows when it is told to be larger */
	assert_int_equal(blobs_put(s.b, &bob, &sha, 6000, 0,
		(const uint8_t *)"x", 1, NOW, &have), BLOB_MORE);
	assert_int_equal(blobs_put(s.b, &bob, &sha, 9000, 1,
		(const uint8_t *)"y", 1, NOW, &have), BLOB_MORE);
	claim_add(s.b, &c, &bob, 777);
	own_list(s.b, own_of(&s, &alice, 1, 5000), 40000);
	assert_int_equal(blobs_held(s.b, &alice), 5000 + 4096 + 40000);
	assert_int_equal(blobs_held(s.b, &bob), 5000 + 9000 + 777);
	claim_end(s.b, &c);
	own_list(s.b, own_of(&s, &alice, 1, 5000), 0);
	close_blobs(&s);
	s = open_blobs(1 << 20, 1 << 20);
	assert_int_equal(blobs_held(s.b, &alice), 5000 + 4096);
	/* of a part only what came is known then */
	assert_int_equal(blobs_held(s.b, &bob), 5000 + 4096);
	blobs_drop(s.b, &alice, &own_of(&s, &alice, 1, 5000)->sha);
	blobs_drop(s.b, &alice, &own_of(&s, &alice, 2, 100)->sha);
	blobs_drop(s.b, &bob, &own_of(&s, &bob, 1, 5000)->sha);
	(void)blobs_expire(s.b, UINT32_MAX);
	assert_int_equal(blobs_held(s.b, &alice), 0);
	assert_int_equal(blobs_held(s.b, &bob), 0);
	assert_int_equal(blobs_total(s.b), 0);
	close_blobs(&s);
}

static void
test_outputs_and_sweep(void **state)
{
	struct store s = open_blobs(1 << 20, 1 << 20);
	struct blob_writer *w = blob_writer_open(s.b);
	struct id32 sha, want;
	uint8_t buf[8];
	uint64_t size;
	char name[160];
	int fd;

	(void)state;
	assert_non_null(w);
	assert_int_equal(blob_writer_add(w, (const uint8_t *)"out", 3), 0);
	assert_int_equal(blob_writer_add(w, (const uint8_t *)"put", 3), 0);
	assert_int_equal(blob_writer_finish(w, &alice, NOW, &sha, &size), 0);
	sha_of(&want, "output", 6);
	assert_memory_equal(sha.b, want.b, 32);
	assert_int_equal(size, 6);
	assert_int_equal(blobs_get(s.b, &alice, &sha, 3, buf, 8, &size), 3);
	assert_int_equal(blobs_get(s.b, &bob, &sha, 0, buf, 8, &size), -1);
	w = blob_writer_open(s.b);
	assert_non_null(w);
	blob_writer_abort(w);
	close_blobs(&s);
	/* files that no row knows, and rows without a file */
	(void)snprintf(name, sizeof(name), "%s/blobs/%064d", ledgerkit_dir, 0);
	fd = open(name, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	s = open_blobs(1 << 20, 1 << 20);
	assert_int_equal(access(name, F_OK), -1);
	assert_true(blobs_has(s.b, &alice, &sha, NULL));
	close_blobs(&s);
	(void)snprintf(name, sizeof(name), "%s/blobs/", ledgerkit_dir);
	hex_encode(name + strlen(name), HASH_BYTES(sha));
	assert_int_equal(unlink(name), 0);
	s = open_blobs(1 << 20, 1 << 20);
	assert_false(blobs_has(s.b, &alice, &sha, NULL));
	close_blobs(&s);
}

/* What another has here needs room of its new owner only. */
static void
test_output_shared(void **state)
{
	struct store s = open_blobs(30000, 30000);
	uint8_t data[20000];
	struct blob_writer *w;
	struct id32 sha;
	uint64_t size;

	(void)state;
	put_whole(&s, &alice, 1, sizeof(data), NOW, BLOB_WHOLE);
	keep = true;
	memset(data, 1, sizeof(data));
	w = blob_writer_open(s.b);
	assert_non_null(w);
	assert_int_equal(blob_writer_add(w, data, sizeof(data)), 0);
	assert_int_equal(blob_writer_finish(w, &bob, NOW, &sha, &size), 0);
	assert_int_equal(blobs_total(s.b), sizeof(data));
	assert_int_equal(blobs_held(s.b, &bob), sizeof(data));
	/* ... but of him */
	memset(data, 2, sizeof(data));
	w = blob_writer_open(s.b);
	assert_non_null(w);
	assert_int_equal(blob_writer_add(w, data, sizeof(data)), 0);
	assert_int_equal(blob_writer_finish(w, &bob, NOW, &sha, &size), -1);
	close_blobs(&s);
}

/* A part that was removed or cut under us begins anew, without a hole. */
static void
test_part_damaged(void **state)
{
	struct store s = open_blobs(1 << 20, 1 << 20);
	const uint8_t *data = (const uint8_t *)"hello, blob";
	char name[200], hex[65];
	struct id32 sha;
	uint8_t buf[16];
	uint64_t have, size;

	(void)state;
	sha_of(&sha, data, 11);
	hex_encode(hex, alice.b, 16);
	hex[32] = '\0';
	(void)snprintf(name, sizeof(name), "%s/parts/%s-", ledgerkit_dir, hex);
	hex_encode(hex, HASH_BYTES(sha));
	(void)snprintf(name + strlen(name), sizeof(name) - strlen(name), "%s",
	    hex);
	for (int cut = 0; cut < 2; cut++) {
		assert_int_equal(blobs_put(s.b, &alice, &sha, 11, 0, data, 6,
			NOW, &have), BLOB_MORE);
		assert_int_equal(have, 6);
		assert_int_equal(cut ? truncate(name, 3) : unlink(name), 0);
		assert_int_equal(blobs_put(s.b, &alice, &sha, 11, 6, data + 6,
			5, NOW, &have), BLOB_MORE);
		assert_int_equal(have, 0);
		assert_int_equal(blobs_have(s.b, &alice, &sha), 0);
	}
	assert_int_equal(blobs_put(s.b, &alice, &sha, 11, 0, data, 11, NOW,
		&have), BLOB_WHOLE);
	assert_int_equal(blobs_get(s.b, &alice, &sha, 0, buf, 16, &size), 11);
	assert_memory_equal(buf, data, 11);
	close_blobs(&s);
}

/* A blob of no bytes is whole with the first question. */
static void
test_empty(void **state)
{
	struct store s = open_blobs(1 << 20, 1 << 20);
	struct id32 sha;
	uint64_t have;

	(void)state;
	sha_of(&sha, "", 0);
	assert_int_equal(blobs_put(s.b, &alice, &sha, 0, 0, sha.b, 0, NOW,
	    &have), BLOB_WHOLE);
	sha.b[0] ^= 1;
	assert_int_equal(blobs_put(s.b, &alice, &sha, 0, 0, sha.b, 0, NOW,
	    &have), BLOB_BAD);
	close_blobs(&s);
}

int
main(void)
{
#define T(x) cmocka_unit_test_setup_teardown(x, ledgerkit_setup, ledgerkit_teardown)
	const struct CMUnitTest tests[] = {
	    T(test_upload),
	    T(test_bad_digest),
	    T(test_limits),
	    T(test_sums),
	    T(test_outputs_and_sweep),
	    T(test_output_shared),
	    T(test_part_damaged),
	    T(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
