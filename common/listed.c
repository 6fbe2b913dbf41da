/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/listed.h"

#include <stdlib.h>
#include <string.h>

int
listed_cmp(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	/* what a delta has brought is known by half of its id */
	return memcmp(x->id, y->id, 16);
}

void
listed_put(uint8_t *out, const struct listed *l, size_t n)
{
	for (size_t i = 0; i < n; i++, out += LISTED_BYTES) {
		out[0] = l[i].kind;
		out[1] = l[i].suspended;
		out[2] = l[i].reason;
		memcpy(out + 3, l[i].id, sizeof(l[i].id));
	}
}

bool
listed_get(struct listed *l, const uint8_t *p, size_t len, size_t n)
{
	if (n > LISTED_MAX || len != n * LISTED_BYTES)
		return false;
	for (size_t i = 0; i < n; i++, p += LISTED_BYTES) {
		l[i].kind = p[0];
		l[i].suspended = p[1] != 0;
		l[i].reason = p[2];
		memcpy(l[i].id, p + 3, sizeof(l[i].id));
		if (p[0] > LISTED_ARTIFACT || p[1] > 1 ||
		    (i > 0 && listed_cmp(&l[i - 1], &l[i]) >= 0))
			return false;
	}
	return true;
}

const struct listed *
listed_find(const struct listed *l, size_t n, enum listed_kind kind,
    const uint8_t *id)
{
	struct listed key = {.kind = (uint8_t)kind};

	if (n == 0)
		return NULL;
	memcpy(key.id, id, kind == LISTED_RNS ? 16 : 32);
	return bsearch(&key, l, n, sizeof(*l), listed_cmp);
}
