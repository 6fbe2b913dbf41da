/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/link/resource_adv.h"

#include <string.h>

#include "common/mpk.h"

/*
 * Advertisements of resources as they come in (reticulum-endpoint.md 8.4);
 * pure.
 */

#define ADV_KEYS 11

static bool
adv_number(struct rd *rd, uint64_t *out, unsigned *seen, unsigned bit)
{
	if ((*seen & 1u << bit) != 0 || !mpk_get_uint(rd, out))
		return false;
	*seen |= 1u << bit;
	return true;
}

static bool
adv_bytes(struct rd *rd, uint8_t *out, size_t n, unsigned *seen, unsigned bit)
{
	if ((*seen & 1u << bit) != 0 || !mpk_get_bin_exact(rd, out, n))
		return false;
	*seen |= 1u << bit;
	return true;
}

static bool
adv_id(struct rd *rd, struct adv *a, unsigned *seen)
{
	if ((*seen & 1u << 8) != 0)
		return false;
	*seen |= 1u << 8;
	if (mpk_get_nil(rd))
		return true;
	a->has_id = true;
	return mpk_get_bin_exact(rd, HASH_BYTES(a->request_id));
}

static bool
adv_map(struct rd *rd, struct adv *a, unsigned *seen)
{
	if ((*seen & 1u << 10) != 0)
		return false;
	*seen |= 1u << 10;
	return mpk_get_bin(rd, &a->map, &a->map_len);
}

static bool
adv_field(struct rd *rd, struct adv *a, char key, unsigned *seen)
{
	switch (key) {
	case 't':
		return adv_number(rd, &a->size, seen, 0);
	case 'd':
		return adv_number(rd, &a->total, seen, 1);
	case 'n':
		return adv_number(rd, &a->parts, seen, 2);
	case 'h':
		return adv_bytes(rd, HASH_BYTES(a->hash), seen, 3);
	case 'r':
		return adv_bytes(rd, a->random, RES_RANDOM, seen, 4);
	case 'o':
		return adv_bytes(rd, HASH_BYTES(a->orig), seen, 5);
	case 'i':
		return adv_number(rd, &a->segment, seen, 6);
	case 'l':
		return adv_number(rd, &a->segments, seen, 7);
	case 'q':
		return adv_id(rd, a, seen);
	case 'f':
		return adv_number(rd, &a->flags, seen, 9);
	case 'm':
		return adv_map(rd, a, seen);
	default:
		return mpk_skip(rd);
	}
}

bool
adv_parse(struct adv *a, const uint8_t *p, size_t n)
{
	struct rd rd = rd_make(p, n);
	const char *key;
	unsigned seen = 0;
	size_t count, key_len;

	memset(a, 0, sizeof(*a));
	if (!mpk_get_map(&rd, &count))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!mpk_get_str(&rd, &key, &key_len) ||
		    !adv_field(&rd, a, key_len == 1 ? key[0] : '\0', &seen))
			return false;
	return seen == (1u << ADV_KEYS) - 1 && a->size <= RES_TRANSFER_MAX &&
	    a->segment >= 1 && a->segment <= a->segments &&
	    a->segments <= UINT32_MAX && a->map_len % RES_MAPHASH == 0;
}
