/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_FILESUM_READ_H
#define WARREN_AUDIT_FILESUM_READ_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>

#define FILESUM_SLICE (256u << 10) /* bytes read at a time */

/* Told how much was read; false: stop. */
typedef bool filesum_slice(void *ctx, uint64_t bytes);

/*
 * Let the kernel keep it from now on: nobody writes to the file any more, and
 * each read is held to it. fd: to read, of a file that nobody has open to
 * write and its caller may write to. 0; -1 with errno: EOPNOTSUPP, ENOTTY: this
 * file system keeps none.
 */
int filesum_keep(int fd);
/* As the kernel keeps it; false: it does not for this file. */
bool filesum_kept(int fd, struct id32 *out);
/*
 * Of the bytes of a regular file, from its start, size at most. slice may be
 * NULL. 0; 1: stopped; -1 with errno.
 */
int filesum_read(int fd, uint64_t size, filesum_slice *, void *ctx,
    struct id32 *out);

#endif
