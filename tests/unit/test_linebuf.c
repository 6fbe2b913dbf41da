/* SPDX-License-Identifier: BSD-2-Clause */
/* What a line has still to take. */
#include "config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "transport/engine/linebuf.h"

static struct linebuf b;

/* All or nothing; what has left makes room. */
static void
room(void **state)
{
	static uint8_t much[LINEBUF_BYTES + 1];

	(void)state;
	linebuf_clear(&b);
	assert_true(linebuf_empty(&b));
	assert_false(linebuf_put(&b, much, sizeof(much)));
	assert_true(linebuf_empty(&b));
	assert_true(linebuf_put(&b, much, LINEBUF_BYTES));
	assert_false(linebuf_put(&b, much, 1));
	assert_true(linebuf_put(&b, much, 0));
	b.from = 10; /* as a line that took these */
	assert_true(linebuf_put(&b, (const uint8_t *)"0123456789", 10));
	assert_false(linebuf_put(&b, much, 1));
	assert_int_equal(b.to - b.from, LINEBUF_BYTES);
	assert_memory_equal(b.b + b.to - 10, "0123456789", 10);
}

static void
written(void **state)
{
	uint8_t got[8];
	int fd[2];

	(void)state;
	linebuf_clear(&b);
	assert_return_code(pipe2(fd, O_NONBLOCK), errno);
	assert_int_equal(linebuf_write(&b, fd[1]), 0);
	assert_true(linebuf_put(&b, (const uint8_t *)"one", 3));
	assert_true(linebuf_put(&b, (const uint8_t *)"two", 3));
	assert_int_equal(linebuf_write(&b, fd[1]), 6);
	assert_true(linebuf_empty(&b));
	assert_int_equal(read(fd[0], got, sizeof(got)), 6);
	assert_memory_equal(got, "onetwo", 6);
	/* a pipe that is full takes nothing: it is kept */
	while (write(fd[1], got, 1) == 1)
		continue;
	assert_true(linebuf_put(&b, (const uint8_t *)"kept", 4));
	assert_int_equal(linebuf_write(&b, fd[1]), 0);
	assert_false(linebuf_empty(&b));
	/* one that is gone never will */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)close(fd[0]);
	assert_int_equal(linebuf_write(&b, fd[1]), -1);
	assert_int_equal(errno, EPIPE);
	assert_true(linebuf_empty(&b));
	(void)close(fd[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(room),
		cmocka_unit_test(written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
