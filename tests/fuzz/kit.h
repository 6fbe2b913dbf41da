/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_FUZZ_KIT_H
#define WARREN_TESTS_FUZZ_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* What targets of the whole core have in common. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

/* Bytes, by anybody; 0: nobody counts them. */
static inline size_t
allocated(void)
{
	return __sanitizer_get_current_allocated_bytes != NULL ?
	    __sanitizer_get_current_allocated_bytes() : 0;
}

/* What must never be. */
static inline void
must_at(bool so, int line)
{
	if (so)
		return;
	(void)fprintf(stderr, "not so: line %d\n", line);
	abort();
}
#define must(so) must_at(so, __LINE__)

/* In place of chance (rns_config.random); arg: a uint32_t, its state. */
static inline void
numbers(void *arg, uint8_t *out, size_t n)
{
	uint32_t *state = arg;

	for (size_t i = 0; i < n; i++) {
		*state = *state * 1664525u + 1013904223u;
		out[i] = (uint8_t)(*state >> 24);
	}
}

#endif
