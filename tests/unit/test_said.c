/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/layers.h"
#include "common/log.h"
#include "node/work/found.h"
#include "node/work/ready.h"
#include "node/work/said.h"
#include "tests/unit/nodekit.h"

/* What the operator reads of jobs and peers, at the default level. */

static char text[1 << 17];
static FILE *file;
static int real;

static void
listen_(void)
{
	(void)fflush(stderr);
	file = tmpfile();
	assert_non_null(file);
	real = dup(STDERR_FILENO);
	assert_true(real >= 0 && dup2(fileno(file), STDERR_FILENO) >= 0);
}

/* The lines since; how many. */
static unsigned
heard(void)
{
	unsigned lines = 0;
	size_t n;

	assert_true(dup2(real, STDERR_FILENO) >= 0);
	(void)close(real);
	rewind(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	(void)fclose(file);
	text[n] = '\0';
	for (size_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	return lines;
}

static void
has(const char *what)
{
	if (strstr(text, what) == NULL)
		fail_msg("no \"%s\" in:\n%s", what, text);
}

static void
about_job(const char *fmt, const struct id32 *id)
{
	char hex[9], line[300];

	hex_encode(hex, id->b, 4);
	(void)snprintf(line, sizeof(line), fmt, hex);
	has(line);
}

static void
odd_image(struct manifest *m)
{
	(void)snprintf(m->image, sizeof(m->image), "a\x1b[2J\nb");
}

static void
much_log(struct manifest *m)
{
	m->limit[LIMIT_LOG] = UINT64_C(2) << 20;
	m->has |= HAS_LIMITS;
}

static void
test_job(void **state)
{
	struct id32 id, killed, gone;
	char who[9], line[200];
	struct fp fp;

	(void)state;
	world_fp(&fp, 0x41);
	hex_encode(who, fp.b, 4);
	listen_();
	assert_int_equal(submit(1, 0x41, 1, NULL, &id)->status, ST_OK);
	world_run(&w, 50);
	w.run_ms = 0;
	assert_int_equal(submit(1, 0x41, 2, NULL, &killed)->status, ST_OK);
	world_run(&w, 50);
	w.exit_how = OUT_SIGNALLED;
	about(1, PATH_CANCEL, &killed);
	world_run(&w, 50);
	assert_int_equal(submit(1, 0x41, 3, with_volumes, &gone)->status,
	    ST_OK);
	about(1, PATH_CANCEL, &gone);
	world_run(&w, 50);
	assert_int_equal(heard(), 6);
	(void)snprintf(line, sizeof(line),
	    "accepted from=%s image=test:1 level=2 state=queued", who);
	has(line);
	about_job(" notice %s: accepted from=", &id);
	about_job(" notice %s: ended exited code=0 from=", &id);
	about_job(" notice %s: ended killed reason=cancelled from=", &killed);
	about_job(" notice %s: accepted from=", &gone);
	has("reason=inputs");
	about_job(" notice %s: ended cancelled reason=submitter from=", &gone);
}

static void
test_refused(void **state)
{
	struct proto_req q = {.path = PATH_SUBMIT};
	uint8_t raw[BINDING_LEN];
	struct id32 id;
	struct binding b = {.serial = 1};

	(void)state;
	listen_();
	refused(submit(1, 0x41, 1, much_log, &id), "limits", 9);
	assert_int_equal(heard(), 1);
	about_job(" notice %s: refused code=limits step=9 from=", &id);
	has("image=test:1 why=log value=2097152 limit=1048576\n");
	/* the trail has it all: what explains it reads nothing else */
	assert_string_equal(w.refused.code, "limits");
	assert_string_equal(w.refused.text, "log");
	assert_memory_equal(w.refused.job, id.b, 32);
	assert_int_equal(w.refused.a, 9);
	assert_int_equal(w.refused.limit, 1 << 20);
	assert_int_equal(w.refused.value, 2 << 20);
	listen_();
	w.image = IMAGE_UNKNOWN;
	refused(submit(1, 0x41, 2, odd_image, &id), "image", 8);
	assert_int_equal(heard(), 1);
	has("image=a\\x1b[2J\\x0ab why=a\\x1b[2J\\x0ab: is not on the node\n");
	/* a clock of the other side */
	listen_();
	w.verdict_status = VERDICT_BAD_BINDING;
	b.not_before = unix_now() + 3600;
	b.not_after = b.not_before + 10;
	binding_put(raw, &b);
	q.binding = raw;
	q.envelope = (struct pbin){env, envelope(0x41, 3, NULL, &id)};
	refused(world_call(&w, 1, &q), "binding", 4);
	q.path = PATH_DESCRIBE;
	refused(world_call(&w, 1, &q), "binding", 0);
	assert_int_equal(heard(), 2);
	has("refused code=binding step=4 from=");
	has("refused code=binding step=0 from=");
	has(" value=2027-01-15T09:00:00Z now=2027-01-15T08:00:00Z: the clock "
	    "of who asks seems to be 3600 s ahead of this one\n");
}

/* A clock too far from ours, once; and one that is near is no news. */
static void
test_clock(void **state)
{
	struct proto_req q = {.path = PATH_DESCRIBE, .has_time = true};

	(void)state;
	listen_();
	for (int i = 0; i < 3; i++) {
		q.time = unix_now() - 7200;
		assert_int_equal(world_call(&w, 1, &q)->status, ST_OK);
	}
	assert_int_equal(heard(), 1);
	has(": its clock says 2027-01-15T06:00:00Z, this one "
	    "2027-01-15T08:00:00Z: 7200 s behind; what one signs may not hold "
	    "for the other\n");
	world_link(&w, 2, 0);
	world_identify(&w, 2, 0x42);
	world_run(&w, 1);
	listen_();
	q.time = unix_now() + 299;
	assert_int_equal(world_call(&w, 2, &q)->status, ST_OK);
	assert_int_equal(heard(), 0);
}

/* No job will be taken: the operator hears it at the start, with the remedy. */
static void
test_posture(void **state)
{
	struct msg_J_POSTURE p = {.layers = 0x3ff, .slots = 2,
	    .missing = "memory pids: no cgroup was delegated"};

	(void)state;
	world_restart(&w);
	w.n.policy.required = 0x3ff | LAYER_MEMORY | LAYER_PIDS;
	listen_();
	world_up(&w, 2);
	found_posture(&w.n, &p);
	world_run(&w, 2000);
	assert_int_equal(heard(), 1);
	has(" error jobs: are not taken: the machine of the node lacks what "
	    "its operator requires for every job: memory pids; memory pids: "
	    "no cgroup was delegated: start it by systemd with Delegate=yes");
}

/* Who never speaks is not waited for: that is said as well, once. */
static void
test_not_up(void **state)
{
	struct msg_T_HELLO h = {.dest = {{9}}};

	(void)state;
	world_restart(&w);
	listen_();
	node_up(&w.n, PROGRAM_TRANSPORT);
	node_up(&w.n, PROGRAM_TRUST);
	node_hello(&w.n, &h);
	world_run(&w, 1000 * NODE_KNOWN_S - 1);
	assert_int_equal(w.n.ready_said, false);
	world_run(&w, 60000);
	assert_int_equal(heard(), 1);
	has(" error jobs: are not taken: the sandbox of the node is not up\n");
}

/* However many ask: bounded, and it is said that more did. */
static void
test_bounded(void **state)
{
	struct id32 id;

	(void)state;
	w.n.policy.requests_per_minute = 0;
	world_link(&w, 2, 0);
	world_identify(&w, 2, 0x42);
	world_run(&w, 1);
	listen_();
	for (unsigned i = 0; i < SAID_A_MINUTE + 40; i++)
		refused(submit(2, 0x42, (uint8_t)i, much_log, &id), "limits",
		    9);
	assert_int_equal(heard(), SAID_A_MINUTE);
	world_run(&w, 61000);
	listen_();
	refused(submit(2, 0x42, 200, much_log, &id), "limits", 9);
	assert_int_equal(heard(), 2);
	has("jobs: refusals left out of the log count=40\n");
}

static void
test_slowed(void **state)
{
	struct id32 id = {0};

	(void)state;
	w.n.policy.requests_per_minute = 5;
	world_link(&w, 2, 0);
	world_identify(&w, 2, 0x43);
	world_run(&w, 1);
	listen_();
	for (int i = 0; i < 9; i++)
		(void)about(2, PATH_STATUS, &id);
	assert_int_equal(heard(), 1);
	has("slowed down: its budget of requests is used up limit=5 a minute, "
	    "full again in ");
	/* and strangers, all together */
	listen_();
	world_link(&w, 3, 0);
	world_link(&w, 4, 0);
	for (int i = 0; i < 24; i++) {
		struct proto_req q = {.path = PATH_DESCRIBE};

		(void)world_call(&w, (uint8_t)(3 + i % 2), &q);
	}
	assert_int_equal(heard(), 1);
	has(" notice stranger: slowed down: its budget of requests");
}

int
main(void)
{
#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(test_job),
	    T(test_refused),
	    T(test_clock),
	    T(test_posture),
	    T(test_not_up),
	    T(test_bounded),
	    T(test_slowed),
	};

	log_init("test", 4);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
