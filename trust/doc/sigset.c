/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/sigset.h"

#include <stdlib.h>
#include <string.h>

#include <nettle/sha2.h>

#include "trust/doc/digest.h"
#include "trust/doc/sorting.h"

#define MAGIC "WSIGS1\n" /* with its end: eight bytes */
#define HEAD_LEN (sizeof(MAGIC) + 32)
#define DIGEST_LEN 32

/* In order once it is closed. */
struct sigset {
	size_t n, max;
	struct sorting sort;
	bool closing;
	struct id32 v[];
};

struct sigset *
sigset_new(size_t max)
{
	struct sigset *s = malloc(sizeof(*s) + max * sizeof(s->v[0]));

	if (s != NULL) {
		memset(s, 0, sizeof(*s));
		s->max = max;
	}
	return s;
}

void
sigset_free(struct sigset *s)
{
	if (s != NULL)
		sorting_free(&s->sort);
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

static int
in_order(const void *a, const void *b, void *arg)
{
	(void)arg;
	return id32_cmp(a, b);
}

int
sigset_close(struct sigset *s, size_t budget)
{
	if (!s->closing && !sorting_begin(&s->sort, s->v, s->n,
		sizeof(s->v[0]), in_order, NULL))
		return -1;
	s->closing = true;
	if (sorting_step(&s->sort, budget))
		return 1;
	sorting_free(&s->sort);
	s->closing = false;
	return 0;
}

bool
sigset_has(const struct sigset *s, const struct id32 *digest)
{
	return bsearch(digest, s->v, s->n, sizeof(s->v[0]), by_bytes) != NULL;
}

/* ---- as a file ---- */

size_t
sigset_file_bytes(size_t max)
{
	return HEAD_LEN + max * DIGEST_LEN + DIGEST_LEN;
}

uint8_t *
sigset_put(const struct sigset *s, const struct id32 *doc, size_t *len)
{
	uint8_t *buf = malloc(sigset_file_bytes(s->n)), *p = buf;
	struct id32 sum;

	if (buf == NULL)
		return NULL;
	memcpy(p, MAGIC, sizeof(MAGIC));
	p += sizeof(MAGIC);
	memcpy(p, HASH_BYTES(*doc));
	p += DIGEST_LEN;
	for (size_t i = 0; i < s->n; i++, p += DIGEST_LEN)
		memcpy(p, HASH_BYTES(s->v[i]));
	digest_of(&sum, buf, (size_t)(p - buf));
	memcpy(p, HASH_BYTES(sum));
	*len = (size_t)(p - buf) + DIGEST_LEN;
	return buf;
}

struct sigset *
sigset_get(const uint8_t *buf, size_t len, const struct id32 *doc)
{
	size_t n = len < HEAD_LEN + DIGEST_LEN ? 0 :
	    (len - HEAD_LEN - DIGEST_LEN) / DIGEST_LEN;
	struct sigset *s;
	struct id32 sum;

	if (len < HEAD_LEN + DIGEST_LEN || len != sigset_file_bytes(n) ||
	    memcmp(buf, MAGIC, sizeof(MAGIC)) != 0 ||
	    memcmp(buf + sizeof(MAGIC), HASH_BYTES(*doc)) != 0)
		return NULL;
	digest_of(&sum, buf, len - DIGEST_LEN);
	if (memcmp(buf + len - DIGEST_LEN, HASH_BYTES(sum)) != 0 ||
	    (s = sigset_new(n)) == NULL)
		return NULL;
	for (; s->n < n; s->n++)
		s->v[s->n] = *id32_at(buf + HEAD_LEN + s->n * DIGEST_LEN);
	return s;
}
