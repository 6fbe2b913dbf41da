/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_RECVFS_H
#define WARREN_TESTS_UNIT_RECVFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A VFS of SQLite that writes down what is done to a database and its journals,
 * and what a disk would hold of it after the power went: what was synced, and
 * of the rest whatever it likes.
 */
enum rec_file { REC_DB, REC_WAL, REC_JOURNAL, REC_FILES };
enum rec_kind { REC_WRITE, REC_TRUNCATE, REC_SYNC, REC_CREATE, REC_DELETE };

struct rec_op {
	enum rec_kind kind;
	enum rec_file file;
	uint64_t offset; /* truncate: the new size; delete: the folder synced */
	size_t len;
	uint8_t *data;
};

/* From now on each database is opened through it; false: SQLite says no. */
bool recvfs_begin(void);
/* No more; what was written down stays. */
void recvfs_end(void);
size_t recvfs_count(void);
const struct rec_op *recvfs_op(size_t);
void recvfs_clear(void);

/* What happens to writes that were not synced. */
enum rec_fate {
	FATE_LOST,  /* none is there */
	FATE_KEPT,  /* all are */
	FATE_SOME,  /* any of them, of any file, whatever came before */
	FATE_TORN,  /* the same, and of some only a part of their sectors */
	FATE_COUNT
};
/*
 * Lays out base, base-wal and base-journal as a disk has them when the power
 * goes after the first n operations. false: cannot write.
 */
bool recvfs_replay(const char *base, size_t n, enum rec_fate, uint32_t seed);

#endif
