/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/modem/kiss.h"

#include <string.h>

#include "common/util.h"

/* reticulum-transport.md 10.7, 9.2 */
#define START_US (2 * MONO_SECOND)
#define IDLE_US (MONO_SECOND / 10)
#define UNLOCK_US (5 * MONO_SECOND)
#define MS_A_STEP 10u /* times are told in steps of it */
#define SLOTS 10u /* of a chance of 1 each; fewer but once in 20,000 */

static void
opened(struct modem *m, struct mono now)
{
	struct kiss *k = (struct kiss *)m;

	k->up = k->locked = false;
	k->up_at = mono_add(now, START_US);
	k->idle_at = k->unlock_at = k->beacon_at = MONO_NEVER;
	k->beacon_held = false;
	kissframe_drop(&k->in);
	noise_over(&k->noise);
}

/* ---- out ---- */

static void
tell(struct kiss *k, enum kiss_cmd cmd, uint32_t value)
{
	uint8_t out[4];

	k->m.out->write(k->m.arg, out,
	    kissframe_command(out, cmd, (uint8_t)MIN_OF(value, UINT8_MAX)));
}

static void
tell_all(struct kiss *k)
{
	const struct kiss_conf *c = &k->conf;

	tell(k, KISS_TXDELAY, c->preamble_ms / MS_A_STEP);
	tell(k, KISS_TXTAIL, c->txtail_ms / MS_A_STEP);
	tell(k, KISS_PERSISTENCE, c->persistence);
	tell(k, KISS_SLOTTIME, c->slottime_ms / MS_A_STEP);
	/* the reference says so with and without flow control */
	tell(k, KISS_READY, 1);
}

static void
put_frame(struct kiss *k, const uint8_t *p, size_t n, struct mono now)
{
	size_t head = k->conf.ax25 ? AX25_HEADER : 0;

	memcpy(k->packet, k->conf.header, head);
	memcpy(k->packet + head, p, n);
	if (k->conf.flow_control) {
		k->locked = true;
		k->unlock_at = mono_add(now, UNLOCK_US);
	}
	k->m.out->write(k->m.arg, k->frame,
	    rns_frame(RNS_FRAME_KISS, k->frame, k->packet, head + n));
}

/*
 * Who has sent says who he is: so long after the first packet since he last
 * did. A callsign that was filled up counts as a packet, as in the reference,
 * so it comes again and again; an empty one is filled up as well.
 */
static void
beacon(struct kiss *k, struct mono now)
{
	uint8_t call[KISS_CALL_MOST + 1] = {0};
	const size_t len = strlen(k->conf.id_callsign);
	const size_t n = MAX_OF(len, (size_t)KISS_BEACON);
	struct mono at = now;

	if (k->locked || !mono_reached(now, k->beacon_at))
		return;
	if (k->m.out->beacon_at != NULL)
		at = k->m.out->beacon_at(k->m.arg, 0, n);
	k->beacon_held = at.us != MONO_NEVER.us && !mono_reached(now, at);
	if (k->beacon_held) {
		k->beacon_at = mono_min(at, mono_add(now, MODEM_ASK_AGAIN));
		return;
	}
	k->beacon_at = len < KISS_BEACON ?
	    mono_add(now, k->conf.id_interval_us) : MONO_NEVER;
	if (at.us == MONO_NEVER.us)
		return;
	memcpy(call, k->conf.id_callsign, len);
	put_frame(k, call, n, now);
	if (k->m.out->beacon != NULL)
		k->m.out->beacon(k->m.arg, 0, n);
}

static void
send(struct modem *m, unsigned port, const uint8_t *p, size_t n,
    struct mono now)
{
	struct kiss *k = (struct kiss *)m;

	(void)port;
	if (n > k->limit) {
		m->out->count(m->arg, KISS_SIZE);
		return;
	}
	if (k->conf.id_interval_us > 0 && k->beacon_at.us == MONO_NEVER.us)
		k->beacon_at = mono_add(now, k->conf.id_interval_us);
	put_frame(k, p, n, now);
}

static bool
takes(const struct modem *m, unsigned port)
{
	const struct kiss *k = (const struct kiss *)m;

	return port == 0 && k->up && !k->locked && !k->beacon_held;
}

static void
unlock(struct kiss *k, struct mono now)
{
	if (!k->locked)
		return;
	k->locked = false;
	k->unlock_at = MONO_NEVER;
	k->m.out->ready(k->m.arg, 0);
	beacon(k, now);
}

/* ---- in ---- */

static void
packet(struct kiss *k)
{
	size_t head = k->conf.ax25 ? AX25_HEADER : 0;

	if (k->in.len <= head)
		k->m.out->count(k->m.arg, KISS_HEADER);
	else
		k->m.out->packet(k->m.arg, 0, k->in.buf + head,
		    k->in.len - head, NULL);
}

static void
bytes(struct modem *m, const uint8_t *p, size_t n, struct mono now)
{
	struct kiss *k = (struct kiss *)m;
	bool sense = false;

	for (size_t i = 0; i < n; i++)
		switch (kissframe_byte(&k->in, p[i])) {
		case KISS_PACKET:
			packet(k);
			sense = true;
			break;
		case KISS_IS_READY:
			unlock(k, now);
			sense = true;
			break;
		case KISS_TOO_LONG:
			m->out->count(m->arg, KISS_SIZE);
			break;
		case KISS_OTHER:
			m->out->count(m->arg, KISS_COMMAND);
			break;
		case KISS_NOTHING:
			break;
		}
	if (sense)
		noise_over(&k->noise);
	else
		noise_more(&k->noise, m, n, KISS_NOISE);
	k->idle_at = kissframe_partial(&k->in) ? mono_add(now, IDLE_US) :
	    MONO_NEVER;
}

static void
tick(struct modem *m, struct mono now)
{
	struct kiss *k = (struct kiss *)m;

	if (mono_reached(now, k->idle_at)) {
		k->idle_at = MONO_NEVER;
		kissframe_drop(&k->in);
		m->out->count(m->arg, KISS_PARTIAL);
	}
	if (!k->up && mono_reached(now, k->up_at)) {
		k->up = true;
		tell_all(k);
		m->out->up(m->arg, 0, true);
		m->out->ready(m->arg, 0);
	}
	if (mono_reached(now, k->unlock_at)) {
		m->out->count(m->arg, KISS_FLOW_TIMEOUT);
		unlock(k, now);
	}
	beacon(k, now);
}

static struct mono
deadline(const struct modem *m)
{
	const struct kiss *k = (const struct kiss *)m;
	struct mono at = mono_min(k->idle_at, k->unlock_at);

	if (!k->up)
		at = mono_min(at, k->up_at);
	return k->locked ? at : mono_min(at, k->beacon_at);
}

static uint64_t
bitrate(const struct modem *m, unsigned port)
{
	(void)m;
	(void)port;
	return 0; /* it does not say */
}

static void
airtime(const struct modem *m, unsigned port, struct airtime *a)
{
	const struct kiss *k = (const struct kiss *)m;

	(void)port;
	a->frame_us = (k->conf.preamble_ms + k->conf.txtail_ms) * 1000;
	/* a slot ends its wait by a chance of (persistence + 1) in 256 */
	if (!k->conf.flow_control)
		a->silent_us = AIRTIME_SILENT_US + SLOTS * 256 /
		    (k->conf.persistence + 1u) * MAX_OF(MS_A_STEP,
		    MIN_OF(k->conf.slottime_ms, MS_A_STEP * UINT8_MAX)) * 1000;
	/* two flags and the checksum of AX.25, which a TNC adds */
	a->frame_bytes = 4 + (k->conf.ax25 ? AX25_HEADER : 0);
}

static const char *const reasons[] = {
	[KISS_PARTIAL] = "rx_partial",
	[KISS_SIZE] = "wrong_size",
	[KISS_COMMAND] = "rx_other_commands",
	[KISS_HEADER] = "rx_no_header",
	[KISS_FLOW_TIMEOUT] = "flow_timeouts",
	[KISS_NOISE] = "rx_noise",
	NULL,
};

static const struct modem_kind kiss_kind = {
	.opened = opened,
	.bytes = bytes,
	.tick = tick,
	.deadline = deadline,
	.takes = takes,
	.send = send,
	.bitrate = bitrate,
	.airtime = airtime,
	.reasons = reasons,
};

void
kiss_init(struct kiss *k, const struct kiss_conf *c, size_t limit)
{
	size_t head = c->ax25 ? AX25_HEADER : 0;

	memset(k, 0, sizeof(*k));
	k->m.kind = &kiss_kind;
	k->conf = *c;
	k->limit = MIN_OF(limit, KISS_MOST - head);
	k->up_at = k->idle_at = k->unlock_at = k->beacon_at = MONO_NEVER;
	kissframe_begin(&k->in, k->limit + head);
}
