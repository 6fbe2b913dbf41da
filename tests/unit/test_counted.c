/* SPDX-License-Identifier: BSD-2-Clause */
/* The last tier of the probes: what files of a control group count. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "audit/counters.h"
#include "audit/probes_impl.h"
#include "common/util.h"

#define GROUP 77u

static struct probes *p;
static struct rules rules;

/* ---- the text ---- */

static void
test_number(void **state)
{
	static const char v1[] = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n";
	static const char *const none[] = {"", "\n", "max", "max\n", "max \n",
	    "max -1\n", "max x\n", "max 1x\n", " max 1\n", "maximum 1\n",
	    "min 1\n", "max  1\n", "max 99999999999999999999\n",
	    "max\t1\n"};
	uint64_t n = 0;

	(void)state;
	assert_true(counters_number(v1, "oom_kill", &n));
	assert_int_equal(n, 3);
	assert_true(counters_number("low 0\nmax 18446744073709551615", "max",
	    &n));
	assert_true(n == UINT64_MAX);
	for (size_t i = 0; i < NELEM(none); i++)
		assert_false(counters_number(none[i], "max", &n));
	/* whatever is missing of it is never more */
	for (size_t len = 0; len < sizeof(v1) - 1; len++) {
		char *cut = strndup(v1, len);

		assert_non_null(cut);
		n = 0;
		if (counters_number(cut, "oom_kill", &n))
			assert_int_equal(n, 3);
		free(cut);
	}
}

/* ---- a job ---- */

static int
file(const char *text)
{
	int fd = memfd_create("counter", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static void
says(int fd, const char *text)
{
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, text, strlen(text), 0), strlen(text));
}

struct heard {
	unsigned n;
	struct watch_event last;
	bool hit[RULES_MAX];
};

static bool
hear(void *ctx, const void *rec, size_t len)
{
	static const struct cond_job quiet;
	struct heard *h = ctx;
	int i = -1;

	assert_true(event_decode(&h->last, rec, len));
	assert_int_equal(h->last.group, GROUP);
	h->n++;
	while ((i = rules_match(&rules, (unsigned)(i + 1), &h->last, &quiet)) >=
	    0)
		h->hit[i] = true;
	return true;
}

static struct heard
look(void)
{
	struct heard h = {.n = 0};

	assert_int_equal(probes_read(p, hear, &h), 0);
	return h;
}

static bool
broke(const struct heard *h, const char *name)
{
	for (unsigned i = 0; i < rules.n; i++) {
		if (h->hit[i] && strcmp(rules.rule[i].name, name) == 0)
			return true;
	}
	return false;
}

static int
setup(void **state)
{
	struct mistakes m = {0};
	char why[PROBES_WHY];

	(void)state;
	assert_int_equal(rules_read(&rules, NULL, 0, &m), 0);
	p = probes_load(PROBES_COUNTERS, why);
	assert_non_null(p);
	assert_int_equal(probes_tier(p), PROBES_COUNTERS);
	assert_non_null(strstr(why, "counters"));
	assert_int_equal(probes_fd(p), -1);
	assert_int_equal(probes_attach(p), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	probes_free(p);
	return 0;
}

static void
test_grows(void **state)
{
	int memory = file("oom 0\noom_kill 4\n"), pids = file("max 9\n");
	int memory2 = dup(memory), pids2 = dup(pids);
	struct watch_group g;
	struct heard h;

	(void)state;
	assert_int_equal(probes_watch(p, GROUP, false), 0);
	assert_int_equal(probes_watch(p, GROUP, false), 0);
	probes_count(p, GROUP, memory, pids);
	/* what a slot's group said before is another job's */
	h = look();
	assert_int_equal(h.n, 0);
	says(pids2, "max 12\n");
	h = look();
	assert_int_equal(h.n, 1);
	assert_true(broke(&h, "fork_refused"));
	assert_int_equal(h.last.ret, -EAGAIN);
	says(memory2, "oom 7\noom_kill 5\n");
	h = look();
	assert_int_equal(h.n, 1);
	assert_true(broke(&h, "out_of_memory") && h.last.oom);
	assert_int_equal(look().n, 0);
	/* backwards, gone, and nonsense: nothing of them is told */
	says(pids2, "max 2\n");
	says(memory2, "oom_kill x\n");
	assert_int_equal(look().n, 0);
	says(pids2, "");
	assert_int_equal(look().n, 0);
	assert_true(probes_group(p, GROUP, &g));
	assert_int_equal(g.seen[REC_FORK], 3);
	assert_int_equal(g.seen[REC_EXIT], 1);
	assert_int_equal(g.lost, 0);
	probes_forget(p, GROUP);
	assert_false(probes_group(p, GROUP, &g));
	/* both were taken */
	(void)close(memory2);
	(void)close(pids2);
	assert_int_equal(write(memory, "", 0), -1);
	assert_int_equal(write(pids, "", 0), -1);
}

static void
test_end(void **state)
{
	static const struct {
		uint32_t status;
		const char *rule;
	} ends[] = {{0, NULL}, {7 << 8, NULL}, {SIGKILL, NULL},
	    {SIGSYS, "forbidden_call"}};
	int memory2;
	struct heard h;

	(void)state;
	for (size_t i = 0; i < NELEM(ends); i++) {
		assert_int_equal(probes_watch(p, GROUP, false), 0);
		probes_over(p, GROUP, ends[i].status);
		h = look();
		assert_int_equal(h.n, 1);
		assert_int_equal(h.last.code, ends[i].status);
		assert_false(h.last.oom);
		assert_int_equal(broke(&h, "forbidden_call"),
		    ends[i].rule != NULL);
		assert_int_equal(look().n, 0);
		probes_forget(p, GROUP);
	}
	/* ended for want of memory: once */
	assert_int_equal(probes_watch(p, GROUP, false), 0);
	memory2 = file("oom_kill 0\n");
	probes_count(p, GROUP, dup(memory2), -1);
	says(memory2, "oom_kill 1\n");
	probes_over(p, GROUP, SIGKILL);
	h = look();
	assert_int_equal(h.n, 1);
	assert_true(broke(&h, "out_of_memory"));
	(void)close(memory2);
	/* nobody's */
	probes_over(p, GROUP + 1, SIGSYS);
	probes_count(p, GROUP + 1, file("max 1\n"), -1);
	probes_forget(p, GROUP + 1);
	assert_int_equal(look().n, 0);
}

static void
test_many(void **state)
{
	(void)state;
	for (unsigned i = 0; i < WATCH_GROUPS; i++)
		assert_int_equal(probes_watch(p, GROUP + i, i % 2), 0);
	errno = 0;
	assert_int_equal(probes_watch(p, GROUP + WATCH_GROUPS, false), -1);
	assert_int_equal(errno, E2BIG);
	probes_forget(p, GROUP + 3);
	assert_int_equal(probes_watch(p, GROUP + WATCH_GROUPS, false), 0);
}

/* ---- what it cannot see ---- */

static bool
blind_to(const char *condition)
{
	char text[300], names[600];
	struct mistakes m = {0};
	bool blind;

	(void)snprintf(text, sizeof(text), "- rule: mine\n  desc: x\n"
	    "  condition: '%s'\n", condition);
	assert_int_equal(rules_read(&rules, text, strlen(text), &m), 0);
	counters_blind(names, sizeof(names), &rules);
	blind = strstr(names, "mine") != NULL;
	assert_int_equal(rules_read(&rules, NULL, 0, &m), 0);
	return blind;
}

static void
test_blind(void **state)
{
	char names[600], few[12];

	(void)state;
	counters_blind(names, sizeof(names), &rules);
	assert_string_equal(names, "write_proc write_dev write_boot "
	    "anonymous_exec write_then_exec map_deleted run_memory "
	    "credentials_changed credentials_asked");
	counters_blind(few, sizeof(few), &rules);
	assert_int_equal(strlen(few), sizeof(few) - 1);
	counters_blind(few, 0, &rules);
	assert_false(blind_to("cpu.burst >= 100"));
	assert_false(blind_to("cpu.burst = 4294967000"));
	assert_false(blind_to("cpu.burst < 3"));
	assert_false(blind_to("not proc.oom"));
	assert_false(blind_to("proc.exitcode = 255"));
	assert_false(blind_to("proc.signal in (6, 11)"));
	assert_true(blind_to("evt.type = execve"));
	assert_true(blind_to("proc.exitcode = 256"));
	assert_true(blind_to("proc.oom and evt.is_write"));
	assert_true(blind_to("cpu.burst > 5 and proc.name = sh"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_number),
	    cmocka_unit_test_setup_teardown(test_grows, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_end, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_many, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_blind, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
