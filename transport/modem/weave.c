/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/modem/weave.h"

#include <string.h>

#include "common/util.h"
#include "common/wire.h"
#include "transport/core/base/frame.h"

/* reticulum-transport.md 10.11 */
#define HANDSHAKE_US (2 * MONO_SECOND)
#define PEER_US (20 * MONO_SECOND)
#define LOOK_US (22 * MONO_SECOND)
#define SILENT_US PEER_US /* ours: no peer can be left by then */
#define COPY_US (MONO_SECOND * 3 / 4)

#define HEAD (WEAVE_SWITCH + 1)
#define CODE_MAX 64 /* of a packet */
#define FRAME_MAX (HEAD + 2 + WEAVE_ENDPOINT + WEAVE_MTU + CODE_MAX)
#define PROOF (32 + 64) /* a key and a signature */
#define LOG_EVENT 7     /* of a LOG frame behind its head */

enum { DISCOVER = 0, CONNECT = 1, CMD = 2, LOG = 3, ENDPOINT_PKT = 5 };
enum {
	EVENT_CONNECTED = 0x3002,
	EVENT_OWN_ENDPOINT = 0x3003,
	EVENT_ALIVE = 0x3102,
	EVENT_VIA = 0x3104,
	EVENT_CPU = 0xe003,
	EVENT_MEMORY = 0xe005
};
#define CMD_SEND 0x0001

static const uint8_t everybody[WEAVE_SWITCH] = {0xff, 0xff, 0xff, 0xff};

static const char *const reasons[] = {
#define WEAVE_REASON_TEXT(name, text) text,
	WEAVE_REASON_LIST(WEAVE_REASON_TEXT)
#undef WEAVE_REASON_TEXT
	NULL,
};

const uint8_t *
weave_host(const struct weave *v)
{
	return v->keys->pub + sizeof(v->keys->pub) - WEAVE_SWITCH;
}

static void
count(struct weave *v, enum weave_reason reason)
{
	if (v->m.out->count != NULL)
		v->m.out->count(v->m.arg, reason);
}

/* ---- for the device ---- */

static struct wr
head(uint8_t buf[FRAME_MAX], const uint8_t to[WEAVE_SWITCH], uint8_t type)
{
	struct wr w = wr_make(buf, FRAME_MAX);

	wr_bytes(&w, to, WEAVE_SWITCH);
	wr_u8(&w, type);
	return w;
}

static void
say(struct weave *v, const struct wr *w)
{
	uint8_t frame[2 * FRAME_MAX + 2];

	v->m.out->write(v->m.arg, frame, rns_frame(RNS_FRAME_HDLC, frame,
	    w->buf, w->len));
}

static void
discover(struct weave *v)
{
	uint8_t buf[FRAME_MAX];
	struct wr w = head(buf, everybody, DISCOVER);

	wr_bytes(&w, weave_host(v), WEAVE_SWITCH);
	say(v, &w);
}

static void
join(struct weave *v)
{
	uint8_t buf[FRAME_MAX], sig[64];
	struct wr w = head(buf, v->device, CONNECT);

	v->keys->sign(v->keys->arg, sig, v->device, WEAVE_SWITCH);
	wr_bytes(&w, v->keys->pub, sizeof(v->keys->pub));
	wr_bytes(&w, sig, sizeof(sig));
	say(v, &w);
}

/* ---- peers ---- */

static struct weave_peer *
peer_of(struct weave *v, const uint8_t endpoint[WEAVE_ENDPOINT])
{
	for (unsigned i = 0; i < WEAVE_PEERS; i++)
		if (v->peer[i].used && memcmp(v->peer[i].endpoint, endpoint,
		    WEAVE_ENDPOINT) == 0)
			return &v->peer[i];
	return NULL;
}

static unsigned
port_of(const struct weave *v, const struct weave_peer *p)
{
	return (unsigned)(p - v->peer) + 1;
}

static void
peer_gone(struct weave *v, struct weave_peer *p)
{
	if (!p->used)
		return;
	p->used = false;
	v->m.out->up(v->m.arg, port_of(v, p), false);
}

static void
peer_alive(struct weave *v, const uint8_t *endpoint, struct mono now)
{
	struct weave_peer *p = peer_of(v, endpoint);

	for (unsigned i = 0; p == NULL && i < WEAVE_PEERS; i++)
		if (!v->peer[i].used)
			p = &v->peer[i];
	if (p == NULL) {
		count(v, WEAVE_REASON_CROWDED);
		return;
	}
	p->heard = now;
	if (p->used)
		return;
	p->used = true;
	p->has_via = false;
	memcpy(p->endpoint, endpoint, WEAVE_ENDPOINT);
	v->m.out->up(v->m.arg, port_of(v, p), true);
	v->m.out->ready(v->m.arg, port_of(v, p));
}

static void
look(struct weave *v, struct mono now)
{
	for (unsigned i = 0; i < WEAVE_PEERS; i++)
		if (v->peer[i].used && mono_reached(now,
		    mono_add(v->peer[i].heard, PEER_US)))
			peer_gone(v, &v->peer[i]);
	v->look = mono_add(now, LOOK_US);
}

/* The same within three quarters of a second, by another way. */
static bool
copy(struct weave *v, const uint8_t *p, size_t n, struct mono now)
{
	struct id32 hash;

	rns_sha256(&hash, p, n);
	for (unsigned i = 0; i < v->nseen; i++)
		if (memcmp(hash.b, v->seen[i].hash.b, sizeof(hash.b)) == 0 &&
		    !mono_reached(now, mono_add(v->seen[i].at, COPY_US)))
			return true;
	v->seen[v->next_seen].hash = hash;
	v->seen[v->next_seen].at = now;
	v->next_seen = (v->next_seen + 1) % WEAVE_REMEMBERED;
	v->nseen = MIN_OF(v->nseen + 1, (unsigned)WEAVE_REMEMBERED);
	return false;
}

static void
down(struct weave *v)
{
	for (unsigned i = 0; i < WEAVE_PEERS; i++)
		peer_gone(v, &v->peer[i]);
	if (v->state == WEAVE_UP)
		v->m.out->up(v->m.arg, 0, false);
	v->state = WEAVE_CLOSED;
	v->limit = v->look = MONO_NEVER;
	v->asked_again = v->joined_again = false;
}

static void
fault(struct weave *v, enum weave_reason reason, const char *text)
{
	down(v);
	v->m.out->fault(v->m.arg, reason, text);
}

/* ---- what it says ---- */

/* Whose signature over our number this is, has the number to be joined. */
static void
take_discover(struct weave *v, const uint8_t *p, size_t n, struct mono now)
{
	/* once for each question, however often it answers */
	if (v->state != WEAVE_ASKED && (!v->asked_again || v->joined_again))
		return;
	if (n != PROOF) {
		count(v, WEAVE_REASON_FORM);
		return;
	}
	if (!v->keys->verify(v->keys->arg, p, p + 32, weave_host(v),
	    WEAVE_SWITCH)) {
		count(v, WEAVE_REASON_SIGNATURE);
		return;
	}
	p += 32 - WEAVE_SWITCH;
	if (v->asked_again && memcmp(v->device, p, WEAVE_SWITCH) != 0) {
		fault(v, WEAVE_REASON_OTHER, "another device is there now");
		return;
	}
	memcpy(v->device, p, WEAVE_SWITCH);
	if (v->asked_again) {
		v->joined_again = true;
		v->limit = mono_add(now, HANDSHAKE_US);
	} else {
		v->state = WEAVE_JOINING;
	}
	join(v);
}

static void
connected(struct weave *v, struct mono now)
{
	if (v->state != WEAVE_JOINING)
		return;
	v->state = WEAVE_UP;
	v->limit = MONO_NEVER;
	v->look = mono_add(now, LOOK_US);
	v->m.out->up(v->m.arg, 0, true);
}

static void
take_via(struct weave *v, const uint8_t *p)
{
	struct weave_peer *peer = peer_of(v, p);

	if (peer == NULL)
		return;
	memcpy(peer->via, p + WEAVE_ENDPOINT, WEAVE_SWITCH);
	peer->has_via = true;
}

static void
take_event(struct weave *v, uint16_t event, const uint8_t *p, size_t n,
    struct mono now)
{
	if (event == EVENT_CONNECTED)
		connected(v, now);
	if (v->state != WEAVE_UP)
		return;
	if (event == EVENT_OWN_ENDPOINT && n >= WEAVE_ENDPOINT) {
		memcpy(v->endpoint, p, WEAVE_ENDPOINT);
		v->has_endpoint = true;
	} else if (event == EVENT_ALIVE && n >= WEAVE_ENDPOINT) {
		peer_alive(v, p, now);
	} else if (event == EVENT_VIA && n >= WEAVE_ENDPOINT + WEAVE_SWITCH) {
		take_via(v, p);
	} else if (event == EVENT_CPU && n >= 1) {
		v->has_cpu = true;
		v->cpu = p[0];
	} else if (event == EVENT_MEMORY && n >= 8) {
		v->has_memory = true;
		v->memory_free = get_u32(p);
		v->memory_all = get_u32(p + 4);
	}
}

static void
take_log(struct weave *v, const uint8_t *p, size_t n, struct mono now)
{
	if (n < LOG_EVENT + 2)
		count(v, WEAVE_REASON_FORM);
	else
		take_event(v, get_u16(p + LOG_EVENT), p + LOG_EVENT + 2,
		    n - LOG_EVENT - 2, now);
}

static void
take_packet(struct weave *v, const uint8_t *p, size_t n, struct mono now)
{
	struct weave_peer *peer;

	if (n <= WEAVE_ENDPOINT) {
		count(v, WEAVE_REASON_FORM);
		return;
	}
	n -= WEAVE_ENDPOINT;
	if (v->state != WEAVE_UP || (peer = peer_of(v, p + n)) == NULL) {
		count(v, WEAVE_REASON_STRANGER);
		return;
	}
	peer->heard = now;
	if (copy(v, p, n, now))
		count(v, WEAVE_REASON_COPY);
	else
		v->m.out->packet(v->m.arg, port_of(v, peer), p, n, NULL);
}

static void
take_frame(struct weave *v, const uint8_t *p, size_t n, struct mono now)
{
	const bool ours = n > HEAD && memcmp(p, weave_host(v),
	    WEAVE_SWITCH) == 0;

	if (!ours)
		return; /* of another host at the same switch */
	v->heard = now;
	/* what it says to who has joined, it says to a host that it knows */
	if (v->asked_again && p[WEAVE_SWITCH] != DISCOVER) {
		v->asked_again = v->joined_again = false;
		v->limit = MONO_NEVER;
	}
	switch (p[WEAVE_SWITCH]) {
	case DISCOVER:
		take_discover(v, p + HEAD, n - HEAD, now);
		break;
	case LOG:
		take_log(v, p + HEAD, n - HEAD, now);
		break;
	case ENDPOINT_PKT:
		take_packet(v, p + HEAD, n - HEAD, now);
		break;
	default: /* its display, and other protocols */
		break;
	}
}

/* ---- struct modem_kind ---- */

static void
weave_opened(struct modem *m, struct mono now)
{
	struct weave *v = (struct weave *)m;

	down(v);
	deframer_drop(v->in);
	v->has_endpoint = v->has_cpu = v->has_memory = false;
	v->nseen = v->next_seen = 0;
	v->state = WEAVE_ASKED;
	v->limit = mono_add(now, HANDSHAKE_US);
	discover(v);
}

static void
weave_bytes(struct modem *m, const uint8_t *p, size_t n, struct mono now)
{
	struct weave *v = (struct weave *)m;
	uint64_t dropped = rns_deframer_dropped(v->in);
	const uint8_t *frame;
	size_t len;

	if (v->state == WEAVE_CLOSED)
		return;
	if (rns_deframer_feed(v->in, p, n) != RNS_OK) {
		fault(v, WEAVE_REASON_MEMORY, "there is no memory for what it "
		    "sends");
		return;
	}
	while (v->state != WEAVE_CLOSED &&
	    rns_deframer_next(v->in, &frame, &len))
		take_frame(v, frame, len, now);
	for (; dropped < rns_deframer_dropped(v->in); dropped++)
		count(v, WEAVE_REASON_FORM);
}

/*
 * A device that was restarted has forgotten its host, and says nothing to it
 * any more, while the line stays open.
 */
static struct mono
ask_due(const struct weave *v)
{
	return v->state == WEAVE_UP && !v->asked_again ?
	    mono_add(v->heard, SILENT_US) : MONO_NEVER;
}

static void
no_answer(struct weave *v)
{
	if (v->state == WEAVE_UP)
		fault(v, WEAVE_REASON_LOST, "the device has nothing to say to "
		    "this node any more: does it hang?");
	else
		fault(v, WEAVE_REASON_SILENT, v->state == WEAVE_ASKED ?
		    "nothing answers there as a Weave device does: is it the "
		    "right port?" : "the device does not let this node in");
}

static void
weave_tick(struct modem *m, struct mono now)
{
	struct weave *v = (struct weave *)m;

	if (mono_reached(now, v->limit))
		no_answer(v);
	else if (mono_reached(now, v->look))
		look(v, now);
	if (!mono_reached(now, ask_due(v)))
		return;
	v->asked_again = true;
	v->limit = mono_add(now, HANDSHAKE_US);
	discover(v);
}

static struct mono
weave_deadline(const struct modem *m)
{
	const struct weave *v = (const struct weave *)m;

	return mono_min(ask_due(v), mono_min(v->limit, v->look));
}

static bool
weave_takes(const struct modem *m, unsigned port)
{
	const struct weave *v = (const struct weave *)m;

	return v->state == WEAVE_UP && port >= 1 && port <= WEAVE_PEERS &&
	    v->peer[port - 1].used;
}

static void
weave_send(struct modem *m, unsigned port, const uint8_t *p, size_t n,
    struct mono now)
{
	struct weave *v = (struct weave *)m;
	uint8_t buf[FRAME_MAX];
	struct wr w;

	(void)now;
	if (!weave_takes(m, port))
		return;
	w = head(buf, v->device, CMD);
	wr_u16(&w, CMD_SEND);
	wr_bytes(&w, v->peer[port - 1].endpoint, WEAVE_ENDPOINT);
	wr_bytes(&w, p, n);
	if (wr_ok(&w))
		say(v, &w);
	else
		count(v, WEAVE_REASON_OVERSIZE);
}

static uint64_t
weave_bitrate(const struct modem *m, unsigned port)
{
	(void)m;
	(void)port;
	return 0; /* it does not say */
}

/* The endpoint that it is for; how fast the medium is it does not say. */
static void
weave_airtime(const struct modem *m, unsigned port, struct airtime *a)
{
	(void)m;
	(void)port;
	a->frame_bytes = WEAVE_ENDPOINT;
}

const struct modem_kind weave_kind = {
	.opened = weave_opened,
	.bytes = weave_bytes,
	.tick = weave_tick,
	.deadline = weave_deadline,
	.takes = weave_takes,
	.send = weave_send,
	.bitrate = weave_bitrate,
	.airtime = weave_airtime,
	.reasons = reasons,
};

int
weave_init(struct weave *v, const struct weave_keys *keys)
{
	memset(v, 0, sizeof(*v));
	v->m.kind = &weave_kind;
	v->keys = keys;
	v->limit = v->look = MONO_NEVER;
	if ((v->in = rns_deframer_new(RNS_FRAME_HDLC, FRAME_MAX)) == NULL)
		return -1;
	deframer_min(v->in, HEAD + 1);
	return 0;
}

void
weave_clear(struct weave *v)
{
	rns_deframer_free(v->in);
	v->in = NULL;
}
