/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/table/heard.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/packet.h"

static struct heard *
heard_make(size_t len, bool bare)
{
	struct heard *h;

	if (len > UINT32_MAX || (h = malloc(sizeof(*h) + len)) == NULL)
		return NULL;
	h->refs = 1;
	h->bare = bare;
	h->len = (uint32_t)len;
	return h;
}

struct heard *
heard_new(const uint8_t *raw, size_t len)
{
	struct heard *h = heard_make(len, false);

	if (h != NULL)
		memcpy(h->raw, raw, len);
	return h;
}

struct heard *
heard_bare(const uint8_t key[RNS_KEY], const struct id32 *hash,
    const uint8_t *app_data, size_t len)
{
	struct heard *h;

	if (len > SIZE_MAX / 2)
		return NULL;
	h = heard_make(RNS_KEY + RNS_FULL_HASH + len, true);
	if (h == NULL)
		return NULL;
	memcpy(h->raw, key, RNS_KEY);
	memcpy(h->raw + RNS_KEY, HASH_BYTES(*hash));
	if (len > 0)
		memcpy(h->raw + RNS_KEY + RNS_FULL_HASH, app_data, len);
	return h;
}

struct heard *
heard_ref(struct heard *h)
{
	h->refs++; /* a path's, a known destination's, and no other */
	return h;
}

void
heard_drop(struct heard *h)
{
	if (h != NULL && --h->refs == 0)
		free(h);
}

bool
heard_is(const struct heard *h, const uint8_t *raw, size_t len)
{
	return !h->bare && h->len == len && memcmp(h->raw, raw, len) == 0;
}

void
heard_hash(const struct heard *h, struct id32 *out)
{
	if (h->bare)
		*out = *id32_at(h->raw + RNS_KEY);
	else
		packet_hash(out, h->raw, h->len,
		    (h->raw[0] & FLAG_HEADER_2) != 0);
}
