/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What comes over a serial line, and when: a cable, a TNC with and without
 * flow control, with headers of AX.25. The first byte says which; then each
 * byte below 0x80 is a length of bytes that follow, one above it time that
 * passes, 0xff a packet to send.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "transport/modem/kiss.h"
#include "transport/modem/serial.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define LIMIT 564

static unsigned frames;

static void
on_write(void *arg, const uint8_t *p, size_t n)
{
	(void)arg;
	/* whole frames */
	if (n < 2 || p[0] != p[n - 1])
		abort();
	frames++;
}

static void
on_packet(void *arg, unsigned port, const uint8_t *p, size_t n,
    const struct rns_signal *signal)
{
	static uint8_t copy[LIMIT];

	(void)arg;
	(void)signal;
	if (port != 0 || n == 0 || n > LIMIT)
		abort();
	memcpy(copy, p, n);
}

static void
on_up(void *arg, unsigned port, bool up)
{
	(void)arg;
	if (port != 0 || !up)
		abort();
}

static void
on_ready(void *arg, unsigned port)
{
	struct modem *m = arg;

	if (!m->kind->takes(m, port))
		abort();
}

static void
on_count(void *arg, unsigned reason)
{
	const struct modem *m = arg;

	for (unsigned i = 0; i <= reason; i++)
		if (m->kind->reasons[i] == NULL)
			abort();
}

static void
on_fault(void *arg, unsigned reason, const char *text)
{
	on_count(arg, reason);
	if (*text == '\0')
		abort();
}

static const struct modem_out out = {
	.write = on_write,
	.packet = on_packet,
	.up = on_up,
	.ready = on_ready,
	.fault = on_fault,
	.count = on_count,
};

static struct mono
pass(struct modem *m, struct mono now, int64_t us)
{
	struct mono end = mono_add(now, us);

	for (unsigned i = 0; mono_reached(end, m->kind->deadline(m)); i++) {
		if (i > 10000)
			abort(); /* a deadline that tick() does not meet */
		if (mono_reached(m->kind->deadline(m), now))
			now = m->kind->deadline(m);
		m->kind->tick(m, now);
	}
	return end;
}

static void
run(struct modem *m, const uint8_t *p, size_t n)
{
	static const uint8_t packet[LIMIT] = {0xc0, 0x7e, 0xdb, 0x7d};
	struct mono now = {MONO_SECOND};

	m->out = &out;
	m->arg = m;
	m->kind->opened(m, now);
	while (n > 0) {
		uint8_t op = *p++;

		n--;
		if (op == 0xff && m->kind->takes(m, 0)) {
			frames = 0;
			m->kind->send(m, 0, packet, LIMIT, now);
			if (frames != 1)
				abort();
		} else if (op >= 0x80) {
			now = pass(m, now, (op & 0x7f) * (MONO_SECOND / 40));
		} else {
			size_t len = op < n ? op : n;

			m->kind->bytes(m, p, len, now);
			p += len;
			n -= len;
		}
	}
	/* whatever came: it takes packets again */
	for (unsigned i = 0; !m->kind->takes(m, 0); i++) {
		if (i > 20)
			abort();
		now = pass(m, now, MONO_SECOND / 2);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct kiss_conf c = {.preamble_ms = 350, .txtail_ms = 20,
	    .slottime_ms = 20, .persistence = 64};
	static struct kiss k;
	struct serial s;

	if (n == 0)
		return 0;
	if (data[0] % 2 == 0) {
		if (serial_init(&s, LIMIT) < 0)
			return 0;
		run(&s.m, data + 1, n - 1);
		serial_clear(&s);
		return 0;
	}
	c.flow_control = (data[0] & 2) != 0;
	c.ax25 = (data[0] & 4) != 0 && ax25_header(c.header, "abc", 1);
	if ((data[0] & 8) != 0) {
		c.id_interval_us = 7 * MONO_SECOND;
		memcpy(c.id_callsign, "0123456789abcdef", data[0] & 16 ? 16 :
		    6);
	}
	kiss_init(&k, &c, LIMIT);
	run(&k.m, data + 1, n - 1);
	return 0;
}
