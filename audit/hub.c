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
#include "audit/hub_mesh.h"
#include "audit/ocsf.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"
#include "trust/doc/alert.h"

#define COLLECT_S 1.	     /* ours: what comes within goes together */
#define AT_ONCE 4	     /* severity: an alarm does not wait */
#define AGAIN_LEAST_S 5u     /* klp.md 7 */
#define AGAIN_MOST_S 900u
#define SAID_AFTER 2	     /* failures, until the trail says so */
#define DEADLINE_MS 60000u   /* ours */
#define MESH_MS 600000u	     /* ours: of a batch, over the mesh */
#define ALERT_MS 300000u     /* ours: of an alarm */
#define PACKET_MS 60000u     /* ours: of one that is a packet of its own */
#define NO_PACKETS_S 3600.   /* ours: when such a one was not proved */
#define ALERT_S 60.	     /* ours: not more often */
#define TOLD_S 5.	     /* ours: node hears how far behind it is */

struct hub {
	struct ev_loop *loop;
	int dir;
	struct trail *trail;
	struct hub_ops ops;
	bool on, said;
	bool mesh; /* over it, to this identity */
	struct hash16 identity;
	bool way[PROGRAM_COUNT];
	struct hub_limits limits;
	struct hub_cursor cursor;
	struct hub_place place;
	unsigned fewer; /* lines, after "too large"; 0: as many as may be */
	uint64_t idle_to; /* up to there nothing is to be sent */
	bool out;	  /* a batch is, and waits for its answer */
	uint32_t seq, seq_out; /* the last, and the batch's */
	ev_timer work;
	ev_tstamp told;
	unsigned failures; /* in a row */
	struct msg_HUB_STATE state;
	/* alarms, where lines do not go: the last one, and how many since */
	bool slow;
	enum { ALERT_IDLE, ALERT_SIGNED_FIRST, ALERT_PACKET, ALERT_LINK } alert_at;
	ev_tstamp no_packets; /* until then: it has not proved one */
	uint32_t alert_seq;
	uint16_t alert_told; /* of its lines */
	struct alert alert;
	ev_timer alarm;
	struct hub_batch batch;
};

static enum program
way_of(const struct hub *h)
{
	return h->mesh ? PROGRAM_TRANSPORT : PROGRAM_EGRESS;
}

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

static uint32_t
next_seq(struct hub *h)
{
	if (++h->seq == 0)
		h->seq = 1;
	return h->seq;
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

static int
post(struct hub *h)
{
	struct msg_POST m = {.seq = h->seq, .kind = POST_HUB,
	    .max = IPC_POSTED_BYTES, .deadline_ms = DEADLINE_MS,
	    .len = (uint32_t)h->batch.len};
	int fd = memfd_sealed("events", h->batch.text, h->batch.len);
	int r = fd < 0 ? 1 : h->ops.post(h->ops.ctx, &m, fd);

	close_fd(&fd);
	return r;
}

static int
ask(struct hub *h)
{
	struct msg_M_ASK m = {.seq = h->seq, .identity = h->identity,
	    .path = HUB_PATH_EVENTS, .max = IPC_POSTED_BYTES,
	    .deadline_ms = MESH_MS, .identify = true};
	uint8_t *body = malloc(HUB_MESH_BODY);
	size_t n = body == NULL ? 0 : hub_mesh_body(body, HUB_MESH_BODY,
	    h->batch.text, h->batch.len);
	int fd = n == 0 ? -1 : memfd_sealed("events", body, n);
	int r;

	m.len = (uint32_t)n;
	r = fd < 0 ? 1 : h->ops.ask(h->ops.ctx, &m, fd);
	free(body);
	close_fd(&fd);
	return r;
}

static void
send_batch(struct hub *h)
{
	uint64_t last = h->batch.last[h->batch.n - 1];
	int r;

	if (last > h->cursor.sent) {
		h->cursor.sent = last;
		keep(h);
	}
	h->seq_out = next_seq(h);
	r = h->mesh ? ask(h) : post(h);
	if (r > 0) {
		failed(h, "no memory for a batch", 0);
	} else if (r == 0) {
		h->out = true;
		h->state.sent += h->batch.n;
	} else {
		/* its coming is told, and then it goes on */
		h->way[way_of(h)] = false;
	}
}

static void
try(struct hub *h)
{
	if (!h->on || h->out || !h->way[way_of(h)])
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

/* ---- alarms where lines do not go ---- */

static void
alert_ask(struct hub *h, struct msg_M_ASK *m)
{
	m->identity = h->identity;
	(void)snprintf(m->path, sizeof(m->path), HUB_PATH_ALERT);
	m->max = IPC_POSTED_BYTES;
	m->slow = true;
	m->len = m->data_len;
	m->seq = h->alert_seq = next_seq(h);
	if (h->ops.ask(h->ops.ctx, m, -1) != 0)
		h->alert_at = ALERT_IDLE;
}

/* Whose it is the link shows. */
static void
alert_on_link(struct hub *h)
{
	struct msg_M_ASK m = {.deadline_ms = ALERT_MS, .identify = true};
	uint8_t frame[ALERT_FRAME];

	h->alert_at = ALERT_LINK;
	h->alert_told = h->alert.count;
	alert_put(frame, &h->alert);
	m.data_len = (uint16_t)hub_mesh_body(m.data, sizeof(m.data), frame,
	    sizeof(frame));
	alert_ask(h, &m);
}

/* As a packet of its own, for which keys signs it first. */
static bool
alert_sign_first(struct hub *h)
{
	const struct alert *a = &h->alert;
	struct msg_K_ALERT m = {.severity = a->severity,
	    .class_uid = a->class_uid, .activity = a->activity,
	    .disposition = a->disposition, .time = a->time, .line = a->seq,
	    .count = a->count};

	memcpy(m.subject, a->subject, sizeof(m.subject));
	memcpy(m.chain, a->chain, sizeof(m.chain));
	m.seq = h->alert_seq = next_seq(h);
	h->alert_told = a->count;
	h->alert_at = ALERT_SIGNED_FIRST;
	return ev_now(h->loop) >= h->no_packets &&
	    h->ops.sign(h->ops.ctx, &m) == 0;
}

/* The newest of those that have gathered, and how many they are. */
static void
send_alert(struct hub *h)
{
	if (!h->on || !h->slow || h->alert_at != ALERT_IDLE ||
	    h->alert.count == 0 || ev_is_active(&h->alarm))
		return;
	if (!alert_sign_first(h))
		alert_on_link(h);
	ev_timer_set(&h->alarm, ALERT_S, 0.);
	ev_timer_start(h->loop, &h->alarm);
}

void
hub_alerted(struct hub *h, const struct msg_K_ALERTED *s)
{
	struct msg_M_ASK m = {.deadline_ms = PACKET_MS, .packet = true,
	    .data_len = sizeof(s->frame)};

	if (h->alert_at != ALERT_SIGNED_FIRST || s->seq != h->alert_seq)
		return;
	if (!s->ok) {
		alert_on_link(h);
		return;
	}
	h->alert_at = ALERT_PACKET;
	memcpy(m.data, s->frame, sizeof(s->frame));
	alert_ask(h, &m);
}

static void
on_alarm(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct hub *h = w->data;

	(void)loop;
	(void)revents;
	if (h->alert_at == ALERT_SIGNED_FIRST) /* keys has gone meanwhile */
		alert_on_link(h);
	send_alert(h);
}

static void
alert_ended(struct hub *h, enum mesh_end end)
{
	bool packet = h->alert_at == ALERT_PACKET;

	h->alert_at = ALERT_IDLE;
	if (end != MESH_OK && packet) {
		/* it does not know our key, or is of those that take none */
		h->no_packets = ev_now(h->loop) + NO_PACKETS_S;
		alert_on_link(h);
		return;
	}
	if (end != MESH_OK) {
		log_info("hub", "an alarm did not arrive: tried again");
		return;
	}
	/* those that came while it was under way are told next */
	h->alert.count = (uint16_t)(h->alert.count - MIN_OF(h->alert.count,
	    h->alert_told));
	send_alert(h);
}

static void
gather(struct hub *h, const struct msg_EVENT *e, unsigned severity,
    const struct id32 *digest)
{
	struct alert *a = &h->alert;
	uint16_t count = a->count;

	*a = (struct alert){.severity = (uint8_t)severity,
	    .time = (uint32_t)(e->when_us / 1000000),
	    .seq = (uint32_t)(trail_next(h->trail) - 1),
	    .count = count < UINT16_MAX ? (uint16_t)(count + 1) : count};
	ocsf_class(e, &a->class_uid, &a->activity, &a->disposition);
	if (e->job_len >= sizeof(a->subject))
		memcpy(a->subject, e->job, sizeof(a->subject));
	else if (e->peer_len >= sizeof(a->subject))
		memcpy(a->subject, e->peer, sizeof(a->subject));
	memcpy(a->chain, digest->b, sizeof(a->chain));
	send_alert(h);
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
	h->slow = false;
	h->alert.count = 0; /* the lines themselves are there */
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

	if (!h->out || m->seq != h->seq_out)
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

void
hub_answered(struct hub *h, const struct msg_M_ANSWER *m, struct ipc_in *in_)
{
	const uint8_t *map = NULL;
	const char *why = m->why;
	size_t len = m->len;
	uint64_t ack, status;
	uint32_t wait_s = 0;

	if (h->alert_at >= ALERT_PACKET && m->seq == h->alert_seq) {
		alert_ended(h, (enum mesh_end)m->end);
		return;
	}
	if (!h->out || m->seq != h->seq_out)
		return;
	h->out = false;
	h->slow = m->end == MESH_SLOW;
	h->state.end = (uint8_t)hub_mesh_end((enum mesh_end)m->end);
	h->state.code = 0;
	if (m->end == MESH_OK && in_->nfds > 0)
		map = memfd_map(in_->fds[0], &len, IPC_POSTED_BYTES);
	ack = map == NULL ? 0 : hub_mesh_ack(map, len, h->batch.last,
	    h->batch.n, &why, &wait_s, &status);
	memfd_unmap(map, len);
	if (ack != 0) {
		taken(h, ack);
		return;
	}
	if (h->slow)
		h->cursor.sent = h->cursor.acked; /* it was not sent at all */
	failed(h, h->slow ? "its way is slow: alarms alone go there" :
	    why[0] != '\0' ? why : "its answer is empty", wait_s);
	send_alert(h);
}

/* ---- from around ---- */

void
hub_wrote(struct hub *h, const struct msg_EVENT *e, const struct id32 *digest)
{
	uint64_t last = trail_next(h->trail) - 1;
	unsigned severity = ocsf_severity(e);

	if (!h->on)
		return;
	if (h->mesh && severity >= ALERT_SEVERITY)
		gather(h, e, severity, digest);
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
hub_way(struct hub *h, enum program who, bool open)
{
	h->way[who] = open;
	if (who != way_of(h))
		return;
	if (open && h->on && !h->out && h->failures == 0)
		in(h, 0.);
	if (!open && h->alert_at >= ALERT_PACKET)
		h->alert_at = ALERT_IDLE;
	if (open || !h->out)
		return;
	/* whether it came nobody knows: it is sent again */
	h->out = false;
	failed(h, h->mesh ? "warren-transport fell meanwhile" :
	    "warren-egress fell meanwhile", 0);
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
	h->said = h->out = h->slow = false;
	h->alert_at = ALERT_IDLE;
	h->no_packets = 0.;
	h->alert.count = 0;
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
	char line[HUB_ID + 96], id[HUB_ID + 1], to[33] = "";
	int n;

	(void)snprintf(line, sizeof(line), "%.*s", (int)MIN_OF(len,
	    sizeof(line) - 1), text == NULL ? "" : text);
	n = sscanf(line, "%64s %u %u %u %32s", id, &severity, &lines, &bytes,
	    to);
	if (n < 4 || (n == 5 && !hex_decode(HASH_BYTES(h->identity), to,
		strlen(to))) || strlen(id) != HUB_ID || lines == 0 || lines > HUB_LINES ||
	    bytes < 2 * 16384 || bytes > HUB_BYTES) {
		h->on = h->out = false;
		h->state = (struct msg_HUB_STATE){.on = false};
		ev_timer_stop(h->loop, &h->work);
		ev_timer_stop(h->loop, &h->alarm);
		trail_mark_hub(h->trail, 0, 0);
		changed(h);
		return;
	}
	h->limits = (struct hub_limits){severity, lines, bytes};
	h->mesh = n == 5;
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
	ev_init(&h->alarm, on_alarm);
	h->work.data = h->alarm.data = h;
	return h;
}

void
hub_free(struct hub *h)
{
	if (h == NULL)
		return;
	ev_timer_stop(h->loop, &h->work);
	ev_timer_stop(h->loop, &h->alarm);
	free(h);
}
