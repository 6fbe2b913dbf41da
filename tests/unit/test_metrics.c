/* SPDX-License-Identifier: BSD-2-Clause */
/* /metrics: every line is of the exposition format; requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "transport/engine/metrics_text.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:"
#define SERIES_MAX 4096

/* What a scraper reads: the name of the family that it is in, series so far. */
struct scrape {
	char family[128];
	char *families[256];
	size_t nfamilies;
	char *series[SERIES_MAX];
	size_t nseries;
};

static bool
known(char *const *list, size_t n, const char *s, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(list[i]) == len && strncmp(list[i], s, len) == 0)
			return true;
	return false;
}

/* name="value", ... }; the byte behind it, or NULL. */
static const char *
labels(const char *s)
{
	for (;;) {
		size_t n = strspn(s, LETTERS "0123456789");

		if (n == 0 || strncmp(s + n, "=\"", 2) != 0)
			return NULL;
		for (s += n + 2; *s != '"'; s++) {
			if (*s == '\0' || *s == '\n')
				return NULL;
			if (*s == '\\' && strchr("\\\"n", *++s) == NULL)
				return NULL;
		}
		if (*++s == '}')
			return s + 1;
		if (*s++ != ',')
			return NULL;
	}
}

static void
sample(struct scrape *c, const char *line)
{
	size_t n = strspn(line, LETTERS "0123456789");
	const char *s = line + n;

	if (n == 0 || n != strlen(c->family) ||
	    strncmp(line, c->family, n) != 0)
		fail_msg("not of the family %s: %s", c->family, line);
	if (*s == '{' && (s = labels(s + 1)) == NULL)
		fail_msg("labels: %s", line);
	if (known(c->series, c->nseries, line, (size_t)(s - line)))
		fail_msg("twice: %s", line);
	assert_true(c->nseries < SERIES_MAX);
	c->series[c->nseries++] = strndup(line, (size_t)(s - line));
	if (*s != ' ' || s[1] == '\0' ||
	    s[1 + strspn(s + 1, "0123456789")] != '\0')
		fail_msg("value: %s", line);
}

/* HELP, then TYPE, of a family that was not there before. */
static void
comment(struct scrape *c, const char *line, bool *helped)
{
	char name[128], type[32];

	if (sscanf(line, "# HELP %127s", name) == 1) {
		if (known(c->families, c->nfamilies, name, strlen(name)))
			fail_msg("HELP twice: %s", line);
		c->families[c->nfamilies++] = strdup(name);
		(void)snprintf(c->family, sizeof(c->family), "%s", name);
		*helped = true;
		return;
	}
	if (sscanf(line, "# TYPE %127s %31s", name, type) != 2 || !*helped ||
	    strcmp(name, c->family) != 0)
		fail_msg("TYPE: %s", line);
	*helped = false;
	/* what counts is called so, and nothing else is */
	if ((strcmp(type, "counter") == 0) != (strlen(name) > 6 &&
	    strcmp(name + strlen(name) - 6, "_total") == 0))
		fail_msg("%s is no %s", name, type);
	if (strcmp(type, "counter") != 0 && strcmp(type, "gauge") != 0)
		fail_msg("type: %s", line);
}

static void
scrape(struct scrape *c, char *text)
{
	char *line, *end;
	bool helped = false;

	memset(c, 0, sizeof(*c));
	assert_int_equal(text[strlen(text) - 1], '\n');
	for (line = text; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		*end = '\0';
		if (line[0] == '#')
			comment(c, line, &helped);
		else if (helped)
			fail_msg("no TYPE before: %s", line);
		else
			sample(c, line);
	}
}

static void
scrape_free(struct scrape *c)
{
	for (size_t i = 0; i < c->nfamilies; i++)
		free(c->families[i]);
	for (size_t i = 0; i < c->nseries; i++)
		free(c->series[i]);
}

static bool
has_series(const struct scrape *c, const char *s)
{
	return known(c->series, c->nseries, s, strlen(s));
}

static void
test_text(void **state)
{
	/* as the operator calls them, one name twice */
	static const struct airq_view air = {
	    .of = {[RNS_KIND_RELAY] = {.packets = 3,
		.tx = {.air_us = 1234567}}},
	    .limit_us = 36000000, .used_us = 1500000};
	static const struct metrics_if ifs[] = {
	    {.name = "TCP[a \"quoted\" \\ name]", .type = "TCP", .online = 1,
		.rx_bytes = UINT64_MAX},
	    {.name = "line\nfeed} 5\nwarren_up 1", .type = "TCP"},
	    {.name = "bytes\xff\x01", .type = "TCP"},
	    {.name = "same", .type = "TCP", .held = 7},
	    {.name = "same", .type = "TCP", .held = 8,
		.rx_kinds = {[RNS_KIND_FAR] = {2, 400}}},
	    {.name = "radio", .type = "RNode", .air = &air}};
	static const struct metrics_program programs[] = {
	    {"transport", 1, 0, 4096, 2048}, {"node", 0, 3, 0, 0}};
	static const struct metrics_sample samples[] = {
	    {NUMBER_JOBS, "queued", 4}, {NUMBER_SLOTS, "", 2},
	    {NUMBER_REFUSED, "quota", 5}, {NUMBER_REFUSED, "quota", 6},
	    {NUMBER_REFUSED, "a\"} 1\nwarren_up 1", 7},
	    {NUMBER_REFUSED, "\xff", 8}, {NUMBER_SLOTS, "other", 3},
	    {NUMBER_FAMILIES, "none", 9}, {NUMBER_JOBS, "running", 1}};
	struct metrics m = {.uptime_s = 5, .ifs = ifs, .nifs = NELEM(ifs),
	    .programs = programs, .nprograms = NELEM(programs),
	    .samples = samples, .nsamples = NELEM(samples)};
	struct scrape c;
	size_t len;
	char *text;

	(void)state;
	m.counts.paths = 77;
	m.drops[RNS_DROP_HELD] = 9;
	text = metrics_text(&m, &len);
	assert_non_null(text);
	assert_int_equal(strlen(text), len);
	assert_non_null(strstr(text, "\nwarren_table_entries{table=\"paths\"} "
	    "77\n"));
	assert_non_null(strstr(text, "\nwarren_drops_total{reason=\"HELD\"} "
	    "9\n"));
	assert_non_null(strstr(text, "\"} 18446744073709551615\n"));
	assert_non_null(strstr(text, "warren_program_restarts_total{program="
	    "\"node\"} 3\n"));
	assert_null(strstr(text, "\nwarren_up 1"));
	assert_non_null(strstr(text, "\nwarren_program_resident_bytes{program="
	    "\"transport\"} 4096\n"));
	assert_non_null(strstr(text, "\nwarren_program_proportional_bytes{"
	    "program=\"transport\"} 2048\n"));
	/* what is not known is not 0 */
	assert_null(strstr(text, "bytes{program=\"node\"}"));
	assert_non_null(strstr(text, "\nwarren_job_slots 2\n"));
	assert_non_null(strstr(text, "\nwarren_jobs{state=\"running\"} 1\n"));
	assert_non_null(strstr(text, "\nwarren_refusals_total{reason="
	    "\"quota\"} 5\n"));
	assert_non_null(strstr(text, "\nwarren_interface_kind_bytes_total{"
	    "interface=\"same #2\",type=\"TCP\",kind=\"far_announces\","
	    "direction=\"received\"} 400\n"));
	assert_non_null(strstr(text, "\nwarren_interface_airtime_milliseconds_"
	    "total{interface=\"radio\",type=\"RNode\",kind=\"relay\",direction="
	    "\"sent\"} 1234\n"));
	assert_non_null(strstr(text, "\nwarren_interface_air_queue_packets{"
	    "interface=\"radio\",type=\"RNode\",kind=\"relay\"} 3\n"));
	assert_non_null(strstr(text, "\nwarren_interface_duty_cycle_used_"
	    "milliseconds{interface=\"radio\",type=\"RNode\"} 1500\n"));
	assert_non_null(strstr(text, "\nwarren_interface_duty_cycle_limit_"
	    "milliseconds{interface=\"radio\",type=\"RNode\"} 36000\n"));
	/* others have none */
	assert_null(strstr(text, "_airtime_milliseconds_total{interface=\"same"));
	scrape(&c, text);
	assert_true(has_series(&c, "warren_interface_announces_held{interface="
	    "\"same\",type=\"TCP\"}"));
	assert_true(has_series(&c, "warren_interface_announces_held{interface="
	    "\"same #2\",type=\"TCP\"}"));
	/* each reason is there from the first moment on */
	assert_true(has_series(&c, "warren_drops_total{reason=\"SHORT\"}"));
	assert_true(has_series(&c, "warren_drops_total{reason=\"LINK_EDGE\"}"));
	scrape_free(&c);
	free(text);
}

static void
test_empty(void **state)
{
	struct metrics m = {.nifs = 0};
	struct scrape c;
	size_t len;
	char *text = metrics_text(&m, &len);

	(void)state;
	assert_non_null(text);
	assert_null(strstr(text, "warren_jobs")); /* nobody has told */
	scrape(&c, text);
	scrape_free(&c);
	free(text);
}

/* ---- requests ---- */

static void
test_asked(void **state)
{
	static const struct {
		const char *line;
		enum metrics_asked want;
	} t[] = {
	    {"GET /metrics HTTP/1.0", METRICS_OK},
	    {"GET /metrics HTTP/1.1\r", METRICS_OK},
	    {"GET / HTTP/1.1\r", METRICS_NOT_FOUND},
	    {"GET /metrics/ HTTP/1.1\r", METRICS_NOT_FOUND},
	    {"GET /metrics?x HTTP/1.1\r", METRICS_NOT_FOUND},
	    {"GET /metricsx HTTP/1.1", METRICS_NOT_FOUND},
	    {"POST /metrics HTTP/1.1", METRICS_NOT_GET},
	    {"get /metrics HTTP/1.1", METRICS_NOT_GET},
	    {"GET  /metrics HTTP/1.1", METRICS_BAD},
	    {"GET metrics HTTP/1.1", METRICS_BAD},
	    {"GET /metrics HTTP/2.0", METRICS_BAD},
	    {"GET /metrics HTTP/1.2", METRICS_BAD},
	    {"GET /metrics HTTP/1.1 x", METRICS_BAD},
	    {"GET /metrics", METRICS_BAD}, {"GET /metrics ", METRICS_BAD},
	    {"GET", METRICS_BAD}, {"", METRICS_BAD}, {"\r", METRICS_BAD},
	    {" /metrics HTTP/1.1", METRICS_BAD}, {" ", METRICS_BAD}};

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++) {
		size_t len = strlen(t[i].line);
		uint8_t *exact = malloc(len + (len == 0));

		memcpy(exact, t[i].line, len);
		if (metrics_asked(exact, len) != t[i].want)
			fail_msg("%s", t[i].line);
		free(exact);
	}
	/* cut anywhere it is not understood */
	for (size_t n = 0; n < strlen(t[0].line); n++) {
		uint8_t *exact = malloc(n + (n == 0));

		memcpy(exact, t[0].line, n);
		assert_int_equal(metrics_asked(exact, n), METRICS_BAD);
		free(exact);
	}
}

static void
test_head(void **state)
{
	static const enum metrics_asked all[] = {METRICS_OK, METRICS_BAD,
	    METRICS_NOT_FOUND, METRICS_NOT_GET};

	(void)state;
	for (size_t i = 0; i < NELEM(all); i++) {
		char begin[32];

		(void)snprintf(begin, sizeof(begin), "HTTP/1.0 %d ",
		    (int)all[i]);
		assert_int_equal(strncmp(metrics_head(all[i]), begin,
		    strlen(begin)), 0);
		assert_non_null(strstr(metrics_head(all[i]), "\r\n\r\n"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_asked),
		cmocka_unit_test(test_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
