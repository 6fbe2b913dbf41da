/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/observed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/util.h"

#if defined(__x86_64__)
#define MACHINE "x86_64"
#elif defined(__aarch64__)
#define MACHINE "aarch64"
#else
#define MACHINE "other"
#endif

/* Where it is, or belongs. */
static unsigned
place(const struct observed *o, const struct id32 *name, bool *there)
{
	unsigned lo = 0, hi = o->n;

	*there = false;
	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		int r = memcmp(o->name[mid].b, name->b, sizeof(name->b));

		if (r == 0) {
			*there = true;
			return mid;
		}
		if (r < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/*
 * Names of what is written and what is run are different names: the same file
 * may be both.
 */
void
observed_event(struct observed *o, const struct watch_event *e)
{
	char text[EVENT_PATH + 2];
	struct id32 name;
	unsigned at;
	bool there;

	if (e->path[0] == '\0' || (e->type != REC_OPEN && e->type != REC_EXEC))
		return;
	(void)snprintf(text, sizeof(text), "%c%s", e->type == REC_EXEC ? 'x' :
	    'w', e->path);
	(void)crypto_hash_sha256(name.b, (const uint8_t *)text, strlen(text));
	if (o->name == NULL)
		o->name = calloc(OBSERVED_FILES, sizeof(*o->name));
	if (o->name == NULL) {
		o->more = true;
		return;
	}
	at = place(o, &name, &there);
	if (there)
		return;
	if (o->n == OBSERVED_FILES) {
		o->more = true;
		return;
	}
	memmove(o->name + at + 1, o->name + at, (o->n - at) * sizeof(name));
	o->name[at] = name;
	o->n++;
	if (e->type == REC_EXEC)
		o->run++;
	else
		o->written++;
}

/* Of their numbers, ascending, in canonical JSON. */
static unsigned
calls(const struct watch_group *g, char hex[65])
{
	crypto_hash_sha256_state st;
	struct id32 digest;
	unsigned n = 0;
	char text[16];

	(void)crypto_hash_sha256_init(&st);
	(void)crypto_hash_sha256_update(&st, (const uint8_t *)"[", 1);
	for (unsigned i = 0; i < 64u * WATCH_CALLS; i++) {
		int len;

		if ((g->calls[i / 64] >> i % 64 & 1) == 0)
			continue;
		len = snprintf(text, sizeof(text), "%s%u", n > 0 ? "," : "", i);
		(void)crypto_hash_sha256_update(&st, (const uint8_t *)text,
		    (size_t)len);
		n++;
	}
	(void)crypto_hash_sha256_update(&st, (const uint8_t *)"]", 1);
	(void)crypto_hash_sha256_final(&st, digest.b);
	hex_encode(hex, HASH_BYTES(digest));
	return n;
}

static unsigned long long
number(uint64_t v)
{
	/* klp.md 0: what JSON holds */
	return MIN_OF(v, (UINT64_C(1) << 53) - 1);
}

size_t
observed_put(char out[OBSERVED_TEXT], struct id32 *digest,
    const struct observed *o, const struct observed_sums *s,
    const struct watch_group *g, bool whole)
{
	char call_set[65], file_set[65];
	struct id32 files;
	unsigned ncalls = calls(g, call_set);
	int n;

	(void)crypto_hash_sha256(files.b, (const uint8_t *)o->name,
	    (unsigned long long)o->n * sizeof(*o->name));
	hex_encode(file_set, HASH_BYTES(files));
	n = snprintf(out, OBSERVED_TEXT, "{\"_type\":\"klp.observed\","
	    "\"calls\":{\"count\":%u,\"machine\":\"" MACHINE "\","
	    "\"set\":\"%s\"},\"cpu_ms\":%llu,"
	    "\"files\":{\"opened\":%llu,\"run\":%u,\"set\":\"%s\","
	    "\"written\":%u},\"memory_kb\":%llu,\"processes\":%llu,"
	    "\"read_bytes\":%llu,\"wall_ms\":%llu,\"whole\":%s,"
	    "\"written_bytes\":%llu}", ncalls, call_set, number(s->cpu_ms),
	    number(g->opened), o->run, file_set, o->written,
	    number(s->memory_kb), number(g->seen[REC_FORK] + 1),
	    number(g->read_bytes), number(s->wall_ms), whole && !o->more &&
	    g->lost == 0 ? "true" : "false", number(g->written_bytes));
	if (n < 0 || n >= OBSERVED_TEXT)
		return 0;
	(void)crypto_hash_sha256(digest->b, (const uint8_t *)out, (size_t)n);
	return (size_t)n;
}

void
observed_clear(struct observed *o)
{
	free(o->name);
	*o = (struct observed){.name = NULL};
}
