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

#include <sqlite3.h>

#include "tests/unit/cli_capture.h"
#include "tests/unit/ledgerkit.h"

static void
sql(const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(ledgerkit_path, &db), SQLITE_OK);
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
	job_admit(&ledgerkit_jobs, j, false, "slots", NOW, (struct mono){0});
	return j;
}

/* A row that always fails is left out; all others are written. */
static void
test_bad_row(void **state)
{
	struct ledger *l = ledgerkit_open();
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
	ledgerkit_commit(l);
	assert_true(good->kept && !good->aside);
	assert_true(bad->aside && !bad->kept);
	assert_true(bodiless->aside && !bodiless->kept);
	assert_string_equal(ledger_why(l), "no");
	/* another row, of no job, is given up */
	assert_true(ledger_disown(l, &good->owner, &none));
	assert_true(job_set(&ledgerkit_jobs, good, JS_STAGING, NULL, NOW));
	ledgerkit_commit(l);
	/* they are tried again, with what they have become; one without its
	 * body is nobody's any more (finish_unwritten) */
	job_remove(&ledgerkit_jobs, bodiless);
	assert_true(job_set(&ledgerkit_jobs, bad, JS_STAGING, NULL, NOW));
	assert_false(ledger_pending(l, &ledgerkit_jobs));
	jobs_try_aside(&ledgerkit_jobs);
	assert_true(ledger_pending(l, &ledgerkit_jobs));
	ledgerkit_commit(l);
	assert_true(bad->aside);
	sql("DROP TRIGGER a; DROP TRIGGER b");
	jobs_try_aside(&ledgerkit_jobs);
	assert_int_equal(ledger_commit(l, &ledgerkit_jobs, &full), 0);
	assert_true(bad->kept && !bad->aside);
	ledger_close(l);
	jobs_clear(&ledgerkit_jobs);
	l = ledgerkit_open();
	assert_int_equal(ledger_load(l, &ledgerkit_jobs), 2);
	assert_int_equal(job_find(&ledgerkit_jobs, &(struct id32){{2}})->state, JS_STAGING);
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
	struct ledger *l = ledgerkit_open();

	(void)state;
	(void)a_job(1);
	(void)a_job(2);
	ledgerkit_commit(l);
	ledger_close(l);
	ledgerkit_forget();
	sql("UPDATE jobs SET rec = x'00' WHERE ord = 2");
	l = ledgerkit_open();
	assert_int_equal(ledger_load(l, &ledgerkit_jobs), 1);
	assert_int_equal(a_job(3)->order, 3);
	ledgerkit_commit(l);
	ledger_close(l);
}

static void
test_rows(void **state)
{
	struct ledger *l = ledgerkit_open();
	struct job *j = a_job(1);
	uint32_t created;
	uint8_t *m;
	size_t n;

	(void)state;
	(void)a_job(2);
	created = ledger_created(l);
	assert_true(created != 0 && (time_t)created <= time(NULL));
	assert_true(ledger_put_body(l, &j->id, "record", 6, "envelope", 8));
	assert_true(ledger_pending(l, &ledgerkit_jobs));
	ledgerkit_commit(l);
	assert_true(job_set(&ledgerkit_jobs, j, JS_STAGING, NULL, NOW));
	ledgerkit_commit(l);
	ledger_close(l);
	ledgerkit_forget();

	l = ledgerkit_open();
	assert_int_equal(ledger_created(l), created);
	assert_int_equal(ledger_load(l, &ledgerkit_jobs), 2);
	assert_int_equal(ledgerkit_jobs.last_order, 2);
	j = job_find(&ledgerkit_jobs, &(struct id32){{1}});
	assert_non_null(j);
	assert_int_equal(j->state, JS_STAGING);
	assert_int_equal(j->attempts, 1);
	m = ledger_manifest(l, &j->id, &n);
	assert_non_null(m);
	assert_int_equal(n, 6);
	assert_memory_equal(m, "record", 6);
	free(m);
	assert_true(ledger_forget(l, &j->id, 5));
	ledgerkit_commit(l);
	assert_null(ledger_manifest(l, &j->id, &n));
	ledger_close(l);
	ledgerkit_forget();
	l = ledgerkit_open();
	assert_int_equal(ledger_load(l, &ledgerkit_jobs), 1);
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

			l = ledgerkit_open();
			j = a_job(1);
			for (int i = 0; i < 5; i++) {
				if (i == 1)
					(void)job_set(&ledgerkit_jobs, j, JS_STAGING, "",
					    NOW);
				if (i == 2)
					(void)job_set(&ledgerkit_jobs, j, JS_RUNNING, "",
					    NOW);
				if (i == 3)
					(void)job_done(&ledgerkit_jobs, j, OUT_EXITED, 0, NULL,
					    NOW);
				if (i == stop)
					(void)kill(getpid(), SIGKILL);
				(void)ledger_commit(l, &ledgerkit_jobs, &full);
			}
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		l = ledgerkit_open();
		n = ledger_load(l, &ledgerkit_jobs);
		if (stop == 0) {
			assert_int_equal(n, 0);
		} else {
			const enum job_state want[] = {JS_QUEUED, JS_STAGING,
			    JS_RUNNING, JS_DONE};

			assert_int_equal(n, 1);
			j = job_find(&ledgerkit_jobs, &(struct id32){{1}});
			assert_int_equal(j->state, want[stop - 1]);
			assert_true(ledger_forget(l, &j->id, 5));
			ledgerkit_commit(l);
		}
		ledger_close(l);
		ledgerkit_forget();
	}
}

/* A full disk: nothing is lost, nothing is half written, and it goes on. */
static void
test_full(void **state)
{
	struct rlimit old, small = {60 * 1024, 0};
	struct ledger *l = ledgerkit_open();
	static uint8_t body[200 * 1024];
	struct job *j = a_job(1);
	bool full = false;

	(void)state;
	ledgerkit_commit(l);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_true(job_set(&ledgerkit_jobs, j, JS_STAGING, NULL, NOW));
	assert_true(ledger_put_body(l, &j->id, body, sizeof(body), body, 5));
	assert_int_equal(ledger_commit(l, &ledgerkit_jobs, &full), -1);
	assert_true(full);
	assert_true(ledger_pending(l, &ledgerkit_jobs));
	assert_int_equal(ledger_commit(l, &ledgerkit_jobs, &full), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	ledgerkit_commit(l);
	ledger_close(l);
	ledgerkit_forget();
	l = ledgerkit_open();
	assert_int_equal(ledger_load(l, &ledgerkit_jobs), 1);
	assert_int_equal(job_find(&ledgerkit_jobs, &(struct id32){{1}})->state, JS_STAGING);
	ledger_close(l);
}

/* A file without its name keeps nothing: it is not written until it is back. */
static void
test_removed(void **state)
{
	struct ledger *l = ledgerkit_open();
	struct job *j = a_job(1);
	char other[160];
	bool full = true;

	(void)state;
	ledgerkit_commit(l);
	(void)snprintf(other, sizeof(other), "%s.off", ledgerkit_path);
	assert_int_equal(rename(ledgerkit_path, other), 0);
	assert_true(job_set(&ledgerkit_jobs, j, JS_STAGING, NULL, NOW));
	assert_int_equal(ledger_commit(l, &ledgerkit_jobs, &full), -1);
	assert_false(full);
	assert_int_equal(symlink("nowhere", ledgerkit_path), 0); /* nor another's */
	assert_int_equal(ledger_commit(l, &ledgerkit_jobs, &full), -1);
	assert_true(ledger_pending(l, &ledgerkit_jobs));
	assert_int_equal(rename(other, ledgerkit_path), 0);
	ledgerkit_commit(l);
	ledger_close(l);
	ledgerkit_forget();
	l = ledgerkit_open();
	assert_int_equal(ledger_load(l, &ledgerkit_jobs), 1);
	assert_int_equal(job_find(&ledgerkit_jobs, &(struct id32){{1}})->state, JS_STAGING);
	ledger_close(l);
}

/* That the file is gone is said, although writing had failed before. */
static void
test_removed_full(void **state)
{
	struct rlimit old, small = {60 * 1024, 0};
	struct ledger *l = ledgerkit_open();
	static uint8_t body[200 * 1024];
	struct job *j = a_job(1);
	const struct captured *said;
	char other[160];
	bool full;

	(void)state;
	ledgerkit_commit(l);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_true(ledger_put_body(l, &j->id, body, sizeof(body), body, 5));
	assert_int_equal(ledger_commit(l, &ledgerkit_jobs, &full), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	(void)snprintf(other, sizeof(other), "%s.off", ledgerkit_path);
	assert_int_equal(rename(ledgerkit_path, other), 0);
	for (int again = 0; again < 2; again++) {
		capture_begin();
		assert_int_equal(ledger_commit(l, &ledgerkit_jobs, &full), -1);
		said = capture_end();
		/* once */
		assert_true((strstr(said->err, "was removed") != NULL) ==
		    (again == 0));
	}
	assert_int_equal(rename(other, ledgerkit_path), 0);
	ledgerkit_commit(l);
	ledger_close(l);
}

static void
test_bad_files(void **state)
{
	struct ledger *l = ledgerkit_open();
	char why[160];
	sqlite3 *db;
	FILE *f;

	(void)state;
	(void)a_job(1);
	ledgerkit_commit(l);
	ledger_close(l);
	/* a later version, a row that does not read */
	assert_int_equal(sqlite3_open(ledgerkit_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE jobs SET rec = x'01'", NULL,
		NULL, NULL), SQLITE_OK);
	ledgerkit_forget();
	l = ledgerkit_open();
	assert_int_equal(ledger_load(l, &ledgerkit_jobs), 0);
	ledger_close(l);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL,
		NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
	assert_null(ledger_open(ledgerkit_path, why));
	assert_non_null(strstr(why, "version 99"));
	/* no database at all */
	f = fopen(ledgerkit_path, "w");
	assert_non_null(f);
	for (int i = 0; i < 2000; i++)
		(void)fputs("rubbish ", f);
	(void)fclose(f);
	assert_null(ledger_open(ledgerkit_path, why));
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
	struct ledger *l = ledgerkit_open();
	struct job *j = a_job(1);
	uint8_t buf[16];
	sqlite3 *db;

	(void)state;
	assert_true(ledger_put_body(l, &j->id, "record", 6, "envelope", 8));
	assert_true(ledger_put_vote(l, &v));
	other.signer.b[0] = 9;
	assert_true(ledger_put_vote(l, &other));
	ledgerkit_commit(l);
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
	ledgerkit_commit(l);
	ledger_close(l);
	l = ledgerkit_open();
	assert_int_equal(ledger_votes(l, a_vote, &v), 0);
	assert_int_equal(nvotes, 1);
	ledger_close(l);
	/* a row that does not read is no vote */
	assert_int_equal(sqlite3_open(ledgerkit_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE votes SET rec = x'0102'",
	    NULL, NULL, NULL), SQLITE_OK);
	l = ledgerkit_open();
	assert_int_equal(ledger_votes(l, a_vote, &v), 0);
	assert_int_equal(nvotes, 1);
	ledger_close(l);
	/* a ledger from before there were any */
	assert_int_equal(sqlite3_exec(db, "DROP TABLE votes; "
	    "DROP TABLE marks; DROP TABLE mail; "
	    "PRAGMA user_version = 1", NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
	ledgerkit_forget();
	l = ledgerkit_open();
	/* it has begun nobody knows when */
	assert_int_equal(ledger_created(l), 0);
	assert_int_equal(ledger_load(l, &ledgerkit_jobs), 1);
	assert_true(ledger_put_vote(l, &v));
	ledgerkit_commit(l);
	assert_int_equal(ledger_votes(l, a_vote, &v), 0);
	assert_int_equal(nvotes, 2);
	ledger_close(l);
}

int
main(void)
{
#define T(x) cmocka_unit_test_setup_teardown(x, ledgerkit_setup, ledgerkit_teardown)
	const struct CMUnitTest tests[] = {
	    T(test_bad_row),
	    T(test_order_of_unread),
	    T(test_rows),
	    T(test_killed),
	    T(test_full),
	    T(test_removed),
	    T(test_removed_full),
	    T(test_bad_files),
	    T(test_votes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
