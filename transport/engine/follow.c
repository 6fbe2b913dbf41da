/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "transport/engine/engine.h"

#define FOLLOW_BUF 8192 /* ours: between the pipe and the channel */

void
follow_init(struct follows *all, struct engine *e,
    const struct hash16 *link)
{
	all->e = e;
	all->link = *link;
	for (unsigned i = 0; i < FOLLOW_STREAMS; i++) {
		all->stream[i] = (struct follow){.of = all, .fd = -1};
		ev_init(&all->stream[i].rd, NULL);
	}
}

static void
follow_stop(struct follow *f)
{
	if (f->fd < 0)
		return;
	ev_io_stop(f->of->e->loop, &f->rd);
	(void)close(f->fd);
	f->fd = -1;
	free(f->buf);
	f->buf = NULL;
	f->from = f->to = 0;
}

void
follow_stop_all(struct follows *all)
{
	for (unsigned i = 0; i < FOLLOW_STREAMS; i++)
		follow_stop(&all->stream[i]);
}

static void
follow_end(struct follow *f)
{
	struct msg_T_FOLLOW_END m = {.stream = f->stream};
	struct ipc *node = engine_ipc(f->of->e, PROGRAM_NODE);

	m.link = f->of->link;
	if (node != NULL && ipc_send_T_FOLLOW_END(node, &m, NULL, 0) < 0)
		engine_send_failed(PROGRAM_NODE);
	follow_stop(f);
}

/* One message's worth; true: it went, go on. */
static bool
follow_send(struct follow *f)
{
	size_t taken = 0;
	struct rns_cmd cmd = {
		.type = RNS_CMD_STREAM_SEND,
		.stream.stream = f->stream,
		.stream.data = f->buf + f->from,
		.stream.len = f->to - f->from,
		.stream.eof = f->eof,
		.stream.taken = &taken,
	};
	int err;

	cmd.stream.link = f->of->link;
	err = engine_submit(f->of->e, &cmd);
	if (err == RNS_EAGAIN) {
		f->waiting = true;
		return false;
	}
	if (err != RNS_OK) {
		follow_end(f);
		return false;
	}
	f->from += taken;
	if (f->from < f->to)
		return true;
	f->from = f->to = 0;
	if (f->eof)
		follow_end(f);
	return false;
}

static void
follow_pump(struct follow *f)
{
	f->waiting = false;
	while (f->fd >= 0 && (f->from < f->to || f->eof))
		if (!follow_send(f))
			break;
	if (f->fd < 0)
		return;
	if (f->waiting || f->from < f->to)
		ev_io_stop(f->of->e->loop, &f->rd);
	else
		ev_io_start(f->of->e->loop, &f->rd);
}

static void
on_pipe(struct ev_loop *loop, ev_io *w, int revents)
{
	struct follow *f = w->data;
	ssize_t n;

	(void)loop;
	(void)revents;
	n = read(f->fd, f->buf, FOLLOW_BUF);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	f->from = 0;
	f->to = n > 0 ? (size_t)n : 0;
	f->eof = n <= 0;
	follow_pump(f);
}

void
follow_ready(struct follows *all)
{
	for (unsigned i = 0; i < FOLLOW_STREAMS; i++)
		if (all->stream[i].fd >= 0 && all->stream[i].waiting)
			follow_pump(&all->stream[i]);
}

void
follow_start(struct follows *all, uint16_t stream, int fd)
{
	struct follow *f;
	int flags;

	if (stream < 1 || stream > FOLLOW_STREAMS) {
		log_warnx("node", "follow of stream %u refused", stream);
		(void)close(fd);
		return;
	}
	f = &all->stream[stream - 1];
	follow_stop(f); /* node says what runs: the newer one does */
	if ((f->buf = malloc(FOLLOW_BUF)) == NULL) {
		(void)close(fd);
		return;
	}
	if ((flags = fcntl(fd, F_GETFL)) >= 0)
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	f->fd = fd;
	f->stream = stream;
	f->eof = f->waiting = false;
	ev_io_init(&f->rd, on_pipe, fd, EV_READ);
	f->rd.data = f;
	ev_io_start(all->e->loop, &f->rd);
}
