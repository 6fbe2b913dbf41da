/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/vouching.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

static void
name_signer(char out[VOUCHED_WHO + 1], const struct attest_signer *s,
    struct sigroots_who *w)
{
	const struct keyless_who *who = NULL;
	/* cut between characters: text_escape() does, printf() does not */
	char subject[151], issuer[81], hex[65];

	if (s->verifier != NULL) {
		(void)text_escape(subject, sizeof(subject), w->told,
		    strlen(w->told));
		(void)text_escape(issuer, sizeof(issuer), s->verifier,
		    strlen(s->verifier));
		(void)snprintf(out, VOUCHED_WHO + 1, "%s (%s)", subject,
		    issuer);
	} else if (s->issuer != NULL && (who = sigroots_who(w, s->roots)) != NULL) {
		(void)text_escape(subject, sizeof(subject), who->subject,
		    strlen(who->subject));
		(void)text_escape(issuer, sizeof(issuer), who->issuer,
		    strlen(who->issuer));
		(void)snprintf(out, VOUCHED_WHO + 1, "%s (%s)", subject,
		    issuer);
	} else if (s->authority != NULL) {
		(void)snprintf(out, VOUCHED_WHO + 1, "the role %.64s of %.150s",
		    s->role, s->authority);
	} else {
		hex_encode(hex, HASH_BYTES(s->key.fp));
		(void)snprintf(out, VOUCHED_WHO + 1, "the key %s", hex);
	}
}

static void
add(struct vouching *v, const struct id32 *image, unsigned rule,
    const char *who)
{
	for (size_t i = 0; i < v->nsaid; i++)
		if (v->said[i].rule == rule &&
		    id32_eq(&v->said[i].image, image) &&
		    strcmp(v->said[i].who, who) == 0)
			return;
	if (v->said == NULL)
		v->said = calloc(VOUCHED_MAX, sizeof(*v->said));
	if (v->said == NULL || v->nsaid == VOUCHED_MAX)
		return;
	v->said[v->nsaid] = (struct vouched){*image, (uint8_t)rule, ""};
	memcpy(v->said[v->nsaid++].who, who, strlen(who) + 1);
}

void
vouching_add(struct vouching *v, const struct attest_conf *c,
    const struct attest_said *s, uint32_t who, struct sigroots_who *w)
{
	char text[VOUCHED_WHO + 1];

	for (unsigned r = 0; r < c->nrules; r++)
		for (unsigned k = 0; k < c->rule[r].nsigners; k++) {
			unsigned at = c->rule[r].first + k;

			if ((who >> at & 1) == 0)
				continue;
			name_signer(text, &c->signer[at], w);
			for (unsigned i = 0; i < s->nimages; i++)
				add(v, &s->image[i], r, text);
		}
}

bool
vouching_settle(struct vouching *v, const struct attested *list, size_t nlist)
{
	size_t n = 0;
	bool same;

	for (size_t i = 0; i < v->nsaid; i++)
		if (attested_rules(list, nlist, &v->said[i].image) >>
			v->said[i].rule & 1)
			v->said[n++] = v->said[i];
	same = n == v->n && (n == 0 || memcmp(v->said, v->list,
	    n * sizeof(*v->said)) == 0);
	free(v->list);
	v->list = v->said;
	v->n = n;
	v->said = NULL;
	v->nsaid = 0;
	return !same;
}

void
vouching_drop(struct vouching *v)
{
	free(v->said);
	v->said = NULL;
	v->nsaid = 0;
}

void
vouching_clear(struct vouching *v)
{
	vouching_drop(v);
	free(v->list);
	memset(v, 0, sizeof(*v));
}
