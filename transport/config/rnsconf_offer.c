/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/config/rnsconf_read.h"

#include <string.h>

/* What is said of an interface to others: reticulum-transport.md 7.8, 8.7. */
#define COST_DEFAULT 16     /* bits */
#define COST_MOST 40        /* ours: some hours of a fast machine */
#define INTERVAL_LEAST 5    /* minutes */
#define INTERVAL_DEFAULT 360

static const struct knob offer_knobs[] = {
	{"discovery_name", K_TEXT, FIELD(rnsconf_offer, name), 0, 0},
	{"reachable_on", K_TEXT, FIELD(rnsconf_offer, reachable_on), 0, 0},
	{"discovery_encrypt", K_BOOL, FIELD(rnsconf_offer, encrypt), 0, 0},
	{"publish_ifac", K_BOOL, FIELD(rnsconf_offer, publish_ifac), 0, 0},
	{"discovery_frequency", K_INT, FIELD(rnsconf_offer, frequency), 0,
	    INT64_MAX},
	{"discovery_bandwidth", K_INT, FIELD(rnsconf_offer, bandwidth), 0,
	    INT64_MAX},
	{"discovery_modulation", K_TEXT, FIELD(rnsconf_offer, modulation), 0,
	    0},
};

static const char *const place_keys[] = {"latitude", "longitude", "height"};

static void
read_place(struct reader *r, struct rnsconf_offer *o)
{
	for (unsigned i = 0; i < NELEM(place_keys); i++)
		o->placed[i] = conf_get_float(&r->v, place_keys[i],
		    &o->place[i]) > 0;
	(void)conf_get_text(&r->v, "location_cmd", &o->location_cmd);
}

static void
read_operator(struct reader *r, struct rnsconf_offer *o)
{
	const char *v;

	if (conf_get_text(&r->v, "discovery_lxmf_address", &v) <= 0)
		return;
	o->has_operator = hex_decode(o->operator_lxmf.b,
	    sizeof(o->operator_lxmf.b), v, strlen(v));
	if (!o->has_operator)
		rnsconf_note(r, conf_line(&r->v, "discovery_lxmf_address"),
		    "32 hex digits", "%s: discovery_lxmf_address \"%.60s\" is "
		    "no address and is left out", r->where, v);
}

/* It is run by the parent, which has its own folder. */
static void
note_program(struct reader *r, const char *key, const char *path)
{
	if (*path != '/' && strncmp(path, "~/", 2) != 0)
		rnsconf_note(r, conf_line(&r->v, key), "write the whole path, "
		    "from / or ~/ on", "%s: %s \"%.60s\" cannot be run",
		    r->where, key, path);
}

static bool
is_rnode(const struct rnsconf_if *i)
{
	return i->type == RNSCONF_RNODE || i->type == RNSCONF_RNODE_MULTI;
}

/* What would keep it from being offered, or offers less than was meant. */
static void
note_offer(struct reader *r, struct rnsconf_if *i)
{
	struct rnsconf_offer *o = &i->offer;
	const char *at = o->reachable_on;

	if (i->type == RNSCONF_RNODE_MULTI) {
		rnsconf_note(r, conf_line(&r->v, "discoverable"), "only an "
		    "RNodeInterface is announced", "%s is not announced: it "
		    "has several radios", r->where);
	} else if (i->type == RNSCONF_I2P) {
		if (!i->connectable)
			rnsconf_note(r, conf_line(&r->v, "discoverable"),
			    "add connectable = yes", "%s is not announced: "
			    "nobody can connect to it", r->where);
	} else if (at != NULL && strchr(at, '/') != NULL) {
		note_program(r, "reachable_on", at);
		o->reachable_cmd = at;
		o->reachable_on = NULL;
	} else if (at == NULL && !i->kiss_framing && !is_rnode(i) &&
	    i->type != RNSCONF_WEAVE) {
		rnsconf_note(r, conf_line(&r->v, "discoverable"),
		    "add reachable_on = the address or name that others reach",
		    "%s is not announced: it has no \"reachable_on\"",
		    r->where);
	}
	if (o->location_cmd != NULL)
		note_program(r, "location_cmd", o->location_cmd);
	if (o->publish_ifac && i->network_name == NULL &&
	    i->passphrase == NULL) {
		rnsconf_note(r, conf_line(&r->v, "publish_ifac"), NULL,
		    "%s: there is no access code to publish", r->where);
		o->publish_ifac = false;
	}
}

/*
 * Who invites strangers looks for paths for them (reticulum-transport.md 8.2).
 */
static void
offer_mode(struct reader *r, struct rnsconf_if *i)
{
	const struct conf_entry *said = conf_entry(r->v.sec, "mode");
	bool as_it_is = false;

	(void)conf_get_bool(&r->v, "ignore_config_warnings", &as_it_is);
	if (as_it_is || i->mode == RNS_MODE_GATEWAY || i->mode == RNS_MODE_AP ||
	    i->mode == RNS_MODE_INTERNAL)
		return;
	i->mode = is_rnode(i) ? RNS_MODE_AP : RNS_MODE_GATEWAY;
	if (said != NULL || (said = conf_entry(r->v.sec,
	    "interface_mode")) != NULL)
		rnsconf_note(r, said->line, is_rnode(i) ? "write mode = "
		    "access_point, or ignore_config_warnings = yes" :
		    "write mode = gateway, or ignore_config_warnings = yes",
		    "%s is discoverable: its mode is %s", r->where,
		    is_rnode(i) ? "access_point" : "gateway");
}

void
rnsconf_read_offer(struct reader *r, struct rnsconf_if *i)
{
	static const char *const keys[] = {"announce_interval",
	    "discovery_stamp_value", "discovery_lxmf_address", "location_cmd"};
	struct rnsconf_offer *o = &i->offer;
	int64_t n;

	(void)conf_get_bool(&r->v, "discoverable", &o->on);
	if (!o->on) { /* Reticulum does not look at the others */
		for (size_t k = 0; k < NELEM(keys); k++)
			(void)conf_ask(&r->v, keys[k]);
		for (size_t k = 0; k < NELEM(offer_knobs); k++)
			(void)conf_ask(&r->v, offer_knobs[k].key);
		for (size_t k = 0; k < NELEM(place_keys); k++)
			(void)conf_ask(&r->v, place_keys[k]);
		return;
	}
	o->interval_min = INTERVAL_DEFAULT;
	o->cost = COST_DEFAULT;
	if (conf_get_int(&r->v, "announce_interval", INT32_MIN, INT32_MAX,
	    &n) > 0)
		o->interval_min = (uint32_t)MAX_OF(n, INTERVAL_LEAST);
	if (conf_get_int(&r->v, "discovery_stamp_value", INT32_MIN, INT32_MAX,
	    &n) > 0 && n > 0)
		o->cost = (unsigned)MIN_OF(n, COST_MOST);
	if (o->cost != COST_DEFAULT && n > COST_MOST)
		rnsconf_note(r, conf_line(&r->v, "discovery_stamp_value"),
		    "16 is usual; each more takes twice as long", "%s: a stamp "
		    "of %lld bits cannot be made, %u is used", r->where,
		    (long long)n, COST_MOST);
	rnsconf_knobs(r, offer_knobs, NELEM(offer_knobs), o);
	read_place(r, o);
	read_operator(r, o);
	offer_mode(r, i);
	note_offer(r, i);
}
