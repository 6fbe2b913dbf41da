/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/util.h"
#include "sandbox/base/places.h"
#include "sandbox/base/tree.h"

static char top[] = "/tmp/warren-places-XXXXXX";
static int root = -1;
static struct place at[PLACES_ALL];
static char why[PLACES_WHY];

/* An image of odd folders; what is made: "d NAME", "f NAME", "l NAME TO". */
static void
image(const char *const *what)
{
	char kind, name[128], to[300];

	assert_int_equal(tree_empty(root), 0);
	for (; *what != NULL; what++) {
		assert_true(sscanf(*what, "%c %127s %299s", &kind, name, to) >=
		    2);
		if (kind == 'd')
			assert_int_equal(mkdirat(root, name, 0755), 0);
		else if (kind == 'l')
			assert_int_equal(symlinkat(to, root, name), 0);
		else
			(void)close(openat(root, name, O_CREAT | O_WRONLY,
			    0644));
	}
}

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(top) == NULL)
		return -1;
	root = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return root == -1 ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)tree_empty(root);
	(void)close(root);
	return rmdir(top);
}

static const char *const ordinary[] = {"d bin", "d etc", "f etc/passwd",
    "d srv", "l data srv/data", "l abs /srv/abs", "l up ../../../srv/up",
    "l out /../../etc/x", "l loop loop", "l a b", "l b a", "l var /tmp/var",
    "l processes proc", "l sub proc/self", "l null /dev/null", "l home /",
    "l here .", "l long srv/1/../2/./3", "d tmp", "f tmp/f",
    "l file etc/passwd", "l one srv/same", "l two srv/same", NULL};

static const struct {
	const char *target, *place;
	bool in_tmp;
} good[] = {
    {"/data", "srv/data", false}, {"/data/x/y", "srv/data/x/y", false},
    {"/abs", "srv/abs", false}, {"/up", "srv/up", false},
    {"/out", "etc/x", false}, {"/etc/new/er", "etc/new/er", false},
    {"/long", "srv/2/3", false}, {"/here/bin", "bin", false},
    {"/home/etc", "etc", false}, {"/new", "new", false},
    {"/tmp", "tmp", true}, {"/tmp/in", "tmp/in", true},
    {"/tmp/f", "tmp/f", true}, {"/tmp/f/g", "tmp/f/g", true},
    {"/var", "tmp/var", true}, {"/var/lib", "tmp/var/lib", true},
    {"/agent/data", "agent/data", false}, {"/tmpx", "tmpx", false},
};

static void
test_good(void **state)
{
	(void)state;
	image(ordinary);
	for (size_t i = 0; i < NELEM(good); i++) {
		const char *code = places_find(at, root, &good[i].target, 1,
		    why);

		if (code != NULL)
			fail_msg("%s: %s %s", good[i].target, code, why);
		assert_string_equal(at[PLACE_FIXED].path, good[i].place);
		assert_int_equal(at[PLACE_FIXED].in_tmp, good[i].in_tmp);
		assert_string_equal(at[PLACE_TMP].path, "tmp");
		assert_false(at[PLACE_PROC].in_tmp);
	}
}

static const struct {
	const char *target, *why;
} bad[] = {
    {"/etc/passwd", "/etc/passwd is a file and no folder in this image"},
    {"/etc/passwd/x", "/etc/passwd/x: /etc/passwd is a file and no folder in "
	"this image"},
    {"/file", "/file: /etc/passwd is a file and no folder in this image"},
    {"/loop", "/loop is a link that cannot be followed in this image"},
    {"/a/x", "/a/x: /a is a link that cannot be followed in this image"},
    {"/processes", "/processes and /proc lie in each other by a link in this "
	"image"},
    {"/sub/x", "/sub/x and /proc lie in each other by a link in this image"},
    {"/null", "/null and /dev lie in each other by a link in this image"},
    {"/home", "/home: / is the root itself in this image"},
    {"/here", "/here: / is the root itself in this image"},
};

static void
test_bad(void **state)
{
	(void)state;
	image(ordinary);
	for (size_t i = 0; i < NELEM(bad); i++) {
		const char *code = places_find(at, root, &bad[i].target, 1,
		    why);

		assert_non_null(code);
		assert_string_equal(code, "volume");
		if (strcmp(why, bad[i].why) != 0)
			fail_msg("%s: %s", bad[i].target, why);
	}
	/* two that only the image brings together */
	assert_string_equal(places_find(at, root, (const char *const[]){"/one",
	    "/two"}, 2, why), "volume");
	assert_string_equal(why, "/two and /one lie in each other by a link "
	    "in this image");
	assert_string_equal(places_find(at, root, (const char *const[]){
	    "/srv/same/x", "/two"}, 2, why), "volume");
	assert_null(places_find(at, root, (const char *const[]){"/one", "/data",
	    "/tmp/1", "/tmp/2", "/abs"}, 5, why));
}

static void
test_images(void **state)
{
	static const struct {
		const char *what[4], *code, *tmp;
	} t[] = {
	    {{NULL}, NULL, "tmp"},
	    {{"l tmp var/tmp", NULL}, NULL, "var/tmp"},
	    {{"d var", "l tmp /var/tmp", NULL}, NULL, "var/tmp"},
	    {{"f tmp", NULL}, "image", ""},
	    {{"l tmp tmp", NULL}, "image", ""},
	    {{"l tmp /", NULL}, "image", ""},
	    {{"l tmp dev/shm", NULL}, "image", ""},
	    {{"f proc", NULL}, "image", ""},
	    {{"l proc dev", NULL}, "image", ""},
	    {{"l dev d", NULL}, NULL, "tmp"},
	};
	static const char *const v = "/v", *const var = "/var",
	    *const in = "/var/tmp/in";

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++) {
		const char *code;

		image(t[i].what);
		code = places_find(at, root, &v, 1, why);
		if (code == NULL ? t[i].code != NULL : t[i].code == NULL ||
		    strcmp(code, t[i].code) != 0)
			fail_msg("%zu: %s", i, why);
		if (code == NULL)
			assert_string_equal(at[PLACE_TMP].path, t[i].tmp);
	}
	/* over the folder in which /tmp is to be */
	image(t[1].what);
	assert_string_equal(places_find(at, root, &var, 1, why), "volume");
	assert_null(places_find(at, root, &in, 1, why));
	assert_true(at[PLACE_FIXED].in_tmp);
}

/* As deep as a target may be, and links that make it deeper. */
static void
test_deep(void **state)
{
	char target[PLAN_TARGET_MAX + 1], link[300] = "l d ";
	const char *p = target;

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(target); i += 2)
		memcpy(target + i, "/d", 2);
	target[254] = '\0';
	image((const char *const[]){NULL});
	assert_null(places_find(at, root, &p, 1, why));
	assert_string_equal(at[PLACE_FIXED].path, target + 1);
	memset(link + 4, 'x', 200);
	image((const char *const[]){link, NULL});
	assert_null(places_find(at, root, &p, 1, why));
	memset(link + 4, 'x', 290);
	link[4 + 145] = '/';
	image((const char *const[]){link, NULL});
	assert_string_equal(places_find(at, root, &p, 1, why), "volume");
	assert_non_null(strstr(why, "too deep"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_images),
	    cmocka_unit_test(test_deep),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
