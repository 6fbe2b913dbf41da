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
take(void *ctx, int fd, const struct sockaddr_storage *peer)
{
	assert_int_equal(peer->ss_family, AF_UNIX);
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
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

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
	uid_t uid;
	pid_t pid;

	(void)state;
	for (int i = 0; i < 2; i++)
		peer[i] = socket(AF_UNIX, SOCK_STREAM, 0);
	acceptor_start(&a, loop, fd, take, &taken);
	assert_int_equal(connect(peer[0], (struct sockaddr *)&sa, len), 0);
	(void)ev_run(loop, EVRUN_NOWAIT);
	assert_int_equal(taken, 1);
	acceptor_who(last, &uid, &pid);
	assert_int_equal(uid, getuid());
	assert_int_equal(pid, getpid());
	assert_int_equal(close(last), 0);

	acceptor_who(-1, &uid, &pid);
	assert_int_equal(uid, (uid_t)-1);
	assert_int_equal(pid, 0);

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

/* More than a turn's worth: the rest comes in the next one. */
static void
test_batch(void **state)
{
	struct ev_loop *loop = ev_loop_new(0);
	int fd, peer[ACCEPTOR_BATCH + 2];
	struct sockaddr_un sa;
	struct acceptor a = {0};
	socklen_t len;

	(void)state;
	acceptor_stop(&a); /* never started */
	taken = 0;
	fd = listener(&sa, &len);
	assert_int_equal(listen(fd, ACCEPTOR_BATCH + 2), 0);
	acceptor_start(&a, loop, fd, take, &taken);
	for (int i = 0; i < ACCEPTOR_BATCH + 2; i++) {
		peer[i] = socket(AF_UNIX, SOCK_STREAM, 0);
		assert_int_equal(connect(peer[i], (struct sockaddr *)&sa,
		    len), 0);
	}
	(void)ev_run(loop, EVRUN_NOWAIT);
	assert_int_equal(taken, ACCEPTOR_BATCH);
	(void)ev_run(loop, EVRUN_NOWAIT);
	assert_int_equal(taken, ACCEPTOR_BATCH + 2);
	assert_int_equal(a.refused, 0);
	acceptor_stop(&a);
	acceptor_stop(&a);
	for (int i = 0; i < ACCEPTOR_BATCH + 2; i++)
		(void)close(peer[i]);
	(void)close(fd);
	ev_loop_destroy(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_accepts),
	    cmocka_unit_test(test_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
