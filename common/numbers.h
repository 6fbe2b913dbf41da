/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_NUMBERS_H
#define WARREN_COMMON_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Can the ids from base on be used? It needs uid 0, an id map that has them,
 * and the capabilities to use them; else everything runs under the starting
 * user (ARCHITECTURE.md 12.5).
 */
bool numbers_usable(uint32_t base);

#endif
