/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/asksock.h"
#include "common/util.h"
#include "tests/until.h"

/*
 * The owner of the tests repeats each question; "drop" it refuses, "end" is
 * its last, "known" makes it known, "flood" has an answer that is too much, "many" one of pieces.
 */
#define QUESTION_MAX 32
#define WAITING_MAX 65536
#define PIECES 2000 /* of PIECE bytes: more than a socket holds */
#define PIECE 1000

struct mine {
	unsigned asked, pieces;
};

static struct ev_loop *loop;
static bool allowed;
static struct sockaddr_un sa;
static socklen_t sa_len;
static struct asksock *sock;

static bool
may(void *ctx, uid_t uid)
{
	assert_ptr_equal(ctx, &allowed);
	assert_int_equal(uid, getuid());
	return allowed;
}

static bool
opened(void *ctx, struct asker *k)
{
	(void)ctx;
	asker_limit(k, 5);
	return asker_put(k, "hello", 5);
}

static bool
question(void *ctx, struct asker *k, const uint8_t *q, size_t n)
{
	static const char flood[WAITING_MAX];
	struct mine *m = asker_state(k);

	(void)ctx;
	m->asked++;
	if (n == 4 && memcmp(q, "drop", 4) == 0)
		return false;
	if (n == 5 && memcmp(q, "flood", 5) == 0)
		return asker_put(k, flood, sizeof(flood));
	if (n == 4 && memcmp(q, "many", 4) == 0)
		m->pieces = PIECES;
	if (n == 4 && memcmp(q, "long", 4) == 0)
		asker_limit(k, SIZE_MAX);
	if (n == 5 && memcmp(q, "known", 5) == 0)
		asker_known(k);
	if (n == 3 && memcmp(q, "end", 3) == 0)
		asker_end(k);
	return asker_put(k, q, n);
}

static bool
more(void *ctx, struct asker *k)
{
	static const char piece[PIECE];
	struct mine *m = asker_state(k);

	(void)ctx;
	if (m->pieces == 0)
		return true;
	m->pieces--;
	return asker_put(k, piece, sizeof(piece));
}

static struct asksock_rules rules;

static int
setup(void **state)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	rules = (struct asksock_rules){
		.name = "test",
		.framing = ASKSOCK_LINES,
		.question_max = QUESTION_MAX,
		.waiting_max = WAITING_MAX,
		.clients_max = 3,
		.state_size = sizeof(struct mine),
		.may = may,
		.question = question,
		.more = more,
	};
	allowed = true;
	loop = ev_loop_new(0);
	sa = (struct sockaddr_un){.sun_family = AF_UNIX};
	sa_len = offsetof(struct sockaddr_un, sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sa_len), 0);
	sa_len = sizeof(sa);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &sa_len), 0);
	assert_int_equal(listen(fd, 16), 0);
	sock = asksock_new(loop, fd, &rules, &allowed);
	assert_non_null(sock);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	asksock_free(sock);
	ev_loop_destroy(loop);
	return 0;
}

static void
turns(unsigned n)
{
	while (n-- > 0)
		(void)ev_run(loop, EVRUN_NOWAIT);
}

static int
visit(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sa_len), 0);
	turns(3);
	return fd;
}

static void
say(int fd, const void *p, size_t n)
{
	assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), n);
	turns(4);
}

static void
hears(int fd, const void *p, size_t n)
{
	char buf[256];

	assert_int_equal(recv(fd, buf, sizeof(buf), MSG_DONTWAIT), n);
	assert_memory_equal(buf, p, n);
}

static void
nothing(int fd)
{
	char c;

	assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static void
hung_up(int fd)
{
	char c;
	ssize_t n = recv(fd, &c, 1, MSG_DONTWAIT);

	/* what it had not read makes a reset of the end */
	assert_true(n == 0 || (n == -1 && errno == ECONNRESET));
	(void)close(fd);
}

#define COUNT(what, n) \
	assert_int_equal(asksock_count(sock, ASKSOCK_##what), n)

static void
test_lines(void **state)
{
	int fd = visit();

	(void)state;
	nothing(fd);
	say(fd, "ab\ncd\nha", 8);
	hears(fd, "ab\ncd\n", 6);
	say(fd, "lf\n\n", 4);
	hears(fd, "half\n\n", 6);
	COUNT(QUESTIONS, 4);
	/* the last one: what comes behind it is not answered */
	say(fd, "end\nab\n", 7);
	hears(fd, "end\n", 4);
	hung_up(fd);
	COUNT(QUESTIONS, 5);
	fd = visit();
	say(fd, "ab\ndrop\n", 8);
	hears(fd, "ab\n", 3);
	hung_up(fd);
	COUNT(BROKEN_OFF, 1);
}

static void
test_bounds(void **state)
{
	char text[QUESTION_MAX + 2];
	int fd = visit();

	(void)state;
	memset(text, 'x', sizeof(text));
	text[QUESTION_MAX] = '\n';
	say(fd, text, QUESTION_MAX + 1);
	hears(fd, text, QUESTION_MAX + 1);
	text[QUESTION_MAX] = 'x';
	say(fd, text, QUESTION_MAX);
	nothing(fd);
	COUNT(TOO_LONG, 0);
	say(fd, "x", 1);
	hung_up(fd);
	COUNT(TOO_LONG, 1);
	fd = visit();
	say(fd, "flood\n", 6);
	hung_up(fd);
	COUNT(TOO_MUCH, 1);
}

/* An answer in pieces waits for its reader, and the next question for it. */
static void
test_pieces(void **state)
{
	static char buf[PIECES * (PIECE + 1) + 64];
	size_t have = 0, want = 5 + PIECES * (PIECE + 1) + 3;
	int fd = visit();
	ssize_t n;

	(void)state;
	say(fd, "many\nab\n", 8);
	COUNT(QUESTIONS, 1);
	while (have < want) {
		n = recv(fd, buf + have, sizeof(buf) - have, MSG_DONTWAIT);
		assert_true(n > 0);
		have += (size_t)n;
		turns(4);
	}
	assert_int_equal(have, want);
	assert_memory_equal(buf, "many\n", 5);
	assert_memory_equal(buf + want - 3, "ab\n", 3);
	COUNT(QUESTIONS, 2);
	COUNT(TOO_MUCH, 0);
	(void)close(fd);
}

static void
test_places(void **state)
{
	int fd[4];

	(void)state;
	allowed = false;
	hung_up(visit());
	COUNT(NOT_ALLOWED, 1);
	allowed = true;
	for (int i = 0; i < 3; i++)
		fd[i] = visit();
	hung_up(visit());
	COUNT(NO_PLACE, 1);
	(void)close(fd[0]);
	turns(3);
	fd[0] = visit();
	say(fd[0], "ab\n", 3);
	hears(fd[0], "ab\n", 3);
	for (int i = 0; i < 3; i++)
		(void)close(fd[i]);
	turns(3);
	/* of one user: root has no such limit */
	rules.user_max = 1;
	fd[0] = visit();
	fd[1] = visit();
	if (getuid() == 0)
		nothing(fd[1]);
	else
		hung_up(fd[1]);
	(void)close(fd[0]);
}

static void
test_room(void **state)
{
	int fd[5];

	(void)state;
	rules.makes_room = true;
	for (int i = 0; i < 3; i++)
		fd[i] = visit();
	say(fd[0], "known\n", 6);
	hears(fd[0], "known\n", 6);
	/* the oldest of those that are nobody yet goes */
	fd[3] = visit();
	hung_up(fd[1]);
	nothing(fd[0]);
	nothing(fd[2]);
	COUNT(PUT_OUT, 1);
	COUNT(NO_PLACE, 0);
	say(fd[2], "known\n", 6);
	say(fd[3], "known\n", 6);
	hears(fd[2], "known\n", 6);
	hung_up(visit());
	COUNT(PUT_OUT, 1);
	COUNT(NO_PLACE, 1);
	hears(fd[3], "known\n", 6);
	/* a user who has his share makes room himself: root has none */
	(void)close(fd[0]);
	(void)close(fd[3]);
	turns(3);
	rules.user_max = 2;
	fd[3] = visit();
	fd[4] = visit();
	if (getuid() == 0)
		nothing(fd[3]);
	else
		hung_up(fd[3]);
	nothing(fd[2]);
	nothing(fd[4]);
	(void)close(fd[2]);
	(void)close(fd[4]);
}

static void
test_times(void **state)
{
	int idle, busy;

	(void)state;
	rules.idle_s = 0.2;
	idle = visit();
	busy = visit();
	for (int i = 0; i < 8; i++) {
		quiet(50000, "a quarter of the idle time, again and again");
		say(busy, "ab\n", 3);
		hears(busy, "ab\n", 3);
	}
	hung_up(idle);
	COUNT(TOO_SLOW, 1);
	nothing(busy);
	(void)close(busy);
	turns(3);
	/* in all, however busy */
	rules.idle_s = 0;
	rules.whole_s = 0.1;
	busy = visit();
	say(busy, "ab\n", 3);
	hears(busy, "ab\n", 3);
	quiet(150000, "more than the whole time");
	turns(3);
	hung_up(busy);
	COUNT(TOO_SLOW, 2);
}

static void
test_prefixed(void **state)
{
	int fd;

	(void)state;
	rules.framing = ASKSOCK_PREFIXED;
	rules.opened = opened;
	fd = visit();
	hears(fd, "\0\0\0\5hello", 9);
	say(fd, "\0\0\0\2ab\0\0\0\0\0\0", 12);
	hears(fd, "\0\0\0\2ab\0\0\0\0", 10);
	say(fd, "\0\2cd", 4);
	hears(fd, "\0\0\0\2cd", 6);
	/* the length alone says that it is too long, until it may be longer */
	say(fd, "\0\0\0\4long", 8);
	hears(fd, "\0\0\0\4long", 8);
	say(fd, "\0\0\0\6abcdef", 10);
	hears(fd, "\0\0\0\6abcdef", 10);
	say(fd, "\0\0\0\41", 4);
	hung_up(fd);
	fd = visit();
	hears(fd, "\0\0\0\5hello", 9);
	say(fd, "\0\0\0\6", 4);
	hung_up(fd);
	COUNT(TOO_LONG, 2);
	for (int i = 0; i < ASKSOCK_COUNTS; i++)
		assert_non_null(asksock_count_name((enum asksock_count)i));
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_lines), T(test_bounds), T(test_pieces), T(test_places), T(test_room),
	    T(test_times), T(test_prefixed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
