/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/runner/arrive.h"

#include <sys/socket.h>

#include <string.h>

int
arrive_send(int conn, const int fds[ARRIVE_FDS], unsigned groups)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * ARRIVE_FDS)];
	} u;
	size_t n = sizeof(int) * (ARRIVE_FDS - ARRIVE_GROUPS + groups);
	uint8_t count = (uint8_t)groups;
	struct iovec iov = {&count, 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = u.bytes, .msg_controllen = CMSG_SPACE(n)};
	struct cmsghdr *c;

	memset(&u, 0, sizeof(u));
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n);
	memcpy(CMSG_DATA(c), fds, n);
	return sendmsg(conn, &m, MSG_NOSIGNAL) == 1 ? 0 : -1;
}
