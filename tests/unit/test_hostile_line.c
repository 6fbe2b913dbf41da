/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices that are of no use, at full rate, in virtual time: noise, a line at
 * another speed, frames without an end, somebody else's protocol. Of each kind
 * of machine: it ends, says little, keeps no driver busy, and carries as soon
 * as the device comes to its senses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/util.h"
#include "transport/modem/kiss.h"
#include "transport/modem/rnode.h"
#include "transport/modem/serial.h"
#include "transport/modem/weave.h"

#define STEP_US 100000
#define STEP_BYTES 1152 /* of a step at 115,200 baud */
#define AGAIN_US (5 * MONO_SECOND)
#define TEN_MINUTES 6000 /* steps */

/* ---- a driver as line.c is one ---- */

static struct {
	struct modem *m;
	struct mono now, again; /* MONO_NEVER: it is open */
	bool up[MODEM_PORTS];
	unsigned opens, faults, remarks, packets, ticks;
	size_t written;
	uint8_t last[64]; /* packet */
	size_t len;
} d;

static void
on_write(void *arg, const uint8_t *p, size_t n)
{
	(void)arg;
	(void)p;
	d.written += n;
}

static void
on_packet(void *arg, unsigned port, const uint8_t *p, size_t n,
    const struct rns_signal *s)
{
	(void)arg;
	(void)s;
	assert_true(port < MODEM_PORTS);
	d.packets++;
	d.len = MIN_OF(n, sizeof(d.last));
	memcpy(d.last, p, d.len);
}

static void
on_up(void *arg, unsigned port, bool up)
{
	(void)arg;
	assert_true(port < MODEM_PORTS && d.up[port] != up);
	d.up[port] = up;
}

static void
on_ready(void *arg, unsigned port)
{
	(void)arg;
	(void)port;
}

static void
on_fault(void *arg, unsigned reason, const char *text)
{
	(void)arg;
	(void)reason;
	assert_true(text[0] != '\0');
	d.faults++;
	d.again = mono_add(d.now, AGAIN_US);
}

static void
on_count(void *arg, unsigned reason)
{
	(void)arg;
	assert_non_null(d.m->kind->reasons[reason]);
}

static void
on_remark(void *arg, unsigned reason, const char *text)
{
	(void)text;
	on_count(arg, reason);
	d.remarks++;
}

static const struct modem_out out = {.write = on_write, .packet = on_packet,
    .up = on_up, .ready = on_ready, .fault = on_fault, .count = on_count,
    .remark = on_remark};

static void
open_it(void)
{
	memset(d.up, 0, sizeof(d.up));
	d.again = MONO_NEVER;
	d.opens++;
	d.m->kind->opened(d.m, d.now);
}

/* Time goes on by one step; what is due on the way is done, and not for ever. */
static void
step(void)
{
	const struct mono end = mono_add(d.now, STEP_US);
	struct mono t;

	for (unsigned n = 0; d.again.us == MONO_NEVER.us &&
	    mono_reached(end, t = d.m->kind->deadline(d.m)); n++) {
		assert_true(n < 10);
		d.now = t.us > d.now.us ? t : d.now;
		d.ticks++;
		d.m->kind->tick(d.m, d.now);
	}
	d.now = end;
	if (mono_reached(d.now, d.again))
		open_it();
}

static void
says(const void *p, size_t n)
{
	if (d.again.us == MONO_NEVER.us)
		d.m->kind->bytes(d.m, p, n, d.now);
}

/* ---- the machines ---- */

static struct serial serial;
static struct kiss kiss;
static struct rnode rnode;
static struct weave weave;

static void
sign(void *arg, uint8_t sig[64], const uint8_t *p, size_t n)
{
	(void)arg;
	(void)p;
	(void)n;
	memset(sig, 1, 64);
}

/* Real ones do not sign by chance. */
static bool
verify(void *arg, const uint8_t pub[32], const uint8_t sig[64],
    const uint8_t *p, size_t n)
{
	uint8_t want[64];

	(void)arg;
	(void)pub;
	(void)p;
	(void)n;
	memset(want, 1, sizeof(want));
	return memcmp(sig, want, sizeof(want)) == 0;
}

static const struct weave_keys keys = {.pub = {[28] = 1, 2, 3, 4},
    .sign = sign, .verify = verify};

static struct modem *
make_serial(void)
{
	assert_int_equal(serial_init(&serial, SERIAL_MTU), 0);
	return &serial.m;
}

static struct modem *
make_tnc(bool flow, bool ax25)
{
	struct kiss_conf c = {.preamble_ms = 350, .txtail_ms = 20,
	    .slottime_ms = 20, .persistence = 64, .flow_control = flow,
	    .id_interval_us = MONO_SECOND, .id_callsign = "N0CALL"};

	if (ax25)
		c.ax25 = ax25_header(c.header, "N0CALL", 1);
	kiss_init(&kiss, &c, KISS_MTU);
	return &kiss.m;
}

static struct modem *
make_kiss(void)
{
	return make_tnc(false, false);
}

static struct modem *
make_ax25(void)
{
	return make_tnc(true, true);
}

static struct modem *
make_radio(bool multi)
{
	struct rnode_conf c = {.multi = multi, .nradios = multi ? 2 : 1,
	    .want = {{.frequency = 868200000, .bandwidth = 125000,
	    .txpower = 7, .sf = 8, .cr = 5}, {.vport = 1,
	    .frequency = 2412000000, .bandwidth = 812500, .txpower = 7,
	    .sf = 8, .cr = 5}}};

	rnode_init(&rnode, &c, &out, NULL);
	return &rnode.m;
}

static struct modem *
make_rnode(void)
{
	return make_radio(false);
}

static struct modem *
make_multi(void)
{
	return make_radio(true);
}

static struct modem *
make_weave(void)
{
	assert_int_equal(weave_init(&weave, &keys), 0);
	return &weave.m;
}

/* ---- the device comes to its senses ---- */

static const uint8_t packet[] = {0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
    13, 14, 15, 16, 17, 18, 'h', 'i'};

static void
good_serial(void)
{
	uint8_t frame[100];

	says(frame, rns_frame(RNS_FRAME_HDLC, frame, packet, sizeof(packet)));
}

static void
good_kiss(void)
{
	uint8_t frame[100];

	says(frame, rns_frame(RNS_FRAME_KISS, frame, packet, sizeof(packet)));
}

static void
good_ax25(void)
{
	uint8_t whole[AX25_HEADER + sizeof(packet)] = {0}, frame[100];

	memcpy(whole + AX25_HEADER, packet, sizeof(packet));
	says(frame, rns_frame(RNS_FRAME_KISS, frame, whole, sizeof(whole)));
}

/* As one that echoes what it is told; again until it was opened anew. */
static void
good_rnode(void)
{
	static const uint8_t answers[] = "\xc0\x08\x46\xc0\xc0\x50\x01\x4a\xc0"
	    "\xc0\x71\x00\x11\xc0\xc0\x71\x01\x21\xc0", echoes[] =
	    "\xc0\x1f\x00\xc0\xc0\x01\x33\xbf\xae\x40\xc0"
	    "\xc0\x02\x00\x01\xe8\x48\xc0\xc0\x03\x07\xc0\xc0\x04\x08\xc0"
	    "\xc0\x05\x05\xc0\xc0\x06\x01\xc0";
	uint8_t frame[100];

	if (!d.up[0] && rnode.life.state == RNODE_ASKED)
		says(answers, sizeof(answers) - 1);
	if (!d.up[0])
		says(echoes, sizeof(echoes) - 1);
	says("\xc0\x1f\x00\xc0", 4);
	says(frame, rns_frame(RNS_FRAME_KISS, frame, packet, sizeof(packet)));
}

static void
say_weave(uint8_t type, const uint8_t *p, size_t n)
{
	uint8_t raw[200] = {1, 2, 3, 4, type}, frame[400];

	memcpy(raw + 5, p, n);
	says(frame, rns_frame(RNS_FRAME_HDLC, frame, raw, 5 + n));
}

static void
good_weave(void)
{
	uint8_t proof[96] = {7}, alive[17] = {[6] = 6, [7] = 0x31, [8] = 2};
	uint8_t joined[9] = {[7] = 0x30, [8] = 2}, data[sizeof(packet) + 8];

	memset(proof + 32, 1, 64);
	say_weave(0, proof, sizeof(proof));
	say_weave(3, joined, sizeof(joined));
	say_weave(3, alive, sizeof(alive));
	memcpy(data, packet, sizeof(packet));
	memset(data + sizeof(packet), 0, 8);
	say_weave(5, data, sizeof(data));
}

static const struct machine {
	const char *name;
	struct modem *(*make)(void);
	void (*good)(void);
	size_t says; /* bytes of each opening, at most */
	bool tells;  /* a person, that nothing of sense comes */
} machines[] = {
	{"serial", make_serial, good_serial, 0, true},
	{"kiss", make_kiss, good_kiss, 20, true},
	{"ax25", make_ax25, good_ax25, 20, true},
	/* asked five times, set up each time */
	{"rnode", make_rnode, good_rnode, 5 * 80, false},
	{"multi", make_multi, good_rnode, 5 * 200, false},
	{"weave", make_weave, good_weave, 3 * (11 + 2 * 110), false},
};

/* ---- what comes ---- */

static uint32_t seed;

static uint8_t
chance(void)
{
	seed = seed * 1664525 + 1013904223;
	return (uint8_t)(seed >> 24);
}

static void
any_bytes(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = chance();
}

static void
endless(uint8_t *p, size_t n)
{
	memset(p, 'x', n);
}

static void
flags(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = i % 3 == 0 ? 0xc0 : 0x7e;
}

static void
escapes(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t[]){0xdb, 0x7d, 0xc0, 0x00, 0x7e}[chance() % 5];
}

/*
 * What a receiver at 115,200 baud makes of somebody who sends text at 9600:
 * twelve of its bits for each of his, and it takes each fall of the line for
 * the beginning of a byte.
 */
static void
too_slow(uint8_t *p, size_t n)
{
	static unsigned level[120], at = 120; /* of his byte */
	size_t made = 0;

	while (made < n) {
		uint8_t byte = 0;

		for (unsigned i = 0; i < 10; i++) { /* its start, bits, stop */
			if (at == 120) {
				const unsigned c = ' ' + chance() % 64u;

				for (unsigned k = 0; k < 120; k++)
					level[k] = k < 12 ? 0 : k >= 108 ? 1 :
					    c >> (k / 12 - 1) & 1;
				at = 0;
			}
			if (i > 0 && i < 9)
				byte = (uint8_t)(byte | level[at] << (i - 1));
			/* idle until the line falls */
			if (i == 0 && level[at] != 0)
				i--;
			at++;
		}
		p[made++] = byte;
	}
}

/* Of a frame each twelfth bit: he is twelve times as fast. */
static void
too_fast(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(chance() % 4 == 0 ? 0xff : 0xf0 |
		    (chance() & 8));
}

static const struct {
	const char *name;
	void (*make)(uint8_t *, size_t);
	bool silly; /* no frame in it at all */
} noises[] = {
	{"noise", any_bytes, false}, {"endless", endless, true},
	{"flags", flags, false}, {"escapes", escapes, false},
	{"too slow", too_slow, true}, {"too fast", too_fast, true},
};

/* ---- the rows ---- */

static void
begin(const struct machine *m)
{
	memset(&d, 0, sizeof(d));
	d.now = (struct mono){MONO_SECOND};
	seed = 12345;
	d.m = m->make();
	d.m->out = &out;
	open_it();
}

static void
end(void)
{
	if (d.m == &serial.m)
		serial_clear(&serial);
	if (d.m == &weave.m)
		weave_clear(&weave);
}

static void
senses(const struct machine *m, const char *what)
{
	/* it may be closed, and a frame that has begun is given up */
	for (unsigned i = 0; i < 2 * AGAIN_US / STEP_US && d.len !=
	    sizeof(packet); i++) {
		step();
		d.packets = 0;
		d.len = 0;
		if (i >= 2)
			m->good();
	}
	if (d.len != sizeof(packet) || memcmp(d.last, packet, d.len) != 0)
		fail_msg("%s does not carry after %s", m->name, what);
}

static void
row(const struct machine *m, size_t k, unsigned steps)
{
	uint8_t buf[STEP_BYTES];

	begin(m);
	for (unsigned i = 0; i < steps; i++) {
		noises[k].make(buf, sizeof(buf));
		says(buf, sizeof(buf));
		step();
	}
	/* nobody is kept busy: a few things a step, a few words an opening */
	if (d.ticks > 4 * steps || d.written > m->says * d.opens ||
	    d.opens > 2 + steps * STEP_US / AGAIN_US)
		fail_msg("%s, %s: %u ticks, %zu bytes, %u openings", m->name,
		    noises[k].name, d.ticks, d.written, d.opens);
	if (m->tells && noises[k].silly && (d.remarks == 0 || d.packets > 0))
		fail_msg("%s, %s: %u remarks, %u packets", m->name,
		    noises[k].name, d.remarks, d.packets);
	if (m->tells && d.faults > 0)
		fail_msg("%s, %s: closed, and it may get better", m->name,
		    noises[k].name);
	senses(m, noises[k].name);
	end();
}

static void
every_noise(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(machines); i++)
		for (size_t k = 0; k < NELEM(noises); k++)
			row(&machines[i], k, 300);
}

static void
ten_minutes(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(machines); i++)
		row(&machines[i], 0, TEN_MINUTES);
}

/* A device that never says a word: asked each time, told why, for an hour. */
static void
never_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(machines); i++) {
		begin(&machines[i]);
		for (unsigned k = 0; k < 36000; k++)
			step();
		/* a cable and a TNC need not say anything */
		assert_int_equal(d.faults == 0, machines[i].tells);
		assert_true(d.opens <= 3600 / 5 && d.ticks <= 4 * d.opens);
		assert_int_equal(d.remarks, 0);
		senses(&machines[i], "an hour of silence");
		end();
	}
}

/* A TNC that is idle but for its word that it is ready. */
static void
no_false_alarm(void **state)
{
	(void)state;
	begin(&machines[2]);
	for (unsigned i = 0; i < 5000; i++) {
		says("\xc0\x0f\x01\xc0", 4);
		step();
	}
	assert_int_equal(d.remarks, 0);
	/* and one that is used by others: its packets are some */
	for (unsigned i = 0; i < 5000; i++) {
		good_ax25();
		step();
	}
	assert_int_equal(d.remarks, 0);
	assert_int_equal(d.packets, 5000);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_noise),
		cmocka_unit_test(ten_minutes),
		cmocka_unit_test(never_answers),
		cmocka_unit_test(no_false_alarm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
