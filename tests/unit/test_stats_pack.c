/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The statistics map (reticulum-transport.md 13.6): the values of recorded
 * answers of 1.4.2 and 1.5.7, packed again, have every key of theirs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/mpk.h"
#include "transport/engine/stats_pack.h"
#include "tests/unit/vec.h"
#include "tests/unit/vec_mpk.h"

static uint8_t buf[65536];

static int64_t
or_nil(const json_t *o, const char *key)
{
	return vec_is_null(o, key) ? -1 : vec_int(o, key);
}

static const char *
text(const json_t *o, const char *key)
{
	return vec_is_null(o, key) ? NULL : vec_str(o, key);
}

static double
rate(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

static void
bin(const json_t *o, const char *key, void *out, size_t n)
{
	vec_exact(json_object_get(o, key), "$bin", out, n);
}

/* What the map of an interface says, as values. */
static void
read_if(struct stats_if *s, const json_t *o)
{
	memset(s, 0, sizeof(*s));
	s->name = vec_str(o, "name");
	s->short_name = vec_str(o, "short_name");
	s->short_len = strlen(s->short_name);
	s->type = vec_str(o, "type");
	bin(o, "hash", s->hash.b, 32);
	s->clients = or_nil(o, "clients");
	if ((s->parent_name = text(o, "parent_interface_name")) != NULL)
		bin(o, "parent_interface_hash", s->parent_hash.b, 32);
	s->peers = -1;
	s->bitrate = (uint64_t)vec_int(o, "bitrate");
	s->rate.rx = rate(o, "rxs");
	s->rate.tx = rate(o, "txs");
	s->bytes.rx = rate(o, "rxb");
	s->bytes.tx = rate(o, "txb");
	if ((s->ifac = !vec_is_null(o, "ifac_size"))) {
		bin(o, "ifac_signature", s->ifac_signature, RNS_SIG);
		s->ifac_size = (unsigned)vec_int(o, "ifac_size");
		s->ifac_netname = vec_str(o, "ifac_netname");
	}
	s->blocks = !vec_is_null(o, "blocked_ips");
	s->mtu = (uint32_t)(vec_is_null(o, "mtu") ? 0 : vec_int(o, "mtu"));
	if (!vec_is_null(o, "announce_rate_target")) {
		s->ar_target_s = (uint32_t)vec_int(o, "announce_rate_target");
		s->ar_penalty_s = (uint32_t)vec_int(o,
		    "announce_rate_penalty");
		s->ar_grace = (uint32_t)vec_int(o, "announce_rate_grace");
	}
	s->ann_burst.clients = s->pr_burst.clients = -1;
	s->online = vec_bool(o, "status");
	s->mode = (enum rns_if_mode)vec_int(o, "mode");
	s->announces_to_internal = -1;
}

/* The answer's values, packed; and how many keys ours has more. */
static size_t
again(const json_t *o)
{
	json_t *list = vec_array(o, "interfaces"), *row;
	struct wr w = wr_make(buf, sizeof(buf));
	struct stats_top top = {.transport = true};
	struct hash16 probe;
	struct stats_if s;
	size_t i, extra = 0;
	struct rd r;

	top.bytes.rx = rate(o, "rxb");
	top.bytes.tx = rate(o, "txb");
	top.rate.rx = rate(o, "rxs");
	top.rate.tx = rate(o, "txs");
	top.uptime_s = rate(o, "transport_uptime");
	bin(o, "transport_id", top.transport_id.b, RNS_HASH);
	if (!vec_is_null(o, "probe_responder")) {
		bin(o, "probe_responder", probe.b, RNS_HASH);
		top.probe_responder = &probe;
	}
	stats_put_head(&w, &top, json_array_size(list));
	json_array_foreach(list, i, row) {
		read_if(&s, row);
		stats_put_if(&w, &s);
	}
	stats_put_rest(&w, &top);
	assert_true(wr_ok(&w));
	r = rd_make(buf, w.len);
	vec_mpk_same(&r, o, &extra);
	assert_true(rd_end(&r));
	return extra;
}

/* Every key, and one that the reference leaves out until there is a queue. */
static void
of_1_5_7(void **state)
{
	json_t *list = vec_array(vec_load("rpc-calls-1.5.json"), "calls"), *c;
	const json_t *get;
	size_t i, seen = 0;

	(void)state;
	json_array_foreach(list, i, c) {
		get = json_object_get(json_object_get(c, "call"), "get");
		if (get == NULL || strcmp(json_string_value(get),
		    "interface_stats") != 0)
			continue;
		assert_int_equal(again(json_object_get(c, "result")), 2);
		seen++;
	}
	assert_int_equal(seen, 1);
}

/* Keys that it does not know are nothing to it. */
static void
of_1_4_2(void **state)
{
	json_t *list = vec_array(vec_load("rpc-utilities.json"), "sessions");
	json_t *s, *calls, *c;
	size_t i, j, seen = 0;

	(void)state;
	json_array_foreach(list, i, s) {
		calls = json_object_get(s, "rpc_connections");
		json_array_foreach(calls, j, c) {
			if (!json_is_object(json_object_get(c, "result")) ||
			    json_object_get(json_object_get(c, "result"),
			    "interfaces") == NULL)
				continue;
			(void)again(json_object_get(c, "result"));
			seen++;
		}
	}
	assert_true(seen >= 3);
}

/* All that can be left out, and the longest names: one row has its room. */
static void
full(void **state)
{
	static char name[300], addr[46];
	struct wr w = wr_make(buf, STATS_ROW_MAX);
	struct stats_top top = {.transport = true};
	struct stats_if s;
	struct rd r;

	(void)state;
	memset(&s, 0, sizeof(s));
	memset(name, 'n', sizeof(name) - 1);
	memset(addr, 'a', sizeof(addr) - 1);
	s.name = s.short_name = s.type = s.parent_name = s.i2p_b32 =
	    s.tunnelstate = s.ifac_netname = s.autoconnect_source = name;
	s.short_len = strlen(name);
	s.i2p = s.i2p_peer = s.ifac = s.blocks = true;
	s.clients = s.peers = INT64_MAX;
	s.bitrate = INT64_MAX;
	for (unsigned i = 0; i < STATS_BLOCKED_MAX; i++)
		s.blocked[i] = addr;
	stats_put_if(&w, &s);
	assert_true(wr_ok(&w));
	r = rd_make(buf, w.len);
	assert_true(mpk_skip(&r));
	assert_true(rd_end(&r));
	w = wr_make(buf, STATS_TOP_MAX);
	stats_put_head(&w, &top, 0);
	stats_put_rest(&w, &top);
	assert_true(wr_ok(&w));
	r = rd_make(buf, w.len);
	assert_true(mpk_skip(&r));
	assert_true(rd_end(&r));
	for (size_t n = 0; n < w.len; n++) {
		struct wr small = wr_make(buf, n);

		stats_put_head(&small, &top, 0);
		stats_put_rest(&small, &top);
		assert_false(wr_ok(&small));
	}
}

/* As 1.5.7 says it of an RNode: what it never heard is left out, or nil. */
static void
of_radios(void **state)
{
	static const char want[] = "{\"airtime_short\": 2.0,"
	    "\"airtime_long\": 0.5, \"channel_load_short\": 4.0,"
	    "\"channel_load_long\": 1.0, \"noise_floor\": -110,"
	    "\"interference\": %s, \"cpu_temp\": %s,"
	    "\"battery_percent\": 87%s}";
	struct stats_if s = {.name = "RNodeInterface[R]", .short_name = "R",
	    .short_len = 1, .type = "RNodeInterface", .clients = -1,
	    .peers = -1, .radio = {.on = true, .air_short = 2, .air_long = .5,
	    .load_short = 4, .load_long = 1, .has_noise = true, .noise_dbm =
	    -110, .has_battery = true, .battery_percent = 87}};
	static const char more[] = ", \"interference_last_ts\": 17.5,"
	    "\"interference_last_dbm\": -77,"
	    "\"battery_state\": \"charging\"";
	size_t plain, none = 0, extra;
	char text[1024];
	json_t *o;
	struct wr w;
	struct rd r;

	(void)state;
	for (unsigned k = 0; k < 3; k++) {
		s.radio.disturbed = k == 1;
		s.radio.was_disturbed = k > 0;
		s.radio.disturbed_dbm = -77;
		s.radio.disturbed_us = 17500000;
		s.radio.battery = k > 0 ? "charging" : NULL;
		s.radio.has_temp = k == 1;
		s.radio.temp = 25;
		(void)snprintf(text, sizeof(text), want, k == 1 ? "-77" :
		    "null", k == 1 ? "25" : "null", k > 0 ? more : "");
		o = json_loads(text, 0, NULL);
		assert_non_null(o);
		w = wr_make(buf, sizeof(buf));
		stats_put_if(&w, &s);
		assert_true(wr_ok(&w));
		r = rd_make(buf, w.len);
		extra = 0;
		vec_mpk_same(&r, o, &extra);
		assert_true(rd_end(&r));
		if (k == 0)
			none = extra;
		assert_int_equal(extra, none);
		json_decref(o);
	}
	/* and of what is none, nothing */
	s.radio = (struct stats_radio){.on = false};
	o = json_loads("{}", 0, NULL);
	w = wr_make(buf, sizeof(buf));
	stats_put_if(&w, &s);
	r = rd_make(buf, w.len);
	plain = 0;
	vec_mpk_same(&r, o, &plain);
	assert_true(rd_end(&r));
	assert_int_equal(plain, none);
	json_decref(o);
}

/* A Weave device and its peer, as 1.5.7 says it. */
static void
of_weave(void **state)
{
	static const char *const want[] = {
		"{\"cpu_load\": 7, \"mem_load\": 66.67, \"switch_id\": "
		"\"fd:f1:cc:7c\", \"endpoint_id\": \"62:e6\", \"peers\": 1}",
		"{\"cpu_load\": null, \"mem_load\": null, \"switch_id\": null, "
		"\"endpoint_id\": null, \"peers\": 0}",
		"{\"via_switch_id\": \"fd:f1:cc:7c\"}",
		"{\"via_switch_id\": null}",
	};
	struct stats_if s[4];
	size_t extra, plain = 0;
	json_t *o;
	struct wr w;
	struct rd r;

	(void)state;
	for (unsigned k = 0; k < 4; k++) {
		s[k] = (struct stats_if){.name = "x", .short_name = "x",
		    .short_len = 1, .type = "WeaveInterface", .clients = -1,
		    .peers = k < 2 ? 1 - (int)k : -1,
		    .weave = {.device = k < 2, .peer = k >= 2}};
		if (k == 0)
			s[k].weave = (struct stats_weave){.device = true,
			    .has_cpu = true, .cpu = 7, .has_memory = true,
			    .memory = 66.67, .id = "fd:f1:cc:7c",
			    .endpoint = "62:e6"};
		if (k == 2)
			memcpy(s[k].weave.via, "fd:f1:cc:7c", 12);
		o = json_loads(want[k], 0, NULL);
		assert_non_null(o);
		w = wr_make(buf, sizeof(buf));
		stats_put_if(&w, &s[k]);
		assert_true(wr_ok(&w));
		r = rd_make(buf, w.len);
		extra = 0;
		vec_mpk_same(&r, o, &extra);
		assert_true(rd_end(&r));
		plain = k == 0 ? extra : plain;
		assert_int_equal(extra, plain);
		json_decref(o);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_1_5_7), cmocka_unit_test(of_1_4_2),
		cmocka_unit_test(full),
		cmocka_unit_test(of_radios), cmocka_unit_test(of_weave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
