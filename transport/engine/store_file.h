/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_STORE_FILE_H
#define WARREN_TRANSPORT_ENGINE_STORE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One file of the storage folder: read whole, written whole. A crash leaves
 * the old one or the new one. What cannot be read is never fatal and never
 * written over: it is set aside as storage/damaged/NAME.N and named in the log.
 */
struct store_files {
	int dir;      /* storage/ */
	int damaged;  /* its folder of what was set aside, made when needed */
	unsigned set_aside; /* since the start */
	bool failing; /* the last write failed: say so once */
};

void store_files_init(struct store_files *, int dir);
void store_files_clear(struct store_files *);
/*
 * From a folder of it; NULL: not there, or not readable (logged; set aside
 * when it is no file, or longer than max).
 */
char *store_file_load(struct store_files *, int dir, const char *name,
    size_t max, size_t *len);
/* Out of the way; `lost` says in the log what that means. */
void store_file_aside(struct store_files *, int dir, const char *name,
    const char *lost);
/* false: not written (logged once, until it can be again). */
bool store_file_write(struct store_files *, int dir, const char *name,
    const void *, size_t);
/* The same said of a write that the caller did: rc 0 or -1 with errno. */
bool store_file_wrote(struct store_files *, const char *name, int rc);

/* What a run that was killed in the middle of a file has left in a folder. */
void store_file_sweep(int dir);

/*
 * A database of RNS 1.6 (reticulum-1.6.md), which no other version reads.
 * modified_s: of the newest file of storage/ that is one; 0: there is none.
 * Its name goes into `name`.
 */
int64_t store_database(int dir, char *name, size_t cap);
/* When a file was last written, Unix seconds; 0: not there. */
int64_t store_file_time(int dir, const char *name);

#endif
