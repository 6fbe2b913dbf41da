/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/air.h"

#include <bsd/sys/queue.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "tests/sim/sim.h"

#define USED_US INT64_C(15000000)
#define SPANS 256
#define BANDS 4
#define PER_BAND 15

struct waiting {
	TAILQ_ENTRY(waiting) entry;
	size_t len;
	uint8_t data[];
};

struct side {
	TAILQ_HEAD(, waiting) queue;
	int64_t since;   /* it waits for the channel; INT64_MAX: it does not */
	int64_t left_us; /* of its slots; < 0: not drawn */
	struct {
		int64_t from, to;
	} span[SPANS];
	unsigned nspan;
	struct air_sum sum;
};

struct line {
	int64_t free_at; /* since when nobody sends, or until then somebody */
	struct waiting *flying;
	unsigned of;
	bool arrives;
};

struct air {
	struct air_opts o;
	uint64_t rng;
	struct side side[2];
	struct line line[2]; /* one of each side, or the first of both */
	struct waiting *given;
};

static uint64_t
draw(struct air *a)
{
	uint8_t b[8];
	uint64_t v;

	sim_random_bytes(&a->rng, b, sizeof(b));
	memcpy(&v, b, sizeof(v));
	return v >> 8;
}

struct air *
air_new(const struct air_opts *o, uint64_t seed)
{
	struct air *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->o = *o;
	a->rng = seed;
	for (unsigned i = 0; i < 2; i++) {
		TAILQ_INIT(&a->side[i].queue);
		a->side[i].since = INT64_MAX;
		a->side[i].left_us = -1;
	}
	return a;
}

void
air_free(struct air *a)
{
	struct waiting *w;

	if (a == NULL)
		return;
	for (unsigned i = 0; i < 2; i++)
		while ((w = TAILQ_FIRST(&a->side[i].queue)) != NULL) {
			TAILQ_REMOVE(&a->side[i].queue, w, entry);
			free(w);
		}
	for (unsigned i = 0; i < 2; i++)
		free(a->line[i].flying);
	free(a->given);
	free(a);
}

static unsigned
band(const struct side *s, int64_t now)
{
	int64_t used = 0;

	for (unsigned i = 0; i < MIN_OF(s->nspan, (unsigned)SPANS); i++) {
		int64_t from = MAX_OF(s->span[i].from, now - USED_US);

		used += MAX_OF(s->span[i].to - from, INT64_C(0));
	}
	return MIN_OF((unsigned)(used * BANDS / USED_US), BANDS - 1u);
}

static void
begin(struct air *a, struct side *s, int64_t now)
{
	s->since = TAILQ_EMPTY(&s->queue) ? INT64_MAX : now;
	if (s->since != INT64_MAX && s->left_us < 0)
		s->left_us = (band(s, now) * PER_BAND +
		    (int64_t)(draw(a) % (PER_BAND + 1))) * a->o.slot_us;
}

bool
air_put(struct air *a, unsigned side, const uint8_t *p, size_t n, int64_t now)
{
	struct side *s = &a->side[side];
	const struct line *l = &a->line[a->o.duplex ? side : 0];
	struct waiting *w = malloc(sizeof(*w) + n);

	if (w == NULL)
		return false;
	w->len = n;
	memcpy(w->data, p, n);
	TAILQ_INSERT_TAIL(&s->queue, w, entry);
	if (s->since == INT64_MAX &&
	    (l->flying == NULL || l->of != side))
		begin(a, s, now);
	return true;
}

/* When this one begins to send, if the other one does not before. */
static int64_t
goes_at(const struct air *a, unsigned i)
{
	const struct side *s = &a->side[i];

	return s->since == INT64_MAX ? INT64_MAX :
	    MAX_OF(s->since, a->line[a->o.duplex ? i : 0].free_at) +
	    a->o.listen_us + s->left_us;
}

static int64_t
line_at(const struct air *a, unsigned i)
{
	if (a->line[i].flying != NULL)
		return a->line[i].free_at;
	return a->o.duplex ? goes_at(a, i) :
	    MIN_OF(goes_at(a, 0), goes_at(a, 1));
}

int64_t
air_at(const struct air *a)
{
	int64_t at = line_at(a, 0);

	return a->o.duplex ? MIN_OF(at, line_at(a, 1)) : at;
}

static void
start(struct air *a, struct line *l, unsigned i, int64_t now)
{
	struct side *s = &a->side[i], *other = &a->side[1 - i];
	struct waiting *w = TAILQ_FIRST(&s->queue);
	unsigned frames = a->o.frame == 0 || w->len == 0 ? 1 :
	    (unsigned)((w->len + a->o.frame - 1) / a->o.frame);
	int64_t us = a->o.air_us(a->o.arg, w->len);

	/* what the other one has waited it need not wait again */
	if (!a->o.duplex && other->since != INT64_MAX) {
		int64_t ran = now - MAX_OF(other->since, l->free_at) -
		    a->o.listen_us;

		other->left_us -= MIN_OF(MAX_OF(ran, INT64_C(0)),
		    other->left_us);
	}
	TAILQ_REMOVE(&s->queue, w, entry);
	s->left_us = -1;
	s->since = INT64_MAX;
	s->span[s->nspan % SPANS].from = now;
	s->span[s->nspan++ % SPANS].to = now + us;
	l->free_at = now + us;
	l->flying = w;
	l->of = i;
	l->arrives = true;
	for (unsigned k = 0; k < frames; k++)
		if (draw(a) % 1000 < a->o.loss_permille)
			l->arrives = false;
	s->sum.packets++;
	s->sum.frames += frames;
	s->sum.lost += !l->arrives;
	s->sum.air_us += us;
}

bool
air_turn(struct air *a, unsigned *to, const uint8_t **p, size_t *len,
    int64_t now)
{
	while (air_at(a) <= now) {
		unsigned i = a->o.duplex && line_at(a, 1) < line_at(a, 0);
		struct line *l = &a->line[i];

		if (l->flying == NULL) {
			start(a, l, a->o.duplex ? i :
			    goes_at(a, 0) <= goes_at(a, 1) ? 0 : 1, now);
			continue;
		}
		free(a->given);
		a->given = l->flying;
		l->flying = NULL;
		begin(a, &a->side[l->of], now);
		if (!l->arrives)
			continue;
		*to = 1 - l->of;
		*p = a->given->data;
		*len = a->given->len;
		return true;
	}
	return false;
}

struct air_sum
air_sum(const struct air *a, unsigned side)
{
	return a->side[side].sum;
}
