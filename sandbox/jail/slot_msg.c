/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/jail/slot.h"

#include <sys/socket.h>

#include <errno.h>
#include <string.h>

static int
send_with(int ctl, const void *p, size_t n, const int *fds, unsigned nfds,
    int flags)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * SLOT_FDS_MAX)];
	} u;
	struct iovec iov = {(void *)(uintptr_t)p, n};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	if (nfds > 0) {
		struct cmsghdr *c;

		memset(&u, 0, sizeof(u));
		m.msg_control = u.bytes;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * nfds);
	}
	return sendmsg(ctl, &m, MSG_NOSIGNAL | flags) < 0 ? -1 : 0;
}

int
slot_send(int ctl, const void *p, size_t n, const int *fds, unsigned nfds)
{
	return send_with(ctl, p, n, fds, nfds, 0);
}

int
slot_send_now(int to, const void *p, size_t n, const int *fds, unsigned nfds)
{
	return send_with(to, p, n, fds, nfds, MSG_DONTWAIT);
}

ssize_t
slot_recv(int ctl, void *p, size_t cap, int fds[SLOT_FDS_MAX])
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * SLOT_FDS_MAX)];
	} u;
	struct iovec iov = {p, cap};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = u.bytes, .msg_controllen = sizeof(u.bytes)};
	struct cmsghdr *c;
	ssize_t n;

	for (int i = 0; i < SLOT_FDS_MAX; i++)
		fds[i] = -1;
	while ((n = recvmsg(ctl, &m, MSG_CMSG_CLOEXEC)) < 0 &&
	    errno == EINTR)
		;
	if (n < 0)
		return -1;
	for (c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
		size_t k = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level == SOL_SOCKET &&
		    c->cmsg_type == SCM_RIGHTS && k <= SLOT_FDS_MAX)
			memcpy(fds, CMSG_DATA(c), k * sizeof(int));
	}
	return n;
}
