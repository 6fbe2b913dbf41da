/* SPDX-License-Identifier: BSD-2-Clause */
/* Where network_identity lies, and whether others can read it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/check/netident.h"

static void
where(void **state)
{
	static const struct {
		const char *value, *home, *want;
	} rows[] = {{"network", "/h", "/d/network"}, {"/x/y", "/h", "/x/y"},
	    {"~/n", "/h", "/h/n"}, {"~/n", NULL, NULL}, {"~n", "/h", "/d/~n"},
	    {"123456789012345678", "/h", NULL}};
	struct rnsconf c = {0};
	char out[20];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		c.network_identity = rows[i].value;
		if (rows[i].home == NULL)
			assert_int_equal(unsetenv("HOME"), 0);
		else
			assert_int_equal(setenv("HOME", rows[i].home, 1), 0);
		assert_int_equal(netident_path(&c, "/d", out, sizeof(out)),
		    rows[i].want == NULL ? -1 : 0);
		if (rows[i].want != NULL)
			assert_string_equal(out, rows[i].want);
	}
}

static void
exposed(void **state)
{
	char dir[] = "/tmp/warren-netident.XXXXXX", file[80], out[PATH_MAX];
	struct rnsconf c = {0};
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(file, sizeof(file), "%s/n", dir);
	assert_false(netident_exposed(&c, dir, out, sizeof(out)));
	c.network_identity = "n";
	assert_false(netident_exposed(&c, dir, out, sizeof(out)));
	assert_true((fd = open(file, O_WRONLY | O_CREAT, 0600)) >= 0);
	(void)close(fd);
	for (mode_t mode = 0600; mode <= 0677; mode++) {
		assert_int_equal(chmod(file, mode), 0);
		assert_int_equal(netident_exposed(&c, dir, out, sizeof(out)),
		    mode != 0600);
	}
	assert_string_equal(out, file);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where), cmocka_unit_test(exposed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
