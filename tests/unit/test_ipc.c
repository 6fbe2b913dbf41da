/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/ipc.h"
#include "common/log.h"
#include "common/util.h"
#include "tests/until.h"

/* Fills a message with a pattern: every field at its greatest size. */
#define FILL_u8(n, z) m.n = (uint8_t)k++;
#define FILL_u16(n, z) m.n = (uint16_t)(k++ * 0x101);
#define FILL_u32(n, z) m.n = 0xdead0000u + k++;
#define FILL_u64(n, z) m.n = 0xdeadbeef00000000u + k++;
#define FILL_i32(n, z) m.n = -(int32_t)k++;
#define FILL_i64(n, z) m.n = -(int64_t)k++;
#define FILL_boolean(n, z) m.n = k++ & 1;
#define FILL_arr(n, z) memset(m.n, (int)k++, z);
#define FILL_hash16(n, z) memset(&m.n, (int)k++, sizeof(m.n));
#define FILL_id32(n, z) memset(&m.n, (int)k++, sizeof(m.n));
#define FILL_fp(n, z) memset(&m.n, (int)k++, sizeof(m.n));
#define FILL_var(n, z) memset(m.n, (int)k++, z), m.n##_len = z;
#define FILL_str(n, z) memset(m.n, 'a' + (int)(k++ % 26), z), m.n[z] = '\0';
#define FILL(kind, n, z) FILL_##kind(n, z)

/* Whole, at every cut, and with one byte too many. */
#define ROUND(name, from, to, lo, hi)                                          \
	static void round_##name(void **state)                                 \
	{                                                                      \
		struct msg_##name m = {0}, back;                               \
		uint8_t buf[IPC_MAX + 1];                                      \
		struct wr w = wr_make(buf, IPC_MAX);                           \
		unsigned k = 1;                                                \
                                                                               \
		(void)state;                                                   \
		(void)k;                                                       \
		MSG_##name(FILL) msg_put_##name(&w, &m);                       \
		assert_true(wr_ok(&w));                                        \
		assert_int_equal(w.len, ipc_row(IPC_##name)->size_max);        \
		assert_true(msg_get_##name(rd_make(buf, w.len), &back));       \
		assert_memory_equal(&m, &back, sizeof(m));                     \
		for (size_t n = 0; n < w.len; n++)                             \
			assert_false(msg_get_##name(rd_make(buf, n), &back));  \
		buf[w.len] = 0;                                                \
		assert_false(msg_get_##name(rd_make(buf, w.len + 1), &back));  \
		memset(&m, 0, sizeof(m));                                      \
		w = wr_make(buf, IPC_MAX);                                     \
		msg_put_##name(&w, &m);                                        \
		assert_true(wr_ok(&w));                                        \
		assert_int_equal(w.len, ipc_row(IPC_##name)->size_min);        \
		assert_true(msg_get_##name(rd_make(buf, w.len), &back));       \
	}
IPC_MESSAGES(ROUND)

static struct ipc *a, *b; /* parent and transport */

static int
setup(void **state)
{
	int fds[2];

	(void)state;
	log_init("test", 0);
	if (ipc_pair(fds) < 0)
		return -1;
	a = ipc_new(fds[0], PROGRAM_PARENT, PROGRAM_TRANSPORT);
	b = ipc_new(fds[1], PROGRAM_TRANSPORT, PROGRAM_PARENT);
	return a != NULL && b != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	ipc_free(a);
	ipc_free(b);
	a = b = NULL;
	return 0;
}

static void
there_and_back(void **state)
{
	struct msg_DIAL m = {.index = 7, .seq = 8}, back;
	struct ipc_in in;

	(void)state;
	assert_int_equal(ipc_recv(a, &in), 0);
	assert_int_equal(ipc_send_DIAL(b, &m, NULL, 0), 0);
	assert_false(ipc_pending(b));
	assert_int_equal(ipc_recv(a, &in), 1);
	assert_int_equal(in.type, IPC_DIAL);
	assert_int_equal(in.from, PROGRAM_TRANSPORT);
	assert_true(msg_get_DIAL(in.body, &back));
	assert_int_equal(back.index, 7);
	ipc_in_done(&in);
	ipc_wipe();
	assert_int_equal(ipc_recv(a, &in), 0);
	/* who has no loop */
	assert_int_equal(ipc_wait(a, &in, 0), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_int_equal(ipc_wait(a, &in, 20), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_int_equal(ipc_send_DIAL(b, &m, NULL, 0), 0);
	assert_int_equal(ipc_wait(a, &in, -1), 0);
	assert_int_equal(in.type, IPC_DIAL);
	ipc_in_done(&in);
}

static void
the_end(void **state)
{
	struct msg_DIAL m = {0};
	struct ipc_in in;

	(void)state;
	ipc_free(a);
	a = NULL;
	assert_int_equal(ipc_send_DIAL(b, &m, NULL, 0), -1);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(ipc_recv(b, &in), -1);
	assert_int_equal(errno, 0);
	assert_int_equal(ipc_wait(b, &in, -1), -1);
	assert_int_equal(errno, 0);
}

/* It has said something, and ends before it has read what we said. */
static void
the_end_unread(void **state)
{
	struct msg_DIAL m = {.index = 7};
	struct msg_STOP stop = {.end_ = 0};
	struct ipc_in in;

	(void)state;
	assert_int_equal(ipc_send_STOP(a, &stop, NULL, 0), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(ipc_send_DIAL(b, &m, NULL, 0), 0);
	ipc_free(b);
	b = NULL;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(ipc_recv(a, &in), 1);
		assert_int_equal(in.type, IPC_DIAL);
		ipc_in_done(&in);
	}
	assert_int_equal(ipc_recv(a, &in), -1);
	assert_int_equal(errno, 0);
}

static void
sender_obeys_the_table(void **state)
{
	struct msg_DIAL dial = {0};
	struct msg_PARAMS params = {0};
	struct msg_OPENED opened = {0};
	struct msg_SETTING setting = {0};
	static const struct {
		uint16_t type;
		size_t len;
		int error;
	} raw[] = {{IPC_DIAL, 0, EINVAL}, {IPC_DIAL, 1, EINVAL},
	    {IPC_NONE, 2, EINVAL}, {IPC_TYPES, 2, EINVAL},
	    {IPC_DIAL, 9, EMSGSIZE}, {IPC_DIAL, 11, EMSGSIZE},
	    {IPC_DIAL, IPC_MAX, EMSGSIZE}};
	int fds[3] = {0, 0, 0};
	uint8_t big[IPC_MAX] = {0};

	(void)state;
	assert_int_equal(ipc_send_DIAL(a, &dial, NULL, 0), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(ipc_send_PARAMS(b, &params, NULL, 0), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(ipc_send_OPENED(a, &opened, fds, 3), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(ipc_send_SETTING(a, &setting, NULL, 0), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(ipc_send_DIAL(NULL, &dial, NULL, 0), -1);
	assert_int_equal(errno, EPIPE);
	for (size_t i = 0; i < NELEM(raw); i++) {
		put_u16(big, raw[i].type);
		errno = 0;
		assert_int_equal(ipc_send(b, big, raw[i].len, NULL, 0), -1);
		assert_int_equal(errno, raw[i].error);
	}
}

static unsigned
open_fds(void)
{
	unsigned n = 0;

	for (int i = 0; i < 256; i++)
		n += fcntl(i, F_GETFD) >= 0;
	return n;
}

/* What a program that was taken over could send; nothing of it stays open. */
static void
receiver_obeys_the_table(void **state)
{
	static const struct {
		uint16_t type;
		size_t len;
		unsigned nfds;
	} bad[] = {
	    {IPC_NONE, 0, 0},
	    {IPC_TYPES, 0, 0},
	    {0xffff, 0, 0},
	    {IPC_PARAMS, 120, 0},    /* of the parent only */
	    {IPC_N_CLOSE, 16, 0},    /* node to transport */
	    {IPC_DIAL, 7, 0},	     /* short */
	    {IPC_DIAL, 9, 0},	     /* long */
	    {IPC_DIAL, IPC_MAX, 0},  /* cut by the kernel */
	    {IPC_DIAL, 8, 1},	     /* a descriptor too many */
	    {IPC_DIAL, 8, IPC_FDS_MAX + 4},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++) {
		uint8_t bytes[IPC_MAX + 2] = {
		    (uint8_t)(bad[i].type >> 8), (uint8_t)bad[i].type};
		struct iovec iov = {bytes, bad[i].len + 2};
		union {
			struct cmsghdr align;
			char room[CMSG_SPACE(sizeof(int) * 32)];
		} ctl = {{0}};
		struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
		struct ipc_in in;
		unsigned before;

		assert_int_equal(teardown(state) | setup(state), 0);
		before = open_fds();
		if (bad[i].nfds > 0) {
			size_t n = sizeof(int) * bad[i].nfds;
			struct cmsghdr *c;

			mh.msg_control = ctl.room;
			mh.msg_controllen = CMSG_SPACE(n);
			c = CMSG_FIRSTHDR(&mh);
			*c = (struct cmsghdr){.cmsg_len = CMSG_LEN(n),
			    .cmsg_level = SOL_SOCKET,
			    .cmsg_type = SCM_RIGHTS};
			memset(CMSG_DATA(c), 0, n);
		}
		assert_true(sendmsg(ipc_fd(b), &mh, 0) > 0);
		assert_int_equal(ipc_recv(a, &in), -1);
		assert_int_equal(errno, EPROTO);
		assert_int_equal(open_fds(), before);
	}
}

static void
one_byte(void **state)
{
	struct ipc_in in;

	(void)state;
	assert_int_equal(send(ipc_fd(b), "x", 1, 0), 1);
	assert_int_equal(ipc_recv(a, &in), -1);
	assert_int_equal(errno, EPROTO);
}

static void
descriptors(void **state)
{
	struct msg_SETTING m = {.what = SET_RNS_CONFIG, .name = ""};
	struct ipc_in in;
	unsigned before = open_fds();
	const uint8_t *p;
	size_t len = 0;
	int fd = memfd_sealed("test", "hello", 5);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ipc_send_SETTING(a, &m, &fd, 1), 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(ipc_recv(b, &in), 1);
	fd = ipc_in_take(&in, 0);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(ipc_in_take(&in, 0), -1);
	assert_int_equal(ipc_in_take(&in, 1), -1);
	ipc_in_done(&in);
	p = memfd_map(fd, &len, 100);
	assert_non_null(p);
	assert_int_equal(len, 5);
	assert_memory_equal(p, "hello", 5);
	memfd_unmap(p, len);
	len = 0;
	assert_null(memfd_map(fd, &len, 4));
	len = 6;
	assert_null(memfd_map(fd, &len, 100));
	assert_true(write(fd, "x", 1) < 0);
	(void)close(fd);
	/* not taken: closed */
	fd = memfd_sealed("test", "", 0);
	assert_int_equal(ipc_send_SETTING(a, &m, &fd, 1), 0);
	len = 0;
	p = memfd_map(fd, &len, 0);
	assert_non_null(p);
	memfd_unmap(p, len);
	(void)close(fd);
	assert_int_equal(ipc_recv(b, &in), 1);
	ipc_in_done(&in);
	assert_int_equal(open_fds(), before);
}

static void
unsealed(void **state)
{
	int fd = memfd_create("test", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	size_t len = 0;

	(void)state;
	assert_true(fd >= 0 && write(fd, "hello", 5) == 5);
	assert_null(memfd_map(fd, &len, 100));
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	assert_null(memfd_map(fd, &len, 100));
	(void)close(fd);
	assert_null(memfd_map(-1, &len, 100));
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_null(memfd_map(fd, &len, 100));
	(void)close(fd);
}

/* A reader that does not read: order is kept, and the queue has an end. */
static void
water_marks(void **state)
{
	struct msg_ALARM m = {.severity = 1};
	struct ipc_in in;
	unsigned sent = 0, got = 0, before = open_fds();
	bool full = false;
	int r;

	(void)state;
	memset(m.text, 'x', sizeof(m.text) - 1);
	for (;; sent++) {
		m.severity = (uint8_t)sent;
		if (ipc_send_ALARM(b, &m, NULL, 0) < 0)
			break;
		full = full || ipc_full(b);
	}
	assert_int_equal(errno, ENOBUFS);
	assert_true(full && ipc_pending(b));
	while ((r = ipc_recv(a, &in)) >= 0 && got < sent) {
		struct msg_ALARM back;

		if (r == 0) {
			assert_int_equal(ipc_flush(b), 0);
			continue;
		}
		assert_true(msg_get_ALARM(in.body, &back));
		assert_int_equal(back.severity, (uint8_t)got);
		got++;
		ipc_in_done(&in);
	}
	assert_int_equal(got, sent);
	assert_false(ipc_pending(b));
	assert_int_equal(open_fds(), before);
}

/* The end of a channel may bring descriptors; they are not kept. */
static void
empty_with_descriptors(void **state)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 2)];
	} ctl = {.bytes = {0}};
	struct msghdr mh = {.msg_control = ctl.bytes,
	    .msg_controllen = sizeof(ctl.bytes)};
	struct cmsghdr *cm = CMSG_FIRSTHDR(&mh);
	const int fds[2] = {0, 0};
	struct ipc_in in;
	unsigned before = open_fds();

	(void)state;
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(cm), fds, sizeof(fds));
	assert_int_equal(sendmsg(ipc_fd(a), &mh, 0), 0);
	assert_int_equal(ipc_recv(b, &in), -1);
	assert_int_equal(errno, 0);
	assert_int_equal(open_fds(), before);
}

/* Descriptors that wait in the queue are ours, and closed with it. */
static void
queued_descriptors(void **state)
{
	struct msg_SETTING m = {.what = SET_VOLUME};
	unsigned before = open_fds();
	int fd = memfd_sealed("test", "x", 1);

	(void)state;
	while (!ipc_pending(a))
		assert_int_equal(ipc_send_SETTING(a, &m, &fd, 1), 0);
	assert_int_equal(ipc_send_SETTING(a, &m, &fd, 1), 0);
	(void)close(fd);
	assert_int_equal(open_fds(), before + 2);
	ipc_free(a);
	ipc_free(b);
	a = b = NULL;
	assert_int_equal(open_fds(), before - 2);
}

static void
too_long_fields(void **state)
{
	struct msg_T_REQUEST m = {.data_len = 3601};
	int fds[2];
	struct ipc *t;

	(void)state;
	assert_int_equal(ipc_pair(fds), 0);
	t = ipc_new(fds[0], PROGRAM_TRANSPORT, PROGRAM_NODE);
	assert_int_equal(ipc_send_T_REQUEST(t, &m, NULL, 0), -1);
	assert_int_equal(errno, EMSGSIZE);
	ipc_free(t);
	(void)close(fds[1]);
}

/* Who has a channel to whom; the parent makes these and no others. */
static void
channels_follow_from_the_table(void **state)
{
	static const enum program pairs[][2] = {
	    {PROGRAM_TRANSPORT, PROGRAM_NODE}, {PROGRAM_TRANSPORT, PROGRAM_KEYS},
	    {PROGRAM_NODE, PROGRAM_TRUST}, {PROGRAM_NODE, PROGRAM_KEYS},
	    {PROGRAM_NODE, PROGRAM_JAIL}, {PROGRAM_NODE, PROGRAM_AUDIT},
	    {PROGRAM_TRUST, PROGRAM_AUDIT}, {PROGRAM_KEYS, PROGRAM_AUDIT},
	    {PROGRAM_TRUST, PROGRAM_EGRESS},
	    {PROGRAM_TRUST, PROGRAM_TRANSPORT},
	    {PROGRAM_AUDIT, PROGRAM_TRANSPORT},
	    {PROGRAM_AUDIT, PROGRAM_EGRESS}};

	(void)state;
	for (unsigned x = PROGRAM_PARENT + 1; x < PROGRAM_COUNT; x++) {
		for (unsigned y = PROGRAM_PARENT + 1; y < PROGRAM_COUNT; y++) {
			bool want = false;

			for (size_t i = 0; i < NELEM(pairs); i++)
				want |= (pairs[i][0] == x && pairs[i][1] == y) ||
				    (pairs[i][0] == y && pairs[i][1] == x);
			assert_int_equal(ipc_related(x, y), want);
		}
	}
}

/* As many descriptors of this user in flight as the kernel lets there be. */
static int
park(int sv[2])
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 60)];
	} u;
	char byte = 0;
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = u.bytes, .msg_controllen = sizeof(u.bytes)};
	int fds[60];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, sv) < 0)
		return -1;
	for (unsigned i = 0; i < 60; i++)
		fds[i] = sv[0];
	memset(&u, 0, sizeof(u));
	CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
	CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
	CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), fds, sizeof(fds));
	for (int i = 0; i < 10; i++)
		if (sendmsg(sv[0], &m, MSG_DONTWAIT) < 0)
			return errno == ETOOMANYREFS ? 0 : -1;
	return -1;
}

/* What the user has in flight elsewhere loses no message of ours. */
static int
in_flight(void)
{
	struct rlimit few = {64, 64};
	struct msg_OPENED m = {.seq = 1};
	struct msg_STOP stop = {.end_ = 0};
	struct ipc_in in;
	int sv[2], fd = STDERR_FILENO;

	/* root is not counted */
	if ((geteuid() == 0 && setuid(65534) < 0) ||
	    setrlimit(RLIMIT_NOFILE, &few) < 0 || park(sv) < 0)
		return 77;
	if (ipc_send_OPENED(a, &m, &fd, 1) < 0 || !ipc_held(a) ||
	    ipc_pending(a))
		return 1;
	/* what comes behind it keeps its place */
	if (ipc_send_STOP(a, &stop, NULL, 0) < 0 || ipc_recv(b, &in) != 0)
		return 2;
	if (ipc_flush(a) < 0 || !ipc_held(a) || ipc_recv(b, &in) != 0)
		return 3;
	(void)close(sv[0]);
	(void)close(sv[1]);
	/* the kernel drops them a little later */
	for (struct until u = until_begin("room for descriptors", PATIENCE_MS);
	    ipc_held(a);)
		if (ipc_flush(a) < 0 || !until_step(&u))
			return 4;
	if (ipc_recv(b, &in) != 1 || in.type != IPC_OPENED || in.nfds != 1)
		return 5;
	ipc_in_done(&in);
	return ipc_recv(b, &in) == 1 && in.type == IPC_STOP ? 0 : 6;
}

static void
too_many_in_flight(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(in_flight());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
names(void **state)
{
	(void)state;
	assert_string_equal(program_name(PROGRAM_AUDIT), "audit");
	assert_string_equal(program_name((enum program)99), "nobody");
	assert_null(ipc_row(IPC_NONE));
	assert_null(ipc_row(IPC_TYPES));
	for (unsigned t = 1; t < IPC_TYPES; t++)
		assert_non_null(ipc_row(t)->name);
}

#define ROUND_TEST(name, from, to, lo, hi) cmocka_unit_test(round_##name),
#define CHANNEL_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    IPC_MESSAGES(ROUND_TEST)
	    cmocka_unit_test(names),
	    cmocka_unit_test(channels_follow_from_the_table),
	    cmocka_unit_test(too_long_fields),
	    cmocka_unit_test(unsealed),
	    CHANNEL_TEST(there_and_back),
	    CHANNEL_TEST(the_end), CHANNEL_TEST(the_end_unread),
	    CHANNEL_TEST(sender_obeys_the_table),
	    CHANNEL_TEST(receiver_obeys_the_table),
	    CHANNEL_TEST(one_byte),
	    CHANNEL_TEST(descriptors),
	    CHANNEL_TEST(water_marks),
	    CHANNEL_TEST(empty_with_descriptors),
	    CHANNEL_TEST(queued_descriptors),
	    CHANNEL_TEST(too_many_in_flight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
