/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sqlite3.h>

#include "node/host/ledger.h"

/* The ledger's rows of letters. */

static char path[] = "/tmp/warren-letters.XXXXXX";
static struct jobs js;

static void
changed(void *ctx, struct job *j, enum job_state old)
{
	(void)ctx;
	(void)j;
	(void)old;
}

static struct ledger *
open_it(void)
{
	char why[160];
	struct ledger *l = ledger_open(path, why);

	assert_non_null(l);
	return l;
}

static void
commit(struct ledger *l)
{
	bool full;

	assert_int_equal(ledger_commit(l, &js, &full), 0);
}

static unsigned nmail;
static void
a_mail(void *ctx, const struct id32 *id, const void *rec, size_t len)
{
	struct mailbag *b = ctx;

	nmail++;
	assert_true(mail_decode(b, id, rec, len));
}

/* Letters outlive a restart in the order of their coming, and go. */
static void
test_mail(void **state)
{
	struct mailbag b, back;
	struct id32 id = {{9}}, second = {{1}};
	struct ledger *l = open_it();
	struct mail *m, *n;
	sqlite3 *db;

	(void)state;
	mailbag_init(&b);
	mailbag_init(&back);
	m = mailbag_add(&b, &id, "letter", 6);
	n = mailbag_add(&b, &second, "other", 5);
	assert_true(m != NULL && n != NULL);
	assert_true(ledger_put_mail(l, m));
	assert_true(ledger_put_mail(l, n));
	commit(l);
	/* again, as it is by then; its place stays */
	mailbag_over(&b, m);
	assert_true(ledger_put_mail(l, m));
	commit(l);
	ledger_close(l);
	l = open_it();
	assert_int_equal(ledger_mail(l, a_mail, &back), 0);
	assert_int_equal(nmail, 2);
	assert_int_equal(back.nopen, 1);
	assert_int_equal(back.nover, 1);
	assert_true(id32_eq(&TAILQ_FIRST(&back.open)->id, &second));
	mailbag_clear(&back);
	assert_true(ledger_drop_mail(l, &second));
	commit(l);
	assert_int_equal(ledger_mail(l, a_mail, &back), 0);
	assert_int_equal(nmail, 3);
	assert_int_equal(back.nopen, 0);
	ledger_close(l);
	mailbag_clear(&back);
	mailbag_clear(&b);
	/* a ledger of the version before has none, and takes them */
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "DROP TABLE mail; "
	    "PRAGMA user_version = 3", NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
	l = open_it();
	assert_int_equal(ledger_mail(l, a_mail, &back), 0);
	assert_int_equal(nmail, 3);
	ledger_close(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_mail)};
	int fd = mkstemp(path), r;

	if (fd < 0)
		return 1;
	(void)close(fd);
	jobs_init(&js, changed, NULL);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	for (unsigned i = 0; i < 3; i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "%s%s", path,
		    i == 0 ? "" : i == 1 ? "-wal" : "-shm");
		(void)unlink(name);
	}
	return r;
}
