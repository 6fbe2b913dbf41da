/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/config/rnsconf.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transport/config/rnsconf_read.h"

#define UNIX_NAME_MAX 107 /* sun_path without the leading NUL */
#define LEVEL_MOST 8      /* reticulum-transport.md 11.3 */
/* blackhole_update_interval: reticulum-transport.md 7.4; ours: ten years */
#define MINUTES_LEAST 2
#define MINUTES_MOST 5256000

/* ---- [logging] and [reticulum] ---- */

static const struct knob main_knobs[] = {
	{"enable_transport", K_BOOL, FIELD(rnsconf, enable_transport), 0, 0},
	{"share_instance", K_BOOL, FIELD(rnsconf, share_instance), 0, 0},
	{"instance_name", K_TEXT, FIELD(rnsconf, instance_name), 0, 0},
	{"shared_instance_port", K_INT, FIELD(rnsconf, shared_instance_port),
	    PORT},
	{"instance_control_port", K_INT, FIELD(rnsconf, instance_control_port),
	    PORT},
	{"link_mtu_discovery", K_BOOL, FIELD(rnsconf, link_mtu_discovery), 0, 0},
	{"use_implicit_proof", K_BOOL, FIELD(rnsconf, use_implicit_proof), 0, 0},
	{"static_transport_identity", K_BOOL,
	    FIELD(rnsconf, static_transport_identity), 0, 0},
	{"default_gravity", K_INT, FIELD(rnsconf, default_gravity), INT32_MIN,
	    INT32_MAX},
	{"local_hops_delta", K_BOOL, FIELD(rnsconf, local_hops_delta), 0, 0},
	{"network_identity", K_TEXT, FIELD(rnsconf, network_identity), 0, 0},
	{"enable_remote_management", K_BOOL,
	    FIELD(rnsconf, enable_remote_management), 0, 0},
	{"enable_interface_management", K_BOOL,
	    FIELD(rnsconf, enable_interface_management), 0, 0},
	{"respond_to_probes", K_BOOL, FIELD(rnsconf, respond_to_probes), 0, 0},
	{"force_shared_instance_bitrate", K_INT, FIELD(rnsconf, local_bitrate),
	    INT64_MIN, INT64_MAX},
	{"panic_on_interface_error", K_BOOL,
	    FIELD(rnsconf, panic_on_interface_error), 0, 0},
	{"publish_blackhole", K_BOOL, FIELD(rnsconf, publish_blackhole), 0, 0},
	{"qlen_in_data", K_INT, NOT_NEEDED, 0, INT32_MIN, INT32_MAX},
	{"qlen_in_announce", K_INT, NOT_NEEDED, 0, INT32_MIN, INT32_MAX},
	{"qlen_in_pr", K_INT, NOT_NEEDED, 0, INT32_MIN, INT32_MAX},
	{"qlen_in_il", K_INT, NOT_NEEDED, 0, INT32_MIN, INT32_MAX},
	INGRESS_KNOBS(rnsconf),
};

static void
read_logging(struct reader *r)
{
	const struct conf_section *sec;
	int64_t level;
	bool stamps;

	sec = conf_section(confobj_root(r->v.tree), "logging");
	if (sec == NULL)
		return;
	rnsconf_enter(r, sec, "[logging]");
	/* the reference takes any number, and so do its users */
	if (conf_get_int(&r->v, "loglevel", INT64_MIN, INT64_MAX, &level) > 0) {
		r->c->loglevel = (int)MAX_OF(MIN_OF(level, LEVEL_MOST), 0);
		if (r->c->loglevel != level)
			rnsconf_note(r, conf_line(&r->v, "loglevel"), "from "
			    "0, critical, to 8, extreme", "[logging]: there "
			    "is no such loglevel; %d is taken",
			    r->c->loglevel);
	}
	/* our lines always carry the time, or the journal does */
	(void)conf_get_bool(&r->v, "logtimestamps", &stamps);
	rnsconf_unknown(r);
}

static void
read_share_type(struct reader *r)
{
	const char *v;

	if (conf_get_text(&r->v, "shared_instance_type", &v) <= 0)
		return;
	if (strcasecmp(v, "tcp") == 0)
		r->c->shared_instance_type = RNSCONF_TCP;
	else if (strcasecmp(v, "unix") != 0)
		mistake_add(r->v.m, conf_line(&r->v, "shared_instance_type"),
		    1, "write unix or tcp",
		    "no shared instance of type \"%.60s\"", v);
}

/* Bytes as hex digits, with blanks between them; false: something else. */
static bool
hex_bytes(uint8_t *out, size_t *n, const char *v)
{
	for (*n = 0;; (*n)++) {
		while (isspace((unsigned char)*v))
			v++;
		if (*v == '\0')
			return *n > 0;
		if (v[1] == '\0' || !hex_decode(out + *n, 1, v, 2))
			return false;
		v += 2;
	}
}

static void
read_rpc_key(struct reader *r)
{
	const char *v;

	if (conf_get_text(&r->v, "rpc_key", &v) <= 0)
		return;
	if ((r->c->rpc_key = malloc(strlen(v) / 2 + 1)) == NULL) {
		rnsconf_no_memory(r);
		return;
	}
	if (hex_bytes(r->c->rpc_key, &r->c->rpc_key_len, v))
		return;
	r->c->rpc_key_len = 0;
	rnsconf_note(r, conf_line(&r->v, "rpc_key"), "pairs of hex digits",
	    "%s: rpc_key is not hex; the derived key is used", r->where);
}

static bool
is_listed(const struct hash16 *list, unsigned n, const struct hash16 *hash)
{
	while (n > 0)
		if (hash16_eq(&list[--n], hash))
			return true;
	return false;
}

/* A list of hashes, each once; what: whose they are, for the hint. */
static void
read_hashes(struct reader *r, const char *key, const char *what,
    struct hash16 **out, unsigned *n)
{
	struct conf_entry *e = conf_ask(&r->v, key);
	char hint[120];
	const char *v;

	if (e == NULL || e->n == 0)
		return;
	if ((*out = calloc(e->n, RNS_HASH)) == NULL) {
		rnsconf_no_memory(r);
		return;
	}
	(void)snprintf(hint, sizeof(hint), "the hash of %s: 32 hex digits",
	    what);
	for (unsigned i = 0; i < e->n; i++) {
		v = conf_value(r->v.tree, r->v.sec, e, i, r->v.m);
		if (v != NULL &&
		    !hex_decode(HASH_BYTES((*out)[*n]), v, strlen(v)))
			mistake_add(r->v.m, e->line, 1, hint,
			    "\"%s\" cannot be \"%.80s\"", key, v);
		if (!is_listed(*out, *n, &(*out)[*n]))
			++*n;
	}
}

/* reticulum-transport.md 7.4 and 7.6 */
static void
read_management(struct reader *r)
{
	double minutes;

	read_hashes(r, "blackhole_sources", "a transport identity",
	    &r->c->blackhole_sources, &r->c->nblackhole_sources);
	read_hashes(r, "remote_management_allowed", "an identity",
	    &r->c->managers, &r->c->nmanagers);
	if (conf_get_float(&r->v, "blackhole_update_interval", &minutes) > 0)
		r->c->blackhole_update_s = (uint32_t)(60 *
		    MAX_OF(MIN_OF(minutes, MINUTES_MOST), MINUTES_LEAST));
}

static void
read_default_ar(struct reader *r, uint32_t ar[3])
{
	static const char *keys[] = {"default_ar_target",
	    "default_ar_penalty", "default_ar_grace"};
	/* reticulum-transport.md 8.6 */
	static const uint32_t built_in[] = {3600, 0, 5};
	int64_t n;

	for (size_t i = 0; i < 3; i++) {
		ar[i] = built_in[i];
		if (conf_get_int(&r->v, keys[i], NAT, &n) > 0 && n > 0)
			ar[i] = (uint32_t)n;
	}
}

/* A 0 in [reticulum] is Reticulum's own value (reticulum-transport.md 11.3). */
static void
read_ingress(struct rns_ingress *g)
{
	struct rns_ingress own = RNS_INGRESS_DEFAULT;
	double *at[] = {&g->new_time_s, &g->burst_hz_new, &g->burst_hz,
	    &g->pr_burst_hz_new, &g->pr_burst_hz, &g->hold_s, &g->penalty_s,
	    &g->release_s, &g->egress_hz};
	const double from[NELEM(at)] = {own.new_time_s, own.burst_hz_new,
	    own.burst_hz, own.pr_burst_hz_new, own.pr_burst_hz, own.hold_s,
	    own.penalty_s, own.release_s, own.egress_hz};

	g->set = g->control = true;
	if (g->max_held == 0)
		g->max_held = own.max_held;
	for (size_t i = 0; i < NELEM(at); i++)
		if (!(*at[i] > 0))
			*at[i] = from[i];
}

static void
read_main(struct reader *r, const struct conf_section *none, uint32_t ar[3])
{
	const struct conf_section *sec;
	char name[UNIX_NAME_MAX + 1];

	sec = conf_section(confobj_root(r->v.tree), "reticulum");
	rnsconf_enter(r, sec != NULL ? sec : none, "[reticulum]");
	rnsconf_knobs(r, main_knobs, NELEM(main_knobs), r->c);
	read_ingress(&r->c->ingress);
	if (r->c->local_bitrate <= 0) /* none, as if it was not there */
		r->c->local_bitrate = RNSCONF_LOCAL_BITRATE;
	read_share_type(r);
	read_rpc_key(r);
	read_management(r);
	read_default_ar(r, ar);
	rnsconf_read_discovery(r);
	if (rnsconf_socket_name(r->c, true, name, sizeof(name)) == 0)
		mistake_add(r->v.m, conf_line(&r->v, "instance_name"), 1,
		    "at most 99 bytes", "\"instance_name\" is too long");
	rnsconf_unknown(r);
}

/* ---- the file ---- */

/* What stands where Reticulum does not look. */
static void
note_places(struct reader *r)
{
	static const char *known[] = {"logging", "reticulum", "interfaces"};
	const struct conf_section *s;
	const struct conf_entry *e;
	const char *near;
	char hint[120];

	TAILQ_FOREACH(e, &confobj_root(r->v.tree)->entries, link)
		rnsconf_note(r, e->line, "sections are [reticulum], [logging] "
		    "and [interfaces]", "\"%.80s\" stands in no section and "
		    "is ignored", e->key);
	TAILQ_FOREACH(s, &confobj_root(r->v.tree)->sections, link) {
		if (s->broken || strcmp(s->name, known[0]) == 0 ||
		    strcmp(s->name, known[1]) == 0 ||
		    strcmp(s->name, known[2]) == 0 ||
		    strcmp(s->name, "DEFAULT") == 0)
			continue;
		if (strcmp(s->name, "stamps") == 0 ||
		    strcmp(s->name, "filter") == 0) {
			rnsconf_note(r, s->line, NULL, "section [%s] is of RNS "
			    "1.6 and has no effect yet", s->name);
			continue;
		}
		near = nearest_word(s->name, known, NELEM(known));
		(void)snprintf(hint, sizeof(hint), "did you mean [%s]?",
		    near != NULL ? near : "");
		rnsconf_note(r, s->line, near != NULL ? hint :
		    conf_entry(s, "type") != NULL ? "an interface is [[NAME]] "
		    "below [interfaces]" : NULL,
		    "section [%.80s] is ignored", s->name);
	}
}

static struct rnsconf *
rnsconf_new(struct mistakes *m)
{
	struct rnsconf *c;

	if ((c = calloc(1, sizeof(*c))) == NULL) {
		mistake_add(m, 0, 1, "end other programs, or try again",
		    "out of memory");
		return NULL;
	}
	c->loglevel = 3;
	c->share_instance = true;
	c->instance_name = "default";
	c->shared_instance_port = 37428;
	c->instance_control_port = 37429;
	c->link_mtu_discovery = true;
	c->use_implicit_proof = true;
	c->enable_interface_management = true;
	c->blackhole_update_s = 3600;
	return c;
}

/* The mistakes of lines that lie in no [[interface]]. */
static void
file_syntax(struct reader *r, const struct mistakes *syntax,
    struct mistakes *m)
{
	m->more += syntax->more; /* whose they are is not known */
	for (unsigned i = 0; i < syntax->n; i++)
		if (rnsconf_owner(r, syntax->v[i].line) == NULL)
			mistakes_put(m, &syntax->v[i]);
	r->torn = mistakes_count(m) > 0;
}

/* All of the file; what is wrong in no interface goes to *own. */
static void
read_file(struct reader *r, const struct mistakes *syntax,
    struct mistakes *own, struct mistakes *m)
{
	struct conf_section none = {.name = "reticulum"};
	uint32_t ar[3];

	TAILQ_INIT(&none.sections);
	TAILQ_INIT(&none.entries);
	r->v.tree = r->c->tree;
	r->v.m = own;
	r->syntax = syntax;
	file_syntax(r, syntax, own);
	read_logging(r);
	read_main(r, &none, ar);
	note_places(r);
	r->c->nfile = mistakes_count(own);
	rnsconf_settle(r, own);
	mistakes_join(m, own);
	rnsconf_interfaces(r, ar, m);
}

void
rnsconf_look(struct rnsconf **out, const char *text, size_t len,
    struct mistakes *m)
{
	struct mistakes syntax = {0}, own = {0};
	struct conf_asked asked;
	struct reader r = {.v = {.asked = &asked}};

	*out = NULL;
	if ((r.c = rnsconf_new(m)) == NULL)
		return;
	(void)confobj_parse(&r.c->tree, text, len, &syntax);
	if (r.c->tree == NULL) {
		mistakes_join(m, &syntax);
		rnsconf_free(r.c);
		return;
	}
	read_file(&r, &syntax, &own, m);
	*out = r.c;
}

int
rnsconf_parse(struct rnsconf **out, const char *text, size_t len,
    struct mistakes *m)
{
	struct rnsconf *c;

	rnsconf_look(&c, text, len, m);
	if (c == NULL || c->nfile > 0) {
		rnsconf_free(c);
		return -1;
	}
	*out = c;
	return 0;
}

void
rnsconf_free(struct rnsconf *c)
{
	if (c == NULL)
		return;
	confobj_free(c->tree);
	if (c->rpc_key != NULL)
		explicit_bzero(c->rpc_key, c->rpc_key_len);
	free(c->rpc_key);
	for (unsigned i = 0; i < c->nifs; i++)
		free(c->ifs[i].i2p_peers);
	free(c->ifs);
	free(c->notes);
	free(c->blackhole_sources);
	free(c->managers);
	free(c->discovery.sources);
	explicit_bzero(c, sizeof(*c));
	free(c);
}

void
rnsconf_if_display_at(const struct rnsconf_if *i, const char *host, char *out,
    size_t cap)
{
	const char *prefix = i->type == RNSCONF_TCP_SERVER ?
	    "TCPServerInterface" : i->type == RNSCONF_TCP_CLIENT ?
	    "TCPInterface" : "BackboneInterface";
	bool server = i->type == RNSCONF_TCP_SERVER ||
	    i->type == RNSCONF_BACKBONE;
	bool v6 = strchr(host, ':') != NULL;

	(void)snprintf(out, cap, "%s[%s/%s%s%s:%u]", prefix, i->name,
	    v6 ? "[" : "", host, v6 ? "]" : "",
	    server ? i->listen_port : i->target_port);
}

static void
display_udp(const struct rnsconf_if *i, char *out, size_t cap)
{
	const char *host = i->listen_ip != NULL ? i->listen_ip : i->device;

	(void)snprintf(out, cap, "UDPInterface[%s/%s:%u]", i->name,
	    host != NULL ? host : "", i->listen_port);
}

void
rnsconf_if_display(const struct rnsconf_if *i, char *out, size_t cap)
{
	const char *host = i->target_host;

	if (i->type == RNSCONF_I2P) {
		(void)snprintf(out, cap, "I2PInterface[%s]", i->name);
		return;
	}
	if (i->type == RNSCONF_UDP) {
		display_udp(i, out, cap);
		return;
	}
	if (i->type == RNSCONF_AUTO || i->type == RNSCONF_PIPE ||
	    i->type == RNSCONF_SERIAL || i->type == RNSCONF_KISS ||
	    i->type == RNSCONF_AX25 || i->type == RNSCONF_RNODE ||
	    i->type == RNSCONF_RNODE_MULTI || i->type == RNSCONF_WEAVE) {
		(void)snprintf(out, cap, "%s[%s]", i->type_text, i->name);
		return;
	}
	if (host == NULL)
		host = i->device != NULL ? i->device : i->listen_ip;
	rnsconf_if_display_at(i, host != NULL ? host : "", out, cap);
}

size_t
rnsconf_socket_name(const struct rnsconf *c, bool rpc, char *out, size_t cap)
{
	int n;

	n = snprintf(out, cap, "rns/%s%s", c->instance_name,
	    rpc ? "/rpc" : "");
	return n < 0 || (size_t)n >= cap || n > UNIX_NAME_MAX ? 0 : (size_t)n;
}
