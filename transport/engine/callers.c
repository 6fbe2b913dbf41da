/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/callers.h"

#include <netinet/in.h>
#include <string.h>

#include "common/util.h"

/* IPv4 as ::ffff:a.b.c.d. */
static void
address(const struct sockaddr_storage *sa, uint8_t out[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	memset(out, 0, 16);
	if (sa->ss_family == AF_INET) {
		memcpy(&v4, sa, sizeof(v4));
		memcpy(out, mapped, sizeof(mapped));
		memcpy(out + 12, &v4.sin_addr, 4);
	} else if (sa->ss_family == AF_INET6) {
		memcpy(&v6, sa, sizeof(v6));
		memcpy(out, &v6.sin6_addr, 16);
	}
}

static bool
is_v4(const uint8_t a[16])
{
	struct in6_addr v6;

	memcpy(&v6, a, sizeof(v6));
	return IN6_IS_ADDR_V4MAPPED(&v6);
}

/* Or none: the other end of a tunnel. */
static bool
is_loopback(const uint8_t a[16])
{
	struct in6_addr v6;

	memcpy(&v6, a, sizeof(v6));
	return is_v4(a) ? a[12] == 127 : IN6_IS_ADDR_LOOPBACK(&v6) ||
	    IN6_IS_ADDR_UNSPECIFIED(&v6);
}

/*
 * What one person has of IPv6 is a network of 64 bits, and as many of these as
 * he likes in one of 48 (bytes 8, 6); neighbours on a link are told apart by
 * the rest. What comes from this machine is all one, whatever it bound.
 */
static void
whose(const uint8_t addr[16], size_t bytes, uint8_t out[16])
{
	bool whole = is_v4(addr) ||
	    (addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80);

	memset(out, 0, 16);
	if (is_loopback(addr))
		out[15] = 1; /* ::1 */
	else
		memcpy(out, addr, whole ? 16 : bytes);
}

#define whose_address(addr, out) whose(addr, 8, out)
#define whose_crowd(addr, out) whose(addr, 6, out)

static struct caller *
find(struct callers *c, const uint8_t key[16])
{
	for (unsigned i = 0; i < CALLERS_MAX; i++)
		if (c->v[i].used && memcmp(c->v[i].addr, key, 16) == 0)
			return &c->v[i];
	return NULL;
}

/*
 * A place for another address: the one goes that is not here and whose last
 * flap is the longest ago. There is one, because fewer than all may be here.
 */
static struct caller *
make(struct callers *c, const uint8_t key[16])
{
	struct caller *best = NULL;

	for (unsigned i = 0; i < CALLERS_MAX; i++) {
		struct caller *v = &c->v[i];

		if (!v->used) {
			best = v;
			break;
		}
		if (v->open == 0 &&
		    (best == NULL || mono_sub(v->last, best->last) < 0))
			best = v;
	}
	if (best == NULL)
		return NULL;
	*best = (struct caller){.used = true,
	    .free_of_share = is_loopback(key)};
	memcpy(best->addr, key, 16);
	return best;
}

/* Whoever has this key; else a free one, which there is. NULL: none is. */
static struct crowd *
crowd_find(struct callers *c, const uint8_t key[16], bool make_one)
{
	struct crowd *unused = NULL;

	for (unsigned i = 0; i < CALLERS_OPEN; i++) {
		struct crowd *w = &c->crowds[i];

		if (w->open == 0)
			unused = unused != NULL ? unused : w;
		else if (memcmp(w->addr, key, 16) == 0)
			return w;
	}
	if (unused == NULL || !make_one)
		return NULL;
	memcpy(unused->addr, key, 16);
	return unused;
}

void
callers_init(struct callers *c,
    enum caller_worth (*worth)(const struct guest *, struct mono now))
{
	TAILQ_INIT(&c->guests);
	c->worth = worth;
}

static bool
within(struct mono then, struct mono now, int64_t s)
{
	return then.us >= 0 && mono_sub(now, then) < s * MONO_SECOND;
}

enum caller_worth
callers_worth(const struct rns_if_use *use, struct mono now)
{
	if (within(use->linked, now, CALLERS_LINK_S))
		return WORTH_LINK;
	if (within(use->useful, now, CALLERS_USEFUL_S) ||
	    within(use->linked, now, CALLERS_USEFUL_S))
		return WORTH_USEFUL;
	return use->heard ? WORTH_NONE : WORTH_SILENT;
}

static bool
kept_out(const struct caller *v, struct mono now)
{
	return v->pause_us > 0 && mono_sub(now, v->last) < v->pause_us;
}

/* ---- who goes for another ---- */

/* In what order; callers.h says why. */
enum step {
	STEP_SEVERAL, /* of no use, one of several of an address */
	STEP_OVER,    /* of use, and its address has more than its part */
	STEP_ALONE,   /* of no use, alone, and who comes has none at all */
	STEP_OWN,     /* of no use, and of the address of who comes */
	STEP_USEFUL,  /* of use, one of several */
	STEP_LINK,    /* bears a link, one of several */
	STEP_STAYS
};

/* Who comes; NULL: nobody of the same is here. */
struct comer {
	struct caller *from;
	struct crowd *crowd;
	unsigned has, crowd_has;
	unsigned part; /* of the places, of each that is here and of him */
	bool spare;    /* there are places: nobody goes who is of use */
};

/*
 * So many of a crowd, for which it may lose one. Behind a tunnel's end are many
 * that cannot be told apart: half of the places is theirs, as if each had an
 * address of his own.
 */
static unsigned
counts_for(const struct caller *v, unsigned open)
{
	return v->free_of_share && v->open <= CALLERS_LISTENER / 2 ?
	    MIN_OF(open, 1u) : open;
}

static enum step
step_of(const struct guest *g, enum caller_worth worth, const struct comer *m)
{
	bool near = g->from->crowd == m->crowd;
	unsigned many = counts_for(g->from, near ? g->from->open :
	    g->from->crowd->open);
	unsigned mine = near ? m->has : m->crowd_has;

	if (worth > WORTH_NONE && m->spare)
		return STEP_STAYS;
	if (many > mine + 1 && g->from != m->from)
		switch (worth) {
		case WORTH_SILENT:
		case WORTH_NONE:
			return STEP_SEVERAL;
		case WORTH_USEFUL:
			return many > m->part ? STEP_OVER : STEP_USEFUL;
		case WORTH_LINK:
			return STEP_LINK;
		}
	if (worth > WORTH_NONE)
		return STEP_STAYS;
	if (many == 1 && mine == 0)
		return STEP_ALONE;
	return g->from == m->from ? STEP_OWN : STEP_STAYS;
}

/* Is a to go rather than b? Of the same step. */
static bool
rather(const struct guest *a, enum caller_worth wa, const struct guest *b,
    enum caller_worth wb)
{
	const struct caller *va = a->from, *vb = b->from;
	unsigned ca = counts_for(va, va->crowd->open),
	    cb = counts_for(vb, vb->crowd->open),
	    oa = counts_for(va, va->open), ob = counts_for(vb, vb->open);

	if (ca != cb)
		return ca > cb;
	if (oa != ob)
		return oa > ob;
	return wa < wb;
}

/* host NULL: of any listener. NULL: all stay; of equal ones the oldest goes. */
static struct guest *
goes(struct callers *c, const struct comer *m, const void *host,
    struct mono now)
{
	enum step step, best_step = STEP_STAYS;
	enum caller_worth worth, best_worth = WORTH_LINK;
	struct guest *g, *best = NULL;

	TAILQ_FOREACH(g, &c->guests, link) {
		if (host != NULL && g->host != host)
			continue;
		worth = c->worth(g, now);
		step = step_of(g, worth, m);
		if (step > best_step || step == STEP_STAYS)
			continue;
		if (step < best_step || rather(g, worth, best, best_worth)) {
			best = g;
			best_step = step;
			best_worth = worth;
		}
	}
	return best;
}

/*
 * Of those of his address: silent ones first, then what is of no use. host
 * NULL: of any listener.
 */
static struct guest *
own_goes(struct callers *c, const struct caller *v, const void *host,
    struct mono now)
{
	enum caller_worth worth, least = WORTH_USEFUL;
	struct guest *g, *best = NULL;

	TAILQ_FOREACH(g, &c->guests, link) {
		if (g->from != v || (host != NULL && g->host != host))
			continue;
		worth = c->worth(g, now);
		if (worth < least) {
			least = worth;
			best = g;
		}
	}
	return best;
}

static unsigned
places_left(const struct callers *c, const void *host, bool *here_full)
{
	const struct guest *g;
	unsigned here = 0, left, all;

	TAILQ_FOREACH(g, &c->guests, link)
		here += g->host == host;
	left = CALLERS_LISTENER - MIN_OF(here, (unsigned)CALLERS_LISTENER);
	all = CALLERS_OPEN - MIN_OF(c->open, (unsigned)CALLERS_OPEN);
	*here_full = left <= all;
	return MIN_OF(left, all);
}

static struct comer
comer(struct callers *c, struct caller *v, const uint8_t addr[16],
    bool here_full)
{
	unsigned places = here_full ? CALLERS_LISTENER : CALLERS_OPEN;
	struct comer m = {.from = v};
	uint8_t key[16];

	whose_crowd(addr, key);
	m.crowd = crowd_find(c, key, false);
	if (v != NULL)
		m.has = v->free_of_share && v->open < CALLERS_LISTENER / 2 ?
		    0 : v->open;
	if (m.crowd != NULL)
		m.crowd_has = v != NULL && v->free_of_share ? m.has :
		    m.crowd->open;
	m.part = MAX_OF(places / (c->crowds_here + (m.crowd == NULL)),
	    (unsigned)CALLERS_SHARE_MIN);
	return m;
}

enum callers_say
callers_ask(struct callers *c, const struct sockaddr_storage *sa,
    const struct flap_rule *rule, const void *host, struct mono now,
    struct guest **out)
{
	uint8_t addr[16], key[16];
	struct caller *v;
	struct comer m;
	unsigned left;
	bool here_full;

	*out = NULL;
	address(sa, addr);
	whose_address(addr, key);
	v = find(c, key);
	if (v != NULL && rule->on && kept_out(v, now))
		return CALL_FLAPPING;
	left = places_left(c, host, &here_full);
	if (v != NULL && v->open >= CALLERS_SHARE && !v->free_of_share) {
		*out = own_goes(c, v, left == 0 && here_full ? host : NULL,
		    now);
		return *out != NULL ? CALL_TAKE : CALL_SHARE;
	}
	if (left > 0 && (v == NULL || v->free_of_share ||
	    v->open < MAX_OF(left, (unsigned)CALLERS_SHARE_MIN)))
		return CALL_TAKE;
	m = comer(c, v, addr, here_full);
	m.spare = left > 0;
	*out = goes(c, &m, here_full ? host : NULL, now);
	if (*out != NULL)
		return CALL_TAKE;
	return left > 0 ? CALL_SHARE : CALL_FULL;
}

void
callers_came(struct callers *c, struct guest *g,
    const struct sockaddr_storage *sa, const void *host, struct mono now)
{
	uint8_t addr[16], key[16];

	address(sa, addr);
	whose_address(addr, key);
	if ((g->from = find(c, key)) == NULL &&
	    (g->from = make(c, key)) == NULL)
		return;
	if (g->from->open == 0) {
		whose_crowd(addr, key);
		if ((g->from->crowd = crowd_find(c, key, true)) == NULL) {
			g->from = NULL;
			return;
		}
	}
	c->crowds_here += g->from->crowd->open++ == 0;
	memcpy(g->from->last_addr, addr, 16);
	g->from->open++;
	g->host = host;
	g->since = now;
	c->open++;
	TAILQ_INSERT_TAIL(&c->guests, g, link);
}

/* One more connection that ended soon. */
static void
flap(struct caller *v, const struct flap_rule *rule, struct mono now)
{
	int64_t calm = MAX_OF(rule->first_us > 0 ? v->pause_us * 2 :
	    rule->block_us, CALLERS_FORGET_S * (int64_t)MONO_SECOND);

	if (v->flaps > 0 && mono_sub(now, v->last) > calm)
		v->flaps = 0;
	v->flaps++;
	v->last = now;
	v->pause_us = 0;
	if (v->flaps <= rule->grace)
		return;
	v->pause_us = rule->first_us > 0 ? rule->first_us : rule->block_us;
	for (unsigned i = rule->grace + 1; i < v->flaps &&
	    v->pause_us < rule->block_us; i++)
		v->pause_us *= 2;
	v->pause_us = MIN_OF(v->pause_us, rule->block_us);
}

void
callers_went(struct callers *c, struct guest *g, const struct flap_rule *rule,
    struct mono now)
{
	struct caller *v = g->from;

	if (v == NULL)
		return;
	TAILQ_REMOVE(&c->guests, g, link);
	g->from = NULL;
	c->open--;
	v->open--;
	c->crowds_here -= --v->crowd->open == 0;
	/* behind a tunnel's end on this machine are many that are not one */
	if (rule->on && !v->free_of_share &&
	    mono_sub(now, g->since) < rule->threshold_us &&
	    !(rule->silent_only && c->worth(g, now) != WORTH_SILENT))
		flap(v, rule, now);
	if (v->open == 0 && v->flaps == 0)
		v->used = false;
}

bool
callers_blocked(const struct callers *c, struct mono now, unsigned *at,
    uint8_t addr[16])
{
	while (*at < CALLERS_MAX) {
		const struct caller *v = &c->v[(*at)++];

		if (!v->used || !kept_out(v, now))
			continue;
		memcpy(addr, v->last_addr, 16);
		return true;
	}
	return false;
}
