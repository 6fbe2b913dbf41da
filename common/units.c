/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"

struct unit {
	const char *name;
	uint64_t factor;
};

/* Longest first is not needed: the whole rest of the text must match. */
static const struct unit sizes[] = {{"", 1}, {"B", 1}, {"kB", 1024},
    {"KB", 1024}, {"KiB", 1024}, {"MB", 1024 * 1024}, {"MiB", 1024 * 1024},
    {"GB", 1024ull << 20}, {"GiB", 1024ull << 20}, {"TB", 1024ull << 30},
    {"TiB", 1024ull << 30}};
static const struct unit times[] = {{"ms", 1}, {"s", 1000}, {"m", 60000},
    {"h", 3600000}, {"d", 86400000}};

/* value * 1000, from digits and at most three decimals. */
static const char *
milli(const char *s, uint64_t *out)
{
	uint64_t v = 0;
	int decimals = 0;

	if (*s < '0' || *s > '9')
		return NULL;
	for (; *s >= '0' && *s <= '9'; s++) {
		if (v > (UINT64_MAX / 1000 - 9) / 10)
			return NULL;
		v = v * 10 + (uint64_t)(*s - '0');
	}
	if (*s == '.') {
		s++;
		if (*s < '0' || *s > '9')
			return NULL;
		for (; *s >= '0' && *s <= '9'; s++, decimals++) {
			if (decimals == 3 || v > (UINT64_MAX / 1000 - 9) / 10)
				return NULL;
			v = v * 10 + (uint64_t)(*s - '0');
		}
	}
	for (; decimals < 3; decimals++) {
		if (v > UINT64_MAX / 10)
			return NULL;
		v *= 10;
	}
	*out = v;
	return s;
}

static bool
scaled(const char *s, const struct unit *units, size_t n, uint64_t *out)
{
	uint64_t v;

	s = milli(s, &v);
	if (s == NULL)
		return false;
	for (size_t i = 0; i < n; i++) {
		uint64_t f = units[i].factor;

		if (strcmp(s, units[i].name) != 0)
			continue;
		/* v / 1000 * f without losing the fraction or the top */
		if (v / 1000 > UINT64_MAX / f - 1)
			return false;
		*out = v / 1000 * f + v % 1000 * f / 1000;
		return true;
	}
	return false;
}

bool
units_size(const char *s, uint64_t *bytes)
{
	/* a fraction of a byte is a mistake, not a size */
	if (strchr(s, '.') != NULL && strpbrk(s, "kKMGT") == NULL)
		return false;
	return scaled(s, sizes, NELEM(sizes), bytes);
}

bool
units_time_ms(const char *s, uint64_t *ms)
{
	if (strcmp(s, "0") == 0) {
		*ms = 0;
		return true;
	}
	return scaled(s, times, NELEM(times), ms);
}

bool
units_cpu_milli(const char *s, uint32_t *out)
{
	uint64_t v;

	s = milli(s, &v);
	if (s == NULL || *s != '\0' || v < 1 || v > UINT32_MAX)
		return false;
	*out = (uint32_t)v;
	return true;
}

void
units_size_text(char *out, size_t cap, uint64_t bytes)
{
	static const char *const names[] = {"", "kB", "MB", "GB", "TB"};
	size_t i = 0;

	while (bytes != 0 && bytes % 1024 == 0 && i + 1 < NELEM(names)) {
		bytes /= 1024;
		i++;
	}
	(void)snprintf(out, cap, "%" PRIu64 "%s", bytes, names[i]);
}

void
units_time_text(char *out, size_t cap, uint64_t ms)
{
	size_t i = NELEM(times);

	while (--i > 0)
		if (ms != 0 && ms % times[i].factor == 0)
			break;
	(void)snprintf(out, cap, "%" PRIu64 "%s", ms / times[i].factor,
	    times[i].name);
}
