/* SPDX-License-Identifier: BSD-2-Clause */
/* RNodes with several radios (reticulum-transport.md 10.9), in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/util.h"
#include "tests/unit/rnodekit.h"
#include "tests/unit/vec.h"

#define ASK "c00873c05000c04800c04900c07100c0"
#define ANSWER "c00846c0c050014ac0c04870c0c04971c0c0710011c0c0710121c0"

static struct kit k;

static const struct rnode_conf two = {
	.multi = true,
	.nradios = 2,
	.want = {
		{.vport = 0, .frequency = 868200000, .bandwidth = 125000,
		    .txpower = 14, .sf = 8, .cr = 5},
		{.vport = 1, .frequency = 2412000000, .bandwidth = 812500,
		    .txpower = -3, .sf = 7, .cr = 5},
	},
};

static void
send_on(unsigned port, const char *text)
{
	assert_true(k.r.m.kind->takes(&k.r.m, port));
	k.r.m.kind->send(&k.r.m, port, (const uint8_t *)text, strlen(text),
	    k.now);
}

/* ---- the capture ---- */

static uint8_t want[4096];
static size_t nwant;

static void
host_says(const json_t *o, const char *hex)
{
	uint8_t *p, *packet;
	size_t n, len;

	p = vec_unhex(hex, &n);
	memcpy(want + nwant, p, n);
	nwant += n;
	packet = vec_bytes(o, "payload_hex", &len);
	if (k.nout < nwant && p[1] == RNODE_FB_EXT)
		k.r.m.kind->closing(&k.r.m);
	else if (k.nout < nwant && p[1] == RNODE_SEL_INT && p[4] == 0xc0 &&
	    p[5] == RNODE_DATA)
		k.r.m.kind->send(&k.r.m, p[2], packet, len, k.now);
	assert_memory_equal(k.out, want, MIN_OF(k.nout, nwant));
}

static void
capture(void **state)
{
	json_t *o = vec_load("rnode-multi.json"), *event;
	const json_t *heard = json_array_get(vec_array(o,
	    "delivered_to_stack"), 0);
	uint8_t *p;
	size_t i, n;

	(void)state;
	kit_begin(&k, &two);
	nwant = 0;
	json_array_foreach(vec_array(o, "events"), i, event) {
		const char *who = json_string_value(json_array_get(event, 1));
		const char *what = json_string_value(json_array_get(event, 2));

		kit_run(&k, (int64_t)(json_number_value(json_array_get(event,
		    0)) * 1e6) - k.now.us);
		if (strcmp(who, "host>device") == 0) {
			host_says(o, what);
		} else if (strcmp(who, "note") == 0) {
			assert_true(k.up[0] && k.up[1]);
			assert_int_equal(k.r.m.kind->bitrate(&k.r.m, 0), 3125);
			assert_int_equal(k.r.m.kind->bitrate(&k.r.m, 1), 35546);
		} else {
			p = vec_unhex(what, &n);
			kit_says(&k, p, n);
		}
	}
	vec_equal(k.out, k.nout, want, nwant);
	assert_int_equal(k.packets, 1);
	assert_int_equal(k.port, 1);
	p = vec_bytes(heard, "data_hex", &n);
	vec_equal(k.data, k.len, p, n);
	assert_int_equal(k.signal.rssi, vec_int(heard, "rssi"));
	assert_true(k.signal.snr == (float)vec_number(heard, "snr"));
	assert_int_equal(k.faults + k.troubles, 0);
	assert_int_equal(k.r.life.refused, 0);
}

/* ---- ---- */

static void
the_device(void **state)
{
	static const struct {
		const char *says;
		enum rnode_reason reason;
		const char *text;
	} cases[] = {
		{"c00846c0c0500149c0c0710011c0", RNODE_REASON_FIRMWARE,
		    "firmware is 1.73 and 1.74 is needed"},
		{"c00846c0c050014ac0", RNODE_REASON_FIRMWARE,
		    "what radios it has"},
		{"c00846c0c050014ac0c0710111c0", RNODE_REASON_FIRMWARE,
		    "what radios it has"}, /* out of order */
		{"c050014ac0c0710011c0", RNODE_REASON_SILENT, "right port"},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		kit_begin(&k, &two);
		kit_run(&k, 2000000);
		assert_true(kit_wrote(&k, ASK));
		kit_says_hex(&k, cases[i].says);
		kit_run(&k, 2500000);
		assert_int_equal(k.faults, 1);
		assert_int_equal(k.reason, cases[i].reason);
		assert_non_null(strstr(k.text, cases[i].text));
	}
}

static void
packets(void **state)
{
	struct rnode_conf c = two;

	(void)state;
	c.want[0].flow_control = c.want[1].flow_control = true;
	kit_online(&k, &c);
	assert_true(k.up[0] && k.up[1]);
	kit_forget(&k);
	send_on(0, "a");
	send_on(1, "b");
	assert_true(kit_wrote(&k, "c01f00c0c00061c0c01f01c0c00062c0"));
	assert_false(k.r.m.kind->takes(&k.r.m, 0));
	assert_false(k.r.m.kind->takes(&k.r.m, 1));
	/* ready is the whole device */
	kit_says_hex(&k, "c00f01c0");
	assert_int_equal(k.ready[0], 1);
	assert_int_equal(k.ready[1], 1);
	/* whose words they are stays until another is chosen */
	kit_says_hex(&k, "c01f00c0c02350c0c01f01c0c02360c0c00061c0c00062c0");
	assert_int_equal(k.packets, 2);
	assert_int_equal(k.port, 1);
	assert_int_equal(k.signal.rssi, 0x60 - 157);
	kit_says_hex(&k, "c01f00c0c00063c0");
	assert_int_equal(k.port, 0);
	assert_int_equal(k.signal.rssi, 0x50 - 157);
	/* of a radio that is none of ours, and under other commands */
	kit_says_hex(&k, "c01f05c0c00061c0c01f00c0c01061c0c0b061c0c07561c0");
	assert_int_equal(k.packets, 3);
	assert_int_equal(k.counts[RNODE_REASON_ASTRAY], 1);
	/* its statistics are shorter */
	kit_says_hex(&k, "c02500c8003201900064c0c02608000078001200280018c0");
	assert_int_equal(k.r.radio[0].load_short, 400);
	assert_int_equal(k.r.radio[0].preamble, 18);
	/* one that is switched off takes nothing, and is not ready any more */
	send_on(1, "c");
	kit_says_hex(&k, "c01f01c0c00600c0");
	assert_false(k.up[1]);
	kit_run(&k, 60000000);
	assert_int_equal(k.ready[1], 1);
	assert_int_equal(k.counts[RNODE_REASON_READY], 0);
}

/* One that is not as it should be: the other goes on, and it is tried again. */
static void
one_fails(void **state)
{
	(void)state;
	kit_begin(&k, &two);
	kit_run(&k, 2000000);
	kit_says_hex(&k, ANSWER);
	kit_run(&k, 2210000);
	kit_says_hex(&k, "c01f00c0c00133bfae40c0c0020001e848c0c00305c0c00408c0"
	    "c00601c0");
	kit_run(&k, 4600000);
	assert_int_equal(k.troubles, 1);
	assert_int_equal(k.trouble_port, 0);
	assert_non_null(strstr(k.text, "txpower 5 dBm"));
	assert_int_equal(k.faults, 0);
	kit_says_hex(&k, "c01f01c0c0018fc43300c0c002000c65d4c0c003fdc0c00407c0"
	    "c00601c0");
	kit_run(&k, 1000000);
	assert_false(k.up[0]);
	assert_true(k.up[1]);
	kit_forget(&k);
	/* a minute later */
	kit_run(&k, 61900000);
	assert_true(k.nout > 0 && k.out[1] == RNODE_SEL_INT && k.out[2] == 0);
	send_on(1, "x"); /* meanwhile the other carries on */
	kit_says_hex(&k, "c01f00c0c00133bfae40c0c0020001e848c0c0030ec0c00408c0"
	    "c00601c0");
	kit_run(&k, 600000);
	assert_true(k.up[0] && k.up[1]);
	assert_true(k.r.m.kind->deadline(&k.r.m).us == MONO_NEVER.us);
	/* and one that switches itself off */
	kit_says_hex(&k, "c01f01c0c00600c0");
	assert_int_equal(k.troubles, 2);
	assert_int_equal(k.reason, RNODE_REASON_OFF);
	assert_true(k.up[0] && !k.up[1]);
	assert_true(k.r.m.kind->deadline(&k.r.m).us < MONO_NEVER.us);
}

/* Radios are switched off in the device's order; what it has not is not. */
static void
closes(void **state)
{
	struct rnode_conf c = two;

	(void)state;
	c.want[0] = two.want[1];
	c.want[1] = two.want[0];
	c.want[2] = two.want[0];
	c.want[2].vport = 5;
	c.nradios = 3;
	kit_begin(&k, &c);
	kit_run(&k, 2000000);
	kit_says_hex(&k, ANSWER);
	kit_forget(&k);
	k.r.m.kind->closing(&k.r.m);
	assert_true(kit_wrote(&k, "c04100c0c01f00c0c00600c0c01f01c0c00600c0"
	    "c00affc0"));
}

/* With flow control: who goes down owes no word, and nobody waits for it. */
static void
down_and_owing(void **state)
{
	struct rnode_conf c = two;

	(void)state;
	c.want[0].flow_control = c.want[1].flow_control = true;
	kit_online(&k, &c);
	send_on(1, "x");
	kit_says_hex(&k, "c01f01c0c00600c0");
	assert_true(k.up[0] && !k.up[1]);
	kit_run(&k, 59000000);
	assert_int_equal(k.counts[RNODE_REASON_READY], 0);
	assert_int_equal(k.r.unanswered, 0);
	assert_int_equal(k.faults, 0);
}

static void
none_works(void **state)
{
	struct rnode_conf c = two;

	(void)state;
	c.want[0].vport = 7;
	c.want[1].frequency = 868200000; /* of an SX1280 */
	kit_begin(&k, &c);
	kit_run(&k, 2000000);
	kit_says_hex(&k, ANSWER);
	kit_run(&k, 2200000);
	assert_int_equal(k.troubles, 1);
	assert_string_equal(k.text, "vport 7: the device has 2, from 0 on");
	kit_run(&k, 2000000);
	assert_int_equal(k.troubles, 2);
	assert_non_null(strstr(k.text, "vport 1 cannot be set to 868200000"));
	assert_int_equal(k.faults, 1);
	assert_int_equal(k.reason, RNODE_REASON_SETTINGS);
}

static void
call_signs(void **state)
{
	struct rnode_conf c = two;

	(void)state;
	c.callsign = "SPEC-1";
	c.id_interval_s = 60;
	kit_online(&k, &c);
	kit_forget(&k);
	send_on(1, "b");
	kit_forget(&k);
	kit_run(&k, 3600000000);
	/* of the radio that has sent */
	assert_true(kit_wrote(&k, "c01f01c0c000535045432d31c0"));
}

static void
eleven(void **state)
{
	struct rnode_conf c = {.multi = true, .nradios = 40};
	uint8_t types[] = {0xc0, 0x71, 0, 0x11, 0xc0};

	(void)state;
	for (unsigned i = 0; i < RNODE_RADIOS; i++) {
		c.want[i] = two.want[0];
		c.want[i].vport = i;
	}
	kit_begin(&k, &c);
	assert_int_equal(k.r.conf.nradios, RNODE_RADIOS);
	kit_run(&k, 2000000);
	kit_says_hex(&k, "c00846c0c050014ac0");
	for (unsigned i = 0; i < 256; i++) {
		types[2] = (uint8_t)i;
		kit_says(&k, types, sizeof(types));
	}
	assert_int_equal(k.r.nchips, RNODE_RADIOS);
	kit_forget(&k);
	for (unsigned i = 0; i < RNODE_RADIOS; i++) {
		kit_run(&k, 2201000);
		kit_says(&k, k.out, k.nout); /* its own words: an echo */
		kit_forget(&k);
		kit_run(&k, 600000);
		assert_true(k.up[i]);
	}
	assert_int_equal(k.r.life.state, RNODE_RUN);
}

static void
any_bytes(void *arg, const uint8_t *p, size_t n)
{
	(void)arg;
	kit_begin(&k, &two);
	for (unsigned i = 0; i < 4; i++) {
		kit_run(&k, 2210000);
		kit_says(&k, p, n);
		for (unsigned port = 0; port < 2; port++)
			if (k.r.m.kind->takes(&k.r.m, port))
				send_on(port, "hello");
	}
	kit_run(&k, 100000000);
	assert_true(k.faults <= 1);
	assert_int_equal(k.r.life.refused, 0);
}

static void
broken_streams(void **state)
{
	static const char all[] = ANSWER
	    "c01f00c0c00133bfae40c0c0020001e848c0c0030ec0c00408c0c00601c0"
	    "c01f01c0c0018fc43300c0c002000c65d4c0c003fdc0c00407c0c00601c0"
	    "c02357c0c02410c0c000616263c0c00f01c0c01f00c0c00600c0c09005c0";
	uint8_t *p;
	size_t n;

	(void)state;
	p = vec_unhex(all, &n);
	vec_each_prefix(p, n, any_bytes, NULL);
	vec_each_flip(p, n, any_bytes, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(capture),
		cmocka_unit_test(the_device),
		cmocka_unit_test(packets),
		cmocka_unit_test(one_fails),
		cmocka_unit_test(closes),
		cmocka_unit_test(down_and_owing),
		cmocka_unit_test(none_works),
		cmocka_unit_test(call_signs),
		cmocka_unit_test(eleven),
		cmocka_unit_test(broken_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
