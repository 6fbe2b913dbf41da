/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/config/nodeconf_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "common/weburl.h"

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

void
conf_pin(struct node_config *c, const struct ynode *e, struct mistakes *m)
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

void
conf_anchor(struct node_config *c, const struct ynode *e, struct mistakes *m)
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

void
conf_list(struct node_config *c, const struct ynode *list, const char *what,
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

bool
conf_room_for_ids(struct node_config *c, const struct ynode *trust,
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

void
conf_trust(struct node_config *c, const struct ynode *t, struct mistakes *m)
{
	static const char *const live[] = {[LIVE_ABOVE_2] = "above_2",
	    [LIVE_ALWAYS] = "always", [LIVE_NEVER] = "never"};
	static const char *const stale[] = {[STALE_REFUSE_NEW] = "refuse_new",
	    [STALE_WARN] = "warn", [STALE_REFUSE_ALL] = "refuse_all"};
	static const char *const graces[] = {"graph", "list"};
	int64_t v;
	unsigned w;

	if (!ynode_is_map(t, "trust", m) || !conf_room_for_ids(c, t, m))
		return;
	conf_known(t, IN_TRUST, m);
	WITH(t, "floor", n)
		if (ynode_int(n, "trust.floor", LEVEL_MIN, LEVEL_MAX, &v, m))
			c->floor = (int)v;
	WITH(t, "anchors", n)
		conf_list(c, n, "trust.anchors", LEVEL_ANCHORS_MAX, conf_anchor,
		    m);
	WITH(t, "pins", n)
		conf_list(c, n, "trust.pins", LEVEL_PINS_MAX, conf_pin, m);
	WITH(t, "boards", n)
		read_boards(c, n, m);
	WITH(t, "anchors_from", n)
		conf_list(c, n, "trust.anchors_from", NODE_ANCHORS_FROM_MAX,
		    read_anchor_source, m);
	WITH(t, "log_witnesses", n)
		if (ynode_int(n, "trust.log_witnesses", 0, 16, &v, m))
			c->log_witnesses = (uint32_t)v;
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
		conf_time(n, "graph", "trust.grace.graph", 0, 366 * CONF_DAY,
		    &c->grace_graph_ms, m);
		conf_time(n, "list", "trust.grace.list", 0, 366 * CONF_DAY,
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

void
conf_klp(struct node_config *c, const struct ynode *k, struct mistakes *m)
{
	if (ynode_null(k) || !ynode_is_map(k, "klp", m))
		return;
	conf_known(k, IN_KLP, m);
	WITH(k, "gateways", n)
		conf_list(c, n, "klp.gateways", NODE_GATEWAYS_MAX,
		    read_gateway, m);
	WITH(k, "private_hosts", n)
		conf_list(c, n, "klp.private_hosts", NODE_PRIVATE_HOSTS_MAX,
		    read_private_host, m);
	WITH(k, "ca", n)
		if (!ynode_null(n))
			(void)ynode_text(n, "klp.ca", 1, 1024, &c->ca, m);
	conf_time(k, "refresh", "klp.refresh", CONF_MINUTE, CONF_DAY, &c->refresh_ms,
	    m);
}
