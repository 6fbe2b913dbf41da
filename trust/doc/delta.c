/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/delta.h"

#include <stdlib.h>
#include <string.h>

#include "common/wire.h"

#define MAGIC "KD\001"

/* From the high bit: action, kind, reason. */
static bool
get_op(struct delta *d, struct rd *r)
{
	uint8_t b;

	if (!rd_u8(r, &b) || !rd_copy(r, d->op[d->n].id, 16) || b >> 6 == 3)
		return false;
	d->op[d->n].action = b >> 6;
	d->op[d->n].kind = b >> 4 & 3;
	d->op[d->n++].reason = b & 15;
	return true;
}

const char *
delta_parse(struct delta *d, struct env *e, const void *buf, size_t len)
{
	struct rd r = rd_make(buf, len);
	const uint8_t *magic;
	const char *why;
	uint8_t n;

	memset(d, 0, sizeof(*d));
	memset(e, 0, sizeof(*e));
	if (!rd_ref(&r, &magic, 3) || memcmp(magic, MAGIC, 3) != 0 ||
	    !rd_u8(&r, &n))
		return "no delta";
	if (!rd_copy(&r, d->atag, sizeof(d->atag)) ||
	    !rd_copy(&r, d->ptag, sizeof(d->ptag)) || !rd_u32(&r, &d->from) ||
	    !rd_u32(&r, &d->to) || !rd_u32(&r, &d->issued) ||
	    !rd_copy(&r, HASH_BYTES(d->after)))
		return "too short";
	if (n == 0 || d->from == UINT32_MAX || d->to != d->from + 1)
		return "not from one version to the next";
	while (d->n < n)
		if (!get_op(d, &r))
			return "too short, or an action that is not known";
	return frame_parse(e, TYPE_DELTA, buf, len, DELTA_FRAME(n), &why) < 0 ?
	    why : NULL;
}

size_t
delta_put(uint8_t *out, size_t cap, const struct delta *d)
{
	struct wr w = wr_make(out, cap);

	wr_bytes(&w, MAGIC, 3);
	wr_u8(&w, (uint8_t)d->n);
	wr_bytes(&w, d->atag, sizeof(d->atag));
	wr_bytes(&w, d->ptag, sizeof(d->ptag));
	wr_u32(&w, d->from);
	wr_u32(&w, d->to);
	wr_u32(&w, d->issued);
	wr_bytes(&w, HASH_BYTES(d->after));
	for (unsigned i = 0; i < d->n; i++) {
		wr_u8(&w, (uint8_t)(d->op[i].action << 6 |
		    d->op[i].kind << 4 | d->op[i].reason));
		wr_bytes(&w, d->op[i].id, 16);
	}
	return d->n <= DELTA_OPS_MAX && wr_ok(&w) ? w.len : 0;
}

/* ---- what it does to a list ---- */

static size_t
place(const struct revlist *l, unsigned kind, const uint8_t *id)
{
	size_t i = 0;

	while (i < l->n && (l->e[i].kind != kind ||
		memcmp(l->e[i].id, id, 16) != 0))
		i++;
	return i;
}

static const char *
one(struct revlist *l, const struct delta *d, unsigned i)
{
	unsigned kind = d->op[i].kind, action = d->op[i].action;
	size_t at = place(l, kind, d->op[i].id);
	struct rev_entry *e = &l->e[at];

	if (at < l->n && !e->suspended)
		return "is about one that is revoked already";
	if (action == DELTA_LIFT) {
		if (at == l->n)
			return "lifts what is not suspended";
		*e = l->e[--l->n];
		return NULL;
	}
	if (at < l->n && action == DELTA_SUSPEND)
		return "suspends what is suspended already";
	if (at == l->n) {
		*e = (struct rev_entry){.kind = (uint8_t)kind,
		    .brief = kind != REV_RNS};
		memcpy(e->id, d->op[i].id, 16);
		l->n++;
	}
	e->suspended = action == DELTA_SUSPEND;
	e->reason = d->op[i].reason;
	e->revoked_at = e->invalid_since = d->issued;
	return NULL;
}

const char *
delta_apply(struct revlist *out, const struct revlist *in,
    const struct delta *d)
{
	const char *why = d->from != in->version ?
	    "for another version of the list" : NULL;

	*out = *in;
	out->e = why != NULL ? NULL : calloc(in->n + d->n + 1,
	    sizeof(*out->e));
	if (why == NULL && out->e == NULL)
		why = "no memory";
	if (why == NULL && in->n > 0)
		memcpy(out->e, in->e, in->n * sizeof(*in->e));
	for (unsigned i = 0; why == NULL && i < d->n; i++)
		why = one(out, d, i);
	if (why == NULL) {
		qsort(out->e, out->n, sizeof(*out->e), rev_cmp);
		revlist_digest(&out->digest, out->e, out->n);
		out->version = d->to;
		out->issued = d->issued;
		if (!id32_eq(&out->digest, &d->after))
			why = "its set_digest is not that of what comes out";
	}
	if (why != NULL)
		revlist_clear(out);
	return why;
}
