/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/socket/fsock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/util.h"
#include "transport/core/base/frame.h"

#define LOOK 4 /* frames between two looks at the clock, while all is well */
#define OUT_MIN 4096u     /* first buffer of a stream */
#define OUT_KEEP 262144u  /* a larger one is given back when empty */

/* All streams of the program read here: there is one thread. */
static uint8_t read_buf[FSOCK_READ];
static size_t total_cap; /* sum of out_cap */
static size_t total_in;	 /* sum of in_room */
static unsigned behind;	 /* streams that are */
static ev_tstamp turn;	 /* of its loop, in which */
static int64_t turn_us;	 /* ... those behind have had so much */
/* Those that are open; whose frame began last, or ended last, last. */
static TAILQ_HEAD(, fsock) fed = TAILQ_HEAD_INITIALIZER(fed);
/* Those behind; whose turn is next, first. */
static TAILQ_HEAD(, fsock) late = TAILQ_HEAD_INITIALIZER(late);

static void
out_free(struct fsock *s)
{
	total_cap -= s->out_cap;
	free(s->out);
	s->out = NULL;
	s->out_cap = 0;
}

static void
fsock_gone(struct fsock *s, int error)
{
	fsock_close(s);
	s->gone(s->arg, error);
}

/* ---- what comes ---- */

static void
wait_turn(struct fsock *s)
{
	if (ev_is_active(&s->more))
		return;
	ev_timer_set(&s->more, 0., 0.);
	ev_timer_start(s->loop, &s->more);
}

static void
set_behind(struct fsock *s, bool is)
{
	if (s->behind == is)
		return;
	s->behind = is;
	behind = is ? behind + 1 : behind - 1;
	if (is) {
		TAILQ_INSERT_TAIL(&late, s, late);
		wait_turn(s);
	} else {
		TAILQ_REMOVE(&late, s, late);
	}
}

/* Those behind have had all of this turn. */
static bool
turn_over(const struct fsock *s)
{
	if (turn < ev_now(s->loop) || turn > ev_now(s->loop)) {
		turn = ev_now(s->loop);
		turn_us = 0;
	}
	return turn_us >= FSOCK_TURN_US;
}

/* The buffer of s has become larger or smaller. */
static void
count_room(struct fsock *s)
{
	size_t room = s->in != NULL ? deframer_room(s->in) : 0;

	total_in += room - s->in_room;
	s->in_room = room;
}

static void
lose_half(struct fsock *s)
{
	if (deframer_part(s->in) > 0)
		s->rx_drops++;
	deframer_drop(s->in);
	deframer_fit(s->in);
	count_room(s);
}

/* After s was fed: what half frames may hold is bounded. */
static void
bound_room(struct fsock *s)
{
	struct fsock *o;

	count_room(s);
	if (total_in <= FSOCK_IN_EASY)
		return;
	if (!s->behind && deframer_part(s->in) < s->in_room / 2) {
		deframer_fit(s->in);
		count_room(s);
	}
	TAILQ_FOREACH(o, &fed, fed) {
		if (total_in <= FSOCK_IN_MAX)
			return;
		if (o->behind || o->in_room <= FSOCK_IN_SMALL)
			continue;
		deframer_fit(o->in);
		count_room(o);
		if (total_in > FSOCK_IN_MAX && o->in_room > FSOCK_IN_SMALL)
			lose_half(o);
	}
}

/* Passes on what was read, as long as the share of this turn lasts. */
static void
pass_on(struct fsock *s)
{
	int64_t share = FSOCK_TURN_US / (int64_t)(behind + 1);
	struct mono begin = clock_mono();
	uint64_t dropped = rns_deframer_dropped(s->in);
	bool was = s->behind, over = false;
	const uint8_t *frame;
	size_t len;

	share = MIN_OF(MAX_OF(share, FSOCK_SHARE_MIN_US), FSOCK_SHARE_MAX_US);
	set_behind(s, false);
	for (unsigned n = 1; !over && rns_deframer_next(s->in, &frame, &len);
	    n++) {
		s->rx_frames++;
		s->frame(s->arg, frame, len);
		over = (was || n % LOOK == 0) &&
		    mono_sub(clock_mono(), begin) >= share;
	}
	s->rx_drops += rns_deframer_dropped(s->in) - dropped;
	if (was)
		turn_us += mono_sub(clock_mono(), begin);
	set_behind(s, over);
	bound_room(s);
}

static void
is_young(struct fsock *s)
{
	TAILQ_REMOVE(&fed, s, fed);
	TAILQ_INSERT_TAIL(&fed, s, fed);
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct fsock *s = w->data;
	uint64_t frames = s->rx_frames;
	ssize_t n;
	bool half;

	(void)loop;
	(void)revents;
	if (s->behind) /* its timer has run out, too */
		return;
	n = read(s->fd, read_buf, total_in > FSOCK_IN_EASY &&
		s->in_room > FSOCK_IN_SMALL ? FSOCK_READ_SMALL :
	    sizeof(read_buf));
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			fsock_gone(s, errno);
		return;
	}
	if (n == 0) {
		fsock_gone(s, 0);
		return;
	}
	s->rx_bytes += (uint64_t)n;
	half = deframer_part(s->in) > 0;
	if (rns_deframer_feed(s->in, read_buf, (size_t)n) != RNS_OK) {
		fsock_gone(s, ENOMEM);
		return;
	}
	if (!half)
		is_young(s);
	pass_on(s);
	/* who adds a byte to what never ends is as old as its beginning */
	if (half && s->rx_frames != frames && s->fd >= 0)
		is_young(s);
}

/* Each turn as many may go on as wait, in their order, while there is time. */
static void
on_more(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct fsock *s = w->data;

	(void)loop;
	(void)revents;
	if (!TAILQ_EMPTY(&late) && !turn_over(s))
		pass_on(TAILQ_FIRST(&late));
	if (s->behind)
		wait_turn(s);
}

/* ---- a stream ---- */

static void
on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	fsock_flush(w->data);
}

void
fsock_init(struct fsock *s, struct ev_loop *loop)
{
	*s = (struct fsock){.loop = loop, .fd = -1};
	ev_init(&s->rd, on_readable);
	ev_init(&s->wr, on_writable);
	ev_init(&s->more, on_more);
	s->rd.data = s->wr.data = s->more.data = s;
}

int
fsock_open(struct fsock *s, int fd, enum rns_framing framing, size_t max)
{
	int flags;

	if ((s->in = rns_deframer_new(framing, max)) == NULL) {
		errno = ENOMEM;
		return -1;
	}
	if ((flags = fcntl(fd, F_GETFL)) >= 0)
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	s->fd = fd;
	s->framing = framing;
	ev_io_set(&s->rd, fd, EV_READ);
	ev_io_set(&s->wr, fd, EV_WRITE);
	ev_io_start(s->loop, &s->rd);
	TAILQ_INSERT_TAIL(&fed, s, fed);
	return 0;
}

void
fsock_close(struct fsock *s)
{
	if (s->fd < 0)
		return;
	ev_io_stop(s->loop, &s->rd);
	ev_io_stop(s->loop, &s->wr);
	(void)close(s->fd);
	s->fd = -1;
	TAILQ_REMOVE(&fed, s, fed);
	set_behind(s, false);
	ev_timer_stop(s->loop, &s->more);
	rns_deframer_free(s->in);
	s->in = NULL;
	count_room(s);
	out_free(s);
	s->out_from = s->out_to = 0;
}

void
fsock_fail(struct fsock *s, int error)
{
	fsock_gone(s, error);
}

size_t
fsock_waiting(const struct fsock *s)
{
	return s->out_to - s->out_from;
}

/* Room for n bytes at out_to. */
static bool
make_room(struct fsock *s, size_t n)
{
	size_t waiting = fsock_waiting(s), cap = s->out_cap;
	uint8_t *p;

	if (s->out_cap - s->out_to >= n)
		return true;
	if (waiting + n > FSOCK_OUT_MAX)
		return false;
	if (s->out_from > 0 && cap - waiting >= n && waiting <= cap / 2) {
		memmove(s->out, s->out + s->out_from, waiting);
	} else {
		if (cap < OUT_MIN)
			cap = OUT_MIN;
		while (cap < waiting + n)
			cap *= 2;
		if (cap > FSOCK_OUT_SMALL &&
		    total_cap - s->out_cap + cap > FSOCK_TOTAL_MAX)
			return false;
		if ((p = malloc(cap)) == NULL)
			return false;
		if (waiting > 0)
			memcpy(p, s->out + s->out_from, waiting);
		out_free(s);
		s->out = p;
		s->out_cap = cap;
		total_cap += cap;
	}
	s->out_from = 0;
	s->out_to = waiting;
	return true;
}

bool
fsock_send(struct fsock *s, const uint8_t *packet, size_t len)
{
	size_t most = rns_frame_max(s->framing, len);
	bool room = s->fd >= 0 && make_room(s, most);

	if (!room && s->fd >= 0) {
		/* it may only wait for the end of the turn */
		fsock_flush(s);
		room = make_room(s, most);
	}
	if (!room) {
		s->tx_drops++;
		s->tx_drop_bytes += len;
		return false;
	}
	s->out_to += rns_frame(s->framing, s->out + s->out_to, packet, len);
	s->tx_frames++;
	return true;
}

void
fsock_flush(struct fsock *s)
{
	ssize_t n;

	while (s->fd >= 0 && fsock_waiting(s) > 0) {
		n = send(s->fd, s->out + s->out_from, fsock_waiting(s),
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			ev_io_start(s->loop, &s->wr);
			return;
		}
		if (n < 0) {
			/* the reader sees the end, in its own turn */
			s->out_from = s->out_to = 0;
			(void)shutdown(s->fd, SHUT_RDWR);
			break;
		}
		s->out_from += (size_t)n;
		s->tx_bytes += (uint64_t)n;
	}
	ev_io_stop(s->loop, &s->wr);
	s->out_from = s->out_to = 0;
	if (s->out_cap > OUT_KEEP)
		out_free(s);
}

void
fsock_idle(struct fsock *s, const void *bytes, size_t len)
{
	ssize_t n;

	if (s->fd < 0 || fsock_waiting(s) > 0)
		return;
	n = send(s->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0)
		s->tx_bytes += (uint64_t)n;
}

void
fsock_drain(struct fsock *s, int ms)
{
	while (s->fd >= 0) {
		struct pollfd p = {.fd = s->fd};
		int unread = 0;

		fsock_flush(s);
		if (fsock_waiting(s) > 0)
			p.events = POLLOUT;
		else if (ioctl(s->fd, SIOCOUTQ, &unread) < 0 || unread == 0)
			return;
		/* nothing tells of the last byte's reading but to look */
		if (ms <= 0 || (poll(&p, 1, 1) == 1 &&
			(p.revents & (POLLHUP | POLLERR)) != 0))
			return;
		ms--;
	}
}
