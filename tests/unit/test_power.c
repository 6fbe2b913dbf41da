/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nettle/sha2.h>
#include <sqlite3.h>

#include "config.h"
#include "node/host/ledger.h"
#include "tests/unit/recvfs.h"

/*
 * The power goes after every operation on the disk: whatever of the unsynced
 * ones is there, the ledger opens, is whole, and holds a state that it had
 * between the last commit that returned and the one that had begun.
 * POWER_ALL: every operation of the long history too.
 */
#define COMMITS_MAX 512
#define IDS 12
#ifdef WARREN_SANITIZED
#define SLOW true
#else
#define SLOW false
#endif

static char dir[64], path[96];

/* The rows, in any order: the sum of their digests. */
struct sum {
	uint64_t v[4];
};

static void
add(struct sum *s, const char *what, const void *a, size_t alen, const void *b,
    size_t blen)
{
	struct sha256_ctx c;
	uint8_t d[32];

	sha256_init(&c);
	sha256_update(&c, 1, (const uint8_t *)what);
	sha256_update(&c, alen, a);
	sha256_update(&c, blen, b);
	sha256_digest(&c, 32, d);
	for (unsigned i = 0; i < 4; i++)
		s->v[i] += get_u64(d + 8 * i);
}

static void
add_job(struct sum *s, const struct job *j)
{
	uint8_t rec[JOB_RECORD_MAX];
	size_t n = job_encode(rec, sizeof(rec), j);

	assert_true(n > 0);
	add(s, "J", "", 0, rec, n);
}

static void
add_own(void *ctx, const struct fp *fp, const struct id32 *sha, uint64_t size,
    uint32_t used)
{
	const uint64_t v[2] = {size, used};

	(void)fp->b;
	add(ctx, "O", sha->b, 32, v, sizeof(v));
}

/* ---- what is written, and what must be there ---- */

static struct {
	struct ledger *l;
	struct jobs js;
	struct {
		bool body, owned;
		uint8_t *bytes;
		size_t len;
		uint64_t size;
		uint32_t used;
	} row[IDS];
	struct sum state[COMMITS_MAX]; /* after each commit */
	size_t begun[COMMITS_MAX], done[COMMITS_MAX]; /* operations by then */
	unsigned commits;
	uint32_t seed;
} h;

static uint32_t
chance(uint32_t n)
{
	h.seed = h.seed * 1103515245 + 12345;
	return h.seed / 65536 % n;
}

static void
no_change(void *ctx, struct job *j, enum job_state old)
{
	(void)ctx;
	(void)j;
	(void)old;
}

static struct id32
id_of(unsigned i)
{
	return (struct id32){{(uint8_t)(i + 1)}};
}

static void
new_job(unsigned i, size_t body)
{
	const struct fp owner = {{7}};
	struct id32 id = id_of(i);
	struct job *j = job_new(&id, &owner);

	assert_non_null(j);
	j->deadline = 1900000000;
	j->nonce[0] = (uint8_t)i;
	j->nonce[1] = (uint8_t)h.commits;
	job_admit(&h.js, j, false, "inputs", 1800000000, (struct mono){1});
	h.row[i].bytes = realloc(h.row[i].bytes, body + 1);
	assert_non_null(h.row[i].bytes);
	for (size_t k = 0; k < body; k++)
		h.row[i].bytes[k] = (uint8_t)chance(256);
	h.row[i].len = body;
	h.row[i].body = true;
	assert_true(ledger_put_body(h.l, &id, h.row[i].bytes, body, "e", 1));
}

static void
change(unsigned i, size_t body)
{
	const struct fp owner = {{7}};
	struct id32 id = id_of(i);
	struct job *j = job_find(&h.js, &id);

	if (j == NULL) {
		new_job(i, body);
	} else if (j->state == JS_QUEUED) {
		(void)job_set(&h.js, j, JS_STAGING, NULL, 1800000001);
	} else if (j->state == JS_STAGING) {
		(void)job_set(&h.js, j, JS_RUNNING, NULL, 1800000002);
	} else if (j->state == JS_RUNNING) {
		(void)job_done(&h.js, j, OUT_EXITED, 0, NULL, 1800000003);
		assert_true(ledger_drop_body(h.l, &id));
		h.row[i].body = false;
	} else {
		assert_true(ledger_forget(h.l, &id, 1));
		job_remove(&h.js, j);
		h.row[i].body = false;
	}
	if (chance(3) == 0) {
		h.row[i].owned = true;
		h.row[i].size = 1000 + i;
		h.row[i].used = h.commits;
		assert_true(ledger_own(h.l, &owner, &id, h.row[i].size,
		    h.row[i].used));
	} else if (h.row[i].owned && chance(3) == 0) {
		h.row[i].owned = false;
		assert_true(ledger_disown(h.l, &owner, &id));
	}
}

static struct sum
expected(void)
{
	struct sum s = {{0}};
	const struct fp none = {{0}};

	for (unsigned i = 0; i < IDS; i++) {
		struct id32 id = id_of(i);
		const struct job *j = job_find(&h.js, &id);

		if (j != NULL)
			add_job(&s, j);
		if (h.row[i].body)
			add(&s, "B", id.b, 32, h.row[i].bytes, h.row[i].len);
		if (h.row[i].owned)
			add_own(&s, &none, &id, h.row[i].size, h.row[i].used);
	}
	return s;
}

static void
open_ledger(void)
{
	char why[160];

	h.l = ledger_open(path, why);
	if (h.l == NULL)
		fail_msg("%s", why);
}

static void
commit(size_t body)
{
	bool full;

	assert_true(++h.commits < COMMITS_MAX);
	for (unsigned k = 1 + chance(3); k > 0; k--)
		change(chance(IDS), body);
	h.begun[h.commits] = recvfs_count();
	assert_int_equal(ledger_commit(h.l, &h.js, &full), 0);
	h.done[h.commits] = recvfs_count();
	h.state[h.commits] = expected();
}

/* Lives of the program, each of so many commits; all is written down. */
static void
history(unsigned lives, unsigned commits, size_t body)
{
	assert_true(recvfs_begin());
	jobs_init(&h.js, no_change, NULL);
	h.commits = 0;
	h.seed = 1;
	for (unsigned i = 0; i < lives; i++) {
		open_ledger();
		if (i == 0)
			h.done[0] = recvfs_count();
		for (unsigned k = 0; k < commits; k++)
			commit(body);
		ledger_close(h.l);
	}
	recvfs_end();
}

static void
forget_history(void)
{
	jobs_clear(&h.js);
	for (unsigned i = 0; i < IDS; i++)
		free(h.row[i].bytes);
	memset(&h, 0, sizeof(h));
	recvfs_clear();
}

/* ---- after the power came back ---- */

static void
whole(void)
{
	sqlite3_stmt *q;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1,
	    &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(q, 0), "ok");
	(void)sqlite3_finalize(q);
	(void)sqlite3_close(db);
}

static struct sum
found(void)
{
	struct sum s = {{0}};
	struct jobs js;

	open_ledger();
	jobs_init(&js, no_change, NULL);
	assert_true(ledger_load(h.l, &js) >= 0);
	for (unsigned i = 0; i < IDS; i++) {
		struct id32 id = id_of(i);
		const struct job *j = job_find(&js, &id);
		uint8_t *m;
		size_t n;

		if (j != NULL)
			add_job(&s, j);
		if ((m = ledger_manifest(h.l, &id, &n)) != NULL)
			add(&s, "B", id.b, 32, m, n);
		free(m);
	}
	assert_int_equal(ledger_owned(h.l, add_own, &s), 0);
	jobs_clear(&js);
	ledger_close(h.l);
	return s;
}

static void
power(size_t n, enum rec_fate fate, uint32_t seed, bool check)
{
	unsigned least = 0, most = 0;
	struct sum s;

	assert_true(recvfs_replay(path, n, fate, seed));
	s = found();
	if (check)
		whole();
	for (unsigned i = 1; i <= h.commits; i++) {
		if (h.done[i] <= n)
			least = i;
		if (h.begun[i] < n)
			most = i;
	}
	for (unsigned i = least; i <= MAX_OF(least, most); i++) {
		if (memcmp(&s, &h.state[i], sizeof(s)) == 0)
			return;
	}
	fail_msg("power gone after %zu of %zu operations, fate %d, seed %u: "
	    "neither of the states %u to %u", n, recvfs_count(), (int)fate,
	    seed, least, most);
}

/* Small commits and two lives: every operation, every fate. */
static void
test_every_prefix(void **state)
{
	unsigned runs = 0;

	(void)state;
	history(3, 16, 300);
	for (size_t n = 0; n <= recvfs_count(); n++) {
		for (unsigned fate = 0; fate < FATE_COUNT; fate++) {
			/* one that writes little is slow under a sanitizer */
			if (SLOW && (n + fate) % 8 != 0)
				continue;
			power(n, (enum rec_fate)fate, (uint32_t)n + 1,
			    runs % 7 == 0);
			runs++;
		}
	}
	printf("# %zu operations, %u commits, %u times without power\n",
	    recvfs_count(), h.commits, runs);
	assert_true(recvfs_count() > 300);
	forget_history();
}

/* Large bodies: the log of the database is full and begins again. */
static void
test_wal_restarts(void **state)
{
	bool all = getenv("POWER_ALL") != NULL, reset = false;
	unsigned runs = 0;

	(void)state;
	history(1, 90, 100000);
	for (size_t n = 0; n < recvfs_count(); n++) {
		const struct rec_op *op = recvfs_op(n);

		/* around what writes to the database itself, one of many else */
		bool near = op->file == REC_DB || op->kind == REC_SYNC ||
		    (op->kind == REC_WRITE && op->offset == 0);

		reset |= op->file == REC_WAL && op->offset == 0 &&
		    op->kind == REC_WRITE && n > recvfs_count() / 2;
		if (!all && (near ? n % 32 != 0 : n % 401 != 0))
			continue;
		power(n, n % 2 == 0 ? FATE_SOME : FATE_TORN, (uint32_t)n, all);
		runs++;
	}
	printf("# %zu operations, %u commits, %u times without power\n",
	    recvfs_count(), h.commits, runs);
	assert_true(reset);
	forget_history();
}

/* A ledger that did not sync would be seen. */
static void
test_it_can_fail(void **state)
{
	struct sum s, none = {{0}};
	size_t n;

	(void)state;
	history(1, 4, 300);
	/* as if the last sync of the commit had never been asked for */
	for (n = h.done[4] - 1; recvfs_op(n)->kind != REC_SYNC; n--)
		continue;
	assert_true(recvfs_replay(path, n, FATE_LOST, 1));
	s = found();
	assert_memory_not_equal(&s, &h.state[4], sizeof(s));
	assert_memory_equal(&s, &h.state[3], sizeof(s));
	assert_memory_not_equal(&s, &none, sizeof(s));
	forget_history();
}

static int
setup(void **state)
{
	const char *top = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	(void)state;
	(void)snprintf(dir, sizeof(dir), "%s/warren-power-XXXXXX", top);
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/ledger.db", dir);
	return 0;
}

static int
teardown(void **state)
{
	static const char *const names[] = {"", "-wal", "-shm", "-journal"};
	char name[128];

	(void)state;
	for (size_t i = 0; i < NELEM(names); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, names[i]);
		(void)unlink(name);
	}
	return rmdir(dir);
}

int
main(void)
{
#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_it_can_fail), T(test_every_prefix), T(test_wal_restarts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
