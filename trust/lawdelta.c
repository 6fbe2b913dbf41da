/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"
#include "common/wire.h"
#include "trust/doc/delta.h"
#include "trust/doc/fresh.h"
#include "trust/lawio.h"

/*
 * Deltas of the revocation list (klp.md 4.3): PATH.VERSION.delta beside it is
 * what its next version has changed, signed by the list's role. They count
 * before a head names the whole list, are kept, and are applied again to what
 * is read from the kept files.
 */
#define DELTAS_MAX SOURCE_DELTAS /* more are worth the whole list */
#define CHAIN_BYTES (DELTAS_MAX * (2 + DELTA_BYTES))

bool
lawdelta_of(const struct law *l, const struct law_authority *la)
{
	return l->has_list && l->list.version != 0 && la->pinned &&
	    strcmp(la->a.name, l->list_uri.authority) == 0;
}

bool
lawdelta_name(const struct law *l, char out[URI_MAX + 1])
{
	int n = snprintf(out, URI_MAX + 1, "%s.%u.delta", l->list_uri.path,
	    l->list.version);

	return n > 0 && n <= URI_MAX;
}

/* NULL, or what is wrong; then d says what it does. */
const char *
lawdelta_verify(const struct law *l, const struct law_authority *la, struct delta *d,
    const uint8_t *buf, size_t len)
{
	const struct root *r = &la->a.root;
	const struct root_doc *rd = root_doc(r, l->list_uri.path);
	uint8_t ptag[4];
	struct env e;
	const char *why = delta_parse(d, &e, buf, len);

	if (why != NULL)
		return why;
	head_ptag(ptag, l->list_uri.path);
	if (rd == NULL || strcmp(rd->type, REVLIST_TYPE) != 0)
		return "its root names no such list";
	if (!root_signed(r, &r->roles[rd->role], &e, TYPE_DELTA))
		return "fewer keys of its role have signed it than the root "
		       "asks for";
	return memcmp(d->atag, la->a.state.id.b, sizeof(d->atag)) != 0 ||
	    memcmp(d->ptag, ptag, sizeof(ptag)) != 0 ? "of another list" : NULL;
}

const char *
lawdelta_early(const struct law *l, const struct delta *d)
{
	return d->issued > (uint64_t)l->now + FRESH_AHEAD ?
	    "issued in the future: is the clock right?" : NULL;
}

static void
put(struct wr *w, const uint8_t *buf, size_t len)
{
	wr_u16(w, (uint16_t)len);
	wr_bytes(w, buf, len);
}

/* What is kept of it, and this one behind. */
static int
keep(struct law *l, const struct law_authority *la, const uint8_t *buf,
    size_t len)
{
	uint8_t *chain = realloc(l->chain, l->chain_len + 2 + len);
	struct wr w;

	if (chain == NULL)
		return -1;
	l->chain = chain;
	w = wr_make(chain + l->chain_len, 2 + len);
	put(&w, buf, len);
	if (l->chain_len + 2 + len > CHAIN_BYTES || klpdir_keep_deltas(&l->dir,
		la->a.name, chain, l->chain_len + 2 + len) < 0)
		return -1;
	l->chain_len += 2 + len;
	return 0;
}

static void
use(struct law *l, struct revlist *next)
{
	revlist_clear(&l->list);
	l->list = *next;
	memset(next, 0, sizeof(*next));
}

/* From the file, after the list itself came from its own: once accepted. */
void
lawdelta_replay(struct law *l, struct law_authority *la)
{
	struct wr w;
	struct rd r, one;
	uint8_t *old;
	uint16_t len;
	size_t n = 0;

	l->replay = false;
	free(l->chain);
	l->chain = NULL;
	l->chain_len = 0;
	old = klpdir_deltas(&l->dir, la->a.name, CHAIN_BYTES, &n);
	if (old == NULL || (l->chain = malloc(n + 1)) == NULL) {
		free(old);
		return;
	}
	r = rd_make(old, n);
	w = wr_make(l->chain, n);
	while (rd_u16(&r, &len) && rd_sub(&r, len, &one)) {
		struct revlist next;
		struct delta d;

		if (lawdelta_verify(l, la, &d, one.p, len) != NULL ||
		    delta_apply(&next, &l->list, &d) != NULL)
			continue; /* of a version that is in the list by now */
		use(l, &next);
		/* it was at most so far ahead of the clock when it came */
		klp_clock_raise(&l->clock, d.issued - MIN_OF(d.issued,
		    (uint32_t)FRESH_AHEAD), clock_mono());
		put(&w, one.p, len);
	}
	l->chain_len = w.len;
	free(old);
}

bool
lawdelta_brake(struct law *l, const struct law_authority *la,
    const struct revlist *next, const char *what, char why[AUTH_WHY])
{
	if (!lawio_held(l, la, next, why))
		return false;
	if (strcmp(l->held, why) != 0)
		lawio_event(l, EVK_BRAKE, 5, "held", "%s/%s: %s %s",
		    la->a.name, l->list_uri.path, what, why);
	(void)snprintf(l->held, sizeof(l->held), "%s", why);
	l->held_web = l->web;
	l->changed = true;
	return true;
}

/* A set is here, and kept: what deltas did before is in it. */
void
lawdelta_base(struct law *l, const struct law_authority *la,
    struct revlist *next)
{
	use(l, next);
	free(l->chain);
	l->chain = NULL;
	l->chain_len = 0;
	l->held[0] = '\0';
	l->changed = true;
	if (klpdir_keep_deltas(&l->dir, la->a.name, "", 0) < 0)
		log_warn(la->a.name, "deltas that are in a set by now stay");
}

bool
lawdelta_take(struct law *l, struct law_authority *la, const uint8_t *buf,
    size_t len, char why[AUTH_WHY])
{
	struct revlist next;
	struct delta d;
	const char *bad = lawdelta_verify(l, la, &d, buf, len);

	if (bad == NULL)
		bad = lawdelta_early(l, &d);
	if (bad == NULL)
		bad = delta_apply(&next, &l->list, &d);
	if (bad != NULL) {
		(void)snprintf(why, AUTH_WHY, "%s", bad);
		return false;
	}
	if (lawdelta_brake(l, la, &next, "a delta", why)) {
		/* said */
	} else if (keep(l, la, buf, len) < 0) {
		(void)snprintf(why, AUTH_WHY, "cannot be kept, and so does "
		    "not count");
	} else {
		use(l, &next);
		law_unite(l); /* what the brake counts from */
		klp_clock_raise(&l->clock, MIN_OF(d.issued, l->now),
		    clock_mono());
		lawhist_add(l, la, buf, len);
		lawspread_delta(l, la, buf, len);
		why[0] = l->held[0] = '\0';
		log_notice(la->a.name, "taken: %s version=%u by a delta, "
		    "entries=%zu", l->list_uri.path, l->list.version,
		    l->list.n);
		lawio_event(l, EVK_AUTHORITY, 1, "delta", "%s/%s: version %u",
		    la->a.name, l->list_uri.path, l->list.version);
	}
	revlist_clear(&next);
	l->changed = true;
	return why[0] == '\0';
}

void
lawdelta_folder(struct law *l, struct law_authority *la)
{
	char name[URI_MAX + 1], why[AUTH_WHY] = "";
	bool any = false, good = true;

	for (unsigned i = 0; good && i < DELTAS_MAX && lawdelta_name(l, name);
	     i++) {
		size_t len;
		uint8_t *p = klpdir_document(&l->dir, la->a.name, name, "",
		    DELTA_BYTES, &len);

		if (p == NULL)
			break;
		good = lawdelta_take(l, la, p, len, why);
		any |= good;
		free(p);
	}
	if (any)
		law_follow(l);
	if (!good && strcmp(why, l->delta_said) != 0) {
		(void)snprintf(l->delta_said, sizeof(l->delta_said), "%s",
		    why);
		log_errx(la->a.name, "klp/documents/%s/%s: %s: it does not "
		    "count", la->a.name, name, why);
		lawio_event(l, EVK_AUTHORITY, 3, "bad", "%s/%s: %s",
		    la->a.name, name, why);
	}
}
