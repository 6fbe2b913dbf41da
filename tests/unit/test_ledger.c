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
#include <sqlite3.h>

#include "node/host/blobs_store.h"
#include "node/host/ledger.h"

#define NOW 1800000000u

static char dir[64];
static char path[128];
static struct jobs js;

static void
changed(void *ctx, struct job *j, enum job_state old)
{
	(void)ctx;
	(void)j;
	(void)old;
}

static void
remove_tree(const char *arg)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)execl("/bin/rm", "rm", "-rf", arg, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/warren-ledger-XXXXXX");
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/ledger.db", dir);
	jobs_init(&js, changed, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	jobs_clear(&js);
	remove_tree(dir);
	return 0;
}

static struct ledger *
open_it(void)
{
	char why[160];
	struct ledger *l = ledger_open(path, why);

	if (l == NULL)
		fail_msg("%s", why);
	return l;
}

static void
commit(struct ledger *l)
{
	bool full;

	assert_int_equal(ledger_commit(l, &js, &full), 0);
	assert_false(ledger_pending(l, &js));
}

static void
sql(const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static struct job *
a_job(uint8_t id)
{
	struct id32 i = {{id}};
	struct fp o = {{7}};
	struct job *j = job_new(&i, &o);

	assert_non_null(j);
	j->nonce[0] = id;
	j->deadline = NOW + 86400;
	job_admit(&js, j, false, "slots", NOW, (struct mono){0});
	return j;
}

/* A row that always fails is left out; all others are written. */
static void
test_bad_row(void **state)
{
	struct ledger *l = open_it();
	struct job *good = a_job(1), *bad = a_job(2), *bodiless = a_job(3);
	struct id32 none = {{9}};
	bool full;
	uint8_t *m;
	size_t n;

	(void)state;
	sql("CREATE TRIGGER a BEFORE INSERT ON jobs WHEN substr(NEW.id, 1, 1) ="
	    " x'02' BEGIN SELECT RAISE(ABORT, 'no'); END;"
	    "CREATE TRIGGER b BEFORE INSERT ON bodies WHEN substr(NEW.id, 1, 1)"
	    " = x'03' BEGIN SELECT RAISE(ABORT, 'no'); END;"
	    "CREATE TRIGGER c BEFORE DELETE ON owns"
	    " BEGIN SELECT RAISE(ABORT, 'no'); END;");
	assert_true(ledger_put_body(l, &good->id, "good", 4, "e", 1));
	assert_true(ledger_put_body(l, &bodiless->id, "none", 4, "e", 1));
	assert_true(ledger_own(l, &good->owner, &none, 5, NOW));
	commit(l);
	assert_true(good->kept && !good->aside);
	assert_true(bad->aside && !bad->kept);
	assert_true(bodiless->aside && !bodiless->kept);
	assert_string_equal(ledger_why(l), "no");
	/* another row, of no job, is given up */
	assert_true(ledger_disown(l, &good->owner, &none));
	assert_true(job_set(&js, good, JS_STAGING, NULL, NOW));
	commit(l);
	/* they are tried again, with what they have become; one without its
	 * body is nobody's any more (finish_unwritten) */
	job_remove(&js, bodiless);
	assert_true(job_set(&js, bad, JS_STAGING, NULL, NOW));
	assert_false(ledger_pending(l, &js));
	jobs_try_aside(&js);
	assert_true(ledger_pending(l, &js));
	commit(l);
	assert_true(bad->aside);
	sql("DROP TRIGGER a; DROP TRIGGER b");
	jobs_try_aside(&js);
	assert_int_equal(ledger_commit(l, &js, &full), 0);
	assert_true(bad->kept && !bad->aside);
	ledger_close(l);
	jobs_clear(&js);
	l = open_it();
	assert_int_equal(ledger_load(l, &js), 2);
	assert_int_equal(job_find(&js, &(struct id32){{2}})->state, JS_STAGING);
	m = ledger_manifest(l, &(struct id32){{1}}, &n);
	assert_non_null(m);
	assert_int_equal(n, 4);
	free(m);
	ledger_close(l);
}

/* One that does not read keeps its order: the next job has another. */
static void
test_order_of_unread(void **state)
{
	struct ledger *l = open_it();

	(void)state;
	(void)a_job(1);
	(void)a_job(2);
	commit(l);
	ledger_close(l);
	jobs_clear(&js);
	jobs_init(&js, changed, NULL);
	sql("UPDATE jobs SET rec = x'00' WHERE ord = 2");
	l = open_it();
	assert_int_equal(ledger_load(l, &js), 1);
	assert_int_equal(a_job(3)->order, 3);
	commit(l);
	ledger_close(l);
}

static void
test_rows(void **state)
{
	struct ledger *l = open_it();
	struct job *j = a_job(1);
	uint32_t created;
	uint8_t *m;
	size_t n;

	(void)state;
	(void)a_job(2);
	created = ledger_created(l);
	assert_true(created != 0 && (time_t)created <= time(NULL));
	assert_true(ledger_put_body(l, &j->id, "record", 6, "envelope", 8));
	assert_true(ledger_pending(l, &js));
	commit(l);
	assert_true(job_set(&js, j, JS_STAGING, NULL, NOW));
	commit(l);
	ledger_close(l);
	jobs_clear(&js);
	jobs_init(&js, changed, NULL);

	l = open_it();
	assert_int_equal(ledger_created(l), created);
	assert_int_equal(ledger_load(l, &js), 2);
	assert_int_equal(js.last_order, 2);
	j = job_find(&js, &(struct id32){{1}});
	assert_non_null(j);
	assert_int_equal(j->state, JS_STAGING);
	assert_int_equal(j->attempts, 1);
	m = ledger_manifest(l, &j->id, &n);
	assert_non_null(m);
	assert_int_equal(n, 6);
	assert_memory_equal(m, "record", 6);
	free(m);
	assert_true(ledger_forget(l, &j->id, 5));
	commit(l);
	assert_null(ledger_manifest(l, &j->id, &n));
	ledger_close(l);
	jobs_clear(&js);
	jobs_init(&js, changed, NULL);
	l = open_it();
	assert_int_equal(ledger_load(l, &js), 1);
	ledger_close(l);
}

/*
 * A process that is killed between transitions: what was committed is there,
 * what was not is not, and the file needs no repair.
 */
static void
test_killed(void **state)
{
	(void)state;
	for (int stop = 0; stop < 5; stop++) {
		struct ledger *l;
		struct job *j;
		pid_t pid = fork();
		int status, n;

		if (pid == 0) {
			bool full;

			l = open_it();
			j = a_job(1);
			for (int i = 0; i < 5; i++) {
				if (i == 1)
					(void)job_set(&js, j, JS_STAGING, "",
					    NOW);
				if (i == 2)
					(void)job_set(&js, j, JS_RUNNING, "",
					    NOW);
				if (i == 3)
					(void)job_done(&js, j, OUT_EXITED, 0, NULL,
					    NOW);
				if (i == stop)
					(void)kill(getpid(), SIGKILL);
				(void)ledger_commit(l, &js, &full);
			}
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		l = open_it();
		n = ledger_load(l, &js);
		if (stop == 0) {
			assert_int_equal(n, 0);
		} else {
			const enum job_state want[] = {JS_QUEUED, JS_STAGING,
			    JS_RUNNING, JS_DONE};

			assert_int_equal(n, 1);
			j = job_find(&js, &(struct id32){{1}});
			assert_int_equal(j->state, want[stop - 1]);
			assert_true(ledger_forget(l, &j->id, 5));
			commit(l);
		}
		ledger_close(l);
		jobs_clear(&js);
		jobs_init(&js, changed, NULL);
	}
}

/* A full disk: nothing is lost, nothing is half written, and it goes on. */
static void
test_full(void **state)
{
	struct rlimit old, small = {60 * 1024, 0};
	struct ledger *l = open_it();
	static uint8_t body[200 * 1024];
	struct job *j = a_job(1);
	bool full = false;

	(void)state;
	commit(l);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_true(job_set(&js, j, JS_STAGING, NULL, NOW));
	assert_true(ledger_put_body(l, &j->id, body, sizeof(body), body, 5));
	assert_int_equal(ledger_commit(l, &js, &full), -1);
	assert_true(full);
	assert_true(ledger_pending(l, &js));
	assert_int_equal(ledger_commit(l, &js, &full), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	commit(l);
	ledger_close(l);
	jobs_clear(&js);
	jobs_init(&js, changed, NULL);
	l = open_it();
	assert_int_equal(ledger_load(l, &js), 1);
	assert_int_equal(job_find(&js, &(struct id32){{1}})->state, JS_STAGING);
	ledger_close(l);
}

/* A file without its name keeps nothing: it is not written until it is back. */
static void
test_removed(void **state)
{
	struct ledger *l = open_it();
	struct job *j = a_job(1);
	char other[160];
	bool full = true;

	(void)state;
	commit(l);
	(void)snprintf(other, sizeof(other), "%s.off", path);
	assert_int_equal(rename(path, other), 0);
	assert_true(job_set(&js, j, JS_STAGING, NULL, NOW));
	assert_int_equal(ledger_commit(l, &js, &full), -1);
	assert_false(full);
	assert_int_equal(symlink("nowhere", path), 0); /* nor another's */
	assert_int_equal(ledger_commit(l, &js, &full), -1);
	assert_true(ledger_pending(l, &js));
	assert_int_equal(rename(other, path), 0);
	commit(l);
	ledger_close(l);
	jobs_clear(&js);
	jobs_init(&js, changed, NULL);
	l = open_it();
	assert_int_equal(ledger_load(l, &js), 1);
	assert_int_equal(job_find(&js, &(struct id32){{1}})->state, JS_STAGING);
	ledger_close(l);
}

static void
test_bad_files(void **state)
{
	struct ledger *l = open_it();
	char why[160];
	sqlite3 *db;
	FILE *f;

	(void)state;
	(void)a_job(1);
	commit(l);
	ledger_close(l);
	/* a later version, a row that does not read */
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE jobs SET rec = x'01'", NULL,
		NULL, NULL), SQLITE_OK);
	jobs_clear(&js);
	jobs_init(&js, changed, NULL);
	l = open_it();
	assert_int_equal(ledger_load(l, &js), 0);
	ledger_close(l);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL,
		NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
	assert_null(ledger_open(path, why));
	assert_non_null(strstr(why, "version 99"));
	/* no database at all */
	f = fopen(path, "w");
	assert_non_null(f);
	for (int i = 0; i < 2000; i++)
		(void)fputs("rubbish ", f);
	(void)fclose(f);
	assert_null(ledger_open(path, why));
	assert_true(why[0] != '\0');
}

static unsigned nvotes;
static void
a_vote(void *ctx, const struct vote *v)
{
	const struct vote *want = ctx;

	nvotes++;
	assert_true(id32_eq(&v->job, &want->job));
	assert_true(fp_eq(&v->signer, &want->signer));
	assert_true(hash16_eq(&v->rns, &want->rns));
	assert_true(fp_eq(&v->by, &want->by));
	assert_int_equal(v->approve, want->approve);
	assert_int_equal(v->cosigned, want->cosigned);
	assert_int_equal(v->issued, want->issued);
	assert_int_equal(v->until, want->until);
}

/* What was said of a job, and the envelope that a reviewer reads. */
static void
test_votes(void **state)
{
	struct vote v = {.job = {{1}}, .signer = {{2}}, .rns = {{3}},
	    .by = {{4}}, .approve = true, .issued = 5, .until = 6}, other = v;
	struct ledger *l = open_it();
	struct job *j = a_job(1);
	uint8_t buf[16];
	sqlite3 *db;

	(void)state;
	assert_true(ledger_put_body(l, &j->id, "record", 6, "envelope", 8));
	assert_true(ledger_put_vote(l, &v));
	other.signer.b[0] = 9;
	assert_true(ledger_put_vote(l, &other));
	commit(l);
	assert_int_equal(ledger_envelope(l, &j->id, buf, sizeof(buf)), 8);
	assert_memory_equal(buf, "envelope", 8);
	assert_int_equal(ledger_envelope(l, &j->id, buf, 7), 8);
	assert_int_equal(ledger_envelope(l, id32_at(v.by.b), buf, 7), 0);
	/* the newest word of each, and gone is gone */
	v.approve = false;
	v.cosigned = true;
	v.issued = 7;
	assert_true(ledger_put_vote(l, &v));
	assert_true(ledger_drop_vote(l, &other));
	commit(l);
	ledger_close(l);
	l = open_it();
	assert_int_equal(ledger_votes(l, a_vote, &v), 0);
	assert_int_equal(nvotes, 1);
	ledger_close(l);
	/* a row that does not read is no vote */
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE votes SET rec = x'0102'",
	    NULL, NULL, NULL), SQLITE_OK);
	l = open_it();
	assert_int_equal(ledger_votes(l, a_vote, &v), 0);
	assert_int_equal(nvotes, 1);
	ledger_close(l);
	/* a ledger from before there were any */
	assert_int_equal(sqlite3_exec(db, "DROP TABLE votes; "
	    "DROP TABLE marks; DROP TABLE mail; "
	    "PRAGMA user_version = 1", NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
	jobs_clear(&js);
	jobs_init(&js, changed, NULL);
	l = open_it();
	/* it has begun nobody knows when */
	assert_int_equal(ledger_created(l), 0);
	assert_int_equal(ledger_load(l, &js), 1);
	assert_true(ledger_put_vote(l, &v));
	commit(l);
	assert_int_equal(ledger_votes(l, a_vote, &v), 0);
	assert_int_equal(nvotes, 2);
	ledger_close(l);
}

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
	struct store s = {open_it(), NULL, open(dir, O_RDONLY | O_DIRECTORY)};

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
	commit(s->l);
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
	(void)snprintf(name, sizeof(name), "%s/blobs/%064d", dir, 0);
	fd = open(name, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	s = open_blobs(1 << 20, 1 << 20);
	assert_int_equal(access(name, F_OK), -1);
	assert_true(blobs_has(s.b, &alice, &sha, NULL));
	close_blobs(&s);
	(void)snprintf(name, sizeof(name), "%s/blobs/", dir);
	hex_encode(name + strlen(name), HASH_BYTES(sha));
	assert_int_equal(unlink(name), 0);
	s = open_blobs(1 << 20, 1 << 20);
	assert_false(blobs_has(s.b, &alice, &sha, NULL));
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
#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_rows), T(test_bad_row), T(test_order_of_unread), T(test_killed), T(test_full), T(test_bad_files),
	    T(test_removed),
	    T(test_votes),
	    T(test_upload), T(test_bad_digest), T(test_limits),
	    T(test_sums), T(test_outputs_and_sweep), T(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
