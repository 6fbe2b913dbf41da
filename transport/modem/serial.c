/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/modem/serial.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/frame.h"

/* reticulum-transport.md 10.6 */
#define SETTLE_US (MONO_SECOND / 2)
#define IDLE_US (MONO_SECOND / 10)

static void
opened(struct modem *m, struct mono now)
{
	struct serial *s = (struct serial *)m;

	s->up = false;
	s->up_at = mono_add(now, SETTLE_US);
	s->idle_at = MONO_NEVER;
	deframer_drop(s->in);
	noise_over(&s->noise);
}

static void
bytes(struct modem *m, const uint8_t *p, size_t n, struct mono now)
{
	struct serial *s = (struct serial *)m;
	uint64_t dropped = rns_deframer_dropped(s->in);
	const uint8_t *packet;
	bool sense = false;
	size_t len;

	if (rns_deframer_feed(s->in, p, n) != RNS_OK) {
		m->out->fault(m->arg, SERIAL_MEMORY, "there is no memory for "
		    "what it sends");
		return;
	}
	for (; rns_deframer_next(s->in, &packet, &len); sense = true)
		m->out->packet(m->arg, 0, packet, len, NULL);
	if (sense)
		noise_over(&s->noise);
	else
		noise_more(&s->noise, m, n, SERIAL_NOISE);
	for (; dropped < rns_deframer_dropped(s->in); dropped++)
		m->out->count(m->arg, SERIAL_SIZE);
	s->idle_at = deframer_part(s->in) > 0 ? mono_add(now, IDLE_US) :
	    MONO_NEVER;
}

static void
tick(struct modem *m, struct mono now)
{
	struct serial *s = (struct serial *)m;

	if (mono_reached(now, s->idle_at)) {
		s->idle_at = MONO_NEVER;
		deframer_drop(s->in);
		m->out->count(m->arg, SERIAL_PARTIAL);
	}
	if (!s->up && mono_reached(now, s->up_at)) {
		s->up = true;
		m->out->up(m->arg, 0, true);
		m->out->ready(m->arg, 0);
	}
}

static struct mono
deadline(const struct modem *m)
{
	const struct serial *s = (const struct serial *)m;

	return s->up ? s->idle_at : mono_min(s->up_at, s->idle_at);
}

static bool
takes(const struct modem *m, unsigned port)
{
	return port == 0 && ((const struct serial *)m)->up;
}

static void
send(struct modem *m, unsigned port, const uint8_t *p, size_t n,
    struct mono now)
{
	struct serial *s = (struct serial *)m;

	(void)port;
	(void)now;
	if (n > s->limit)
		m->out->count(m->arg, SERIAL_SIZE);
	else
		m->out->write(m->arg, s->frame,
		    rns_frame(RNS_FRAME_HDLC, s->frame, p, n));
}

static uint64_t
bitrate(const struct modem *m, unsigned port)
{
	(void)m;
	(void)port;
	return 0; /* the cable does not say */
}

static void
airtime(const struct modem *m, unsigned port, struct airtime *a)
{
	(void)m;
	(void)port;
	a->byte_bits = 10; /* with start and stop */
	a->frame_bytes = 2;
	a->duplex = true;
	a->paced = false;  /* a cable makes who writes wait */
}

static const char *const reasons[] = {
	[SERIAL_PARTIAL] = "rx_partial",
	[SERIAL_SIZE] = "wrong_size",
	[SERIAL_MEMORY] = "no_memory",
	[SERIAL_NOISE] = "rx_noise",
	NULL,
};

static const struct modem_kind serial_kind = {
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

int
serial_init(struct serial *s, size_t limit)
{
	memset(s, 0, sizeof(*s));
	s->m.kind = &serial_kind;
	s->limit = limit;
	s->up_at = s->idle_at = MONO_NEVER;
	s->in = rns_deframer_new(RNS_FRAME_HDLC, limit);
	s->frame = malloc(rns_frame_max(RNS_FRAME_HDLC, limit));
	if (s->in != NULL && s->frame != NULL)
		return 0;
	serial_clear(s);
	return -1;
}

void
serial_clear(struct serial *s)
{
	rns_deframer_free(s->in);
	free(s->frame);
	s->in = NULL;
	s->frame = NULL;
}
