/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/acceptor.h"

static unsigned taken;
static int last = -1;

static void
take(void *ctx, int fd)
{
	assert_ptr_equal(ctx, &taken);
	assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	taken++;
	last = fd;
}

/* An abstract address of the kernel's choice. */
static int
listener(struct sockaddr_un *sa, socklen_t *len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	*sa = (struct sockaddr_un){.sun_family = AF_UNIX};
	*len = offsetof(struct sockaddr_un, sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)sa, *len), 0);
	*len = sizeof(*sa);
	assert_int_equal(getsockname(fd, (struct sockaddr *)sa, len), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static void
test_accepts(void **state)
{
	struct ev_loop *loop = ev_loop_new(0);
	struct sockaddr_un sa;
	socklen_t len;
	struct acceptor a;
	struct rlimit old, none;
	int fd = listener(&sa, &len), peer[2];

	(void)state;
	for (int i = 0; i < 2; i++)
		peer[i] = socket(AF_UNIX, SOCK_STREAM, 0);
	acceptor_start(&a, loop, fd, take, &taken);
	assert_int_equal(connect(peer[0], (struct sockaddr *)&sa, len), 0);
	(void)ev_run(loop, EVRUN_NOWAIT);
	assert_int_equal(taken, 1);
	assert_int_equal(close(last), 0);

	/* no descriptor is free: it looks away, once, for its time */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){3, old.rlim_max};
	assert_int_equal(connect(peer[1], (struct sockaddr *)&sa, len), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (int i = 0; i < 100; i++)
		(void)ev_run(loop, EVRUN_NOWAIT);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(a.refused, 1);
	assert_int_equal(taken, 1);
	/* and then goes on */
	while (taken == 1)
		(void)ev_run(loop, EVRUN_ONCE);
	assert_int_equal(a.refused, 1);
	assert_int_equal(close(last), 0);

	acceptor_stop(&a);
	for (int i = 0; i < 2; i++)
		(void)close(peer[i]);
	(void)close(fd);
	ev_loop_destroy(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_accepts)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
