/* SPDX-License-Identifier: BSD-2-Clause */
/* Discovery of interfaces: offers, written and read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

#include "tests/interop/bridge/commands.h"
#include "common/util.h"
#include "transport/core/base/crypt.h"
#include "transport/core/base/ctx.h"
#include "transport/core/base/identity.h"
#include "transport/core/base/stamp.h"
#include "transport/discovery/describe.h"
#include "transport/discovery/offer.h"
#include "transport/discovery/offers.h"

#define COST_MAX 24 /* bits that a search may take */
#define SEARCH 100000

static const char *const places[] = {"latitude", "longitude", "height"};
static const char *const numbers[] = {"frequency", "bandwidth", "sf", "cr",
    "channel"};

/* ---- writing one ---- */

static const char *
text(const json_t *fields, const char *key)
{
	return json_string_value(json_object_get(fields, key));
}

static uint64_t
number(const json_t *fields, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(fields, key));
}

static bool
yes(const json_t *fields, const char *key)
{
	return json_is_true(json_object_get(fields, key));
}

/* As if the fields stood in a section of a configuration. */
static void
section_of(struct rnsconf_if *s, struct rnsconf_radio *r, const char *type,
    const json_t *f)
{
	const json_t *v;

	*s = (struct rnsconf_if){.type_text = type, .name = "", .radios = r};
	if (strcmp(type, "TCPClientInterface") == 0)
		s->type = RNSCONF_TCP_CLIENT;
	s->kiss_framing = yes(f, "kiss_framing");
	s->connectable = yes(f, "connectable");
	s->listen_port = (uint16_t)number(f, "port");
	s->network_name = text(f, "ifac_netname");
	s->passphrase = text(f, "ifac_netkey");
	s->offer.publish_ifac = yes(f, "publish_ifac");
	s->offer.name = text(f, "name");
	s->offer.reachable_on = text(f, "reachable_on");
	s->offer.modulation = text(f, "modulation");
	s->offer.frequency = number(f, "frequency");
	s->offer.bandwidth = number(f, "bandwidth");
	*r = (struct rnsconf_radio){.frequency = (uint32_t)s->offer.frequency,
	    .bandwidth = (uint32_t)s->offer.bandwidth,
	    .sf = (uint32_t)number(f, "sf"), .cr = (uint32_t)number(f, "cr")};
	for (size_t i = 0; i < NELEM(places); i++) {
		v = json_object_get(f, places[i]);
		s->offer.placed[i] = json_is_number(v);
		s->offer.place[i] = json_number_value(v);
	}
}

bool
offer_of(struct call *c, struct offer *o)
{
	const json_t *f = json_object_get(c->params, "fields");
	struct describe_node node = {.version = PACKAGE_VERSION,
	    .transport = arg_bool(c, "transport_enabled", true),
	    .b32 = text(f, "b32")};
	struct rnsconf_radio radio;
	struct rnsconf_if s;

	node.transport_id = *hash16_at(rns_identity_hash(session(c)));
	section_of(&s, &radio, arg_str(c, "interface_type"), f);
	if (!describe_offer(o, &s, &node))
		return false;
	/* which no section can say of one of ours */
	if (o->type == OFFER_WEAVE && json_is_integer(json_object_get(f,
	    "channel"))) {
		o->numbered[OFFER_CHANNEL] = true;
		o->number[OFFER_CHANNEL] = number(f, "channel");
	}
	return true;
}

void
stamp_find(struct call *c, const struct id32 *info, uint8_t out[STAMP_LEN])
{
	struct stamp_search *s = call_alloc(c, sizeof(*s));
	struct stamp_work w;

	stamp_work(&w, info->b, sizeof(info->b), OFFER_ROUNDS);
	rand_fill(NULL, out, STAMP_LEN);
	stamp_search_begin(s, &w, (uint32_t)arg_int_or(c, "stamp_value", 0,
	    COST_MAX, OFFER_COST) * STAMP_BIT, out);
	while (!stamp_search_go(s, SEARCH))
		;
	memcpy(out, s->stamp, STAMP_LEN);
}

static const struct identity *
network(struct call *c)
{
	struct identity *id;

	if (!has(c, "network_identity_priv"))
		return NULL;
	id = call_alloc(c, sizeof(*id));
	must(c, identity_load(id, arg_n(c, "network_identity_priv", RNS_KEY)),
	    "identity");
	return id;
}

void
cmd_discovery_build_announce_appdata(struct call *c)
{
	uint8_t out[OFFER_APP_MAX + 1] = {0};
	struct wr w = wr_make(out + 1, sizeof(out) - 1 - STAMP_LEN);
	bool sealed = arg_bool(c, "encrypt", false);
	const struct identity *to = network(c);
	struct bytes body;
	struct offer o;
	struct id32 info;

	if (!offer_of(c, &o) || (sealed && to == NULL)) {
		put_bool(c, "aborted", true);
		put_null(c, "app_data");
		return;
	}
	offer_craft(c, &w, &o);
	rns_sha256(&info, out + 1, w.len);
	stamp_find(c, &info, out + 1 + w.len);
	put_hex(c, "packed_info", out + 1, w.len);
	put_hex(c, "stamp", out + 1 + w.len, STAMP_LEN);
	body = (struct bytes){out, 1 + w.len + STAMP_LEN, true};
	if (sealed) {
		body = encrypt_to(c, to->pub, NULL, (struct bytes){out + 1,
		    body.n - 1, true});
		memmove(out + 1, body.p, MIN_OF(body.n, sizeof(out) - 1));
		if (body.n > sizeof(out) - 1)
			fail(c, "ValueError: too long");
		out[0] = OFFER_FLAG_SEALED;
		body = (struct bytes){out, 1 + body.n, true};
	}
	put_bool(c, "aborted", false);
	put_bytes(c, "app_data", body);
	put_int(c, "flags", out[0]);
	put_hex(c, "infohash", HASH_BYTES(info));
	put_int(c, "stamp_size", STAMP_LEN);
	put_hex(c, "transport_id", HASH_BYTES(o.transport_id));
	put_bool(c, "transport_enabled", o.transport);
	put_int(c, "default_stamp_value", OFFER_COST);
}

/* ---- reading one ---- */

static json_t *
place_or_null(const struct offer *o, unsigned i)
{
	return o->placed[i] ? json_real(o->place[i]) : json_null();
}

static void
put_info(struct call *c, const struct offer *o, const struct hash16 *who,
    const uint8_t *stamp, uint32_t value)
{
	json_t *info = json_object();
	char entry[OFFERS_FILE_MAX];
	struct id32 id;

#define SET(key, v) (void)json_object_set_new(info, key, v)
	put(c, "info", info);
	SET("type", json_string(offer_type_name(o->type)));
	SET("transport", json_boolean(o->transport));
	SET("name", json_string(o->name));
	SET("received", json_real((double)wall_here() / 1e6));
	SET("stamp", hex_json(stamp, STAMP_LEN));
	SET("value", json_integer(value / STAMP_BIT));
	SET("transport_id", hex_json(HASH_BYTES(o->transport_id)));
	SET("network_id", hex_json(HASH_BYTES(*who)));
	SET("hops", json_integer(0));
	for (unsigned i = 0; i < OFFER_PLACES; i++)
		SET(places[i], place_or_null(o, i));
	if (*o->host != '\0')
		SET("reachable_on", json_string(o->host));
	if (o->port != 0)
		SET("port", json_integer(o->port));
	for (size_t i = 0; i < NELEM(numbers); i++) {
		if (o->numbered[i])
			SET(numbers[i], json_integer((json_int_t)o->number[i]));
	}
	if (*o->modulation != '\0')
		SET("modulation", json_string(o->modulation));
	offer_id(&id, o);
	SET("discovery_hash", hex_json(HASH_BYTES(id)));
	SET("config_entry", json_stringn(entry, offers_config(entry,
	    sizeof(entry), o)));
#undef SET
}

static bool
is_source(struct call *c, const struct hash16 *who)
{
	struct bytes list = arg_list(c, "discovery_sources", RNS_HASH);

	for (size_t i = 0; i < list.n; i += RNS_HASH) {
		if (memcmp(list.p + i, who->b, RNS_HASH) == 0)
			return true;
	}
	return list.n == 0;
}

void
cmd_discovery_receive_announce(struct call *c)
{
	struct bytes app = arg(c, "app_data");
	uint32_t need = arg_bool(c, "default_required_value", false) ?
	    OFFER_COST : (uint32_t)arg_int_or(c, "required_value", 0, 99,
	    OFFER_COST), value = 0;
	uint8_t open[OFFER_APP_MAX], key[RNS_KEY], pub[RNS_KEY];
	struct hash16 who;
	struct offer o;
	size_t n = 0;
	bool ok;

	rand_fill(NULL, key, sizeof(key));
	if (has(c, "announce_identity_priv"))
		memcpy(key, arg_n(c, "announce_identity_priv", RNS_KEY),
		    RNS_KEY);
	must(c, rns_identity_derive(pub, &who, key), "identity");
	ok = is_source(c, &who) && offer_open(open, &n, app.p, app.n,
	    network(c)) == OFFER_TAKEN &&
	    offer_worth(&value, open, n, need * STAMP_BIT) &&
	    offer_parse(&o, open, n - STAMP_LEN) == OFFER_TAKEN;
	put_bool(c, "accepted", ok);
	put_bool(c, "callback_invoked", ok);
	put_bool(c, "callback_info_none", false);
	put_bool(c, "info_present", ok);
	put_hex(c, "announce_identity_hash", HASH_BYTES(who));
	put_str(c, "aspect_filter", OFFER_NAME);
	put_int(c, "required_value", need);
	put_int(c, "default_stamp_value", OFFER_COST);
	if (ok)
		put_info(c, &o, &who, open + n - STAMP_LEN, value);
}
