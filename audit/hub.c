/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "audit/hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "audit/hub_batch.h"
#include "audit/hub_cursor.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"

#define COLLECT_S 1.	     /* ours: what comes within goes together */
#define AT_ONCE 4	     /* severity: an alarm does not wait */
#define AGAIN_LEAST_S 5u     /* klp.md 7 */
#define AGAIN_MOST_S 900u
#define SAID_AFTER 2	     /* failures, until the trail says so */
#define DEADLINE_MS 60000u   /* ours */
#define TOLD_S 5.	     /* ours: node hears how far behind it is */

struct hub {
	struct ev_loop *loop;
	int dir;
	struct trail *trail;
	struct hub_ops ops;
	bool on, way, said;
	struct hub_limits limits;
	struct hub_cursor cursor;
	struct hub_place place;
	unsigned fewer; /* lines, after "too large"; 0: as many as may be */
	uint64_t idle_to; /* up to there nothing is to be sent */
	bool out;	  /* a batch is, and waits for its answer */
	uint32_t seq;
	ev_timer work;
	ev_tstamp told;
	unsigned failures; /* in a row */
	struct msg_HUB_STATE state;
	struct hub_batch batch;
};

static void
changed(struct hub *h)
{
	h->told = ev_now(h->loop);
	h->ops.changed(h->ops.ctx);
}

/* ---- when ---- */

static void
in(struct hub *h, double seconds)
{
	ev_timer_stop(h->loop, &h->work);
	ev_timer_set(&h->work, seconds, 0.);
	ev_timer_start(h->loop, &h->work);
}

/* 5 s, 10 s, 20 s ... 15 min, and up to a quarter more: not all at once. */
static uint32_t
wait_of(unsigned failures)
{
	uint32_t s = AGAIN_LEAST_S;

	while (--failures > 0 && s < AGAIN_MOST_S)
		s *= 2;
	s += randombytes_uniform(s / 4 + 1);
	return MIN_OF(s, AGAIN_MOST_S);
}

static void
later(struct hub *h, uint32_t s)
{
	h->state.wait_s = s;
	in(h, s);
}

static void
failed(struct hub *h, const char *why, uint32_t least_s)
{
	char text[300];
	uint32_t s;

	h->failures++;
	h->state.failed++;
	h->state.failed_at = (uint32_t)(clock_wall_us() / 1000000);
	(void)text_printable(h->state.why, sizeof(h->state.why), why,
	    strlen(why));
	s = MAX_OF(wait_of(h->failures), MIN_OF(least_s, AGAIN_MOST_S));
	log_at(h->failures == 1 ? LOG_NOTICE : LOG_INFO, "hub",
	    "events are not taken, tried again in %u s: %s", s, why);
	later(h, s);
	changed(h);
	if (h->failures != SAID_AFTER || h->said)
		return;
	h->said = true;
	(void)snprintf(text, sizeof(text), "the hub takes no events: %.200s",
	    why);
	h->ops.event(h->ops.ctx, 2, text, (int64_t)h->cursor.acked);
}

/* ---- a batch ---- */

static void
keep(struct hub *h)
{
	trail_mark_hub(h->trail, h->cursor.acked, h->cursor.sent);
	/* without it some are sent again after a fall, and known by their uid */
	if (hub_cursor_write(&h->cursor, h->dir) < 0)
		log_warn("trail/" TRAIL_HUB, "how far the hub has come cannot "
		    "be written down");
}

static int
make(struct hub *h)
{
	struct hub_limits l = h->limits;
	uint64_t to = h->cursor.sent > h->cursor.acked ? h->cursor.sent : 0;
	uint64_t rewrites = trail_rewrites(h->trail);

	if (h->fewer != 0)
		l.lines = MIN_OF(l.lines, h->fewer);
	/* a batch that may have come ends where it did, whatever is new */
	if (hub_batch_make(&h->batch, h->dir, &l, &h->place, rewrites, to) < 0)
		return -1;
	if (h->batch.n == 0 && to != 0)
		return hub_batch_make(&h->batch, h->dir, &l, &h->place,
		    rewrites, 0);
	return 0;
}

static void
send_batch(struct hub *h)
{
	struct msg_POST m = {.kind = POST_HUB, .max = IPC_POSTED_BYTES,
	    .deadline_ms = DEADLINE_MS, .len = (uint32_t)h->batch.len};
	uint64_t last = h->batch.last[h->batch.n - 1];
	int fd = memfd_sealed("events", h->batch.text, h->batch.len);

	if (fd < 0) {
		failed(h, "no memory for a batch", 0);
		return;
	}
	if (last > h->cursor.sent) {
		h->cursor.sent = last;
		keep(h);
	}
	if (++h->seq == 0)
		h->seq = 1;
	m.seq = h->seq;
	if (h->ops.post(h->ops.ctx, &m, fd) == 0) {
		h->out = true;
		h->state.sent += h->batch.n;
	} else {
		/* its coming is told, and then it goes on */
		h->way = false;
	}
	(void)close(fd);
}

static void
try(struct hub *h)
{
	if (!h->on || h->out || !h->way)
		return;
	h->state.wait_s = 0;
	/* nobody else may have a line that we could lose */
	if (trail_sync(h->trail) < 0) {
		failed(h, "the trail cannot be brought to the disk", 0);
		return;
	}
	if (make(h) < 0) {
		failed(h, "the trail cannot be read", 0);
		return;
	}
	if (h->batch.n > 0) {
		send_batch(h);
		return;
	}
	h->idle_to = trail_next(h->trail) - 1;
	changed(h);
}

static void
on_work(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	try(w->data);
}

/* ---- its answer ---- */

static void
taken(struct hub *h, uint64_t ack)
{
	char text[100];

	if (ack == h->batch.last[h->batch.n - 1])
		h->place = h->batch.end;
	else
		h->place = (struct hub_place){.after = ack};
	h->cursor.acked = ack;
	h->cursor.sent = MAX_OF(h->cursor.sent, ack);
	keep(h);
	h->failures = h->fewer = 0;
	h->state.why[0] = '\0';
	h->state.acked_at = (uint32_t)(clock_wall_us() / 1000000);
	in(h, 0.);
	changed(h);
	if (!h->said)
		return;
	h->said = false;
	(void)snprintf(text, sizeof(text), "the hub takes events again");
	h->ops.event(h->ops.ctx, 1, text, (int64_t)ack);
}

static void
not_taken(struct hub *h, const struct msg_POSTED *m)
{
	/* it says itself that it has none of them */
	if (m->end == FETCH_HTTP && m->code == 413 && h->batch.n > 1) {
		h->fewer = h->batch.n / 2;
		h->cursor.sent = h->cursor.acked;
	}
	h->state.end = m->end;
	h->state.code = m->code;
	failed(h, m->why[0] != '\0' ? m->why : "it was not reached",
	    m->wait_s);
}

void
hub_posted(struct hub *h, const struct msg_POSTED *m, struct ipc_in *in_)
{
	const uint8_t *map = NULL;
	const char *why = "its answer is empty";
	size_t len = m->len;
	uint64_t ack = 0;

	if (!h->out || m->seq != h->seq)
		return;
	h->out = false;
	if (m->end != FETCH_OK) {
		not_taken(h, m);
		return;
	}
	if (in_->nfds > 0)
		map = memfd_map(in_->fds[0], &len, IPC_POSTED_BYTES);
	if (map != NULL)
		ack = hub_ack((const char *)map, len, h->batch.last,
		    h->batch.n, &why);
	memfd_unmap(map, len);
	h->state.end = FETCH_OK; /* and yet it is none */
	h->state.code = m->code;
	if (ack == 0)
		failed(h, why, 0);
	else
		taken(h, ack);
}

/* ---- from around ---- */

void
hub_wrote(struct hub *h, unsigned severity)
{
	uint64_t last = trail_next(h->trail) - 1;

	if (!h->on)
		return;
	if (severity < h->limits.severity) {
		if (h->idle_to == last - 1)
			h->idle_to = last;
		return;
	}
	if (ev_now(h->loop) - h->told >= TOLD_S)
		changed(h);
	if (h->out || h->failures > 0)
		return;
	if (severity >= AT_ONCE)
		in(h, 0.);
	else if (!ev_is_active(&h->work))
		in(h, COLLECT_S);
}

void
hub_way(struct hub *h, bool open)
{
	h->way = open;
	if (open && h->on && !h->out && h->failures == 0)
		in(h, 0.);
	if (open || !h->out)
		return;
	/* whether it came nobody knows: it is sent again */
	h->out = false;
	failed(h, "warren-egress fell meanwhile", 0);
}

/* What a new hub has not been sent is all of it. */
static void
begin(struct hub *h, const char *id)
{
	uint64_t last = trail_next(h->trail) - 1;

	hub_cursor_read(&h->cursor, h->dir, id);
	if (h->cursor.sent > last) {
		log_warnx("hub", "had lines that are here no more: it goes on "
		    "with what comes behind line %llu",
		    (unsigned long long)last);
		h->cursor.sent = last;
		h->cursor.acked = MIN_OF(h->cursor.acked, last);
	}
	h->place = (struct hub_place){.after = h->cursor.acked};
	h->idle_to = h->fewer = h->failures = 0;
	h->said = h->out = false;
	h->state = (struct msg_HUB_STATE){.on = true};
	trail_mark_hub(h->trail, h->cursor.acked, h->cursor.sent);
}

bool
hub_on(const struct hub *h)
{
	return h->on;
}

void
hub_set(struct hub *h, const char *text, size_t len)
{
	unsigned severity, lines, bytes;
	char line[HUB_ID + 64], id[HUB_ID + 1];

	(void)snprintf(line, sizeof(line), "%.*s", (int)MIN_OF(len,
	    sizeof(line) - 1), text == NULL ? "" : text);
	if (sscanf(line, "%64s %u %u %u", id, &severity, &lines, &bytes) != 4 ||
	    strlen(id) != HUB_ID || lines == 0 || lines > HUB_LINES ||
	    bytes < 2 * 16384 || bytes > HUB_BYTES) {
		h->on = h->out = false;
		h->state = (struct msg_HUB_STATE){.on = false};
		ev_timer_stop(h->loop, &h->work);
		trail_mark_hub(h->trail, 0, 0);
		changed(h);
		return;
	}
	h->limits = (struct hub_limits){severity, lines, bytes};
	if (!h->on || strcmp(id, h->cursor.id) != 0)
		begin(h, id);
	h->on = true;
	/* whoever has the files read again wants to see it work */
	h->failures = 0;
	h->idle_to = 0;
	in(h, 0.);
	changed(h);
}

void
hub_state(const struct hub *h, struct msg_HUB_STATE *m)
{
	uint64_t last = trail_next(h->trail) - 1;
	uint64_t has = MAX_OF(h->cursor.acked, h->idle_to);

	*m = h->state;
	m->on = h->on;
	m->acked = h->on ? h->cursor.acked : 0;
	m->behind = h->on && last > has ? last - has : 0;
}

struct hub *
hub_new(struct ev_loop *loop, int dir, struct trail *trail,
    const struct hub_ops *ops)
{
	struct hub *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->loop = loop;
	h->dir = dir;
	h->trail = trail;
	h->ops = *ops;
	ev_init(&h->work, on_work);
	h->work.data = h;
	return h;
}

void
hub_free(struct hub *h)
{
	if (h == NULL)
		return;
	ev_timer_stop(h->loop, &h->work);
	free(h);
}
