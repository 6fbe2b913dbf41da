/* SPDX-License-Identifier: BSD-2-Clause */
/* Transport with interfaces in memory: its tables, as they are and as set. */
#include <stdlib.h>
#include <string.h>

#include "tests/interop/bridge/commands.h"
#include "tests/interop/bridge/mock.h"
#include "transport/core/base/announce.h"
#include "transport/core/base/packet.h"
#include "transport/core/route/relay.h"
#include "transport/core/send/waiting.h"
#include "transport/core/table/ingress.h"
#include "transport/core/table/path.h"
#include "transport/core/table/reverse.h"

/* The timer of a table; NULL: it is not armed. */
static struct timer *
timer_of(struct timer *t, const void *table)
{
	struct timer *found;

	if (t == NULL || t->arg == table)
		return t;
	found = timer_of(RB_LEFT(t, node), table);
	return found != NULL ? found : timer_of(RB_RIGHT(t, node), table);
}

/*
 * One pass of all that looks through a table: what is over by its own time
 * goes, whenever the next look was to be.
 */
void
cmd_behavioral_force_cull(struct call *c)
{
	struct mock *m = mock_of(c);
	struct rns *r = m->r;
	const void *tables[] = {r->paths, r->reverses, r->tunnels, r->waiting};
	struct timer *t;

	for (size_t i = 0; i < NELEM(tables); i++) {
		t = timer_of(RB_ROOT(&r->timers.tree), tables[i]);
		if (t != NULL && t->at.us > r->now.us)
			timer_set(r, t, r->now);
	}
	rns_tick(r, mock_now());
	mock_turn(m);
	put_bool(c, "culled", true);
}

static void
put_if_hash(struct call *c, const char *key, const struct iface *i)
{
	put_hex(c, key, HASH_BYTES(i->cfg.name_hash));
}

static void
put_if_name(struct call *c, const char *key, struct mock *m,
    const struct iface *i)
{
	const struct mock_if *f = mock_if_by(m, i);

	put_str(c, key, f != NULL ? f->name : NULL);
}

/* ---- paths ---- */

void
cmd_behavioral_read_path_table(struct call *c)
{
	struct mock *m = mock_of(c);
	struct hash16 dest = arg_hash(c, "dest");
	const struct path *p = path_find(m->r, &dest);
	json_t *blobs;
	struct rns_path out;

	put_bool(c, "found", p != NULL);
	if (p == NULL || !rns_path_get(m->r, &dest, &out))
		return;
	put_int(c, "hops", out.hops);
	put_hex(c, "next_hop", HASH_BYTES(out.next_hop));
	put_time(c, "timestamp", core_wall_of(m->r, p->stamp));
	put_time(c, "expires", out.expires_us);
	put(c, "random_blobs", blobs = json_array());
	for (size_t i = 0; i < out.blob_count; i++)
		(void)json_array_append_new(blobs, hex_json(out.blobs +
		    i * ANNOUNCE_BLOB, ANNOUNCE_BLOB));
	put_if_name(c, "receiving_interface", m, p->rx);
	put_if_hash(c, "receiving_interface_hash", p->rx);
	put_hex(c, "packet_hash", HASH_BYTES(out.packet_hash));
}

static struct path *
path_arg(struct call *c, struct mock *m)
{
	struct hash16 dest = arg_hash(c, "dest");

	return path_find(m->r, &dest);
}

void
cmd_behavioral_set_path_timestamp(struct call *c)
{
	struct mock *m = mock_of(c);
	struct path *p = path_arg(c, m);
	double at = arg_num_or(c, "timestamp", 0);

	if (p != NULL) {
		p->learned_us = (int64_t)(at * 1e6);
		/* those of an interface stand in the order of it */
		TAILQ_REMOVE(&p->rx->paths, p, age);
		TAILQ_INSERT_HEAD(&p->rx->paths, p, age);
		p->stamp = mono_of(m->r, at);
	}
	put_bool(c, "set", p != NULL);
}

void
cmd_behavioral_set_path_expires(struct call *c)
{
	struct path *p = path_arg(c, mock_of(c));
	double ms;

	if (p != NULL) {
		ms = arg_num_or(c, "expires", 0) * 1e3 -
		    (double)p->learned_us / 1e3;
		p->life_ms = ms > 0 ? (uint32_t)MIN_OF(ms, 4e9) : 0;
	}
	put_bool(c, "set", p != NULL);
}

void
cmd_behavioral_mark_path_unresponsive(struct call *c)
{
	struct path *p = path_arg(c, mock_of(c));

	if (p != NULL)
		p->state = PATH_UNRESPONSIVE;
	put_bool(c, "marked", p != NULL);
}

/* ---- announces that wait to be passed on ---- */

/* The newest one of that destination; NULL: none. */
static struct waiting *
waiting_of(const struct mock *m, const struct hash16 *dest)
{
	struct waiting *e, *newest = NULL;
	struct iface *i;

	TAILQ_FOREACH(i, &m->r->ifaces, entry)
		TAILQ_FOREACH(e, &i->waiting, age)
			if (hash16_eq(&e->dest, dest) &&
			    (newest == NULL || e->seq > newest->seq))
				newest = e;
	return newest;
}

void
cmd_behavioral_read_announce_table(struct call *c)
{
	struct mock *m = mock_of(c);
	struct hash16 dest = arg_hash(c, "dest");
	const struct waiting *e = waiting_of(m, &dest);
	struct rns_path path;

	put_bool(c, "found", e != NULL && rns_path_get(m->r, &dest, &path));
	if (e == NULL || !rns_path_get(m->r, &dest, &path))
		return;
	put_int(c, "retries", e->retries);
	put_int(c, "hops", e->hops);
	put_time(c, "timestamp", path.learned_us);
	put_time(c, "retransmit_timeout", core_wall_of(m->r,
	    waiting_at(m->r, e)));
	put_int(c, "local_rebroadcasts", e->heard);
	put_bool(c, "block_rebroadcasts", e->via != NULL);
	put_hex(c, "received_from", HASH_BYTES(path.next_hop));
	put_if(c, "attached_interface", m, e->via);
	put_hex(c, "packet_hash", HASH_BYTES(path.packet_hash));
}

void
cmd_behavioral_set_announce_timestamp(struct call *c)
{
	struct mock *m = mock_of(c);
	struct hash16 dest = arg_hash(c, "dest");
	struct waiting *e = waiting_of(m, &dest), was;
	struct path *p = path_find(m->r, &dest);
	struct mono at;

	put_bool(c, "set", e != NULL && p != NULL);
	if (e == NULL || p == NULL)
		return;
	if (has(c, "timestamp"))
		p->learned_us = (int64_t)(arg_num_or(c, "timestamp", 0) * 1e6);
	if (!has(c, "retransmit_timeout"))
		return;
	at = mono_of(m->r, arg_num_or(c, "retransmit_timeout", 0));
	was = *e;
	/* in its place, as if it were new; then as it was */
	if (was.via != NULL)
		waiting_answer(m->r, p, at, was.via);
	else
		waiting_relay(m->r, p, at, was.retries);
	if ((e = waiting_of(m, &dest)) != NULL)
		e->heard = was.heard;
}

void
cmd_behavioral_read_announce_rate(struct call *c)
{
	struct mock *m = mock_of(c);
	struct hash16 dest = arg_hash(c, "dest");
	struct rns_rate rate;
	json_t *times;
	bool found = rns_rate_next(m->r, &dest, true, &rate) &&
	    hash16_eq(&rate.dest, &dest);

	put_bool(c, "found", found);
	if (!found)
		return;
	put_time(c, "last", rate.last_us);
	put_int(c, "rate_violations", rate.violations);
	put_time(c, "blocked_until", rate.blocked_until_us);
	put(c, "timestamps", times = json_array());
	for (unsigned i = 0; i < rate.count; i++)
		(void)json_array_append_new(times,
		    json_real((double)rate.times_us[i] / 1e6));
}

/* ---- held ---- */

static void
hold(struct call *c, struct mock *m, struct iface *i, const char *hex)
{
	size_t n = hex != NULL ? strlen(hex) / 2 : 0;
	uint8_t *raw = call_alloc(c, n);
	struct announce a;
	struct packet p;

	if (hex == NULL || !hex_decode(raw, n, hex, strlen(hex)))
		fail(c, "ValueError: announces is no list of hexadecimal");
	must(c, packet_parse(&p, raw, n), "packet");
	must(c, announce_parse(&a, &p), "announce");
	held_put(m->r, i, p.dest, a.emitted, p.hops + 1, raw, n);
}

/* Those that are held, as a map of their hops as received. */
static void
held_list(const struct held *h, json_t *out)
{
	char hex[2 * RNS_HASH + 1];

	if (h == NULL)
		return;
	held_list(RB_LEFT(h, order), out);
	hex_encode(hex, HASH_BYTES(h->dest));
	(void)json_object_set_new(out, hex, json_integer(h->hops - 1));
	held_list(RB_RIGHT(h, order), out);
}

static void
json_end(void *v)
{
	json_decref(v);
}

/* The keys of `all`, less those of `but`. */
static void
put_keys(struct call *c, const char *key, const json_t *all,
    const json_t *but)
{
	json_t *list = json_array(), *v;
	const char *dest;

	put(c, key, list);
	json_object_foreach((json_t *)all, dest, v) {
		if (json_object_get(but, dest) == NULL)
			(void)json_array_append_new(list, json_string(dest));
	}
}

void
cmd_behavioral_hold_and_release_announce(struct call *c)
{
	struct mock *m = mock_of(c);
	struct iface *i = mock_iface(c, m, "iface_id");
	const json_t *list = json_object_get(c->params, "announces");
	json_t *before = json_object(), *after;

	put(c, "hops", before);
	for (size_t k = 0; k < json_array_size(list); k++)
		hold(c, m, i, json_string_value(json_array_get(list, k)));
	held_list(RB_ROOT(&i->held_order), before);
	i->release_at = m->r->now;
	timer_set(m->r, &i->ingress_job, m->r->now);
	rns_tick(m->r, mock_now());
	mock_turn(m);
	after = json_object();
	call_defer(c, json_end, after);
	held_list(RB_ROOT(&i->held_order), after);
	put_keys(c, "held_before", before, NULL);
	put_keys(c, "held_after", after, NULL);
	put_keys(c, "released", before, after);
}

/* ---- the way back of proofs ---- */

static bool
reverse_of(struct mock *m, const struct hash16 *key, struct reverse *e)
{
	struct iface *i;

	TAILQ_FOREACH(i, &m->r->ifaces, entry)
		for (uint32_t n = i->reverses.oldest; n != 0; n = e->newer) {
			*e = reverse_entry(m->r, n);
			if (hash16_eq(&e->hash, key))
				return true;
		}
	return false;
}

static void
put_reverse(struct call *c, struct mock *m, const struct reverse *e)
{
	put_if(c, "received_if", m, e->in);
	put_if(c, "outbound_if", m, e->out);
	put_if_hash(c, "received_if_hash", e->in);
	put_if_hash(c, "outbound_if_hash", e->out);
	put_if_name(c, "received_if_name", m, e->in);
	put_if_name(c, "outbound_if_name", m, e->out);
	put_time(c, "timestamp", core_wall_of(m->r, e->at));
}

static void
put_reverses(struct call *c, struct mock *m)
{
	json_t *entries = json_array(), *answer = c->result;
	struct reverse e;
	struct iface *i;

	put(c, "entries", entries);
	TAILQ_FOREACH(i, &m->r->ifaces, entry)
		for (uint32_t n = i->reverses.oldest; n != 0; n = e.newer) {
			e = reverse_entry(m->r, n);
			c->result = json_object();
			put_hex(c, "key", HASH_BYTES(e.hash));
			put_reverse(c, m, &e);
			(void)json_array_append_new(entries, c->result);
			c->result = answer;
		}
}

void
cmd_behavioral_read_reverse_table(struct call *c)
{
	struct mock *m = mock_of(c);
	const char *key = has(c, "key") ? "key" : "dest";
	struct reverse e;
	struct hash16 hash;
	bool found;

	if (!has(c, key)) {
		put_reverses(c, m);
		return;
	}
	hash = arg_hash(c, key);
	found = reverse_of(m, &hash, &e);
	put_bool(c, "found", found);
	if (found)
		put_reverse(c, m, &e);
}

void
cmd_behavioral_seed_reverse_table(struct call *c)
{
	struct mock *m = mock_of(c);
	struct hash16 key = arg_hash(c, "key");
	struct iface *in = mock_iface(c, m, "rcvd_iface_id");
	struct iface *out = mock_iface(c, m, "outb_iface_id");
	struct mono now = m->r->now;

	m->r->now = mono_add(now, -(int64_t)(arg_num_or(c, "timestamp_age_s",
	    0) * 1e6));
	reverse_add(m->r, &key, in, out);
	m->r->now = now;
	put_bool(c, "seeded", true);
	put_hex(c, "key", HASH_BYTES(key));
}

/* ---- links that are relayed ---- */

static struct rlink *
rlink_of(struct mock *m, const struct hash16 *id)
{
	struct rlink *e;
	struct iface *i;

	TAILQ_FOREACH(i, &m->r->ifaces, entry) {
		TAILQ_FOREACH(e, &i->young_links, age)
			if (id == NULL || hash16_eq(&e->id, id))
				return e;
		TAILQ_FOREACH(e, &i->proved_links, age)
			if (id == NULL || hash16_eq(&e->id, id))
				return e;
	}
	return NULL;
}

void
cmd_behavioral_read_link_table(struct call *c)
{
	struct mock *m = mock_of(c);
	bool named = has(c, "link_id");
	struct hash16 id = named ? arg_hash(c, "link_id") : (struct hash16){0};
	const struct rlink *e = rlink_of(m, named ? &id : NULL);
	const struct path *p;

	put_bool(c, "found", e != NULL);
	if (e == NULL)
		return;
	p = path_find(m->r, &e->dest);
	put_hex(c, "link_id", HASH_BYTES(e->id));
	put_time(c, "timestamp", core_wall_of(m->r, e->used));
	put(c, "next_hop_transport_id", p != NULL ?
	    hex_json(HASH_BYTES(p->next_hop)) : json_null());
	put_if(c, "next_hop_if", m, e->next);
	put_if_hash(c, "next_hop_if_hash", e->next);
	put_int(c, "remaining_hops", e->remaining);
	put_if(c, "received_if", m, e->received);
	put_if_hash(c, "received_if_hash", e->received);
	put_int(c, "hops", e->taken);
	put_hex(c, "destination_hash", HASH_BYTES(e->dest));
	put_bool(c, "validated", e->validated);
	put_time(c, "proof_timeout", core_wall_of(m->r, e->timer.at));
}

void
cmd_behavioral_seed_link_table(struct call *c)
{
	struct mock *m = mock_of(c);
	struct hash16 id = arg_hash(c, "dest");
	struct iface *next = mock_iface(c, m, "nh_iface_id");
	struct iface *from = mock_iface(c, m, "rcvd_iface_id");
	struct mono now = m->r->now, used, proof;
	struct rlink *e;

	used = mono_add(now, -(int64_t)(1e6 *
	    arg_num_or(c, "timestamp_age_s", 0)));
	proof = mono_add(now, (int64_t)(1e6 *
	    arg_num_or(c, "proof_timeout_in_s", 60)));
	if (rlink_of(m, &id) != NULL)
		fail(c, "ValueError: the link is there");
	if ((e = relay_put(m->r, &id, from, next)) == NULL)
		fail(c, "MemoryError");
	e->dest = id;
	e->remaining = (uint8_t)arg_int_or(c, "rem_hops", 0, UINT8_MAX, 1);
	e->taken = (uint8_t)arg_int_or(c, "hops", 0, UINT8_MAX, 1);
	e->used = used;
	if (arg_bool(c, "validated", false)) {
		TAILQ_REMOVE(&from->young_links, e, age);
		e->validated = true;
		TAILQ_INSERT_TAIL(&from->proved_links, e, age);
		m->r->counts.link_table_active++;
		proof = mono_add(used, LINK_TIMEOUT * MONO_SECOND);
	}
	timer_set(m->r, &e->timer, proof);
	put_bool(c, "seeded", true);
	put_hex(c, "dest", HASH_BYTES(id));
}

/* ---- tunnels ---- */

static int
paths_of(struct mock *m, const struct rns_tunnel *t)
{
	struct hash16 at = {0};
	struct rns_path p;
	int n = 0;

	while (rns_tunnel_path_next(m->r, &t->id, &at, n == 0, &p)) {
		at = p.dest;
		n++;
	}
	return n;
}

void
cmd_behavioral_read_tunnels(struct call *c)
{
	struct mock *m = mock_of(c);
	json_t *list = json_array(), *answer = c->result;
	struct rns_tunnel t = {.ifid = 0};
	const struct iface *i;
	const struct path *p;
	int n;

	put(c, "tunnels", list);
	for (bool first = true; rns_tunnel_next(m->r, &t.id, first, &t);
	    first = false) {
		i = t.up ? iface_find(m->r, t.ifid) : NULL;
		n = i == NULL ? paths_of(m, &t) : 0;
		if (i != NULL)
			TAILQ_FOREACH(p, &i->paths, age)
				n++;
		c->result = json_object();
		put_hex(c, "tunnel_id", HASH_BYTES(t.id));
		if (i != NULL)
			put_if_hash(c, "interface_hash", i);
		else
			put_null(c, "interface_hash");
		put_if(c, "interface_id", m, i);
		put_time(c, "expires", t.expires_us);
		put_int(c, "num_paths", n);
		(void)json_array_append_new(list, c->result);
		c->result = answer;
	}
}
