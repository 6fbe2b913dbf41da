/* SPDX-License-Identifier: BSD-2-Clause */
/* Audit's ends of a watchdog's pipes, with a watchdog that is this test. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "audit/watchdog_pipe.h"
#include "common/file.h"

#define JOB "0102030000000000000000000000000000000000000000000000000000000000"

static struct ev_loop *loop;
static struct dogpipe *pipe_;
static char folder[] = "/tmp/warren-test-dogpipe.XXXXXX";
static int dir, to, from; /* ours: what it reads, what it has said */
static struct msg_EVENT events[400];
static unsigned nevents, nacts;
static struct msg_D_ACT act;
static uint8_t there;
static const struct id32 job = {.b = {1, 2, 3}};

static void
on_event(void *ctx, const struct msg_EVENT *e)
{
	(void)ctx;
	assert_true(nevents < 400);
	events[nevents++] = *e;
}

static void
on_there(void *ctx, const struct msg_D_THERE *m)
{
	(void)ctx;
	there = m->there;
}

static void
on_act(void *ctx, const struct msg_D_ACT *m)
{
	(void)ctx;
	act = *m;
	nacts++;
}

static unsigned
counts(void *ctx, struct dog_count *c, unsigned max)
{
	(void)ctx;
	(void)c;
	(void)max;
	return 0;
}

static void
pipes(void)
{
	int a[2], b[2];

	assert_int_equal(pipe2(a, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(pipe2(b, O_CLOEXEC | O_NONBLOCK), 0);
	if (from >= 0)
		(void)close(from);
	if (to >= 0)
		(void)close(to);
	from = a[0];
	to = b[1];
	dogpipe_pipes(pipe_, a[1], b[0]);
}

static int
setup(void **state)
{
	const struct dogpipe_ops ops = {NULL, on_event, on_there, on_act,
	    counts};

	(void)state;
	memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
	assert_non_null(mkdtemp(folder));
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	loop = ev_loop_new(EVFLAG_AUTO);
	pipe_ = dogpipe_new(loop, dir, &ops);
	nevents = nacts = 0;
	there = DOG_NONE;
	to = from = -1;
	dogpipe_conf(pipe_, &(struct msg_D_CONF){.on = true, .act = true,
	    .corroborate = true});
	pipes();
	return 0;
}

static unsigned
proposals(bool drop)
{
	int fd = openat(dir, "proposals", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = dir_take(fd);
	struct dirent *de;
	unsigned n = 0;

	while (d != NULL && (de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		n++;
		if (drop)
			(void)unlinkat(dirfd(d), de->d_name, 0);
	}
	if (d != NULL)
		(void)closedir(d);
	return n;
}

static int
teardown(void **state)
{
	(void)state;
	dogpipe_free(pipe_);
	ev_loop_destroy(loop);
	(void)proposals(true);
	(void)unlinkat(dir, "proposals", AT_REMOVEDIR);
	(void)close(dir);
	(void)close(to);
	(void)close(from);
	assert_int_equal(rmdir(folder), 0);
	return 0;
}

/* What is there is done, and nothing is waited for. */
static void
turn(void)
{
	for (unsigned i = 0; i < 20; i++)
		(void)ev_run(loop, EVRUN_NOWAIT);
}

static void
says(const char *text)
{
	assert_int_equal(write(to, text, strlen(text)), strlen(text));
	turn();
}

static void
verdict(const char *action, const char *more)
{
	char line[600];

	(void)snprintf(line, sizeof(line), "{\"t\":\"verdict\",\"id\":\"i\","
	    "\"job\":\"" JOB "\",\"action\":\"%s\",\"confidence\":0.95,"
	    "\"reason\":\"r\"%s}\n", action, more);
	says(line);
}

static void
prints(const char *text)
{
	struct msg_D_LOG m = {.job = job, .text_len = (uint16_t)strlen(text)};

	memcpy(m.text, text, strlen(text));
	dogpipe_log(pipe_, &m);
}

static void
alarm_of(uint16_t kind, const char *uid)
{
	struct msg_EVENT e = {.kind = kind, .job_len = 32, .peer_len = 32};

	memcpy(e.job, job.b, 32);
	e.peer[0] = 0x5a;
	dogpipe_event(pipe_, &e, uid, 3, "{}", 2);
}

static const struct msg_EVENT *
last(const char *code)
{
	assert_true(nevents > 0);
	assert_string_equal(events[nevents - 1].code, code);
	return &events[nevents - 1];
}

/* ---- ---- */

static void
test_word(void **state)
{
	(void)state;
	assert_int_equal(there, DOG_WAITED_FOR);
	says("{\"t\":\"ali");
	assert_int_equal(there, DOG_WAITED_FOR);
	says("ve\"}\n");
	assert_int_equal(there, DOG_PRESENT);
	assert_int_equal(nevents, 1);
	assert_int_equal(last("present")->kind, EVK_WATCHDOG_THERE);
	/* what it is sent */
	prints("hi\n");
	alarm_of(EVK_RULE, "a:b:1");
	alarm_of(EVK_WATCHDOG, "a:b:2"); /* not its own */
	{
		char buf[1000];
		ssize_t n = read(from, buf, sizeof(buf) - 1);

		assert_true(n > 0);
		buf[n] = '\0';
		assert_string_equal(buf, "{\"t\":\"log\",\"job\":\"" JOB "\","
		    "\"stream\":\"stdout\",\"seq\":0,\"untrusted\":true,"
		    "\"text\":\"hi\\\\x0a\"}\n{\"t\":\"event\",\"e\":{}}\n");
	}
	/* its end; another one */
	(void)close(to);
	to = -1;
	turn();
	assert_int_equal(there, DOG_WAITED_FOR);
	pipes();
	says("{\"t\":\"alive\"}\n");
	assert_int_equal(there, DOG_PRESENT);
	dogpipe_conf(pipe_, &(struct msg_D_CONF){.on = false});
	assert_int_equal(there, DOG_NONE);
}

static void
test_verdicts(void **state)
{
	const struct msg_EVENT *e;

	(void)state;
	verdict("flag", "");
	assert_int_equal(last("no_job")->a, 950);
	prints("x");
	verdict("flag", "");
	e = last("passed");
	assert_int_equal(e->kind, EVK_WATCHDOG);
	assert_int_equal(e->severity, 3);
	assert_memory_equal(e->job, job.b, 32);
	assert_string_equal(e->text, "flag i: r");
	assert_int_equal(nacts, 1);
	assert_int_equal(act.action, DOG_FLAG);
	verdict("freeze", ",\"ttl\":7");
	assert_int_equal(act.action, DOG_FREEZE);
	assert_int_equal(act.ttl_s, 7);
	verdict("kill", ",\"ref\":[\"a:b:1\"]");
	last("corroboration");
	assert_int_equal(nacts, 2);
	alarm_of(EVK_RULE, "a:b:1");
	verdict("kill", ",\"ref\":[\"a:b:1\"]");
	last("passed");
	assert_int_equal(nacts, 3);
	assert_int_equal(act.action, DOG_KILL);
	verdict("note", "");
	last("noted");
	assert_int_equal(nacts, 3);
	/* only noted */
	dogpipe_conf(pipe_, &(struct msg_D_CONF){.on = true});
	verdict("freeze", ",\"ttl\":7");
	last("noted");
	assert_int_equal(nacts, 3);
}

static void
test_proposal(void **state)
{
	struct stat st;
	char name[300], *text;
	json_t *o;
	size_t len;
	int fd;

	(void)state;
	alarm_of(EVK_JOB_ADMITTED, "a:b:1");
	verdict("propose_revocation", ",\"ref\":[\"a:b:1\"]");
	assert_int_equal(sscanf(last("passed")->text,
	    "propose_revocation i %200[^:]", name), 1);
	assert_int_equal(nacts, 0); /* node has nothing to do with it */
	fd = openat(dir, "proposals", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(fstatat(fd, name, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	text = file_load(fd, name, 5000, &len);
	o = json_loads(text, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(o, "_type")),
	    "klp.revocation-proposal");
	assert_memory_equal(json_string_value(json_object_get(o, "subject")),
	    "5a00", 4);
	assert_string_equal(json_string_value(json_object_get(o, "job")), JOB);
	assert_null(json_object_get(o, "signatures"));
	json_decref(o);
	free(text);
	/* so many lie there and no more */
	for (unsigned i = 1; i < DOGPIPE_PROPOSALS; i++) {
		(void)snprintf(name, sizeof(name), "x%u", i);
		assert_int_equal(file_replace(fd, name, "", 0, 0600), 0);
	}
	(void)close(fd);
	verdict("propose_revocation", "");
	assert_non_null(strstr(last("failed")->text, "already"));
	assert_int_equal(proposals(false), DOGPIPE_PROPOSALS);
}

/* Nonsense is counted; behind it a good line is read. */
static void
test_nonsense(void **state)
{
	static char big[3 * DOG_LINE_MAX + 1];

	(void)state;
	says("nonsense\n\n{\"t\":\"alive\"\n");
	memset(big, 'x', sizeof(big) - 1);
	for (size_t at = 0; at < sizeof(big) - 1; at += 1024) {
		assert_true(write(to, big + at, 1024) == 1024);
		turn();
	}
	assert_int_equal(there, DOG_WAITED_FOR);
	assert_int_equal(nevents, 0);
	says("{\"t\":\"alive\"}\n"); /* the end of that line */
	assert_int_equal(there, DOG_WAITED_FOR);
	says("{\"t\":\"alive\"}\n");
	assert_int_equal(there, DOG_PRESENT);
}

/* A second's lines are read; the rest waits where it is. */
static void
test_flood(void **state)
{
	static const char line[] = "{\"t\":\"verdict\",\"action\":\"note\","
	    "\"confidence\":1}\n";
	unsigned wrote = 0;

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		if (write(to, line, strlen(line)) == (ssize_t)strlen(line))
			wrote++;
		turn();
	}
	assert_true(wrote > DOG_LINES_S && wrote < 2000);
	assert_int_equal(nevents, 1 + 60); /* present, and a minute's notes */
}

/* One that does not read: lines are lost, nobody waits, no memory grows. */
static void
test_stalled(void **state)
{
	static char text[1000];
	char buf[4096];
	size_t all = 0;
	ssize_t n;

	(void)state;
	memset(text, 'y', sizeof(text) - 1);
	for (unsigned i = 0; i < 2000; i++)
		prints(text);
	for (unsigned i = 0; i < 2000; i++) {
		while ((n = read(from, buf, sizeof(buf))) > 0)
			all += (size_t)n;
		turn();
	}
	assert_in_range(all, DOGPIPE_QUEUE / 2, DOGPIPE_QUEUE + 128 * 1024);
	/* it was cut between lines */
	prints("z");
	n = read(from, buf, sizeof(buf));
	assert_true(n > 10 && buf[0] == '{');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_word, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_verdicts, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_proposal, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_nonsense, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_stalled, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
