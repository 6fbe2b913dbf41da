/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The least that a relay between two TCP ports can do, for figures beside
 * relays: reads, un-escapes, hashes, remembers the hash, re-frames with the
 * transport id left out and one hop more, writes. No table, rule or bound.
 *
 *   floor_relay PORT PORT
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nettle/sha2.h>

#define SIDES 2
#define READ 65536
#define PACKET 2048
#define FLAG 0x7e
#define ESC 0x7d
#define LOOK 256 /* at most so many bytes for one of the two */
#define SEEN (1u << 20) /* hashes that are remembered; a burst of 400,000 */

struct side {
	int listener, fd;
	uint8_t in[READ], frame[PACKET];
	size_t len;
	bool inside, escaped;
	uint8_t out[2 * READ + 2 * PACKET];
	size_t from, to;
	bool waits;
};

static struct side sides[SIDES];
static uint8_t (*seen)[32];
static int ep;

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static void
watch(int op, int fd, uint32_t events, unsigned i)
{
	struct epoll_event e = {.events = events, .data.u32 = i};

	if (epoll_ctl(ep, op, fd, &e) < 0)
		fail("epoll_ctl");
}

/* Is it new? */
static bool
remember(const uint8_t hash[32])
{
	static const uint8_t none[8];
	size_t i;
	uint32_t at;

	memcpy(&at, hash, sizeof(at));
	for (i = at % SEEN; memcmp(seen[i], none, 8) != 0; i = (i + 1) % SEEN)
		if (memcmp(seen[i], hash, 32) == 0)
			return false;
	memcpy(seen[i], hash, 32);
	return true;
}

/* How many bytes at p are neither of the two. */
static size_t
run(const uint8_t *p, size_t n)
{
	const uint8_t *q = memchr(p, FLAG, n);

	if (q != NULL)
		n = (size_t)(q - p);
	q = memchr(p, ESC, n);
	return q != NULL ? (size_t)(q - p) : n;
}

static void
put(struct side *to, const uint8_t *p, size_t n)
{
	while (n > 0) {
		size_t k = run(p, n);

		memcpy(to->out + to->to, p, k);
		to->to += k;
		if (k < n) {
			to->out[to->to++] = ESC;
			to->out[to->to++] = p[k++] ^ 0x20;
		}
		p += k;
		n -= k;
	}
}

static void
packet(struct side *to, const uint8_t *p, size_t n)
{
	uint8_t head[2] = {p[0] & 0x0f, (uint8_t)(p[1] + 1)}, hash[32];
	struct sha256_ctx h;

	if (n < 36 || (p[0] & 0x40) == 0)
		return;
	sha256_init(&h);
	sha256_update(&h, 1, head);
	sha256_update(&h, n - 18, p + 18);
	sha256_digest(&h, sizeof(hash), hash);
	if (!remember(hash))
		return;
	to->out[to->to++] = FLAG;
	put(to, head, 2);
	put(to, p + 18, n - 18);
	to->out[to->to++] = FLAG;
}

static void
bytes(struct side *s, struct side *to, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t k = run(p + i, n - i < LOOK ? n - i : LOOK);

		if (s->len + k + 1 > PACKET)
			k = s->len = 0;
		if (k > 0) {
			memcpy(s->frame + s->len, p + i, k);
			s->frame[s->len] ^= s->escaped ? 0x20 : 0;
			s->escaped = false;
			s->len += k;
			i += k - 1;
		} else if (p[i] == FLAG) {
			packet(to, s->frame, s->len);
			s->len = 0;
		} else {
			s->escaped = true;
		}
	}
}

/* What does not go out yet stops the reading of the other side. */
static void
flush(unsigned i)
{
	struct side *s = &sides[i], *other = &sides[1 - i];
	bool waits;
	ssize_t n = 0;

	while (s->from < s->to && (n = send(s->fd, s->out + s->from,
	    s->to - s->from, MSG_NOSIGNAL | MSG_DONTWAIT)) > 0)
		s->from += (size_t)n;
	if (n < 0 && errno != EAGAIN)
		exit(0);
	waits = s->from < s->to;
	if (waits != s->waits) {
		watch(EPOLL_CTL_MOD, s->fd, waits ? EPOLLIN | EPOLLOUT :
		    EPOLLIN, i);
		watch(EPOLL_CTL_MOD, other->fd, waits ? 0 : EPOLLIN, 1 - i);
	}
	s->waits = waits;
	if (!waits)
		s->from = s->to = 0;
}

static void
ready(unsigned i, uint32_t events)
{
	struct side *s = &sides[i], *other = &sides[1 - i];
	ssize_t n;

	if ((events & EPOLLOUT) != 0)
		flush(i);
	if ((events & EPOLLIN) == 0 || other->waits)
		return;
	n = read(s->fd, s->in, sizeof(s->in));
	if (n == 0 || (n < 0 && errno != EAGAIN))
		exit(0);
	if (n > 0) {
		bytes(s, other, s->in, (size_t)n);
		flush(1 - i);
	}
}

static void
side_open(struct side *s, const char *port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	int one = 1;

	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	sa.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (s->listener < 0 || setsockopt(s->listener, SOL_SOCKET,
	    SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(s->listener, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    listen(s->listener, 4) < 0)
		fail(port);
}

static void
side_take(unsigned i)
{
	struct side *s = &sides[i];
	int one = 1;

	s->fd = accept(s->listener, NULL, NULL);
	if (s->fd < 0)
		fail("accept");
	(void)setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	watch(EPOLL_CTL_ADD, s->fd, EPOLLIN, i);
}

int
main(int argc, char **argv)
{
	struct epoll_event e[SIDES];

	seen = calloc(SEEN, sizeof(*seen));
	ep = epoll_create1(EPOLL_CLOEXEC);
	if (argc != 1 + SIDES || seen == NULL || ep < 0)
		return 2;
	/* its pages are there before the first packet is */
	for (size_t i = 0; i < SEEN; i++)
		((volatile uint8_t (*)[32])seen)[i][0] = 0;
	for (unsigned i = 0; i < SIDES; i++)
		side_open(&sides[i], argv[1 + i]);
	for (unsigned i = 0; i < SIDES; i++)
		side_take(i);
	for (;;) {
		int n = epoll_wait(ep, e, SIDES, -1);

		for (int k = 0; k < n; k++)
			ready(e[k].data.u32, e[k].events);
	}
}
