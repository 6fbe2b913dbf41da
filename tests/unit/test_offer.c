/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/mpk.h"
#include "common/util.h"
#include "tests/unit/vec.h"
#include "transport/core/base/identity.h"
#include "transport/core/base/stamp.h"
#include "transport/discovery/offer.h"
#include "transport/discovery/offers.h"

/* ---- announces of the reference ---- */

static enum offer_drop
take(struct offer *o, uint32_t *value, const uint8_t *app, size_t n,
    const struct identity *key, uint32_t required)
{
	uint8_t opened[OFFER_APP_MAX];
	enum offer_drop d;
	size_t len;

	if ((d = offer_open(opened, &len, app, n, key)) != OFFER_TAKEN)
		return d;
	if (!offer_worth(value, opened, len, required * STAMP_BIT))
		return OFFER_STAMP;
	return offer_parse(o, opened, len - STAMP_LEN);
}

static void
repacks(const json_t *v, const struct offer *o)
{
	uint8_t buf[OFFER_APP_MAX];
	struct wr w = wr_make(buf, sizeof(buf));
	size_t n;
	uint8_t *want = vec_bytes(v, "packed_info", &n);

	offer_pack(&w, o);
	assert_true(wr_ok(&w));
	vec_equal(buf, w.len, want, n);
}

struct hostile {
	const struct identity *key;
};

static void
damaged(void *arg, const uint8_t *app, size_t n)
{
	const struct hostile *h = arg;
	uint32_t value;
	struct offer o;

	/* the flag byte stands outside of what the stamp covers */
	if (n > 0 && (app[0] & ~2u) != 0)
		return;
	assert_int_not_equal(take(&o, &value, app, n, h->key, 8), OFFER_TAKEN);
}

static void
never_reads_past(void *arg, const uint8_t *packed, size_t n)
{
	uint8_t buf[1024];
	struct wr w = wr_make(buf, sizeof(buf));
	struct offer o;

	(void)arg;
	if (offer_parse(&o, packed, n) == OFFER_TAKEN)
		offer_pack(&w, &o);
}

static void
test_announces(void **state)
{
	uint8_t priv[64], want[32], *app, *packed;
	struct hostile h = {NULL};
	struct identity key;
	uint32_t value;
	struct offer o;
	struct id32 id;
	json_t *v;
	size_t i, n;

	(void)state;
	json_array_foreach(vec_array(vec_load("discovery.json"), "announces"),
	    i, v) {
		uint32_t need = (uint32_t)vec_int(v, "required_value");

		app = vec_bytes(v, "app_data", &n);
		h.key = NULL;
		if (!vec_is_null(v, "network_identity_private")) {
			assert_int_equal(take(&o, &value, app, n, NULL, need),
			    OFFER_SEALED);
			vec_exact(v, "network_identity_private", priv, 64);
			assert_int_equal(identity_load(&key, priv), RNS_OK);
			h.key = &key;
		}
		assert_int_equal(take(&o, &value, app, n, h.key, need),
		    OFFER_TAKEN);
		assert_int_equal(value / STAMP_BIT, vec_int(v, "value"));
		assert_string_equal(offer_type_name(o.type),
		    vec_str(v, "interface_type"));
		offer_id(&id, &o);
		vec_exact(v, "discovery_hash", want, 32);
		assert_memory_equal(id.b, want, 32);
		repacks(v, &o);
		/* its value and not a bit more */
		need = (uint32_t)vec_int(v, "value");
		assert_int_equal(take(&o, &value, app, n, h.key, need + 1),
		    OFFER_STAMP);
		if (i % 3 != 0) /* a stamp's work block costs */
			continue;
		packed = vec_bytes(v, "packed_info", &n);
		vec_each_prefix(packed, n, never_reads_past, NULL);
		vec_each_flip(packed, n, never_reads_past, NULL);
	}
	assert_int_equal(i, 7);
}

/* Every truncation, and a turned bit in every byte: the stamp covers it all. */
static void
test_damaged(void **state)
{
	json_t *v = json_array_get(vec_array(vec_load("discovery.json"),
	    "announces"), 1);
	struct hostile h = {NULL};
	size_t n;
	uint8_t *app = vec_bytes(v, "app_data", &n), *copy;

	(void)state;
	vec_each_prefix(app, n, damaged, &h);
	for (size_t i = 1; i < n; i++) {
		copy = vec_copy(app, n);
		copy[i] ^= (uint8_t)(1u << i % 8);
		damaged(&h, copy, n);
	}
}

static void
check_record(const json_t *record, const struct offer *o)
{
	char config[2048], hex[2 * RNS_HASH + 1] = "";
	const struct {
		const char *key, *got;
	} texts[] = {
		{"impl_name", o->impl}, {"version", o->version},
		{"ifac_netname", o->netname}, {"ifac_netkey", o->netkey},
		{"operator_lxmf_address", hex}, {"config_entry", config},
	};

	if (o->has_operator)
		hex_encode(hex, HASH_BYTES(o->operator_lxmf));
	config[offers_config(config, sizeof(config), o)] = '\0';
	for (size_t i = 0; i < NELEM(texts); i++)
		assert_string_equal(texts[i].got,
		    vec_is_null(record, texts[i].key) ? "" :
		    vec_str(record, texts[i].key));
}

static void
test_announces_15(void **state)
{
	uint32_t value;
	struct offer o;
	uint8_t *app;
	json_t *v;
	size_t i, n;

	(void)state;
	json_array_foreach(vec_array(vec_load("discovery-1.5.json"),
	    "announces"), i, v) {
		bool accepted = vec_bool(v, "accepted");
		enum offer_drop d;

		app = vec_bytes(v, "app_data", &n);
		d = take(&o, &value, app, n, NULL,
		    (uint32_t)vec_int(v, "required_value"));
		assert_int_equal(d, accepted ? OFFER_TAKEN : OFFER_FORM);
		if (!accepted)
			continue;
		assert_int_equal(value / STAMP_BIT, vec_int(v, "value"));
		check_record(json_object_get(v, "record"), &o);
		if (i < 3) /* the others have what we would not send */
			repacks(v, &o);
	}
	assert_int_equal(i, 8);
}

static void
test_dialable(void **state)
{
	struct offer o = {.type = OFFER_BACKBONE, .port = 4242};
	json_t *v;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(vec_load("discovery-1.5.json"),
	    "autoconnect"), i, v) {
		o.transport = vec_bool(v, "transport");
		(void)snprintf(o.host, sizeof(o.host), "node.example.org");
		(void)snprintf(o.impl, sizeof(o.impl), "%s",
		    vec_is_null(v, "impl_name") ? "" : vec_str(v, "impl_name"));
		(void)snprintf(o.version, sizeof(o.version), "%s",
		    vec_is_null(v, "version") ? "" : vec_str(v, "version"));
		assert_int_equal(offer_dialable(&o,
		    vec_bool(v, "unverified_allowed")),
		    vec_bool(v, "qualified"));
	}
	assert_int_equal(i, 26);
	o.transport = true;
	assert_true(offer_dialable(&o, true));
	(void)snprintf(o.impl, sizeof(o.impl), "%s", OFFER_IMPL);
	assert_true(offer_dialable(&o, false));
	(void)snprintf(o.host, sizeof(o.host), "abc.onion");
	assert_false(offer_dialable(&o, true));
	(void)snprintf(o.host, sizeof(o.host), "201:db8::1"); /* 200::/7 */
	assert_false(offer_dialable(&o, true));
	(void)snprintf(o.host, sizeof(o.host), "2001:db8::1");
	assert_true(offer_dialable(&o, true));
	o.port = 0;
	assert_false(offer_dialable(&o, true));
	o.port = 4242;
	o.type = OFFER_TCP_SERVER;
	assert_false(offer_dialable(&o, true));
}

/* ---- what a stranger may write ---- */

struct value { /* a member of the map, its value packed */
	unsigned key;
	uint8_t packed[24];
	size_t n;
};

/* A whole offer with these members in place of its own; no bytes: left out. */
static enum offer_drop
with(struct offer *o, const char *type, const struct value *v, size_t n)
{
	static const uint8_t hash[16] = {7};
	uint8_t buf[1024];
	struct wr w = wr_make(buf, sizeof(buf)), map;
	unsigned keys[] = {0, 1, 0xfe, 0xff, 3, 4, 5, 2, 6, 9, 10, 11, 12, 13,
	    14, 7, 8, 0xf0, 0xfc, 0xfd, 0x42};
	size_t count = 0;

	wr_zero(&w, 3); /* a map16, filled in below */
	for (size_t k = 0; k < NELEM(keys); k++) {
		const struct value *mine = NULL;

		for (size_t i = 0; i < n; i++)
			if (v[i].key == keys[k])
				mine = &v[i];
		if (mine == NULL && (k >= 9 || (k >= 7 && type[0] == 'R')))
			continue;
		if (mine != NULL && mine->n == 0)
			continue;
		count++;
		mpk_put_uint(&w, keys[k]);
		if (mine != NULL)
			mpk_put_raw(&w, mine->packed, mine->n);
		else if (keys[k] == 0)
			mpk_put_str(&w, type);
		else if (keys[k] == 1)
			mpk_put_bool(&w, true);
		else if (keys[k] == 0xfe)
			mpk_put_bin(&w, hash, sizeof(hash));
		else if (keys[k] == 0xff)
			mpk_put_str(&w, "Name");
		else if (keys[k] == 2)
			mpk_put_str(&w, "node.example.org");
		else if (keys[k] == 6)
			mpk_put_uint(&w, 4242);
		else
			mpk_put_nil(&w);
	}
	map = wr_make(buf, 3);
	wr_u8(&map, 0xde);
	wr_u16(&map, (uint16_t)count);
	assert_true(wr_ok(&w));
	return offer_parse(o, buf, w.len);
}

#define V(key, ...)                                                            \
	{key, {__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__})}
#define GONE(key) {key, {0}, 0}

static void
test_forms(void **state)
{
	static const struct {
		struct value v;
		enum offer_drop want;
	} cases[] = {
		{V(0x42, 0xc0), OFFER_TAKEN}, /* a later version's */
		{V(0x42, 0x92, 0x01, 0x80), OFFER_TAKEN},
		{GONE(0), OFFER_FORM}, {GONE(1), OFFER_FORM},
		{GONE(0xfe), OFFER_FORM}, {GONE(0xff), OFFER_FORM},
		{GONE(3), OFFER_FORM}, {GONE(4), OFFER_FORM},
		{GONE(5), OFFER_FORM}, {GONE(2), OFFER_FORM},
		{GONE(6), OFFER_FORM},
		{V(0, 0xa1, 'x'), OFFER_TYPE}, {V(0, 0xc0), OFFER_TYPE},
		{V(1, 0x01), OFFER_FORM}, {V(0xfe, 0xc4, 1, 2), OFFER_FORM},
		{V(0xff, 0xc0), OFFER_TAKEN}, {V(0xff, 0x05), OFFER_FORM},
		{V(3, 0x01), OFFER_FORM}, /* an int is no float */
		{V(3, 0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0), OFFER_FORM},
		{V(4, 0x81, 0x01, 0x02), OFFER_FORM},
		{V(2, 0xa2, '-', 'a'), OFFER_HOST},
		{V(2, 0x05), OFFER_HOST}, {V(2, 0xc0), OFFER_TAKEN},
		{V(6, 0xa1, 'x'), OFFER_FORM},
		{V(6, 0xce, 0, 1, 0x11, 0x70), OFFER_FORM},
		{V(6, 0xff), OFFER_FORM}, {V(6, 0xc0), OFFER_TAKEN},
		{V(9, 0xa1, 'x'), OFFER_FORM},
		{V(7, 0xa2, 'a', '\n'), OFFER_FORM},
		{V(8, 0x90), OFFER_TAKEN}, {V(0xf0, 0xc0), OFFER_TAKEN},
		{V(0xf0, 0xa1, 'x'), OFFER_FORM},
		{V(0xf0, 0xc4, 1, 'x'), OFFER_TAKEN},
		{V(0xfc, 0x05), OFFER_TAKEN},
		{V(0xfd, 0xa1, 0x07), OFFER_FORM},
	};
	struct offer o;

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++)
		assert_int_equal(with(&o, "BackboneInterface", &cases[i].v, 1),
		    cases[i].want);
	/* a radio needs its own */
	assert_int_equal(with(&o, "RNodeInterface", NULL, 0), OFFER_FORM);
	assert_int_equal(with(&o, "RNodeInterface", (struct value[]){V(9, 1),
	    V(10, 2), V(11, 3), V(12, 0xc0)}, 4), OFFER_TAKEN);
	assert_true(o.numbered[OFFER_SF] && !o.numbered[OFFER_CR]);
	/* none at all, and bytes behind it */
	assert_int_equal(offer_parse(&o, (const uint8_t *)"", 0), OFFER_FORM);
	assert_int_equal(offer_parse(&o, (const uint8_t *)"\xc0", 1),
	    OFFER_FORM);
}

static void
test_open(void **state)
{
	uint8_t out[OFFER_APP_MAX], app[OFFER_APP_MAX + 2] = {0};
	size_t len;

	(void)state;
	assert_int_equal(offer_open(out, &len, app, 0, NULL), OFFER_SHORT);
	assert_int_equal(offer_open(out, &len, app, 33, NULL), OFFER_SHORT);
	assert_int_equal(offer_open(out, &len, app, 34, NULL), OFFER_TAKEN);
	assert_int_equal(len, 33);
	assert_int_equal(offer_open(out, &len, app, OFFER_APP_MAX + 1, NULL),
	    OFFER_TAKEN);
	assert_int_equal(offer_open(out, &len, app, OFFER_APP_MAX + 2, NULL),
	    OFFER_SHORT);
	app[0] = 2;
	assert_int_equal(offer_open(out, &len, app, 100, NULL), OFFER_SEALED);
}

static void
test_names(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"  -a   b  d  e     f \xc3\xbc (g)!", "a b d e f (g)"},
		{"Node  of (A)", "Node of (A)"},
		{"", "Discovered I2PInterface"},
		{"--- !", "Discovered I2PInterface"},
		{"a\tb\x01", "ab"},
		{"x      y", "x y"}, /* 6: 5, then 2 */
		{"(a)", "a)"},
	};
	char name[OFFER_TEXT + 1], longest[400];

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		offer_clean_name(name, OFFER_I2P, cases[i].in,
		    strlen(cases[i].in));
		assert_string_equal(name, cases[i].out);
	}
	memset(longest, 'n', sizeof(longest));
	offer_clean_name(name, OFFER_I2P, longest, sizeof(longest));
	assert_int_equal(strlen(name), OFFER_TEXT);
	offer_say(name, "  two\r\nlines  here \t ");
	assert_string_equal(name, "twolines  here");
	longest[sizeof(longest) - 1] = '\0';
	offer_say(name, longest);
	assert_int_equal(strlen(name), OFFER_TEXT);
	offer_say(name, " ");
	assert_string_equal(name, "");
}

static void
test_hosts(void **state)
{
	static const char *good[] = {"a", "node.example.org", "10.0.0.1",
	    "::1", "fe80::1", "2001:db8::1", "a-b.c", "1a.2b", "xn--abc",
	    "a.", "node.example.org."};
	static const char *bad[] = {"", "-a", "a-", "a..b", ".a", "a..", ".", "a b",
	    "a_b", "1.2.3", "256.1.1.1", "a.1", "::g", "[::1]", "a:1",
	    "fe80::1%eth0", "\xc3\xbc"};
	char text[300];

	(void)state;
	for (size_t i = 0; i < NELEM(good); i++)
		assert_true(offer_host_ok(good[i], strlen(good[i])));
	for (size_t i = 0; i < NELEM(bad); i++)
		assert_false(offer_host_ok(bad[i], strlen(bad[i])));
	assert_false(offer_host_ok("a\0b", 3));
	memset(text, 'a', sizeof(text));
	assert_true(offer_host_ok(text, 63));
	assert_false(offer_host_ok(text, 64));
	for (size_t i = 50; i < sizeof(text); i += 51)
		text[i] = '.';
	assert_true(offer_host_ok(text, 253));
	assert_false(offer_host_ok(text, 254));
}

/* What location_cmd says. */
static void
test_place(void **state)
{
	static const char *const good[] = {"55.5, 12.25, 7", "55.5,12.25,7",
	    " 55.5 ,\t12.25 , 7 ", "5.55e1,12.25,7.0"};
	static const char *const bad[] = {"", "55.5", "55.5, 12.25",
	    "55.5, 12.25, ", "55.5, 12.25, 7, 8", "55.5; 12.25; 7",
	    "north, 12, 7", "nan, 12, 7", "inf, 12, 7", "90.5, 12, 7",
	    "55, -180.5, 7", "55, 12, 1e400", "0x10, 12, 7", "55 12 7",
	    ",,", "55.5, 12.25, 7\nmore", "1e, 12, 7 x"};
	bool placed[3] = {false};
	double place[3];

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++) {
		if (offer_place_read(placed, place, bad[i]))
			fail_msg("%s", bad[i]);
		assert_false(placed[0] || placed[1] || placed[2]);
	}
	for (size_t i = 0; i < NELEM(good); i++) {
		memset(placed, 0, sizeof(placed));
		if (!offer_place_read(placed, place, good[i]))
			fail_msg("%s", good[i]);
		assert_true(placed[0] && placed[1] && placed[2]);
		assert_true(place[0] == 55.5 && place[1] == 12.25 &&
		    place[2] == 7);
	}
}

/* ---- the table ---- */

#define DAY INT64_C(86400000000)

static struct offer_entry
entry(unsigned n, uint8_t network, int64_t heard_us)
{
	struct offer_entry e = {.heard_us = heard_us, .discovered_us = heard_us};

	e.offer.type = OFFER_BACKBONE;
	e.offer.transport_id.b[0] = 1;
	e.network_id.b[0] = network;
	(void)snprintf(e.offer.name, sizeof(e.offer.name), "node %u", n);
	return e;
}

static bool
nobody(void *arg, const struct hash16 *id)
{
	return arg != NULL && id->b[0] == *(const uint8_t *)arg;
}

static void
test_ages(void **state)
{
	struct offer_entry e = entry(0, 1, DAY);
	static const struct {
		int64_t after;
		enum offer_age age;
		const char *name;
		unsigned code;
	} cases[] = {
		{0, OFFER_AVAILABLE, "available", 1000},
		{DAY, OFFER_AVAILABLE, "available", 1000},
		{DAY + 1, OFFER_UNKNOWN, "unknown", 100},
		{3 * DAY, OFFER_UNKNOWN, "unknown", 100},
		{3 * DAY + 1, OFFER_STALE, "stale", 0},
		{7 * DAY, OFFER_STALE, "stale", 0},
		{7 * DAY + 1, OFFER_GONE, "gone", 0},
		{-DAY, OFFER_AVAILABLE, "available", 1000}, /* the clock */
	};

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		enum offer_age a = offers_age(&e, DAY + cases[i].after);

		assert_int_equal(a, cases[i].age);
		assert_string_equal(offer_age_name(a), cases[i].name);
		assert_int_equal(offer_age_code(a), cases[i].code);
	}
}

void *__real_malloc(size_t);
void *__wrap_malloc(size_t);
static bool no_memory;

void *
__wrap_malloc(size_t n)
{
	return no_memory ? NULL : __real_malloc(n);
}

/* One that there is no memory for is refused, and the others stay. */
static void
test_memory(void **state)
{
	struct offers *t = offers_new();
	struct offer_entry e = entry(1, 1, DAY), *got;
	struct id32 lost;

	(void)state;
	assert_int_equal(offers_heard(t, &e, DAY, &got, &lost), OFFER_TAKEN);
	no_memory = true;
	e = entry(2, 1, DAY);
	assert_int_equal(offers_heard(t, &e, DAY, &got, &lost), OFFER_MEMORY);
	assert_int_equal(offers_count(t), 1);
	/* what is here already needs none */
	e = entry(1, 1, 2 * DAY);
	assert_int_equal(offers_heard(t, &e, 2 * DAY, &got, &lost),
	    OFFER_TAKEN);
	no_memory = false;
	e = entry(2, 1, 2 * DAY);
	assert_int_equal(offers_heard(t, &e, 2 * DAY, &got, &lost),
	    OFFER_TAKEN);
	assert_int_equal(offers_count(t), 2);
	offers_free(t);
}

static void
test_table(void **state)
{
	struct offers *t = offers_new();
	struct offer_entry e = entry(1, 1, DAY), *got, *again;
	const struct offer_entry *list[4];
	struct id32 lost;
	uint8_t hole = 9;

	(void)state;
	assert_int_equal(offers_heard(t, &e, DAY, &got, &lost), OFFER_TAKEN);
	assert_int_equal(got->heard_count, 0);
	e.heard_us = e.discovered_us = 2 * DAY;
	e.offer.port = 9;
	assert_int_equal(offers_heard(t, &e, 2 * DAY, &again, &lost),
	    OFFER_TAKEN);
	assert_ptr_equal(again, got);
	assert_int_equal(got->heard_count, 1);
	assert_int_equal(got->discovered_us, DAY);
	assert_int_equal(got->offer.port, 9);
	assert_int_equal(offers_count(t), 1);

	/* another identity that says the same name: only when it is no news */
	e = entry(1, 5, 2 * DAY);
	assert_int_equal(offers_heard(t, &e, 2 * DAY, &again, &lost),
	    OFFER_SOURCE);
	assert_int_equal(offers_heard(t, &e, 4 * DAY, &again, &lost),
	    OFFER_TAKEN);
	assert_int_equal(got->network_id.b[0], 5);
	/* the node itself always may */
	e = entry(1, 1, 2 * DAY);
	assert_int_equal(offers_heard(t, &e, 2 * DAY, &again, &lost),
	    OFFER_TAKEN);

	/* the order of a listing: age, value, last heard */
	e = entry(2, 1, 2 * DAY);
	e.value = 20 * STAMP_BIT;
	assert_int_equal(offers_heard(t, &e, 2 * DAY, &again, &lost),
	    OFFER_TAKEN);
	e = entry(3, 9, DAY / 2);
	e.value = 30 * STAMP_BIT;
	assert_int_equal(offers_heard(t, &e, 2 * DAY, &again, &lost),
	    OFFER_TAKEN);
	e = entry(4, 1, 2 * DAY + 1);
	assert_int_equal(offers_heard(t, &e, 2 * DAY, &again, &lost),
	    OFFER_TAKEN);
	assert_int_equal(offers_list(t, list, 2 * DAY), 4);
	assert_string_equal(list[0]->offer.name, "node 2");
	assert_string_equal(list[1]->offer.name, "node 4");
	assert_string_equal(list[2]->offer.name, "node 1");
	assert_string_equal(list[3]->offer.name, "node 3");

	/* those of blackholed identities go, and those of last week */
	assert_null(offers_expired(t, 2 * DAY, nobody, NULL));
	again = offers_expired(t, 2 * DAY, nobody, &hole);
	assert_string_equal(again->offer.name, "node 3");
	offers_remove(t, again);
	assert_null(offers_expired(t, 2 * DAY, nobody, &hole));
	assert_non_null(offers_expired(t, 10 * DAY, nobody, NULL));
	offers_free(t);
}

static void
test_full(void **state)
{
	struct offers *t = offers_new();
	struct offer_entry e, *got;
	struct id32 lost = {{0}}, first;

	(void)state;
	for (unsigned i = 0; i < OFFERS_MAX; i++) {
		e = entry(i, 1, DAY + i);
		assert_int_equal(offers_heard(t, &e, DAY, &got, &lost),
		    OFFER_TAKEN);
		if (i == 0)
			first = got->id;
	}
	e = entry(OFFERS_MAX, 1, DAY);
	/* nobody is thrown out for news of a stranger */
	assert_int_equal(offers_heard(t, &e, DAY, &got, &lost), OFFER_FULL);
	assert_int_equal(offers_count(t), OFFERS_MAX);
	/* but one that has not been heard for a day */
	assert_int_equal(offers_heard(t, &e, 3 * DAY, &got, &lost),
	    OFFER_TAKEN);
	assert_true(id32_eq(&lost, &first));
	assert_int_equal(offers_count(t), OFFERS_MAX);
	offers_free(t);
}

/* ---- files ---- */

static void
never_overreads(void *arg, const uint8_t *p, size_t n)
{
	uint8_t buf[OFFERS_FILE_MAX];
	struct wr w = wr_make(buf, sizeof(buf));
	struct offer_entry e;

	(void)arg;
	if (offers_get(&e, p, n))
		offers_put(&w, &e);
}

static void
refused(void *arg, const uint8_t *p, size_t n)
{
	struct offer_entry e;

	(void)arg;
	assert_false(offers_get(&e, p, n));
}

static void
test_records(void **state)
{
	uint8_t buf[OFFERS_FILE_MAX], want[32], *p;
	struct offer_entry e;
	unsigned read = 0;
	struct wr w;
	json_t *v;
	size_t i, n;

	(void)state;
	json_array_foreach(vec_array(vec_load("discovery-records.json"),
	    "records"), i, v) {
		p = vec_bytes(v, "record", &n);
		assert_int_equal(offers_get(&e, p, n), vec_bool(v, "read"));
		vec_each_flip(p, MIN_OF(n, (size_t)80), never_overreads, NULL);
		if (!vec_bool(v, "read"))
			continue;
		read++;
		w = wr_make(buf, sizeof(buf));
		offers_put(&w, &e);
		assert_true(wr_ok(&w));
		vec_equal(buf, w.len, p, n);
		vec_exact(v, "file", want, 32);
		assert_memory_equal(e.id.b, want, 32);
		vec_each_prefix(p, n, refused, NULL);
	}
	assert_true(read >= 8);
	assert_false(offers_get(&e, (const uint8_t *)"\x80", 1));
}

/* The longest that can be heard fits its file. */
static void
test_longest(void **state)
{
	uint8_t buf[OFFERS_FILE_MAX];
	struct wr w = wr_make(buf, sizeof(buf));
	struct offer_entry e = entry(1, 1, DAY), back;

	(void)state;
	memset(e.offer.name, 'n', OFFER_TEXT);
	memset(e.offer.impl, 'i', OFFER_TEXT);
	memset(e.offer.version, 'v', OFFER_TEXT);
	memset(e.offer.netname, 'a', OFFER_TEXT);
	memset(e.offer.netkey, 'b', OFFER_TEXT);
	memset(e.offer.host, 'h', 63);
	offer_id(&e.id, &e.offer);
	offers_put(&w, &e);
	assert_true(wr_ok(&w));
	assert_true(offers_get(&back, buf, w.len));
	assert_string_equal(back.offer.netkey, e.offer.netkey);
	assert_true(id32_eq(&back.id, &e.id));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_announces),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_announces_15),
		cmocka_unit_test(test_dialable),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_ages),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
