/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/util.h"
#include "trust/doc/tlogwalk.h"
#include "trust/lawio.h"

/*
 * A log that lies on a web server has grown, and its tiles prove it (klp.md 8):
 * one after the other is asked for, and what was verified in the walk before is
 * not asked for again. The time is bounded, so that a server that drips does not
 * keep the documents of its authority from coming.
 */
#define WALK_S 60 /* ours: of one walk, at its end one tile more */

struct lawtile {
	struct tlog_walk w, kept; /* kept: the walk before */
	bool walks;
	bool recalled; /* some of its tiles are of that one */
	bool whole; /* the partial tile is gone: the whole one is asked for */
	struct mono until;
	char place[LAWLOG_PLACE];
	char *note;
	size_t note_len;
	char why[LAWLOG_PLACE + TLOG_PATH_MAX + 170];
};

bool
lawtile_walks(const struct law_authority *la)
{
	return la->tiles != NULL && la->tiles->walks;
}

void
lawtile_stop(struct law_authority *la)
{
	struct lawtile *t = la->tiles;

	if (t == NULL || !t->walks)
		return;
	t->walks = t->whole = false;
	free(t->note);
	t->note = NULL;
	/* those of the edge are verified together, at its end */
	if (t->w.at >= t->w.edge)
		t->kept = t->w;
}

void
lawtile_free(struct law_authority *la)
{
	lawtile_stop(la);
	free(la->tiles);
	la->tiles = NULL;
}

/* ---- what is known of the walk before ---- */

static const struct tlog_walk_tile *
kept(const struct lawtile *t, const struct tlog_walk_tile *x)
{
	for (unsigned i = 0; i < t->kept.at; i++) {
		const struct tlog_walk_tile *k = &t->kept.tile[i];

		if (k->level == x->level && k->n == x->n &&
		    k->width == x->width)
			return k;
	}
	return NULL;
}

/* Another log's, or one that was forked: they do not fit. */
static void
forget(struct lawtile *t)
{
	t->kept.at = 0;
	t->recalled = false;
	(void)tlog_walk_begin(&t->w, t->w.old, &t->w.head);
}

static void
recall(struct lawtile *t)
{
	const struct tlog_walk_tile *x, *k;

	while ((x = tlog_walk_next(&t->w)) != NULL &&
	    (k = kept(t, x)) != NULL) {
		if (tlog_walk_take(&t->w, k->hash, k->width *
			sizeof(k->hash[0])) == NULL)
			t->recalled = true;
		else
			forget(t);
	}
}

/* ---- the walk ---- */

bool
lawtile_begin(struct law_authority *la, const char *place, uint64_t known,
    const char *text, size_t len)
{
	struct lawtile *t = la->tiles;
	struct tlog_growth *g = calloc(1, sizeof(*g));
	struct tlog_head h;
	struct snote n;
	bool ok;

	if (t == NULL)
		t = la->tiles = calloc(1, sizeof(*t));
	if (g != NULL && !tlog_growth_parse(g, text, len)) {
		g->note = text;
		g->note_len = len;
	}
	ok = t != NULL && g != NULL && snote_parse(&n, g->note, g->note_len) &&
	    tlog_head_parse(&h, n.text, n.text_len) &&
	    tlog_walk_begin(&t->w, known, &h) &&
	    (t->note = malloc(g->note_len)) != NULL;
	if (ok) {
		memcpy(t->note, g->note, g->note_len);
		t->note_len = g->note_len;
		(void)snprintf(t->place, sizeof(t->place), "%s", place);
		t->until = mono_add(clock_mono(), WALK_S * MONO_SECOND);
		t->walks = true;
		t->whole = t->recalled = false;
	}
	free(g);
	return ok;
}

static size_t
end(struct lawtile *t, char **text, const char **why)
{
	struct tlog_growth *g = calloc(1, sizeof(*g));
	size_t n = 0;

	*text = malloc(TLOG_GROWTH_TEXT);
	if (g != NULL && *text != NULL && tlog_walk_growth(&t->w, g)) {
		g->note = t->note;
		g->note_len = t->note_len;
		n = tlog_growth_put(*text, g);
	}
	*why = n > 0 ? NULL : "no memory";
	free(g);
	return n;
}

bool
lawtile_need(struct law_authority *la, char **text, size_t *len,
    const char **why)
{
	struct lawtile *t = la->tiles;
	const struct tlog_walk_tile *x;
	char path[TLOG_PATH_MAX];
	unsigned width;

	*text = NULL;
	if (!t->whole)
		recall(t);
	if ((x = tlog_walk_next(&t->w)) == NULL) {
		*len = end(t, text, why);
		lawtile_stop(la);
		return false;
	}
	if (clock_mono().us > t->until.us) {
		*why = "its tiles take too long";
		lawtile_stop(la);
		return false;
	}
	width = t->whole ? TLOG_TILE : x->width;
	tlog_path(path, x->level, x->n, width);
	(void)snprintf(la->src->need, sizeof(la->src->need), "%s/%s",
	    t->place, path);
	la->src->need_max = width * sizeof(x->hash[0]);
	return true;
}

void
lawtile_came(struct law_authority *la, const struct msg_FETCHED *m,
    const char **why)
{
	struct lawtile *t = la->tiles;
	const struct tlog_walk_tile *x = tlog_walk_next(&t->w);
	const char *bad = m->why;
	char safe[160], name[TLOG_PATH_MAX];
	uint8_t *p = NULL;
	size_t len = 0;

	tlog_path(name, x->level, x->n, t->whole ? TLOG_TILE : x->width);
	if (m->end == FETCH_OK) {
		p = sources_read(la->src, la->src->file[la->src->nfiles - 1]
		    .name, TLOG_TILE_BYTES, &len);
		bad = p == NULL ? "too large, or no memory" :
		    tlog_walk_take(&t->w, p, len);
	}
	if (m->end == FETCH_OK || m->end == FETCH_ABSENT)
		sources_drop(la->src);
	free(p);
	*why = NULL;
	/* a log that has gone on has the whole one in its place */
	if (m->end == FETCH_ABSENT && !t->whole && x->width < TLOG_TILE) {
		t->whole = true;
		return;
	}
	t->whole = false;
	if (m->end == FETCH_OK && bad == NULL)
		return;
	if (m->end == FETCH_OK && t->recalled) {
		forget(t);
		return;
	}
	(void)text_printable(safe, sizeof(safe), bad, strlen(bad));
	(void)snprintf(t->why, sizeof(t->why), "%s/%s: %s", t->place, name,
	    safe);
	*why = t->why;
	lawtile_stop(la);
}
