/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/host/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "common/log.h"

#define LEDGER_VERSION 4

enum op_kind { OP_BODY, OP_FORGET, OP_DROP_BODY, OP_OWN, OP_DISOWN,
	OP_VOTE, OP_UNVOTE, OP_MARK, OP_MAIL, OP_UNMAIL, OP_KINDS };

/* A write that waits for the commit. */
struct op {
	TAILQ_ENTRY(op) link;
	enum op_kind kind;
	struct id32 a, b;
	uint64_t size;
	uint32_t used;
	size_t mlen, elen;
	uint8_t data[]; /* manifest, then envelope; a vote; a letter's row */
};
TAILQ_HEAD(ops, op);

enum stmt {
	Q_JOB, Q_BODY, Q_FORGET, Q_DROP_BODY, Q_OWN, Q_DISOWN, Q_MANIFEST,
	Q_ENVELOPE, Q_VOTE, Q_UNVOTE, Q_MAIL, Q_UNMAIL,
	Q_MARK, Q_BEGIN, Q_COMMIT, Q_ROLLBACK, Q_SAVE, Q_RELEASE, Q_BACK, Q_COUNT
};
static const char *const SQL[Q_COUNT] = {
    [Q_JOB] = "INSERT INTO jobs(id, ord, owner, state, at, rec)"
	      " VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(id) DO UPDATE SET"
	      " state = ?4, at = ?5, rec = ?6",
    [Q_BODY] = "INSERT OR REPLACE INTO bodies(id, manifest, envelope)"
	       " VALUES(?1, ?2, ?3)",
    [Q_FORGET] = "DELETE FROM jobs WHERE id = ?1",
    [Q_DROP_BODY] = "DELETE FROM bodies WHERE id = ?1",
    [Q_OWN] = "INSERT INTO owns(fp, sha, size, used) VALUES(?1, ?2, ?3, ?4)"
	      " ON CONFLICT(fp, sha) DO UPDATE SET used = ?4",
    [Q_DISOWN] = "DELETE FROM owns WHERE fp = ?1 AND sha = ?2",
    [Q_MANIFEST] = "SELECT manifest FROM bodies WHERE id = ?1",
    [Q_ENVELOPE] = "SELECT envelope FROM bodies WHERE id = ?1",
    [Q_VOTE] = "INSERT OR REPLACE INTO votes(job, signer, rec)"
	       " VALUES(?1, ?2, ?3)",
    [Q_UNVOTE] = "DELETE FROM votes WHERE job = ?1 AND signer = ?2",
    [Q_MAIL] = "INSERT INTO mail(id, rec) VALUES(?1, ?2) ON CONFLICT(id)"
	       " DO UPDATE SET rec = ?2",
    [Q_UNMAIL] = "DELETE FROM mail WHERE id = ?1",
    [Q_MARK] = "INSERT INTO marks(k, v) VALUES(?1, ?2) ON CONFLICT(k)"
	       " DO UPDATE SET v = max(v, ?2)",
    [Q_BEGIN] = "BEGIN IMMEDIATE",
    [Q_COMMIT] = "COMMIT",
    [Q_ROLLBACK] = "ROLLBACK",
    [Q_SAVE] = "SAVEPOINT one",
    [Q_RELEASE] = "RELEASE one",
    [Q_BACK] = "ROLLBACK TO one",
};

static const char SCHEMA[] =
    "CREATE TABLE jobs("
    " id BLOB PRIMARY KEY NOT NULL, ord INTEGER NOT NULL UNIQUE,"
    " owner BLOB NOT NULL, state INTEGER NOT NULL, at INTEGER NOT NULL,"
    " rec BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE bodies(id BLOB PRIMARY KEY NOT NULL, manifest BLOB NOT NULL,"
    " envelope BLOB NOT NULL);"
    "CREATE TABLE owns(fp BLOB NOT NULL, sha BLOB NOT NULL,"
    " size INTEGER NOT NULL, used INTEGER NOT NULL, PRIMARY KEY(fp, sha))"
    " WITHOUT ROWID;";
/* version 2: what was said of jobs */
static const char SCHEMA_2[] =
    "CREATE TABLE votes(job BLOB NOT NULL, signer BLOB NOT NULL,"
    " rec BLOB NOT NULL, PRIMARY KEY(job, signer)) WITHOUT ROWID;";
/* version 3: times that must not go back */
static const char SCHEMA_3[] =
    "CREATE TABLE marks(k BLOB PRIMARY KEY NOT NULL, v INTEGER NOT NULL)"
    " WITHOUT ROWID;";
/* version 4: letters, by order of their coming */
static const char SCHEMA_4[] =
    "CREATE TABLE mail(ord INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,"
    " rec BLOB NOT NULL);";
/* one that begins here: since when anything is known at all */
static const char MADE[] =
    "INSERT INTO marks VALUES(x'63726561746564000000000000000000"
    "00000000000000000000000000000000', CAST(strftime('%s', 'now') AS"
    " INTEGER));";
static const struct id32 CREATED = {{'c', 'r', 'e', 'a', 't', 'e', 'd'}};
static const struct id32 FORGOTTEN = {{'f', 'o', 'r', 'g', 'o', 't', 't', 'e',
    'n'}};

struct ledger {
	sqlite3 *db;
	sqlite3_stmt *q[Q_COUNT];
	struct ops ops;
	bool failing; /* the last commit failed: say so once */
	bool gone;    /* ... for its name is another file's: said as well */
	char why[160]; /* of what was left out */
};

static int
simple(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static int
version_of(sqlite3 *db)
{
	sqlite3_stmt *q;
	int v = -1;

	if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &q, NULL) !=
	    SQLITE_OK)
		return -1;
	if (sqlite3_step(q) == SQLITE_ROW)
		v = sqlite3_column_int(q, 0);
	(void)sqlite3_finalize(q);
	return v;
}

/* Steps from an older version to this one, each in its transaction. */
static bool
migrate(sqlite3 *db, char why[160])
{
	char set[64];
	int v = version_of(db);

	if (v > LEDGER_VERSION) {
		(void)snprintf(why, 160,
		    "ledger.db is of version %d and this program knows %d: "
		    "another version of Warren wrote it", v, LEDGER_VERSION);
		return false;
	}
	if (v == LEDGER_VERSION)
		return true;
	(void)snprintf(set, sizeof(set), "PRAGMA user_version = %d",
	    LEDGER_VERSION);
	if (v < 0 || simple(db, "BEGIN IMMEDIATE") != SQLITE_OK ||
	    (v < 1 && simple(db, SCHEMA) != SQLITE_OK) ||
	    (v < 2 && simple(db, SCHEMA_2) != SQLITE_OK) ||
	    (v < 3 && simple(db, SCHEMA_3) != SQLITE_OK) ||
	    (v < 1 && simple(db, MADE) != SQLITE_OK) ||
	    simple(db, SCHEMA_4) != SQLITE_OK || simple(db, set) != SQLITE_OK ||
	    simple(db, "COMMIT") != SQLITE_OK) {
		(void)snprintf(why, 160, "ledger.db: %s", sqlite3_errmsg(db));
		return false;
	}
	return true;
}

static const char *
remedy(sqlite3 *db)
{
	int rc = sqlite3_errcode(db);

	return rc == SQLITE_NOTADB || rc == SQLITE_CORRUPT ? ": move "
	    "warren/node/ledger.db* away to start without the jobs in it" : "";
}

static bool
prepare(struct ledger *l, char why[160])
{
	static const char *const pragmas[] = {"PRAGMA journal_mode = WAL",
	    "PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON",
	    "PRAGMA trusted_schema = OFF", "PRAGMA cell_size_check = ON",
	    "PRAGMA wal_autocheckpoint = 1000",
	    "PRAGMA temp_store = MEMORY"};

	for (size_t i = 0; i < NELEM(pragmas); i++) {
		if (simple(l->db, pragmas[i]) != SQLITE_OK)
			goto bad;
	}
	if (!migrate(l->db, why))
		return false;
	for (unsigned i = 0; i < Q_COUNT; i++) {
		if (sqlite3_prepare_v3(l->db, SQL[i], -1,
			SQLITE_PREPARE_PERSISTENT, &l->q[i], NULL) !=
		    SQLITE_OK)
			goto bad;
	}
	return true;
bad:
	(void)snprintf(why, 160, "ledger.db: %s%s", sqlite3_errmsg(l->db),
	    remedy(l->db));
	return false;
}

struct ledger *
ledger_open(const char *path, char why[160])
{
	struct ledger *l = calloc(1, sizeof(*l));
	int rc;

	why[0] = '\0';
	if (l == NULL)
		return NULL;
	TAILQ_INIT(&l->ops);
	rc = sqlite3_open_v2(path, &l->db, SQLITE_OPEN_READWRITE |
		SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK)
		(void)snprintf(why, 160, "%s: %s", path, sqlite3_errstr(rc));
	else
		(void)sqlite3_busy_timeout(l->db, 2000);
	if (rc != SQLITE_OK || !prepare(l, why)) {
		ledger_close(l);
		return NULL;
	}
	return l;
}

void
ledger_close(struct ledger *l)
{
	struct op *op;

	if (l == NULL)
		return;
	while ((op = TAILQ_FIRST(&l->ops)) != NULL) {
		TAILQ_REMOVE(&l->ops, op, link);
		free(op);
	}
	for (unsigned i = 0; i < Q_COUNT; i++)
		(void)sqlite3_finalize(l->q[i]);
	(void)sqlite3_close(l->db);
	free(l);
}

/*
 * The next order is above all of the ledger's, also those of rows that do not
 * read: one that is there already would be refused for ever.
 */
static bool
orders(struct ledger *l, struct jobs *js)
{
	sqlite3_stmt *q;
	int rc;

	if (sqlite3_prepare_v2(l->db, "SELECT coalesce(max(ord), 0) FROM jobs",
		-1, &q, NULL) != SQLITE_OK)
		return false;
	rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		js->last_order = MAX_OF(js->last_order,
		    (uint64_t)sqlite3_column_int64(q, 0));
	(void)sqlite3_finalize(q);
	return rc == SQLITE_ROW;
}

int
ledger_load(struct ledger *l, struct jobs *js)
{
	sqlite3_stmt *q;
	int n = 0, rc;

	if (sqlite3_prepare_v2(l->db,
		"SELECT id, rec FROM jobs ORDER BY CASE WHEN state < 4 THEN"
		" ord ELSE at END", -1, &q, NULL) != SQLITE_OK)
		return -1;
	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		struct job *j = job_decode(sqlite3_column_blob(q, 1),
		    (size_t)sqlite3_column_bytes(q, 1));

		if (j == NULL || sqlite3_column_bytes(q, 0) != 32 ||
		    !id32_eq(&j->id, id32_at(sqlite3_column_blob(q, 0))) ||
		    job_find(js, &j->id) != NULL) {
			log_errx("ledger.db", "a job in it does not read and is "
			    "left alone: another version wrote it, or the "
			    "disk is damaged");
			job_free(j);
			continue;
		}
		job_restore(js, j);
		n++;
	}
	(void)sqlite3_finalize(q);
	return rc == SQLITE_DONE && orders(l, js) ? n : -1;
}

static struct op *
op_add(struct ledger *l, enum op_kind kind, const struct id32 *a, size_t more)
{
	struct op *op = calloc(1, sizeof(*op) + more);

	if (op == NULL)
		return NULL;
	op->kind = kind;
	op->a = *a;
	TAILQ_INSERT_TAIL(&l->ops, op, link);
	return op;
}

bool
ledger_put_body(struct ledger *l, const struct id32 *id, const void *manifest,
    size_t mlen, const void *envelope, size_t elen)
{
	struct op *op = op_add(l, OP_BODY, id, mlen + elen);

	if (op == NULL)
		return false;
	op->mlen = mlen;
	op->elen = elen;
	memcpy(op->data, manifest, mlen);
	memcpy(op->data + mlen, envelope, elen);
	return true;
}

uint8_t *
ledger_manifest(struct ledger *l, const struct id32 *id, size_t *len)
{
	sqlite3_stmt *q = l->q[Q_MANIFEST];
	uint8_t *out = NULL;

	(void)sqlite3_bind_blob(q, 1, HASH_BYTES(*id), SQLITE_STATIC);
	if (sqlite3_step(q) == SQLITE_ROW) {
		*len = (size_t)sqlite3_column_bytes(q, 0);
		out = malloc(*len + 1);
		if (out != NULL && *len > 0)
			memcpy(out, sqlite3_column_blob(q, 0), *len);
	}
	(void)sqlite3_reset(q);
	return out;
}

size_t
ledger_envelope(struct ledger *l, const struct id32 *id, uint8_t *out,
    size_t cap)
{
	sqlite3_stmt *q = l->q[Q_ENVELOPE];
	size_t n = 0;

	(void)sqlite3_bind_blob(q, 1, HASH_BYTES(*id), SQLITE_STATIC);
	if (sqlite3_step(q) == SQLITE_ROW) {
		n = (size_t)sqlite3_column_bytes(q, 0);
		if (n > 0 && n <= cap)
			memcpy(out, sqlite3_column_blob(q, 0), n);
	}
	(void)sqlite3_reset(q);
	return n;
}

bool
ledger_put_vote(struct ledger *l, const struct vote *v)
{
	struct op *op = op_add(l, OP_VOTE, &v->job, VOTE_RECORD);

	if (op == NULL)
		return false;
	op->b = *id32_at(v->signer.b);
	vote_encode(op->data, v);
	return true;
}

bool
ledger_drop_vote(struct ledger *l, const struct vote *v)
{
	struct op *op = op_add(l, OP_UNVOTE, &v->job, 0);

	if (op == NULL)
		return false;
	op->b = *id32_at(v->signer.b);
	return true;
}

int
ledger_votes(struct ledger *l, void (*fn)(void *, const struct vote *),
    void *ctx)
{
	sqlite3_stmt *q;
	struct vote v;
	int rc;

	if (sqlite3_prepare_v2(l->db, "SELECT job, signer, rec FROM votes", -1,
		&q, NULL) != SQLITE_OK)
		return -1;
	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		if (sqlite3_column_bytes(q, 0) == 32 &&
		    sqlite3_column_bytes(q, 1) == FP_LEN &&
		    vote_decode(&v, sqlite3_column_blob(q, 0),
			sqlite3_column_blob(q, 1), sqlite3_column_blob(q, 2),
			(size_t)sqlite3_column_bytes(q, 2)))
			fn(ctx, &v);
	}
	(void)sqlite3_finalize(q);
	return rc == SQLITE_DONE ? 0 : -1;
}

bool
ledger_put_mail(struct ledger *l, const struct mail *m)
{
	struct op *op = op_add(l, OP_MAIL, &m->id, m->len + MAIL_RECORD);

	if (op == NULL)
		return false;
	op->mlen = mail_encode(op->data, m->len + MAIL_RECORD, m);
	return true;
}

bool
ledger_drop_mail(struct ledger *l, const struct id32 *id)
{
	return op_add(l, OP_UNMAIL, id, 0) != NULL;
}

int
ledger_mail(struct ledger *l, void (*fn)(void *, const struct id32 *,
    const void *, size_t), void *ctx)
{
	sqlite3_stmt *q;
	int rc;

	if (sqlite3_prepare_v2(l->db, "SELECT id, rec FROM mail ORDER BY ord",
		-1, &q, NULL) != SQLITE_OK)
		return -1;
	while ((rc = sqlite3_step(q)) == SQLITE_ROW)
		if (sqlite3_column_bytes(q, 0) == 32)
			fn(ctx, id32_at(sqlite3_column_blob(q, 0)),
			    sqlite3_column_blob(q, 1),
			    (size_t)sqlite3_column_bytes(q, 1));
	(void)sqlite3_finalize(q);
	return rc == SQLITE_DONE ? 0 : -1;
}

bool
ledger_forget(struct ledger *l, const struct id32 *id, uint32_t not_after)
{
	struct op *op = op_add(l, OP_MARK, &FORGOTTEN, 0);

	if (op == NULL)
		return false;
	op->used = not_after;
	return op_add(l, OP_FORGET, id, 0) != NULL &&
	    op_add(l, OP_DROP_BODY, id, 0) != NULL;
}

static uint32_t
mark_of(struct ledger *l, const struct id32 *k)
{
	sqlite3_stmt *q;
	uint32_t v = 0;

	if (sqlite3_prepare_v2(l->db, "SELECT v FROM marks WHERE k = ?1", -1,
		&q, NULL) != SQLITE_OK)
		return 0;
	(void)sqlite3_bind_blob(q, 1, HASH_BYTES(*k), SQLITE_STATIC);
	if (sqlite3_step(q) == SQLITE_ROW)
		v = (uint32_t)sqlite3_column_int64(q, 0);
	(void)sqlite3_finalize(q);
	return v;
}

uint32_t
ledger_forgotten(struct ledger *l)
{
	return mark_of(l, &FORGOTTEN);
}

uint32_t
ledger_created(struct ledger *l)
{
	return mark_of(l, &CREATED);
}

bool
ledger_drop_body(struct ledger *l, const struct id32 *id)
{
	return op_add(l, OP_DROP_BODY, id, 0) != NULL;
}

bool
ledger_own(struct ledger *l, const struct fp *fp, const struct id32 *sha,
    uint64_t size, uint32_t used)
{
	struct op *op = op_add(l, OP_OWN, id32_at(fp->b), 0);

	if (op == NULL)
		return false;
	op->b = *sha;
	op->size = size;
	op->used = used;
	return true;
}

bool
ledger_disown(struct ledger *l, const struct fp *fp, const struct id32 *sha)
{
	struct op *op = op_add(l, OP_DISOWN, id32_at(fp->b), 0);

	if (op == NULL)
		return false;
	op->b = *sha;
	return true;
}

int
ledger_owned(struct ledger *l, ledger_own_fn *fn, void *ctx)
{
	sqlite3_stmt *q;
	int rc;

	if (sqlite3_prepare_v2(l->db, "SELECT fp, sha, size, used FROM owns",
		-1, &q, NULL) != SQLITE_OK)
		return -1;
	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		if (sqlite3_column_bytes(q, 0) == FP_LEN &&
		    sqlite3_column_bytes(q, 1) == 32)
			fn(ctx, sqlite3_column_blob(q, 0),
			    sqlite3_column_blob(q, 1),
			    (uint64_t)sqlite3_column_int64(q, 2),
			    (uint32_t)sqlite3_column_int64(q, 3));
	}
	(void)sqlite3_finalize(q);
	return rc == SQLITE_DONE ? 0 : -1;
}

static int
run(sqlite3_stmt *q)
{
	int rc = sqlite3_step(q);

	(void)sqlite3_reset(q);
	(void)sqlite3_clear_bindings(q);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int
run_op(struct ledger *l, const struct op *op)
{
	static const enum stmt which[OP_KINDS] = {[OP_BODY] = Q_BODY,
	    [OP_FORGET] = Q_FORGET, [OP_DROP_BODY] = Q_DROP_BODY,
	    [OP_OWN] = Q_OWN, [OP_DISOWN] = Q_DISOWN,
	    [OP_VOTE] = Q_VOTE, [OP_UNVOTE] = Q_UNVOTE,
	    [OP_MARK] = Q_MARK, [OP_MAIL] = Q_MAIL, [OP_UNMAIL] = Q_UNMAIL};
	sqlite3_stmt *q = l->q[which[op->kind]];

	(void)sqlite3_bind_blob(q, 1, HASH_BYTES(op->a), SQLITE_STATIC);
	if (op->kind == OP_BODY) {
		(void)sqlite3_bind_blob(q, 2, op->data, (int)op->mlen,
		    SQLITE_STATIC);
		(void)sqlite3_bind_blob(q, 3, op->data + op->mlen,
		    (int)op->elen, SQLITE_STATIC);
	} else if (op->kind == OP_MAIL) {
		(void)sqlite3_bind_blob(q, 2, op->data, (int)op->mlen,
		    SQLITE_STATIC);
	} else if (op->kind >= OP_OWN && op->kind != OP_UNMAIL) {
		(void)sqlite3_bind_blob(q, 2, HASH_BYTES(op->b), SQLITE_STATIC);
	}
	if (op->kind == OP_VOTE)
		(void)sqlite3_bind_blob(q, 3, op->data, VOTE_RECORD,
		    SQLITE_STATIC);
	if (op->kind == OP_MARK)
		(void)sqlite3_bind_int64(q, 2, op->used);
	if (op->kind == OP_OWN) {
		(void)sqlite3_bind_int64(q, 3, (sqlite3_int64)op->size);
		(void)sqlite3_bind_int64(q, 4, op->used);
	}
	return run(q);
}

static int
run_job(struct ledger *l, const struct job *j)
{
	sqlite3_stmt *q = l->q[Q_JOB];
	uint8_t rec[JOB_RECORD_MAX];
	size_t n = job_encode(rec, sizeof(rec), j);

	if (n == 0)
		return SQLITE_TOOBIG;
	(void)sqlite3_bind_blob(q, 1, HASH_BYTES(j->id), SQLITE_STATIC);
	(void)sqlite3_bind_int64(q, 2, (sqlite3_int64)j->order);
	(void)sqlite3_bind_blob(q, 3, HASH_BYTES(j->owner), SQLITE_STATIC);
	(void)sqlite3_bind_int(q, 4, (int)j->state);
	(void)sqlite3_bind_int64(q, 5, j->at);
	(void)sqlite3_bind_blob(q, 6, rec, (int)n, SQLITE_STATIC);
	return run(q);
}

bool
ledger_pending(const struct ledger *l, const struct jobs *js)
{
	return !TAILQ_EMPTY(&l->ops) || !TAILQ_EMPTY(&js->dirty);
}

bool
ledger_lazy(const struct ledger *l, const struct jobs *js)
{
	return TAILQ_EMPTY(&l->ops) && jobs_lazy(js);
}

static int
write_all(struct ledger *l, struct jobs *js)
{
	const struct job *j;
	const struct op *op;
	int rc = run(l->q[Q_BEGIN]);

	if (rc != SQLITE_OK)
		return rc;
	TAILQ_FOREACH(op, &l->ops, link) {
		if ((rc = run_op(l, op)) != SQLITE_OK)
			return rc;
	}
	TAILQ_FOREACH(j, &js->dirty, dirty_link) {
		if ((rc = run_job(l, j)) != SQLITE_OK)
			return rc;
	}
	return run(l->q[Q_COMMIT]);
}

/* ---- rows that fail by themselves ---- */

/* The file, the disk or the memory, not a row. */
static bool
of_all(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_CONSTRAINT:
	case SQLITE_TOOBIG:
	case SQLITE_MISMATCH:
	case SQLITE_RANGE:
	case SQLITE_CORRUPT:
	case SQLITE_ERROR:
		return false;
	default:
		return true;
	}
}

/* One of them, and what it did is undone when it fails. */
static int
one(struct ledger *l, const struct op *op, const struct job *j)
{
	int rc = run(l->q[Q_SAVE]);

	if (rc != SQLITE_OK)
		return rc;
	rc = op != NULL ? run_op(l, op) : run_job(l, j);
	if (rc == SQLITE_OK)
		return run(l->q[Q_RELEASE]);
	(void)snprintf(l->why, sizeof(l->why), "%s", rc == SQLITE_TOOBIG ?
	    "too large" : sqlite3_errmsg(l->db));
	if (run(l->q[Q_BACK]) != SQLITE_OK || run(l->q[Q_RELEASE]) != SQLITE_OK)
		return SQLITE_IOERR; /* the transaction is gone, too */
	return rc;
}

static bool
is_bad(const struct job *j, struct job *const *bad, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (bad[i] == j)
			return true;
	}
	return false;
}

#define BAD_MAX 64 /* of one commit; more are no affair of single rows */

/*
 * Each by itself, those that fail left out. What was left out is known when
 * all is written: then jobs go aside, and other rows are given up.
 */
static int
write_each(struct ledger *l, struct jobs *js)
{
	struct job *bad[BAD_MAX], *j;
	size_t n = 0;
	struct op *op;
	int rc = run(l->q[Q_BEGIN]);

	if (rc != SQLITE_OK)
		return rc;
	TAILQ_FOREACH(op, &l->ops, link) {
		if ((rc = one(l, op, NULL)) == SQLITE_OK)
			continue;
		if (of_all(rc))
			return rc;
		log_errx("ledger.db", "a row cannot be written, the others "
		    "are: %s", l->why);
		/* a job without its body is none */
		if (op->kind == OP_BODY && (j = job_find(js, &op->a)) != NULL &&
		    j->dirty && !j->aside && n < BAD_MAX)
			bad[n++] = j;
	}
	TAILQ_FOREACH(j, &js->dirty, dirty_link) {
		if (is_bad(j, bad, n) ||
		    (rc = one(l, NULL, j)) == SQLITE_OK)
			continue;
		if (of_all(rc) || n == BAD_MAX)
			return rc;
		bad[n++] = j;
	}
	if ((rc = run(l->q[Q_COMMIT])) != SQLITE_OK)
		return rc;
	for (size_t i = 0; i < n; i++)
		job_set_aside(js, bad[i]);
	return rc;
}

const char *
ledger_why(const struct ledger *l)
{
	return l->why;
}

/* Its name is another file's, or nobody's: what goes there is gone one day. */
static bool
moved(struct ledger *l)
{
	int is = 0;

	return sqlite3_file_control(l->db, "main", SQLITE_FCNTL_HAS_MOVED,
	    &is) == SQLITE_OK && is != 0;
}

int
ledger_commit(struct ledger *l, struct jobs *js, bool *full)
{
	struct job *j;
	struct op *op;
	int rc;

	*full = false;
	if (!ledger_pending(l, js))
		return 0;
	if (moved(l)) {
		if (!l->gone)
			log_errx("ledger.db", "was removed or replaced while "
			    "it was in use, so no job is taken until it is "
			    "back: or start warrend anew, which forgets what "
			    "was in it");
		l->failing = l->gone = true;
		return -1;
	}
	l->gone = false;
	rc = write_all(l, js);
	if (rc != SQLITE_OK && !of_all(rc)) {
		if (sqlite3_get_autocommit(l->db) == 0)
			(void)run(l->q[Q_ROLLBACK]);
		rc = write_each(l, js);
	}
	if (rc != SQLITE_OK) {
		if (!l->failing)
			log_errx("ledger.db", "cannot be written, so no job is "
			    "taken; tried again each second: %s",
			    sqlite3_errmsg(l->db));
		l->failing = true;
		*full = (rc & 0xff) == SQLITE_FULL ||
		    (rc & 0xff) == SQLITE_IOERR;
		if (sqlite3_get_autocommit(l->db) == 0)
			(void)run(l->q[Q_ROLLBACK]);
		return -1;
	}
	if (l->failing)
		log_notice("ledger", "writes again");
	l->failing = false;
	while ((op = TAILQ_FIRST(&l->ops)) != NULL) {
		TAILQ_REMOVE(&l->ops, op, link);
		free(op);
	}
	while ((j = TAILQ_FIRST(&js->dirty)) != NULL) {
		TAILQ_REMOVE(&js->dirty, j, dirty_link);
		j->dirty = false;
		j->kept = true;
		j->told_aside = false;
	}
	return 0;
}
