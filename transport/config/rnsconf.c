/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/config/rnsconf.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transport/config/confval.h"

#define UNIX_NAME_MAX 107 /* sun_path without the leading NUL */

/* One file on its way from tree to values. */
struct reader {
	struct rnsconf *c;
	struct conf_reader v;
	const char *where; /* for notes: "[reticulum]", or interface name */
};

/* A key that [reticulum] or an interface may have. */
enum kind { K_BOOL, K_INT, K_FLOAT, K_TEXT, K_LIST };

struct knob {
	const char *key;
	enum kind kind;
	size_t offset; /* in the struct; NOT_BUILT: of no effect here */
	size_t size;
	int64_t min, max;
};
#define NOT_BUILT SIZE_MAX
#define FIELD(type, f) offsetof(struct type, f), sizeof(((struct type *)0)->f)

static int
note(struct reader *r, unsigned line, const char *fmt, const char *a,
    const char *b)
{
	char raw[400], text[600];
	int n;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	n = snprintf(raw, sizeof(raw), fmt, a, b);
#pragma GCC diagnostic pop
	if (n < 0)
		n = 0;
	n = (int)text_escape(text, sizeof(text), raw,
	    MIN_OF((size_t)n, sizeof(raw) - 1));
	if ((r->c->nnotes & (r->c->nnotes - 1)) == 0) {
		size_t want = r->c->nnotes == 0 ? 1 : r->c->nnotes * 2u;
		void *more = reallocarray(r->c->notes, want,
		    sizeof(*r->c->notes));

		if (more == NULL)
			goto nomem;
		r->c->notes = more;
	}
	r->c->notes[r->c->nnotes].line = line;
	r->c->notes[r->c->nnotes].text = conf_keep(r->v.tree, text, (size_t)n);
	if (r->c->notes[r->c->nnotes].text == NULL)
		goto nomem;
	r->c->nnotes++;
	return 0;
nomem:
	conf_error(r->v.err, 0, "", "out of memory");
	return -1;
}

/* Store n in a field of the size that knob says. */
static void
store_int(const struct knob *k, void *base, int64_t n)
{
	char *field = (char *)base + k->offset;

	if (k->size == sizeof(uint16_t))
		memcpy(field, &(uint16_t){(uint16_t)n}, k->size);
	else if (k->size == sizeof(uint32_t))
		memcpy(field, &(uint32_t){(uint32_t)n}, k->size);
	else
		memcpy(field, &n, sizeof(n));
}

/* A key that has no effect in this build: check it as far as it is known. */
static int
read_unbuilt(struct reader *r, const struct knob *k)
{
	struct conf_entry *e = conf_entry(r->v.sec, k->key);
	bool on = true;
	int64_t n;
	double d;

	if (e == NULL)
		return 0;
	e->used = true;
	if (k->kind == K_BOOL && conf_get_bool(&r->v, k->key, &on) < 0)
		return -1;
	if (k->kind == K_INT && conf_get_int(&r->v, k->key, k->min, k->max, &n) < 0)
		return -1;
	if (k->kind == K_FLOAT && conf_get_float(&r->v, k->key, &d) < 0)
		return -1;
	if (!on) /* what this build does anyway */
		return 0;
	return note(r, e->line, "%s: \"%s\" is not supported by this version "
	    "and has no effect", r->where, k->key);
}

static int
read_knob(struct reader *r, const struct knob *k, void *base)
{
	const char *text;
	char *field;
	int64_t n;
	int rc;

	if (k->offset == NOT_BUILT)
		return read_unbuilt(r, k);
	field = (char *)base + k->offset;
	switch (k->kind) {
	case K_BOOL:
		return conf_get_bool(&r->v, k->key, (bool *)field) < 0 ? -1 : 0;
	case K_INT:
		if ((rc = conf_get_int(&r->v, k->key, k->min, k->max, &n)) > 0)
			store_int(k, base, n);
		return rc < 0 ? -1 : 0;
	case K_TEXT:
		/*
		 * empty counts as unset, and so does None
		 * (reticulum-transport.md 8.4)
		 */
		if ((rc = conf_get_text(&r->v, k->key, &text)) > 0 && *text != '\0' &&
		    strcmp(text, "None") != 0)
			memcpy(field, &text, sizeof(text));
		return rc < 0 ? -1 : 0;
	default:
		return 0;
	}
}

static int
read_knobs(struct reader *r, const struct knob *k, size_t n, void *base)
{
	for (size_t i = 0; i < n; i++)
		if (read_knob(r, &k[i], base) < 0)
			return -1;
	return 0;
}

/* Keys that nobody asked for; Reticulum ignores them in silence. */
static int
note_unknown(struct reader *r)
{
	const struct conf_entry *e;

	TAILQ_FOREACH(e, &r->v.sec->entries, link)
		if (!e->used && note(r, e->line, "%s: unknown key \"%s\" is "
		    "ignored", r->where, e->key) < 0)
			return -1;
	return 0;
}

/* ---- [logging] and [reticulum] ---- */

#define PORT 1, 65535
#define NAT 0, UINT32_MAX
#define UNBUILT_BOOL(k) {k, K_BOOL, NOT_BUILT, 0, 0, 0}
#define UNBUILT_INT(k) {k, K_INT, NOT_BUILT, 0, INT32_MIN, INT32_MAX}
#define UNBUILT_FLOAT(k) {k, K_FLOAT, NOT_BUILT, 0, 0, 0}
#define UNBUILT_TEXT(k) {k, K_TEXT, NOT_BUILT, 0, 0, 0}
#define UNBUILT_LIST(k) {k, K_LIST, NOT_BUILT, 0, 0, 0}

#define INGRESS_KNOBS                                                          \
	UNBUILT_INT("ic_max_held_announces"), UNBUILT_FLOAT("ic_burst_hold"),  \
	    UNBUILT_FLOAT("ic_burst_freq_new"),                                \
	    UNBUILT_FLOAT("ic_burst_freq"),                                    \
	    UNBUILT_FLOAT("ic_pr_burst_freq_new"),                             \
	    UNBUILT_FLOAT("ic_pr_burst_freq"), UNBUILT_FLOAT("ic_new_time"),   \
	    UNBUILT_FLOAT("ic_burst_penalty"),                                 \
	    UNBUILT_FLOAT("ic_held_release_interval"),                         \
	    UNBUILT_FLOAT("ec_pr_freq"), UNBUILT_BOOL("egress_control")

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
	UNBUILT_BOOL("local_hops_delta"),
	UNBUILT_TEXT("network_identity"),
	UNBUILT_BOOL("enable_remote_management"),
	UNBUILT_LIST("remote_management_allowed"),
	UNBUILT_BOOL("enable_interface_management"),
	UNBUILT_BOOL("respond_to_probes"),
	UNBUILT_INT("force_shared_instance_bitrate"),
	UNBUILT_BOOL("panic_on_interface_error"),
	UNBUILT_BOOL("discover_interfaces"),
	UNBUILT_INT("required_discovery_value"),
	UNBUILT_LIST("interface_discovery_sources"),
	UNBUILT_INT("autoconnect_discovered_interfaces"),
	UNBUILT_BOOL("autoconnect_unverified_implementations"),
	UNBUILT_TEXT("autoconnect_interface_mode"),
	UNBUILT_INT("autoconnect_interface_gravity"),
	UNBUILT_BOOL("autoconnect_announces_to_internal"),
	UNBUILT_BOOL("publish_blackhole"),
	UNBUILT_FLOAT("blackhole_update_interval"),
	UNBUILT_INT("qlen_in_data"),
	UNBUILT_INT("qlen_in_announce"),
	UNBUILT_INT("qlen_in_pr"),
	UNBUILT_INT("qlen_in_il"),
	INGRESS_KNOBS,
};

static int
read_logging(struct reader *r)
{
	int64_t level;
	bool stamps;
	int rc;

	if ((r->v.sec = conf_section(confobj_root(r->v.tree), "logging")) == NULL)
		return 0;
	r->where = "[logging]";
	if ((rc = conf_get_int(&r->v, "loglevel", 0, 8, &level)) < 0)
		return -1;
	if (rc > 0)
		r->c->loglevel = (int)level;
	/* our lines always carry the time, or the journal does */
	if (conf_get_bool(&r->v, "logtimestamps", &stamps) < 0)
		return -1;
	return note_unknown(r);
}

static int
read_share_type(struct reader *r)
{
	const char *v;
	int rc;

	if ((rc = conf_get_text(&r->v, "shared_instance_type", &v)) <= 0)
		return rc;
	if (strcasecmp(v, "tcp") == 0) {
		r->c->shared_instance_type = RNSCONF_TCP;
	} else if (strcasecmp(v, "unix") != 0) {
		conf_error(r->v.err, conf_line(&r->v, "shared_instance_type"),
		    "write unix or tcp",
		    "no shared instance of type \"%s\"", v);
		return -1;
	}
	return 0;
}

static int
read_rpc_key(struct reader *r)
{
	const char *v;
	size_t n;
	int rc;

	if ((rc = conf_get_text(&r->v, "rpc_key", &v)) <= 0)
		return rc;
	n = strlen(v);
	if (n == 0 || n % 2 != 0 || n / 2 > sizeof(r->c->rpc_key) ||
	    !hex_decode(r->c->rpc_key, n / 2, v, n))
		return note(r, conf_line(&r->v, "rpc_key"), "%s: %s is not hex; "
		    "the derived key is used", r->where, "rpc_key");
	r->c->rpc_key_len = n / 2;
	return 0;
}

static int
read_sources(struct reader *r)
{
	struct conf_entry *e = conf_entry(r->v.sec, "blackhole_sources");
	const char *v;

	if (e == NULL || e->n == 0)
		return 0;
	e->used = true;
	r->c->blackhole_sources = calloc(e->n, RNS_HASH);
	if (r->c->blackhole_sources == NULL) {
		conf_error(r->v.err, 0, "", "out of memory");
		return -1;
	}
	for (unsigned i = 0; i < e->n; i++) {
		v = conf_value(r->v.tree, r->v.sec, e, i, r->v.err);
		if (v == NULL)
			return -1;
		if (!hex_decode(r->c->blackhole_sources[i], RNS_HASH, v,
		    strlen(v))) {
			conf_error(r->v.err, e->line, "the hash of a "
			    "transport identity: 32 hex digits",
			    "\"blackhole_sources\" cannot be \"%s\"", v);
			return -1;
		}
	}
	r->c->nblackhole_sources = e->n;
	return note(r, e->line, "%s: lists of \"%s\" are read from storage, "
	    "but not fetched by this version", r->where, e->key);
}

static int
read_default_ar(struct reader *r, uint32_t ar[3])
{
	static const char *keys[] = {"default_ar_target",
	    "default_ar_penalty", "default_ar_grace"};
	/* reticulum-transport.md 8.6 */
	static const uint32_t built_in[] = {3600, 0, 5};
	int64_t n;
	int rc;

	for (size_t i = 0; i < 3; i++) {
		ar[i] = built_in[i];
		if ((rc = conf_get_int(&r->v, keys[i], NAT, &n)) < 0)
			return -1;
		if (rc > 0 && n > 0)
			ar[i] = (uint32_t)n;
	}
	return 0;
}

static int
read_main(struct reader *r, uint32_t ar[3])
{
	char name[UNIX_NAME_MAX + 1];
	struct conf_section none = {.name = "reticulum"};

	TAILQ_INIT(&none.sections);
	TAILQ_INIT(&none.entries);
	r->v.sec = conf_section(confobj_root(r->v.tree), "reticulum");
	if (r->v.sec == NULL)
		r->v.sec = &none;
	r->where = "[reticulum]";
	if (read_knobs(r, main_knobs, NELEM(main_knobs), r->c) < 0 ||
	    read_share_type(r) < 0 || read_rpc_key(r) < 0 ||
	    read_sources(r) < 0 || read_default_ar(r, ar) < 0)
		return -1;
	if (rnsconf_socket_name(r->c, true, name, sizeof(name)) == 0) {
		conf_error(r->v.err, conf_line(&r->v, "instance_name"),
		    "at most 99 bytes", "\"instance_name\" is too long");
		return -1;
	}
	return note_unknown(r);
}

/* ---- interfaces ---- */

static const struct knob common_knobs[] = {
	{"outgoing", K_BOOL, FIELD(rnsconf_if, outgoing), 0, 0},
	{"gravity", K_INT, FIELD(rnsconf_if, gravity), INT32_MIN, INT32_MAX},
	{"recursive_prs", K_BOOL, FIELD(rnsconf_if, recursive_prs), 0, 0},
	{"networkname", K_TEXT, FIELD(rnsconf_if, network_name), 0, 0},
	{"network_name", K_TEXT, FIELD(rnsconf_if, network_name), 0, 0},
	{"pass_phrase", K_TEXT, FIELD(rnsconf_if, passphrase), 0, 0},
	{"passphrase", K_TEXT, FIELD(rnsconf_if, passphrase), 0, 0},
	UNBUILT_BOOL("bootstrap_only"),
	UNBUILT_BOOL("announces_to_internal"),
	UNBUILT_BOOL("discoverable"),
	INGRESS_KNOBS,
};

/* Count only when discoverable is yes, and that has a note already. */
static const char *const discovery_keys[] = {"announce_interval",
    "discovery_stamp_value", "discovery_name", "reachable_on", "location_cmd",
    "discovery_encrypt", "publish_ifac", "latitude", "longitude", "height",
    "discovery_lxmf_address", "discovery_frequency", "discovery_bandwidth",
    "discovery_modulation", "ignore_config_warnings", "ingress_control"};

static const struct knob server_knobs[] = {
	{"listen_ip", K_TEXT, FIELD(rnsconf_if, listen_ip), 0, 0},
	{"port", K_INT, FIELD(rnsconf_if, listen_port), PORT},
	{"listen_port", K_INT, FIELD(rnsconf_if, listen_port), PORT},
	{"device", K_TEXT, FIELD(rnsconf_if, device), 0, 0},
	{"prefer_ipv6", K_BOOL, FIELD(rnsconf_if, prefer_ipv6), 0, 0},
	{"i2p_tunneled", K_BOOL, FIELD(rnsconf_if, i2p_tunneled), 0, 0},
};

static const struct knob client_knobs[] = {
	{"target_host", K_TEXT, FIELD(rnsconf_if, target_host), 0, 0},
	{"target_port", K_INT, FIELD(rnsconf_if, target_port), PORT},
	{"kiss_framing", K_BOOL, FIELD(rnsconf_if, kiss_framing), 0, 0},
	{"i2p_tunneled", K_BOOL, FIELD(rnsconf_if, i2p_tunneled), 0, 0},
	{"max_reconnect_tries", K_INT, FIELD(rnsconf_if, max_reconnect_tries),
	    NAT},
	{"fixed_mtu", K_INT, FIELD(rnsconf_if, fixed_mtu), RNS_MTU, 524288},
};

static const struct {
	const char *text;
	enum rnsconf_type type;
} types[] = {
	{"TCPServerInterface", RNSCONF_TCP_SERVER},
	{"TCPClientInterface", RNSCONF_TCP_CLIENT},
	{"AutoInterface", RNSCONF_UNSUPPORTED},
	{"UDPInterface", RNSCONF_UNSUPPORTED},
	{"BackboneInterface", RNSCONF_UNSUPPORTED},
	{"BackboneClientInterface", RNSCONF_UNSUPPORTED},
	{"I2PInterface", RNSCONF_UNSUPPORTED},
	{"SerialInterface", RNSCONF_UNSUPPORTED},
	{"PipeInterface", RNSCONF_UNSUPPORTED},
	{"KISSInterface", RNSCONF_UNSUPPORTED},
	{"AX25KISSInterface", RNSCONF_UNSUPPORTED},
	{"RNodeInterface", RNSCONF_UNSUPPORTED},
	{"RNodeMultiInterface", RNSCONF_UNSUPPORTED},
	{"WeaveInterface", RNSCONF_UNSUPPORTED},
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

static int
read_mode(struct reader *r, struct rnsconf_if *i)
{
	const char *v = NULL, *w;
	const char *key = "mode";
	int rc;

	if (conf_get_text(&r->v, "mode", &v) < 0 ||
	    (rc = conf_get_text(&r->v, "interface_mode", &w)) < 0)
		return -1;
	if (rc > 0) {
		v = w;
		key = "interface_mode";
	}
	if (v == NULL)
		return 0;
	for (size_t k = 0; k < NELEM(modes); k++) {
		if (strcasecmp(v, modes[k].text) == 0) {
			i->mode = modes[k].mode;
			return 0;
		}
	}
	return note(r, conf_line(&r->v, key), "%s: unknown mode \"%s\", full is "
	    "used", r->where, v);
}

/* bitrate, announce_cap, ifac_size: odd ranges. */
static int
read_numbers(struct reader *r, struct rnsconf_if *i)
{
	int64_t n;
	double d;
	int rc;

	if ((rc = conf_get_int(&r->v, "bitrate", 0, INT64_MAX, &n)) < 0)
		return -1;
	if (rc > 0 && n >= 5) /* MINIMUM_BITRATE, reticulum-transport.md 1.1 */
		i->bitrate = (uint64_t)n;
	if ((rc = conf_get_float(&r->v, "announce_cap", &d)) < 0)
		return -1;
	if (rc > 0 && d > 0 && d <= 100)
		i->announce_cap_permille = (uint32_t)MAX_OF(d * 10, 1.0);
	if (i->network_name != NULL || i->passphrase != NULL)
		i->ifac_size = 16; /* TCP, reticulum-transport.md 8.3 */
	if ((rc = conf_get_int(&r->v, "ifac_size", 0, 512, &n)) < 0)
		return -1;
	if (rc > 0 && n >= 8 && i->ifac_size > 0)
		i->ifac_size = (unsigned)n / 8;
	return 0;
}

/* reticulum-transport.md 8.6: without transport there is no target. */
static int
read_announce_rate(struct reader *r, struct rnsconf_if *i,
    const uint32_t ar[3])
{
	int64_t target, penalty = 0, grace = 0;
	int has_target, has_penalty, has_grace;

	if ((has_target = conf_get_int(&r->v, "announce_rate_target", NAT, &target)) <
	    0 || (has_penalty = conf_get_int(&r->v, "announce_rate_penalty", NAT,
	    &penalty)) < 0 ||
	    (has_grace = conf_get_int(&r->v, "announce_rate_grace", NAT, &grace)) < 0)
		return -1;
	if (has_target > 0 && target > 0) {
		i->ar_target_s = (uint32_t)target;
		i->ar_penalty_s = (uint32_t)penalty;
		i->ar_grace = (uint32_t)grace;
	} else if (r->c->enable_transport) {
		i->ar_target_s = ar[0];
		i->ar_penalty_s = has_penalty > 0 ? (uint32_t)penalty : ar[1];
		i->ar_grace = has_grace > 0 ? (uint32_t)grace : ar[2];
	}
	return 0;
}

static int
read_tcp(struct reader *r, struct rnsconf_if *i)
{
	int64_t timeout;

	if (i->type == RNSCONF_TCP_SERVER) {
		if (read_knobs(r, server_knobs, NELEM(server_knobs), i) < 0)
			return -1;
		if (i->listen_port == 0 ||
		    (i->listen_ip == NULL && i->device == NULL)) {
			conf_error(r->v.err, i->line, "give listen_ip and "
			    "listen_port", "interface \"%s\" does not say "
			    "where to listen", i->name);
			return -1;
		}
		return 0;
	}
	if (read_knobs(r, client_knobs, NELEM(client_knobs), i) < 0 ||
	    conf_get_int(&r->v, "connect_timeout", NAT, &timeout) < 0)
		return -1;
	if (i->target_host == NULL || i->target_port == 0) {
		conf_error(r->v.err, i->line, "give target_host and "
		    "target_port", "interface \"%s\" does not say where to "
		    "connect", i->name);
		return -1;
	}
	return 0;
}

static int
read_internal(struct reader *r)
{
	bool from = true;

	if (conf_get_bool(&r->v, "announces_from_internal", &from) < 0)
		return -1;
	if (from)
		return 0;
	return note(r, conf_line(&r->v, "announces_from_internal"), "%s: \"%s\" is "
	    "not supported by this version and has no effect", r->where,
	    "announces_from_internal");
}

static enum rnsconf_type
type_of(const char *text)
{
	for (size_t k = 0; k < NELEM(types); k++)
		if (strcmp(text, types[k].text) == 0)
			return types[k].type;
	return RNSCONF_UNKNOWN;
}

static int
read_if(struct reader *r, struct rnsconf_if *i, const uint32_t ar[3])
{
	bool a = false, b = false;
	struct conf_entry *e;
	int rc;

	if ((rc = conf_get_text(&r->v, "type", &i->type_text)) < 0 ||
	    conf_get_bool(&r->v, "enabled", &a) < 0 ||
	    conf_get_bool(&r->v, "interface_enabled", &b) < 0)
		return -1;
	if (!a && !b) /* Reticulum does not look at the rest either */
		return 0;
	if (rc == 0) {
		conf_error(r->v.err, i->line, "add a line such as type = "
		    "TCPClientInterface", "interface \"%s\" has no type",
		    i->name);
		return -1;
	}
	i->type = type_of(i->type_text);
	if (i->type == RNSCONF_UNKNOWN || i->type == RNSCONF_UNSUPPORTED)
		return note(r, i->line, i->type == RNSCONF_UNKNOWN ?
		    "interface %s: unknown type \"%s\", skipped" :
		    "interface %s: type \"%s\" is not supported by this "
		    "version, skipped", i->name, i->type_text);
	i->enabled = true;
	for (size_t k = 0; k < NELEM(discovery_keys); k++)
		if ((e = conf_entry(r->v.sec, discovery_keys[k])) != NULL)
			e->used = true;
	if (read_knobs(r, common_knobs, NELEM(common_knobs), i) < 0 ||
	    read_mode(r, i) < 0 || read_numbers(r, i) < 0 ||
	    read_announce_rate(r, i, ar) < 0 || read_internal(r) < 0 ||
	    read_tcp(r, i) < 0)
		return -1;
	return note_unknown(r);
}

static int
read_interfaces(struct reader *r, const uint32_t ar[3])
{
	const struct conf_section *all, *s;
	struct rnsconf_if *i;
	unsigned n = 0;

	all = conf_section(confobj_root(r->v.tree), "interfaces");
	if (all == NULL)
		return 0;
	TAILQ_FOREACH(s, &all->sections, link)
		n++;
	if (n == 0)
		return 0;
	if ((r->c->ifs = calloc(n, sizeof(*r->c->ifs))) == NULL) {
		conf_error(r->v.err, 0, "", "out of memory");
		return -1;
	}
	TAILQ_FOREACH(s, &all->sections, link) {
		i = &r->c->ifs[r->c->nifs];
		*i = (struct rnsconf_if){
			.index = r->c->nifs,
			.line = s->line,
			.name = s->name,
			.type_text = "",
			.mode = RNS_MODE_FULL,
			.outgoing = true,
			.announce_cap_permille = 20,
			.gravity = r->c->default_gravity,
		};
		r->c->nifs++;
		r->v.sec = s;
		r->where = s->name;
		if (read_if(r, i, ar) < 0)
			return -1;
	}
	return 0;
}

/* Sections at the top that Reticulum does not know. */
static int
note_sections(struct reader *r)
{
	static const char *known[] = {"logging", "reticulum", "interfaces",
	    "DEFAULT"};
	const struct conf_section *s;
	size_t k;

	TAILQ_FOREACH(s, &confobj_root(r->v.tree)->sections, link) {
		for (k = 0; k < NELEM(known); k++)
			if (strcmp(s->name, known[k]) == 0)
				break;
		if (k == NELEM(known) && note(r, s->line, "%s: section [%s] "
		    "is ignored", "config", s->name) < 0)
			return -1;
	}
	return 0;
}

int
rnsconf_parse(struct rnsconf **out, const char *text, size_t len,
    struct conf_err *err)
{
	struct rnsconf *c;
	struct reader r;
	uint32_t ar[3];

	if ((c = calloc(1, sizeof(*c))) == NULL) {
		conf_error(err, 0, "", "out of memory");
		return -1;
	}
	c->loglevel = 3;
	c->share_instance = true;
	c->instance_name = "default";
	c->shared_instance_port = 37428;
	c->instance_control_port = 37429;
	c->link_mtu_discovery = true;
	c->use_implicit_proof = true;
	if (confobj_parse(&c->tree, text, len, err) < 0)
		goto bad;
	r = (struct reader){.c = c, .v = {.tree = c->tree, .err = err}};
	if (read_logging(&r) < 0 || read_main(&r, ar) < 0 ||
	    read_interfaces(&r, ar) < 0 || note_sections(&r) < 0)
		goto bad;
	*out = c;
	return 0;
bad:
	rnsconf_free(c);
	return -1;
}

void
rnsconf_free(struct rnsconf *c)
{
	if (c == NULL)
		return;
	confobj_free(c->tree);
	free(c->ifs);
	free(c->notes);
	free(c->blackhole_sources);
	explicit_bzero(c, sizeof(*c));
	free(c);
}

void
rnsconf_if_display(const struct rnsconf_if *i, char *out, size_t cap)
{
	const bool server = i->type == RNSCONF_TCP_SERVER;
	const char *host = server ? i->listen_ip : i->target_host;
	bool v6;

	if (host == NULL)
		host = i->device != NULL ? i->device : "";
	v6 = strchr(host, ':') != NULL;
	(void)snprintf(out, cap, "%s[%s/%s%s%s:%u]",
	    server ? "TCPServerInterface" : "TCPInterface", i->name,
	    v6 ? "[" : "", host, v6 ? "]" : "",
	    server ? i->listen_port : i->target_port);
}

size_t
rnsconf_socket_name(const struct rnsconf *c, bool rpc, char *out, size_t cap)
{
	int n;

	n = snprintf(out, cap, "rns/%s%s", c->instance_name,
	    rpc ? "/rpc" : "");
	return n < 0 || (size_t)n >= cap || n > UNIX_NAME_MAX ? 0 : (size_t)n;
}
