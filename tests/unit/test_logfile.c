/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* mkdtemp */
/* warrend -s: the log file, and what becomes of a long one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "node/parent/logfile.h"
#include "node/parent/parent.h"

static char top[64];
static struct parent p;
static int was = -1; /* standard error */

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(top, sizeof(top), "/tmp/logfile.XXXXXX");
	if (mkdtemp(top) == NULL)
		return -1;
	memset(&p, 0, sizeof(p));
	p.dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p.loop = ev_loop_new(EVFLAG_AUTO);
	was = dup(STDERR_FILENO);
	return p.dir < 0 || p.loop == NULL || was < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)dup2(was, STDERR_FILENO);
	(void)close(was);
	ev_loop_destroy(p.loop);
	(void)unlinkat(p.dir, "logfile", 0);
	(void)unlinkat(p.dir, "logfile.1", 0);
	(void)close(p.dir);
	return rmdir(top);
}

static off_t
size(const char *name)
{
	struct stat st;

	return fstatat(p.dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? -1 :
	    st.st_size;
}

/* Whoever has it open to append goes on at the beginning. */
static void
turned_over(void **state)
{
	static char line[1 << 20];
	int child;
	bool end;

	(void)state;
	log_init("test", 8);
	log_set_journal(true);
	assert_int_equal(logfile_open(&p), 0);
	assert_false(log_get_journal());
	assert_int_equal(size("logfile"), 0);
	child = dup(STDERR_FILENO);
	logfile_watch(&p);
	memset(line, 'x', sizeof(line));
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(write(child, line, sizeof(line)),
		    sizeof(line));
	ev_invoke(p.loop, &p.log_timer, EV_TIMER);
	assert_int_equal(size("logfile"), 5 * sizeof(line)); /* not past it */
	assert_int_equal(size("logfile.1"), -1);
	assert_int_equal(write(child, "y\n", 2), 2);
	ev_invoke(p.loop, &p.log_timer, EV_TIMER);
	assert_int_equal(size("logfile"), 0);
	assert_int_equal(size("logfile.1"), 5 * sizeof(line) + 2);
	assert_int_equal(write(child, "z\n", 2), 2);
	log_notice(NULL, "here");
	end = size("logfile") > 2 && size("logfile") < 200;
	ev_invoke(p.loop, &p.log_timer, EV_TIMER);
	(void)close(child);
	ev_timer_stop(p.loop, &p.log_timer);
	assert_true(end);
	assert_int_equal(size("logfile.1"), 5 * sizeof(line) + 2);
}

/* Nobody has root write somewhere else, or wait. */
static void
not_a_file(void **state)
{
	(void)state;
	log_init("test", 0);
	assert_int_equal(symlinkat("elsewhere", p.dir, "logfile"), 0);
	assert_int_equal(logfile_open(&p), -1);
	assert_int_equal(size("elsewhere"), -1);
	assert_int_equal(unlinkat(p.dir, "logfile", 0), 0);
	assert_int_equal(mkfifoat(p.dir, "logfile", 0600), 0);
	assert_int_equal(logfile_open(&p), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(turned_over, setup, teardown),
	    cmocka_unit_test_setup_teardown(not_a_file, setup, teardown)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
