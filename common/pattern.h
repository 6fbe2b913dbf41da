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

#endif
