/* SPDX-License-Identifier: BSD-2-Clause */
/* Datagram sockets: packets there, what the kernel does not take, the rest. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/until.h"
#include "transport/socket/dgram.h"

static struct ev_loop *loop;
static struct sockaddr_in to;
static unsigned frames, too_long;
static size_t last;
static struct in6_addr last_from;

static void
on_packet(void *arg, const uint8_t *p, size_t n, const struct sockaddr_in6 *a)
{
	assert_ptr_equal(arg, &loop);
	assert_int_equal(p[0], p[n - 1]);
	frames++;
	last = n;
	last_from = a->sin6_addr;
}

static void
on_too_long(void *arg)
{
	(void)arg;
	too_long++;
}

static int
udp_socket(struct sockaddr_in *a)
{
	socklen_t len = sizeof(*a);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	*a = (struct sockaddr_in){.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)a, sizeof(*a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)a, &len), 0);
	return fd;
}

static void
receiver(struct dgram *d)
{
	loop = ev_loop_new(0);
	frames = too_long = 0;
	dgram_init(d, loop);
	d->packet = on_packet;
	d->too_long = on_too_long;
	d->arg = &loop;
	dgram_open(d, udp_socket(&to));
}

/* Turns of the loop until so many have come. */
static void
come(unsigned want)
{
	struct until u = until_begin("datagrams", PATIENCE_MS);

	do
		ev_run(loop, EVRUN_NOWAIT);
	while (frames < want && until_step(&u));
	assert_int_equal(frames, want);
}

static void
all_arrive(void **state)
{
	struct fsock count = {0};
	struct sockaddr_in own;
	uint8_t packet[DGRAM_MAX];
	unsigned want = 100;
	struct dgram d;
	int fd = udp_socket(&own);

	(void)state;
	receiver(&d);
	memset(packet, 7, sizeof(packet));
	/* more than one batch, and the longest */
	for (unsigned i = 0; i < want; i++)
		dgram_send(fd, &to, sizeof(to), packet, i + 1 < want ?
		    i + 1 : DGRAM_MAX, &count);
	assert_int_equal(count.tx_frames, 96); /* three batches are out */
	dgram_flush();
	dgram_flush();
	assert_int_equal(count.tx_frames, want);
	assert_int_equal(count.tx_bytes, 99 * 100 / 2 + DGRAM_MAX);
	come(want);
	assert_int_equal(last, DGRAM_MAX);
	/* never sent, and never read: too long */
	dgram_send(fd, &to, sizeof(to), packet, DGRAM_MAX + 1, &count);
	assert_int_equal(count.tx_drops, 1);
	assert_int_equal(count.tx_drop_bytes, DGRAM_MAX + 1);
	assert_int_equal(sendto(fd, (uint8_t[DGRAM_MAX + 1]){0},
	    DGRAM_MAX + 1, 0, (struct sockaddr *)&to, sizeof(to)),
	    DGRAM_MAX + 1);
	want++;
	dgram_send(fd, &to, sizeof(to), packet, 1, &count);
	dgram_flush();
	come(want);
	assert_int_equal(too_long, 1);
	dgram_close(&d);
	dgram_close(&d);
	(void)close(fd);
	ev_loop_destroy(loop);
}

static void
origin(void **state)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6,
	    .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	socklen_t len = sizeof(a);
	struct fsock count = {0};
	struct dgram d;
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	(void)state;
	receiver(&d);
	dgram_close(&d);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		(void)close(fd);
		ev_loop_destroy(loop);
		skip(); /* a machine without IPv6 */
	}
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	dgram_open(&d, fd);
	dgram_send(fd, &a, sizeof(a), (const uint8_t *)"x", 1, &count);
	dgram_flush();
	come(1);
	assert_memory_equal(&last_from, &in6addr_loopback, 16);
	dgram_close(&d);
	ev_loop_destroy(loop);
}

/*
 * A socket whose buffer is full takes some and refuses the rest at once: all are
 * counted, and nothing waits. Then one that cannot send to an address goes on
 * with the next.
 */
static void
refused(void **state)
{
	struct fsock count = {0};
	uint8_t packet[1000] = {0};
	int fds[2], none = -1, size = 1;
	struct sockaddr_in own, bad;
	struct dgram d;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size,
	    sizeof(size)), 0);
	for (unsigned i = 0; i < 1000; i++)
		dgram_send(fds[0], "", 0, packet, sizeof(packet), &count);
	dgram_flush();
	assert_true(count.tx_drops > 0);
	assert_int_equal(count.tx_frames + count.tx_drops, 1000);
	assert_int_equal(count.tx_drop_bytes, count.tx_drops * sizeof(packet));
	(void)close(fds[0]);
	(void)close(fds[1]);

	memset(&count, 0, sizeof(count));
	receiver(&d);
	fds[0] = udp_socket(&own);
	bad = to;
	bad.sin_port = 0; /* EINVAL */
	dgram_send(fds[0], &bad, sizeof(bad), packet, 1, &count);
	dgram_send(fds[0], &to, sizeof(to), packet, 1, &count);
	dgram_send(fds[0], &bad, sizeof(bad), packet, 1, &count);
	dgram_flush();
	assert_int_equal(count.tx_drops, 2);
	assert_int_equal(count.tx_frames, 1);
	come(1);
	/* a socket that is none */
	dgram_send(none, &to, sizeof(to), packet, 1, &count);
	dgram_flush();
	assert_int_equal(count.tx_drops, 3);
	(void)close(fds[0]);
	dgram_close(&d);
	ev_loop_destroy(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_arrive),
		cmocka_unit_test(origin),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
