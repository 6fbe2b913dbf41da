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

#include "common/util.h"
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

/* ---- who costs much ---- */

/* A frame that takes as long as some signatures. */
static void
costly_frame(void *arg, const uint8_t *p, size_t n)
{
	int64_t end = until_now_us() + 200;

	while (until_now_us() < end)
		continue;
	on_frame(arg, p, n);
}

static size_t
total_frames(const struct end *e, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += e[i].frames;
	return sum;
}

#define COSTLY 1000

/*
 * Of two streams the one whose frames are costly goes on in later turns: one
 * frame of the other waits for a share, not for all of them. They go on while
 * nothing more comes, none is lost, and the end is told behind the last.
 */
static void
costly(void **state)
{
	struct ev_loop *loop = ev_loop_new(0);
	struct end from, dear, other, few;
	uint8_t packet[40];
	size_t before = 0;
	int a[2], b[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, b), 0);
	end_open(&from, loop, a[0], RNS_FRAME_HDLC, 100);
	end_open(&few, loop, b[0], RNS_FRAME_HDLC, 100);
	end_open(&dear, loop, a[1], RNS_FRAME_HDLC, 100);
	end_open(&other, loop, b[1], RNS_FRAME_HDLC, 100);
	dear.s.frame = costly_frame;
	memset(packet, 1, sizeof(packet));
	for (int i = 0; i < COSTLY; i++)
		assert_true(fsock_send(&from.s, packet, sizeof(packet)));
	fsock_flush(&from.s);
	fsock_close(&from.s);
	turns(loop, 1);
	assert_true(dear.frames > 0 && dear.frames < COSTLY / 4);
	assert_true(dear.s.behind);
	for (int i = 0; i < 5; i++) {
		before = dear.frames;
		assert_true(fsock_send(&few.s, packet, sizeof(packet)));
		fsock_flush(&few.s);
		while (other.frames == (size_t)i)
			turns(loop, 1);
		assert_true(dear.frames - before <= 2 * FSOCK_SHARE_MAX_US /
		    200 + 8);
	}
	assert_true(dear.frames < COSTLY);
	while (dear.gone == 0)
		ev_run(loop, EVRUN_ONCE);
	assert_int_equal(dear.frames, COSTLY);
	assert_int_equal(dear.gone, 1);
	fsock_close(&few.s);
	fsock_close(&other.s);
	ev_loop_destroy(loop);
}

#define CROWD 150

/*
 * Many with costly frames take no more of a turn than a few do, and all of
 * them come on.
 */
static void
crowd(void **state)
{
	struct ev_loop *loop = ev_loop_new(0);
	static struct end e[CROWD];
	static size_t first[CROWD];
	size_t before, most = 0, least = 0;
	uint8_t packet[40], framed[82];
	int fds[CROWD][2];

	(void)state;
	memset(packet, 1, sizeof(packet));
	for (int i = 0; i < CROWD; i++) {
		size_t n = rns_frame(RNS_FRAME_HDLC, framed, packet,
		    sizeof(packet));

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds[i]),
		    0);
		end_open(&e[i], loop, fds[i][0], RNS_FRAME_HDLC, 100);
		e[i].s.frame = costly_frame;
		for (int k = 0; k < 40; k++)
			assert_int_equal(send(fds[i][1], framed, n,
			    MSG_DONTWAIT), n);
	}
	turns(loop, 3); /* each of them is read */
	for (int i = 0; i < CROWD; i++)
		first[i] = e[i].frames;
	for (int t = 0; least < 5; t++) {
		before = total_frames(e, CROWD);
		ev_run(loop, EVRUN_NOWAIT);
		assert_true(total_frames(e, CROWD) - before <=
		    FSOCK_TURN_US / 200 + 8);
		least = SIZE_MAX;
		for (int i = 0; i < CROWD; i++) {
			least = MIN_OF(least, e[i].frames - first[i]);
			most = MAX_OF(most, e[i].frames - first[i]);
		}
		assert_true(t < 1000);
	}
	assert_true(most <= least + 2);
	for (int i = 0; i < CROWD; i++) {
		fsock_close(&e[i].s);
		(void)close(fds[i][1]);
	}
	ev_loop_destroy(loop);
}

/* One that is closed while it is behind is forgotten. */
static void
closed_behind(void **state)
{
	struct ev_loop *loop = ev_loop_new(0);
	struct end from, dear;
	uint8_t packet[40];
	int a[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
	end_open(&from, loop, a[0], RNS_FRAME_HDLC, 100);
	end_open(&dear, loop, a[1], RNS_FRAME_HDLC, 100);
	dear.s.frame = costly_frame;
	memset(packet, 1, sizeof(packet));
	for (int i = 0; i < COSTLY; i++)
		assert_true(fsock_send(&from.s, packet, sizeof(packet)));
	fsock_flush(&from.s);
	turns(loop, 1);
	assert_true(dear.s.behind);
	fsock_close(&dear.s);
	assert_false(dear.s.behind);
	assert_int_equal(dear.s.in_room, 0);
	fsock_close(&from.s);
	turns(loop, 2);
	assert_int_equal(dear.gone, 0);
	ev_loop_destroy(loop);
}

/* ---- who begins and does not end ---- */

#define HALVES 100
#define LONGEST 400000

static void
push(struct ev_loop *loop, int fd, const uint8_t *p, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t k = send(fd, p + at, n - at, MSG_DONTWAIT);

		at += k > 0 ? (size_t)k : 0;
		turns(loop, 1);
	}
}

static size_t
held(const struct end *e, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += e[i].s.in_room;
	return sum;
}

/*
 * Half frames of many hold what they may and no more; those of who is silent
 * for the longest time go, counted, and a long one of another comes through. A
 * short one stays, as long as it takes.
 */
static void
halves(void **state)
{
	struct ev_loop *loop = ev_loop_new(0);
	static struct end e[HALVES + 1];
	static uint8_t bytes[LONGEST + 2];
	struct end brief;
	unsigned lost = 0;
	int fds[HALVES + 1][2], own[2];

	(void)state;
	memset(bytes, 1, sizeof(bytes));
	bytes[0] = bytes[LONGEST + 1] = 0x7e;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, own), 0);
	end_open(&brief, loop, own[0], RNS_FRAME_HDLC, LONGEST);
	push(loop, own[1], bytes, 300);
	for (int i = 0; i <= HALVES; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds[i]),
		    0);
		end_open(&e[i], loop, fds[i][0], RNS_FRAME_HDLC, LONGEST);
		push(loop, fds[i][1], bytes, i < HALVES ? LONGEST - 5 :
		    LONGEST + 2);
		turns(loop, 200); /* little is read at once */
		assert_true(held(e, (size_t)i + 1) <= FSOCK_IN_MAX);
	}
	push(loop, own[1], bytes, 1);
	assert_int_equal(brief.frames, 1);
	assert_int_equal(brief.last, 299);
	assert_int_equal(e[HALVES].frames, 1);
	assert_int_equal(e[HALVES].last, LONGEST);
	for (int i = 0; i < HALVES; i++)
		lost += e[i].s.rx_drops > 0;
	assert_true(lost >= HALVES - FSOCK_IN_MAX / LONGEST && lost < HALVES);
	assert_int_equal(e[0].s.rx_drops, 1);
	assert_int_equal(e[HALVES - 1].s.rx_drops, 0);
	/* that one ends its frame; the first one begins anew */
	push(loop, fds[HALVES - 1][1], bytes + LONGEST - 5, 7);
	push(loop, fds[0][1], bytes, 50);
	push(loop, fds[0][1], bytes, 1);
	assert_int_equal(e[HALVES - 1].frames, 1);
	assert_int_equal(e[0].frames, 1);
	assert_int_equal(e[0].last, 49);
	for (int i = 0; i <= HALVES; i++) {
		fsock_close(&e[i].s);
		(void)close(fds[i][1]);
	}
	fsock_close(&brief.s);
	(void)close(own[1]);
	assert_int_equal(held(e, HALVES + 1), 0);
	ev_loop_destroy(loop);
}

/* Who adds a byte now and then to what never ends keeps nobody else out. */
static void
trickle(void **state)
{
	struct ev_loop *loop = ev_loop_new(0);
	static struct end e[HALVES + 1];
	static uint8_t bytes[LONGEST + 2];
	int fds[HALVES + 1][2];

	(void)state;
	memset(bytes, 1, sizeof(bytes));
	bytes[0] = bytes[LONGEST + 1] = 0x7e;
	for (int i = 0; i <= HALVES; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds[i]),
		    0);
		end_open(&e[i], loop, fds[i][0], RNS_FRAME_HDLC, LONGEST);
	}
	for (int i = 0; i < HALVES; i++)
		push(loop, fds[i][1], bytes, LONGEST - HALVES);
	push(loop, fds[HALVES][1], bytes, LONGEST / 2);
	turns(loop, 200);
	for (int i = 0; i < HALVES; i++) /* that one pauses meanwhile */
		push(loop, fds[i][1], bytes + 1, 1);
	push(loop, fds[HALVES][1], bytes + LONGEST / 2, LONGEST / 2 + 2);
	turns(loop, 200);
	assert_int_equal(e[HALVES].frames, 1);
	assert_int_equal(e[HALVES].last, LONGEST);
	for (int i = 0; i <= HALVES; i++) {
		fsock_close(&e[i].s);
		(void)close(fds[i][1]);
	}
	ev_loop_destroy(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hdlc), cmocka_unit_test(kiss),
		cmocka_unit_test(bounded), cmocka_unit_test(noise),
		cmocka_unit_test(drained), cmocka_unit_test(costly),
		cmocka_unit_test(crowd), cmocka_unit_test(trickle),
		cmocka_unit_test(closed_behind), cmocka_unit_test(halves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
