/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_FILEAT_H
#define WARREN_COMMON_FILEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * All n bytes at that place of a file, or false with errno: EIO where it ends
 * before.
 */
bool read_at(int fd, void *, size_t n, uint64_t at);
bool write_at(int fd, const void *, size_t n, uint64_t at);

#endif
