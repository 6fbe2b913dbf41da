/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/signers.h"

#include <string.h>

#define HINTED_MAX 4 /* ours: keys of one hint, which are 4 bytes */

static bool
hinted(const struct env *e, const struct fp *fp)
{
	for (unsigned i = 0; i < e->nsigs; i++) {
		if (memcmp(e->sigs[i].hint.b, fp->b, FP4_LEN) == 0)
			return true;
	}
	return false;
}

static void
add(struct signers *c, const struct env *e, const struct klp_key *k,
    const struct hash16 *rns)
{
	struct fp fp;

	key_fp(&fp, k);
	if (c->n == ENV_KEYS_MAX || !hinted(e, &fp))
		return;
	for (size_t i = 0; i < c->n; i++) {
		if (fp_eq(&c->who[i].fp, &fp))
			return;
	}
	c->key[c->n] = *k;
	c->who[c->n].fp = fp;
	if ((c->who[c->n].has_rns = rns != NULL))
		c->who[c->n].rns = *rns;
	c->n++;
}

static void
add_bound(struct signers *c, const struct env *e, const struct binding *b)
{
	struct hash16 rns;
	struct klp_key k;

	rns_hash_of(&rns, b->rns);
	if (binding_key(&k, b))
		add(c, e, &k, &rns);
}

void
signers_gather(struct signers *c, const struct verdicts *v,
    const struct env *e, const uint8_t brought[RNS_PUBLIC_LEN], uint32_t now)
{
	struct binding b[HINTED_MAX];
	struct hash16 rns;
	struct klp_key k;
	size_t n;

	c->n = 0;
	rns_hash_of(&rns, brought);
	if (level_pin_rns(&v->s->levels, &rns) != NULL &&
	    key_set(&k, KEY_ED25519, brought + 32, 32))
		add(c, e, &k, &rns);
	for (unsigned s = 0; s < e->nsigs; s++) {
		n = bindstore_hinted(v->store, e->sigs[s].hint.b, now, b,
		    HINTED_MAX);
		for (size_t i = 0; i < n; i++)
			add_bound(c, e, &b[i]);
	}
	for (size_t i = 0; i < v->nboards; i++) {
		for (size_t j = 0; j < v->boards[i].nkeys; j++)
			add(c, e, &v->boards[i].keys[j], NULL);
	}
}

int
signer_level(const struct verdicts *v, const struct signer_id *who,
    const char *scope, uint32_t now)
{
	struct hash16 rns = who->rns;
	bool has_rns = who->has_rns;
	struct binding b;
	const char *why;

	if (!has_rns && bindstore_of(v->store, &who->fp, now, &b)) {
		rns_hash_of(&rns, b.rns);
		has_rns = true;
	}
	return verdict_level(v, &who->fp, has_rns ? rns.b : NULL, scope, now,
	    &why);
}
