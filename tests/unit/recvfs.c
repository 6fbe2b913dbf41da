/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/recvfs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "common/util.h"

#define SECTOR 512
#define IMAGE_MAX (32u << 20)

static struct rec_op *ops;
static size_t nops, cap;
static sqlite3_vfs vfs, *real;

struct file {
	sqlite3_file base;
	enum rec_file which; /* REC_FILES: not written down */
	sqlite3_file *real;
};

static struct rec_op *
op_add(enum rec_kind kind, enum rec_file file)
{
	if (nops == cap) {
		cap = cap == 0 ? 1024 : cap * 2;
		ops = reallocarray(ops, cap, sizeof(*ops));
		if (ops == NULL)
			abort();
	}
	ops[nops] = (struct rec_op){.kind = kind, .file = file};
	return &ops[nops++];
}

/* ---- a file ---- */

#define REAL(f) (((struct file *)(void *)(f))->real)
#define PASS(name, args, call)                                                 \
	static int name args { return REAL(f)->pMethods->call; }

PASS(f_read, (sqlite3_file *f, void *p, int n, sqlite3_int64 at),
    xRead(REAL(f), p, n, at))
PASS(f_size, (sqlite3_file *f, sqlite3_int64 *n), xFileSize(REAL(f), n))
PASS(f_lock, (sqlite3_file *f, int l), xLock(REAL(f), l))
PASS(f_unlock, (sqlite3_file *f, int l), xUnlock(REAL(f), l))
PASS(f_reserved, (sqlite3_file *f, int *r), xCheckReservedLock(REAL(f), r))
PASS(f_control, (sqlite3_file *f, int op, void *p),
    xFileControl(REAL(f), op, p))
PASS(f_sector, (sqlite3_file *f), xSectorSize(REAL(f)))
PASS(f_shmmap, (sqlite3_file *f, int i, int n, int w, void volatile **p),
    xShmMap(REAL(f), i, n, w, p))
PASS(f_shmlock, (sqlite3_file *f, int o, int n, int fl),
    xShmLock(REAL(f), o, n, fl))
PASS(f_shmunmap, (sqlite3_file *f, int d), xShmUnmap(REAL(f), d))

/* Nothing that a disk does not promise: no atomic, no ordered writes. */
static int
f_traits(sqlite3_file *f)
{
	(void)f;
	return 0;
}

static void
f_barrier(sqlite3_file *f)
{
	REAL(f)->pMethods->xShmBarrier(REAL(f));
}

static int
f_close(sqlite3_file *f)
{
	int rc = REAL(f)->pMethods->xClose(REAL(f));

	free(REAL(f));
	return rc;
}

static int
f_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	const struct file *r = (const void *)f;
	struct rec_op *op;

	if (r->which != REC_FILES) {
		op = op_add(REC_WRITE, r->which);
		op->offset = (uint64_t)at;
		op->len = (size_t)n;
		if ((op->data = malloc(op->len + 1)) == NULL)
			abort();
		memcpy(op->data, p, op->len);
	}
	return REAL(f)->pMethods->xWrite(REAL(f), p, n, at);
}

static int
f_truncate(sqlite3_file *f, sqlite3_int64 n)
{
	const struct file *r = (const void *)f;

	if (r->which != REC_FILES)
		op_add(REC_TRUNCATE, r->which)->offset = (uint64_t)n;
	return REAL(f)->pMethods->xTruncate(REAL(f), n);
}

static int
f_sync(sqlite3_file *f, int flags)
{
	const struct file *r = (const void *)f;
	int rc = REAL(f)->pMethods->xSync(REAL(f), flags);

	if (r->which != REC_FILES && rc == SQLITE_OK)
		(void)op_add(REC_SYNC, r->which);
	return rc;
}

static const sqlite3_io_methods methods = {2, f_close, f_read, f_write,
    f_truncate, f_sync, f_size, f_lock, f_unlock, f_reserved, f_control,
    f_sector, f_traits, f_shmmap, f_shmlock, f_barrier, f_shmunmap, NULL,
    NULL};

/* ---- the VFS ---- */

static int
v_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out)
{
	struct file *r = (void *)f;
	bool was = name != NULL && access(name, F_OK) == 0;
	int rc;

	(void)v;
	f->pMethods = NULL;
	r->which = (flags & SQLITE_OPEN_MAIN_DB) != 0 ? REC_DB :
	    (flags & SQLITE_OPEN_WAL) != 0 ? REC_WAL :
	    (flags & SQLITE_OPEN_MAIN_JOURNAL) != 0 ? REC_JOURNAL : REC_FILES;
	if ((r->real = calloc(1, (size_t)real->szOsFile)) == NULL)
		return SQLITE_NOMEM;
	rc = real->xOpen(real, name, r->real, flags, out);
	if (rc != SQLITE_OK) {
		free(r->real);
		return rc;
	}
	f->pMethods = &methods;
	if (!was && r->which != REC_FILES)
		(void)op_add(REC_CREATE, r->which);
	return rc;
}

static int
v_delete(sqlite3_vfs *v, const char *name, int sync)
{
	size_t n = strlen(name);
	int rc = real->xDelete(real, name, sync);

	(void)v;
	if (rc == SQLITE_OK && n > 4 && strcmp(name + n - 4, "-wal") == 0)
		op_add(REC_DELETE, REC_WAL)->offset = sync != 0;
	else if (rc == SQLITE_OK && n > 8 &&
	    strcmp(name + n - 8, "-journal") == 0)
		op_add(REC_DELETE, REC_JOURNAL)->offset = sync != 0;
	return rc;
}

bool
recvfs_begin(void)
{
	if ((real = sqlite3_vfs_find("unix")) == NULL)
		return false;
	vfs = *real;
	vfs.zName = "record";
	vfs.szOsFile = sizeof(struct file);
	vfs.xOpen = v_open;
	vfs.xDelete = v_delete;
	return sqlite3_vfs_register(&vfs, 1) == SQLITE_OK;
}

void
recvfs_end(void)
{
	(void)sqlite3_vfs_unregister(&vfs);
	(void)sqlite3_vfs_register(real, 1);
}

size_t
recvfs_count(void)
{
	return nops;
}

const struct rec_op *
recvfs_op(size_t i)
{
	return &ops[i];
}

void
recvfs_clear(void)
{
	for (size_t i = 0; i < nops; i++)
		free(ops[i].data);
	free(ops);
	ops = NULL;
	nops = cap = 0;
}

/* ---- the power is gone ---- */

static uint32_t
next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 16;
}

struct image {
	uint8_t *data;
	size_t len;
	bool there;
};

/* Behind the last sync of its file (of its folder, for names) before n? */
static bool
unsynced(size_t i, size_t n)
{
	bool name = ops[i].kind == REC_CREATE || ops[i].kind == REC_DELETE;

	if (ops[i].kind == REC_DELETE && ops[i].offset != 0)
		return false;
	for (size_t k = i + 1; k < n; k++) {
		/* a journal's first sync is its folder's too */
		if (ops[k].kind == REC_SYNC && (name ?
			ops[k].file != REC_DB : ops[k].file == ops[i].file))
			return false;
		if (name && ops[k].kind == REC_DELETE && ops[k].offset != 0)
			return false;
	}
	return true;
}

static void
apply(struct image *f, const struct rec_op *op, size_t from, size_t to)
{
	switch (op->kind) {
	case REC_WRITE:
		if (op->offset + op->len > IMAGE_MAX)
			abort();
		if (op->offset + to > f->len)
			f->len = op->offset + to;
		memcpy(f->data + op->offset + from, op->data + from, to - from);
		break;
	case REC_TRUNCATE:
		if (op->offset < f->len)
			memset(f->data + op->offset, 0, f->len - op->offset);
		f->len = op->offset;
		break;
	case REC_CREATE:
	case REC_DELETE:
		memset(f->data, 0, f->len);
		f->len = 0;
		f->there = op->kind == REC_CREATE;
		break;
	default:
		break;
	}
}

static void
fated(struct image *f, const struct rec_op *op, enum rec_fate fate,
    uint32_t *seed)
{
	size_t from = 0, to = op->len;

	if (fate == FATE_LOST ||
	    (fate >= FATE_SOME && next(seed) % 2 == 0))
		return;
	if (fate == FATE_TORN && op->len > SECTOR && next(seed) % 2 == 0) {
		size_t cut = (1 + next(seed) % (op->len / SECTOR)) * SECTOR;

		if (next(seed) % 2 == 0)
			to = MIN_OF(cut, op->len);
		else
			from = MIN_OF(cut, op->len);
	}
	apply(f, op, from, to);
}

static bool
lay_out(const char *base, const char *suffix, const struct image *f)
{
	char path[192];
	bool ok;
	int fd;

	(void)snprintf(path, sizeof(path), "%s%s", base, suffix);
	(void)unlink(path);
	if (!f->there)
		return true;
	fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	ok = fd >= 0 && write(fd, f->data, f->len) == (ssize_t)f->len;
	if (fd >= 0)
		(void)close(fd);
	return ok;
}

bool
recvfs_replay(const char *base, size_t n, enum rec_fate fate, uint32_t seed)
{
	static const char *const suffix[REC_FILES] = {"", "-wal", "-journal"};
	static struct image f[REC_FILES];
	char shm[192];
	bool ok = true;

	for (unsigned i = 0; i < REC_FILES; i++) {
		if (f[i].data == NULL && (f[i].data = calloc(1, IMAGE_MAX)) ==
		    NULL)
			return false;
		memset(f[i].data, 0, f[i].len);
		f[i].len = 0;
		f[i].there = false;
	}
	for (size_t i = 0; i < n; i++) {
		if (ops[i].kind == REC_SYNC)
			continue;
		if (unsynced(i, n))
			fated(&f[ops[i].file], &ops[i], fate, &seed);
		else
			apply(&f[ops[i].file], &ops[i], 0, ops[i].len);
	}
	/* what is in a file whose name was lost is lost with it */
	for (unsigned i = 0; i < REC_FILES; i++)
		ok = lay_out(base, suffix[i], &f[i]) && ok;
	(void)snprintf(shm, sizeof(shm), "%s-shm", base);
	(void)unlink(shm);
	return ok;
}
