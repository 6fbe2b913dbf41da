/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"
#include "common/wire.h"
#include "trust/doc/compact.h"
#include "trust/doc/delta.h"
#include "trust/lawio.h"

/* What authorities publish on web servers: when they are asked, what for. */

#define ASK_MOST 3600. /* s: when there is nobody to ask */

struct places {
	char text[SOURCES_MAX][SOURCE_URL + 1];
	const char *url[SOURCES_MAX];
	unsigned n;
};

static void
place(struct places *p, const char *url)
{
	if (p->n == SOURCES_MAX)
		return;
	(void)snprintf(p->text[p->n], sizeof(p->text[0]), "%s", url);
	p->url[p->n] = p->text[p->n];
	p->n++;
}

static void
place_rns(struct places *p, const struct hash16 *identity)
{
	char url[sizeof(SOURCE_RNS) + 2 * sizeof(identity->b)];
	static const struct hash16 none;

	if (hash16_eq(identity, &none))
		return;
	memcpy(url, SOURCE_RNS, sizeof(SOURCE_RNS));
	hex_encode(url + sizeof(SOURCE_RNS) - 1, HASH_BYTES(*identity));
	place(p, url);
}

static void
places_of(struct places *p, const struct law *l,
    const struct law_authority *la, enum klp_way way)
{
	const struct root *r = &la->a.root;

	if (way == KLP_MESH) {
		for (size_t i = 0; i < l->conf->nmirrors; i++)
			place_rns(p, &l->conf->mirrors[i]);
		for (unsigned i = 0; la->pinned && i < r->nrns; i++)
			place_rns(p, &r->rns[i]);
		for (unsigned i = 0; i < LAW_HEARD; i++)
			place_rns(p, &la->heard[i]);
		return;
	}
	for (size_t i = 0; i < l->conf->ngateways; i++)
		place(p, l->conf->gateways[i]);
	for (unsigned i = 0; la->pinned && i < r->nhttps; i++)
		place(p, r->https[i]);
}

void
lawweb_set(struct law *l, struct law_authority *la)
{
	struct places *p = calloc(1, sizeof(*p));

	for (unsigned i = 0; p != NULL && i < l->conf->nways; i++)
		places_of(p, l, la, l->conf->ways[i]);
	if (p == NULL || (la->src == NULL && p->n > 0 &&
		(la->src = sources_new()) == NULL))
		log_errx(la->a.name, "no memory to fetch anything");
	else if (la->src != NULL)
		sources_set(la->src, p->url, p->n);
	free(p);
}

bool
lawweb_used(const struct law_authority *la)
{
	return la->src != NULL && la->src->n > 0;
}

const char *
lawweb_url(const struct law_authority *la)
{
	return la->src->s[la->src->at].url;
}

/* ---- in the walk ---- */

int
lawweb_ready(const struct law *l)
{
	for (unsigned i = 0; i < l->nauth; i++)
		if (l->auth[i].src != NULL && l->auth[i].src->ready)
			return (int)i;
	return -1;
}

bool
lawweb_asks(struct law *l, struct law_authority *la)
{
	struct msg_FETCH m;

	if (la->src->need[0] == '\0')
		return false;
	if (sources_mesh(la->src)) {
		if (lawmesh_ask(l, la) < 0) {
			(void)snprintf(la->src->s[la->src->at].why,
			    SOURCE_WHY, "warren-transport is not there");
			sources_later(la->src, clock_mono(), SOURCES_AGAIN_S);
		}
		return true;
	}
	if (++l->seq == 0)
		l->seq = 1;
	if (!sources_question(la->src, la->a.name, l->seq, &m)) {
		sources_bad(la->src, FETCH_OWN, "its address is too long",
		    clock_mono(), randombytes_random());
	} else if (l->ops.fetch == NULL || l->ops.fetch(l->ops.ctx, &m) < 0) {
		/* seen in status until it is there; nobody's failure */
		(void)snprintf(la->src->s[la->src->at].why, SOURCE_WHY,
		    "warren-egress is not there: it runs when klp.gateways, "
		    "or a pinned root, names a web server");
		sources_later(la->src, clock_mono(), SOURCES_AGAIN_S);
	}
	return true;
}

/* Said once, until it fails in another way or is good again. */
static void
failed(struct law *l, struct law_authority *la, unsigned kind,
    const char *why)
{
	struct source *s = &la->src->s[la->src->at];

	if (s->kind != kind) {
		log_warnx(la->a.name, "%s/%s: %s: what is known of it goes on "
		    "to count", s->url, la->a.name, why);
		lawio_event(l, EVK_AUTHORITY, 3, "source", "%s from %s: %s",
		    la->a.name, s->url, why);
	}
	sources_bad(la->src, kind, why, clock_mono(), randombytes_random());
	l->changed = true;
}

/* true: one is asked for. */
static bool
ask_delta(struct law *l, struct law_authority *la)
{
	if (!lawdelta_of(l, la) || la->src->deltas >= SOURCE_DELTAS ||
	    !lawdelta_name(l, la->src->need))
		return false;
	la->src->deltas++;
	la->src->need_max = DELTA_BYTES;
	return lawweb_asks(l, la);
}

/* What it has of the authority's logs, now and then; true: it is asked. */
static bool
ask_log(struct law *l, struct law_authority *la)
{
	struct source *s = &la->src->s[la->src->at];

	char place[LAWLOG_PLACE];

	lawtile_stop(la); /* of a round that was given up */
	if (la->src->log == 0 && s->log_at != 0 &&
	    l->now >= s->log_at && l->now < (uint64_t)s->log_at + LAWLOG_EVERY_S)
		return false;
	/* a node tells of each by its key, and of all together nothing more */
	if (la->src->log == 0 && sources_mesh(la->src) &&
	    lawlog_place(la, 1, place))
		la->src->log = 1;
	if (!lawlog_place(la, la->src->log, place))
		return false;
	s->log_at = l->now;
	la->src->log++;
	(void)snprintf(la->src->need, sizeof(la->src->need), "%s" LAWLOG_FILE,
	    place);
	la->src->need_max = LAWLOG_BYTES;
	return lawweb_asks(l, la);
}

static void
all_good(struct law *l, struct law_authority *la)
{
	if (ask_log(l, la))
		return;
	sources_good(la->src, l->now, clock_mono(), l->conf->refresh_ms,
	    randombytes_random());
	l->changed = true; /* for status */
}

/* A node gives several at once. */
static void
more_deltas(struct law *l, struct law_authority *la)
{
	struct rd r = rd_make(la->src->mesh.deltas, la->src->mesh.deltas_len);
	char why[AUTH_WHY];
	struct rd one;
	uint16_t n;

	while (la->src->deltas < SOURCE_DELTAS && rd_u16(&r, &n) &&
	    rd_sub(&r, n, &one) && lawdelta_take(l, la, one.p, n, why))
		la->src->deltas++;
	free(la->src->mesh.deltas);
	la->src->mesh.deltas = NULL;
	la->src->mesh.deltas_len = 0;
}

/* ... and with deltas alone, where the list does not come. */
static void
round_over(struct law *l, struct law_authority *la)
{
	char why[SOURCE_WHY];

	(void)snprintf(why, sizeof(why), "%s", la->src->mesh.behind);
	if (why[0] == '\0')
		all_good(l, la);
	else
		failed(l, la, FETCH_SIZE, why);
}

/*
 * The list is too long for this way, and its deltas begin behind ours: the set
 * itself, then the delta that led to it, which signs it.
 */
static bool
ask_set(struct law *l, struct law_authority *la)
{
	struct sources *x = la->src;

	if (!sources_mesh(x) || !x->mesh.gap || !x->mesh.too_long ||
	    x->set != SET_NONE || !lawset_name(l, x->need))
		return false;
	x->set = SET_PAGES;
	x->need_max = COMPACT_BYTES;
	lawset_begin(&x->part, lawweb_url(la));
	/* of the last round only what signs it has not come */
	if (x->part.whole && lawset_proof(l, &x->part, x->need)) {
		x->set = SET_PROOF;
		x->need_max = DELTA_BYTES;
	}
	return lawweb_asks(l, la);
}

static void
got_set(struct law *l, struct law_authority *la, const struct msg_FETCHED *m)
{
	struct sources *x = la->src;
	char why[AUTH_WHY] = "", text[SOURCE_WHY];
	uint8_t *p = NULL;
	size_t len = 0;

	x->ready = false;
	if (x->set == SET_PAGES && m->end == FETCH_OK &&
	    lawset_proof(l, &x->part, x->need)) {
		x->set = SET_PROOF;
		x->need_max = DELTA_BYTES;
		(void)lawweb_asks(l, la);
		return;
	}
	if (x->set == SET_PROOF && m->end == FETCH_OK)
		p = sources_read(x, x->file[x->nfiles - 1].name, DELTA_BYTES,
		    &len);
	l->web = true;
	if (p != NULL && lawset_take(l, la, &x->part, p, len, why)) {
		x->set = SET_NONE;
		x->mesh.gap = false;
		more_deltas(l, la);
		law_follow(l);
		if (!ask_delta(l, la))
			round_over(l, la);
	} else if (m->end != FETCH_OK) {
		round_over(l, la); /* nothing signs it: the list does */
	} else {
		(void)snprintf(text, sizeof(text), "the set of %s: %s",
		    l->list_uri.path, p == NULL ? "no memory" : why);
		failed(l, la, LAWWEB_KIND(AUTH_BAD), text);
	}
	lawset_drop(&x->part);
	l->web = false;
	free(p);
}

static void
got_delta(struct law *l, struct law_authority *la,
    const struct msg_FETCHED *m)
{
	char why[AUTH_WHY] = "", text[SOURCE_WHY];
	uint8_t *p = NULL;
	size_t len = 0;

	if (m->end == FETCH_OK)
		p = sources_read(la->src, la->src->file[la->src->nfiles - 1]
		    .name, DELTA_BYTES, &len);
	la->src->ready = false;
	l->web = true;
	if (m->end != FETCH_OK) {
		if (!ask_set(l, la))
			round_over(l, la);
	} else if (p == NULL || !lawdelta_take(l, la, p, len, why)) {
		(void)snprintf(text, sizeof(text), "%s: %s", la->src->file[
		    la->src->nfiles - 1].name, p == NULL ? "no memory" : why);
		failed(l, la, LAWWEB_KIND(AUTH_BAD), text);
	} else {
		more_deltas(l, la);
		law_follow(l);
		if (!ask_delta(l, la))
			round_over(l, la);
	}
	l->web = false;
	free(p);
}

/* true: a tile is asked for. Else what they have shown counts, or nothing does. */
static bool
ask_tile(struct law *l, struct law_authority *la, const char *from)
{
	const char *why;
	size_t len = 0;
	char *text;
	bool more = lawtile_need(la, &text, &len, &why);

	if (!more && why != NULL)
		lawlog_complain(l, la, from, why);
	else if (!more)
		(void)lawlog_shown(l, la, text, len, from, NULL);
	free(text);
	return more && lawweb_asks(l, la);
}

static bool
got_tile(struct law *l, struct law_authority *la, const struct msg_FETCHED *m,
    const char *from)
{
	const char *why;

	lawtile_came(la, m, &why);
	if (why == NULL)
		return ask_tile(l, la, from);
	lawlog_complain(l, la, from, why);
	return false;
}

/* true: it has grown, and its tiles are to prove it. */
static bool
got_checkpoint(struct law *l, struct law_authority *la,
    const struct msg_FETCHED *m, const char *from)
{
	char place[LAWLOG_PLACE];
	uint64_t known;
	uint8_t *p = NULL;
	size_t len = 0;
	bool asks = false;

	if (m->end == FETCH_OK)
		p = sources_read(la->src, la->src->file[la->src->nfiles - 1]
		    .name, LAWLOG_BYTES, &len);
	if (m->end == FETCH_OK || m->end == FETCH_ABSENT)
		sources_drop(la->src);
	/* a node gives the proof with it */
	if (p != NULL && lawlog_shown(l, la, (const char *)p, len, from,
		sources_mesh(la->src) ? NULL : &known) == LOGBOOK_UNPROVEN &&
	    !sources_mesh(la->src) &&
	    lawlog_place(la, la->src->log - 1, place) &&
	    lawtile_begin(la, place, known, (const char *)p, len))
		asks = ask_tile(l, la, from);
	free(p);
	return asks;
}

/* Whatever it is worth, the round was good. */
static void
got_log(struct law *l, struct law_authority *la, const struct msg_FETCHED *m)
{
	char from[SOURCE_URL + 1];

	(void)snprintf(from, sizeof(from), "%s", lawweb_url(la));
	la->src->ready = false;
	if (lawtile_walks(la) ? got_tile(l, la, m, from) :
	    got_checkpoint(l, la, m, from))
		return;
	if (l->logs_changed)
		lawlog_look(l);
	all_good(l, la);
}

void
lawweb_end(struct law *l, struct law_authority *la,
    const struct auth_report *rep)
{
	char why[SOURCE_WHY];

	switch (rep->end) {
	case AUTH_NEW:
	case AUTH_SAME:
		la->checked = l->now;
		(void)snprintf(la->from, sizeof(la->from), "%s",
		    lawweb_url(la));
		if (!ask_delta(l, la))
			all_good(l, la);
		break;
	case AUTH_NONE:
		failed(l, la, FETCH_ABSENT, "head: is not there");
		break;
	default:
		/* lawlook.c has said it */
		(void)snprintf(why, sizeof(why), "%s%s%s", rep->file,
		    rep->file[0] == '\0' ? "" : ": ", rep->why);
		sources_bad(la->src, LAWWEB_KIND(rep->end), why, clock_mono(),
		    randombytes_random());
		l->changed = true;
	}
}

/* ---- from outside ---- */

void
law_fetch_now(struct law *l)
{
	for (unsigned i = 0; i < l->nauth; i++)
		if (l->auth[i].src != NULL)
			sources_now(l->auth[i].src);
}

double
law_fetch(struct law *l)
{
	struct mono now = clock_mono(), next;
	double least = ASK_MOST;

	next.us = INT64_MAX;
	lawmesh_again(l, now, &next);
	if (next.us != INT64_MAX)
		least = MIN_OF(least, (double)mono_sub(next, now) /
			MONO_SECOND + .01);
	for (unsigned i = 0; i < l->nauth; i++) {
		struct law_authority *la = &l->auth[i];

		if (!la->pinned || la->src == NULL ||
		    !sources_next(la->src, &next))
			continue;
		if (next.us <= now.us)
			sources_begin(la->src, now);
		else
			least = MIN_OF(least, (double)mono_sub(next, now) /
				MONO_SECOND + .01);
	}
	return least;
}

/* Something has changed since; what had before is told by others. */
static bool
is_changed(struct law *l, bool was)
{
	bool now = l->changed;

	l->changed = was;
	return now;
}

bool
law_fetched(struct law *l, const struct msg_FETCHED *m, int fd)
{
	char why[SOURCE_WHY], safe[SOURCE_WHY];
	struct law_authority *la = NULL;
	bool was;

	for (unsigned i = 0; m->seq != 0 && i < l->nauth; i++)
		if (l->auth[i].src != NULL && l->auth[i].src->seq == m->seq)
			la = &l->auth[i];
	if (la == NULL && fd >= 0)
		(void)close(fd);
	if (la == NULL)
		return false;
	if (sources_answer(la->src, m, fd, why) || la->src->log > 0) {
		was = l->changed;
		if (la->src->log > 0) {
			l->changed = false;
			got_log(l, la, m);
			return is_changed(l, was);
		}
		if (la->src->deltas == 0)
			return false;
		l->changed = false;
		if (la->src->set != SET_NONE)
			got_set(l, la, m);
		else
			got_delta(l, la, m);
		return is_changed(l, was);
	}
	if (m->end == FETCH_LATER) { /* its failures were told */
		sources_later(la->src, clock_mono(), m->wait_s);
		return false;
	}
	(void)text_printable(safe, sizeof(safe), why, strlen(why));
	/* a list that is too long for the way: what it was changed by is not */
	if (sources_mesh(la->src) && la->src->deltas == 0 &&
	    (m->end == FETCH_SIZE || m->end == FETCH_SLOW)) {
		(void)snprintf(la->src->mesh.behind,
		    sizeof(la->src->mesh.behind), "%s", safe);
		if (ask_delta(l, la))
			return false;
	}
	was = l->changed;
	failed(l, la, m->end, safe);
	return is_changed(l, was);
}

void
law_unfetched(struct law *l, bool mesh)
{
	for (unsigned i = 0; i < l->nauth; i++)
		if (l->auth[i].src != NULL && l->auth[i].src->seq != 0 &&
		    sources_mesh(l->auth[i].src) == mesh)
			sources_later(l->auth[i].src, clock_mono(),
			    SOURCES_AGAIN_S);
}

bool
law_answered(struct law *l, const struct msg_M_ANSWER *m, int fd)
{
	struct law_authority *la = NULL;
	struct msg_FETCHED f;
	int fetched = -1;
	bool over;

	for (unsigned i = 0; m->seq != 0 && i < l->nauth; i++)
		if (l->auth[i].src != NULL && l->auth[i].src->seq == m->seq &&
		    sources_mesh(l->auth[i].src))
			la = &l->auth[i];
	over = la != NULL && lawmesh_came(l, la, m, fd, &f, &fetched);
	if (fd >= 0)
		(void)close(fd);
	if (over)
		return law_fetched(l, &f, fetched);
	if (la != NULL && !la->src->mesh.waits && lawmesh_ask(l, la) < 0)
		sources_later(la->src, clock_mono(), SOURCES_AGAIN_S);
	return false;
}
