/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_UNITS_H
#define WARREN_COMMON_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Sizes, times and shares of cores as people write them (compute.md 2). Digits,
 * at most three decimals, then the unit, no space; false: not this form, or
 * too large. Values are exact or cut down.
 */

/* "5MB", "64kB", "1GiB", "1.5GB", "4096" (bytes). kB = KiB = 1024 bytes. */
bool units_size(const char *, uint64_t *bytes);
/* "500ms", "60s", "10m", "24h", "7d", "1.5h"; "0" needs no unit. */
bool units_time_ms(const char *, uint64_t *ms);
/* "0.5", "2": thousandths of a core, from 1. */
bool units_cpu_milli(const char *, uint32_t *milli);

/* The shortest exact form: "5MB", "1500B" as "1500", "90s". */
void units_size_text(char *out, size_t cap, uint64_t bytes);
void units_time_text(char *out, size_t cap, uint64_t ms);

#endif
