/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"
#include "tests/unit/prog_peer.h"
#include "trust/bindstore.h"

/* The real warren-trust, and the least time that there is (klp.md 1.7). */

static void
start(struct prog *p, int dir)
{
	static const uint8_t own[64] = {7};

	prog_start_two(p, PROGRAM_TRUST, "trust", dir, "klp", -1);
	prog_params(p, own);
	prog_text(p, SET_NODE_YAML, "", "trust: {}\n");
	prog_begin(p);
}

/* Which says that the floor was lowered so often; all else is passed over. */
static struct msg_V_TIME
lowered(struct ipc *node, uint32_t times)
{
	struct msg_V_TIME t;

	do
		PROG_GET(V_TIME, node, &t);
	while (t.lowered != times);
	return t;
}

/*
 * The clock was 20 years ahead when the bindings were kept: time is that, until
 * a person says that the clock is right, and over a fall.
 */
static void
test_was_ahead(void **state)
{
	uint32_t now = (uint32_t)time(NULL), ahead = now + 20 * 365 * 86400;
	struct bindstore *none = bindstore_new(1);
	struct msg_V_LOWER m = {.end_ = 0};
	char path[] = "/tmp/trust-test-XXXXXX";
	static uint8_t file[256];
	struct msg_V_TIME t;
	struct ipc *node;
	struct prog p;
	size_t n;
	int dir;

	(void)state;
	assert_non_null(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY);
	assert_true(dir >= 0 && none != NULL);
	n = bindstore_put(none, file, sizeof(file), ahead);
	bindstore_free(none);
	assert_true(n > 0);
	assert_int_equal(file_replace(dir, "bindings", file, n, 0600), 0);
	start(&p, dir);
	node = prog_neighbour(&p, PROGRAM_NODE);
	t = lowered(node, 0);
	assert_int_equal(t.floor, ahead);
	assert_in_range(t.behind, ahead - now - 600, ahead - now);
	assert_int_equal(ipc_send_V_LOWER(node, &m, NULL, 0), 0);
	t = lowered(node, 1);
	assert_in_range(t.floor, now, now + 600);
	assert_int_equal(t.behind, 0);
	/* once more it does nothing, and says so */
	assert_int_equal(ipc_send_V_LOWER(node, &m, NULL, 0), 0);
	assert_in_range(lowered(node, 2).floor, now, now + 600);
	prog_kill(&p);
	start(&p, dir);
	t = lowered(prog_neighbour(&p, PROGRAM_NODE), 0);
	assert_in_range(t.floor, now, now + 600);
	prog_stop(&p);
	(void)unlinkat(dir, "bindings", 0);
	(void)unlinkat(dir, "klp", AT_REMOVEDIR);
	(void)close(dir);
	(void)rmdir(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_was_ahead)};

	for (unsigned i = 0; i < IPC_TYPES; i++)
		prog_pass[i] = i != IPC_V_TIME;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
