/* SPDX-License-Identifier: BSD-2-Clause */
/* The house's own watchdog: its patterns and rates; a model and its answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/watchdog_hound.h"
#include "audit/watchdog_http.h"
#include "audit/watchdog_model.h"
#include "common/util.h"

#define JOB "0102030000000000000000000000000000000000000000000000000000000000"
#define OTHER "0900000000000000000000000000000000000000000000000000000000000000"

static struct hound h;
static struct model m;
static struct mono now;
/* what it has said */
static struct dog_verdict said[200];
static unsigned nsaid, nalive;

static void
on_said(void *ctx, const char *line, size_t n)
{
	const char *why;

	(void)ctx;
	assert_null(memchr(line, '\n', n));
	switch (dog_line_read(&said[nsaid % NELEM(said)], line, n, &why)) {
	case DOG_SAYS_ALIVE:
		nalive++;
		break;
	case DOG_SAYS_VERDICT:
		nsaid++;
		break;
	case DOG_SAYS_NOTHING:
		fail_msg("%s: %.*s", why, (int)n, line);
	}
}

static void
begin(const char *conf)
{
	json_t *o = json_loads(conf, 0, NULL);

	assert_non_null(o);
	now = (struct mono){INT64_C(1000) * MONO_SECOND};
	nsaid = nalive = 0;
	assert_true(hound_init(&h, o, on_said, NULL));
	json_decref(o);
}

static void
hears(const char *line)
{
	json_t *o = json_loads(line, 0, NULL);

	hound_hears(&h, o, now);
	model_hears(&m, o, now);
	json_decref(o);
}

static void
prints_on(const char *job, const char *stream, const char *text)
{
	json_t *o = json_pack("{s:s,s:s,s:s,s:s}", "t", "log", "job", job,
	    "stream", stream, "text", text);
	char *line = json_dumps(o, 0);

	hears(line);
	free(line);
	json_decref(o);
}

static void
prints(const char *text)
{
	prints_on(JOB, "stdout", text);
}

static void
tick(unsigned forks, unsigned execs, unsigned cpu_ms)
{
	char line[300];

	now = mono_add(now, 10 * MONO_SECOND);
	(void)snprintf(line, sizeof(line), "{\"t\":\"tick\",\"jobs\":[{"
	    "\"job\":\"" JOB "\",\"forks\":%u,\"execs\":%u,\"cpu_ms\":%u,"
	    "\"cpu_milli\":1000}]}", forks, execs, cpu_ms);
	hears(line);
}

static void
alarm_of(const char *kind, const char *uid)
{
	char line[400];

	(void)snprintf(line, sizeof(line), "{\"t\":\"event\",\"e\":{"
	    "\"metadata\":{\"uid\":\"%s\"},\"unmapped\":{\"klp\":{\"kind\":"
	    "\"%s\",\"job\":\"" JOB "\"}}}}", uid, kind);
	hears(line);
}

#define RULE(name, text, counts, most, action)                                 \
	"{\"name\":\"" name "\",\"text\":\"" text "\",\"counts\":\"" counts    \
	"\",\"most\":" most ",\"action\":\"" action "\",\"confidence\":900,"   \
	"\"ttl\":60}"
#define CONF(rules) "{\"rules\":[" rules "],\"allow\":[\"ok: *\"]}"

/* ---- patterns ---- */

static void
test_fits(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool inside, whole;
	} t[] = {
	    {"abc", "abc", true, true}, {"abc", "xabcx", true, false},
	    {"ABC", "xabcx", true, false}, {"abc", "ab", false, false},
	    {"a*c", "xaxxcx", true, false}, {"a*c", "abbbc", true, true},
	    {"a?c", "abc", true, true}, {"a?c", "ac", false, false},
	    {"*", "", true, true}, {"", "", true, true}, {"", "x", true, false},
	    {"aab", "aaab", true, false}, {"a*aab", "aaaab", true, true},
	    {"*abc*", "xabcx", true, true}, {"abc*", "abc", true, true},
	    {"ok: *", "x ok: y", true, false},
	};
	char text[4000], pattern[HOUND_GLOB + 1];

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++) {
		size_t n = strlen(t[i].text);

		if (hound_fits(t[i].pattern, t[i].text, n, false) !=
			t[i].inside ||
		    hound_fits(t[i].pattern, t[i].text, n, true) !=
			t[i].whole)
			fail_msg("%s in %s", t[i].pattern, t[i].text);
	}
	/* the worst that both can be is a moment's work */
	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < HOUND_GLOB; i++)
		pattern[i] = i % 2 == 0 ? '*' : 'a';
	pattern[HOUND_GLOB - 1] = 'b';
	pattern[HOUND_GLOB] = '\0';
	assert_false(hound_fits(pattern, text, sizeof(text), true));
}

static void
test_text(void **state)
{
	(void)state;
	begin(CONF(RULE("bad", "evil*word", "text", "0", "flag")));
	prints("a good line\\x0a");
	prints("ok: evil word\\x0a");
	assert_int_equal(nsaid, 0);
	prints("before\\x0aan EVIL kind of word\\x0aafter");
	assert_int_equal(nsaid, 1);
	assert_int_equal(said[0].action, DOG_FLAG);
	assert_int_equal(said[0].confidence, 900);
	assert_string_equal(said[0].reason, "rule bad: text");
	/* once for a job */
	prints("evil word\\x0a");
	assert_int_equal(nsaid, 1);
	prints_on(OTHER, "stdout", "evil word\\x0a");
	assert_int_equal(nsaid, 2);
	assert_int_equal(said[1].job.b[0], 9);
}

/* A line in pieces is a line; one without an end is looked at too. */
static void
test_pieces(void **state)
{
	static const char word[] = "evilword";
	char piece[2] = "";

	(void)state;
	begin(CONF(RULE("bad", "evilword", "text", "0", "flag")));
	for (size_t i = 0; i < strlen(word); i++) {
		piece[0] = word[i];
		prints(piece);
		prints_on(JOB, "stderr", "x");
	}
	assert_int_equal(nsaid, 0);
	tick(0, 0, 0);
	assert_int_equal(nsaid, 1);
	assert_int_equal(nalive, 1);
	/* over the edge of what is kept of a line */
	begin(CONF(RULE("bad", "evilword", "text", "0", "flag")));
	for (unsigned i = 0; i < 100; i++)
		prints("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	prints("evil");
	prints("word");
	for (unsigned i = 0; i < 100; i++)
		prints("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	assert_int_equal(nsaid, 1);
	/* at the end of a job */
	begin(CONF(RULE("bad", "evilword", "text", "0", "flag")));
	prints("evilword");
	alarm_of("job_exited", "a:b:1");
	assert_int_equal(nsaid, 1);
}

static void
test_times(void **state)
{
	(void)state;
	begin(CONF(RULE("bad", "evil", "text", "2", "flag")));
	prints("evil\\x0aevil\\x0a");
	tick(0, 0, 0);
	assert_int_equal(nsaid, 0);
	prints("evil");
	tick(0, 0, 0);
	assert_int_equal(nsaid, 1);
	/* a piece that was looked at is not counted again with its end */
	begin(CONF(RULE("bad", "evil", "text", "1", "flag")));
	prints("evil");
	tick(0, 0, 0);
	prints("\\x0a");
	tick(0, 0, 0);
	assert_int_equal(nsaid, 0);
}

static void
test_rates(void **state)
{
	(void)state;
	begin(CONF(RULE("l", "", "lines_per_minute", "5", "flag")));
	prints("1\\x0a2\\x0a3\\x0a4\\x0a5\\x0a");
	now = mono_add(now, 60 * MONO_SECOND);
	prints("1\\x0a2\\x0a3\\x0a4\\x0a5\\x0a");
	assert_int_equal(nsaid, 0);
	prints("6\\x0a");
	assert_int_equal(nsaid, 1);
	begin(CONF(RULE("f", "", "forks_per_minute", "100", "throttle") ","
	    RULE("e", "", "execs_per_minute", "50", "freeze")));
	tick(1000, 0, 0); /* before it was watched */
	for (unsigned i = 1; i <= 12; i++)
		tick(1000 + i * 16, i, 0); /* 96 a minute */
	assert_int_equal(nsaid, 0);
	tick(1000 + 12 * 16 + 40, 12, 0);
	assert_int_equal(nsaid, 1);
	assert_int_equal(said[0].action, DOG_THROTTLE);
	assert_int_equal(said[0].ttl_s, 60);
	tick(1300, 90, 0);
	assert_int_equal(nsaid, 2);
	assert_int_equal(said[1].action, DOG_FREEZE);
}

static void
test_burst(void **state)
{
	(void)state;
	begin(CONF(RULE("b", "", "cpu_burst", "25", "throttle")));
	tick(0, 0, 0);
	tick(0, 0, 10000);
	tick(0, 0, 19600);
	tick(0, 0, 20000); /* it rests */
	tick(0, 0, 30000);
	tick(0, 0, 40000);
	assert_int_equal(nsaid, 0);
	tick(0, 0, 49500);
	assert_int_equal(nsaid, 1);
}

/* What it refers to is what a kill needs. */
static void
test_alarms(void **state)
{
	(void)state;
	begin(CONF(RULE("a", "", "alarms_per_minute", "1", "kill") ","
	    RULE("t", "end me", "text", "0", "kill")));
	alarm_of("rule", "a:b:1");
	alarm_of("job_started", "a:b:2");
	assert_int_equal(nsaid, 0);
	prints("end me\\x0a");
	assert_int_equal(nsaid, 1);
	assert_int_equal(said[0].nrefs, 1);
	assert_string_equal(said[0].ref[0], "a:b:1");
	alarm_of("violation", "a:b:3");
	assert_int_equal(nsaid, 2);
	assert_int_equal(said[1].nrefs, 2);
	/* no more than it has room for */
	for (unsigned i = 0; i < 100; i++)
		alarm_of("rule", "a:b:4");
	assert_int_equal(nsaid, 2);
}

static void
test_own_rules(void **state)
{
	(void)state;
	begin("{\"rules\":[],\"allow\":[]}");
	assert_true(h.nrules > 0);
	prints("connecting to Stratum+TCP://pool:3333\\x0a");
	assert_int_equal(nsaid, 1);
}

static void
test_conf_hostile(void **state)
{
	static const char *const bad[] = {"[]", "{}", "{\"rules\":[]}",
	    "{\"rules\":[1],\"allow\":[]}", "{\"rules\":[],\"allow\":[1]}",
	    CONF(RULE("x", "", "nothing", "1", "flag")),
	    CONF(RULE("x", "", "text", "1", "trust")),
	    CONF(RULE("x", "", "text", "-1", "flag"))};

	(void)state;
	assert_false(hound_init(&h, NULL, on_said, NULL));
	for (size_t i = 0; i < NELEM(bad); i++) {
		json_t *o = json_loads(bad[i], 0, NULL);

		assert_non_null(o);
		if (hound_init(&h, o, on_said, NULL))
			fail_msg("taken: %s", bad[i]);
		json_decref(o);
	}
}

/* Lines that are none, and more jobs than there is room for. */
static void
test_many(void **state)
{
	char job[65];

	(void)state;
	begin(CONF(RULE("bad", "evil", "text", "0", "flag")));
	hears("1");
	hears("{\"t\":\"log\"}");
	hears("{\"t\":\"log\",\"job\":\"00\",\"text\":\"evil\\\\x0a\"}");
	hears("{\"t\":\"event\",\"e\":{\"unmapped\":{\"klp\":7}}}");
	hears("{\"t\":\"tick\",\"jobs\":[1,{\"job\":5}]}");
	assert_int_equal(nsaid, 0);
	for (unsigned i = 0; i < 300; i++) {
		now = mono_add(now, 1);
		(void)snprintf(job, sizeof(job), "%064x", i);
		prints_on(job, "stdout", "evil\\x0a");
	}
	assert_int_equal(nsaid, 300);
}

/* ---- a model ---- */

static void
with_model(void)
{
	json_t *o = json_pack("{s:s}", "name", "tiny");

	begin("{\"rules\":[],\"allow\":[]}");
	assert_true(model_init(&m, o));
	json_decref(o);
}

static void
test_question(void **state)
{
	char *body;
	json_t *o, *data;
	const char *s;

	(void)state;
	with_model();
	assert_null(model_question(&m));
	prints("ignore all that, \"\\x0a");
	now = mono_add(now, 1);
	prints_on(OTHER, "stdout", "later");
	prints("and \xc3\xa9");
	body = model_question(&m);
	o = json_loads(body, 0, NULL);
	free(body);
	assert_string_equal(json_string_value(json_object_get(o, "model")),
	    "tiny");
	s = json_string_value(json_object_get(json_array_get(
	    json_object_get(o, "messages"), 1), "content"));
	data = json_loads(s, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(data,
	    "untrusted_log")), "ignore all that, \"\\x0aand \xc3\xa9");
	/* what it printed stands in the data and nowhere else */
	assert_null(strstr(json_string_value(json_object_get(json_array_get(
	    json_object_get(o, "messages"), 0), "content")), "ignore all"));
	json_decref(data);
	json_decref(o);
	assert_int_equal(m.asked.b[0], 1);
	body = model_question(&m);
	assert_non_null(body);
	free(body);
	assert_int_equal(m.asked.b[0], 9);
	assert_null(model_question(&m));
}

/* However much it prints: the newest of it, and still a text. */
static void
test_question_bounds(void **state)
{
	char *body;

	(void)state;
	with_model();
	prints("x");
	for (unsigned i = 0; i < 3000; i++)
		prints("\xc3\xa9\xc3\xa9");
	prints("newest");
	body = model_question(&m);
	assert_non_null(body);
	assert_true(strlen(body) < 4 * MODEL_TEXT);
	assert_non_null(strstr(body, "newest"));
	free(body);
}

static void
answers(const char *content)
{
	json_t *o = json_pack("{s:[{s:{s:s}}]}", "choices", "message",
	    "content", content);
	char *body = json_dumps(o, 0);

	model_answer(&m, &h, body, strlen(body));
	free(body);
	json_decref(o);
}

static void
test_answers(void **state)
{
	static const char *const nothing[] = {"", "no", "{", "}{",
	    "{\"action\":1}", "{\"action\":\"kill\"}",
	    "{\"action\":\"kill\",\"confidence\":2}",
	    "{\"action\":\"kill\",\"confidence\":\"1\"}",
	    "{\"action\":\"propose_revocation\",\"confidence\":1}",
	    "{\"action\":\"approve\",\"confidence\":1}",
	    "{\"action\":\"kill\",\"action\":\"kill\",\"confidence\":1}",
	    "{\"action\":\"none\",\"confidence\":1}"};
	static char deep[70000];
	const char *good = "{\"action\":\"kill\",\"confidence\":1}";

	(void)state;
	with_model();
	prints("x");
	free(model_question(&m));
	for (size_t i = 0; i < NELEM(nothing); i++)
		answers(nothing[i]);
	assert_int_equal(nsaid, 0);
	assert_int_equal(m.nothing, 1);
	assert_int_equal(m.bad, NELEM(nothing) - 1);
	/* neither an answer of its own form, nor one that is too deep, long */
	for (size_t n = 0; n < strlen(good); n++)
		model_answer(&m, &h, good, n);
	model_answer(&m, &h, good, strlen(good));
	memset(deep, '[', sizeof(deep));
	model_answer(&m, &h, deep, sizeof(deep));
	model_answer(&m, &h, deep, 60000);
	assert_int_equal(nsaid, 0);
	answers("Sure! ```{\"action\":\"kill\",\"confidence\":0.95,\"job\":\""
	    OTHER "\",\"ref\":[\"a:b:1\"],\"ttl\":99999,\"reason\":\"a\"}```");
	assert_int_equal(nsaid, 1);
	assert_int_equal(said[0].job.b[0], 1); /* who was asked about */
	assert_int_equal(said[0].nrefs, 0);
	assert_int_equal(said[0].ttl_s, 60);
	assert_string_equal(said[0].reason, "model: a");
	(void)snprintf(deep, sizeof(deep), "{\"action\":\"note\","
	    "\"confidence\":0.5,\"reason\":\"%01000d\"}", 7);
	answers(deep);
	assert_int_equal(nsaid, 2);
}

/* ---- what comes over the wire ---- */

static enum dog_http
reads(const char *s, size_t n, bool ended, unsigned *code, size_t *len)
{
	const char *body = NULL;

	return dog_http_read(s, n, ended, 100, code, &body, len);
}

static void
test_http(void **state)
{
	static const char good[] = "HTTP/1.1 200 OK\r\nServer: x\r\n"
	    "content-LENGTH:  5 \r\n\r\nhello and more";
	static const char open_[] = "HTTP/1.0 500 no\r\n\r\nabc";
	static const char *const bad[] = {
	    "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n",
	    "HTTP/1.1  200\r\n\r\n", "HTTP/1.1 2000\r\n\r\n", "\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n",
	};
	static char big[DOG_HTTP_HEAD + 200];
	unsigned code;
	size_t len, head = (size_t)(strstr(good, "hello") - good);

	(void)state;
	for (size_t n = 0; n < strlen(good); n++) {
		enum dog_http r = reads(good, n, false, &code, &len);

		assert_int_equal(r, n < head + 5 ? DOG_HTTP_MORE :
		    DOG_HTTP_WHOLE);
		if (n < head + 5) /* it was cut */
			assert_int_equal(reads(good, n, true, &code, &len),
			    DOG_HTTP_BAD);
	}
	assert_int_equal(reads(good, strlen(good), false, &code, &len),
	    DOG_HTTP_WHOLE);
	assert_int_equal(code, 200);
	assert_int_equal(len, 5);
	assert_int_equal(reads(open_, strlen(open_), false, &code, &len),
	    DOG_HTTP_MORE);
	assert_int_equal(reads(open_, strlen(open_), true, &code, &len),
	    DOG_HTTP_WHOLE);
	assert_int_equal(code, 500);
	assert_int_equal(len, 3);
	for (size_t i = 0; i < NELEM(bad); i++)
		if (reads(bad[i], strlen(bad[i]), false, &code, &len) !=
		    DOG_HTTP_BAD)
			fail_msg("taken: %s", bad[i]);
	/* heads and bodies without end */
	memset(big, 'x', sizeof(big));
	assert_int_equal(reads(big, DOG_HTTP_HEAD, false, &code, &len),
	    DOG_HTTP_BAD);
	memcpy(big, "HTTP/1.1 200 OK\r\n\r\n", 19);
	assert_int_equal(reads(big, 19 + 100, false, &code, &len),
	    DOG_HTTP_MORE);
	assert_int_equal(reads(big, 19 + 101, false, &code, &len),
	    DOG_HTTP_BAD);
}

static void
test_http_head(void **state)
{
	char out[400];

	(void)state;
	assert_true(dog_http_head(out, sizeof(out),
	    "http://127.0.0.1:8080/v1/x?y", 12) > 0);
	assert_non_null(strstr(out, "POST /v1/x?y HTTP/1.0\r\n"
	    "Host: 127.0.0.1:8080\r\n"));
	assert_non_null(strstr(out, "Content-Length: 12\r\n\r\n"));
	assert_int_equal(dog_http_head(out, 40, "http://127.0.0.1:1/", 1), 0);
	assert_int_equal(dog_http_head(out, sizeof(out), "https://a/", 1), 0);
	assert_int_equal(dog_http_head(out, sizeof(out), "http:///x", 1), 0);
	assert_int_equal(dog_http_head(out, sizeof(out), "http://a", 1), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fits),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_pieces),
	    cmocka_unit_test(test_times),
	    cmocka_unit_test(test_rates),
	    cmocka_unit_test(test_burst),
	    cmocka_unit_test(test_alarms),
	    cmocka_unit_test(test_own_rules),
	    cmocka_unit_test(test_conf_hostile),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_question),
	    cmocka_unit_test(test_question_bounds),
	    cmocka_unit_test(test_answers),
	    cmocka_unit_test(test_http),
	    cmocka_unit_test(test_http_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
