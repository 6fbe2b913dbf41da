/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/config/nodeconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/config/profile.h"
#include "common/layers.h"
#include "common/util.h"
#include "common/weburl.h"

#define SECOND 1000ull
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define GROUP_NAME_MAX 64
#define MIB (1ull << 20)
#define GRAPH_GRACE (7 * DAY) /* klp.md 1.8 */
#define LIST_GRACE DAY
#define SIZE_TOP (1ull << 50) /* ours: a petabyte is a typing error */

/* ---- which key stands where ---- */

static const char *const top_keys[] = {"mesh_identity", "auth_required",
    "trust_graph", "data_limit_per_minute", "accept_computation_requests",
    "name", "revocation_list", "trust", "limits", "quotas", "levels",
    "require_layers", "profile", "neighbour_limit_per_minute", "max_airtime",
    "announce_every", "hub", "metrics", "metrics_group", "keep_results",
    "compute_when", "klp"};
static const char *const trust_keys[] = {"floor", "anchors", "pins", "boards",
    "anchors_from", "require_live_secp", "on_stale", "grace"};
static const char *const limit_keys[] = {
    "jobs_running", "memory", "cpu", "time", "output", "spool"};
static const char *const quota_keys[] = {"jobs_queued", "jobs_per_hour",
    "cpu_seconds_per_day", "spool", "requests_per_minute"};

static const char *const klp_keys[] = {"gateways", "private_hosts", "ca",
    "refresh"};

static const struct place {
	const char *name; /* NULL: at the top */
	const char *const *keys;
	size_t n;
} places[] = {{NULL, top_keys, NELEM(top_keys)},
    {"trust", trust_keys, NELEM(trust_keys)},
    {"limits", limit_keys, NELEM(limit_keys)},
    {"quotas", quota_keys, NELEM(quota_keys)},
    {"klp", klp_keys, NELEM(klp_keys)}};
enum { AT_TOP, IN_TRUST, IN_LIMITS, IN_QUOTAS, IN_KLP };

/* Keys that are none here; one that is somewhere else is told so. */
static void
known_at(const struct ynode *map, unsigned at, struct mistakes *m)
{
	for (const struct ynode *c = map->first; c != NULL; c = c->next) {
		const struct place *p = NULL;
		char hint[80];

		if (ynode_key_in(c, places[at].keys, places[at].n))
			continue;
		for (size_t i = 0; p == NULL && i < NELEM(places); i++)
			if (ynode_key_in(c, places[i].keys, places[i].n))
				p = &places[i];
		if (p == NULL) {
			ynode_unknown(c, places[at].keys, places[at].n, m);
			continue;
		}
		if (p->name != NULL)
			(void)snprintf(hint, sizeof(hint), "it belongs below "
			    "\"%s:\", indented", p->name);
		else
			(void)snprintf(hint, sizeof(hint), "it belongs beside "
			    "\"%s:\", not below it", places[at].name);
		mistake_add(m, c->key_line, c->key_column, hint,
		    "\"%s\" stands in the wrong place", c->key);
	}
}

/* Reads one key if it is there. */
#define WITH(map, key, n)                                                      \
	for (const struct ynode *n = ynode_get(map, key); n != NULL; n = NULL)

static void
read_int(const struct ynode *map, const char *key, const char *what,
    int64_t min, int64_t max, uint32_t *out, struct mistakes *m)
{
	int64_t v;

	WITH(map, key, n)
		if (ynode_int(n, what, min, max, &v, m))
			*out = (uint32_t)v;
}

static void
read_size(const struct ynode *map, const char *key, const char *what,
    uint64_t min, uint64_t *out, struct mistakes *m)
{
	WITH(map, key, n)
		(void)ynode_size(n, what, min, SIZE_TOP, out, m);
}

static void
read_time(const struct ynode *map, const char *key, const char *what,
    uint64_t min, uint64_t max, uint64_t *out, struct mistakes *m)
{
	WITH(map, key, n)
		(void)ynode_time_ms(n, what, min, max, out, m);
}

#define URI_CHARS                                                              \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~-"

/* klp.md 1.1: an authority and a path; the parts are checked where used. */
static bool
klp_uri_ok(const char *s)
{
	size_t n;

	if (strncmp(s, "klp://", 6) != 0)
		return false;
	s += 6;
	n = strspn(s, URI_CHARS);
	if (n == 0 || n > 253 || s[n] != '/' || s[n + 1] == '\0')
		return false;
	return strspn(s, URI_CHARS "/?#=") == strlen(s);
}

static void
read_uri(const struct ynode *map, const char *key, const char **out,
    struct mistakes *m)
{
	const char *s;

	WITH(map, key, n) {
		if (ynode_null(n) || !ynode_text(n, key, 1, 512, &s, m))
			continue;
		if (klp_uri_ok(s))
			*out = s;
		else
			mistake_add(m, n->line, n->column,
			    "as in klp://trust.kos/mesh-overlay.json",
			    "%s \"%.80s\" is no klp:// address", key, s);
	}
}

/* What is wrong with a key that is none. */
static const char *
identity_hint(const char *s)
{
	if (strspn(s, "0123456789abcdefABCDEF") == 66 && s[66] == '\0')
		return "with pubkey:ecc-secp256k1: before it";
	if (strstr(s, "pubkey:") != NULL && strncmp(s, "pubkey:", 7) != 0)
		return "from \"pubkey:\" on, and no more";
	return "pubkey:ecc-secp256k1: and 66 hex digits; `warren identity "
	       "show --config DIR` prints it";
}

static void
read_identity(struct node_config *c, const struct ynode *map,
    struct mistakes *m)
{
	const char *s;

	WITH(map, "mesh_identity", n) {
		if (ynode_null(n) ||
		    !ynode_text(n, "mesh_identity", 1, 200, &s, m))
			continue;
		if (!key_parse(&c->identity, s, n->len)) {
			mistake_add(m, n->line, n->column, identity_hint(s),
			    "mesh_identity \"%.80s\" is no public key", s);
		} else if (c->identity.kind != KEY_SECP256K1) {
			mistake_add(m, n->line, n->column, identity_hint(""),
			    "mesh_identity must be a secp256k1 key");
		} else {
			c->has_identity = true;
		}
	}
}

static void
read_seed(struct node_config *c, const struct ynode *r, struct mistakes *m)
{
	read_identity(c, r, m);
	WITH(r, "auth_required", n)
		(void)ynode_bool(n, "auth_required", &c->auth_required, m);
	read_uri(r, "trust_graph", &c->trust_graph, m);
	read_size(r, "data_limit_per_minute", "data_limit_per_minute", 1024,
	    &c->data_limit_per_minute, m);
	WITH(r, "accept_computation_requests", n)
		(void)ynode_bool(n, "accept_computation_requests", &c->accept,
		    m);
}

/* An id: URN, kid:, did:key, key text; in a pin also 32 hex digits. */
static bool
read_id(const struct ynode *entry, bool rns, struct fp *id, bool *is_rns,
    struct mistakes *m)
{
	const struct ynode *n = ynode_get(entry, "id");
	const char *s;

	if (n == NULL) {
		mistake_add(m, entry->line, entry->column,
		    "as in {id: \"urn:klp:...\", ...}", "an entry needs an id");
		return false;
	}
	if (!ynode_text(n, "id", 1, 200, &s, m))
		return false;
	*is_rns = rns && hex_decode(id->b, RNS_HASH_LEN, s, n->len);
	if (*is_rns || ident_parse(id, s, n->len))
		return true;
	mistake_add(m, n->line, n->column, strncmp(s, "urn:klp:", 8) == 0 ?
	    "whole, with 64 hex digits at the end: their `warren identity "
	    "show` prints it" : rns ?
	    "a urn:klp:, a key, or a Reticulum identity hash" :
	    "a urn:klp: or a key",
	    "id \"%.80s\" names nobody", s);
	return false;
}

static void
read_pin(struct node_config *c, const struct ynode *e, struct mistakes *m)
{
	static const char *const known[] = {"id", "level", "ignore_revocation"};
	struct level_pin *p = &c->pins[c->npins];
	const struct ynode *level = ynode_get(e, "level");
	int64_t v = 0;

	if (!ynode_is_map(e, "a pin", m))
		return;
	(void)ynode_known(e, known, NELEM(known), m);
	if (!read_id(e, true, &p->id, &p->is_rns, m))
		return;
	if (level == NULL) {
		mistake_add(m, e->line, e->column, "from -3 to 3: 1 may run "
		    "small jobs, below 0 none", "a pin needs a level");
		return;
	}
	if (!ynode_int(level, "level", LEVEL_MIN, LEVEL_MAX, &v, m))
		return;
	p->level = (int8_t)v;
	WITH(e, "ignore_revocation", n)
		(void)ynode_bool(n, "ignore_revocation", &p->ignore_revocation,
		    m);
	c->npins++;
}

static uint32_t
read_scopes(const struct ynode *list, struct mistakes *m)
{
	uint32_t scopes = 0;

	if (!ynode_is_list(list, "scopes", m))
		return 0;
	for (const struct ynode *n = list->first; n != NULL; n = n->next) {
		const char *s;
		int scope;

		if (!ynode_text(n, "a scope", 1, 40, &s, m))
			continue;
		scope = scope_parse(s, n->len);
		if (scope < 0)
			mistake_add(m, n->line, n->column,
			    "job.submit, job.result, job.review, ... or \"*\"",
			    "unknown scope \"%s\"", s);
		else
			scopes |= 1u << scope;
	}
	return scopes;
}

static void
read_anchor(struct node_config *c, const struct ynode *e, struct mistakes *m)
{
	static const char *const known[] = {"id", "max_level", "scopes"};
	struct level_anchor *a = &c->anchors[c->nanchors];
	int64_t v = LEVEL_MAX;
	bool rns;

	if (!ynode_is_map(e, "an anchor", m))
		return;
	(void)ynode_known(e, known, NELEM(known), m);
	if (!read_id(e, false, &a->fp, &rns, m))
		return;
	WITH(e, "max_level", n)
		if (!ynode_int(n, "max_level", 0, LEVEL_MAX, &v, m))
			return;
	a->max_level = (int8_t)v;
	a->scopes = 1u << SCOPE_ALL;
	WITH(e, "scopes", n)
		a->scopes = read_scopes(n, m);
	c->nanchors++;
}

static void
read_boards(struct node_config *c, const struct ynode *map, struct mistakes *m)
{
	static const char *const known[] = {"authority", "role"};

	if (ynode_null(map) || !ynode_is_map(map, "trust.boards", m))
		return;
	for (const struct ynode *e = map->first; e != NULL; e = e->next) {
		struct node_board *b = &c->boards[c->nboards];
		const struct ynode *a = ynode_get(e, "authority");
		const struct ynode *r = ynode_get(e, "role");

		if (!ynode_is_map(e, "a board", m))
			continue;
		(void)ynode_known(e, known, NELEM(known), m);
		if (a == NULL || r == NULL || c->nboards == NODE_BOARDS_MAX) {
			mistake_add(m, e->key_line, e->key_column,
			    "{authority: trust.kos, role: core-board}",
			    c->nboards == NODE_BOARDS_MAX
				? "too many boards"
				: "a board needs authority and role");
			continue;
		}
		b->text = e->key;
		if (ynode_text(a, "authority", 1, 253, &b->authority, m) &&
		    ynode_text(r, "role", 1, 64, &b->role, m))
			c->nboards++;
	}
}

static void
read_list(struct node_config *c, const struct ynode *list, const char *what,
    unsigned max, void (*read)(struct node_config *, const struct ynode *,
			  struct mistakes *),
    struct mistakes *m)
{
	if (ynode_null(list) || !ynode_is_list(list, what, m))
		return;
	if (list->count > max) {
		mistake_add(m, list->line, list->column, NULL,
		    "%s has more than %u entries", what, max);
		return;
	}
	for (const struct ynode *e = list->first; e != NULL; e = e->next)
		read(c, e, m);
}

static void
read_anchor_source(struct node_config *c, const struct ynode *e,
    struct mistakes *m)
{
	if (ynode_text(e, "an authority", 1, 253,
		&c->anchors_from[c->nanchors_from], m))
		c->nanchors_from++;
}

static bool
room_for_ids(struct node_config *c, const struct ynode *trust,
    struct mistakes *m)
{
	const struct ynode *p = ynode_get(trust, "pins");
	const struct ynode *a = ynode_get(trust, "anchors");

	c->pins = calloc(p != NULL ? p->count + 1 : 1, sizeof(*c->pins));
	c->anchors = calloc(a != NULL ? a->count + 1 : 1, sizeof(*c->anchors));
	if (c->pins != NULL && c->anchors != NULL)
		return true;
	mistake_add(m, 0, 0, NULL, "out of memory");
	return false;
}

static void
read_trust(struct node_config *c, const struct ynode *t, struct mistakes *m)
{
	static const char *const live[] = {[LIVE_ABOVE_2] = "above_2",
	    [LIVE_ALWAYS] = "always", [LIVE_NEVER] = "never"};
	static const char *const stale[] = {[STALE_REFUSE_NEW] = "refuse_new",
	    [STALE_WARN] = "warn", [STALE_REFUSE_ALL] = "refuse_all"};
	static const char *const graces[] = {"graph", "list"};
	int64_t v;
	unsigned w;

	if (!ynode_is_map(t, "trust", m) || !room_for_ids(c, t, m))
		return;
	known_at(t, IN_TRUST, m);
	WITH(t, "floor", n)
		if (ynode_int(n, "trust.floor", LEVEL_MIN, LEVEL_MAX, &v, m))
			c->floor = (int)v;
	WITH(t, "anchors", n)
		read_list(c, n, "trust.anchors", LEVEL_ANCHORS_MAX, read_anchor,
		    m);
	WITH(t, "pins", n)
		read_list(c, n, "trust.pins", LEVEL_PINS_MAX, read_pin, m);
	WITH(t, "boards", n)
		read_boards(c, n, m);
	WITH(t, "anchors_from", n)
		read_list(c, n, "trust.anchors_from", NODE_ANCHORS_FROM_MAX,
		    read_anchor_source, m);
	WITH(t, "require_live_secp", n)
		if (ynode_word(n, "trust.require_live_secp", live, NELEM(live),
			&w, m))
			c->require_live_secp = (enum live_secp)w;
	WITH(t, "on_stale", n)
		if (ynode_word(n, "trust.on_stale", stale, NELEM(stale), &w, m))
			c->on_stale = (enum on_stale)w;
	WITH(t, "grace", n) {
		if (!ynode_is_map(n, "trust.grace", m))
			continue;
		(void)ynode_known(n, graces, NELEM(graces), m);
		read_time(n, "graph", "trust.grace.graph", 0, 366 * DAY,
		    &c->grace_graph_ms, m);
		read_time(n, "list", "trust.grace.list", 0, 366 * DAY,
		    &c->grace_list_ms, m);
	}
}

static void
read_gateway(struct node_config *c, const struct ynode *e, struct mistakes *m)
{
	const char *s, *why;
	struct weburl u;

	if (!ynode_text(e, "a gateway", 1, WEBURL_MAX / 2, &s, m))
		return;
	if ((why = weburl_base(&u, s)) == NULL)
		c->gateways[c->ngateways++] = s;
	else
		mistake_add(m, e->line, e->column,
		    "as in https://gw.example.net/klp",
		    "gateway \"%.80s\": %s", s, why);
}

static void
read_private_host(struct node_config *c, const struct ynode *e,
    struct mistakes *m)
{
	const char *s, *why;
	struct weburl u;

	if (!ynode_text(e, "a host", 1, WEBURL_HOST_MAX, &s, m))
		return;
	why = weburl_host(&u, s, strlen(s));
	if (why == NULL && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") > 0)
		why = "in lower case";
	if (why == NULL)
		c->private_hosts[c->nprivate_hosts++] = s;
	else
		mistake_add(m, e->line, e->column,
		    "the host alone, as it stands in the gateway's address",
		    "private host \"%.80s\": %s", s, why);
}

static void
read_klp(struct node_config *c, const struct ynode *k, struct mistakes *m)
{
	if (ynode_null(k) || !ynode_is_map(k, "klp", m))
		return;
	known_at(k, IN_KLP, m);
	WITH(k, "gateways", n)
		read_list(c, n, "klp.gateways", NODE_GATEWAYS_MAX,
		    read_gateway, m);
	WITH(k, "private_hosts", n)
		read_list(c, n, "klp.private_hosts", NODE_PRIVATE_HOSTS_MAX,
		    read_private_host, m);
	WITH(k, "ca", n)
		if (!ynode_null(n))
			(void)ynode_text(n, "klp.ca", 1, 1024, &c->ca, m);
	read_time(k, "refresh", "klp.refresh", MINUTE, DAY, &c->refresh_ms,
	    m);
}

static void
read_limits(struct node_config *c, const struct ynode *l, struct mistakes *m)
{
	if (!ynode_is_map(l, "limits", m))
		return;
	known_at(l, IN_LIMITS, m);
	read_int(l, "jobs_running", "limits.jobs_running", 1, NODE_JOBS_MAX,
	    &c->jobs_running, m);
	read_size(l, "memory", "limits.memory", 16 * MIB, &c->memory, m);
	WITH(l, "cpu", n)
		(void)ynode_cpu_milli(n, "limits.cpu", &c->cpu_milli, m);
	read_time(l, "time", "limits.time", SECOND, 366 * DAY, &c->time_ms, m);
	read_size(l, "output", "limits.output", 1024, &c->output, m);
	read_size(l, "spool", "limits.spool", MIB, &c->spool, m);
}

static void
read_quotas(struct node_config *c, const struct ynode *q, struct mistakes *m)
{
	int64_t v;

	if (!ynode_is_map(q, "quotas", m))
		return;
	known_at(q, IN_QUOTAS, m);
	read_int(q, "jobs_queued", "quotas.jobs_queued", 1, 65535,
	    &c->jobs_queued, m);
	read_int(q, "jobs_per_hour", "quotas.jobs_per_hour", 1, 1000000,
	    &c->jobs_per_hour, m);
	WITH(q, "cpu_seconds_per_day", n)
		if (ynode_int(n, "quotas.cpu_seconds_per_day", 1, INT64_C(1)
			<< 40, &v, m))
			c->cpu_seconds_per_day = (uint64_t)v;
	read_size(q, "spool", "quotas.spool", 1024, &c->quota_spool, m);
	read_int(q, "requests_per_minute", "quotas.requests_per_minute", 1,
	    1000000, &c->requests_per_minute, m);
}

static void
read_levels(struct node_config *c, const struct ynode *map, struct mistakes *m)
{
	static const char *const known[] = {"1", "2", "3"};

	if (ynode_null(map) || !ynode_is_map(map, "levels", m))
		return;
	(void)ynode_known(map, known, NELEM(known), m);
	for (unsigned i = 0; i < NELEM(known); i++) {
		char what[16];

		(void)snprintf(what, sizeof(what), "levels.%s", known[i]);
		WITH(map, known[i], n)
			(void)limits_read(n, what, c->levels[i], m);
	}
}

static void
read_layers(struct node_config *c, const struct ynode *list,
    struct mistakes *m)
{
	const char *names[32];
	size_t nnames = 0;

	if (!ynode_is_list(list, "require_layers", m))
		return;
	for (unsigned bit = 0; bit < 32; bit++)
		if (LAYERS_KNOWN & 1u << bit)
			names[nnames++] = layer_name(bit);
	c->require_layers = LAYERS_FLOOR;
	for (const struct ynode *n = list->first; n != NULL; n = n->next) {
		unsigned w;

		if (ynode_word(n, "a layer", names, nnames, &w, m))
			c->require_layers |= layer_bit(names[w]);
	}
}

static bool
hub_ok(const char *s)
{
	struct hash16 hash;

	return strncmp(s, "https://", 8) == 0 ||
	    hex_decode(HASH_BYTES(hash), s, strlen(s));
}

static bool
metrics_ok(const char *s)
{
	struct sockaddr_storage sa;
	socklen_t len;

	if (strncmp(s, "unix:", 5) == 0)
		return s[5] == '/' && strlen(s) < 108;
	return metrics_address(s, &sa, &len);
}

static void
read_address(const struct ynode *map, const char *key, bool (*ok)(const char *),
    const char *hint, const char **out, struct mistakes *m)
{
	const char *s;

	WITH(map, key, n) {
		if (ynode_null(n) || !ynode_text(n, key, 1, 255, &s, m))
			continue;
		if (ok(s))
			*out = s;
		else
			mistake_add(m, n->line, n->column, hint,
			    "%s \"%.80s\" is not usable", key, s);
	}
}

static void
read_rest(struct node_config *c, const struct ynode *r, struct mistakes *m)
{
	WITH(r, "name", n)
		(void)ynode_text(n, "name", 0, NODE_NAME_MAX, &c->name, m);
	read_uri(r, "revocation_list", &c->revocation_list, m);
	WITH(r, "profile", n)
		if (ynode_text(n, "profile", 1, PROFILE_NAME_MAX, &c->profile,
			m) &&
		    (!profile_name_ok(c->profile) ||
			strstr(c->profile, ".yaml") != NULL))
			mistake_add(m, n->line, n->column,
			    "a name of profiles/, without .yaml",
			    "profile \"%.64s\" is no name", c->profile);
	read_size(r, "neighbour_limit_per_minute", "neighbour_limit_per_minute",
	    0, &c->neighbour_limit_per_minute, m);
	read_time(r, "max_airtime", "max_airtime", SECOND, 366 * DAY,
	    &c->max_airtime_ms, m);
	read_time(r, "announce_every", "announce_every", 5 * MINUTE, DAY,
	    &c->announce_every_ms, m);
	read_time(r, "keep_results", "keep_results", SECOND, 3660 * DAY,
	    &c->keep_results_ms, m);
	read_address(r, "hub", hub_ok,
	    "https://... or the 32 hex digits of a klp.node destination",
	    &c->hub, m);
	read_address(r, "metrics", metrics_ok, "unix:/PATH or HOST:PORT with a numeric HOST, as 127.0.0.1:9464",
	    &c->metrics, m);
	WITH(r, "metrics_group", n) {
		if (!ynode_text(n, "metrics_group", 1, GROUP_NAME_MAX,
			&c->metrics_group, m))
			return;
		if (c->metrics == NULL ||
		    strncmp(c->metrics, "unix:", 5) != 0)
			mistake_add(m, n->line, n->column,
			    "metrics: unix:/PATH, or leave it out",
			    "metrics_group is for a socket of metrics, and "
			    "there is none");
	}
}

static void
read_root(struct node_config *c, const struct ynode *r, struct mistakes *m)
{
	known_at(r, AT_TOP, m);
	read_seed(c, r, m);
	read_rest(c, r, m);
	WITH(r, "trust", n)
		read_trust(c, n, m);
	WITH(r, "klp", n)
		read_klp(c, n, m);
	WITH(r, "limits", n)
		read_limits(c, n, m);
	WITH(r, "quotas", n)
		read_quotas(c, n, m);
	WITH(r, "levels", n)
		read_levels(c, n, m);
	WITH(r, "require_layers", n)
		read_layers(c, n, m);
	WITH(r, "compute_when", n)
		when_read(&c->when, n, m);
}

static void
set_defaults(struct node_config *c)
{
	*c = (struct node_config){
	    .auth_required = true,
	    .data_limit_per_minute = 5 * MIB,
	    .name = "",
	    .floor = 1,
	    .grace_graph_ms = GRAPH_GRACE,
	    .grace_list_ms = LIST_GRACE,
	    .refresh_ms = 5 * MINUTE,
	    .cpu_milli = 2000,
	    .time_ms = HOUR,
	    .output = 256 * MIB,
	    .spool = 1024 * MIB,
	    .jobs_queued = 16,
	    .jobs_per_hour = 120,
	    .cpu_seconds_per_day = 86400,
	    .quota_spool = 256 * MIB,
	    .requests_per_minute = 600,
	    .require_layers = LAYERS_FLOOR | LAYER_UTS | LAYER_MEMORY |
		LAYER_CPU | LAYER_PIDS,
	    .profile = "default",
	    .max_airtime_ms = 10 * MINUTE,
	    .announce_every_ms = 30 * MINUTE,
	    .keep_results_ms = 7 * DAY,
	};
}

/* Whom a person trusts with inputs: the trust keys, without their section. */
static void
read_submit(struct node_config *c, const struct ynode *r, struct mistakes *m)
{
	static const char *const known[] = {
	    "anchors", "pins", "trust_graph", "revocation_list", "floor"};
	int64_t v;

	(void)ynode_known(r, known, NELEM(known), m);
	if (!room_for_ids(c, r, m))
		return;
	WITH(r, "floor", n)
		if (ynode_int(n, "floor", LEVEL_MIN, LEVEL_MAX, &v, m))
			c->floor = (int)v;
	WITH(r, "anchors", n)
		read_list(c, n, "anchors", LEVEL_ANCHORS_MAX, read_anchor, m);
	WITH(r, "pins", n)
		read_list(c, n, "pins", LEVEL_PINS_MAX, read_pin, m);
	read_uri(r, "trust_graph", &c->trust_graph, m);
	read_uri(r, "revocation_list", &c->revocation_list, m);
}

/* look: what could be read is given beside the mistakes. */
static int
parse(struct node_config **out, const char *text, size_t len, const char *what,
    bool look,
    void (*read)(struct node_config *, const struct ynode *,
	struct mistakes *),
    struct mistakes *m)
{
	struct node_config *c = malloc(sizeof(*c));
	unsigned before = m->n;

	if (c == NULL) {
		mistake_add(m, 0, 0, NULL, "out of memory");
		return -1;
	}
	set_defaults(c);
	if (read == read_submit)
		c->floor = 0;
	if (ydoc_parse(&c->doc, text, len, m) == 0) {
		const struct ynode *r = ydoc_root(c->doc);

		if (!ynode_null(r) && ynode_is_map(r, what, m))
			read(c, r, m);
	}
	if (m->n != before && !(look && c->doc != NULL)) {
		node_config_free(c);
		return -1;
	}
	*out = c;
	return m->n != before ? -1 : 0;
}

int
node_config_look(struct node_config **out, const char *text, size_t len,
    struct mistakes *m)
{
	*out = NULL;
	return parse(out, text, len, "node.yaml", true, read_root, m);
}

int
node_config_parse(struct node_config **out, const char *text, size_t len,
    struct mistakes *m)
{
	return parse(out, text, len, "node.yaml", false, read_root, m);
}

int
submit_config_parse(struct node_config **out, const char *text, size_t len,
    struct mistakes *m)
{
	return parse(out, text, len, "submit.yaml", false, read_submit, m);
}

void
node_config_free(struct node_config *c)
{
	if (c == NULL)
		return;
	ydoc_free(c->doc);
	free(c->pins);
	free(c->anchors);
	free(c);
}
