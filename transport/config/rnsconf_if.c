/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/config/rnsconf_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct knob common_knobs[] = {
	{"outgoing", K_BOOL, FIELD(rnsconf_if, outgoing), 0, 0},
	{"gravity", K_INT, FIELD(rnsconf_if, gravity), INT32_MIN, INT32_MAX},
	{"recursive_prs", K_BOOL, FIELD(rnsconf_if, recursive_prs), 0, 0},
	{"networkname", K_TEXT, FIELD(rnsconf_if, network_name), 0, 0},
	{"network_name", K_TEXT, FIELD(rnsconf_if, network_name), 0, 0},
	{"pass_phrase", K_TEXT, FIELD(rnsconf_if, passphrase), 0, 0},
	{"passphrase", K_TEXT, FIELD(rnsconf_if, passphrase), 0, 0},
	{"bootstrap_only", K_BOOL, FIELD(rnsconf_if, bootstrap_only), 0, 0},
	{"announces_from_internal", K_BOOL,
	    FIELD(rnsconf_if, announces_from_internal), 0, 0},
	{"announces_to_internal", K_BOOL,
	    FIELD(rnsconf_if, announces_to_internal), 0, 0},
	{"ingress_control", K_BOOL, FIELD(rnsconf_if, ingress.control), 0, 0},
	INGRESS_KNOBS(rnsconf_if),
};

/* Known, and without effect; the last one is of RNS 1.6. */
static const char *const ignored_keys[] = {"ignore_config_warnings",
    "client_limit"};

/* Each type has a reader of its own keys. */
static const struct {
	const char *text;
	enum rnsconf_type type;
	void (*read)(struct reader *, struct rnsconf_if *);
	unsigned ifac; /* its access codes, reticulum-transport.md 8.3 */
} types[] = {
	{"TCPServerInterface", RNSCONF_TCP_SERVER, rnsconf_read_tcp_server, 16},
	{"TCPClientInterface", RNSCONF_TCP_CLIENT, rnsconf_read_tcp_client, 16},
	{"AutoInterface", RNSCONF_AUTO, rnsconf_read_auto, 16},
	{"UDPInterface", RNSCONF_UDP, rnsconf_read_udp, 16},
	{"BackboneInterface", RNSCONF_BACKBONE, rnsconf_read_backbone, 16},
	{"BackboneClientInterface", RNSCONF_BACKBONE_CLIENT,
	    rnsconf_read_backbone_client, 16},
	{"I2PInterface", RNSCONF_I2P, rnsconf_read_i2p, 16},
	{"SerialInterface", RNSCONF_SERIAL, rnsconf_read_serial, 8},
	{"PipeInterface", RNSCONF_PIPE, rnsconf_read_pipe, 8},
	{"KISSInterface", RNSCONF_KISS, rnsconf_read_kiss, 8},
	{"AX25KISSInterface", RNSCONF_AX25, rnsconf_read_ax25, 8},
	{"RNodeInterface", RNSCONF_RNODE, rnsconf_read_rnode, 8},
	{"RNodeMultiInterface", RNSCONF_RNODE_MULTI, rnsconf_read_rnode_multi,
	    8},
	{"WeaveInterface", RNSCONF_WEAVE, rnsconf_read_weave, 16},
};

static const struct {
	const char *text;
	enum rns_if_mode mode;
} modes[] = {
	{"full", RNS_MODE_FULL}, {"pointtopoint", RNS_MODE_PTP},
	{"ptp", RNS_MODE_PTP}, {"access_point", RNS_MODE_AP},
	{"accesspoint", RNS_MODE_AP}, {"ap", RNS_MODE_AP},
	{"roaming", RNS_MODE_ROAMING}, {"boundary", RNS_MODE_BOUNDARY},
	{"gateway", RNS_MODE_GATEWAY}, {"gw", RNS_MODE_GATEWAY},
	{"internal", RNS_MODE_INTERNAL},
};

enum rns_if_mode
rnsconf_mode(struct reader *r, const char *key, const char *v)
{
	const char *names[NELEM(modes)], *near;
	char hint[120];

	for (size_t k = 0; k < NELEM(modes); k++) {
		names[k] = modes[k].text;
		if (strcasecmp(v, modes[k].text) == 0)
			return modes[k].mode;
	}
	near = nearest_word(v, names, NELEM(names));
	(void)snprintf(hint, sizeof(hint), "%s%s%sfull, gateway, roaming, "
	    "boundary, access_point, pointtopoint or internal",
	    near != NULL ? "did you mean \"" : "", near != NULL ? near : "",
	    near != NULL ? "\"? " : "");
	rnsconf_note(r, conf_line(&r->v, key), hint, "%s: unknown mode "
	    "\"%.60s\", full is used", r->where, v);
	return RNS_MODE_FULL;
}

static void
read_mode(struct reader *r, struct rnsconf_if *i)
{
	const char *v = NULL, *w, *key = "mode";

	(void)conf_get_text(&r->v, "mode", &v);
	if (conf_get_text(&r->v, "interface_mode", &w) > 0) {
		v = w;
		key = "interface_mode";
	}
	if (v != NULL)
		i->mode = rnsconf_mode(r, key, v);
}

/* A value that is passed over, here and by the reference. */
static void
note_useless(struct reader *r, const char *key, const char *hint)
{
	rnsconf_note(r, conf_line(&r->v, key), hint, "%s: \"%s\" has no effect",
	    r->where, key);
}

/* bitrate, announce_cap, ifac_size: odd ranges. */
static void
read_numbers(struct reader *r, struct rnsconf_if *i, unsigned ifac)
{
	int64_t n;
	double d;

	/* MINIMUM_BITRATE, reticulum-transport.md 1.1 */
	if (conf_get_int(&r->v, "bitrate", 0, INT64_MAX, &n) > 0) {
		if (n >= 5)
			i->bitrate = (uint64_t)n;
		else
			note_useless(r, "bitrate", "at least 5 bits a second");
	}
	if (conf_get_float(&r->v, "announce_cap", &d) > 0) {
		if (d > 0 && d <= 100)
			i->announce_cap_permille =
			    (uint32_t)MAX_OF(d * 10, 1.0);
		else
			note_useless(r, "announce_cap", "more than 0 per cent, "
			    "at most 100");
	}
	if (i->network_name != NULL || i->passphrase != NULL)
		i->ifac_size = ifac;
	if (conf_get_int(&r->v, "ifac_size", 0, 512, &n) > 0) {
		if (n < 8)
			note_useless(r, "ifac_size", "at least 8 bits");
		else if (i->ifac_size == 0)
			note_useless(r, "ifac_size", "it takes network_name or "
			    "passphrase");
		else
			i->ifac_size = (unsigned)n / 8;
	}
}

/* reticulum-transport.md 8.6: without transport there is no target. */
static void
read_announce_rate(struct reader *r, struct rnsconf_if *i,
    const uint32_t ar[3])
{
	int64_t target = 0, penalty = 0, grace = 0;
	bool has_penalty, has_grace;

	(void)conf_get_int(&r->v, "announce_rate_target", NAT, &target);
	has_penalty = conf_get_int(&r->v, "announce_rate_penalty", NAT,
	    &penalty) > 0;
	has_grace = conf_get_int(&r->v, "announce_rate_grace", NAT, &grace) > 0;
	if (target > 0) {
		i->ar_target_s = (uint32_t)target;
		i->ar_penalty_s = (uint32_t)penalty;
		i->ar_grace = (uint32_t)grace;
	} else if (r->c->enable_transport) {
		i->ar_target_s = ar[0];
		i->ar_penalty_s = has_penalty ? (uint32_t)penalty : ar[1];
		i->ar_grace = has_grace ? (uint32_t)grace : ar[2];
	}
}

/* Its place in types[], or how many there are. */
static size_t
type_of(const char *text)
{
	size_t k = 0;

	while (k < NELEM(types) && strcmp(text, types[k].text) != 0)
		k++;
	return k;
}

const char *
rnsconf_types(void)
{
	static char text[400];
	size_t len = 0;

	for (size_t k = 0; k < NELEM(types) && len < sizeof(text); k++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s%s", len == 0 ? "" : k + 1 == NELEM(types) ? " and " :
		    ", ", types[k].text);
	return text;
}

static void
note_type(struct reader *r, const struct rnsconf_if *i)
{
	const char *names[NELEM(types)], *near;
	unsigned line = conf_line(&r->v, "type");
	char hint[420];

	for (size_t k = 0; k < NELEM(types); k++)
		names[k] = types[k].text;
	near = nearest_word(i->type_text, names, NELEM(names));
	if (near != NULL)
		(void)snprintf(hint, sizeof(hint), "did you mean \"%s\"?",
		    near);
	else
		(void)snprintf(hint, sizeof(hint), "there are %s",
		    rnsconf_types());
	rnsconf_note(r, line, hint, "%s: unknown type \"%.60s\", skipped",
	    r->where, i->type_text);
}

/* Off, and nobody wrote so: most likely a line is misspelt, or missing. */
static void
note_off(struct reader *r, const struct rnsconf_if *i)
{
	const struct conf_entry *e = conf_misspelt(&r->v, "enabled");
	struct conf_entry *meant;
	char hint[120];

	if (r->torn || conf_entry(r->v.sec, "enabled") != NULL ||
	    conf_entry(r->v.sec, "interface_enabled") != NULL)
		return;
	if (e != NULL && (meant = conf_entry(r->v.sec, e->key)) != NULL)
		meant->used = true; /* it is named here */
	(void)snprintf(hint, sizeof(hint), "did you mean it by \"%.60s\" in "
	    "line %u?", e != NULL ? e->key : "", e != NULL ? e->line : 0);
	rnsconf_note(r, i->line, e != NULL ? hint :
	    "add a line enabled = yes, or enabled = no to say so",
	    "%s is off: it has no line \"enabled\"", r->where);
}

static void
read_keys(struct reader *r, struct rnsconf_if *i, const uint32_t ar[3])
{
	int has_type = conf_get_text(&r->v, "type", &i->type_text);
	size_t k;

	if (has_type == 0)
		rnsconf_missing(r, i, "type", "TCPClientInterface");
	if (has_type <= 0)
		return;
	k = type_of(i->type_text);
	i->type = k < NELEM(types) ? types[k].type : RNSCONF_UNKNOWN;
	if (k == NELEM(types)) {
		note_type(r, i);
		return;
	}
	i->enabled = true;
	for (size_t j = 0; j < NELEM(ignored_keys); j++)
		(void)conf_ask(&r->v, ignored_keys[j]);
	rnsconf_knobs(r, common_knobs, NELEM(common_knobs), i);
	i->to_internal_said = conf_entry(r->v.sec,
	    "announces_to_internal") != NULL;
	read_mode(r, i);
	read_numbers(r, i, types[k].ifac);
	read_announce_rate(r, i, ar);
	types[k].read(r, i);
	rnsconf_read_offer(r, i);
	rnsconf_unknown(r);
}

/*
 * What would be of no use if it was switched on, as notes: Reticulum does not
 * look at it, and who switches it on later wants to know now.
 */
static void
read_off(struct reader *r, const struct rnsconf_if *i, const uint32_t ar[3])
{
	struct rnsconf_if would = *i;
	struct mistakes m = {0};
	struct mistakes *own = r->v.m;

	r->v.m = &m;
	read_keys(r, &would, ar);
	free(would.i2p_peers);
	r->v.m = own;
	rnsconf_as_notes(r, &m);
}

static void
read_if(struct reader *r, struct rnsconf_if *i, const uint32_t ar[3])
{
	bool a = false, b = false;
	const struct conf_entry *type = conf_entry(r->v.sec, "type");

	(void)conf_get_bool(&r->v, "enabled", &a);
	(void)conf_get_bool(&r->v, "interface_enabled", &b);
	if (a || b) {
		i->on = true;
		read_keys(r, i, ar);
		return;
	}
	if (type != NULL && !type->list)
		(void)conf_get_text(&r->v, "type", &i->type_text);
	note_off(r, i);
	read_off(r, i, ar);
}

/* Keys of the section itself; interfaces are its subsections. */
static void
note_stray(struct reader *r, const struct conf_section *all)
{
	const struct conf_entry *e;

	TAILQ_FOREACH(e, &all->entries, link)
		rnsconf_note(r, e->line, "an interface begins with [[NAME]]",
		    "[interfaces]: \"%.80s\" belongs to no interface and is "
		    "ignored", e->key);
}

static bool
same_place(const struct rnsconf_if *a, const struct rnsconf_if *b)
{
	return a->enabled && b->enabled && a->listen_port != 0 &&
	    (a->type == RNSCONF_UDP) == (b->type == RNSCONF_UDP) &&
	    a->listen_port == b->listen_port && a->listen_ip != NULL &&
	    b->listen_ip != NULL && strcmp(a->listen_ip, b->listen_ip) == 0;
}

static bool
same_tty(const struct rnsconf_if *a, const struct rnsconf_if *b)
{
	return a->enabled && b->enabled && a->tty != NULL && b->tty != NULL &&
	    strcmp(a->tty, b->tty) == 0;
}

/* A serial port is one's alone. */
static void
note_shared(struct reader *r)
{
	const struct rnsconf_if *all = r->c->ifs;

	for (unsigned i = 0, k; i < r->c->nifs; i++) {
		for (k = 0; k < i && !same_tty(&all[i], &all[k]);)
			k++;
		if (k < i)
			rnsconf_note(r, all[i].line, "one of them has it, "
			    "and the other waits", "interface \"%.80s\" has "
			    "the port of \"%.80s\"", all[i].name, all[k].name);
	}
}

/* Two that listen at one place: one of them never will. */
static void
note_twice(struct reader *r)
{
	const struct rnsconf_if *all = r->c->ifs;

	for (unsigned i = 0, k; i < r->c->nifs; i++) {
		for (k = 0; k < i && !same_place(&all[i], &all[k]);)
			k++;
		if (k < i)
			rnsconf_note(r, all[i].line, "give each a port of its "
			    "own", "interface \"%.80s\" listens where "
			    "\"%.80s\" does", all[i].name, all[k].name);
	}
}

const struct conf_section *
rnsconf_owner(const struct reader *r, unsigned line)
{
	const struct conf_section *s;

	if (line == 0 || confobj_cut(r->v.tree))
		return NULL;
	s = conf_around(confobj_root(r->v.tree), line);
	while (s->depth > 2)
		s = s->parent;
	return s->depth == 2 && !s->parent->broken &&
	    strcmp(s->parent->name, "interfaces") == 0 ? s : NULL;
}

/* Of those that stand behind `last`, the topmost; NULL: none. */
static const struct mistake *
next_down(const struct mistakes *own, const struct mistake *last)
{
	const struct mistake *next = NULL, *m;

	for (unsigned k = 0; k < own->n; k++) {
		m = &own->v[k];
		if ((last == NULL || m->line > last->line || (m->line ==
		    last->line && m > last)) && (next == NULL || m->line <
		    next->line))
			next = m;
	}
	return next;
}

/* Off, if something is wrong in it; the topmost of that says why. */
static void
settle_if(struct reader *r, struct rnsconf_if *i, struct mistakes *own)
{
	const struct mistake *m;
	char why[900];

	rnsconf_settle(r, own);
	if ((m = next_down(own, NULL)) == NULL)
		return;
	mistake_line(why, sizeof(why), "config", m);
	rnsconf_if_off(r->c, i, why);
	for (unsigned k = 0; k < RNSCONF_ALSO &&
	    (m = next_down(own, m)) != NULL; k++) {
		if (k == RNSCONF_ALSO - 1 && mistakes_count(own) > k + 2)
			(void)snprintf(why, sizeof(why), "config: and %u more: "
			    "warren check-config", mistakes_count(own) - k - 1);
		else
			mistake_line(why, sizeof(why), "config", m);
		i->also[k] = conf_keep(r->c->tree, why, strlen(why));
	}
}

/* One section; what is wrong in its lines and values is its own. */
static void
read_section(struct reader *r, struct rnsconf_if *i,
    const struct conf_section *s, const uint32_t ar[3], struct mistakes *m)
{
	struct mistakes own = {0};
	const bool torn = r->torn;

	for (unsigned k = 0; k < r->syntax->n; k++)
		if (rnsconf_owner(r, r->syntax->v[k].line) == s)
			mistakes_put(&own, &r->syntax->v[k]);
	r->torn = torn || own.n > 0;
	r->v.m = &own;
	if (!s->broken)
		read_if(r, i, ar);
	settle_if(r, i, &own);
	mistakes_join(m, &own);
	r->torn = torn;
}

void
rnsconf_interfaces(struct reader *r, const uint32_t ar[3], struct mistakes *m)
{
	const struct conf_section *all, *s;
	char where[200];
	struct rnsconf_if *i;
	unsigned n = 0;

	all = conf_section(confobj_root(r->v.tree), "interfaces");
	if (all == NULL)
		return;
	r->v.m = m;
	note_stray(r, all);
	TAILQ_FOREACH(s, &all->sections, link)
		n++;
	if (n == 0)
		return;
	if ((r->c->ifs = calloc(n, sizeof(*r->c->ifs))) == NULL) {
		rnsconf_no_memory(r);
		r->c->nfile++;
		return;
	}
	TAILQ_FOREACH(s, &all->sections, link) {
		i = &r->c->ifs[r->c->nifs];
		*i = (struct rnsconf_if){
			.index = r->c->nifs,
			.line = s->line,
			.name = s->name,
			.section = s,
			.type_text = "",
			.mode = RNS_MODE_FULL,
			.outgoing = true,
			.announces_from_internal = true,
			.announce_cap_permille = 20,
			.gravity = r->c->default_gravity,
			.ingress = r->c->ingress,
		};
		r->c->nifs++;
		(void)snprintf(where, sizeof(where), "interface \"%.180s\"",
		    s->name);
		rnsconf_enter(r, s, where);
		read_section(r, i, s, ar, m);
	}
	r->v.m = m;
	note_twice(r);
	note_shared(r);
}
