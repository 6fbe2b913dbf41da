/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CONFIG_SHWORDS_H
#define WARREN_TRANSPORT_CONFIG_SHWORDS_H

#include <stddef.h>

/*
 * The words of a line as a POSIX shell splits it (blanks, both quotes,
 * backslash), and nothing else of a shell: no variables, patterns, comments,
 * operators.
 */

/* Bytes that shwords_split() may need for that text. */
size_t shwords_size(const char *);
/*
 * mem, aligned for pointers: an array that ends with NULL, then its words. NULL,
 * or what is wrong with the text.
 */
const char *shwords_split(const char *, void *mem);

#endif
