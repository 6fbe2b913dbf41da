/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/config/rnsconf_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * RNodeInterface, RNodeMultiInterface, WeaveInterface:
 * reticulum-transport.md 10.8, 10.9, 10.11
 */
#define SPEED 115200
#define WEAVE_SPEED 3000000
#define TCP_PORT 7633
#define CALLSIGN_MAX 32
#define INTERVAL_MOST 31536000 /* ours: a year */
#define HZ_LEAST 137000000
#define HZ_MOST 3000000000
#define BANDWIDTH 7800, 1625000
#define LIMIT_MOST 100.0 /* per cent */

static const struct knob radio_knobs[] = {
	{"frequency", K_INT, FIELD(rnsconf_radio, frequency), HZ_LEAST,
	    HZ_MOST},
	{"bandwidth", K_INT, FIELD(rnsconf_radio, bandwidth), BANDWIDTH},
	{"spreadingfactor", K_INT, FIELD(rnsconf_radio, sf), 5, 12},
	{"codingrate", K_INT, FIELD(rnsconf_radio, cr), 5, 8},
	{"flow_control", K_BOOL, FIELD(rnsconf_radio, flow_control), 0, 0},
};

static const struct {
	const char *key, *example;
} required[] = {
	{"frequency", "868200000"},
	{"bandwidth", "125000"},
	{"spreadingfactor", "8"},
	{"codingrate", "5"},
};

/* It has no default that could be meant: a radio is not to be guessed. */
static void
need_all(struct reader *r)
{
	char hint[120];
	const struct conf_entry *e;

	for (size_t k = 0; k < NELEM(required); k++) {
		if (conf_entry(r->v.sec, required[k].key) != NULL)
			continue;
		if ((e = conf_misspelt(&r->v, required[k].key)) != NULL)
			(void)snprintf(hint, sizeof(hint), "did you mean it by "
			    "\"%.60s\" in line %u?", e->key, e->line);
		else
			(void)snprintf(hint, sizeof(hint), "add a line %s = "
			    "%s", required[k].key, required[k].example);
		if (!r->torn)
			mistake_add(r->v.m, r->v.sec->line, 1, hint,
			    "%s has no \"%s\"", r->where, required[k].key);
	}
}

static void
read_limit(struct reader *r, const char *key, bool *limited, uint16_t *out)
{
	double d;

	if (conf_get_float(&r->v, key, &d) <= 0)
		return;
	if (!(d >= 0 && d <= LIMIT_MOST)) {
		mistake_add(r->v.m, conf_line(&r->v, key), 1,
		    "per cent, from 0 to 100", "\"%s\" is out of range", key);
		return;
	}
	*limited = true;
	*out = (uint16_t)(d * 100);
}

static void
read_radio(struct reader *r, struct rnsconf_radio *radio, int least_dbm)
{
	const struct knob power = {"txpower", K_INT,
	    FIELD(rnsconf_radio, txpower), least_dbm, 37};

	rnsconf_knobs(r, radio_knobs, NELEM(radio_knobs), radio);
	rnsconf_knobs(r, &power, 1, radio);
	if (conf_entry(r->v.sec, "txpower") == NULL && !r->torn)
		rnsconf_note(r, r->v.sec->line, "add a line such as txpower = "
		    "7, in dBm", "%s has no \"txpower\": 0 dBm is used",
		    r->where);
	read_limit(r, "airtime_limit_short", &radio->st_limited,
	    &radio->st_limit);
	read_limit(r, "airtime_limit_long", &radio->lt_limited,
	    &radio->lt_limit);
	need_all(r);
}

/* ---- where it is ---- */

static bool
begins(const char *v, const char *with)
{
	return strncasecmp(v, with, strlen(with)) == 0;
}

/* "HOST", "HOST:PORT", "[ADDR]:PORT", or an IPv6 address alone. */
static bool
split_host(struct reader *r, struct rnsconf_if *i, const char *v)
{
	const char *end = v + strlen(v), *colon = strrchr(v, ':');
	char *rest = NULL;
	long port = TCP_PORT;

	if (*v == '[') {
		end = strchr(++v, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return false;
		colon = end[1] == ':' ? end + 1 : NULL;
	} else if (colon != NULL && strchr(v, ':') != colon) {
		colon = NULL;
	} else if (colon != NULL) {
		end = colon;
	}
	if (colon != NULL) {
		port = strtol(colon + 1, &rest, 10);
		if (colon[1] < '0' || colon[1] > '9' || *rest != '\0')
			return false;
	}
	if (end == v || port < 1 || port > 65535 || strcspn(v, "/ ") <
	    (size_t)(end - v))
		return false;
	i->target_port = (uint16_t)port;
	i->target_host = conf_keep(r->v.tree, v, (size_t)(end - v));
	if (i->target_host == NULL)
		rnsconf_no_memory(r);
	return true;
}

static void
read_port(struct reader *r, struct rnsconf_if *i)
{
	const unsigned line = conf_line(&r->v, "port");
	const char *v;

	if (conf_get_text(&r->v, "port", &v) <= 0 || (!begins(v, "tcp://") &&
	    !begins(v, "ble://"))) {
		rnsconf_read_port(r, i, false);
		i->speed = SPEED;
		return;
	}
	if (begins(v, "ble://"))
		mistake_add(r->v.m, line, 1, "connect it with a cable, port = "
		    "/dev/serial/by-id/..., or over WiFi, port = tcp://HOST",
		    "%s: port \"%.60s\": Bluetooth is not built in", r->where,
		    v);
	else if (!split_host(r, i, v + strlen("tcp://")))
		mistake_add(r->v.m, line, 1, "tcp://HOST, or tcp://HOST:PORT "
		    "when it is not 7633", "%s: port \"%.60s\" is no address",
		    r->where, v);
}

/* ---- its call sign ---- */

static void
read_call_sign(struct reader *r, struct rnsconf_if *i)
{
	const char *v = NULL;
	uint32_t n = 0;
	int said, every;

	said = conf_get_text(&r->v, "id_callsign", &v);
	every = rnsconf_id_interval(r, INTERVAL_MOST, &n);
	if (said < 0 || every < 0)
		return;
	if (said > 0 && *v == '\0') {
		rnsconf_note(r, conf_line(&r->v, "id_callsign"), "write your "
		    "call sign, or take the line out", "%s: id_callsign is "
		    "empty, and none is sent", r->where);
		return;
	}
	if (said > 0 && strlen(v) > CALLSIGN_MAX) {
		mistake_add(r->v.m, conf_line(&r->v, "id_callsign"), 1,
		    "1 to 32 bytes", "%s: id_callsign \"%.60s\" cannot be "
		    "sent", r->where, v);
		return;
	}
	if ((said > 0) != (every > 0)) {
		rnsconf_note(r, conf_line(&r->v, said > 0 ? "id_callsign" :
		    "id_interval"), "add the other", "%s: id_callsign and "
		    "id_interval have an effect only together", r->where);
		return;
	}
	if (said > 0) {
		i->id_callsign = v;
		i->id_interval_s = n;
	}
}

void
rnsconf_read_rnode(struct reader *r, struct rnsconf_if *i)
{
	i->radios = (void *)conf_keep(r->v.tree, NULL, sizeof(*i->radios));
	if (i->radios == NULL) {
		rnsconf_no_memory(r);
		return;
	}
	i->nradios = 1;
	i->radios[0].name = i->name;
	i->radios[0].outgoing = i->outgoing;
	read_port(r, i);
	read_radio(r, &i->radios[0], 0);
	read_call_sign(r, i);
}

/* ---- several radios ---- */

/*
 * Reticulum takes all while the section above says enabled = yes; what says no
 * itself stays off here, since somebody has written so.
 */
static bool
wanted(struct reader *r, bool all)
{
	bool a = all, b = false;
	int said;

	said = conf_get_bool(&r->v, "interface_enabled", &a);
	if (conf_get_bool(&r->v, "enabled", &b) > 0 && said == 0)
		a = b;
	if (all && !a && !b)
		rnsconf_note(r, r->v.sec->line, "take the section out to be "
		    "sure", "%s is off here, and rnsd would use it", r->where);
	return a || b;
}

static void
read_sub(struct reader *r, struct rnsconf_if *i)
{
	static const struct knob knobs[] = {
		{"vport", K_INT, FIELD(rnsconf_radio, vport), 0,
		    RNSCONF_RADIOS - 1},
		{"outgoing", K_BOOL, FIELD(rnsconf_radio, outgoing), 0, 0},
	};
	struct rnsconf_radio *radio = &i->radios[i->nradios];
	const unsigned line = r->v.sec->line;

	if (i->nradios == RNSCONF_RADIOS) {
		mistake_add(r->v.m, line, 1, "no device has more: take one "
		    "out", "%s: more than %d radios", r->where,
		    RNSCONF_RADIOS);
		return;
	}
	radio->name = r->v.sec->name;
	radio->outgoing = true;
	rnsconf_knobs(r, knobs, NELEM(knobs), radio);
	if (conf_entry(r->v.sec, "vport") == NULL && !r->torn)
		mistake_add(r->v.m, line, 1, "add a line vport = 0, its number "
		    "in the device", "%s has no \"vport\"", r->where);
	read_radio(r, radio, -9);
	rnsconf_unknown(r);
	for (unsigned k = 0; k < i->nradios; k++)
		if (i->radios[k].vport == radio->vport)
			mistake_add(r->v.m, line, 1, "each radio has one "
			    "section", "%s: vport %u is that of \"%.60s\"",
			    r->where, radio->vport, i->radios[k].name);
	i->nradios++;
}

/* What would be of no use if it was switched on. */
static void
read_sub_off(struct reader *r, const struct rnsconf_if *i)
{
	struct rnsconf_radio radio = {0};
	struct rnsconf_if would = *i;
	struct mistakes m = {0};
	struct mistakes *own = r->v.m;

	would.radios = &radio;
	would.nradios = 0;
	r->v.m = &m;
	read_sub(r, &would);
	r->v.m = own;
	rnsconf_as_notes(r, &m);
}

static void
read_subs(struct reader *r, struct rnsconf_if *i)
{
	const struct conf_section *own = r->v.sec, *s;
	const char *was = r->where;
	const struct conf_asked asked = *r->v.asked;
	char where[300];
	bool all = false;

	/* that counts for all, whatever "interface_enabled" says */
	if (conf_get_bool(&r->v, "enabled", &all) > 0 && !i->on)
		all = true; /* if it was switched on */
	TAILQ_FOREACH(s, &own->sections, link) {
		if (s->broken)
			continue;
		(void)snprintf(where, sizeof(where), "%.180s, \"%.90s\"", was,
		    s->name);
		rnsconf_enter(r, s, where);
		if (wanted(r, all))
			read_sub(r, i);
		else
			read_sub_off(r, i);
	}
	rnsconf_enter(r, own, was);
	*r->v.asked = asked;
}

void
rnsconf_read_rnode_multi(struct reader *r, struct rnsconf_if *i)
{
	i->radios = (void *)conf_keep(r->v.tree, NULL, RNSCONF_RADIOS *
	    sizeof(*i->radios));
	if (i->radios == NULL) {
		rnsconf_no_memory(r);
		return;
	}
	read_port(r, i);
	read_call_sign(r, i);
	read_subs(r, i);
	if (i->nradios == 0 && !r->torn)
		mistake_add(r->v.m, i->line, 1, "add [[[NAME]]] with vport, "
		    "frequency and the like for each radio", "%s has no radio "
		    "that is enabled", r->where);
}

/* ---- Weave: a port, and no more ---- */

void
rnsconf_read_weave(struct reader *r, struct rnsconf_if *i)
{
	rnsconf_read_port(r, i, false);
	i->speed = WEAVE_SPEED;
}
