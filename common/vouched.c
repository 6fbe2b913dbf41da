/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/vouched.h"

#include <string.h>

#include "common/util.h"
#include "common/wire.h"

void
vouched_put(uint8_t *out, const struct vouched *v, size_t n)
{
	struct wr w = wr_make(out, n * VOUCHED_BYTES);
	char who[VOUCHED_WHO];

	for (size_t i = 0; i < n; i++) {
		memset(who, 0, sizeof(who));
		memcpy(who, v[i].who, strnlen(v[i].who, sizeof(who)));
		wr_bytes(&w, v[i].image.b, sizeof(v[i].image.b));
		wr_u8(&w, v[i].rule);
		wr_bytes(&w, who, sizeof(who));
	}
}

bool
vouched_get(struct vouched *v, const uint8_t *p, size_t len, size_t n)
{
	struct rd r = rd_make(p, len);

	if (n > VOUCHED_MAX || len != n * VOUCHED_BYTES)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!rd_copy(&r, v[i].image.b, sizeof(v[i].image.b)) ||
		    !rd_u8(&r, &v[i].rule) ||
		    !rd_copy(&r, v[i].who, VOUCHED_WHO))
			return false;
		v[i].who[VOUCHED_WHO] = '\0';
		if (!utf8_valid(v[i].who, strlen(v[i].who)))
			return false;
	}
	return true;
}
