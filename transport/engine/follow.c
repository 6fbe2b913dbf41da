/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "transport/engine/bridge_int.h"
#include "common/log.h"

/*
 * A job's output on its way down a link (compute.md 3.5): a pipe of node's is
 * read as fast as the link's channel takes it and no faster. While the window
 * is full the pipe is not read, and node, which reads from its log, waits.
 */

void
follow_init(struct bridge_link *l)
{
	for (unsigned i = 0; i < BRIDGE_STREAMS; i++) {
		l->follow[i] = (struct follow){.l = l, .fd = -1};
		ev_init(&l->follow[i].rd, NULL);
	}
}

static void
follow_stop(struct follow *f)
{
	if (f->fd < 0)
		return;
	ev_io_stop(f->l->b->e->loop, &f->rd);
	(void)close(f->fd);
	f->fd = -1;
	free(f->buf);
	f->buf = NULL;
	f->from = f->to = 0;
}

void
follow_stop_all(struct bridge_link *l)
{
	for (unsigned i = 0; i < BRIDGE_STREAMS; i++)
		follow_stop(&l->follow[i]);
}

static void
follow_end(struct follow *f)
{
	struct msg_T_FOLLOW_END m = {.stream = f->stream};
	struct ipc *node = bridge_node(f->l->b);

	memcpy(m.link, f->l->id, RNS_HASH);
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

	memcpy(cmd.stream.link, f->l->id, RNS_HASH);
	err = engine_submit(f->l->b->e, &cmd);
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
		ev_io_stop(f->l->b->e->loop, &f->rd);
	else
		ev_io_start(f->l->b->e->loop, &f->rd);
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
follow_ready(struct bridge_link *l)
{
	for (unsigned i = 0; i < BRIDGE_STREAMS; i++)
		if (l->follow[i].fd >= 0 && l->follow[i].waiting)
			follow_pump(&l->follow[i]);
}

void
follow_start(struct bridge_link *l, uint16_t stream, int fd)
{
	struct follow *f;
	int flags;

	if (stream < 1 || stream > BRIDGE_STREAMS) {
		log_warnx("node", "follow of stream %u refused", stream);
		(void)close(fd);
		return;
	}
	f = &l->follow[stream - 1];
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
	ev_io_start(l->b->e->loop, &f->rd);
}
