/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "transport/socket/dgram.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* All sockets of the program read and write here: there is one thread. */
static struct batch {
	unsigned n; /* that wait to be sent */
	int fd;     /* from that socket */
	struct fsock *count[DGRAM_BATCH];
	struct mmsghdr m[DGRAM_BATCH];
	struct iovec v[DGRAM_BATCH];
	struct sockaddr_in6 a[DGRAM_BATCH];
	uint8_t bytes[DGRAM_BATCH][DGRAM_MAX];
} in, out;

/* The i-th place of a batch for len bytes and an address of alen. */
static void
place(struct batch *b, unsigned i, size_t len, socklen_t alen)
{
	b->v[i] = (struct iovec){b->bytes[i], len};
	b->m[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &b->a[i],
	    .msg_namelen = alen, .msg_iov = &b->v[i], .msg_iovlen = 1}};
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct dgram *d = w->data;
	int n;

	(void)loop;
	(void)revents;
	for (unsigned i = 0; i < DGRAM_BATCH; i++)
		place(&in, i, DGRAM_MAX, sizeof(in.a[i]));
	/* an error is one of an earlier datagram; it is gone when told */
	n = recvmmsg(d->fd, in.m, DGRAM_BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		if ((in.m[i].msg_hdr.msg_flags & MSG_TRUNC) == 0)
			d->packet(d->arg, in.bytes[i], in.m[i].msg_len,
			    &in.a[i]);
		else if (d->too_long != NULL)
			d->too_long(d->arg);
	}
}

void
dgram_init(struct dgram *d, struct ev_loop *loop)
{
	*d = (struct dgram){.loop = loop, .fd = -1};
	ev_init(&d->rd, on_readable);
	d->rd.data = d;
}

void
dgram_open(struct dgram *d, int fd)
{
	d->fd = fd;
	ev_io_set(&d->rd, fd, EV_READ);
	ev_io_start(d->loop, &d->rd);
}

void
dgram_close(struct dgram *d)
{
	if (d->fd < 0)
		return;
	if (out.fd == d->fd)
		dgram_flush();
	ev_io_stop(d->loop, &d->rd);
	(void)close(d->fd);
	d->fd = -1;
}

static void
dropped(struct fsock *count, size_t len)
{
	count->tx_drops++;
	count->tx_drop_bytes += len;
}

void
dgram_flush(void)
{
	unsigned i = 0;

	while (i < out.n) {
		int sent = sendmmsg(out.fd, out.m + i, out.n - i,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		bool full = sent < 0 && (errno == EAGAIN || errno == ENOBUFS);

		if (sent < 0 && errno == EINTR)
			continue;
		for (int k = 0; k < sent; k++, i++) {
			out.count[i]->tx_frames++;
			out.count[i]->tx_bytes += out.v[i].iov_len;
		}
		/* the one that failed; or all, when there is no room at all */
		for (unsigned left = sent > 0 ? 0 : full ? out.n - i : 1;
		    left > 0; left--, i++)
			dropped(out.count[i], out.v[i].iov_len);
	}
	out.n = 0;
}

void
dgram_send(int fd, const void *to, socklen_t alen, const uint8_t *p,
    size_t len, struct fsock *count)
{
	if (len > DGRAM_MAX || alen > sizeof(out.a[0])) {
		dropped(count, len);
		return;
	}
	if (out.n == DGRAM_BATCH || (out.n > 0 && out.fd != fd))
		dgram_flush();
	out.fd = fd;
	place(&out, out.n, len, alen);
	memcpy(&out.a[out.n], to, alen);
	memcpy(out.bytes[out.n], p, len);
	out.count[out.n++] = count;
}
