/* SPDX-License-Identifier: BSD-2-Clause */
/* RNodes with one radio (reticulum-transport.md 10.8), in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "tests/unit/rnodekit.h"
#include "tests/unit/vec.h"

static struct kit k;

static bool
takes(void)
{
	return k.r.m.kind->takes(&k.r.m, 0);
}

static void
send(const char *text)
{
	k.r.m.kind->send(&k.r.m, 0, (const uint8_t *)text, strlen(text), k.now);
}

/* ---- the captures ---- */

static double
number(const json_t *o, const char *key)
{
	return strtod(vec_str(o, key), NULL);
}

static void
read_conf(struct rnode_conf *c, const json_t *o)
{
	struct rnode_want *w = &c->want[0];

	memset(c, 0, sizeof(*c));
	c->nradios = 1;
	w->frequency = (uint32_t)number(o, "frequency");
	w->bandwidth = (uint32_t)number(o, "bandwidth");
	w->txpower = (int)number(o, "txpower");
	w->sf = (unsigned)number(o, "spreadingfactor");
	w->cr = (unsigned)number(o, "codingrate");
	w->flow_control = json_object_get(o, "flow_control") != NULL;
	if (json_object_get(o, "airtime_limit_short") != NULL) {
		w->st_limited = w->lt_limited = true;
		w->st_limit = (uint16_t)(number(o, "airtime_limit_short") *
		    100);
		w->lt_limit = (uint16_t)(number(o, "airtime_limit_long") *
		    100);
	}
	if (json_object_get(o, "id_callsign") != NULL) {
		c->callsign = vec_str(o, "id_callsign");
		c->id_interval_s = (uint32_t)number(o, "id_interval");
	}
}

/* The packet in a data frame; 0: it is none. */
static size_t
unframed(uint8_t *out, const uint8_t *p, size_t n)
{
	size_t len = 0;

	if (n < 4 || p[0] != 0xc0 || p[1] != 0)
		return 0;
	for (size_t i = 2; i < n - 1; i++)
		out[len++] = p[i] != 0xdb ? p[i] : p[++i] == 0xdc ? 0xc0 : 0xdb;
	return len;
}

struct session {
	uint8_t want[4096]; /* all that the reference wrote */
	size_t nwant;
	bool closed;
};

static void
host_says(struct session *s, const uint8_t *p, size_t n)
{
	uint8_t packet[600];
	const size_t len = unframed(packet, p, n);

	memcpy(s->want + s->nwant, p, n);
	s->nwant += n;
	if (k.nout < s->nwant && p[1] == RNODE_FB_EXT && !s->closed) {
		s->closed = true;
		k.r.m.kind->closing(&k.r.m);
	} else if (k.nout < s->nwant && len > 0) {
		assert_true(takes());
		k.r.m.kind->send(&k.r.m, 0, packet, len, k.now);
	}
	assert_memory_equal(k.out, s->want, MIN_OF(k.nout, s->nwant));
}

static void
replay_event(struct session *s, const json_t *event)
{
	const char *who = json_string_value(json_array_get(event, 1));
	const char *what = json_string_value(json_array_get(event, 2));
	const double at = json_number_value(json_array_get(event, 0));
	uint8_t *p;
	size_t n;

	kit_run(&k, (int64_t)(at * 1e6) - k.now.us);
	if (strcmp(who, "note") == 0) {
		assert_true(k.up[0]);
		assert_int_equal(k.r.m.kind->bitrate(&k.r.m, 0), 3125);
		assert_non_null(strstr(what, "HW_MTU=508"));
		return;
	}
	p = vec_unhex(what, &n);
	if (strcmp(who, "host>device") == 0)
		host_says(s, p, n);
	else
		kit_says(&k, p, n);
}

static void
check_after(const json_t *o)
{
	const struct rnode_radio *r = &k.r.radio[0];

	assert_int_equal(r->frequency, vec_int(o, "r_frequency"));
	assert_int_equal(r->bandwidth, vec_int(o, "r_bandwidth"));
	assert_int_equal(r->txpower, vec_int(o, "r_txpower"));
	assert_int_equal(r->sf, vec_int(o, "r_sf"));
	assert_int_equal(r->cr, vec_int(o, "r_cr"));
	assert_true((int)r->air_short ==
	    (int)(vec_number(o, "r_airtime_short") * 100));
	assert_true((int)r->air_long ==
	    (int)(vec_number(o, "r_airtime_long") * 100));
	assert_true((int)r->load_short ==
	    (int)(vec_number(o, "r_channel_load_short") * 100));
	assert_true((int)r->load_long ==
	    (int)(vec_number(o, "r_channel_load_long") * 100));
	assert_int_equal(r->noise_floor, vec_int(o, "r_noise_floor"));
	assert_true(vec_is_null(o, "r_interference") ==
	    ((r->has & RNODE_HAS_INTERFERENCE) == 0));
	assert_int_equal(r->preamble, vec_int(o, "r_preamble_symbols"));
	assert_int_equal(r->slot_ms, vec_int(o, "r_csma_slot_time_ms"));
	assert_int_equal(r->difs_ms, vec_int(o, "r_csma_difs_ms"));
	assert_true(r->csma);
	assert_int_equal(k.r.battery, vec_int(o, "r_battery_state"));
	assert_int_equal(k.r.battery_percent, vec_int(o, "r_battery_percent"));
	assert_int_equal(r->temp, vec_int(o, "r_temperature"));
	assert_int_equal(k.r.major, vec_int(o, "maj_version"));
	assert_int_equal(k.r.minor, vec_int(o, "min_version"));
	assert_int_equal(k.r.platform, vec_int(o, "platform"));
}

static void
replay(const json_t *o)
{
	const json_t *heard = json_array_get(vec_array(o, "delivered_to_stack"),
	    0), *event;
	struct session s = {.nwant = 0};
	struct rnode_conf c;
	uint8_t *data;
	size_t i, n;

	read_conf(&c, json_object_get(o, "config"));
	kit_begin(&k, &c);
	json_array_foreach(vec_array(o, "events"), i, event)
		replay_event(&s, event);
	vec_equal(k.out, k.nout, s.want, s.nwant);
	assert_true(s.closed);
	assert_int_equal(k.packets, 1);
	data = vec_bytes(heard, "data_hex", &n);
	vec_equal(k.data, k.len, data, n);
	assert_int_equal(k.signal.rssi, vec_int(heard, "rssi"));
	assert_true(k.signal.snr == (float)vec_number(heard, "snr"));
	assert_true(k.signal.q == (float)vec_number(heard, "q"));
	assert_int_equal(k.faults, 0);
	assert_int_equal(k.r.life.refused, 0);
	check_after(json_object_get(o, "state_after"));
}

static void
captures(void **state)
{
	json_t *all = json_object_get(vec_load("rnode-serial.json"),
	    "sessions"), *o;
	const char *name;

	(void)state;
	json_object_foreach(all, name, o)
		replay(o);
	assert_int_equal(json_object_size(all), 3);
}

/* ---- the way up ---- */

/* Rows and columns in the order of the enum; x: the edge is there. */
static const char *const edges[RNODE_STATE_COUNT] = {
	/*            CLO SET DET PAU SUP CAL RUN */
	[RNODE_CLOSED] = ".x.....",
	[RNODE_SETTLE] = "xxx....",
	[RNODE_ASKED] = "xxxxx..",
	[RNODE_PAUSE] = "xxxxx.x",
	[RNODE_SETUP] = "xxxx.xx",
	[RNODE_CALM] = "xxxx..x",
	[RNODE_RUN] = "xxxx...",
};

static void
every_pair(void **state)
{
	(void)state;
	for (unsigned from = 0; from < RNODE_STATE_COUNT; from++)
		for (unsigned to = 0; to < RNODE_STATE_COUNT; to++) {
			struct rnode_life l = {(enum rnode_state)from, 7};
			bool edge = edges[from][to] == 'x';

			assert_int_equal(rnode_set_state(&l,
			    (enum rnode_state)to), edge);
			assert_int_equal(l.state, edge ? to : from);
			assert_int_equal(l.refused, edge ? 7 : 8);
		}
	assert_string_equal(rnode_state_name(RNODE_RUN), "RUN");
	assert_string_equal(rnode_state_name(RNODE_STATE_COUNT), "?");
}

static void
bitrates(void **state)
{
	struct rnode_radio r = {.want = kit_plain.want[0]};

	(void)state;
	rnode_radio_reset(&r);
	assert_int_equal(rnode_radio_bitrate(&r), 0);
	r.has = RNODE_HAS_SF | RNODE_HAS_CR | RNODE_HAS_BANDWIDTH;
	for (unsigned sf = 0; sf < 256; sf++)
		for (unsigned cr = 0; cr < 256; cr++) {
			r.sf = sf;
			r.cr = cr;
			r.bandwidth = UINT32_MAX;
			assert_true((rnode_radio_bitrate(&r) != 0) ==
			    (sf >= 5 && sf <= 12 && cr >= 5 && cr <= 8));
		}
	r.sf = 12;
	r.cr = 8;
	r.bandwidth = 7800;
	assert_int_equal(rnode_radio_bitrate(&r), 11);
	r.sf = 7;
	r.cr = 7;
	r.bandwidth = 812500;
	assert_int_equal(rnode_radio_bitrate(&r), 25390);
}

/* ---- online ---- */

static void
errors(void **state)
{
	char number[16];

	(void)state;
	for (unsigned code = 0; code < 256; code++) {
		const uint8_t frame[] = {0xc0, 0x90, (uint8_t)code, 0xc0};

		if (code == 0xc0 || code == 0xdb)
			continue;
		kit_online(&k, &kit_plain);
		assert_true(k.up[0]);
		kit_says(&k, frame, sizeof(frame));
		assert_int_equal(k.faults, code < 4 || code > 6);
		assert_int_equal(k.up[0], code >= 4 && code <= 6);
		assert_int_equal(k.counts[RNODE_REASON_QUEUE], code == 4);
		assert_int_equal(k.counts[RNODE_REASON_MEMORY], code == 5);
		assert_int_equal(k.counts[RNODE_REASON_TIMEOUT], code == 6);
		assert_int_equal(takes(), code >= 4 && code <= 6);
		assert_int_equal(k.remark != NULL, code >= 4 && code <= 6);
		(void)snprintf(number, sizeof(number), "error %u", code);
		assert_non_null(strstr(k.faults > 0 ? k.text : k.remark,
		    number));
		if (k.faults > 0)
			assert_int_equal(k.reason, RNODE_REASON_HARDWARE);
	}
}

/* While its airtime has no room for the call sign, nothing else is taken. */
static void
call_sign_held(void **state)
{
	struct rnode_conf c = kit_plain;

	(void)state;
	c.callsign = "SPEC-1";
	c.id_interval_s = 3;
	kit_online(&k, &c);
	send("one");
	kit_forget(&k);
	k.room = mono_add(k.now, 10000000);
	kit_run(&k, 2999999);
	assert_true(takes());
	kit_run(&k, 7000000);
	assert_int_equal(k.nout, 0);
	assert_false(takes());
	kit_run(&k, 1);
	assert_true(kit_wrote(&k, "c000535045432d31c0"));
	assert_true(takes());
	/* a limit that is lifted meanwhile holds it no longer than ten seconds */
	send("two");
	kit_forget(&k);
	k.room = mono_add(k.now, 86400 * MONO_SECOND);
	kit_run(&k, 4 * MONO_SECOND);
	assert_false(takes());
	k.room = k.now;
	kit_run(&k, 10 * MONO_SECOND);
	assert_true(kit_wrote(&k, "c000535045432d31c0"));
	assert_true(takes());
	/* alone more than it may send: it is left out, and packets go on */
	send("three");
	kit_forget(&k);
	k.room = MONO_NEVER;
	kit_run(&k, 100000000);
	assert_int_equal(k.nout, 0);
	assert_true(takes());
}

static void
flow_control(void **state)
{
	struct rnode_conf c = kit_plain;

	(void)state;
	kit_online(&k, &kit_plain);
	send("one");
	assert_true(takes());
	c.want[0].flow_control = true;
	c.callsign = "SPEC-1";
	c.id_interval_s = 3;
	kit_online(&k, &c);
	assert_true(takes());
	send("one");
	assert_true(kit_wrote(&k, "c0006f6e65c0"));
	assert_false(takes());
	send("two"); /* against the contract: it is not sent */
	assert_int_equal(k.nout, 0);
	/* the call sign waits, too */
	kit_run(&k, 5000000);
	assert_false(takes());
	assert_int_equal(k.nout, 0);
	/* ... and goes before what waits for the same word */
	kit_says_hex(&k, "c00f01c0");
	assert_int_equal(k.ready[0], 1);
	assert_true(kit_wrote(&k, "c000535045432d31c0"));
	assert_false(takes());
	kit_says_hex(&k, "c00f01c0c00f01c0c00f00c0");
	assert_int_equal(k.ready[0], 2); /* what is news */
	/* once for what was sent, not again and again */
	kit_run(&k, 3600000000);
	assert_int_equal(k.nout, 0);
}

/* Its word is lost: by and by it is given the next all the same. */
static void
lost_ready(void **state)
{
	struct rnode_conf c = kit_plain;

	(void)state;
	c.want[0].flow_control = c.want[0].st_limited = true;
	c.want[0].st_limit = 1000;
	kit_online(&k, &c);
	send("one");
	kit_run(&k, 5000000); /* and eight times the packet */
	assert_false(takes());
	kit_run(&k, 2000000);
	assert_true(takes());
	assert_int_equal(k.ready[0], 1);
	assert_int_equal(k.counts[RNODE_REASON_READY], 1);
	assert_true(k.r.m.kind->deadline(&k.r.m).us == MONO_NEVER.us);
	/* the packet is reckoned with where the coding rate was not echoed */
	kit_says_hex(&k, "c00500c0");
	send("one");
	kit_run(&k, 5000000);
	assert_false(takes());
	kit_says_hex(&k, "c00f01c0c00505c0");
	assert_int_equal(k.counts[RNODE_REASON_READY], 1);
	/* a radio that has to be silent for its own limit has time */
	send("two");
	kit_says_hex(&k, "c02503e80032019000643e2fffc0");
	kit_run(&k, 3600000000);
	assert_false(takes());
	kit_says_hex(&k, "c02503e70032019000643e2fffc0");
	kit_run(&k, 5000000);
	assert_true(takes());
	assert_int_equal(k.counts[RNODE_REASON_READY], 2);
}

/* A device that hangs takes no packets for ever: they would be lost in it. */
static void
silent(void **state)
{
	struct rnode_conf c = kit_plain;
	unsigned given = 0;

	(void)state;
	c.want[0].flow_control = true;
	kit_online(&k, &c);
	for (; given < 20 && k.faults == 0; given++) {
		send("one");
		/* longer each time, and a word of it begins anew */
		kit_run(&k, 4900000ll << (given < 3 ? given : 3));
		assert_false(takes());
		if (given == 2)
			kit_says_hex(&k, "c02309c0");
		kit_run(&k, 10000000);
	}
	assert_int_equal(given, 7);
	assert_int_equal(k.reason, RNODE_REASON_LOST);
	assert_false(k.up[0]);
}

static void
signals(void **state)
{
	(void)state;
	kit_online(&k, &kit_plain);
	kit_says_hex(&k, "c00061c0");
	assert_int_equal(k.packets, 1);
	assert_false(k.measured);
	kit_says_hex(&k, "c02300c0c00061c0");
	assert_int_equal(k.signal.has, RNS_SIGNAL_RSSI);
	assert_int_equal(k.signal.rssi, -157);
	/* an escaped byte, and one that is not */
	kit_says_hex(&k, "c024dbddc0c00061c0");
	assert_true(k.signal.snr == -9.25f);
	kit_says_hex(&k, "c024dbdcc0c00061c0");
	assert_true(k.signal.snr == -16.f);
	assert_true(k.signal.q == 0.f);
	kit_says_hex(&k, "c0247fc0c00061c0");
	assert_true(k.signal.q == 100.f);
	kit_says_hex(&k, "c024dbc0c00061c0");
	assert_true(k.signal.snr == -9.25f);
	/* the last one stays */
	kit_says_hex(&k, "c00061c0");
	assert_true(k.signal.snr == -9.25f);
	assert_int_equal(k.packets, 7);
	/* temperature and interference come and go */
	kit_says_hex(&k, "c029ffc0");
	assert_int_equal(k.r.radio[0].has & RNODE_HAS_TEMP, 0);
	kit_says_hex(&k, "c0295ac0");
	assert_int_equal(k.r.radio[0].temp, -30);
	kit_says_hex(&k, "c02959c0");
	assert_int_equal(k.r.radio[0].has & RNODE_HAS_TEMP, 0);
	kit_says_hex(&k, "c02500c80032019000643e2f50c0");
	assert_int_equal(k.r.radio[0].interference, -77);
	assert_true(k.r.radio[0].interfered.us == k.now.us);
	kit_says_hex(&k, "c02500c80032019000643e2fffc0");
	assert_int_equal(k.r.radio[0].has & RNODE_HAS_INTERFERENCE, 0);
	assert_int_equal(k.r.radio[0].interference, -77);
	kit_says_hex(&k, "c02709ffc0");
	assert_int_equal(k.r.battery, RNODE_BATTERY_OTHER);
	assert_int_equal(k.r.battery_percent, 100);
	kit_says_hex(&k, "c0270032c0");
	assert_int_equal(k.r.battery, RNODE_BATTERY_UNKNOWN);
	/* a floor of 0 dBm is one, as silly as it is */
	kit_says_hex(&k, "c0250000000000000000009dffc0");
	assert_int_equal(k.r.radio[0].noise_floor, 0);
	assert_true(k.r.radio[0].has & RNODE_HAS_NOISE);
	rnode_radio_reset(&k.r.radio[0]);
	assert_false(k.r.radio[0].has & RNODE_HAS_NOISE);
}

static void
half_frames(void **state)
{
	(void)state;
	kit_online(&k, &kit_plain);
	/* silence in a frame ends it, and its rest is none */
	kit_says_hex(&k, "c000616263");
	kit_run(&k, 100000);
	assert_int_equal(k.counts[RNODE_REASON_CUT], 1);
	kit_says_hex(&k, "646566c0");
	assert_int_equal(k.packets, 0);
	kit_says_hex(&k, "00676869c0");
	assert_int_equal(k.packets, 1);
	vec_equal(k.data, k.len, "ghi", 3);
	/* shorter silences do not, byte by byte */
	for (const char *p = "c000616263c0"; *p != '\0'; p += 2) {
		char byte[3] = {p[0], p[1], '\0'};

		kit_run(&k, 99999);
		kit_says_hex(&k, byte);
	}
	assert_int_equal(k.packets, 2);
	/* what lies between frames, and empty ones */
	kit_says_hex(&k, "616263c0c0c000c0c000c0c00061c0006263c0");
	assert_int_equal(k.packets, 3);
	vec_equal(k.data, k.len, "a", 1);
}

static void
sizes(void **state)
{
	static uint8_t frame[2 * RNODE_FRAME_MAX];
	static uint8_t packet[RNODE_MTU + 1];
	struct wr w = wr_make(frame, sizeof(frame));

	(void)state;
	memset(packet, 0xc0, sizeof(packet));
	kit_online(&k, &kit_plain);
	kit_forget(&k);
	k.r.m.kind->send(&k.r.m, 0, packet, RNODE_MTU, k.now);
	assert_int_equal(k.nout, RNODE_FRAME_MAX);
	k.r.m.kind->send(&k.r.m, 0, packet, RNODE_MTU + 1, k.now);
	k.r.m.kind->send(&k.r.m, 0, packet, 0, k.now);
	assert_int_equal(k.nout, RNODE_FRAME_MAX);
	assert_int_equal(k.counts[RNODE_REASON_OVERSIZE], 2);
	assert_false(k.r.m.kind->takes(&k.r.m, 1));
	k.r.m.kind->send(&k.r.m, 1, packet, 10, k.now);
	assert_int_equal(k.nout, RNODE_FRAME_MAX);
	rnode_put(&w, RNODE_DATA, packet, RNODE_MTU);
	kit_says(&k, w.buf, w.len);
	assert_int_equal(k.packets, 1);
	vec_equal(k.data, k.len, packet, RNODE_MTU);
	w.len = 0;
	rnode_put(&w, RNODE_DATA, packet, RNODE_MTU + 1);
	kit_says(&k, w.buf, w.len);
	assert_int_equal(k.packets, 1);
	assert_int_equal(k.counts[RNODE_REASON_TOO_LONG], 1);
}

static void
far_device(void **state)
{
	struct rnode_conf c = kit_plain;

	(void)state;
	c.tcp = true;
	kit_online(&k, &c);
	assert_true(k.up[0]);
	kit_forget(&k);
	/* a sign of life when nothing was said for 3.5 s */
	send("x");
	kit_run(&k, 3499999);
	assert_true(kit_wrote(&k, "c00078c0"));
	kit_run(&k, 1);
	assert_true(kit_wrote(&k, "c00873c0"));
	kit_says_hex(&k, "c00846c0");
	for (unsigned i = 0; i < 100; i++) {
		kit_run(&k, 3500000);
		assert_true(kit_wrote(&k, "c00873c0"));
		kit_says_hex(&k, "c00846c0");
	}
	assert_int_equal(k.faults, 0);
	/* and one that is dead is not waited for for ever */
	kit_run(&k, 5 * 3500000);
	assert_int_equal(k.faults, 1);
	assert_int_equal(k.reason, RNODE_REASON_LOST);
	/* frames may be 1.5 s apart */
	kit_online(&k, &c);
	kit_says_hex(&k, "c000616263");
	kit_run(&k, 1499999);
	kit_says_hex(&k, "c0");
	assert_int_equal(k.packets, 1);
}

static void
last_words(void **state)
{
	(void)state;
	kit_online(&k, &kit_plain);
	kit_forget(&k);
	k.r.m.kind->closing(&k.r.m);
	assert_true(kit_wrote(&k, "c04100c0c00600c0c00affc0"));
	assert_false(k.up[0]);
	kit_says_hex(&k, "c00600c0"); /* as it was told */
	k.r.m.kind->closing(&k.r.m);
	assert_int_equal(k.faults, 0);
	assert_int_equal(k.nout, 0);
	kit_online(&k, &kit_plain);
	kit_says_hex(&k, "c04890c0"); /* AVR: no display */
	kit_forget(&k);
	k.r.m.kind->closing(&k.r.m);
	assert_true(kit_wrote(&k, "c00600c0c00affc0"));
	/* nothing to a device that may not be one */
	kit_begin(&k, &kit_plain);
	kit_run(&k, 2100000);
	kit_forget(&k);
	k.r.m.kind->closing(&k.r.m);
	assert_int_equal(k.nout, 0);
}

/* ---- strangers ---- */

static void
any_bytes(void *arg, const uint8_t *p, size_t n)
{
	struct rnode_conf c = kit_plain;

	c.want[0].flow_control = (bool)*(bool *)arg;
	kit_begin(&k, &c);
	kit_run(&k, 2000000);
	kit_says(&k, p, n);
	kit_run(&k, 250000);
	kit_says(&k, p, n);
	kit_run(&k, 2000000);
	if (takes())
		send("hello");
	kit_run(&k, 10000000);
	assert_true(k.faults <= 1);
	assert_int_equal(k.r.life.refused, 0);
}

static void
broken_streams(void **state)
{
	static const char all[] = KIT_ANSWER KIT_ECHO "c0234dc0c024ecc0c000616263c0"
	    "c02500c80032019000643e2fffc0c026080000780012002800180030c0"
	    "c02801000fc0c0270257c0c02991c0c00f01c0c055f8c0c09005c0";
	bool flow = false;
	uint8_t *p;
	size_t n;

	(void)state;
	p = vec_unhex(all, &n);
	vec_each_prefix(p, n, any_bytes, &flow);
	vec_each_flip(p, n, any_bytes, &flow);
	flow = true;
	vec_each_flip(p, n, any_bytes, &flow);
}

/* A minute of noise at full speed, and then a packet. */
static void
flood(void **state)
{
	uint32_t x = 12345;
	uint8_t noise[1152];

	(void)state;
	kit_online(&k, &kit_plain);
	for (unsigned i = 0; i < 600; i++) {
		for (size_t j = 0; j < sizeof(noise); j++) {
			x = x * 1664525 + 1013904223;
			noise[j] = (uint8_t)(x >> 24);
			if (j > 0 && noise[j - 1] == 0xc0 &&
			    (noise[j] == 0x90 || noise[j] == 0x55 ||
			    noise[j] == 0x06))
				noise[j] = 0;
		}
		kit_says(&k, noise, sizeof(noise));
		kit_run(&k, 100000);
	}
	assert_int_equal(k.faults, 0);
	kit_run(&k, 200000);
	k.packets = 0;
	kit_says_hex(&k, "c000616263c0");
	assert_int_equal(k.packets, 1);
	vec_equal(k.data, k.len, "abc", 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(captures),
		cmocka_unit_test(every_pair),
		cmocka_unit_test(bitrates),
		cmocka_unit_test(errors),
		cmocka_unit_test(call_sign_held),
		cmocka_unit_test(flow_control),
		cmocka_unit_test(lost_ready),
		cmocka_unit_test(silent),
		cmocka_unit_test(signals),
		cmocka_unit_test(half_frames),
		cmocka_unit_test(sizes),
		cmocka_unit_test(far_device),
		cmocka_unit_test(last_words),
		cmocka_unit_test(broken_streams),
		cmocka_unit_test(flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
