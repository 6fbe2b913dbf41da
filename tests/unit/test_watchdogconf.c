/* SPDX-License-Identifier: BSD-2-Clause */
/* `watchdog` of node.yaml. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "node/config/nodeconf.h"

static struct node_config *
good(const char *text)
{
	struct node_config *c = NULL;
	struct mistakes m = {0};

	if (node_config_parse(&c, text, strlen(text), &m) < 0)
		fail_msg("%u:%u %s", m.v[0].line, m.v[0].column, m.v[0].text);
	return c;
}

static void
test_absent(void **state)
{
	struct node_config *c = good("name: x\n");

	(void)state;
	assert_int_equal(c->watchdog.run, WATCHDOG_OFF);
	assert_true(c->watchdog.corroborate);
	assert_false(c->watchdog.act || c->watchdog.required);
	node_config_free(c);
	/* the section alone: our own, and it only notes */
	c = good("watchdog: {}\n");
	assert_int_equal(c->watchdog.run, WATCHDOG_RULES);
	assert_false(c->watchdog.act || c->watchdog.required);
	node_config_free(c);
	c = good("watchdog: {run: off}\n");
	assert_int_equal(c->watchdog.run, WATCHDOG_OFF);
	node_config_free(c);
}

static void
test_full(void **state)
{
	struct node_config *c = good(
	    "watchdog:\n  run: model\n  mode: act\n  required: true\n"
	    "  corroborate: false\n  socket: /run/x.sock\n  user: nobody\n"
	    "  allow: [\"a*\", b]\n  deny: [c]\n  rules:\n"
	    "    - {name: t, text: \"x*y\", times: 3, action: freeze, "
	    "confidence: 0.95, ttl: 10m}\n"
	    "    - {name: f, forks_per_minute: 10}\n"
	    "    - {name: b, cpu_burst: 2m, action: throttle}\n"
	    "  model: {url: \"http://[::1]:80/v1\", name: m, timeout: 5s}\n");
	const struct watchdog_conf *w = &c->watchdog;

	(void)state;
	assert_int_equal(w->run, WATCHDOG_MODEL);
	assert_true(w->act && w->required && !w->corroborate);
	assert_string_equal(w->socket, "/run/x.sock");
	assert_string_equal(w->user, "nobody");
	assert_int_equal(w->nallow, 2);
	assert_string_equal(w->deny[0], "c");
	assert_int_equal(w->nrules, 3);
	assert_int_equal(w->rule[0].counts, WATCHDOG_TEXT);
	assert_int_equal(w->rule[0].most, 2); /* the third one */
	assert_int_equal(w->rule[0].action, DOG_FREEZE);
	assert_int_equal(w->rule[0].confidence, 950);
	assert_int_equal(w->rule[0].ttl_s, 600);
	assert_int_equal(w->rule[1].counts, WATCHDOG_FORKS);
	assert_int_equal(w->rule[1].most, 10);
	assert_int_equal(w->rule[1].action, DOG_FLAG);
	assert_int_equal(w->rule[2].most, 120);
	assert_string_equal(w->url, "http://[::1]:80/v1");
	assert_int_equal(w->timeout_ms, 5000);
	node_config_free(c);
}

static void
test_url(void **state)
{
	static const char *const bad[] = {"", "http://", "127.0.0.1:80/",
	    "https://127.0.0.1:80/", "http://localhost:80/",
	    "http://127.0.0.1/", "http://127.0.0.1:80", "http://127.0.0.1:0/",
	    "http://127.0.0.1:65536/", "http://127.0.0.1:80x/",
	    "http://127.0.0.2:80/", "http://10.0.0.1:80/",
	    "http://127.0.0.1.evil.example:80/", "http://u@127.0.0.1:80/",
	    "http://127.0.0.1:80/a b", "http://127.0.0.1:80/\r\nX: y",
	    "http://127.0.0.1:80/#x", "http://[::2]:80/", "http://[::1]/",
	    "http://127.0.0.1:99999999999999999999/"};
	struct watchdog_url u;

	(void)state;
	assert_null(watchdog_url(&u, "http://127.0.0.1:8080/v1/chat?x=1"));
	assert_false(u.v6);
	assert_int_equal(u.port, 8080);
	assert_null(watchdog_url(&u, "http://[::1]:1/"));
	assert_true(u.v6);
	for (size_t i = 0; i < NELEM(bad); i++)
		if (watchdog_url(&u, bad[i]) == NULL)
			fail_msg("taken: %s", bad[i]);
}

/* Each mistake has its place, and says what is wrong. */
static void
test_mistakes(void **state)
{
	static const struct {
		const char *text;
		unsigned line, column;
		const char *says;
	} t[] = {
	    {"watchdog: x\n", 1, 11, "watchdog"},
	    {"watchdog: {run: dog}\n", 1, 17, "run"},
	    {"watchdog: {bark: 1}\n", 1, 12, "bark"},
	    {"watchdog: {mode: kill}\n", 1, 18, "mode"},
	    {"watchdog: {required: maybe}\n", 1, 22, "required"},
	    {"watchdog: {socket: run/x}\n", 1, 20, "does not begin with /"},
	    {"watchdog: {allow: x}\n", 1, 19, "allow"},
	    {"watchdog: {deny: [[x]]}\n", 1, 19, "deny"},
	    {"watchdog: {run: model}\n", 1, 11, "url is not set"},
	    {"watchdog: {model: {url: \"http://10.0.0.1:1/\"}}\n", 1, 25,
		"not on this machine"},
	    {"watchdog: {model: {port: 1}}\n", 1, 20, "port"},
	    {"watchdog:\n  rules:\n    - {text: x}\n", 3, 7, "no name"},
	    {"watchdog:\n  rules:\n    - {name: x}\n", 3, 7, "this none"},
	    {"watchdog:\n  rules:\n    - {name: x, text: y, cpu_burst: 1s}\n",
		3, 7, "this several"},
	    {"watchdog:\n  rules:\n    - {name: x, text: y, ttl: 11m}\n", 3,
		31, "ttl"},
	    {"watchdog:\n  rules:\n    - {name: x, text: y, action: trust}\n",
		3, 34, "action"},
	    {"watchdog:\n  rules:\n    - {name: x, text: y, confidence: 1.1}\n",
		3, 38, "no number from 0 to 1"},
	    {"watchdog:\n  rules:\n    - {name: x, text: y, confidence: nan}\n",
		3, 38, "no number from 0 to 1"},
	    {"watchdog:\n  rules:\n    - {name: x, forks_per_minute: 1, "
		"times: 2}\n", 3, 45, "times is for"},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++) {
		struct node_config *c = NULL;
		struct mistakes m = {0};

		assert_int_equal(node_config_parse(&c, t[i].text,
		    strlen(t[i].text), &m), -1);
		if (m.v[0].line != t[i].line || m.v[0].column != t[i].column ||
		    strstr(m.v[0].text, t[i].says) == NULL)
			fail_msg("%s: %u:%u %s", t[i].text, m.v[0].line,
			    m.v[0].column, m.v[0].text);
	}
}

/* As many as there is room for, and one more. */
static void
test_bounds(void **state)
{
	static char text[8192];
	struct node_config *c = NULL;
	struct mistakes m = {0};
	size_t n;

	(void)state;
	for (unsigned over = 0; over < 2; over++) {
		n = (size_t)snprintf(text, sizeof(text),
		    "watchdog:\n  rules:\n");
		for (unsigned i = 0; i < WATCHDOG_RULES_MAX + over; i++)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
			    "    - {name: r%u, text: x}\n", i);
		assert_int_equal(node_config_parse(&c, text, n, &m), over ?
		    -1 : 0);
		if (!over)
			node_config_free(c);
	}
	assert_non_null(strstr(m.v[0].text, "more than 32 rules"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_absent),
	    cmocka_unit_test(test_full),
	    cmocka_unit_test(test_url),
	    cmocka_unit_test(test_mistakes),
	    cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
