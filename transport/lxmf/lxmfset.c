/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/lxmf/lxmfset.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

static const struct {
	const char *key;
	size_t at;
} numbers[] = {{"look ", offsetof(struct lxmfset, look_s)},
    {"announce ", offsetof(struct lxmfset, announce_s)},
    {"message ", offsetof(struct lxmfset, message_max)},
    {"cost ", offsetof(struct lxmfset, cost)}};

static uint32_t *
number(struct lxmfset *s, size_t i)
{
	return (uint32_t *)(void *)((uint8_t *)s + numbers[i].at);
}

size_t
lxmfset_put(char out[LXMFSET_BYTES], const struct lxmfset *s)
{
	char hex[2 * sizeof(s->node.b) + 1] = "";
	int n;

	if (strpbrk(s->name, "\r\n") != NULL)
		return 0;
	if (s->has_node)
		hex_encode(hex, HASH_BYTES(s->node));
	n = snprintf(out, LXMFSET_BYTES, "node %s\nlook %" PRIu32
	    "\nannounce %" PRIu32 "\nmessage %" PRIu32 "\ncost %" PRIu32
	    "\nname %s\n", hex, s->look_s, s->announce_s, s->message_max,
	    s->cost, s->name);
	return n > 0 && n < LXMFSET_BYTES ? (size_t)n : 0;
}

static bool
line(struct lxmfset *s, const char *p, size_t n)
{
	char text[LXMFSET_BYTES];

	if (n >= sizeof(text) || memchr(p, '\0', n) != NULL)
		return false;
	memcpy(text, p, n);
	text[n] = '\0';
	for (size_t i = 0; i < NELEM(numbers); i++) {
		size_t k = strlen(numbers[i].key);
		char *end;
		unsigned long v;

		if (strncmp(text, numbers[i].key, k) != 0)
			continue;
		v = strtoul(text + k, &end, 10);
		*number(s, i) = (uint32_t)v;
		return text[k] >= '0' && text[k] <= '9' && *end == '\0' &&
		    v <= UINT32_MAX;
	}
	if (strncmp(text, "node ", 5) == 0) {
		s->has_node = n > 5;
		return n == 5 || (n == 5 + 2 * sizeof(s->node.b) &&
		    hex_decode(HASH_BYTES(s->node), text + 5, n - 5));
	}
	if (strncmp(text, "name ", 5) != 0 || n - 5 > LXMFSET_NAME)
		return false;
	memcpy(s->name, text + 5, n - 5);
	return true;
}

bool
lxmfset_get(struct lxmfset *s, const char *text, size_t len)
{
	const char *end;

	memset(s, 0, sizeof(*s));
	for (; len > 0; len -= (size_t)(end - text) + 1, text = end + 1)
		if ((end = memchr(text, '\n', len)) == NULL ||
		    !line(s, text, (size_t)(end - text)))
			return false;
	return true;
}
