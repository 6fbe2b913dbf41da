/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/compact.h"

#include <stdlib.h>
#include <string.h>

/* By half of the id, then by kind. */
static int
order(const uint8_t *a, const uint8_t *b)
{
	int c = memcmp(a + 1, b + 1, 16);

	return c != 0 ? c : (int)(a[0] >> 4 & 3) - (int)(b[0] >> 4 & 3);
}

const char *
compact_page(const uint8_t *p, size_t len, const uint8_t *last)
{
	if (len == 0 || len % COMPACT_ENTRY != 0)
		return "not whole entries";
	if (last != NULL && memcmp(p + 1, last, 16) <= 0)
		return "not behind what has come";
	for (size_t i = 0; i < len; i += COMPACT_ENTRY) {
		if (p[i] >> 6 > DELTA_SUSPEND)
			return "an entry that is neither revoked nor suspended";
		if (i > 0 && order(p + i - COMPACT_ENTRY, p + i) >= 0)
			return "not in its order";
	}
	return NULL;
}

static void
entry(struct rev_entry *e, const struct revlist *in, const uint8_t *p,
    uint32_t issued)
{
	const struct rev_entry *was;

	*e = (struct rev_entry){.kind = p[0] >> 4 & 3, .reason = p[0] & 15,
	    .suspended = p[0] >> 6 == DELTA_SUSPEND,
	    .brief = (p[0] >> 4 & 3) != REV_RNS, .revoked_at = issued,
	    .invalid_since = issued};
	memcpy(e->id, p + 1, 16);
	was = in->n == 0 ? NULL : bsearch(e, in->e, in->n, sizeof(*in->e),
	    rev_cmp);
	if (was == NULL)
		return;
	memcpy(e->id, was->id, sizeof(e->id));
	e->brief = was->brief;
	if (was->suspended == e->suspended && was->reason == e->reason) {
		e->revoked_at = was->revoked_at;
		e->invalid_since = was->invalid_since;
	}
}

const char *
compact_list(struct revlist *out, const struct revlist *in,
    const struct delta *d, const uint8_t *set, size_t len)
{
	const char *why = len > COMPACT_BYTES ? "too long" :
	    len == 0 ? NULL : compact_page(set, len, NULL);

	if (why != NULL)
		return why;
	if (d->to <= in->version)
		return "not newer than what is here";
	*out = *in;
	out->n = len / COMPACT_ENTRY;
	if ((out->e = calloc(out->n + 1, sizeof(*out->e))) == NULL)
		return "no memory";
	for (size_t i = 0; i < out->n; i++)
		entry(&out->e[i], in, set + i * COMPACT_ENTRY, d->issued);
	if (out->n > 0)
		qsort(out->e, out->n, sizeof(*out->e), rev_cmp);
	revlist_digest(&out->digest, out->e, out->n);
	out->version = d->to;
	out->issued = d->issued;
	if (id32_eq(&out->digest, &d->after))
		return NULL;
	revlist_clear(out);
	return "not the set that the delta to its version names";
}
