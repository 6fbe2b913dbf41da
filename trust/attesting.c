/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/attesting.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"

static const struct attest_rule *
rule_of(const struct attest_conf *c, unsigned signer, unsigned *at)
{
	for (unsigned i = 0; i < c->nrules; i++) {
		const struct attest_rule *r = &c->rule[i];

		*at = i;
		if (signer >= r->first && signer < r->first + r->nsigners)
			return r;
	}
	return NULL;
}

static bool
is_wanted(const struct attest_want *w, const struct attest_said *s)
{
	if (strcmp(w->type, s->type) != 0)
		return false;
	for (unsigned i = 0; i < w->nwhere; i++)
		if (!attest_where(s, w->where[i].path, w->where[i].pattern))
			return false;
	return true;
}

static uint16_t
has(const struct attest_rule *r, const struct attest_said *s)
{
	/* a statement says what it says: it is no signature of its image */
	uint16_t bits = s->type[0] == '\0';

	for (unsigned i = 0; i < r->nwants; i++)
		if (is_wanted(&r->want[i], s))
			bits |= (uint16_t)(1 | 2u << i);
	return bits;
}

static void
add(struct attesting *a, const struct id32 *image, unsigned signer,
    uint16_t bits)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->fact[i].signer == signer &&
		    id32_eq(&a->fact[i].image, image)) {
			a->fact[i].has |= bits;
			return;
		}
	if (a->fact == NULL)
		a->fact = calloc(ATTESTING_FACTS, sizeof(*a->fact));
	if (a->fact == NULL || a->n == ATTESTING_FACTS) {
		a->full = true;
		return;
	}
	a->fact[a->n++] = (struct attest_fact){*image, (uint8_t)signer, bits};
}

void
attesting_add(struct attesting *a, const struct attest_conf *c,
    const struct attest_said *s, uint32_t signers)
{
	for (unsigned k = 0; k < c->nsigners; k++) {
		const struct attest_rule *r;
		uint16_t bits;
		unsigned at;

		if ((signers >> k & 1) == 0 || (r = rule_of(c, k, &at)) == NULL)
			continue;
		bits = has(r, s);
		for (unsigned i = 0; i < s->nimages && bits != 0; i++)
			add(a, &s->image[i], k, bits);
	}
}

static int
by_image(const void *a, const void *b)
{
	const struct attested *x = a, *y = b;

	return memcmp(x->image.b, y->image.b, sizeof(x->image.b));
}

struct attested *
attesting_rules(struct attesting *a, const struct attest_conf *c, size_t *n)
{
	struct attested *out = a->n == 0 ? NULL : calloc(a->n, sizeof(*out));
	size_t k = 0, kept = 0;

	*n = 0;
	for (size_t i = 0; out != NULL && i < a->n; i++) {
		unsigned at;
		const struct attest_rule *r = rule_of(c, a->fact[i].signer,
		    &at);
		uint16_t all = (uint16_t)(r == NULL ? 0 :
			(2u << r->nwants) - 1);

		if (r != NULL && (a->fact[i].has & all) == all)
			out[k++] = (struct attested){a->fact[i].image,
			    1u << at};
	}
	if (k == 0) {
		free(out);
		return NULL;
	}
	qsort(out, k, sizeof(*out), by_image);
	for (size_t i = 0; i < k; i++) {
		if (kept > 0 && id32_eq(&out[kept - 1].image, &out[i].image))
			out[kept - 1].rules |= out[i].rules;
		else if (kept < ATTESTED_MAX)
			out[kept++] = out[i];
		else
			a->full = true;
	}
	*n = kept;
	return out;
}

void
attesting_clear(struct attesting *a)
{
	free(a->fact);
	*a = (struct attesting){.fact = NULL};
}
