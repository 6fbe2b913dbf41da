/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/lawset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"
#include "common/wire.h"
#include "node/proto/proto.h"
#include "trust/doc/compact.h"
#include "trust/doc/fresh.h"
#include "trust/lawio.h"

/* As it is kept: bytes of the set u32, the set, the delta that signs it. */
#define KEPT_BYTES (4 + COMPACT_BYTES + DELTA_BYTES)

void
lawset_drop(struct lawset *s)
{
	free(s->p);
	memset(s, 0, sizeof(*s));
}

bool
lawset_name(const struct law *l, char out[URI_MAX + 1])
{
	int n = snprintf(out, URI_MAX + 1, "%s" LAWSET_END, l->list_uri.path);

	return n > 0 && n <= URI_MAX;
}

bool
lawset_proof(const struct law *l, const struct lawset *s,
    char out[URI_MAX + 1])
{
	int n = snprintf(out, URI_MAX + 1, "%s.%u.delta", l->list_uri.path,
	    s->version - 1);

	return n > 0 && n <= URI_MAX;
}

void
lawset_begin(struct lawset *s, const char *from)
{
	if (strcmp(s->from, from) == 0)
		return; /* it is gone on with */
	lawset_drop(s);
	(void)snprintf(s->from, sizeof(s->from), "%s", from);
}

const uint8_t *
lawset_after(const struct lawset *s)
{
	return s->len == 0 ? NULL : s->p + s->len - COMPACT_ENTRY + 1;
}

/* Is this page of another set than those that have come? */
static bool
other(const struct lawset *s, const struct proto_meta *m)
{
	return m->v != s->version || m->len != s->total ||
	    !id32_eq(&s->sha, id32_at(m->sha));
}

static const char *
form(const struct law *l, const struct proto_meta *m, struct pbin b,
    size_t most)
{
	if (!m->has_v || !m->has_len || m->sha == NULL || !m->has_end ||
	    m->v > UINT32_MAX || m->len % COMPACT_ENTRY != 0)
		return "not what was asked for";
	if (m->v <= l->list.version)
		return "a set that is not newer than what is here";
	if (m->len > COMPACT_BYTES || m->len > most)
		return LAWSET_LONG;
	return b.n > m->len ? "more than it says that there is" : NULL;
}

/* Room for what has come, not for what is promised. */
static bool
room(struct lawset *s, size_t more)
{
	uint8_t *p;

	if (s->len + more <= s->cap)
		return true;
	s->cap = MIN_OF(s->total, 2 * (s->len + more));
	if ((p = realloc(s->p, s->cap)) == NULL)
		return false;
	s->p = p;
	return true;
}

const char *
lawset_page(const struct law *l, struct lawset *s,
    const struct proto_meta *m, struct pbin b, size_t most, bool *again)
{
	const char *why = form(l, m, b, most);

	*again = false;
	if (why != NULL)
		return why;
	if (s->len > 0 && other(s, m)) {
		char from[sizeof(s->from)];

		/* it has a newer one now: from its beginning, once a page */
		memcpy(from, s->from, sizeof(from));
		lawset_drop(s);
		lawset_begin(s, from);
		*again = true;
		return NULL;
	}
	if (s->len == 0) {
		s->version = (uint32_t)m->v;
		s->total = (size_t)m->len;
		s->sha = *id32_at(m->sha);
	}
	if (b.n > 0 || s->total > 0)
		why = compact_page(b.p, b.n, lawset_after(s));
	if (why == NULL && b.n > s->total - s->len)
		why = "more than it says that there is";
	if (why == NULL && m->end != (s->len + b.n == s->total))
		why = "an end where there is none, or none at its end";
	if (why == NULL && !room(s, b.n))
		why = "no memory";
	if (why != NULL)
		return why;
	if (b.n > 0)
		memcpy(s->p + s->len, b.p, b.n);
	s->len += b.n;
	s->whole = m->end;
	return NULL;
}

/* ---- what it is worth ---- */

static int
keep(struct law *l, const struct law_authority *la, const struct lawset *s,
    const uint8_t *frame, size_t len)
{
	uint8_t *p = malloc(4 + s->len + len);
	struct wr w;
	int rv;

	if (p == NULL)
		return -1;
	w = wr_make(p, 4 + s->len + len);
	wr_u32(&w, (uint32_t)s->len);
	wr_bytes(&w, s->p, s->len);
	wr_bytes(&w, frame, len);
	rv = klpdir_keep_set(&l->dir, la->a.name, p, w.len);
	free(p);
	return rv;
}

bool
lawset_take(struct law *l, struct law_authority *la, struct lawset *s,
    const uint8_t *frame, size_t len, char why[AUTH_WHY])
{
	struct revlist next;
	struct delta d;
	const char *bad = lawdelta_verify(l, la, &d, frame, len);

	why[0] = '\0';
	if (bad == NULL)
		bad = lawdelta_early(l, &d);
	if (bad == NULL)
		bad = d.to != s->version ? "the delta is of another version" :
		    compact_list(&next, &l->list, &d, s->p, s->len);
	if (bad != NULL) {
		(void)snprintf(why, AUTH_WHY, "%s", bad);
		return false;
	}
	if (lawdelta_brake(l, la, &next, "a set", why)) {
		revlist_clear(&next);
		return false;
	}
	if (keep(l, la, s, frame, len) < 0) {
		(void)snprintf(why, AUTH_WHY, "cannot be kept, and so does "
		    "not count");
		revlist_clear(&next);
		return false;
	}
	lawdelta_base(l, la, &next);
	law_unite(l); /* what the brake of deltas behind it counts from */
	klp_clock_raise(&l->clock, MIN_OF(d.issued, l->now), clock_mono());
	lawhist_add(l, la, frame, len);
	lawspread_delta(l, la, frame, len);
	log_notice(la->a.name, "taken: %s version=%u as a set, entries=%zu",
	    l->list_uri.path, l->list.version, l->list.n);
	lawio_event(l, EVK_AUTHORITY, 1, "set", "%s/%s: version %u",
	    la->a.name, l->list_uri.path, l->list.version);
	return true;
}

void
lawset_replay(struct law *l, struct law_authority *la)
{
	struct revlist next;
	struct delta d;
	struct rd r, set;
	uint32_t len;
	size_t n = 0;
	uint8_t *p = klpdir_set(&l->dir, la->a.name, KEPT_BYTES, &n);

	r = rd_make(p, p == NULL ? 0 : n);
	if (rd_u32(&r, &len) && rd_sub(&r, len, &set) &&
	    lawdelta_verify(l, la, &d, r.p, rd_left(&r)) == NULL &&
	    compact_list(&next, &l->list, &d, set.p, len) == NULL) {
		revlist_clear(&l->list);
		l->list = next;
		/* as for deltas that were kept */
		klp_clock_raise(&l->clock, d.issued - MIN_OF(d.issued,
		    (uint32_t)FRESH_AHEAD), clock_mono());
	}
	free(p);
}
