/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/pattern.h"

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
