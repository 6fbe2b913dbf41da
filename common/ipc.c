/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "common/ipc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"

struct queued {
	STAILQ_ENTRY(queued) next;
	unsigned nfds;
	int fds[IPC_FDS_MAX]; /* ours */
	size_t len;
	uint8_t bytes[]; /* type and fields */
};

struct ipc {
	int fd;
	enum program me, other;
	STAILQ_HEAD(, queued) queue;
	unsigned queue_len;
	bool held;      /* the first one's descriptors are refused for now */
	unsigned holds; /* how often */
};

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * IPC_FDS_MAX)];
};

struct ipc *
ipc_new(int fd, enum program me, enum program other)
{
	struct ipc *c = calloc(1, sizeof(*c));
	int flags = fcntl(fd, F_GETFL);

	if (c == NULL || flags < 0 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
		free(c);
		return NULL;
	}
	c->fd = fd;
	c->me = me;
	c->other = other;
	STAILQ_INIT(&c->queue);
	return c;
}

static void
close_all(const int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
}

static void
queue_drop(struct ipc *c)
{
	struct queued *q = STAILQ_FIRST(&c->queue);

	STAILQ_REMOVE_HEAD(&c->queue, next);
	c->queue_len--;
	close_all(q->fds, q->nfds);
	explicit_bzero(q->bytes, q->len);
	free(q);
}

void
ipc_free(struct ipc *c)
{
	if (c == NULL)
		return;
	while (!STAILQ_EMPTY(&c->queue))
		queue_drop(c);
	(void)close(c->fd);
	free(c);
}

int
ipc_fd(const struct ipc *c)
{
	return c->fd;
}

enum program
ipc_other(const struct ipc *c)
{
	return c->other;
}

bool
ipc_pending(const struct ipc *c)
{
	return !STAILQ_EMPTY(&c->queue) && !c->held;
}

bool
ipc_held(const struct ipc *c)
{
	return c->held;
}

/*
 * The kernel has too many descriptors of this user in flight, whoever sent
 * them: it takes none now, and says nothing when it does again.
 */
static void
hold(struct ipc *c)
{
	if (c->held)
		return;
	c->held = true;
	c->holds++;
	if ((c->holds & (c->holds - 1)) == 0)
		log_warnx(program_name(c->other), "a message with descriptors "
		    "waits: too many of this user's are in flight (%u so far)",
		    c->holds);
}

bool
ipc_full(const struct ipc *c)
{
	return c->queue_len >= IPC_QUEUE_HIGH;
}

/* 0, or -1 with the errno of sendmsg(2); a reset peer is EPIPE. */
static int
send_now(int fd, const void *buf, size_t len, const int *fds, unsigned nfds)
{
	struct iovec iov = {(void *)(uintptr_t)buf, len};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
	union control ctl;
	ssize_t n;

	if (nfds > 0) {
		struct cmsghdr *cm;

		memset(&ctl, 0, sizeof(ctl));
		mh.msg_control = ctl.bytes;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		cm = CMSG_FIRSTHDR(&mh);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(cm), fds, sizeof(int) * nfds);
	}
	do
		n = sendmsg(fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 0;
	if (errno == ECONNRESET || errno == ENOTCONN)
		errno = EPIPE;
	return -1;
}

static int
enqueue(struct ipc *c, const uint8_t *buf, size_t len, const int *fds,
    unsigned nfds)
{
	struct queued *q;

	if (c->queue_len >= IPC_QUEUE_MAX) {
		errno = ENOBUFS;
		return -1;
	}
	q = malloc(sizeof(*q) + len);
	if (q == NULL) {
		errno = ENOMEM;
		return -1;
	}
	q->nfds = 0;
	for (unsigned i = 0; i < nfds; i++) {
		int d = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);

		if (d < 0) {
			close_all(q->fds, q->nfds);
			free(q);
			return -1;
		}
		q->fds[q->nfds++] = d;
	}
	q->len = len;
	memcpy(q->bytes, buf, len);
	STAILQ_INSERT_TAIL(&c->queue, q, next);
	c->queue_len++;
	return 0;
}

int
ipc_send(struct ipc *c, const uint8_t *message, size_t len, const int *fds,
    unsigned nfds)
{
	struct rd body = rd_make(message, len);
	const struct ipc_row *row = NULL;
	uint16_t type;
	int r;

	if (c == NULL) {
		errno = EPIPE;
		return -1;
	}
	if (rd_u16(&body, &type))
		row = ipc_row(type);
	if (row == NULL || !(row->senders & 1u << c->me) ||
	    !(row->receivers & 1u << c->other) || nfds < row->fds_min ||
	    nfds > row->fds_max) {
		errno = EINVAL;
		return -1;
	}
	if (rd_left(&body) < row->size_min || rd_left(&body) > row->size_max) {
		errno = EMSGSIZE;
		return -1;
	}
	if (!STAILQ_EMPTY(&c->queue))
		return enqueue(c, message, len, fds, nfds);
	r = send_now(c->fd, message, len, fds, nfds);
	if (r == 0 || (errno != EAGAIN && errno != ENOBUFS &&
			  errno != ETOOMANYREFS))
		return r;
	if (errno == ETOOMANYREFS)
		hold(c);
	return enqueue(c, message, len, fds, nfds);
}

/*
 * A struct whose fields break their own bounds is refused here: EMSGSIZE. What
 * was encoded is wiped: it may have been KEY_MATERIAL.
 */
#define SENDER(name, from, to, lo, hi)                                         \
	void ipc_put_##name(struct wr *w, const struct msg_##name *m)          \
	{                                                                      \
		wr_u16(w, IPC_##name);                                         \
		msg_put_##name(w, m);                                          \
	}                                                                      \
	int ipc_send_##name(struct ipc *c, const struct msg_##name *m,         \
	    const int *fds, unsigned nfds)                                     \
	{                                                                      \
		uint8_t buf[IPC_SIZE_##name];                                  \
		struct wr w = wr_make(buf, sizeof(buf));                       \
		int r = -1;                                                    \
                                                                               \
		ipc_put_##name(&w, m);                                         \
		if (wr_ok(&w))                                                 \
			r = ipc_send(c, buf, w.len, fds, nfds);                \
		else                                                           \
			errno = EMSGSIZE;                                      \
		explicit_bzero(buf, w.len);                                    \
		return r;                                                      \
	}
IPC_MESSAGES(SENDER)

int
ipc_flush(struct ipc *c)
{
	while (!STAILQ_EMPTY(&c->queue)) {
		struct queued *q = STAILQ_FIRST(&c->queue);

		if (send_now(c->fd, q->bytes, q->len, q->fds, q->nfds) < 0) {
			if (errno == ETOOMANYREFS) {
				hold(c);
				return 0;
			}
			return errno == EAGAIN || errno == ENOBUFS ? 0 : -1;
		}
		c->held = false;
		queue_drop(c);
	}
	c->held = false;
	return 0;
}

/* Takes every descriptor that came, also with a message that is refused. */
static void
take_fds(struct msghdr *mh, struct ipc_in *in)
{
	for (struct cmsghdr *cm = CMSG_FIRSTHDR(mh); cm != NULL;
	     cm = CMSG_NXTHDR(mh, cm)) {
		size_t n;

		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cm) + i * sizeof(int),
			    sizeof(fd));
			if (in->nfds < IPC_FDS_MAX)
				in->fds[in->nfds++] = fd;
			else
				(void)close(fd);
		}
	}
}

static const char *
violation(const struct ipc *c, const struct ipc_in *in,
    const struct ipc_row *row, int flags)
{
	size_t len = rd_left(&in->body);

	if (flags & (MSG_TRUNC | MSG_CTRUNC))
		return "truncated";
	if (row == NULL)
		return "unknown type";
	if (!(row->senders & 1u << c->other) || !(row->receivers & 1u << c->me))
		return "wrong direction";
	if (in->nfds < row->fds_min || in->nfds > row->fds_max)
		return "number of descriptors";
	if (len < row->size_min || len > row->size_max)
		return "size";
	return NULL;
}

static uint8_t inbox[IPC_MAX];

void
ipc_wipe(void)
{
	explicit_bzero(inbox, sizeof(inbox));
}

int
ipc_recv(struct ipc *c, struct ipc_in *in)
{
	struct iovec iov = {inbox, sizeof(inbox)};
	union control ctl;
	struct msghdr mh = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = ctl.bytes,
	    .msg_controllen = sizeof(ctl.bytes)};
	const struct ipc_row *row;
	const char *why;
	uint16_t type = IPC_NONE;
	bool reset = false;
	ssize_t n;

	*in = (struct ipc_in){.from = c->other};
	/*
	 * The other end has ended and has not read all of ours: said once, in
	 * front of what it sent before.
	 */
	do
		n = recvmsg(c->fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && (errno == EINTR ||
		(errno == ECONNRESET && !reset && (reset = true))));
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0 && errno != ECONNRESET)
		return -1;
	if (n >= 0)
		take_fds(&mh, in);
	if (n <= 0) { /* an empty message is an end as well */
		ipc_in_done(in); /* which may bring descriptors, too */
		errno = 0;
		return -1;
	}
	in->body = rd_make(inbox, (size_t)n);
	row = rd_u16(&in->body, &type) ? ipc_row(type) : NULL;
	why = violation(c, in, row, mh.msg_flags);
	if (why != NULL) {
		ipc_in_done(in);
		log_errx(program_name(c->other),
		    "breaks the message table: %s message=%s type=%u len=%zd",
		    why, row != NULL ? row->name : "?", type, n);
		errno = EPROTO;
		return -1;
	}
	in->type = (enum ipc_type)type;
	return 1;
}

int
ipc_wait(struct ipc *c, struct ipc_in *in, int ms)
{
	int64_t end = clock_mono().us + (int64_t)ms * 1000, left = 0;
	struct pollfd p = {c->fd, POLLIN, 0};
	int rv;

	while ((rv = ipc_recv(c, in)) == 0) {
		left = (end - clock_mono().us) / 1000;
		if (ms >= 0 && left <= 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		if (poll(&p, 1, ms < 0 ? -1 : (int)left + 1) < 0 &&
		    errno != EINTR)
			return -1;
	}
	return rv == 1 ? 0 : -1;
}

int
ipc_in_take(struct ipc_in *in, unsigned i)
{
	return i < in->nfds ? steal_fd(&in->fds[i]) : -1;
}

void
ipc_in_done(struct ipc_in *in)
{
	close_all(in->fds, in->nfds);
	in->nfds = 0;
}

int
ipc_pair(int fds[2])
{
	return socketpair(
	    AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds);
}

#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

int
memfd_unsealed(const char *name)
{
	return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

int
memfd_seal(int fd)
{
	return lseek(fd, 0, SEEK_SET) < 0 ? -1 :
	    fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL);
}

int
memfd_sealed(const char *name, const void *bytes, size_t len)
{
	_cleanup_fd_ int fd = memfd_unsealed(name);
	const uint8_t *p = bytes;
	size_t done = 0;

	if (fd < 0)
		return -1;
	while (done < len) {
		ssize_t n = write(fd, p + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		done += (size_t)n;
	}
	return memfd_seal(fd) < 0 ? -1 : steal_fd(&fd);
}

const uint8_t *
memfd_map(int fd, size_t *len, size_t max)
{
	static const uint8_t nothing[1];
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);
	void *p;

	/* unsealed, its writer could shrink it under our reads (SIGBUS) */
	if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) < 0 ||
	    st.st_size < 0 || (uint64_t)st.st_size > max ||
	    (*len != 0 && (uint64_t)st.st_size != *len)) {
		errno = EINVAL;
		return NULL;
	}
	*len = (size_t)st.st_size;
	if (*len == 0)
		return nothing;
	p = mmap(NULL, *len, PROT_READ, MAP_PRIVATE, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

void
memfd_unmap(const uint8_t *p, size_t len)
{
	if (p != NULL && len > 0)
		(void)munmap((void *)(uintptr_t)p, len);
}
