/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include <sodium.h>

#include "common/clock.h"
#include "common/wire.h"
#include "trust/doc/head.h"
#include "trust/lawio.h"

/* What this node says over the mesh of what it holds (klp.md 4.3). */

/* Does the root name this node as one that has its documents? */
static bool
mirrors(const struct law *l, const struct law_authority *la)
{
	for (unsigned i = 0; la->pinned && i < la->a.root.nrns; i++)
		if (hash16_eq(&la->a.root.rns[i], &l->own))
			return true;
	return false;
}

void
lawspread_delta(struct law *l, const struct law_authority *la,
    const uint8_t *frame, size_t len)
{
	if (mirrors(l, la))
		spread_urgent(&l->spread, clock_mono(), frame, len, true);
	else
		spread_pass(&l->spread, clock_mono(), frame, len);
	l->pass_not = l->heard_on;
	l->spread_changed = true;
}

void
lawspread_head(struct law *l, const struct law_authority *la)
{
	uint8_t head[HEAD_BYTES];
	ssize_t n;

	spread_news(&l->spread, clock_mono(), randombytes_random());
	l->spread_changed = true;
	if (!mirrors(l, la))
		return;
	n = klpdir_blob_read(&l->dir, &la->a.state.head_sha, 0, head,
	    sizeof(head));
	if (n > 0)
		spread_urgent(&l->spread, clock_mono(), head, (size_t)n,
		    false);
}

void
law_heads(struct law *l, struct msg_V_SPREAD *m)
{
	struct wr w = wr_make(m->heads, sizeof(m->heads));

	*m = (struct msg_V_SPREAD){.say = SPREAD_NOTHING};
	for (unsigned i = 0; i < l->nauth &&
	     w.len + 12 <= sizeof(m->heads); i++) {
		const struct auth_state *st = &l->auth[i].a.state;

		if (!l->auth[i].pinned || !st->has_head)
			continue;
		wr_bytes(&w, st->id.b, 8);
		wr_u32(&w, st->head_version);
	}
	m->heads_len = (uint16_t)w.len;
}

bool
law_spread(struct law *l, struct msg_V_SPREAD *m)
{
	struct mono now = clock_mono();
	enum spread_say say;
	bool changed = l->spread_changed;

	if (l->spread.interval == 0)
		spread_begin(&l->spread, now, randombytes_random());
	say = spread_due(&l->spread, now, randombytes_random());
	l->spread_changed = false;
	law_heads(l, m);
	if (m->heads_len == 0)
		return false; /* there is nothing to say */
	m->say = (uint8_t)say;
	if (say >= SPREAD_DELTA) {
		m->not_if = l->pass_not;
		m->frame_len = (uint16_t)l->spread.frame_len;
		memcpy(m->frame, l->spread.frame, l->spread.frame_len);
	}
	return say != SPREAD_NOTHING || changed;
}

double
law_spread_in(const struct law *l)
{
	struct mono next = spread_next(&l->spread);
	int64_t us;

	if (l->spread_changed || l->spread.interval == 0)
		return 0.;
	us = next.us == INT64_MAX ? 3600 * MONO_SECOND :
	    mono_sub(next, clock_mono());
	return us <= 0 ? 0. : (double)us / MONO_SECOND + .001;
}
