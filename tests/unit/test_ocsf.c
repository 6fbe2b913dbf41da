/* SPDX-License-Identifier: BSD-2-Clause */
/* Events as OCSF: each kind, against the published schema. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "audit/ocsf.h"
#include "common/util.h"

static const struct ocsf_source source = {
    .fp = {{0xab}}, .boot = "0102", .urn = "urn:klp:kindai:device:ab"};

static json_t *
object(const struct msg_EVENT *e)
{
	char out[OCSF_MAX];
	size_t n = ocsf_event(out, sizeof(out), e, PROGRAM_NODE, &source, 17);
	json_t *o;

	assert_true(n > 0);
	assert_null(memchr(out, '\n', n));
	o = json_loadb(out, n, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(o);
	return o;
}

static int64_t
num(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

static void
test_objects(void **state)
{
	static const struct {
		uint16_t kind;
		int class_uid, activity, severity;
	} rows[] = {
	    {EVK_START, 6002, 3, 1}, {EVK_STOP, 6002, 4, 1},
	    {EVK_LINK_IDENTIFIED, 3002, 1, 1}, {EVK_CHALLENGE_BAD, 3002, 1, 3},
	    {EVK_JOB_ADMITTED, 6003, 1, 1}, {EVK_JOB_REFUSED, 6003, 1, 2},
	    {EVK_JOB_STARTED, 1007, 1, 1}, {EVK_JOB_EXITED, 1007, 2, 1},
	    {EVK_PEER_THROTTLED, 4001, 6, 2}, {EVK_IPC_VIOLATION, 2004, 1, 5},
	    {EVK_TRAIL_TORN, 2004, 1, 4}, {999, 0, 99, 1},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct msg_EVENT e = {.kind = rows[i].kind,
		    .when_us = 1800000000123456};
		json_t *o = object(&e), *meta = json_object_get(o, "metadata");

		assert_int_equal(num(o, "class_uid"), rows[i].class_uid);
		assert_int_equal(num(o, "activity_id"), rows[i].activity);
		assert_int_equal(num(o, "severity_id"), rows[i].severity);
		assert_int_equal(num(o, "type_uid"),
		    rows[i].class_uid * 100 + rows[i].activity);
		assert_int_equal(num(o, "time"), 1800000000123);
		assert_string_equal(json_string_value(json_object_get(meta,
		    "version")), "1.3.0");
		assert_string_equal(json_string_value(json_object_get(meta,
		    "uid")), "ab000000000000000000000000000000:0102:17");
		/* which node: where the class has a place for it */
		assert_string_equal(json_string_value(json_object_get(
		    json_object_get(rows[i].class_uid == 0 ?
			json_object_get(o, "unmapped") : o,
			rows[i].class_uid == 0 ? "klp" :
			rows[i].class_uid == 6003 ? "dst_endpoint" : "device"),
		    rows[i].class_uid == 0 ? "node" : "uid")), source.urn);
		json_decref(o);
	}
}

static void
test_strangers_text(void **state)
{
	struct msg_EVENT e = {.kind = EVK_JOB_REFUSED, .severity = 200,
	    .job_len = 32, .peer_len = 16, .code = "a\"b", .a = -7,
	    .value = UINT64_MAX};
	json_t *o, *klp;

	(void)state;
	memset(e.text, '\x1b', sizeof(e.text) - 1);
	o = object(&e);
	assert_int_equal(num(o, "severity_id"), 5);
	assert_memory_equal(json_string_value(json_object_get(o, "message")),
	    "\\x1b\\x1b", 8);
	klp = json_object_get(json_object_get(o, "unmapped"), "klp");
	assert_string_equal(json_string_value(json_object_get(klp, "code")),
	    "a\"b");
	assert_int_equal(num(klp, "a"), -7);
	/* of two numbers both or none, and never a negative one */
	assert_int_equal(num(klp, "limit"), 0);
	assert_non_null(json_object_get(klp, "limit"));
	assert_true(num(klp, "value") == INT64_MAX);
	assert_string_equal(json_string_value(json_object_get(klp, "program")),
	    "node");
	assert_int_equal(json_string_length(json_object_get(klp, "peer")), 32);
	json_decref(o);
}

/* A pipe to the checker of events, and what came of it. */
static FILE *
checker(pid_t *pid)
{
	const char *vectors = getenv("VECTORS");
	char path[512];
	FILE *f;
	int fds[2];

	(void)snprintf(path, sizeof(path), "%s/../ocsf/check.py",
	    vectors != NULL ? vectors : "../tests/vectors");
	assert_int_equal(pipe(fds), 0);
	*pid = fork();
	if (*pid == 0) {
		(void)dup2(fds[0], 0);
		(void)dup2(2, 1);
		(void)close(fds[0]);
		(void)close(fds[1]);
		(void)execlp("python3", "python3", "-B", path, (char *)NULL);
		_exit(127);
	}
	assert_true(*pid > 0);
	(void)close(fds[0]);
	assert_non_null(f = fdopen(fds[1], "w"));
	return f;
}

static int
checked(FILE *f, pid_t pid)
{
	int status;

	(void)fclose(f);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* Every kind, with and without what an event may bring. */
static void
test_schema(void **state)
{
	pid_t pid;
	FILE *f = checker(&pid);
	char out[OCSF_MAX];

	(void)state;
	for (unsigned kind = 0; kind < 256; kind++) {
		struct msg_EVENT e = {.kind = (uint16_t)kind,
		    .when_us = 1800000000123456};

		for (unsigned with = 0; with < 8; with++) {
			e.job_len = with & 1 ? 32 : 0;
			e.peer_len = with & 2 ? 16 : 0;
			if (with & 4) {
				memset(e.text, '\xff', sizeof(e.text) - 1);
				memset(e.code, '"', sizeof(e.code) - 1);
				e.a = INT64_MIN;
				e.limit = UINT64_MAX;
			}
			assert_true(ocsf_event(out, sizeof(out), &e,
			    kind % PROGRAM_COUNT, &source, 17) > 0);
			assert_true(fprintf(f, "%s\n", out) > 0);
		}
	}
	assert_int_equal(checked(f, pid), 0);
}

/* ... and it would have said so. */
static void
test_schema_bites(void **state)
{
	static const struct {
		uint16_t kind;
		const char *was, *is;
	} rows[] = {
	    {EVK_START, "vendor_name", "vendor_nome"},
	    {EVK_START, "\"host\"", "\"hast\""},
	    {EVK_START, "\"type_uid\":600203", "\"type_uid\":600204"},
	    {EVK_START, "\"version\":\"1.3.0\"", "\"version\":\"1.2.0\""},
	    {EVK_JOB_STARTED, "\"process\"", "\"processs\""},
	    {EVK_JOB_REFUSED, "\"status_id\":2", "\"status_id\":7"},
	    {EVK_BINDING_BAD, "\"service\"", "\"sarvice\""},
	    {EVK_PENALTY, "\"action_id\":0", "\"action_ix\":0"},
	    {EVK_LENDING, "activity_name", "activity_nome"},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct msg_EVENT e = {.kind = rows[i].kind, .when_us = 1};
		char out[OCSF_MAX];
		pid_t pid;
	FILE *f = checker(&pid);
		char *at;

		assert_true(ocsf_event(out, sizeof(out), &e, PROGRAM_NODE,
		    &source, 17) > 0);
		assert_non_null(at = strstr(out, rows[i].was));
		(void)fprintf(f, "%.*s%s%s\n", (int)(at - out), out,
		    rows[i].is, at + strlen(rows[i].was));
		assert_int_not_equal(checked(f, pid), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_objects),
	    cmocka_unit_test(test_strangers_text),
	    cmocka_unit_test(test_schema),
	    cmocka_unit_test(test_schema_bites),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
