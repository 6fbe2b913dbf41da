/* SPDX-License-Identifier: BSD-2-Clause */
/* The store's file of names, whole and damaged. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/util.h"
#include "sandbox/base/tree.h"
#include "sandbox/image/gc.h"
#include "sandbox/image/gone.h"
#include "sandbox/image/store.h"

static bool
count_one(void *ctx, const char *name, const struct id32 *digest)
{
	(void)name;
	(void)digest;
	++*(unsigned *)ctx;
	return true;
}

/* A line that is none hides no name behind it, and none is lost by a rewrite. */
static void
damaged_names(int fd, const struct id32 *d)
{
	static const char *const lines[] = {"x\n", "\n", "x \n", "x 0123\n",
	    "#\n", "x:1 zz", "y:1"};
	char hex[65], text[300], *now;
	struct id32 got;
	unsigned n = 0, left;
	size_t len;

	hex_encode(hex, HASH_BYTES(*d));
	for (size_t i = 0; i < NELEM(lines); i++) {
		size_t k = (size_t)snprintf(text, sizeof(text), "a:1 %s\n%s",
		    hex, lines[i]);

		if (lines[i][strlen(lines[i]) - 1] == '\n')
			k += (size_t)snprintf(text + k, sizeof(text) - k,
			    "b:1 %s\n", hex);
		assert_int_equal(file_replace(fd, "names", text, k, 0644), 0);
		assert_int_equal(store_each(fd, count_one, &n), -1);
		assert_int_equal(errno, EBADMSG);
		assert_int_equal(store_resolve(fd, "b:1", &got), -1);
		assert_int_equal(errno, EBADMSG);
		assert_false(store_unnamed(fd, d));
		assert_int_equal(store_set_name(fd, "c:1", d), -1);
		assert_int_equal(store_drop_name(fd, "a:1", &got, &left), -1);
		now = file_load(fd, "names", 1000, &len);
		assert_non_null(now);
		assert_int_equal(len, k);
		assert_memory_equal(now, text, k);
		free(now);
	}
	/* a zero byte; and a last line without its end, which counts */
	assert_int_equal(file_replace(fd, "names", "\0\n", 2, 0644), 0);
	assert_int_equal(store_each(fd, count_one, &n), -1);
	(void)snprintf(text, sizeof(text), "a:1 %s\nb:1 %s", hex, hex);
	assert_int_equal(file_replace(fd, "names", text, strlen(text), 0644),
	    0);
	n = 0;
	assert_int_equal(store_each(fd, count_one, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(store_set_name(fd, "c:1", d), 0);
	n = 0;
	assert_int_equal(store_each(fd, count_one, &n), 0);
	assert_int_equal(n, 3);
}

static void
test_names(void **state)
{
	static const struct {
		const char *name, *full;
	} t[] = {{"a", "a:latest"}, {"kai/agent-runtime:latest",
	    "kai/agent-runtime:latest"}, {"a:V1.0_x", "a:V1.0_x"},
	    {"", NULL}, {"A", NULL}, {":x", NULL}, {"a:", NULL},
	    {"/a", NULL}, {"a/", NULL}, {"a//b", NULL}, {"a b", NULL},
	    {"a:b:c", NULL}, {"../a", NULL}, {"a\n", NULL}};
	char full[STORE_NAME_MAX + 1], dir[] = "/tmp/warren-store-XXXXXX";
	char hex[65], path[80];
	struct id32 d, got;
	int fd;

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++) {
		bool ok = store_name_ok(t[i].name, full);

		if (ok != (t[i].full != NULL))
			fail_msg("%s", t[i].name);
		if (ok)
			assert_string_equal(full, t[i].full);
	}
	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(store_make(fd), 0);
	memset(&d, 0xab, sizeof(d));
	assert_int_equal(store_resolve(fd, "x", &got), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(store_set_name(fd, "x", &d), 0);
	assert_int_equal(store_set_name(fd, "y:1", &d), 0);
	/* named, but its files are not here */
	assert_int_equal(store_resolve(fd, "x", &got), -1);
	hex_encode(hex, HASH_BYTES(d));
	(void)snprintf(path, sizeof(path), "roots/%s", hex);
	assert_int_equal(mkdirat(fd, path, 0755), 0);
	assert_int_equal(store_resolve(fd, "x", &got), 0);
	assert_memory_equal(got.b, d.b, 32);
	d.b[0] = 1;
	assert_int_equal(store_set_name(fd, "x:latest", &d), 0);
	assert_int_equal(store_resolve(fd, "x", &got), -1);
	assert_int_equal(store_resolve(fd, "y:1", &got), 0);
	assert_int_equal(store_resolve(fd, "sha256:zz", &got), -1);
	assert_int_equal(errno, EINVAL);
	damaged_names(fd, &d);
	assert_int_equal(tree_empty(fd), 0);
	(void)close(fd);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
