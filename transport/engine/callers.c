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
 * What one person has of IPv6 is a network of 64 bits; neighbours on a link
 * are told apart by the rest.
 */
static void
whose(const uint8_t addr[16], uint8_t out[16])
{
	bool whole = is_v4(addr) || is_loopback(addr) ||
	    (addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80);

	memset(out, 0, 16);
	memcpy(out, addr, whole ? 16 : 8);
}

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

void
callers_init(struct callers *c, bool (*heard)(const struct guest *))
{
	TAILQ_INIT(&c->guests);
	c->heard = heard;
}

static bool
kept_out(const struct caller *v, struct mono now)
{
	return v->pause_us > 0 && mono_sub(now, v->last) < v->pause_us;
}

/*
 * The oldest of those that never sent a packet: of one address, or of the
 * address that has the most of them. NULL: all of them have.
 */
static struct guest *
silent(struct callers *c, const struct caller *of, const void *host)
{
	struct guest *g, *best = NULL;

	TAILQ_FOREACH(g, &c->guests, link) {
		if ((of != NULL && g->from != of) ||
		    (host != NULL && g->host != host) || c->heard(g))
			continue;
		if (best == NULL || g->from->open > best->from->open)
			best = g;
	}
	return best;
}

enum callers_say
callers_ask(struct callers *c, const struct sockaddr_storage *sa,
    const struct flap_rule *rule, const void *host, struct mono now,
    struct guest **out)
{
	uint8_t addr[16], key[16];
	const struct guest *g;
	struct caller *v;
	unsigned here = 0;

	*out = NULL;
	address(sa, addr);
	whose(addr, key);
	v = find(c, key);
	if (v != NULL && rule->on && kept_out(v, now))
		return CALL_FLAPPING;
	if (v != NULL && v->open >= CALLERS_SHARE && !v->free_of_share) {
		*out = silent(c, v, NULL);
		return *out != NULL ? CALL_TAKE : CALL_SHARE;
	}
	TAILQ_FOREACH(g, &c->guests, link)
		here += g->host == host;
	if (here < CALLERS_LISTENER && c->open < CALLERS_OPEN)
		return CALL_TAKE;
	*out = silent(c, NULL, here < CALLERS_LISTENER ? NULL : host);
	return *out != NULL ? CALL_TAKE : CALL_FULL;
}

void
callers_came(struct callers *c, struct guest *g,
    const struct sockaddr_storage *sa, const void *host, struct mono now)
{
	uint8_t addr[16], key[16];

	address(sa, addr);
	whose(addr, key);
	if ((g->from = find(c, key)) == NULL &&
	    (g->from = make(c, key)) == NULL)
		return;
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
	/* behind a tunnel's end on this machine are many that are not one */
	if (rule->on && !v->free_of_share &&
	    mono_sub(now, g->since) < rule->threshold_us &&
	    !(rule->silent_only && c->heard(g)))
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
