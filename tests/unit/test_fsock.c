/* SPDX-License-Identifier: BSD-2-Clause */
/* Framed sockets: packets over a socket pair, limits, the end. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/until.h"
#include "transport/socket/fsock.h"

struct end {
	struct fsock s;
	size_t frames, bytes, last;
	int gone; /* errno + 1; 0: not yet */
};

static void
on_frame(void *arg, const uint8_t *p, size_t n)
{
	struct end *e = arg;

	assert_int_equal(p[0], p[n - 1]);
	e->frames++;
	e->bytes += n;
	e->last = n;
}

static void
on_gone(void *arg, int error)
{
	struct end *e = arg;

	e->gone = error + 1;
}

static void
end_open(struct end *e, struct ev_loop *loop, int fd, enum rns_framing f,
    size_t max)
{
	memset(e, 0, sizeof(*e));
	fsock_init(&e->s, loop);
	e->s.frame = on_frame;
	e->s.gone = on_gone;
	e->s.arg = e;
	assert_int_equal(fsock_open(&e->s, fd, f, max), 0);
}

static void
turns(struct ev_loop *loop, int n)
{
	while (n-- > 0)
		ev_run(loop, EVRUN_NOWAIT);
}

static void
pass_packets(enum rns_framing framing)
{
	struct ev_loop *loop = ev_loop_new(0);
	static uint8_t packet[5000];
	struct end a, b;
	size_t bytes = 0;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	end_open(&a, loop, fds[0], framing, 5000);
	end_open(&b, loop, fds[1], framing, 5000);
	for (size_t n = 20; n <= 5000; n += 83) {
		/* bytes that need escapes, equal at both ends */
		memset(packet, n % 3 == 0 ? 0x7e : n % 3 == 1 ? 0xc0 : 0x42, n);
		assert_true(fsock_send(&a.s, packet, n));
		fsock_flush(&a.s);
		turns(loop, 2);
		bytes += n;
	}
	turns(loop, 10);
	assert_int_equal(b.frames, a.s.tx_frames);
	assert_int_equal(b.bytes, bytes);
	assert_int_equal(a.s.tx_bytes, b.s.rx_bytes);
	memset(packet, 1, sizeof(packet));
	fsock_close(&a.s);
	turns(loop, 3);
	assert_int_equal(b.gone, 1);
	assert_int_equal(b.s.fd, -1);
	assert_false(fsock_send(&b.s, packet, 100));
	ev_loop_destroy(loop);
}

static void
hdlc(void **state)
{
	(void)state;
	pass_packets(RNS_FRAME_HDLC);
}

static void
kiss(void **state)
{
	(void)state;
	pass_packets(RNS_FRAME_KISS);
}

/* Who does not read costs 4 MiB and no more; it is counted. */
static void
bounded(void **state)
{
	struct ev_loop *loop = ev_loop_new(0);
	static uint8_t packet[60000];
	struct end a;
	uint8_t sink[65536];
	size_t sent = 0;
	ssize_t n;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	end_open(&a, loop, fds[0], RNS_FRAME_HDLC, sizeof(packet));
	memset(packet, 0x7d, sizeof(packet)); /* each byte becomes two */
	for (int i = 0; i < 200; i++) {
		sent += fsock_send(&a.s, packet, sizeof(packet));
		fsock_flush(&a.s);
		assert_true(fsock_waiting(&a.s) <= FSOCK_OUT_MAX);
	}
	assert_true(sent < 200);
	assert_int_equal(a.s.tx_drops, 200 - sent);
	assert_int_equal(a.s.tx_drop_bytes, (200 - sent) * sizeof(packet));
	/* it drains when the other end reads again */
	while (fsock_waiting(&a.s) > 0) {
		n = recv(fds[1], sink, sizeof(sink), MSG_DONTWAIT);
		(void)n;
		turns(loop, 1);
	}
	assert_true(fsock_send(&a.s, packet, sizeof(packet)));
	(void)close(fds[1]);
	fsock_flush(&a.s);
	turns(loop, 3);
	assert_true(a.gone > 0);
	/* closed: nothing is lost in silence */
	assert_false(fsock_send(&a.s, packet, 100));
	assert_int_equal(a.s.tx_drops, 200 - sent + 1);
	assert_int_equal(a.s.tx_drop_bytes, (200 - sent) * sizeof(packet) +
	    100);
	ev_loop_destroy(loop);
}

/* Noise, and frames over the limit, are dropped and counted. */
static void
noise(void **state)
{
	struct ev_loop *loop = ev_loop_new(0);
	static uint8_t junk[200000];
	struct end b;
	size_t at = 0;
	ssize_t n;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	end_open(&b, loop, fds[1], RNS_FRAME_HDLC, 500);
	memset(junk, 'x', sizeof(junk));
	junk[0] = 0x7e;
	junk[199000] = 0x7e;
	while (at < sizeof(junk)) {
		n = send(fds[0], junk + at, sizeof(junk) - at, MSG_DONTWAIT);
		at += n > 0 ? (size_t)n : 0;
		turns(loop, 1);
	}
	turns(loop, 5);
	assert_int_equal(b.frames, 0);
	assert_true(b.s.rx_drops >= 1);
	assert_int_equal(b.gone, 0);
	fsock_close(&b.s);
	(void)close(fds[0]);
	ev_loop_destroy(loop);
}

/* Reads late, and all; its bytes. */
static void *
late_reader(void *arg)
{
	struct pollfd p = {.fd = *(int *)arg, .events = POLLIN};
	static uint8_t buf[65536];
	size_t *bytes = calloc(1, sizeof(*bytes));
	ssize_t n;

	quiet(20000, "the writer has to wait for who reads");
	while (poll(&p, 1, -1) == 1 && (n = read(p.fd, buf, sizeof(buf))) > 0)
		*bytes += (size_t)n;
	return bytes;
}

/* What was sent right before the end arrives, and not who does not read. */
static void
drained(void **state)
{
	struct ev_loop *loop = ev_loop_new(0);
	static uint8_t packet[5000];
	struct end a;
	size_t *bytes;
	pthread_t t;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	end_open(&a, loop, fds[0], RNS_FRAME_HDLC, 5000);
	memset(packet, 0x42, sizeof(packet));
	/* more than the socket takes */
	for (int i = 0; i < 200; i++)
		assert_true(fsock_send(&a.s, packet, sizeof(packet)));
	fsock_drain(&a.s, 5);
	assert_true(fsock_waiting(&a.s) > 0);
	assert_int_equal(pthread_create(&t, NULL, late_reader, &fds[1]), 0);
	fsock_drain(&a.s, 60000);
	assert_int_equal(fsock_waiting(&a.s), 0);
	fsock_close(&a.s);
	assert_int_equal(pthread_join(t, (void **)&bytes), 0);
	assert_int_equal(*bytes, 200 * 5002);
	free(bytes);
	(void)close(fds[1]);
	/* one that is gone is not waited for */
	fsock_drain(&a.s, 60000);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	end_open(&a, loop, fds[0], RNS_FRAME_HDLC, 5000);
	assert_true(fsock_send(&a.s, packet, sizeof(packet)));
	fsock_flush(&a.s);
	(void)close(fds[1]);
	fsock_drain(&a.s, 60000);
	fsock_close(&a.s);
	ev_loop_destroy(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hdlc), cmocka_unit_test(kiss),
		cmocka_unit_test(bounded), cmocka_unit_test(noise),
		cmocka_unit_test(drained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
