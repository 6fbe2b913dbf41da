/* SPDX-License-Identifier: BSD-2-Clause */
/* klp.md 10: what a watchdog may say, and how often, over time that is ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "audit/watchdog.h"
#include "common/util.h"

static struct dog d;
static struct mono now;
static const struct id32 job = {.b = {1, 2, 3}}, other = {.b = {9}};

static void
later(int64_t ms)
{
	now = mono_add(now, ms * 1000);
}

static void
begin(bool act, bool corroborate)
{
	now = (struct mono){INT64_C(5000) * MONO_SECOND};
	dog_init(&d, now);
	dog_set(&d, &(struct dog_conf){.on = true, .act = act,
	    .corroborate = corroborate}, now);
	dog_sent_log(&d, &job, now);
}

static struct dog_verdict
verdict(enum dog_action a)
{
	return (struct dog_verdict){.action = a, .has_job = true, .job = job,
	    .confidence = 950, .has_ttl = true, .ttl_s = 30};
}

static enum dog_end
say(enum dog_action a)
{
	struct dog_verdict v = verdict(a);

	return dog_judge(&d, &v, now);
}

/* ---- lines ---- */

static enum dog_says
reads(const char *line, struct dog_verdict *v)
{
	const char *why;

	return dog_line_read(v, line, strlen(line), &why);
}

#define HEX "0102030000000000000000000000000000000000000000000000000000000000"
#define GOOD "{\"t\":\"verdict\",\"id\":\"7\",\"ref\":[\"a:b:1\",\"a:b:2\"],"    \
    "\"job\":\"" HEX "\",\"action\":\"freeze\",\"confidence\":0.899999,"       \
    "\"ttl\":60,\"reason\":\"it \\\"mines\\\"\"}"

static void
test_line_good(void **state)
{
	struct dog_verdict v;

	(void)state;
	assert_int_equal(reads(GOOD, &v), DOG_SAYS_VERDICT);
	assert_string_equal(v.id, "7");
	assert_int_equal(v.action, DOG_FREEZE);
	assert_int_equal(v.confidence, 899); /* never up */
	assert_true(v.has_ttl);
	assert_int_equal(v.ttl_s, 60);
	assert_int_equal(v.nrefs, 2);
	assert_string_equal(v.ref[1], "a:b:2");
	assert_string_equal(v.reason, "it \"mines\"");
	assert_true(v.has_job && id32_eq(&v.job, &job));
	assert_int_equal(reads("{\"t\":\"alive\",\"more\":[1]}", &v),
	    DOG_SAYS_ALIVE);
	assert_int_equal(reads("{\"t\":\"verdict\",\"action\":\"note\","
	    "\"confidence\":1}", &v), DOG_SAYS_VERDICT);
	assert_int_equal(v.confidence, 1000);
	assert_false(v.has_job);
	for (unsigned a = 0; a < DOG_ACTIONS; a++)
		assert_int_equal(dog_action_of(dog_action_name(a)), a);
}

/* Every beginning of a good line is none. */
static void
test_line_cut(void **state)
{
	struct dog_verdict v;
	const char *why;

	(void)state;
	for (size_t n = 0; n < strlen(GOOD); n++)
		assert_int_equal(dog_line_read(&v, GOOD, n, &why),
		    DOG_SAYS_NOTHING);
}

static void
test_line_hostile(void **state)
{
	static char deep[DOG_LINE_MAX + 2];
	static const char *const bad[] = {
	    "", "null", "[]", "\"alive\"", "{\"t\":1}", "{\"t\":\"bark\"}",
	    "{\"t\":\"alive\",\"t\":\"verdict\"}", "{\"t\":\"alive\"} x",
	    "{\"t\":\"verdict\"}",
	    "{\"t\":\"verdict\",\"action\":\"trust\",\"confidence\":1}",
	    "{\"t\":\"verdict\",\"action\":\"note\"}",
	    "{\"t\":\"verdict\",\"action\":\"note\",\"confidence\":\"1\"}",
	    "{\"t\":\"verdict\",\"action\":\"note\",\"confidence\":1.001}",
	    "{\"t\":\"verdict\",\"action\":\"note\",\"confidence\":-0.1}",
	    "{\"t\":\"verdict\",\"action\":\"note\",\"confidence\":1e400}",
	    "{\"t\":\"verdict\",\"action\":\"note\",\"confidence\":NaN}",
	    "{\"t\":\"verdict\",\"action\":\"note\",\"confidence\":1,\"ttl\":-1}",
	    "{\"t\":\"verdict\",\"action\":\"note\",\"confidence\":1,\"ttl\":1.5}",
	    "{\"t\":\"verdict\",\"action\":\"note\",\"confidence\":1,"
		"\"ttl\":4294967296}",
	    "{\"t\":\"verdict\",\"action\":\"note\",\"confidence\":1,\"ref\":\"a\"}",
	    "{\"t\":\"verdict\",\"action\":\"note\",\"confidence\":1,\"ref\":[1]}",
	    "{\"t\":\"verdict\",\"action\":\"note\",\"confidence\":1,\"job\":\"00\"}",
	    "{\"t\":\"verdict\",\"action\":\"note\",\"confidence\":1,\"job\":null}",
	    "{\"t\":\"verdict\",\"action\":\"note\",\"confidence\":1,"
		"\"reason\":\"a\\u0000b\"}",
	    "{\"t\":\"verdict\",\"action\":\"note\",\"action\":\"kill\","
		"\"confidence\":1}",
	    "{\"t\":\"alive\",\"x\":[[[[1]]]]}",
	};
	struct dog_verdict v;
	const char *why;

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++) {
		why = NULL;
		if (dog_line_read(&v, bad[i], strlen(bad[i]), &why) !=
		    DOG_SAYS_NOTHING)
			fail_msg("taken: %s", bad[i]);
		assert_non_null(why);
	}
	memset(deep, '[', sizeof(deep));
	assert_int_equal(dog_line_read(&v, deep, DOG_LINE_MAX, &why),
	    DOG_SAYS_NOTHING);
	assert_string_equal(why, "nested too deep");
	memset(deep, ' ', sizeof(deep));
	memcpy(deep, "{\"t\":\"alive\"}", 13);
	assert_int_equal(dog_line_read(&v, deep, DOG_LINE_MAX, &why),
	    DOG_SAYS_ALIVE);
	assert_int_equal(dog_line_read(&v, deep, DOG_LINE_MAX + 1, &why),
	    DOG_SAYS_NOTHING);
}

/* Texts of 64 and 256 bytes and 16 references, and one more of each. */
static void
test_line_bounds(void **state)
{
	static char line[DOG_LINE_MAX];
	struct dog_verdict v;
	char many[65 + 256];
	size_t n;

	(void)state;
	memset(many, 'x', sizeof(many));
	for (unsigned over = 0; over < 2; over++) {
		(void)snprintf(line, sizeof(line), "{\"t\":\"verdict\","
		    "\"action\":\"note\",\"confidence\":1,\"id\":\"%.*s\"}",
		    64 + (int)over, many);
		assert_int_equal(reads(line, &v), over ? DOG_SAYS_NOTHING :
		    DOG_SAYS_VERDICT);
		(void)snprintf(line, sizeof(line), "{\"t\":\"verdict\","
		    "\"action\":\"note\",\"confidence\":1,\"reason\":\"%.*s\"}",
		    256 + (int)over, many);
		assert_int_equal(reads(line, &v), over ? DOG_SAYS_NOTHING :
		    DOG_SAYS_VERDICT);
		n = (size_t)snprintf(line, sizeof(line), "{\"t\":\"verdict\","
		    "\"action\":\"note\",\"confidence\":1,\"ref\":[\"%.*s\"",
		    DOG_UID_MAX, many);
		for (unsigned i = 1; i < DOG_REFS_MAX + over; i++)
			n += (size_t)snprintf(line + n, sizeof(line) - n,
			    ",\"x\"");
		(void)snprintf(line + n, sizeof(line) - n, "]}");
		assert_int_equal(reads(line, &v), over ? DOG_SAYS_NOTHING :
		    DOG_SAYS_VERDICT);
	}
}

/* What a job prints: nothing of it is lost, or is more than text. */
static void
test_log_line(void **state)
{
	struct msg_D_LOG m = {.job = job, .stream = 1, .seq = 100};
	char line[8192], all[16384] = "";
	size_t at = 0, rounds = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(m.text); i++)
		m.text[i] = (uint8_t)i;
	m.text_len = sizeof(m.text);
	while (at < m.text_len) {
		size_t was = at, n = dog_log_line(line, sizeof(line), &m, &at);
		json_t *o = json_loadb(line, n, 0, NULL);
		const char *text;

		assert_true(n > 0 && line[n - 1] == '\n');
		assert_null(memchr(line, '\n', n - 1));
		assert_non_null(o);
		assert_string_equal(json_string_value(json_object_get(o, "t")),
		    "log");
		assert_string_equal(json_string_value(json_object_get(o,
		    "stream")), "stderr");
		assert_true(json_is_true(json_object_get(o, "untrusted")));
		assert_int_equal(json_integer_value(json_object_get(o, "seq")),
		    100 + was);
		text = json_string_value(json_object_get(o, "text"));
		assert_true(strlen(text) <= DOG_TEXT_MAX);
		(void)strncat(all, text, sizeof(all) - strlen(all) - 1);
		json_decref(o);
		assert_true(++rounds < 20);
	}
	assert_non_null(strstr(all, "\\x00\\x01"));
	assert_non_null(strstr(all, "\\xfe\\xff"));
	for (size_t i = 0; i < strlen(all); i++)
		assert_true((uint8_t)all[i] >= 0x20);
}

static void
test_tick_line(void **state)
{
	struct dog_count c = {job, 5, 6, 7, 500};
	char line[512];

	(void)state;
	assert_true(dog_tick_line(line, sizeof(line), 0, NULL, 0) > 0);
	assert_string_equal(line, "{\"t\":\"tick\"}\n");
	assert_true(dog_tick_line(line, sizeof(line), 3, &c, 1) > 0);
	assert_string_equal(line, "{\"t\":\"tick\",\"lost\":3,\"jobs\":[{"
	    "\"job\":\"" HEX "\",\"forks\":5,\"execs\":6,\"cpu_ms\":7,"
	    "\"cpu_milli\":500}]}\n");
	assert_int_equal(dog_tick_line(line, 20, 3, &c, 1), 0);
	assert_int_equal(dog_event_line(line, 10, "{}", 2), 0);
	assert_true(dog_event_line(line, sizeof(line), "{}", 2) > 0);
	assert_string_equal(line, "{\"t\":\"event\",\"e\":{}}\n");
}

/* ---- rates ---- */

/* So many in that time, not one more, and again when the first is so old. */
static void
rate(enum dog_action a, unsigned most, int64_t window_ms)
{
	enum dog_end good = a == DOG_NOTE ? DOG_NOTED : DOG_PASSED;
	struct dog_verdict v = verdict(a);

	begin(true, false);
	v.ttl_s = 1;
	for (unsigned i = 0; i < most; i++) {
		assert_int_equal(dog_judge(&d, &v, now), good);
		later(100);
	}
	assert_int_equal(dog_judge(&d, &v, now), DOG_TOO_MANY);
	later(window_ms - most * 100 - 1);
	assert_int_equal(dog_judge(&d, &v, now), DOG_TOO_MANY);
	later(1);
	assert_int_equal(dog_judge(&d, &v, now), good);
	assert_int_equal(dog_judge(&d, &v, now), DOG_TOO_MANY);
	later(100);
	assert_int_equal(dog_judge(&d, &v, now), good);
	assert_int_equal(d.excess, 3);
}

static void
test_rates(void **state)
{
	(void)state;
	rate(DOG_NOTE, 60, 60000);
	rate(DOG_FLAG, 10, 60000);
	rate(DOG_THROTTLE, 10, 60000);
	rate(DOG_FREEZE, 10, 60000);
	rate(DOG_KILL, 6, 3600000);
	rate(DOG_PROPOSE, 6, 86400000);
}

/* The refused do not use up what the good need, and are bounded too. */
static void
test_refused(void **state)
{
	struct dog_verdict v = verdict(DOG_KILL);
	unsigned told = 0;

	(void)state;
	begin(true, false);
	v.confidence = 899;
	for (unsigned i = 0; i < 5000; i++)
		told += dog_judge(&d, &v, now) == DOG_UNSURE;
	assert_int_equal(told, DOG_REFUSED_MINUTE);
	assert_int_equal(d.excess, 5000 - DOG_REFUSED_MINUTE);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(say(DOG_KILL), DOG_PASSED);
	later(60000);
	assert_int_equal(dog_judge(&d, &v, now), DOG_UNSURE);
}

/* ---- what is refused ---- */

static void
test_ttl(void **state)
{
	struct dog_verdict v;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		begin(true, true);
		v = verdict(i == 0 ? DOG_THROTTLE : DOG_FREEZE);
		v.ttl_s = 601;
		assert_int_equal(dog_judge(&d, &v, now), DOG_TOO_LONG);
		v.ttl_s = 0;
		assert_int_equal(dog_judge(&d, &v, now), DOG_TOO_LONG);
		v.ttl_s = UINT32_MAX;
		assert_int_equal(dog_judge(&d, &v, now), DOG_TOO_LONG);
		v.has_ttl = false;
		v.ttl_s = 5;
		assert_int_equal(dog_judge(&d, &v, now), DOG_TOO_LONG);
		v.has_ttl = true;
		v.ttl_s = 600;
		assert_int_equal(dog_judge(&d, &v, now), DOG_PASSED);
	}
	/* no chain of freezes holds one job for longer */
	v.ttl_s = 1;
	later(3600000);
	assert_int_equal(dog_judge(&d, &v, now), DOG_TOO_LONG);
	dog_sent_log(&d, &other, now);
	v.job = other;
	assert_int_equal(dog_judge(&d, &v, now), DOG_PASSED);
}

static void
test_jobs(void **state)
{
	struct dog_verdict v = verdict(DOG_FLAG);

	(void)state;
	begin(true, true);
	v.job = other;
	assert_int_equal(dog_judge(&d, &v, now), DOG_NO_JOB);
	v.has_job = false;
	for (unsigned a = 0; a < DOG_ACTIONS; a++) {
		v.action = (enum dog_action)a;
		assert_int_equal(dog_judge(&d, &v, now), a == DOG_NOTE ?
		    DOG_NOTED : DOG_NO_JOB);
	}
	/* who was not spoken of for longest is forgotten, no other */
	for (unsigned i = 0; i < DOG_JOBS - 1; i++) {
		struct id32 id = {.b = {0xee, (uint8_t)i}};

		later(1);
		dog_sent_log(&d, &id, now);
	}
	assert_int_equal(say(DOG_FLAG), DOG_PASSED);
	later(1);
	dog_sent_log(&d, &other, now);
	assert_int_equal(say(DOG_FLAG), DOG_NO_JOB);
	v = verdict(DOG_FLAG);
	v.job = (struct id32){.b = {0xee, 0}};
	assert_int_equal(dog_judge(&d, &v, now), DOG_PASSED);
}

static enum dog_end
kill_with(const char *uid, const struct id32 *id)
{
	struct dog_verdict v = verdict(DOG_KILL);

	v.job = *id;
	if (uid != NULL) {
		v.nrefs = 2;
		(void)snprintf(v.ref[0], sizeof(v.ref[0]), "no:such:0");
		(void)snprintf(v.ref[1], sizeof(v.ref[1]), "%s", uid);
	}
	return dog_judge(&d, &v, now);
}

static void
test_corroboration(void **state)
{
	(void)state;
	begin(true, true);
	dog_sent_event(&d, "a:b:1", EVK_JOB_STARTED, 1, &job, NULL, now);
	dog_sent_event(&d, "a:b:2", EVK_RULE, 3, &other, NULL, now);
	dog_sent_event(&d, "a:b:3", EVK_WATCHDOG, 4, &job, NULL, now);
	dog_sent_event(&d, "a:b:4", EVK_JOB_PROCESS, 2, &job, NULL, now);
	dog_sent_event(&d, "a:b:5", EVK_RULE, 1, &job, NULL, now);
	dog_sent_event(&d, "a:b:6", EVK_RULE, 3, NULL, NULL, now);
	dog_sent_event(&d, "a:b:7", EVK_WATCHDOG_DID, 3, &job, NULL, now);
	assert_int_equal(kill_with(NULL, &job), DOG_ALONE);
	/* what every job does, another's, its own word, none at all */
	for (char i = '1'; i <= '8'; i++) {
		char uid[8];

		(void)snprintf(uid, sizeof(uid), "a:b:%c", i);
		assert_int_equal(kill_with(uid, &job), DOG_ALONE);
	}
	assert_int_equal(kill_with("", &job), DOG_ALONE);
	dog_sent_event(&d, "a:b:9", EVK_RULE, 3, &job, NULL, now);
	assert_int_equal(kill_with("a:b:9", &other), DOG_ALONE);
	assert_int_equal(kill_with("a:b:9", &job), DOG_PASSED);
	assert_int_equal(kill_with("a:b:2", &other), DOG_PASSED);
	dog_sent_event(&d, "a:b:10", EVK_VIOLATION, 4, &job, NULL, now);
	assert_int_equal(kill_with("a:b:10", &job), DOG_PASSED);
	/* it is remembered until 512 others were told */
	for (unsigned i = 0; i < DOG_EVENTS; i++)
		dog_sent_event(&d, "x:y:1", EVK_JOB_STATE, 1, &other, NULL,
		    now);
	assert_int_equal(kill_with("a:b:9", &job), DOG_ALONE);
	/* unless the operator says otherwise */
	begin(true, false);
	assert_int_equal(kill_with(NULL, &job), DOG_PASSED);
	/* less than 0.9 never */
	for (unsigned c = 0; c < 900; c += 100) {
		struct dog_verdict v = verdict(DOG_KILL);

		v.confidence = c;
		assert_int_equal(dog_judge(&d, &v, now), DOG_UNSURE);
	}
}

/* `mode: note` measures and does nothing. */
static void
test_note_mode(void **state)
{
	(void)state;
	begin(false, false);
	for (unsigned a = 0; a < DOG_ACTIONS; a++)
		assert_int_equal(say((enum dog_action)a), DOG_NOTED);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(say(DOG_KILL), DOG_NOTED);
	assert_int_equal(say(DOG_KILL), DOG_TOO_MANY);
}

/* ---- its absence ---- */

static void
test_absent(void **state)
{
	(void)state;
	begin(true, true);
	assert_int_equal(d.there, DOG_WAITED_FOR);
	later(29999);
	assert_false(dog_tick(&d, now));
	dog_alive(&d, now);
	assert_int_equal(d.there, DOG_PRESENT);
	later(29999);
	assert_false(dog_tick(&d, now));
	later(1);
	assert_true(dog_tick(&d, now));
	assert_int_equal(d.there, DOG_ABSENT);
	later(10000);
	assert_false(dog_tick(&d, now)); /* told once */
	dog_waited_for(&d, now); /* a new pipe is not yet a word */
	assert_int_equal(d.there, DOG_ABSENT);
	dog_alive(&d, now);
	assert_int_equal(d.there, DOG_PRESENT);
	/* one that falls has its time to come again */
	dog_waited_for(&d, now);
	assert_int_equal(d.there, DOG_WAITED_FOR);
	later(30000);
	assert_true(dog_tick(&d, now));
	/* none is configured: nobody is missed */
	dog_set(&d, &(struct dog_conf){.on = false}, now);
	assert_int_equal(d.there, DOG_NONE);
	dog_alive(&d, now);
	assert_int_equal(d.there, DOG_NONE);
	later(100000);
	assert_false(dog_tick(&d, now));
}

static void
test_peer(void **state)
{
	struct fp fp = {.b = {7}};

	(void)state;
	begin(true, true);
	assert_null(dog_peer(&d, &job));
	dog_sent_event(&d, "a:b:1", EVK_JOB_ADMITTED, 1, &job, &fp, now);
	dog_sent_event(&d, "a:b:2", EVK_JOB_EXITED, 1, &job, NULL, now);
	assert_memory_equal(dog_peer(&d, &job), &fp, sizeof(fp));
	assert_null(dog_peer(&d, &other));
}

static void
test_severity(void **state)
{
	struct dog_verdict v = verdict(DOG_NOTE);

	(void)state;
	for (unsigned a = 0; a < DOG_ACTIONS; a++) {
		v.action = (enum dog_action)a;
		for (unsigned e = 0; e < DOG_ENDS; e++) {
			unsigned s = dog_severity(&v, (enum dog_end)e);

			assert_true(s >= 1 && s <= 4);
			assert_string_not_equal(dog_end_name((enum dog_end)e),
			    "?");
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_line_good),
	    cmocka_unit_test(test_line_cut),
	    cmocka_unit_test(test_line_hostile),
	    cmocka_unit_test(test_line_bounds),
	    cmocka_unit_test(test_log_line),
	    cmocka_unit_test(test_tick_line),
	    cmocka_unit_test(test_rates),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_ttl),
	    cmocka_unit_test(test_jobs),
	    cmocka_unit_test(test_corroboration),
	    cmocka_unit_test(test_note_mode),
	    cmocka_unit_test(test_absent),
	    cmocka_unit_test(test_peer),
	    cmocka_unit_test(test_severity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
