/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SQLite as a module: a database is made, changed and asked in a file, with a
 * journal beside it, which libprograms.py opens afterwards with a SQLite of
 * its own. database FILE ROWS
 */
#include <sqlite3.h>

#include <stdio.h>
#include <stdlib.h>

static sqlite3 *db;

static void
die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, sqlite3_errmsg(db));
	exit(1);
}

static void
run(const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		die(sql);
}

static void
fill(int rows)
{
	sqlite3_stmt *s;

	run("BEGIN");
	if (sqlite3_prepare_v2(db, "INSERT INTO t VALUES (?1, ?1 * 7919 % "
	    "10007, 'row ' || ?1)", -1, &s, NULL) != SQLITE_OK)
		die("insert");
	for (int i = 0; i < rows; i++)
		if (sqlite3_bind_int(s, 1, i) != SQLITE_OK ||
		    sqlite3_step(s) != SQLITE_DONE ||
		    sqlite3_reset(s) != SQLITE_OK)
			die("insert");
	(void)sqlite3_finalize(s);
	run("COMMIT");
}

int
main(int argc, char *argv[])
{
	sqlite3_stmt *s;

	if (argc != 3 || sqlite3_open(argv[1], &db) != SQLITE_OK)
		die("open");
	run("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER, s TEXT)");
	fill((int)strtol(argv[2], NULL, 10));
	run("CREATE INDEX by_v ON t (v)");
	/* what is not committed goes away by the journal */
	run("BEGIN; DELETE FROM t; ROLLBACK");
	run("UPDATE t SET s = upper(s) WHERE v < 100; VACUUM");
	if (sqlite3_prepare_v2(db, "SELECT count(*), sum(v), max(s) FROM t "
	    "WHERE v BETWEEN 50 AND 5000", -1, &s, NULL) != SQLITE_OK ||
	    sqlite3_step(s) != SQLITE_ROW)
		die("select");
	printf("%s %lld %lld %s\n", sqlite3_libversion(),
	    (long long)sqlite3_column_int64(s, 0),
	    (long long)sqlite3_column_int64(s, 1), sqlite3_column_text(s, 2));
	(void)sqlite3_finalize(s);
	return sqlite3_close(db) == SQLITE_OK ? 0 : 1;
}
