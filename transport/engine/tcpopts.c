/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/tcpopts.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static void
set_int(int fd, int level, int name, int value)
{
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

void
tcpopts_set(int fd, bool i2p)
{
	set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, i2p ? 45000 : 24000);
	set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, i2p ? 10 : 5);
	set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, i2p ? 9 : 2);
	set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, i2p ? 5 : 12);
}
