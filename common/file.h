/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_FILE_H
#define WARREN_COMMON_FILE_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Small files that must survive: written beside, synced, renamed; the folder
 * is synced too. dir is a directory descriptor (or AT_FDCWD), name one
 * component of it. 0 or -1 with errno; on failure the old file is untouched.
 */
int file_replace(int dir, const char *name, const void *, size_t,
    mode_t mode);
/*
 * A regular file of at most cap bytes, no link followed. The length, or -1:
 * EFBIG (longer), ELOOP, EINVAL (not a regular file), what open said.
 */
ssize_t file_read(int dir, const char *name, void *out, size_t cap);
/* The same into an own allocation with a NUL behind it; NULL. */
char *file_load(int dir, const char *name, size_t max, size_t *len);

/*
 * The same of large ones, in turns of about so many bytes: open, then more
 * while it gives 1; 0: it is whole; -1 with errno. in: *p, n bytes with a NUL
 * behind them, is the caller's when he sets it to NULL. out: the data is
 * borrowed; what was written is synced in each turn, so that none waits for all
 * of it. close: whatever has become of it; of one that is not open as well.
 */
struct file_in {
	bool open;
	int fd;
	char *p;
	size_t n, cap;
};
struct file_out {
	bool open;
	int fd, dir;
	mode_t mode;
	char name[256], tmp[256];
	const char *p;
	size_t n, at;
};
int file_in_open(struct file_in *, int dir, const char *name, size_t max);
int file_in_more(struct file_in *, size_t budget);
void file_in_close(struct file_in *);
int file_out_open(struct file_out *, int dir, const char *name, const void *,
    size_t, mode_t mode);
int file_out_more(struct file_out *, size_t budget);
void file_out_close(struct file_out *);

/* Open, or make, a folder (one component); -1. */
int dir_open(int dir, const char *name, bool make, mode_t mode);
/*
 * The entries of an open folder, which is taken, from the first on: closedir()
 * closes it. fd -1, what a failed open gave, or no memory: NULL with errno.
 */
DIR *dir_take(int fd);
/* All of it, whatever write(2) takes at a time; 0 or -1. */
int write_full(int fd, const void *, size_t);
/*
 * A file of the kernel that is there and takes a setting in one write (a
 * cgroup's): no link is followed. 0 or -1 with errno.
 */
int file_put(int dir, const char *name, const char *text);
int file_put_number(int dir, const char *name, uint64_t);

#endif
