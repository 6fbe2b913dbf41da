/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/pattern.h"

#include <string.h>

/*
 * Where it does not go on, the last `*` takes one byte more: what an earlier
 * one took need not be looked at again, since the last could take it too.
 */
bool
pattern_name(const char *pattern, size_t n, const char *name, size_t m,
    bool cut)
{
	size_t i = 0, k = 0, star = 0, from = 0;
	bool any = false;

	while (k < m) {
		if (i < n && pattern[i] == '*') {
			any = true;
			star = ++i;
			from = k;
		} else if (i < n && pattern[i] == name[k]) {
			i++;
			k++;
		} else if (any) {
			i = star;
			k = ++from;
		} else {
			return false;
		}
	}
	while (i < n && pattern[i] == '*')
		i++;
	return i == n || cut;
}

/*
 * From the ends: fits[k] says of a from i, and of b from k, whether they meet.
 * A `*` ends here, or takes what the other has next, be that a `*` or not.
 */
bool
pattern_meet(const char *a, size_t n, const char *b, size_t m)
{
	bool fits[PATTERN_MEET_MAX + 1], next[PATTERN_MEET_MAX + 1] = {false};

	if (n > PATTERN_MEET_MAX || m > PATTERN_MEET_MAX)
		return true;
	for (size_t i = n + 1; i-- > 0;) {
		for (size_t k = m + 1; k-- > 0;) {
			bool star_a = i < n && a[i] == '*';
			bool star_b = k < m && b[k] == '*';

			if (star_a || star_b)
				fits[k] = (i < n && next[k]) ||
				    (k < m && fits[k + 1]);
			else if (i < n && k < m)
				fits[k] = a[i] == b[k] && next[k + 1];
			else
				fits[k] = i == n && k == m;
		}
		memcpy(next, fits, sizeof(next[0]) * (m + 1));
	}
	return fits[0];
}
