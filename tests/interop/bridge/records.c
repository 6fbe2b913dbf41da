/* SPDX-License-Identifier: BSD-2-Clause */
/* Discovery of interfaces: records that are changed, judged, kept. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "tests/interop/bridge/commands.h"
#include "common/mpk.h"
#include "common/util.h"
#include "transport/config/rnsconf.h"
#include "transport/core/base/crypt.h"
#include "transport/core/base/stamp.h"
#include "transport/discovery/offer.h"
#include "transport/discovery/offers.h"
#include "transport/discovery/slots.h"

#define KEY_TYPE 0x00
#define KEY_LATITUDE 0x03 /* longitude and height follow */
#define RECORDS_MAX 64

/* ---- a genuine record, changed ---- */

static void
json_end(void *j)
{
	json_decref(j);
}

/* What the call names, and a place that is none: the library has no such. */
static const json_t *
changes(struct call *c)
{
	static const char *const places[] = {"latitude", "longitude", "height"};
	const json_t *fields = json_object_get(c->params, "fields"), *v;
	json_t *list = json_array();

	call_defer(c, json_end, list);
	(void)json_array_extend(list, json_object_get(c->params,
	    "set_fields"));
	for (size_t i = 0; i < NELEM(places); i++) {
		v = json_object_get(fields, places[i]);
		if (json_is_string(v))
			(void)json_array_append_new(list,
			    json_pack("{s:i, s:s, s:s}", "key",
			    KEY_LATITUDE + (int)i, "kind", "str", "value",
			    json_string_value(v)));
	}
	return list;
}

static const json_t *
change_of(const json_t *list, uint64_t key)
{
	const json_t *one;

	for (size_t i = 0; i < json_array_size(list); i++) {
		one = json_array_get(list, i);
		if ((uint64_t)json_integer_value(json_object_get(one,
		    "key")) == key)
			return one;
	}
	return NULL;
}

static void
put_change(struct call *c, struct wr *w, const json_t *change)
{
	const char *kind = json_string_value(json_object_get(change, "kind"));
	const char *value = json_string_value(json_object_get(change,
	    "value"));
	uint8_t raw[OFFER_APP_MAX];
	size_t n;

	if (kind == NULL || value == NULL)
		fail(c, "ValueError: a field without kind or value");
	if (strcmp(kind, "bytes") != 0) {
		mpk_put_str(w, value);
		return;
	}
	n = strlen(value) / 2;
	if (n > sizeof(raw) || !hex_decode(raw, n, value, strlen(value)))
		fail(c, "ValueError: no hex");
	mpk_put_bin(w, raw, n);
}

static void
craft(struct call *c, struct wr *w, const uint8_t *packed, size_t n)
{
	struct rd r = rd_make(packed, n);
	const char *type = arg_str_or(c, "set_interface_type", "");
	int64_t drop = arg_int_or(c, "drop_field", 0, 255, -1);
	const json_t *change, *list = changes(c);
	size_t pairs = 0, left, len, added = json_array_size(list);
	const uint8_t *value;
	uint64_t key;

	(void)mpk_get_map(&r, &pairs);
	left = pairs + added - (drop >= 0);
	for (struct rd at = r; rd_left(&at) > 0;) {
		if (!mpk_get_uint(&at, &key) || !mpk_skip(&at))
			fail(c, "ValueError: not what was packed");
		left -= change_of(list, key) != NULL;
	}
	mpk_put_map(w, left);
	for (; pairs > 0; pairs--) {
		if (!mpk_get_uint(&r, &key) || !mpk_value(&r, &value, &len))
			fail(c, "ValueError: not what was packed");
		if ((int64_t)key == drop || change_of(list, key) != NULL)
			continue;
		mpk_put_uint(w, key);
		if (key == KEY_TYPE && *type != '\0')
			mpk_put_str(w, type);
		else
			mpk_put_raw(w, value, len);
	}
	for (size_t i = 0; i < added; i++) {
		change = json_array_get(list, i);
		mpk_put_uint(w, (uint64_t)json_integer_value(json_object_get(
		    change, "key")));
		put_change(c, w, change);
	}
}

void
offer_craft(struct call *c, struct wr *out, const struct offer *o)
{
	uint8_t packed[OFFER_APP_MAX];
	struct wr w = wr_make(packed, sizeof(packed));

	offer_pack(&w, o);
	craft(c, out, packed, w.len);
	if (!wr_ok(&w) || !wr_ok(out))
		fail(c, "ValueError: too long");
}

void
cmd_discovery_craft_announce(struct call *c)
{
	uint8_t out[OFFER_APP_MAX + 1] = {0};
	struct wr changed = wr_make(out + 1, sizeof(out) - 1 - STAMP_LEN);
	struct id32 info;
	struct offer o;
	uint32_t worth;

	if (!offer_of(c, &o)) {
		put_bool(c, "aborted", true);
		put_null(c, "app_data");
		return;
	}
	offer_craft(c, &changed, &o);
	rns_sha256(&info, out + 1, changed.len);
	stamp_find(c, &info, out + 1 + changed.len);
	(void)offer_worth(&worth, out + 1, changed.len + STAMP_LEN, 0);
	put_bool(c, "aborted", false);
	put_hex(c, "app_data", out, 1 + changed.len + STAMP_LEN);
	put_int(c, "stamp_value", worth / STAMP_BIT);
	put_int(c, "stamp_size", STAMP_LEN);
}

/* ---- its parts ---- */

void
cmd_discovery_validate_address(struct call *c)
{
	const char *a = arg_str(c, "address");
	struct offer o = {.type = OFFER_BACKBONE, .transport = true, .port = 1};
	uint8_t raw[16];
	bool v6 = inet_pton(AF_INET6, a, raw) == 1;
	bool ip = v6 || inet_pton(AF_INET, a, raw) == 1;

	(void)snprintf(o.host, sizeof(o.host), "%s", a);
	put_bool(c, "is_ip_address", ip);
	put_bool(c, "is_ygg_ipv6", v6 && !offer_dialable(&o, true));
	put_bool(c, "is_hostname", !ip && offer_host_ok(a, strlen(a)));
}

/* Nothing is left of a name: the library puts its type there. */
static void
put_name(struct call *c, const char *key, const char *name)
{
	static const char instead[] = "Discovered ";

	put_str(c, key, strncmp(name, instead, sizeof(instead) - 1) == 0 ? "" :
	    name);
}

void
cmd_discovery_sanitize_name(struct call *c)
{
	const char *name = arg_str(c, "name");
	char out[OFFER_TEXT + 1];

	offer_clean_name(out, OFFER_BACKBONE, name, strlen(name));
	put_name(c, "sanitize_name", out);
	offer_say(out, name);
	put_str(c, "sanitize", out);
}

void
cmd_discovery_feature_defaults(struct call *c)
{
	static const char text[] = "[interfaces]\n[[x]]\n"
	    "type = TCPServerInterface\nlisten_port = 1\n";
	struct rnsconf *f = NULL;
	struct mistakes m = {0};
	bool offered;

	if (rnsconf_parse(&f, text, sizeof(text) - 1, &m) < 0 || f->nifs != 1)
		fail(c, "ValueError: config");
	offered = f->ifs[0].offer.on;
	put_bool(c, "interface_discoverable", offered);
	put_bool(c, "interface_supports_discovery", offered);
	put_bool(c, "discover_interfaces", f->discovery.listen);
	put_bool(c, "should_autoconnect_discovered_interfaces",
	    f->discovery.autoconnect > 0);
	put_bool(c, "max_autoconnected_interfaces",
	    f->discovery.autoconnect > 0);
	rnsconf_free(f);
}

/* ---- records that are kept ---- */

static void
offers_end(void *o)
{
	offers_free(o);
}

static struct offers *
kept(struct call *c)
{
	struct offers *o = offers_new();

	if (o == NULL)
		fail(c, "MemoryError");
	call_defer(c, offers_end, o);
	return o;
}

static void
listed(struct call *c, struct offers *o, const char *key, bool whole)
{
	const struct offer_entry *all[RECORDS_MAX];
	json_t *list = json_array();
	enum offer_age age;
	size_t n;

	put(c, key, list);
	if (offers_count(o) > NELEM(all))
		fail(c, "ValueError: too many records");
	n = offers_list(o, all, wall_here());
	for (size_t i = 0; i < n; i++) {
		age = offers_age(all[i], wall_here());
		(void)json_array_append_new(list, !whole ?
		    json_string(all[i]->offer.name) :
		    json_pack("{s:s, s:s, s:i, s:i, s:f, s:o}", "name",
		    all[i]->offer.name, "status", offer_age_name(age),
		    "status_code", (int)offer_age_code(age), "value",
		    (int)(all[i]->value / STAMP_BIT), "last_heard",
		    (double)all[i]->heard_us / 1e6, "discovery_hash",
		    hex_json(HASH_BYTES(all[i]->id))));
	}
}

/* The purge of the daemon; of_others: those that no source signed. */
static void
purge(struct offers *o, bool (*of_others)(void *, const struct hash16 *),
    void *arg)
{
	struct offer_entry *e;

	while ((e = offers_expired(o, wall_here(), of_others, arg)) != NULL)
		offers_remove(o, e);
}

static bool
nobody(void *arg, const struct hash16 *id)
{
	(void)arg;
	(void)id;
	return false;
}

static bool
no_source(void *arg, const struct hash16 *id)
{
	const struct bytes *list = arg;

	for (size_t i = 0; i < list->n; i += RNS_HASH)
		if (memcmp(list->p + i, id->b, RNS_HASH) == 0)
			return false;
	return list->n > 0;
}

static struct offer
burrow(const char *name)
{
	struct offer o = {.type = OFFER_TCP_SERVER, .transport = true,
	    .port = 4242};

	rand_fill(NULL, o.transport_id.b, sizeof(o.transport_id.b));
	offer_clean_name(o.name, o.type, name, strlen(name));
	(void)snprintf(o.host, sizeof(o.host), "burrow.example.org");
	return o;
}

void
cmd_discovery_store_record(struct call *c)
{
	struct offers *kept_here = kept(c);
	struct bytes sources = arg_list(c, "list_sources", RNS_HASH);
	struct offer_entry what = {.offer = burrow(arg_str(c, "name"))}, *e;
	int64_t times = arg_int_or(c, "repeat", 1, 1000, 1);
	const char *type = arg_str_or(c, "set_interface_type",
	    offer_type_name(what.offer.type));
	uint8_t key[RNS_KEY], pub[RNS_KEY];
	json_t *types = json_array();
	struct id32 lost;
	bool known = offer_type_of(&what.offer.type, type, strlen(type));

	put(c, "discoverable_types", types);
	for (unsigned t = 0; t < OFFER_TYPES; t++)
		(void)json_array_append_new(types, json_string(
		    offer_type_name(t)));
	put(c, "discoverable_interface_types", json_copy(types));
	rand_fill(NULL, key, sizeof(key));
	if (has(c, "announce_identity_priv"))
		memcpy(key, arg_n(c, "announce_identity_priv", RNS_KEY),
		    RNS_KEY);
	must(c, rns_identity_derive(pub, &what.network_id, key), "identity");
	put_hex(c, "announce_identity_hash", HASH_BYTES(what.network_id));
	put_bool(c, "received", known);
	put_str(c, "record_type", type);
	put_bool(c, "stored", known);
	put_null(c, "heard_count");
	offer_id(&what.id, &what.offer);
	put_hex(c, "discovery_hash", HASH_BYTES(what.id));
	for (int64_t i = 0; known && i < times; i++) {
		what.heard_us = what.discovered_us = wall_here();
		if (offers_heard(kept_here, &what, wall_here(), &e, &lost) !=
		    OFFER_TAKEN)
			fail(c, "ValueError: not taken");
		put_int(c, "heard_count", (int64_t)e->heard_count);
	}
	purge(kept_here, no_source, &sources);
	listed(c, kept_here, "listed_names", false);
}

void
cmd_discovery_inject_records(struct call *c)
{
	const json_t *list = json_object_get(c->params, "records"), *one;
	struct offers *o = kept(c);
	json_t *asked = json_array();
	struct offer_entry what, *e;
	struct id32 lost;

	put(c, "requested", asked);
	for (size_t i = 0; i < json_array_size(list); i++) {
		one = json_array_get(list, i);
		if (!json_is_string(json_object_get(one, "name")))
			fail(c, "ValueError: a record without name");
		what = (struct offer_entry){.offer = burrow(json_string_value(
		    json_object_get(one, "name")))};
		what.value = STAMP_BIT * (uint32_t)json_integer_value(
		    json_object_get(one, "value"));
		what.heard_us = what.discovered_us = wall_here() -
		    (int64_t)(1e6 * json_number_value(json_object_get(one,
		    "age_seconds")));
		if (offers_heard(o, &what, what.heard_us, &e, &lost) !=
		    OFFER_TAKEN)
			fail(c, "ValueError: not taken");
		(void)json_array_append_new(asked, json_pack("{s:s, s:o}",
		    "name", e->offer.name, "discovery_hash",
		    hex_json(HASH_BYTES(e->id))));
	}
	purge(o, nobody, NULL);
	listed(c, o, "listed", true);
	put_int(c, "threshold_unknown", OFFERS_UNKNOWN_S);
	put_int(c, "threshold_stale", OFFERS_STALE_S);
	put_int(c, "threshold_remove", OFFERS_GONE_S);
	for (unsigned a = 0; a < OFFER_GONE; a++) {
		static const char *const names[] = {"status_available",
		    "status_unknown", "status_stale"};

		put_int(c, names[a], offer_age_code(a));
	}
}

/* Which of what was discovered would be dialled; nothing is. */
void
cmd_wire_discovery_autoconnect_gate(struct call *c)
{
	static const struct {
		const char *key, *type, *host;
	} cases[] = {{"wrong_type", "UDPInterface", "10.9.9.9"},
	    {"tcp_client", "TCPClientInterface", "10.9.9.9"},
	    {"i2p", "I2PInterface", "abc"},
	    {"yggdrasil", "BackboneInterface", "200::1"},
	    /* ours: the one that is */
	    {"backbone", "BackboneInterface", "10.9.9.9"}};
	struct offer o = {.transport = true, .port = 4242};
	struct id32 endpoint;

	for (size_t i = 0; i < NELEM(cases); i++) {
		(void)snprintf(o.host, sizeof(o.host), "%s", cases[i].host);
		put(c, cases[i].key, json_pack("{s:i}", "interfaces_added",
		    offer_type_of(&o.type, cases[i].type,
		    strlen(cases[i].type)) && offer_dialable(&o, true)));
	}
	slots_endpoint(&endpoint, "10.9.9.9", o.port);
	put_str(c, "endpoint_spec", "10.9.9.9:4242");
	put_hex(c, "endpoint_hash", HASH_BYTES(endpoint));
}
