/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* mkdtemp */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "node/parent/wasmfiles.h"

/* The files that a jail builds the runner of modules from, over an upgrade. */

static char folder[] = "/tmp/warren-wasmfiles-XXXXXX";

static char *
at(unsigned i, const char *more)
{
	static char path[2][128];
	char *p = path[more[0] != '\0'];

	(void)snprintf(p, sizeof(path[0]), "%s/%s%s", folder, wasm_files[i],
	    more);
	return p;
}

static int
make(const char *path)
{
	return open(path, O_CREAT | O_RDONLY | O_CLOEXEC, 0600);
}

static void
test_replaced(void **state)
{
	int fds[WASM_FILES], other;
	const char *which = NULL;

	(void)state;
	for (unsigned i = 0; i < WASM_FILES; i++)
		assert_true((fds[i] = make(at(i, ""))) >= 0);
	assert_false(wasmfiles_gone(fds, &which));
	assert_true(fds[0] >= 0);
	/* as a package manager puts a new one in its place */
	assert_true((other = make(at(3, ".new"))) >= 0);
	(void)close(other);
	/* the old one has another name still */
	assert_int_equal(link(at(3, ""), at(3, ".old")), 0);
	assert_int_equal(rename(at(3, ".new"), at(3, "")), 0);
	assert_true(wasmfiles_gone(fds, &which));
	assert_string_equal(which, wasm_files[3]);
	for (unsigned i = 0; i < WASM_FILES; i++) {
		assert_int_equal(fds[i], -1);
		assert_int_equal(unlink(at(i, "")), 0);
	}
	assert_int_equal(unlink(at(3, ".old")), 0);
	/* told once */
	assert_false(wasmfiles_gone(fds, &which));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_replaced)};
	int rv;

	if (mkdtemp(folder) == NULL)
		return 1;
	rv = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(folder);
	return rv;
}
