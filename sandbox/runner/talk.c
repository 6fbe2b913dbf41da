/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/runner/talk.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "sandbox/runner/http.h"

static int
reach(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	_cleanup_fd_ int fd = -1;

	if (strlen(path) >= sizeof(a.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(a.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* where its queue is full it is EAGAIN: as good as silent */
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return -1;
	return steal_fd(&fd);
}

/* Until it can be written or read. */
static int
ready(const struct talk *t, int fd, short events, struct mono end)
{
	struct pollfd p[2] = {{.fd = fd, .events = events},
	    {.fd = t->until, .events = 0}};
	struct mono now = clock_mono();
	int n;

	if (now.us >= end.us) {
		errno = ETIMEDOUT;
		return -1;
	}
	n = poll(p, 2, (int)((end.us - now.us) / 1000) + 1);
	if (n < 0)
		return errno == EINTR ? 0 : -1;
	if (p[1].revents != 0) {
		errno = ECANCELED;
		return -1;
	}
	return p[0].revents != 0;
}

/* 1: all was sent; 0: it does not listen any more, and may have said why. */
static int
send_all(const struct talk *t, int fd, const char *p, size_t n,
    struct mono end)
{
	for (size_t at = 0; at < n;) {
		ssize_t k = send(fd, p + at, n - at, MSG_NOSIGNAL);

		if (k > 0)
			at += (size_t)k;
		else if (errno == EPIPE || errno == ECONNRESET)
			return 0;
		else if (errno != EAGAIN && errno != EINTR)
			return -1;
		else if (ready(t, fd, POLLOUT, end) < 0)
			return -1;
	}
	return 1;
}

static int
answer(struct talk *t, int fd, struct mono end)
{
	struct http h;
	char buf[8192];

	http_init(&h, t->content, t->cap);
	while (!http_over(&h)) {
		ssize_t k = recv(fd, buf, sizeof(buf), 0);

		if (k > 0)
			(void)http_feed(&h, buf, (size_t)k);
		else if (k == 0 || errno == ECONNRESET)
			http_end(&h);
		else if (errno != EAGAIN && errno != EINTR)
			return -1;
		else if (ready(t, fd, POLLIN, end) < 0)
			return -1;
	}
	if (h.at == HTTP_BAD) {
		errno = EPROTO;
		return -1;
	}
	t->status = h.status;
	return 0;
}

int
talk(struct talk *t)
{
	_cleanup_fd_ int fd = reach(t->socket);
	struct mono end = clock_mono();
	int rv;

	end.us += (int64_t)t->answer_ms * 1000;
	t->status = 0;
	t->asked = fd >= 0;
	if (fd < 0)
		return -1;
	rv = send_all(t, fd, t->head, t->nhead, end);
	if (rv > 0 && t->body != NULL)
		rv = send_all(t, fd, t->body, t->nbody, end);
	return rv < 0 ? -1 : answer(t, fd, end);
}
