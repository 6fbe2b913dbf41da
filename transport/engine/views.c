/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/views.h"

#include <stdio.h>
#include <string.h>

#include "common/asksock.h"
#include "common/clock.h"
#include "common/jsonhex.h"
#include "transport/engine/bridge.h"
#include "transport/engine/door.h"
#include "transport/engine/engine.h"
#include "transport/engine/errand.h"
#include "transport/engine/holes.h"
#include "transport/engine/mail.h"
#include "transport/engine/manage.h"
#include "transport/engine/if_i2p.h"
#include "transport/engine/nif.h"
#include "transport/engine/reach.h"
#include "transport/engine/rpc.h"
#include "transport/engine/view_air.h"
#include "transport/engine/view_disc.h"
#include "transport/engine/view_explain.h"
#include "transport/engine/view_radio.h"

#define PATHS_A_LINE 64      /* well below CONTROL_LINE_MAX */
#define IFS_A_LINE 8
#define NODES_A_LINE 24
#define KNOWN_A_TURN 500
#define NEIGHBOURS_MAX 256   /* ours: shown of one node's neighbours */

static json_t *
num(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *
age(struct mono since)
{
	return json_integer(mono_sub(clock_mono(), since) / MONO_SECOND);
}

/* A name that is no valid UTF-8 would give NULL. */
static json_t *
text(const char *s)
{
	json_t *j = json_string(s);

	return j != NULL ? j : json_string("?");
}

/* ---- status ---- */

static json_t *
programs_json(const struct engine *e)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < PROGRAM_COUNT; i++) {
		const struct prog_state *p = &e->programs[i];

		if (!p->known)
			continue;
		(void)json_array_append_new(list, json_pack("{s:s, s:b, s:I, "
		    "s:I}", "name", program_name((enum program)i), "running",
		    p->running, "restarts", (json_int_t)p->restarts, "pid",
		    (json_int_t)p->pid));
	}
	return list;
}

/* Those that happened; the key is the text of the reason. */
static json_t *
drops_json(const struct engine *e)
{
	json_t *o = json_object();
	uint64_t n;

	for (int i = 0; i < RNS_DROP_COUNT; i++)
		if ((n = rns_drops(e->rns, (enum rns_drop)i)) > 0)
			(void)json_object_set_new(o,
			    rns_drop_text((enum rns_drop)i), num(n));
	return o;
}

/* By kind, how many packets had so many bits: 0, 1, ... up to the most. */
static json_t *
values_json(const struct engine *e)
{
	static const char *names[RNS_VALUE_KINDS] = {
	    [RNS_VALUE_ANNOUNCE_TAIL] = "announce_app_data",
	    [RNS_VALUE_ANNOUNCE_RANDOM] = "announce_random",
	    [RNS_VALUE_PATH_REQUEST] = "path_request",
	    [RNS_VALUE_LINK_REQUEST] = "link_request"};
	json_t *o = json_object(), *list;
	unsigned most;

	for (unsigned k = 0; k < RNS_VALUE_KINDS; k++) {
		most = RNS_VALUE_BITS;
		while (most > 0 && rns_values(e->rns, (enum rns_value_kind)k,
		    most - 1) == 0)
			most--;
		list = json_array();
		for (unsigned i = 0; i < most; i++)
			(void)json_array_append_new(list, num(rns_values(
			    e->rns, (enum rns_value_kind)k, i)));
		(void)json_object_set_new(o, names[k], list);
	}
	return o;
}

/* The same as drops for a socket of questions; NULL: there is none. */
static void
add_sock(json_t *o, const char *name, const struct asksock *s)
{
	json_t *counts = json_object();
	uint64_t n;

	for (int i = 0; s != NULL && i < ASKSOCK_COUNTS; i++)
		if ((n = asksock_count(s, (enum asksock_count)i)) > 0)
			(void)json_object_set_new(counts, asksock_count_name(
			    (enum asksock_count)i), num(n));
	(void)json_object_set_new(o, name, counts);
}

static void
add_manage(json_t *o, const struct engine *e)
{
	struct manage_counts c;

	manage_counts(e->manage, &c);
	(void)json_object_set_new(o, "management", json_pack("{s:I, s:I, s:I}",
	    "requests", (json_int_t)c.requests, "lost", (json_int_t)c.lost,
	    "blackholed", (json_int_t)holes_count(e->holes)));
}

static void
add_bridge(json_t *o, const struct bridge *b)
{
	struct bridge_counts c;

	bridge_counts(b, &c);
	(void)json_object_set_new(o, "node_links", num(c.links));
	(void)json_object_set_new(o, "node_bridge", json_pack("{s:o, s:o, "
	    "s:o, s:o, s:o, s:o, s:o, s:o}", "announces_spared",
	    num(c.announces_spared), "requests", num(c.requests), "requests_lost",
	    num(c.requests_lost), "replies", num(c.replies), "replies_lost",
	    num(c.replies_lost), "links_lost", num(c.links_lost),
	    "alarms", num(c.alarms), "alarms_lost", num(c.alarms_lost)));
}

/* What was asked of the klp.node of others, and how that ended. */
static void
add_errands(json_t *o, const struct engine *e)
{
	static const char *const names[] = {"answered", "no_path", "no_link",
	    "timeout", "too_large", "slow", "later", "failed"};
	struct errand_counts c;
	json_t *rows = json_object();

	errands_counts(e->errands, &c);
	(void)json_object_set_new(rows, "links", num(c.links));
	(void)json_object_set_new(rows, "waiting", num(c.waiting));
	(void)json_object_set_new(rows, "asked", num(c.asked));
	(void)json_object_set_new(rows, "heard", num(e->tidings.heard));
	(void)json_object_set_new(rows, "unheard", num(e->tidings.lost));
	for (unsigned i = 0; i < NELEM(names); i++)
		(void)json_object_set_new(rows, names[i], num(c.ended[i]));
	(void)json_object_set_new(o, "errands", rows);
}

/* lxmf.delivery, and the last look at the propagation node. */
static void
add_mailroom(json_t *o, const struct mailroom *r)
{
	static const char *const how[] = {"done", "unreached", "refused",
	    "malformed"};
	struct mailroom_counts c;
	json_t *m, *nodes;

	mailroom_counts(r, &c);
	m = json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "address",
	    json_hex(HASH_BYTES(c.address)), "looks", num(c.looks), "waiting",
	    num(c.post.waiting), "received", num(c.post.received), "delivered",
	    num(c.post.delivered), "stored", num(c.post.stored), "failed",
	    num(c.post.failed), "malformed", num(c.post.malformed),
	    "too_large", num(c.post.too_large));
	(void)json_object_set_new(m, "lost", num(c.lost));
	if (c.nnodes > 0)
		(void)json_object_set_new(m, "nodes", nodes = json_array());
	for (unsigned i = 0; i < c.nnodes; i++)
		(void)json_array_append_new(nodes,
		    json_hex(HASH_BYTES(c.nodes[i])));
	if (c.looks > 0) {
		(void)json_object_set_new(m, "look", text(how[c.look]));
		(void)json_object_set_new(m, "looked_s",
		    json_integer((json_int_t)c.looked_s));
	}
	(void)json_object_set_new(o, "lxmf", m);
}

static json_t *
counts_json(const struct engine *e)
{
	struct rns_counts c;
	json_t *o = json_object();

	rns_counts(e->rns, &c);
	const struct {
		const char *key;
		uint64_t n;
	} rows[] = {
		{"known", c.known}, {"paths", c.paths}, {"links", c.links},
		{"relayed_links", c.link_table}, {"reverse", c.reverse},
		{"destinations", c.destinations}, {"receipts", c.receipts},
		{"announces_waiting", c.announces_waiting}, {"held", c.held},
		{"signals", c.signals},
		{"rx_packets", c.rx_packets}, {"rx_bytes", c.rx_bytes},
		{"tx_packets", c.tx_packets}, {"tx_bytes", c.tx_bytes},
		{"relayed", c.relayed}, {"announces", c.announces},
		{"refused_commands", e->counts.submit_refused},
		{"lost_interface", e->counts.unknown_tx},
		{"refused_bindings", e->counts.bindings_refused},
		{"refused_rpc_keys", e->counts.rpc_keys_refused},
		{"rpc_requests", e->counts.rpc_requests},
	};
	for (size_t i = 0; i < NELEM(rows); i++)
		(void)json_object_set_new(o, rows[i].key, num(rows[i].n));
	return o;
}

static json_t *
status_next(struct view *v, bool *end)
{
	const struct engine *e = v->e;
	char instance[110] = "";
	unsigned up = 0, total = 0, programs = 0;
	const char *nobody = reach_nobody(e);
	const struct nif *n;
	json_t *o;

	TAILQ_FOREACH(n, &e->ifs, link) {
		if (!n->kind->local) {
			total++;
			up += n->online;
		} else if (n->kind->carries) {
			programs++;
		} else if (e->conf->shared_instance_type == RNSCONF_TCP) {
			(void)snprintf(instance, sizeof(instance), "tcp:%u",
			    e->conf->shared_instance_port);
		} else {
			(void)rnsconf_socket_name(e->conf, false, instance,
			    sizeof(instance));
		}
	}
	*end = true;
	o = json_pack("{s:s, s:o, s:b, s:b, s:o, s:i, s:i, s:i}", "instance",
	    instance, "uptime_s", age(e->started), "transport",
	    e->conf->enable_transport, "compute", e->bridge != NULL,
	    "identity", json_hex(HASH_BYTES(e->identity_hash)),
	    "interfaces", (int)total, "interfaces_up", (int)up,
	    "attached", (int)programs);
	if (e->bridge != NULL)
		(void)json_object_set_new(o, "realtime",
		    json_boolean(e->realtime.in));
	if (e->realtime.error != 0)
		(void)json_object_set_new(o, "no_realtime",
		    text(strerror(e->realtime.error)));
	if (nobody != NULL)
		(void)json_object_set_new(o, "reaches_nobody", text(nobody));
	(void)json_object_set_new(o, "programs", programs_json(e));
	(void)json_object_set_new(o, "counts", counts_json(e));
	(void)json_object_set_new(o, "drops", drops_json(e));
	(void)json_object_set_new(o, "stamp_values", values_json(e));
	add_sock(o, "mesh_sock", e->mesh_sock);
	add_sock(o, "metrics", e->metrics);
	add_sock(o, "rpc", e->rpc != NULL ? rpc_sock(e->rpc) : NULL);
	if (e->bridge != NULL)
		add_bridge(o, e->bridge);
	add_manage(o, e);
	add_errands(o, e);
	if (e->mailroom != NULL)
		add_mailroom(o, e->mailroom);
	return o;
}

/* ---- interfaces ---- */

static const char *
mode_name(enum rns_if_mode m)
{
	static const char *names[] = {"full", "full", "pointtopoint",
	    "access_point", "roaming", "boundary", "gateway", "internal"};

	return (unsigned)m < NELEM(names) ? names[m] : "full";
}

static void
add_own(json_t *o, const struct nif *n)
{
	struct nif_count own[NIF_COUNTS];
	unsigned k = n->kind->counts != NULL ? n->kind->counts(n, own) : 0;

	while (k-- > 0)
		(void)json_object_set_new(o, own[k].name, num(own[k].n));
}

/* How the last packet from there was received that it measured. */
static void
add_signal(json_t *o, const struct rns_signal *s)
{
	if ((s->has & RNS_SIGNAL_RSSI) != 0)
		(void)json_object_set_new(o, "rssi_dbm", json_integer(s->rssi));
	if ((s->has & RNS_SIGNAL_SNR) != 0)
		(void)json_object_set_new(o, "snr_db",
		    json_real((double)s->snr));
	if ((s->has & RNS_SIGNAL_Q) != 0)
		(void)json_object_set_new(o, "quality_percent",
		    json_real(nif_quality(s)));
}

/* What the core counts there, and what it holds back; drops by reason. */
static void
add_core(json_t *o, const struct nif *n)
{
	json_t *drops = json_object();
	struct rns_if_stats c;
	uint64_t k;

	nif_stats(n, &c);
	const struct {
		const char *key;
		uint64_t n;
	} rows[] = {
		{"announces_rx", c.announces_rx.packets},
		{"announces_tx", c.announces_tx.packets},
		{"path_requests_rx", c.path_requests_rx.packets},
		{"path_requests_tx", c.path_requests_tx.packets},
		{"announce_queue", c.announce_queue},
		{"held", c.held_announces}, {"bursts", c.bursts},
		{"path_request_bursts", c.pr_bursts},
		{"protocol_violations", c.protocol_violations},
		{"ifac_violations", c.ifac_violations},
		{"filter_hits", c.filter_hits},
		{"loss_permille", c.loss_permille},
	};
	for (size_t i = 0; i < NELEM(rows); i++)
		(void)json_object_set_new(o, rows[i].key, num(rows[i].n));
	for (int i = 0; n->id != 0 && i < RNS_DROP_COUNT; i++)
		if ((k = rns_if_drops(n->e->rns, n->id, (enum rns_drop)i)) > 0)
			(void)json_object_set_new(drops,
			    rns_drop_text((enum rns_drop)i), num(k));
	(void)json_object_set_new(o, "drops", drops);
	add_signal(o, &c.signal);
}

static json_t *
nif_json(const struct nif *n)
{
	struct fsock s;
	json_t *o;

	o = json_pack("{s:o, s:s, s:b, s:s, s:o, s:o, s:b, s:o}", "name",
	    text(n->name), "type", n->kind->name, "online", n->online,
	    "mode", mode_name(n->cfg.mode), "bitrate", num(n->cfg.bitrate),
	    "mtu", num(n->cfg.hw_mtu), "access_code", n->cfg.ifac_size > 0,
	    "since_s", age(n->since));
	if (n->conf != NULL)
		(void)json_object_set_new(o, "section", text(n->conf->name));
	if (n->error[0] != '\0')
		(void)json_object_set_new(o, "error", text(n->error));
	if (n->thrown > 0)
		(void)json_object_set_new(o, "thrown_out", num(n->thrown));
	if (n->given_up)
		(void)json_object_set_new(o, "given_up", json_true());
	add_own(o, n);
	add_core(o, n);
	view_air(o, n);
	view_radio(o, n);
	view_remark(o, n);
	nif_counts(n, &s);
	(void)json_object_set_new(o, "rx_bytes", num(s.rx_bytes));
	(void)json_object_set_new(o, "tx_bytes", num(s.tx_bytes));
	(void)json_object_set_new(o, "rx_packets", num(s.rx_frames));
	(void)json_object_set_new(o, "tx_packets", num(s.tx_frames));
	(void)json_object_set_new(o, "rx_drops", num(s.rx_drops));
	(void)json_object_set_new(o, "tx_drops", num(s.tx_drops));
	(void)json_object_set_new(o, "tx_drop_bytes", num(s.tx_drop_bytes));
	if (n->unfair > 0)
		(void)json_object_set_new(o, "tx_drops_fair", num(n->unfair));
	if (n->id == 0) {
		(void)json_object_set_new(o, "clients", num(n->clients));
		(void)json_object_set_new(o, "accepted", num(n->accepted));
		(void)json_object_set_new(o, "refused", num(n->refused));
		if (!n->kind->local) {
			door_json(n, o);
		} else {
			(void)json_object_set_new(o, "refused_share",
			    num(n->door.share));
			(void)json_object_set_new(o, "refused_full",
			    num(n->door.full));
			(void)json_object_set_new(o, "put_out",
			    num(n->door.put_out));
		}
		if (*i2p_address(n) != '\0')
			(void)json_object_set_new(o, "i2p_address",
			    text(i2p_address(n)));
		(void)json_object_set_new(o, "accept_pauses",
		    num(n->accept.refused));
		return o;
	}
	(void)json_object_set_new(o, "waiting", num(nif_waiting(n)));
	if (n->kind->local && n->uid != (uid_t)-1) {
		(void)json_object_set_new(o, "uid", num(n->uid));
		(void)json_object_set_new(o, "pid", num((uint64_t)n->pid));
	}
	return o;
}

/* Interfaces may go between two lines: go on behind the last number shown. */
static const struct nif *
nif_after(const struct engine *e, unsigned shown)
{
	const struct nif *n;
	unsigned i = 0;

	TAILQ_FOREACH(n, &e->ifs, link)
		if (i++ == shown)
			return n;
	return NULL;
}

static const char *
skipped(const struct rnsconf_if *i)
{
	if (i->mistake != NULL)
		return "off by a mistake";
	return i->on ? "no such type" : "off";
}

/* The first one, and all of them when there are more. */
static void
add_mistakes(json_t *o, const struct rnsconf_if *i)
{
	json_t *all = json_array();

	(void)json_object_set_new(o, "error", text(i->mistake));
	(void)json_array_append_new(all, text(i->mistake));
	for (unsigned k = 0; k < RNSCONF_ALSO && i->also[k] != NULL; k++)
		(void)json_array_append_new(all, text(i->also[k]));
	if (i->also[0] != NULL)
		(void)json_object_set(o, "errors", all);
	json_decref(all);
}

static void
add_skipped(json_t *list, const struct rnsconf *c)
{
	json_t *o;

	for (unsigned i = 0; i < c->nifs; i++) {
		if (c->ifs[i].enabled)
			continue;
		o = json_pack("{s:o, s:o, s:b, s:s}", "section",
		    text(c->ifs[i].name), "type", text(c->ifs[i].type_text),
		    "online", 0, "skipped", skipped(&c->ifs[i]));
		if (c->ifs[i].mistake != NULL)
			add_mistakes(o, &c->ifs[i]);
		(void)json_array_append_new(list, o);
	}
}

static json_t *
interfaces_next(struct view *v, bool *end)
{
	json_t *list = json_array();
	const struct nif *n;
	uint32_t shown = v->started ? get_u32(v->after.b) : 0;

	for (unsigned i = 0; i < IFS_A_LINE; i++) {
		if ((n = nif_after(v->e, shown)) == NULL)
			break;
		(void)json_array_append_new(list, nif_json(n));
		shown++;
	}
	put_u32(v->after.b, shown);
	v->started = true;
	*end = nif_after(v->e, shown) == NULL;
	if (*end)
		add_skipped(list, v->e->ifconf);
	return json_pack("{s:o}", "interfaces", list);
}

/* ---- paths, peers ---- */

static json_t *
if_name(const struct engine *e, unsigned ifid)
{
	const struct nif *n = nif_find(e, ifid);

	return n != NULL ? text(n->name) : json_null();
}

static json_t *
paths_next(struct view *v, bool *end)
{
	json_t *list = json_array();
	int64_t wall = clock_wall_us();
	struct rns_path p;

	*end = true;
	while (rns_path_next(v->e->rns, &v->after, !v->started, &p)) {
		if (json_array_size(list) >= PATHS_A_LINE) {
			*end = false;
			break;
		}
		v->after = p.dest;
		v->started = true;
		if (v->max_hops >= 0 && p.hops > v->max_hops)
			continue;
		(void)json_array_append_new(list, json_pack("{s:o, s:o, s:i, "
		    "s:o, s:I, s:I}", "destination",
		    json_hex(HASH_BYTES(p.dest)), "via",
		    json_hex(HASH_BYTES(p.next_hop)), "hops", p.hops,
		    "interface", if_name(v->e, p.ifid), "age_s",
		    (json_int_t)((wall - p.learned_us) / MONO_SECOND),
		    "expires_s",
		    (json_int_t)((p.expires_us - wall) / MONO_SECOND)));
	}
	return json_pack("{s:o}", "paths", list);
}

/*
 * Compute nodes as they announce themselves, for programs that came later: a
 * listing reads so many announces in one turn.
 */
static json_t *
nodes_next(struct view *v, bool *end)
{
	json_t *list = json_array();
	struct hash16 id, want;
	struct rns_known k;
	struct rns_path p;
	unsigned turn = 0;

	*end = true;
	while (rns_known_next(v->e->rns, &v->after, !v->started, &k)) {
		if (json_array_size(list) >= NODES_A_LINE ||
		    turn++ == KNOWN_A_TURN) {
			*end = false;
			break;
		}
		v->after = k.dest;
		v->started = true;
		rns_identity_hash_of(&id, k.public_key);
		if (rns_dest_hash(&want, "klp.node", &id) != RNS_OK ||
		    !hash16_eq(&want, &k.dest))
			continue;
		(void)json_array_append_new(list, json_pack("{s:o, s:o, s:o, "
		    "s:I, s:i}", "destination", json_hex(HASH_BYTES(k.dest)),
		    "public_key", json_hex(k.public_key, RNS_KEY), "app_data",
		    k.app_data != NULL ?
			json_hex(k.app_data, k.app_data_len) : json_null(),
		    "heard_us", (json_int_t)k.heard_us, "hops",
		    rns_path_get(v->e->rns, &k.dest, &p) ? (int)p.hops : -1));
	}
	return json_pack("{s:o}", "nodes", list);
}

struct neighbour {
	struct hash16 hash;
	unsigned ifid, paths;
	bool relay; /* something lies behind it */
};

/* false: there is no room for one more. */
static bool
count_neighbour(struct neighbour *list, size_t *n, const struct rns_path *p)
{
	size_t i;

	for (i = 0; i < *n; i++)
		if (list[i].ifid == p->ifid &&
		    hash16_eq(&list[i].hash, &p->next_hop))
			break;
	if (i == *n) {
		if (*n == NEIGHBOURS_MAX)
			return false;
		list[i].hash = p->next_hop;
		list[i].ifid = p->ifid;
		list[i].paths = 0;
		list[i].relay = false;
		(*n)++;
	}
	list[i].paths++;
	list[i].relay = list[i].relay ||
	    !hash16_eq(&p->next_hop, &p->dest);
	return true;
}

/*
 * Whom this node reaches without help: the next hops of its paths. A direct
 * destination is one; a relay is named by its transport identity.
 */
static json_t *
peers_next(struct view *v, bool *end)
{
	struct neighbour list[NEIGHBOURS_MAX];
	json_t *out = json_array();
	struct rns_path p;
	size_t n = 0, left_out = 0;
	bool first;

	EACH_PATH(v->e->rns, &p, first)
		left_out += !count_neighbour(list, &n, &p);
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(out, json_pack("{s:o, s:s, s:o, "
		    "s:i}", "hash", json_hex(HASH_BYTES(list[i].hash)), "kind",
		    list[i].relay ? "relay" : "destination", "interface",
		    if_name(v->e, list[i].ifid), "paths",
		    (int)list[i].paths));
	*end = true;
	return json_pack("{s:o, s:o}", "peers", out, "paths_left_out",
	    num(left_out));
}

bool
view_open(struct view *v, struct engine *e, const json_t *request)
{
	static const struct {
		const char *verb;
		json_t *(*next)(struct view *, bool *);
	} verbs[] = {
		{"status", status_next}, {"interfaces", interfaces_next},
		{"paths", paths_next}, {"peers", peers_next},
		{"nodes", nodes_next}, {"discovered", discovered_next},
		{"reload", reload_next}, {"explain", explain_next},
		{"reloaded", reloaded_next},
	};
	const char *verb = json_string_value(json_object_get(request, "verb"));
	const json_t *hops = json_object_get(request, "max_hops");
	json_int_t seq = json_integer_value(json_object_get(request, "seq"));

	*v = (struct view){.e = e, .max_hops = -1};
	if (json_is_integer(hops))
		v->max_hops = json_integer_value(hops);
	if (seq > 0 && seq <= UINT32_MAX)
		v->seq = (uint32_t)seq;
	for (size_t i = 0; verb != NULL && i < NELEM(verbs); i++) {
		if (strcmp(verb, verbs[i].verb) == 0) {
			if (verbs[i].next == explain_next &&
			    !explain_open(v, request))
				return false;
			v->next = verbs[i].next;
			return true;
		}
	}
	return false;
}
