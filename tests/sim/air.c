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

struct air {
	struct air_opts o;
	uint64_t rng;
	struct side side[2];
	int64_t free_at; /* since when nobody sends, or until then somebody */
	struct waiting *flying;
	unsigned flying_of;
	bool arrives;
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
	free(a->flying);
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
	struct waiting *w = malloc(sizeof(*w) + n);

	if (w == NULL)
		return false;
	w->len = n;
	memcpy(w->data, p, n);
	TAILQ_INSERT_TAIL(&s->queue, w, entry);
	if (s->since == INT64_MAX &&
	    (a->flying == NULL || a->flying_of != side))
		begin(a, s, now);
	return true;
}

/* When this one begins to send, if the other one does not before. */
static int64_t
goes_at(const struct air *a, const struct side *s)
{
	return s->since == INT64_MAX ? INT64_MAX :
	    MAX_OF(s->since, a->free_at) + a->o.listen_us + s->left_us;
}

int64_t
air_at(const struct air *a)
{
	return a->flying != NULL ? a->free_at :
	    MIN_OF(goes_at(a, &a->side[0]), goes_at(a, &a->side[1]));
}

static void
start(struct air *a, unsigned i, int64_t now)
{
	struct side *s = &a->side[i], *other = &a->side[1 - i];
	struct waiting *w = TAILQ_FIRST(&s->queue);
	unsigned frames = a->o.frame == 0 || w->len == 0 ? 1 :
	    (unsigned)((w->len + a->o.frame - 1) / a->o.frame);
	int64_t us = a->o.air_us(a->o.arg, w->len);

	/* what the other one has waited it need not wait again */
	if (other->since != INT64_MAX) {
		int64_t ran = now - MAX_OF(other->since, a->free_at) -
		    a->o.listen_us;

		other->left_us -= MIN_OF(MAX_OF(ran, INT64_C(0)),
		    other->left_us);
	}
	TAILQ_REMOVE(&s->queue, w, entry);
	s->left_us = -1;
	s->since = INT64_MAX;
	s->span[s->nspan % SPANS].from = now;
	s->span[s->nspan++ % SPANS].to = now + us;
	a->free_at = now + us;
	a->flying = w;
	a->flying_of = i;
	a->arrives = true;
	for (unsigned k = 0; k < frames; k++)
		if (draw(a) % 1000 < a->o.loss_permille)
			a->arrives = false;
	s->sum.packets++;
	s->sum.frames += frames;
	s->sum.lost += !a->arrives;
	s->sum.air_us += us;
}

bool
air_turn(struct air *a, unsigned *to, const uint8_t **p, size_t *len,
    int64_t now)
{
	while (air_at(a) <= now) {
		if (a->flying == NULL) {
			start(a, goes_at(a, &a->side[0]) <=
				goes_at(a, &a->side[1]) ? 0 : 1, now);
			continue;
		}
		free(a->given);
		a->given = a->flying;
		a->flying = NULL;
		begin(a, &a->side[a->flying_of], now);
		if (!a->arrives)
			continue;
		*to = 1 - a->flying_of;
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
