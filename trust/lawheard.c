/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/clock.h"
#include "common/util.h"
#include "trust/doc/delta.h"
#include "trust/doc/head.h"
#include "trust/doc/tlv.h"
#include "trust/lawio.h"

/*
 * What nodes announce of authorities (klp.md 1.6, 4.3): a delta that fits is
 * applied at once, news that does not is asked for where it was heard, and how
 * often the same is said is what Trickle goes by.
 */
#define CHECKS_A_SECOND 16 /* ours: signatures of strangers */

static struct law_authority *
by_tag(struct law *l, const uint8_t atag[8])
{
	for (unsigned i = 0; i < l->nauth; i++)
		if (l->auth[i].pinned &&
		    memcmp(l->auth[i].a.state.id.b, atag, 8) == 0)
			return &l->auth[i];
	return NULL;
}

/* He has something newer: one who is not asked yet is, if somebody has room. */
static void
ask_him(struct law *l, struct law_authority *la, const struct hash16 *who)
{
	char url[sizeof(SOURCE_RNS) + 2 * sizeof(who->b)];
	struct mono now = clock_mono();

	memcpy(url, SOURCE_RNS, sizeof(SOURCE_RNS));
	hex_encode(url + sizeof(SOURCE_RNS) - 1, HASH_BYTES(*who));
	if (la->src != NULL && sources_hurry(la->src, url, now))
		return;
	/* what is under way would be given up for him */
	if (la->src != NULL && la->src->at >= 0)
		return;
	la->heard[la->next_heard++ % LAW_HEARD] = *who;
	lawweb_set(l, la);
}

/* true: a check of a stranger's signature can be had. */
static bool
may_check(struct law *l, struct mono now)
{
	if (now.us / MONO_SECOND != l->checks_at) {
		l->checks_at = now.us / MONO_SECOND;
		l->checks = 0;
	}
	return l->checks++ < CHECKS_A_SECOND;
}

static void
heard_delta(struct law *l, const struct app_data *a, const struct hash16 *who)
{
	struct law_authority *la;
	char why[AUTH_WHY];
	struct delta d;
	struct env e;

	if (a->delta == NULL ||
	    delta_parse(&d, &e, a->delta, a->delta_len) != NULL ||
	    (la = by_tag(l, d.atag)) == NULL || !lawdelta_of(l, la) ||
	    d.from < l->list.version)
		return;
	if (d.from > l->list.version) {
		ask_him(l, la, who); /* those in between */
		return;
	}
	/* an update that is under way works with the list as it is */
	if (!may_check(l, clock_mono()) || l->step != NULL) {
		ask_him(l, la, who);
		return;
	}
	l->web = true;
	if (lawdelta_take(l, la, a->delta, a->delta_len, why))
		law_follow(l);
	l->web = false;
}

static void
heard_version(struct law *l, const uint8_t atag[8], uint32_t version,
    const struct hash16 *who, bool *same, bool *other)
{
	struct law_authority *la = by_tag(l, atag);
	uint32_t ours;

	if (la == NULL)
		return;
	ours = la->a.state.has_head ? la->a.state.head_version : 0;
	*same |= version == ours;
	*other |= version != ours;
	if (version > ours)
		ask_him(l, la, who);
}

void
law_time(struct law *l, uint32_t now)
{
	l->now = now;
}

bool
law_heard(struct law *l, const struct msg_M_HEARD *m)
{
	bool same = false, other = false, was = l->changed, changed;
	struct app_data a;
	struct head *h;
	struct env e;

	if (!app_data_parse(&a, m->data, m->data_len))
		return false;
	l->changed = false;
	l->heard_on = m->ifid;
	heard_delta(l, &a, &m->identity);
	l->heard_on = 0;
	for (unsigned i = 0; i < a.nheads; i++)
		heard_version(l, a.heads[i].atag, a.heads[i].version,
		    &m->identity, &same, &other);
	/* the frame itself is asked for, with what it names */
	if (a.head != NULL && (h = malloc(sizeof(*h))) != NULL) {
		if (head_parse(h, &e, a.head, a.head_len) == NULL)
			heard_version(l, h->atag, h->version, &m->identity,
			    &same, &other);
		free(h);
	}
	if (other)
		spread_news(&l->spread, clock_mono(), randombytes_random());
	else if (same)
		spread_same(&l->spread);
	changed = l->changed;
	l->changed = was;
	return changed;
}
