/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/view_explain.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/jsonhex.h"
#include "transport/engine/engine.h"
#include "transport/engine/holes.h"
#include "transport/engine/nif.h"
#include "transport/engine/view_air.h"
#include "transport/engine/view_radio.h"
#include "transport/engine/views.h"

#define DIGITS_MIN 4
#define CANDIDATES_MAX 16 /* ours: shown of those that begin so */

/* ---- which one is meant ---- */

/* Digits as bytes, the odd one too; the rest is 0. false: no digits. */
static bool
digits(const char *s, struct hash16 *out, unsigned *n)
{
	static const char hex[] = "0123456789abcdef";
	const char *at;

	memset(out, 0, sizeof(*out));
	for (*n = 0; s[*n] != '\0'; (*n)++) {
		if ((at = strchr(hex, s[*n])) == NULL || *n == 64)
			return false;
		if (*n < 2 * RNS_HASH)
			out->b[*n / 2] |= (uint8_t)((at - hex) <<
			    (*n % 2 == 0 ? 4 : 0));
	}
	return *n >= DIGITS_MIN;
}

static bool
begins(const struct hash16 *h, const struct hash16 *with, unsigned n)
{
	for (unsigned i = 0; i < n && i < 2 * RNS_HASH; i++) {
		unsigned shift = i % 2 == 0 ? 4 : 0;

		if (((h->b[i / 2] ^ with->b[i / 2]) >> shift & 15) != 0)
			return false;
	}
	return true;
}

struct candidates {
	struct hash16 v[CANDIDATES_MAX];
	unsigned n;
};

/* false: there is no room for another. */
static bool
candidate(struct candidates *c, const struct hash16 *h)
{
	for (unsigned i = 0; i < c->n; i++)
		if (hash16_eq(&c->v[i], h))
			return true;
	if (c->n == CANDIDATES_MAX)
		return false;
	c->v[c->n++] = *h;
	return true;
}

/* Tables that are in order are walked from there; of drops all are few. */
static void
find(const struct engine *e, const struct hash16 *from, unsigned n,
    struct candidates *c)
{
	struct hash16 at = *from;
	struct rns_noted k;
	struct rns_known kn;
	struct rns_path p;
	unsigned i = 0;
	bool first;

	for (first = true; rns_path_next(e->rns, &at, first, &p) &&
	    begins(&p.dest, from, n) && candidate(c, &p.dest); first = false)
		at = p.dest;
	at = *from;
	for (first = true; rns_known_next(e->rns, &at, first, &kn) &&
	    begins(&kn.dest, from, n) && candidate(c, &kn.dest); first = false)
		at = kn.dest;
	while (rns_noted_next(e->rns, &i, &k))
		if (begins(&k.about, from, n) && !candidate(c, &k.about))
			return;
}

/* ---- what is known of it ---- */

static json_t *
if_name(const struct engine *e, unsigned ifid)
{
	const struct nif *n = nif_find(e, ifid);
	json_t *j = n != NULL ? json_string(n->name) : NULL;

	return j != NULL ? j : json_null();
}

static json_t *
ago(int64_t us)
{
	return json_integer((json_int_t)((clock_wall_us() - us) / 1000000));
}

static void
set(json_t *o, const char *key, json_t *v)
{
	(void)json_object_set_new(o, key, v);
}

static void
add_path(json_t *o, const struct engine *e, const struct hash16 *h,
    const struct rns_about *a)
{
	struct rns_path p;

	if (!rns_path_get(e->rns, h, &p))
		return;
	set(o, "path", json_pack("{s:o, s:i, s:o, s:o, s:o, s:b, s:b, s:s}",
	    "via", json_hex(HASH_BYTES(p.next_hop)), "hops", (int)p.hops,
	    "interface", if_name(e, p.ifid), "age_s", ago(p.learned_us),
	    "expires_s", json_integer((json_int_t)((p.expires_us -
	    clock_wall_us()) / 1000000)), "not_passed_on", a->path_blocked,
	    "no_announce_kept", a->path_bare, "state",
	    a->path_unresponsive ? "unresponsive" :
	    a->path_responsive ? "responsive" : "unknown"));
}

static void
add_rate(json_t *o, const struct engine *e, const struct hash16 *h)
{
	struct rns_rate k;
	int64_t left;

	if (!rns_rate_next(e->rns, h, true, &k) || !hash16_eq(&k.dest, h))
		return;
	left = (k.blocked_until_us - clock_wall_us()) / 1000000;
	set(o, "rate", json_pack("{s:o, s:I, s:I, s:i}", "last_s",
	    ago(k.last_us), "blocked_s", (json_int_t)MAX_OF(left, 0),
	    "violations", (json_int_t)k.violations, "times", (int)k.count));
}

/* Of the identity itself, or of that of a destination. */
static void
add_hole(json_t *o, const struct engine *e, const struct hash16 *h,
    const struct rns_about *a)
{
	struct hash16 source;
	const char *reason;
	int64_t until_us;
	json_t *hole;
	size_t len;

	if (!holes_get(e->holes, h, &source, &until_us, &reason, &len) &&
	    (!a->known || !holes_get(e->holes, &a->identity, &source,
	    &until_us, &reason, &len))) {
		if (rns_blackholed(e->rns, h) || a->identity_blackholed)
			set(o, "blackholed", json_pack("{s:s}", "by",
			    "a list that this node believes (warren trust)"));
		return;
	}
	hole = json_pack("{s:o}", "by", hash16_eq(&source, &engine_zero) ?
	    json_string("this node") : json_hex(HASH_BYTES(source)));
	if (until_us != 0)
		set(hole, "left_s", json_integer((json_int_t)((until_us -
		    clock_wall_us()) / 1000000)));
	if (reason != NULL && len > 0)
		set(hole, "reason", json_stringn(reason, len));
	set(o, "blackholed", hole);
}

static void
add_links(json_t *o, const struct engine *e, const struct hash16 *h,
    const struct rns_about *a)
{
	static const char *const states[] = {"pending", "handshake", "active",
	    "stale", "closed"};
	struct rns_link_info l;

	if (a->relayed_link)
		set(o, "relayed_link", json_pack("{s:o, s:b, s:o, s:o, s:i, "
		    "s:i, s:o}", "destination",
		    json_hex(HASH_BYTES(a->link_dest)), "proved",
		    a->link_proved, "from", if_name(e, a->link_from_ifid),
		    "to", if_name(e, a->link_to_ifid), "hops_taken",
		    (int)a->link_hops_taken, "hops_left",
		    (int)a->link_hops_left, "used_s", ago(a->link_used_us)));
	if (rns_link_get(e->rns, h, &l))
		set(o, "link", json_pack("{s:o, s:s, s:b, s:I, s:I, s:o}",
		    "destination",
		    json_hex(HASH_BYTES(l.dest)), "state",
		    (unsigned)l.status < NELEM(states) ? states[l.status] :
		    "unknown", "initiator", l.initiator, "rtt_ms",
		    (json_int_t)(l.rtt_us / 1000), "loss_permille",
		    (json_int_t)l.loss_permille, "interface",
		    if_name(e, l.ifid)));
	if (a->reverse)
		set(o, "proof_back_to", if_name(e, a->reverse_ifid));
}

static void
add_held(json_t *o, const struct engine *e, const struct rns_about *a)
{
	const struct nif *n = nif_find(e, a->held_ifid);
	int64_t left = (a->held_until_us - clock_wall_us()) / 1000000;

	if (!a->held)
		return;
	set(o, "held", json_pack("{s:o, s:I, s:f}", "interface",
	    if_name(e, a->held_ifid), "left_s", (json_int_t)MAX_OF(left, 0),
	    "release_s", n != NULL && n->cfg.ingress.set ?
	    n->cfg.ingress.release_s : RNS_INGRESS_DEFAULT.release_s));
}

static void
add_waits(json_t *o, const struct rns_about *a)
{
	int64_t now = clock_wall_us();

	if (a->waiting > 0)
		set(o, "announces_waiting", json_pack("{s:I, s:I}", "count",
		    (json_int_t)a->waiting, "first_ms",
		    (json_int_t)MAX_OF(0, (a->waiting_until_us - now) /
		    1000)));
	if (a->queued > 0)
		set(o, "announces_queued", json_integer(a->queued));
	if (a->asked_us > 0)
		set(o, "asked_for_s", ago(a->asked_us));
	if (a->searched)
		set(o, "searched", json_pack("{s:I, s:I}", "left_s",
		    (json_int_t)((a->search_until_us - now) / 1000000),
		    "waiting", (json_int_t)a->askers));
}

/* What lies behind it, when it is a relay. */
static void
add_via(json_t *o, const struct engine *e, const struct hash16 *h)
{
	struct rns_path p;
	json_int_t n = 0;
	bool first;

	EACH_PATH(e->rns, &p, first)
		n += hash16_eq(&p.next_hop, h) && !hash16_eq(&p.dest, h);
	if (n > 0)
		set(o, "paths_through", json_integer(n));
}

static void
add_tunnel(json_t *o, const struct engine *e, const struct hash16 *h)
{
	struct rns_tunnel t;
	struct id32 at = {0};
	bool first = true;

	for (; rns_tunnel_next(e->rns, &at, first, &t); first = false) {
		at = t.id;
		if (memcmp(t.id.b, h->b, RNS_HASH) == 0)
			set(o, "tunnel", json_pack("{s:b, s:o, s:o}", "up",
			    t.up, "interface", if_name(e, t.ifid),
			    "expires_s", json_integer((json_int_t)((
			    t.expires_us - clock_wall_us()) / 1000000))));
	}
}

/* Interfaces are called by the hash of their name in other programs. */
static void
add_interface(json_t *o, const struct engine *e, const struct hash16 *h)
{
	const struct nif *n;
	struct id32 id;
	json_t *i;

	TAILQ_FOREACH(n, &e->ifs, link) {
		rns_sha256(&id, n->name, strlen(n->name));
		if (memcmp(id.b, h->b, RNS_HASH) != 0)
			continue;
		i = json_pack("{s:s, s:b, s:s}", "name", n->name, "online",
		    n->online, "error", n->error);
		if (i != NULL)
			view_remark(i, n);
		set(o, "interface", i);
	}
}

static const char *const reason_names[RNS_DROP_COUNT] = {
#define RNS_DROP_NAME(name, text) [RNS_DROP_##name] = #name,
	RNS_DROP_LIST(RNS_DROP_NAME)
#undef RNS_DROP_NAME
};

static void
add_drops(json_t *o, const struct engine *e, const struct hash16 *h)
{
	json_t *list = json_array(), *d;
	struct rns_noted k;
	unsigned at = 0;

	while (rns_noted_next(e->rns, &at, &k)) {
		if (!hash16_eq(&k.about, h) && !hash16_eq(&k.packet, h))
			continue;
		d = json_pack("{s:s, s:s, s:o, s:o, s:o, s:I, s:o}", "reason",
		    reason_names[k.why], "text", rns_drop_text(k.why),
		    "about", json_hex(HASH_BYTES(k.about)), "interface",
		    if_name(e, k.ifid), "last_s", ago(k.last_us), "times",
		    (json_int_t)k.times, "first_s", ago(k.first_us));
		if (d != NULL && !hash16_eq(&k.packet, &engine_zero))
			set(d, "packet", json_hex(HASH_BYTES(k.packet)));
		(void)json_array_append_new(list, d);
	}
	set(o, "drops", list);
}

static json_t *
all_of(const struct engine *e, const struct hash16 *h)
{
	json_t *o = json_pack("{s:o}", "hash", json_hex(HASH_BYTES(*h)));
	struct rns_about a;

	rns_about(e->rns, h, &a);
	if (hash16_eq(h, &e->identity_hash))
		set(o, "this_node", json_true());
	if (a.own)
		set(o, "own_destination", json_true());
	if (a.known)
		set(o, "identity", json_hex(HASH_BYTES(a.identity)));
	add_path(o, e, h, &a);
	add_rate(o, e, h);
	add_hole(o, e, h, &a);
	add_held(o, e, &a);
	add_waits(o, &a);
	view_air_about(o, e, h);
	add_links(o, e, h, &a);
	add_via(o, e, h);
	add_tunnel(o, e, h);
	add_interface(o, e, h);
	add_drops(o, e, h);
	return o;
}

json_t *
explain_next(struct view *v, bool *end)
{
	struct candidates c = {.n = 0};
	json_t *list;

	*end = true;
	if (v->digits < 2 * RNS_HASH)
		find(v->e, &v->after, v->digits, &c);
	if (c.n == 1)
		return all_of(v->e, &c.v[0]);
	if (v->digits >= 2 * RNS_HASH)
		return all_of(v->e, &v->after);
	list = json_array();
	for (unsigned i = 0; i < c.n; i++)
		(void)json_array_append_new(list, json_hex(
		    HASH_BYTES(c.v[i])));
	return json_pack("{s:o}", "candidates", list);
}

bool
explain_open(struct view *v, const json_t *request)
{
	const char *id = json_string_value(json_object_get(request, "id"));

	return id != NULL && digits(id, &v->after, &v->digits);
}
