/* SPDX-License-Identifier: BSD-2-Clause */
/* Patterns of a contract, against what they mean, worked out at length. */
#include <stdlib.h>
#include <string.h>

#include "common/pattern.h"
#include "common/util.h"

#include <stdint.h>

#define MOST 255

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* at[i]: the first i bytes of the pattern are used up. */
static bool
means(const char *pattern, size_t n, const char *name, size_t m, bool cut)
{
	bool at[MOST + 2] = {true}, next[MOST + 2], any = false;

	for (size_t i = 0; i < n && pattern[i] == '*'; i++)
		at[i + 1] = true;
	for (size_t k = 0; k < m; k++) {
		memset(next, 0, sizeof(next));
		for (size_t i = 0; i <= n; i++) {
			if (!at[i])
				continue;
			if (i > 0 && pattern[i - 1] == '*')
				next[i] = true;
			if (i < n && pattern[i] != '*' && pattern[i] == name[k])
				next[i + 1] = true;
		}
		for (size_t i = 0; i < n; i++)
			if (next[i] && pattern[i] == '*')
				next[i + 1] = true;
		memcpy(at, next, sizeof(at));
	}
	for (size_t i = 0; i <= n; i++)
		any |= at[i];
	return cut ? any : at[n];
}

/* The pattern's length, the pattern, a name. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const char *pattern, *name;
	size_t len;

	if (n < 1)
		return 0;
	len = MIN_OF((size_t)p[0], n - 1);
	pattern = (const char *)p + 1;
	name = pattern + len;
	n = MIN_OF(n - 1 - len, (size_t)MOST);
	for (int cut = 0; cut < 2; cut++)
		if (pattern_name(pattern, len, name, n, cut) !=
		    means(pattern, len, name, n, cut))
			abort();
	return 0;
}
