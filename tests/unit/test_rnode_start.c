/* SPDX-License-Identifier: BSD-2-Clause */
/* The way up of an RNode (reticulum-transport.md 10.8), in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/util.h"
#include "tests/unit/rnodekit.h"

static struct kit k;

static void
nobody_answers(void **state)
{
	struct rnode_conf tcp = kit_plain;

	(void)state;
	kit_begin(&k, &kit_plain);
	kit_run(&k, 1999999);
	assert_int_equal(k.nout, 0);
	kit_run(&k, 1);
	assert_true(kit_wrote(&k, KIT_ASK));
	/* an error of what may be no RNode is none */
	kit_says_hex(&k, "c09001c0c09007c0");
	kit_run(&k, 2499999);
	assert_int_equal(k.faults, 0);
	kit_run(&k, 1);
	assert_int_equal(k.faults, 1);
	assert_int_equal(k.reason, RNODE_REASON_SILENT);
	assert_non_null(strstr(k.text, "right port"));
	assert_true(k.r.m.kind->deadline(&k.r.m).us == MONO_NEVER.us);
	/* nothing that comes now counts, and no second fault */
	kit_says_hex(&k, KIT_ANSWER KIT_ECHO);
	kit_run(&k, 10000000);
	assert_int_equal(k.faults, 1);
	assert_int_equal(k.nout, 0);
	/* behind TCP it is asked once more, and has 5 s */
	tcp.tcp = true;
	kit_begin(&k, &tcp);
	kit_run(&k, 6999999);
	assert_int_equal(k.faults, 0);
	assert_true(kit_wrote(&k, KIT_ASK "c00873c0"));
	kit_run(&k, 1);
	assert_int_equal(k.reason, RNODE_REASON_SILENT);
}

/* A device that is late by less than people would mind. */
static void
late_answers(void **state)
{
	(void)state;
	kit_begin(&k, &kit_plain);
	kit_run(&k, 2000000);
	kit_forget(&k);
	kit_run(&k, 1900000);
	kit_says_hex(&k, KIT_ANSWER);
	assert_true(k.nout > 0); /* at once: the wait is over */
	kit_run(&k, 1900000);
	assert_int_equal(k.faults, 0);
	kit_says_hex(&k, KIT_ECHO);
	kit_run(&k, 299999);
	assert_false(k.up[0]);
	kit_run(&k, 1);
	assert_true(k.up[0]);
}

/* What it says before it is asked is not listened to. */
static void
early_words(void **state)
{
	(void)state;
	kit_begin(&k, &kit_plain);
	kit_run(&k, 1000000);
	kit_says_hex(&k, KIT_ANSWER "c055f8c0c09002c0c000616263");
	kit_run(&k, 3500000);
	assert_int_equal(k.faults, 1);
	assert_int_equal(k.reason, RNODE_REASON_SILENT);
}

static void
other_firmware(void **state)
{
	static const struct {
		const char *says;
		bool good;
		enum rnode_reason reason;
		const char *text;
	} cases[] = {
		{"c00846c0c0500134c0", true, 0, ""}, /* the least */
		{"c00846c0c0500200c0", true, 0, ""}, /* the next */
		{"c00846c0c05001dbdcc0", true, 0, ""}, /* escaped */
		{"c00846c0c0500133c0", false, RNODE_REASON_FIRMWARE,
		    "firmware is 1.51 and 1.52 is needed"},
		{"c00846c0c05000ffc0", false, RNODE_REASON_FIRMWARE,
		    "firmware is 0.255"},
		/* one that does not say it, or not all of it, is none older */
		{"c00846c0", true, 0, ""},
		{"c00846c0c05001c0", true, 0, ""},
		{"c00847c0c050014ac0", false, RNODE_REASON_SILENT, "right port"},
		{"c008c0c050014ac0", false, RNODE_REASON_SILENT, "right port"},
		{"0846c050014ac0", false, RNODE_REASON_SILENT, "right port"},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		kit_begin(&k, &kit_plain);
		kit_run(&k, 2000000);
		kit_says_hex(&k, cases[i].says);
		kit_forget(&k);
		kit_run(&k, 2600000);
		if (cases[i].good) {
			assert_true(k.nout > 0);
			continue;
		}
		assert_int_equal(k.nout, 0);
		assert_int_equal(k.faults, 1);
		assert_int_equal(k.reason, cases[i].reason);
		assert_non_null(strstr(k.text, cases[i].text));
	}
}

/* Each value another, or not said at all. */
static void
other_settings(void **state)
{
	static const struct {
		const char *says, *text; /* NULL: is fine */
	} cases[] = {
		/* 100 Hz beside it; 101; not said */
		{"c00133bfaea4c0c0020001e848c0c00307c0c00408c0c00601c0", NULL},
		{"c00133bfaea5c0c0020001e848c0c00307c0c00408c0c00601c0",
		    "frequency 868200101 Hz and does not take 868200000"},
		{"c0020001e848c0c00307c0c00408c0c00601c0", NULL},
		{"c00133bfae40c0c0020001e849c0c00307c0c00408c0c00601c0",
		    "bandwidth 125001 Hz"},
		{"c00133bfae40c0c00307c0c00408c0c00601c0",
		    "does not say its bandwidth"},
		{"c0020001e848c0c00308c0c00408c0c00601c0", "txpower 8 dBm"},
		{"c0020001e848c0c00408c0c00601c0", "does not say its txpower"},
		{"c0020001e848c0c00307c0c00409c0c00601c0",
		    "spreadingfactor 9 and does not take 8"},
		{"c0020001e848c0c00307c0c00601c0",
		    "does not say its spreadingfactor"},
		{"c0020001e848c0c00307c0c00408c0c00600c0", "state 0"},
		{"c0020001e848c0c00307c0c00408c0", "does not say its state"},
		{"", "does not say its bandwidth"},
		/* the coding rate may be what it likes */
		{"c0020001e848c0c00307c0c00408c0c005ffc0c00601c0", NULL},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		kit_begin(&k, &kit_plain);
		kit_run(&k, 2000000);
		kit_says_hex(&k, KIT_ANSWER);
		kit_run(&k, 200000);
		kit_says_hex(&k, cases[i].says);
		kit_run(&k, 2499999);
		assert_int_equal(k.up[0], cases[i].text == NULL);
		assert_int_equal(k.faults, 0);
		kit_run(&k, 1);
		assert_int_equal(k.faults, cases[i].text != NULL);
		if (cases[i].text != NULL) {
			assert_int_equal(k.reason, RNODE_REASON_SETTINGS);
			assert_non_null(strstr(k.text, cases[i].text));
		}
	}
}

/* What it says last counts, of what it had before and of what it has. */
static void
last_word(void **state)
{
	(void)state;
	kit_begin(&k, &kit_plain);
	kit_run(&k, 2000000);
	kit_says_hex(&k, KIT_ANSWER);
	kit_run(&k, 200000);
	kit_says_hex(&k, KIT_ECHO "c00304c0c00600c0");
	kit_run(&k, 1000000);
	assert_int_equal(k.faults, 0);
	kit_says_hex(&k, "c00307c0c00601c0");
	kit_run(&k, 300000);
	assert_true(k.up[0]);
	/* it takes back what it has echoed */
	kit_begin(&k, &kit_plain);
	kit_run(&k, 2000000);
	kit_says_hex(&k, KIT_ANSWER);
	kit_run(&k, 200000);
	kit_says_hex(&k, KIT_ECHO);
	kit_run(&k, 400000);
	kit_says_hex(&k, "c00302c0");
	kit_run(&k, 1000000);
	assert_false(k.up[0]);
	assert_int_equal(k.reason, RNODE_REASON_SETTINGS);
	assert_non_null(strstr(k.text, "txpower 2 dBm"));
}

static void
restarts(void **state)
{
	static const char *const platforms[] = {"c04890c0", "c04870c0",
	    "c04800c0"};

	(void)state;
	kit_online(&k, &kit_plain);
	kit_says_hex(&k, "c05500c0");
	assert_int_equal(k.faults, 0);
	kit_says_hex(&k, "c055f8c0c000616263c0");
	assert_int_equal(k.faults, 1);
	assert_int_equal(k.reason, RNODE_REASON_RESTART);
	assert_int_equal(k.packets, 0); /* behind the fault */
	/* of other platforms, and of none: it has forgotten all there, too */
	for (size_t i = 0; i < NELEM(platforms); i++) {
		kit_online(&k, &kit_plain);
		kit_says_hex(&k, platforms[i]);
		kit_says_hex(&k, "c055f8c0");
		assert_int_equal(k.faults, 1);
		assert_int_equal(k.reason, RNODE_REASON_RESTART);
	}
	/* before it is online, wherever that is, it is asked again */
	for (unsigned i = 0; i < 3; i++) {
		kit_begin(&k, &kit_plain);
		kit_run(&k, 2000000);
		kit_says_hex(&k, i > 0 ? KIT_ANSWER : "c00846c0");
		kit_run(&k, i > 0 ? 200000 : 100000);
		kit_says_hex(&k, i > 0 ? KIT_ECHO : "");
		kit_run(&k, i > 1 ? 300000 : 0);
		assert_int_equal(k.r.life.state, i == 0 ? RNODE_ASKED :
		    i == 1 ? RNODE_SETUP : RNODE_CALM);
		kit_forget(&k);
		kit_says_hex(&k, "c055f8c0");
		assert_true(kit_wrote(&k, KIT_ASK));
		kit_says_hex(&k, KIT_ANSWER);
		kit_run(&k, 200000);
		kit_says_hex(&k, KIT_ECHO);
		kit_run(&k, 550000);
		assert_true(k.up[0]);
		assert_int_equal(k.faults, 0);
		assert_int_equal(k.counts[RNODE_REASON_RESTART], 1);
	}
	/* and not for ever */
	kit_begin(&k, &kit_plain);
	kit_run(&k, 2000000);
	for (unsigned i = 0; i < 4; i++)
		kit_says_hex(&k, "c055f8c0");
	assert_int_equal(k.faults, 0);
	kit_says_hex(&k, "c055f8c0");
	assert_int_equal(k.faults, 1);
	assert_int_equal(k.reason, RNODE_REASON_RESTART);
	/* and one that is off without a word why */
	kit_online(&k, &kit_plain);
	kit_says_hex(&k, "c00600c0");
	assert_int_equal(k.reason, RNODE_REASON_OFF);
	/* opened again, it begins anew */
	k.r.m.kind->opened(&k.r.m, k.now);
	kit_forget(&k);
	kit_run(&k, 2000000);
	assert_true(kit_wrote(&k, KIT_ASK));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_answers),
		cmocka_unit_test(late_answers),
		cmocka_unit_test(early_words),
		cmocka_unit_test(other_firmware),
		cmocka_unit_test(other_settings),
		cmocka_unit_test(last_word),
		cmocka_unit_test(restarts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
