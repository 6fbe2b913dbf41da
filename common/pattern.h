/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_PATTERN_H
#define WARREN_COMMON_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

/*
 * One name of a path against one segment of a pattern, in which each `*`
 * stands for any bytes or none, and everything else for itself. At most n * m
 * steps. cut: more of the name is not known, and could be anything.
 */
bool pattern_name(const char *pattern, size_t n, const char *name, size_t m,
    bool cut);

/*
 * Is there any text that fits both? At most n * m steps; true as well, since it
 * is not known, when one is longer than PATTERN_MEET_MAX.
 */
#define PATTERN_MEET_MAX 1024
bool pattern_meet(const char *a, size_t n, const char *b, size_t m);

#endif
