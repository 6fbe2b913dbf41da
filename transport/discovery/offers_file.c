/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/discovery/offers.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/mpk.h"

/*
 * A record of storage/discovery/interfaces: members, their order and their
 * types as rnsd writes them, so that rnstatus reads ours and we read its.
 */
#define TIME_MAX_S 4.0e12 /* ours: fits in microseconds with room */

static const char *const number_names[OFFER_NUMBERS] = {
	[OFFER_FREQUENCY] = "frequency",
	[OFFER_BANDWIDTH] = "bandwidth",
	[OFFER_SF] = "sf",
	[OFFER_CR] = "cr",
	[OFFER_CHANNEL] = "channel",
	[OFFER_MODULATION] = "modulation",
};
static const char *const place_names[OFFER_PLACES] = {
	[OFFER_LATITUDE] = "latitude",
	[OFFER_LONGITUDE] = "longitude",
	[OFFER_HEIGHT] = "height",
};

/* Which numbers a type has, in their order. */
static const struct {
	unsigned n;
	enum offer_number list[4];
} type_numbers[OFFER_TYPES] = {
	[OFFER_RNODE] = {4, {OFFER_FREQUENCY, OFFER_BANDWIDTH, OFFER_SF,
	    OFFER_CR}},
	[OFFER_WEAVE] = {4, {OFFER_FREQUENCY, OFFER_BANDWIDTH, OFFER_CHANNEL,
	    OFFER_MODULATION}},
	[OFFER_KISS] = {3, {OFFER_FREQUENCY, OFFER_BANDWIDTH,
	    OFFER_MODULATION}},
};

static bool
has_host(enum offer_type t)
{
	return t == OFFER_BACKBONE || t == OFFER_TCP_SERVER || t == OFFER_I2P;
}

static bool
has_port(enum offer_type t)
{
	return t == OFFER_BACKBONE || t == OFFER_TCP_SERVER;
}

/* ---- the section that would connect to it ---- */

struct text {
	char *p;
	size_t cap, len;
};

static void line(struct text *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

static void
line(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->p + t->len, t->cap - t->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->len += MIN_OF((size_t)n, t->cap - t->len - 1);
}

static void
number_line(struct text *t, const char *what, const struct offer *o,
    enum offer_number i)
{
	if (o->numbered[i])
		line(t, "\n  %s%" PRIu64, what, o->number[i]);
	else if (i == OFFER_MODULATION && *o->modulation != '\0')
		line(t, "\n  %s%s", what, o->modulation);
	else
		line(t, "\n  %sNone", what);
}

static void
radio_lines(struct text *t, const struct offer *o)
{
	line(t, "\n  port = ");
	if (o->type == OFFER_RNODE) {
		number_line(t, "frequency = ", o, OFFER_FREQUENCY);
		number_line(t, "bandwidth = ", o, OFFER_BANDWIDTH);
		number_line(t, "spreadingfactor = ", o, OFFER_SF);
		number_line(t, "codingrate = ", o, OFFER_CR);
		line(t, "\n  txpower = ");
	} else if (o->type == OFFER_KISS) {
		number_line(t, "# Frequency: ", o, OFFER_FREQUENCY);
		number_line(t, "# Bandwidth: ", o, OFFER_BANDWIDTH);
		number_line(t, "# Modulation: ", o, OFFER_MODULATION);
	}
}

size_t
offers_config(char *out, size_t cap, const struct offer *o)
{
	char id[2 * RNS_HASH + 1];
	struct text t = {out, cap, 0};

	/* a TCP server is reached by a Backbone client too, and faster */
	line(&t, "[[%s]]\n  type = %s\n  enabled = yes", o->name,
	    offer_type_name(o->type == OFFER_TCP_SERVER ? OFFER_BACKBONE :
	    o->type));
	if (o->type == OFFER_I2P)
		line(&t, "\n  peers = %s.b32.i2p", o->host);
	else if (has_host(o->type))
		line(&t, "\n  remote = %s\n  target_port = %u", o->host,
		    o->port);
	else
		radio_lines(&t, o);
	hex_encode(id, HASH_BYTES(o->transport_id));
	if (has_host(o->type) || o->type == OFFER_KISS)
		line(&t, "\n  transport_identity = %s", id);
	if (*o->netname != '\0')
		line(&t, "\n  network_name = %s", o->netname);
	if (*o->netkey != '\0')
		line(&t, "\n  passphrase = %s", o->netkey);
	return t.len;
}

/* ---- writing ---- */

static void
put_hex(struct wr *w, const char *key, const struct hash16 *hash)
{
	char hex[2 * RNS_HASH + 1];

	hex_encode(hex, HASH_BYTES(*hash));
	mpk_put_str(w, key);
	mpk_put_str(w, hex);
}

static void
put_time(struct wr *w, const char *key, int64_t us)
{
	mpk_put_str(w, key);
	mpk_put_double(w, (double)us / 1e6);
}

static void
put_text(struct wr *w, const char *key, const char *text)
{
	mpk_put_str(w, key);
	if (*text == '\0')
		mpk_put_nil(w);
	else
		mpk_put_str(w, text);
}

static void
put_place(struct wr *w, const struct offer *o)
{
	for (unsigned i = 0; i < OFFER_PLACES; i++) {
		mpk_put_str(w, place_names[i]);
		if (o->placed[i])
			mpk_put_double(w, o->place[i]);
		else
			mpk_put_nil(w);
	}
}

static void
put_type(struct wr *w, const struct offer *o)
{
	if (has_host(o->type))
		put_text(w, "reachable_on", o->host);
	if (has_port(o->type)) {
		mpk_put_str(w, "port");
		mpk_put_uint(w, o->port);
	}
	for (unsigned i = 0; i < type_numbers[o->type].n; i++) {
		enum offer_number k = type_numbers[o->type].list[i];

		if (k == OFFER_MODULATION && !o->numbered[k]) {
			put_text(w, number_names[k], o->modulation);
			continue;
		}
		mpk_put_str(w, number_names[k]);
		if (o->numbered[k])
			mpk_put_uint(w, o->number[k]);
		else
			mpk_put_nil(w);
	}
}

static size_t
members_of(const struct offer *o)
{
	return 19 + o->has_operator + (*o->netname != '\0') +
	    (*o->netkey != '\0') + has_host(o->type) + has_port(o->type) +
	    type_numbers[o->type].n;
}

void
offers_put(struct wr *w, const struct offer_entry *e)
{
	const struct offer *o = &e->offer;
	char config[2048];

	mpk_put_map(w, members_of(o));
	mpk_put_str(w, "type");
	mpk_put_str(w, offer_type_name(o->type));
	put_text(w, "impl_name", o->impl);
	put_text(w, "version", o->version);
	if (o->has_operator)
		put_hex(w, "operator_lxmf_address", &o->operator_lxmf);
	mpk_put_str(w, "transport");
	mpk_put_bool(w, o->transport);
	mpk_put_str(w, "name");
	mpk_put_str(w, o->name);
	put_time(w, "received", e->heard_us);
	mpk_put_str(w, "stamp");
	mpk_put_bin(w, e->stamp, sizeof(e->stamp));
	mpk_put_str(w, "value");
	mpk_put_uint(w, e->value / STAMP_BIT);
	put_hex(w, "transport_id", &o->transport_id);
	put_hex(w, "network_id", &e->network_id);
	mpk_put_str(w, "hops");
	mpk_put_uint(w, e->hops);
	put_place(w, o);
	if (*o->netname != '\0')
		put_text(w, "ifac_netname", o->netname);
	if (*o->netkey != '\0')
		put_text(w, "ifac_netkey", o->netkey);
	put_type(w, o);
	mpk_put_str(w, "config_entry");
	mpk_put_strn(w, config, offers_config(config, sizeof(config), o));
	explicit_bzero(config, sizeof(config));
	mpk_put_str(w, "discovery_hash");
	mpk_put_bin(w, HASH_BYTES(e->id));
	put_time(w, "discovered", e->discovered_us);
	put_time(w, "last_heard", e->heard_us);
	mpk_put_str(w, "heard_count");
	mpk_put_uint(w, e->heard_count);
}

/* ---- reading ---- */

static bool
get_text(char *out, size_t cap, const struct mpk *v)
{
	if (v->type == MPK_NIL)
		return true;
	return v->type == MPK_STR && offer_text(out, cap, v);
}

/* RNS up to 1.5.4 wrote a missing one as the word None. */
static bool
get_secret(char *out, size_t cap, const struct mpk *v)
{
	if (!get_text(out, cap, v))
		return false;
	if (strcmp(out, "None") == 0)
		*out = '\0';
	return true;
}

static bool
get_hex(struct hash16 *out, const struct mpk *v)
{
	return v->type == MPK_STR && hex_decode(out->b, sizeof(out->b),
	    (const char *)v->p, v->n);
}

static bool
get_time(int64_t *us, const struct mpk *v)
{
	double s = v->type == MPK_FLOAT ? v->d :
	    v->type == MPK_UINT ? (double)v->u : -1;

	if (!(s >= 0) || s > TIME_MAX_S)
		return false;
	*us = (int64_t)(s * 1e6 + 0.5);
	return true;
}

static bool
get_number(struct offer *o, const struct mpk *name, const struct mpk *v,
    bool *mine)
{
	for (unsigned i = 0; i < OFFER_NUMBERS; i++) {
		if (!mpk_str_is(name, number_names[i]))
			continue;
		*mine = true;
		if (i == OFFER_MODULATION && v->type == MPK_STR)
			return get_text(o->modulation, sizeof(o->modulation), v);
		if (v->type != MPK_UINT)
			return v->type == MPK_NIL;
		o->numbered[i] = true;
		o->number[i] = v->u;
		return true;
	}
	for (unsigned i = 0; i < OFFER_PLACES; i++) {
		if (!mpk_str_is(name, place_names[i]))
			continue;
		*mine = true;
		if (v->type != MPK_FLOAT || !isfinite(v->d))
			return v->type == MPK_NIL;
		o->placed[i] = true;
		o->place[i] = v->d;
		return true;
	}
	return true;
}

static bool
get_uint(uint64_t *out, const struct mpk *v, uint64_t max)
{
	if (v->type != MPK_UINT || v->u > max)
		return false;
	*out = v->u;
	return true;
}

#define IS(what) mpk_str_is(name, what)

/* What is of the announce, and of the table. */
static bool
get_news(struct offer_entry *e, const struct mpk *name, const struct mpk *v)
{
	uint64_t n;

	if (IS("stamp")) {
		if (v->type != MPK_BIN || v->n != sizeof(e->stamp))
			return false;
		memcpy(e->stamp, v->p, v->n);
		return true;
	}
	if (IS("value")) {
		e->value = v->type == MPK_FLOAT ? stamp_steps(v->d) : 0;
		if (v->type == MPK_UINT)
			e->value = (uint32_t)MIN_OF(v->u, 256u) * STAMP_BIT;
		return true;
	}
	if (IS("hops")) {
		if (!get_uint(&n, v, UINT8_MAX))
			return false;
		e->hops = (uint8_t)n;
		return true;
	}
	if (IS("heard_count"))
		return get_uint(&e->heard_count, v, UINT32_MAX);
	if (IS("network_id"))
		return get_hex(&e->network_id, v);
	if (IS("discovered"))
		return get_time(&e->discovered_us, v);
	if (IS("last_heard"))
		return get_time(&e->heard_us, v);
	return true;
}

static bool
get_member(struct offer_entry *e, const struct mpk *name, const struct mpk *v,
    bool *typed)
{
	struct offer *o = &e->offer;
	bool mine = false;
	uint64_t n;

	if (IS("type")) {
		*typed = v->type == MPK_STR &&
		    offer_type_of(&o->type, (const char *)v->p, v->n);
		return *typed;
	}
	if (IS("transport")) {
		o->transport = v->type == MPK_BOOL && v->b;
		return v->type == MPK_BOOL;
	}
	if (IS("port")) {
		if (!get_uint(&n, v, UINT16_MAX))
			return false;
		o->port = (uint16_t)n;
		return true;
	}
	if (IS("reachable_on"))
		return (v->type == MPK_NIL || (v->type == MPK_STR &&
		    offer_host_ok((const char *)v->p, v->n))) &&
		    get_text(o->host, sizeof(o->host), v);
	if (IS("name"))
		return get_text(o->name, sizeof(o->name), v) && *o->name != '\0';
	if (IS("impl_name"))
		return get_text(o->impl, sizeof(o->impl), v);
	if (IS("version"))
		return get_text(o->version, sizeof(o->version), v);
	if (IS("ifac_netname"))
		return get_secret(o->netname, sizeof(o->netname), v);
	if (IS("ifac_netkey"))
		return get_secret(o->netkey, sizeof(o->netkey), v);
	if (IS("transport_id"))
		return get_hex(&o->transport_id, v);
	if (IS("operator_lxmf_address")) {
		o->has_operator = v->type != MPK_NIL;
		return !o->has_operator || get_hex(&o->operator_lxmf, v);
	}
	return get_number(o, name, v, &mine) && (mine || get_news(e, name, v));
}

bool
offers_get(struct offer_entry *out, const uint8_t *p, size_t n)
{
	struct rd r = rd_make(p, n), at;
	struct offer_entry e = {0};
	struct mpk name, v;
	bool typed = false;
	size_t members;

	if (!mpk_get_map(&r, &members))
		return false;
	for (; members > 0; members--) {
		if (!mpk_get(&r, &name) || name.type != MPK_STR)
			return false;
		at = r;
		if (!mpk_skip(&r) || !mpk_get(&at, &v) ||
		    !get_member(&e, &name, &v, &typed))
			return false;
	}
	if (!rd_end(&r) || !typed || *e.offer.name == '\0' || e.heard_us == 0)
		return false;
	*out = e;
	offer_id(&out->id, &out->offer);
	return true;
}
