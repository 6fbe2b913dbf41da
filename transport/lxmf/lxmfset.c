/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/lxmf/lxmfset.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

#define NODE_HEX (2 * sizeof(struct hash16))

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
	char hex[LXMFSET_NODES * (NODE_HEX + 1) + 1] = "", *p = hex;
	int n;

	if (strpbrk(s->name, "\r\n") != NULL)
		return 0;
	for (unsigned i = 0; i < s->nnodes; i++, p += NODE_HEX + 1) {
		p[0] = ' ';
		hex_encode(p + 1, HASH_BYTES(s->nodes[i]));
	}
	n = snprintf(out, LXMFSET_BYTES, "nodes%s\nlook %" PRIu32
	    "\nannounce %" PRIu32 "\nmessage %" PRIu32 "\ncost %" PRIu32
	    "\nname %s\n", hex, s->look_s, s->announce_s, s->message_max,
	    s->cost, s->name);
	return n > 0 && n < LXMFSET_BYTES ? (size_t)n : 0;
}

/* " HASH HASH ..." */
static bool
nodes(struct lxmfset *s, const char *p)
{
	size_t n = strlen(p);

	if (n % (NODE_HEX + 1) != 0 || n / (NODE_HEX + 1) > LXMFSET_NODES)
		return false;
	for (s->nnodes = 0; *p != '\0'; p += NODE_HEX + 1)
		if (p[0] != ' ' || !hex_decode(HASH_BYTES(s->nodes[s->nnodes++]),
		    p + 1, NODE_HEX))
			return false;
	return true;
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
	if (strncmp(text, "nodes", 5) == 0)
		return nodes(s, text + 5);
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
