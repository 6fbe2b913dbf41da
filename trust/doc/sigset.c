/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/sigset.h"

#include <stdlib.h>
#include <string.h>

#include <nettle/sha2.h>

/* In order once it is closed. */
struct sigset {
	size_t n, max;
	struct id32 v[];
};

struct sigset *
sigset_new(size_t max)
{
	struct sigset *s = malloc(sizeof(*s) + max * sizeof(s->v[0]));

	if (s != NULL) {
		s->n = 0;
		s->max = max;
	}
	return s;
}

void
sigset_free(struct sigset *s)
{
	free(s);
}

void
sigset_digest(struct id32 *out, const struct klp_key *k, const char *type,
    const void *payload, size_t len, const uint8_t sig[SIG_LEN])
{
	/* every part but the payload has its length in it or a fixed one */
	const uint8_t head[] = {(uint8_t)k->kind, k->bip340, k->len,
	    (uint8_t)strlen(type)};
	struct sha256_ctx st;

	sha256_init(&st);
	sha256_update(&st, sizeof(head), head);
	sha256_update(&st, k->len, k->raw);
	sha256_update(&st, strlen(type), (const uint8_t *)type);
	sha256_update(&st, SIG_LEN, sig);
	sha256_update(&st, len, payload);
	sha256_digest(&st, sizeof(out->b), out->b);
}

bool
sigset_add(struct sigset *s, const struct id32 *digest)
{
	if (s->n >= s->max)
		return false;
	s->v[s->n++] = *digest;
	return true;
}

static int
by_bytes(const void *a, const void *b)
{
	return id32_cmp(a, b);
}

void
sigset_close(struct sigset *s)
{
	qsort(s->v, s->n, sizeof(s->v[0]), by_bytes);
}

bool
sigset_has(const struct sigset *s, const struct id32 *digest)
{
	return bsearch(digest, s->v, s->n, sizeof(s->v[0]), by_bytes) != NULL;
}
