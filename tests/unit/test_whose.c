/* SPDX-License-Identifier: BSD-2-Clause */
/* What root's warrend trusts in its folder: nothing is passed over by a name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/util.h"
#include "node/check/whose.h"
#include "sandbox/base/tree.h"

#define BASE 0x70000000u

static char top[64], said[4500];

static void
hear(void *ctx, const char *path, const char *what)
{
	(void)ctx;
	(void)snprintf(said, sizeof(said), "%s %s", path + strlen(top), what);
}

static int
check(void)
{
	int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rv;

	said[0] = '\0';
	rv = whose_check(fd, top, BASE, hear, NULL);
	(void)close(fd);
	return rv;
}

/* Folders of a path, and at its end a file that everybody may write. */
static void
bait(const char *path)
{
	char full[4400];
	int fd;

	(void)snprintf(full, sizeof(full), "%s/%s", top, path);
	for (char *s = full + strlen(top) + 1; (s = strchr(s, '/')) != NULL;
	    *s++ = '/') {
		*s = '\0';
		assert_true(mkdir(full, 0755) == 0 || errno == EEXIST);
	}
	fd = open(full, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && fchmod(fd, 0666) == 0);
	(void)close(fd);
}

static int
setup(void **state)
{
	(void)state;
	(void)umask(022);
	(void)snprintf(top, sizeof(top), "/tmp/whose.XXXXXX");
	return mkdtemp(top) == NULL;
}

static int
teardown(void **state)
{
	int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	(void)tree_empty(fd);
	(void)close(fd);
	return rmdir(top);
}

/* Files of images and jobs have modes of their own; no other has. */
static void
own_folders(void **state)
{
	(void)state;
	bait("warren/images/roots/x/bin/sh");
	bait("warren/stage/1/v0/f");
	assert_int_equal(check(), 0);
}

static void
same_names(void **state)
{
	static const char *const places[] = {"profiles/stage/f",
	    "profiles/seccomp/roots/f", "roots/f", "stage/f",
	    "warren/keys/roots/f", "warren/images/stage/f",
	    "klp/warren/stage/f", "storage/stage/f",
	    "a/b/c/d/e/f/g/h/i/j/k/l/m"};

	(void)state;
	for (size_t i = 0; i < NELEM(places); i++) {
		char path[200];

		bait(places[i]);
		assert_int_equal(check(), -1);
		assert_non_null(strstr(said, "can be written by other users"));
		assert_non_null(strstr(said, places[i]));
		(void)snprintf(path, sizeof(path), "%s/%s", top, places[i]);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(check(), 0);
	}
}

static void
too_deep(void **state)
{
	char path[200] = "";

	(void)state;
	for (int i = 0; i < 40; i++)
		(void)strncat(path, "d/", sizeof(path) - strlen(path) - 1);
	(void)strncat(path, "f", sizeof(path) - strlen(path) - 1);
	bait(path);
	assert_int_equal(check(), -1);
	assert_non_null(strstr(said, "too deep"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(own_folders, setup, teardown),
	    cmocka_unit_test_setup_teardown(same_names, setup, teardown),
	    cmocka_unit_test_setup_teardown(too_deep, setup, teardown)};

	if (geteuid() != 0) {
		/* only root's warrend asks, and only root can be an owner */
		printf("1..0 # SKIP not root\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
