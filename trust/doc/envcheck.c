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

/* Goes on with what must be hashed for such a key; true: it is whole. */
static bool
summed(struct env_check *c, bool bip340, size_t *budget)
{
	struct pae_sum *s = &c->sum[bip340];
	size_t n;

	if (c->has[bip340])
		return true;
	if (!c->summing) {
		c->summing = pae_sum_begin(s, bip340, c->e->type,
		    c->e->payload_len);
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
	c->has[bip340] = true;
	return true;
}

static void
spend(size_t *budget, size_t n)
{
	*budget -= MIN_OF(*budget, n);
}

/* The present pair; false: in another turn. */
static bool
try_pair(struct env_check *c, size_t *budget, bool first)
{
	const struct klp_key *k = &c->keys[c->key];
	const struct env_sig *g = &c->e->sigs[c->sig];
	bool holds;

	if (k->kind == KEY_ED25519) {
		if (c->e->payload_len > *budget && !first)
			return false;
		spend(budget, c->e->payload_len);
		holds = env_holds(c->e, g, k);
	} else {
		if (!summed(c, k->bip340, budget))
			return false;
		holds = pae_sum_holds(&c->sum[k->bip340], k, g->sig);
	}
	spend(budget, ENV_CHECK_VERIFY);
	if (holds)
		found(c);
	next_pair(c);
	return true;
}

bool
env_check_step(struct env_check *c, size_t budget)
{
	const size_t all = budget;

	while (budget > 0 && find_pair(c))
		if (!try_pair(c, &budget, budget == all))
			return true;
	return find_pair(c);
}
