/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths of a job that lead through symbolic links that it has made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "audit/links.h"

static struct links links;

static int
fresh(void **state)
{
	(void)state;
	memset(&links, 0, sizeof(links));
	return 0;
}

static struct watch_event
path(uint32_t call, int64_t ret, const char *text, uint32_t flags)
{
	struct rec_path r;
	struct watch_event e;

	memset(&r, 0, sizeof(r));
	r.h.type = REC_PATH;
	r.h.size = sizeof(r);
	r.h.call = call;
	r.h.ret = ret;
	r.flags = flags;
	(void)snprintf(r.text, sizeof(r.text), "%s", text);
	assert_true(event_decode(&e, &r, sizeof(r)));
	links_follow(&links, &e);
	return e;
}

static void
make(const char *to, const char *at)
{
	struct rec_link r;
	struct watch_event e;

	memset(&r, 0, sizeof(r));
	r.path.h.type = REC_LINK;
	r.path.h.size = sizeof(r);
	r.path.h.call = SYS_symlinkat;
	(void)snprintf(r.path.text, sizeof(r.path.text), "%s", at);
	(void)snprintf(r.to, sizeof(r.to), "%s", to);
	assert_true(event_decode(&e, &r, sizeof(r)));
	assert_false(e.write);
	links_follow(&links, &e);
}

static void
leads(const char *text, const char *to)
{
	struct watch_event e = path(SYS_openat, -EACCES, text, 0);

	assert_string_equal(e.path, to);
}

/* What a contract has refused it goes the same way. */
static void
test_refused(void **state)
{
	struct rec_path r;
	struct watch_event e;

	(void)state;
	make("/etc/secret", "/tmp/a");
	memset(&r, 0, sizeof(r));
	r.h.type = REC_REFUSED;
	r.h.size = sizeof(r);
	r.h.call = SYS_openat;
	r.h.ret = -EACCES;
	(void)snprintf(r.text, sizeof(r.text), "/tmp/a");
	assert_true(event_decode(&e, &r, sizeof(r)));
	links_follow(&links, &e);
	assert_string_equal(e.path, "/etc/secret");
}

static void
test_follow(void **state)
{
	(void)state;
	leads("/tmp/a", "/tmp/a");
	make("/proc/sysrq-trigger", "/tmp/a");
	leads("/tmp/a", "/proc/sysrq-trigger");
	leads("/tmp/ab", "/tmp/ab");
	leads("/x/tmp/a", "/x/tmp/a");
	make("../boot/", "/tmp/b");
	leads("/tmp/b/x/../y", "/boot/y");
	make("b", "/tmp/c"); /* a link to a link */
	leads("/tmp/c/z", "/boot/z");
	make("/", "/tmp/r");
	leads("/tmp/r/dev/sda", "/dev/sda");
	make("/elsewhere", "/tmp/a"); /* anew: the old one is gone */
	leads("/tmp/a", "/elsewhere");
}

static void
test_itself(void **state)
{
	struct watch_event e;

	(void)state;
	make("/boot/x", "/tmp/a");
	make("/boot", "/tmp/b");
	/* these mean the link; what is beneath it they reach through it */
	e = path(SYS_unlinkat, -EACCES, "/tmp/a", 0);
	assert_string_equal(e.path, "/tmp/a");
	e = path(SYS_unlinkat, -EACCES, "/tmp/b/y", 0);
	assert_string_equal(e.path, "/boot/y");
	e = path(SYS_fchmodat, -EACCES, "/tmp/a", 0);
	assert_string_equal(e.path, "/boot/x");
	e = path(SYS_bind, -EACCES, "/tmp/a", 0);
	assert_string_equal(e.path, "/tmp/a");
	/* the old name of a further one, as linkat(2) is asked to take it */
	e = path(SYS_linkat, 0, "/tmp/a", REC_OLD);
	assert_string_equal(e.path, "/tmp/a");
	assert_true(e.alias && e.write && !e.from);
	e = path(SYS_linkat, 0, "/tmp/a", REC_OLD_FOLLOWED);
	assert_string_equal(e.path, "/boot/x");
	assert_true(e.alias && e.write);
	e = path(SYS_linkat, 0, "/tmp/a", 0);
	assert_string_equal(e.path, "/tmp/a");
	assert_false(e.alias);
	/* what a descriptor leads to, and not the kernel's */
	e = path(SYS_linkat, 0, "/proc/7/fd/3", REC_OLD_FOLLOWED);
	assert_true(e.alias && !e.write);
	e = path(SYS_linkat, 0, "/proc/7/fd/3", REC_OLD);
	assert_true(e.alias && e.write);
	e = path(SYS_linkat, 0, "/proc/7/fd/3", 0);
	assert_true(e.write);
	e = path(SYS_linkat, 0, "/proc/7/fdinfo/3", REC_OLD_FOLLOWED);
	assert_true(e.write);
	e = path(SYS_linkat, 0, "/fd/3", REC_OLD_FOLLOWED);
	assert_true(e.write);
}

static void
test_gone(void **state)
{
	(void)state;
	make("/boot", "/tmp/a");
	(void)path(SYS_unlinkat, -EACCES, "/tmp/a", 0);
	leads("/tmp/a/x", "/boot/x"); /* it was refused */
	(void)path(SYS_unlinkat, 0, "/tmp/a", 0);
	leads("/tmp/a/x", "/tmp/a/x");
	make("/boot", "/tmp/a");
	(void)path(SYS_renameat2, 0, "/tmp/b", 0);
	(void)path(SYS_renameat2, 0, "/tmp/a", REC_OLD);
	leads("/tmp/a/x", "/tmp/a/x");
	leads("/tmp/b/x", "/boot/x");
}

static void
test_bounds(void **state)
{
	char text[REC_TEXT], at[32];

	(void)state;
	/* a loop ends, and so does one that grows */
	make("/tmp/b", "/tmp/a");
	make("/tmp/a", "/tmp/b");
	leads("/tmp/a/x", "/tmp/a/x");
	make("/tmp/g/tmp/g", "/tmp/g");
	(void)path(SYS_openat, -EACCES, "/tmp/g/x", 0);
	/* too long a one is not learned, and the oldest makes room */
	memset(text, 'a', sizeof(text) - 1);
	text[0] = '/';
	text[sizeof(text) - 1] = '\0';
	make(text, "/tmp/long");
	leads("/tmp/long", "/tmp/long");
	make("/boot", "/tmp/old");
	for (unsigned i = 0; i < LINKS_MAX - 1; i++) {
		(void)snprintf(at, sizeof(at), "/tmp/%u", i);
		make("/proc", at);
	}
	leads("/tmp/old", "/boot");
	make("/proc", "/tmp/one-more");
	leads("/tmp/old", "/tmp/old");
	leads("/tmp/one-more/x", "/proc/x");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_refused, fresh),
	    cmocka_unit_test_setup(test_follow, fresh),
	    cmocka_unit_test_setup(test_itself, fresh),
	    cmocka_unit_test_setup(test_gone, fresh),
	    cmocka_unit_test_setup(test_bounds, fresh)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
