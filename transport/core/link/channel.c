/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/link/channel.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/event.h"
#include "transport/core/link/charge.h"
#include "transport/core/table/receipt.h"

/* Reliable messages in order over a link (9). */

#define CHANNEL_RX_WINDOW 48
#define CHANNEL_TRIES 5
#define CHANNEL_WINDOW 2
#define CHANNEL_WINDOW_MAX_SLOW 5
#define CHANNEL_WINDOW_MAX_MEDIUM 12
#define CHANNEL_WINDOW_MIN_MEDIUM 5
#define CHANNEL_WINDOW_MAX_FAST 48
#define CHANNEL_WINDOW_MIN_FAST 16
#define CHANNEL_FLEX 4
#define CHANNEL_RTT_FAST 0.18
#define CHANNEL_RTT_MEDIUM 0.75
#define CHANNEL_ROUNDS 10
/* Ours: the envelope has its own timer, the receipt only waits beside it. */
#define CHANNEL_RECEIPT_US (INT64_C(86400) * MONO_SECOND)

static void channel_timer(struct rns *, void *);

double
channel_timeout(unsigned tries, double rtt, unsigned ring)
{
	double base = rtt * 2.5 > 0.025 ? rtt * 2.5 : 0.025, k = 1;

	for (unsigned i = 1; i < tries; i++)
		k *= 1.5;
	return k * base * ((double)ring + 1.5);
}

int
channel_open(struct rns *r, struct link *l)
{
	struct channel *c = l->channel;

	(void)r;
	if (c != NULL)
		return RNS_OK;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return RNS_ENOMEM;
	TAILQ_INIT(&c->ring);
	TAILQ_INIT(&c->held);
	c->window = c->window_min = CHANNEL_WINDOW;
	c->window_max = CHANNEL_WINDOW_MAX_SLOW;
	c->flex = CHANNEL_FLEX;
	if (l->rtt > CHANNEL_RTT_SLOW)
		c->window = c->window_min = c->window_max = c->flex = 1;
	l->channel = c;
	return RNS_OK;
}

static void
envelope_free(struct rns *r, struct channel *c, struct envelope *e)
{
	timer_clear(r, &e->timer);
	if (e->receipt != NULL)
		receipt_drop(r, e->receipt);
	TAILQ_REMOVE(&c->ring, e, entry);
	c->ring_count--;
	crypt_wipe(e->data, e->len);
	free(e);
}

static void
message_free(struct rns *r, struct channel *c, struct message *m)
{
	TAILQ_REMOVE(&c->held, m, entry);
	charge_sub(r, &c->charged, sizeof(*m) + m->len);
	crypt_wipe(m->data, m->len);
	free(m);
}

void
channel_closed(struct rns *r, struct link *l)
{
	struct channel *c = l->channel;
	struct envelope *e;
	struct message *m;

	if (c == NULL)
		return;
	l->channel = NULL;
	while ((e = TAILQ_FIRST(&c->ring)) != NULL)
		envelope_free(r, c, e);
	while ((m = TAILQ_FIRST(&c->held)) != NULL)
		message_free(r, c, m);
	free(c->streams);
	free(c);
}

/* ---- sending (reticulum-endpoint.md 9.3) ---- */

/*
 * How far the next number may be from the oldest that is not proved: the
 * receiver drops what is beyond its own window, and one of the reference has
 * proved it before that, so that the channel would stall for ever.
 */
static unsigned
channel_span(const struct channel *c)
{
	const struct envelope *e = TAILQ_FIRST(&c->ring);

	if (e == NULL)
		return CHANNEL_RX_WINDOW + 1;
	return CHANNEL_RX_WINDOW + 1u -
	    (unsigned)(uint16_t)(c->tx_next - get_u16(e->data + 2));
}

bool
channel_ready(const struct link *l)
{
	return channel_room(l) > 0;
}

unsigned
channel_room(const struct link *l)
{
	const struct channel *c = l->channel;

	if (!link_usable(l))
		return 0;
	if (c == NULL)
		return l->rtt > CHANNEL_RTT_SLOW ? 1 : CHANNEL_WINDOW;
	if (c->ring_count >= c->window)
		return 0;
	return MIN_OF(c->window - c->ring_count, channel_span(c));
}

static void
channel_event(struct rns *r, const struct link *l, enum rns_event_type type,
    uint64_t tag)
{
	struct rns_event ev = {.type = type};

	ev.channel.link = l->id;
	ev.channel.tag = tag;
	(void)event_push(r, &ev);
}

static void
channel_grow(struct channel *c, double rtt)
{
	if (c->window < c->window_max)
		c->window++;
	if (rtt > CHANNEL_RTT_FAST) {
		c->fast = 0;
		if (rtt > CHANNEL_RTT_MEDIUM) {
			c->medium = 0;
		} else if (++c->medium == CHANNEL_ROUNDS &&
		    c->window_max < CHANNEL_WINDOW_MAX_MEDIUM) {
			c->window_max = CHANNEL_WINDOW_MAX_MEDIUM;
			c->window_min = CHANNEL_WINDOW_MIN_MEDIUM;
		}
	} else if (++c->fast == CHANNEL_ROUNDS &&
	    c->window_max < CHANNEL_WINDOW_MAX_FAST) {
		c->window_max = CHANNEL_WINDOW_MAX_FAST;
		c->window_min = CHANNEL_WINDOW_MIN_FAST;
	}
}

/* A message, and the proof without which it counts as lost. */
static uint32_t
envelope_frames(const struct link *l, const struct envelope *e)
{
	return link_frames(l, HEADER_1_LEN + token_len(e->len)) + 1;
}

static void
channel_delivered(struct rns *r, void *arg, enum rns_receipt_status status,
    int64_t rtt_us)
{
	struct envelope *e = arg;
	struct link *l = e->link;
	struct channel *c = l->channel;
	uint64_t tag = e->tag;
	bool wants = e->wants_event;

	(void)rtt_us;
	e->receipt = NULL;
	if (status != RNS_RECEIPT_DELIVERED)
		return; /* its timer sends it again */
	link_counted(r, l, envelope_frames(l, e), 1, 0);
	envelope_free(r, c, e);
	channel_grow(c, l->rtt);
	if (wants)
		channel_event(r, l, RNS_EV_CHANNEL_DELIVERED, tag);
	if (c->want_ready && channel_ready(l)) {
		c->want_ready = false;
		link_event(r, l, RNS_EV_CHANNEL_READY);
	}
}

/* After each send, everything that is on its way may take longer. */
static void
channel_stretch(struct rns *r, struct link *l)
{
	struct channel *c = l->channel;
	struct envelope *e;

	TAILQ_FOREACH(e, &c->ring, entry) {
		double t = channel_timeout(e->tries, l->rtt, c->ring_count);

		if (t <= e->timeout)
			continue;
		e->timeout = t;
		timer_set(r, &e->timer,
		    mono_add(e->sent, mono_seconds(e->timeout)));
	}
}

static int
envelope_send(struct rns *r, struct envelope *e)
{
	struct link *l = e->link;
	struct id32 hash;
	int rc;

	if (e->receipt != NULL)
		receipt_drop(r, e->receipt);
	e->receipt = NULL;
	rc = link_send(r, l, CTX_CHANNEL, e->data, e->len, &hash);
	e->sent = r->now;
	e->timeout = channel_timeout(e->tries, l->rtt, l->channel->ring_count);
	timer_set(r, &e->timer, mono_add(e->sent, mono_seconds(e->timeout)));
	if (rc != RNS_OK)
		return rc;
	e->receipt = receipt_new(r, &hash, l->peer_ed, l, CHANNEL_RECEIPT_US,
	    channel_delivered, e);
	channel_stretch(r, l);
	return e->receipt != NULL ? RNS_OK : RNS_ENOMEM;
}

static void
channel_timer(struct rns *r, void *arg)
{
	struct envelope *e = arg;
	struct link *l = e->link;
	struct channel *c = l->channel;

	if (e->tries >= CHANNEL_TRIES) {
		link_teardown(r, l, l->initiator ? RNS_CLOSE_INITIATOR :
		    RNS_CLOSE_DESTINATION);
		return;
	}
	e->tries++;
	link_counted(r, l, envelope_frames(l, e), 1, 1);
	if (c->window > c->window_min) {
		c->window--;
		if (c->window_max > c->window_min + c->flex)
			c->window_max--;
	}
	(void)envelope_send(r, e);
}

int
channel_send(struct rns *r, struct link *l, uint16_t type,
    const struct iovec_c *v, size_t count, uint64_t tag)
{
	struct channel *c;
	struct envelope *e;
	struct wr w;
	size_t len = 0;
	int rc = channel_open(r, l);

	if (rc != RNS_OK)
		return rc;
	c = l->channel;
	for (size_t i = 0; i < count; i++)
		len += v[i].n;
	if (len + CHANNEL_HEAD > l->mdu || len > UINT16_MAX)
		return RNS_EBIG;
	if (!channel_ready(l)) {
		c->want_ready = true;
		return RNS_EAGAIN;
	}
	if ((e = calloc(1, sizeof(*e) + CHANNEL_HEAD + len)) == NULL)
		return RNS_ENOMEM;
	w = wr_make(e->data, CHANNEL_HEAD + len);
	wr_u16(&w, type);
	wr_u16(&w, c->tx_next);
	wr_u16(&w, (uint16_t)len);
	for (size_t i = 0; i < count; i++)
		wr_bytes(&w, v[i].p, v[i].n);
	e->len = w.len;
	e->link = l;
	e->tag = tag;
	e->wants_event = type != CHANNEL_STREAM;
	e->tries = 1;
	timer_init(&e->timer, channel_timer, e);
	TAILQ_INSERT_TAIL(&c->ring, e, entry);
	c->ring_count++;
	rc = envelope_send(r, e);
	if (rc != RNS_OK) {
		envelope_free(r, c, e);
		return rc;
	}
	c->tx_next++;
	return RNS_OK;
}

/* ---- receiving (reticulum-endpoint.md 9.2) ---- */

/* Whether seq is in the window from next on; both run modulo 65,536. */
static bool
channel_in_window(uint16_t next, uint16_t seq)
{
	return (uint16_t)(seq - next) <= CHANNEL_RX_WINDOW;
}

static bool
channel_hold(struct rns *r, struct channel *c, uint16_t type, uint16_t seq,
    const uint8_t *p, size_t n)
{
	struct message *m, *at;

	TAILQ_FOREACH(at, &c->held, entry) {
		if (at->seq == seq) {
			(void)core_drop(r, RNS_DROP_CHANNEL);
			return true;
		}
		if ((uint16_t)(at->seq - c->rx_next) >
		    (uint16_t)(seq - c->rx_next))
			break;
	}
	if (!charge_add(r, &c->charged, sizeof(*m) + n))
		return false;
	if ((m = malloc(sizeof(*m) + n)) == NULL) {
		charge_sub(r, &c->charged, sizeof(*m) + n);
		return core_drop(r, RNS_DROP_MEMORY);
	}
	m->type = type;
	m->seq = seq;
	m->len = n;
	memcpy(m->data, p, n);
	if (at != NULL)
		TAILQ_INSERT_BEFORE(at, m, entry);
	else
		TAILQ_INSERT_TAIL(&c->held, m, entry);
	return true;
}

/* false: not now; it must come again, or the channel has a hole. */
static bool
channel_message(struct rns *r, struct link *l, uint16_t type,
    const uint8_t *p, size_t n)
{
	struct rns_event ev = {.type = RNS_EV_CHANNEL_MESSAGE};

	if (type == CHANNEL_STREAM) {
		if (l->channel->stream_in != NULL)
			return l->channel->stream_in(r, l, p, n);
		(void)core_drop(r, RNS_DROP_CHANNEL);
		return true;
	}
	ev.channel.link = l->id;
	ev.channel.msgtype = type;
	ev.channel.data = p;
	ev.channel.len = n;
	return event_push(r, &ev) == RNS_OK;
}

/* Those whose turn it is. */
static void
channel_release(struct rns *r, struct link *l)
{
	struct channel *c = l->channel;
	struct message *m;

	while ((m = TAILQ_FIRST(&c->held)) != NULL && m->seq == c->rx_next &&
	    channel_message(r, l, m->type, m->data, m->len)) {
		c->rx_next++;
		message_free(r, c, m);
	}
}

/* Numbers of messages that were delivered, for twice the window. */
static bool
channel_is_old(uint16_t next, uint16_t seq)
{
	uint16_t back = (uint16_t)(next - seq);

	return back > 0 && back <= 2 * CHANNEL_RX_WINDOW;
}

/* true: prove it; that is, it is held, delivered, or was before. */
static bool
channel_accept(struct rns *r, struct link *l, const uint8_t *p, size_t n)
{
	struct channel *c = l->channel;
	struct rd rd = rd_make(p, n);
	uint16_t type, seq, len;
	struct message *m;

	/*
	 * the length is not looked at: the payload is the rest
	 * (reticulum-endpoint.md 16.45)
	 */
	if (!rd_u16(&rd, &type) || !rd_u16(&rd, &seq) || !rd_u16(&rd, &len))
		return core_drop(r, RNS_DROP_CHANNEL);
	if (channel_is_old(c->rx_next, seq)) {
		(void)core_drop(r, RNS_DROP_CHANNEL);
		return true;
	}
	if (!channel_in_window(c->rx_next, seq) ||
	    (type >= CHANNEL_RESERVED && type != CHANNEL_STREAM))
		return core_drop(r, RNS_DROP_CHANNEL);
	p += CHANNEL_HEAD;
	n -= CHANNEL_HEAD;
	m = TAILQ_FIRST(&c->held);
	if (seq != c->rx_next || (m != NULL && m->seq == seq)) {
		if (!channel_hold(r, c, type, seq, p, n))
			return false;
	} else {
		if (!channel_message(r, l, type, p, n))
			return false;
		c->rx_next++;
	}
	channel_release(r, l);
	return true;
}

void
channel_in(struct rns *r, struct link *l, const struct packet *p)
{
	size_t n;

	/* no proof either (reticulum-endpoint.md 16.43) */
	if (l->channel == NULL) {
		core_drop(r, RNS_DROP_CHANNEL);
		return;
	}
	/*
	 * The reference proves first and looks then. What we drop we do not
	 * prove: a packet that somebody made up costs no signature, and one
	 * ahead of our window comes again instead of stalling the channel.
	 */
	if (p->data_len > r->links->scratch_cap ||
	    token_decrypt(r->links->plain, &n, r->links->scratch_cap, l->key,
	    sizeof(l->key), p->data, p->data_len) != RNS_OK) {
		core_drop(r, RNS_DROP_DECRYPT);
		return;
	}
	/* events copy, so the plaintext may go when the proof is built */
	if (channel_accept(r, l, r->links->plain, n))
		link_prove(r, l, &p->hash);
}
