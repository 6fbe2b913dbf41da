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
#include "node/check/follow.h"
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
	bait("warren/images/files/00/x");
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

/* ---- links that root follows, and others ---- */

static int
follow(const char *name, int flags, char why[FOLLOW_WHY])
{
	int dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd, error;

	why[0] = '\0';
	fd = follow_open(dir, name, O_RDONLY | flags, BASE, why);
	error = errno;
	(void)close(dir);
	if (fd >= 0)
		(void)close(fd);
	errno = error;
	return fd;
}

static void
at(char path[200], const char *name)
{
	(void)snprintf(path, 200, "%s/%s", top, name);
}

/* A good file in a good folder, and `config`, a link to it. */
static void
good_link(const char *to)
{
	char path[200];

	at(path, "there");
	assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
	at(path, "there/config");
	(void)close(open(path, O_WRONLY | O_CREAT, 0644));
	at(path, "config");
	assert_int_equal(symlink(to, path), 0);
}

static void
followed(void **state)
{
	static const char *const links[] = {"there/config",
	    "./there//config", "there/../there/config", "%s/there/config"};
	char why[FOLLOW_WHY], path[200], to[200];

	(void)state;
	for (size_t i = 0; i < NELEM(links); i++) {
		if (links[i][0] == '%')
			at(to, "there/config");
		else
			(void)snprintf(to, sizeof(to), "%s", links[i]);
		good_link(to);
		if (follow("config", 0, why) < 0)
			fail_msg("%s: %s", to, why);
		at(path, "config");
		assert_int_equal(unlink(path), 0);
	}
	/* a link to a link, and one in the middle */
	at(path, "way");
	assert_int_equal(symlink("there", path), 0);
	good_link("way/config");
	assert_true(follow("config", 0, why) >= 0);
	assert_true(follow("way/config", 0, why) >= 0);
	/* without a link nothing is asked: that is whose_check()'s */
	at(path, "there");
	assert_int_equal(chmod(path, 0777), 0);
	assert_true(follow("there/config", 0, why) >= 0);
}

static void
not_followed(void **state)
{
	char why[FOLLOW_WHY], path[200], dir[200], link[200];

	(void)state;
	good_link("there/config");
	at(path, "there/config");
	at(dir, "there");
	at(link, "config");
#define REFUSED(word)                                                          \
	do {                                                                   \
		assert_int_equal(follow("config", 0, why), -1);                \
		assert_int_equal(errno, ELOOP);                                \
		assert_non_null(strstr(why, word));                            \
	} while (0)
	assert_int_equal(chown(path, 7, 7), 0);
	REFUSED("\"config\" belongs to another user");
	assert_int_equal(chown(path, BASE + 1, 0), 0);
	REFUSED("another user");
	assert_int_equal(chown(path, 0, 0), 0);
	assert_int_equal(chmod(path, 0664), 0);
	REFUSED("can be written by other users");
	assert_int_equal(chmod(path, 0444), 0);
	assert_true(follow("config", 0, why) >= 0);
	assert_int_equal(chmod(dir, 0775), 0);
	REFUSED("\"there\" can be written");
	assert_int_equal(chmod(dir, 01777), 0); /* nobody replaces root's */
	assert_true(follow("config", 0, why) >= 0);
	assert_int_equal(chown(dir, 7, 7), 0);
	REFUSED("\"there\" belongs");
	assert_int_equal(chown(dir, 0, 0), 0);
	assert_int_equal(lchown(link, 7, 7), 0);
	REFUSED("\"config\" belongs to another user");
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink("config", link), 0);
	REFUSED("one link too many");
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink("nowhere", link), 0);
	assert_int_equal(follow("config", 0, why), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(unlink(link), 0);
}

/* A socket's mode says who may connect, and nothing of what is in it. */
static void
sockets(void **state)
{
	struct stat st = {.st_mode = S_IFSOCK | 0666};

	(void)state;
	assert_null(whose_ill(&st, BASE, false, false));
	st.st_mode = S_IFREG | 0666;
	assert_non_null(whose_ill(&st, BASE, false, false));
	st = (struct stat){.st_mode = S_IFSOCK | 0600, .st_uid = 7};
	assert_non_null(whose_ill(&st, BASE, false, false));
}

/* What storage leads to is transport's, and nothing else lies in it. */
static void
storage(void **state)
{
	char why[FOLLOW_WHY], path[200], file[200];
	int fd;

	(void)state;
	at(path, "disk");
	assert_int_equal(mkdir(path, 0700), 0);
	at(file, "storage");
	assert_int_equal(symlink(path, file), 0);
	assert_int_equal(chown(path, BASE + 1, BASE + 1), 0);
	assert_true(follow("storage", O_DIRECTORY, why) >= 0);
	assert_int_equal(follow("storage", 0, why), -1);
	fd = open(path, O_RDONLY | O_DIRECTORY);
	assert_int_equal(whose_check_storage(fd, path, BASE, hear, NULL), 0);
	at(file, "disk/fstab");
	(void)close(open(file, O_WRONLY | O_CREAT, 0644));
	assert_int_equal(whose_check_storage(fd, path, BASE, hear, NULL), -1);
	assert_non_null(strstr(said, "other things in it"));
	at(file, "disk/transport_identity");
	(void)close(open(file, O_WRONLY | O_CREAT, 0600));
	assert_int_equal(chown(file, BASE + 1, BASE + 1), 0);
	assert_int_equal(whose_check_storage(fd, path, BASE, hear, NULL), 0);
	assert_int_equal(chown(file, 7, 7), 0);
	assert_int_equal(whose_check_storage(fd, path, BASE, hear, NULL), -1);
	assert_non_null(strstr(said, "another user"));
	(void)close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sockets),
	    cmocka_unit_test_setup_teardown(own_folders, setup, teardown),
	    cmocka_unit_test_setup_teardown(same_names, setup, teardown),
	    cmocka_unit_test_setup_teardown(too_deep, setup, teardown),
	    cmocka_unit_test_setup_teardown(followed, setup, teardown),
	    cmocka_unit_test_setup_teardown(not_followed, setup, teardown),
	    cmocka_unit_test_setup_teardown(storage, setup, teardown)};

	if (geteuid() != 0) {
		/* only root's warrend asks, and only root can be an owner */
		printf("1..0 # SKIP not root\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
