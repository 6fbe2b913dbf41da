/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/envcheck.h"

#include <string.h>

#include "common/util.h"

void
env_check_begin(struct env_check *c, const struct env *e, const char *type,
    const struct klp_key *keys, size_t nkeys, unsigned threshold)
{
	memset(c, 0, sizeof(*c));
	c->e = e;
	c->keys = keys;
	c->threshold = threshold;
	c->hints = true;
	if (nkeys <= ENV_KEYS_MAX && strcmp(e->type, type) == 0)
		c->nkeys = nkeys;
	for (size_t i = 0; i < c->nkeys; i++)
		key_fp(&c->fps[i], &keys[i]);
}

static bool
hinted(const struct env_sig *g, const struct fp *fp)
{
	return g->hint_len > 0 && memcmp(g->hint.b, fp->b, g->hint_len) == 0;
}

/* Is the present pair one to try? A key that has signed need not again. */
static bool
wanted(const struct env_check *c)
{
	return (c->settled >> c->sig & 1) == 0 &&
	    (c->who >> c->key & 1) == 0 &&
	    hinted(&c->e->sigs[c->sig], &c->fps[c->key]) == c->hints;
}

static void
next_pair(struct env_check *c)
{
	if (++c->key < c->nkeys)
		return;
	c->key = 0;
	c->sig++;
}

/* To the next pair that is to be tried; false: there is none. */
static bool
find_pair(struct env_check *c)
{
	while (c->hints || !env_check_good(c)) {
		for (; c->nkeys > 0 && c->sig < c->e->nsigs; next_pair(c))
			if (wanted(c))
				return true;
		if (!c->hints)
			return false;
		c->hints = false;
		c->sig = c->key = 0;
	}
	return false;
}

/* One key under two names is one key. */
static void
found(struct env_check *c)
{
	bool seen = false;

	for (unsigned i = 0; i < c->nkeys; i++)
		seen |= (c->who >> i & 1) != 0 &&
		    fp_eq(&c->fps[i], &c->fps[c->key]);
	c->settled |= UINT32_C(1) << c->sig;
	c->who |= UINT64_C(1) << c->key;
	c->count += !seen;
}

/* Goes on with what must be hashed for this pair; true: it is whole. */
static bool
summed(struct env_check *c, const struct klp_key *k, size_t *budget)
{
	enum pae_scheme scheme = pae_scheme(k);
	struct pae_sum *s = &c->sum[scheme];
	size_t n;

	if (scheme != PAE_ED25519 && c->has[scheme])
		return true;
	if (!c->summing) {
		c->summing = pae_sum_begin(s, scheme, k,
		    c->e->sigs[c->sig].sig, c->e->type, c->e->payload_len);
		c->at = 0;
	}
	n = MIN_OF(*budget, c->e->payload_len - c->at);
	pae_sum_add(s, c->e->payload + c->at, n);
	c->at += n;
	*budget -= n;
	if (c->at < c->e->payload_len)
		return false;
	pae_sum_end(s);
	c->summing = false;
	if (scheme != PAE_ED25519)
		c->has[scheme] = true;
	return true;
}

bool
env_check_step(struct env_check *c, size_t budget)
{
	while (budget > 0 && find_pair(c)) {
		const struct klp_key *k = &c->keys[c->key];

		if (!summed(c, k, &budget))
			return true;
		if (pae_sum_holds(&c->sum[pae_scheme(k)], k,
			c->e->sigs[c->sig].sig))
			found(c);
		budget -= MIN_OF(budget, (size_t)ENV_CHECK_VERIFY);
		next_pair(c);
	}
	return find_pair(c);
}
