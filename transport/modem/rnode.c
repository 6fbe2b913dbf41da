/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/modem/rnode.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "transport/modem/rnode_error.h"

/* Waits, reticulum-transport.md 10.8; "longest" is ours unless it is TCP's */
#define MS INT64_C(1000)
#define SETTLE_US (2000 * MS)
#define DETECT_US (200 * MS)
#define DETECT_LONGEST_US (2500 * MS)
#define DETECT_LONGEST_TCP_US (5000 * MS)
#define SETUP_US (250 * MS)
#define SETUP_TCP_US (1500 * MS)
#define SETUP_LONGER_US (2250 * MS) /* for what is not said yet */
#define CALM_US (300 * MS)
#define PAUSE_US (2000 * MS) /* reticulum-transport.md 10.9 */
#define ALIVE_US (3500 * MS) /* without a word to a device behind TCP */
#define UNANSWERED_MOST 4
#define AGAIN_US (60000 * MS) /* ours: one of several that failed */
#define RESTARTS_MOST 4 /* ours: before a radio is up, of one opening */

#define FW_MAJOR 1
#define FW_MINOR 52
#define FW_MINOR_MULTI 74
#define ESP32 0x80
#define NRF52 0x70

#define OUT_MAX 640 /* of all that is said at once, RNODE_SETUP_MAX twice */

static const char *const reasons[] = {
#define RNODE_REASON_TEXT(name, text) text,
	RNODE_REASON_LIST(RNODE_REASON_TEXT)
#undef RNODE_REASON_TEXT
	NULL,
};

/* ---- what the driver hears ---- */

static void
say(struct rnode *r, const struct wr *w, struct mono now)
{
	r->written = now;
	r->m.out->write(r->m.arg, w->buf, w->len);
}

static void
count(struct rnode *r, enum rnode_reason reason)
{
	if (r->m.out->count != NULL)
		r->m.out->count(r->m.arg, reason);
}

static void
set_up(struct rnode *r, unsigned port, bool up)
{
	if (r->radio[port].up == up)
		return;
	r->radio[port].up = up;
	/* who is down owes no word that it is ready */
	r->radio[port].full = false;
	r->radio[port].unheard = MONO_NEVER;
	r->m.out->up(r->m.arg, port, up);
}

/* False: it is already. */
static bool
shut(struct rnode *r)
{
	if (!rnode_set_state(&r->life, RNODE_CLOSED))
		return false;
	r->at = r->limit = r->again = MONO_NEVER;
	for (unsigned i = 0; i < r->conf.nradios; i++)
		set_up(r, i, false);
	return true;
}

static void fault(struct rnode *, enum rnode_reason, const char *, ...)
    __attribute__((format(printf, 3, 4)));

/* Nothing is heard of the line any more until it is opened again. */
static void
fault(struct rnode *r, enum rnode_reason reason, const char *fmt, ...)
{
	char text[240];
	va_list ap;

	if (!shut(r))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->m.out->fault(r->m.arg, reason, text);
}

/* ---- radios, one after the other ---- */

static void
setup(struct rnode *r, struct mono now)
{
	struct rnode_radio *radio = &r->radio[r->turn];
	uint8_t buf[OUT_MAX];
	struct wr w = wr_make(buf, sizeof(buf));

	if (!rnode_set_state(&r->life, RNODE_SETUP))
		return;
	rnode_radio_reset(radio);
	rnode_radio_setup(radio, r->conf.multi, &w);
	r->at = mono_add(now, r->conf.tcp ? SETUP_TCP_US : SETUP_US);
	r->limit = mono_add(r->at, SETUP_LONGER_US);
	say(r, &w, now);
}

/* The next that is not up begins, or all are. */
static void
go_on(struct rnode *r, unsigned from, const char *why, struct mono now)
{
	unsigned up = 0;

	for (r->turn = from; r->turn < r->conf.nradios; r->turn++)
		if (!r->radio[r->turn].up) {
			if (rnode_set_state(&r->life, RNODE_PAUSE))
				r->at = mono_add(now, PAUSE_US);
			return;
		}
	r->again = r->at = MONO_NEVER;
	for (unsigned i = 0; i < r->conf.nradios; i++) {
		up += r->radio[i].up;
		if (r->radio[i].failed)
			r->again = mono_add(now, AGAIN_US);
	}
	if (up == 0)
		fault(r, RNODE_REASON_SETTINGS, "%s", why);
	else
		(void)rnode_set_state(&r->life, RNODE_RUN);
}

/* This radio is not what it should be; of several the others go on. */
static void
refuse(struct rnode *r, const char *why, struct mono now)
{
	if (!r->conf.multi) {
		fault(r, RNODE_REASON_SETTINGS, "%s", why);
		return;
	}
	r->radio[r->turn].failed = true;
	if (r->m.out->trouble != NULL)
		r->m.out->trouble(r->m.arg, r->turn, RNODE_REASON_SETTINGS,
		    why);
	go_on(r, r->turn + 1, why, now);
}

static void
pause_over(struct rnode *r, struct mono now)
{
	const struct rnode_want *c = &r->radio[r->turn].want;
	char why[160];

	if (c->vport >= r->nchips)
		(void)snprintf(why, sizeof(why), "vport %u: the device has %u, "
		    "from 0 on", c->vport, r->nchips);
	else if (!rnode_chip_takes(r->chips[c->vport], c->frequency))
		(void)snprintf(why, sizeof(why), "the radio of vport %u cannot "
		    "be set to %u Hz: write another frequency, or vport",
		    c->vport, c->frequency);
	else {
		setup(r, now);
		return;
	}
	refuse(r, why, now);
}

static void
look_at_setup(struct rnode *r, struct mono now)
{
	char why[160];

	if (!mono_reached(now, r->at))
		return;
	switch (rnode_radio_check(&r->radio[r->turn], why, sizeof(why))) {
	case RNODE_CHECK_OK:
		if (rnode_set_state(&r->life, RNODE_CALM))
			r->at = mono_add(now, CALM_US);
		return;
	case RNODE_CHECK_MISSING:
	case RNODE_CHECK_WRONG: /* it may speak of what it was before */
	default:
		if (mono_reached(now, r->limit))
			refuse(r, why, now);
		return;
	}
}

static void
calm_over(struct rnode *r, struct mono now)
{
	const unsigned port = r->turn;
	char why[160];

	/* what it said last counts */
	if (rnode_radio_check(&r->radio[port], why, sizeof(why)) !=
	    RNODE_CHECK_OK) {
		refuse(r, why, now);
		return;
	}
	set_up(r, port, true);
	go_on(r, port + 1, "", now);
}

/* ---- is it an RNode ---- */

static void
detect(struct rnode *r, struct mono now)
{
	/* frames share what is between them, as the reference writes them */
	static const uint8_t ask[] = {0xc0, RNODE_DETECT, RNODE_DETECT_ASK,
	    0xc0, RNODE_FW_VERSION, 0, 0xc0, RNODE_PLATFORM, 0, 0xc0,
	    RNODE_MCU, 0, 0xc0, RNODE_INTERFACES, 0, 0xc0};
	const size_t len = r->conf.multi ? sizeof(ask) : sizeof(ask) - 3;
	const struct wr w = {(uint8_t *)(uintptr_t)ask, len, len, false};

	if (!rnode_set_state(&r->life, RNODE_ASKED))
		return;
	r->detected = r->has_firmware = false;
	r->platform = 0;
	r->nchips = r->chosen = 0;
	r->at = mono_add(now, DETECT_US);
	r->limit = mono_add(now, r->conf.tcp ? DETECT_LONGEST_TCP_US :
	    DETECT_LONGEST_US);
	say(r, &w, now);
}

/* All that is needed to go on. */
static bool
answered(const struct rnode *r)
{
	return r->detected && r->has_firmware &&
	    (!r->conf.multi || r->nchips > 0);
}

static void
look_at_answers(struct rnode *r, struct mono now)
{
	const unsigned minor = r->conf.multi ? FW_MINOR_MULTI : FW_MINOR;

	if (!mono_reached(now, r->at) ||
	    (!answered(r) && !mono_reached(now, r->limit)))
		return;
	if (!r->detected)
		fault(r, RNODE_REASON_SILENT, "nothing answers there as an "
		    "RNode does: is it the right port, and is its firmware "
		    "installed?");
	else if (r->has_firmware && (r->major < FW_MAJOR ||
	    (r->major == FW_MAJOR && r->minor < minor)))
		fault(r, RNODE_REASON_FIRMWARE, "its firmware is %u.%02u and "
		    "%u.%02u is needed: update it with rnodeconf --update",
		    r->major, r->minor, FW_MAJOR, minor);
	else if (r->conf.multi && r->nchips == 0)
		fault(r, RNODE_REASON_FIRMWARE, "the device does not say what "
		    "radios it has: is it one with several?");
	else if (r->conf.multi)
		go_on(r, 0, "no radio is configured", now);
	else
		setup(r, now);
}

/* ---- what it says ---- */

/* The radio that the device speaks of now; NULL: none of ours. */
static struct rnode_radio *
spoken_of(struct rnode *r)
{
	for (unsigned i = 0; i < r->conf.nradios; i++)
		if (!r->conf.multi || r->radio[i].want.vport == r->chosen)
			return &r->radio[i];
	return NULL;
}

static void
take_packet(struct rnode *r)
{
	const struct rnode_radio *radio = spoken_of(r);

	if (r->in.over) {
		count(r, RNODE_REASON_TOO_LONG);
		return;
	}
	if (radio == NULL || !radio->up) {
		count(r, RNODE_REASON_ASTRAY);
		return;
	}
	r->m.out->packet(r->m.arg, (unsigned)(radio - r->radio), r->in.buf,
	    r->in.len, radio->signal.has != 0 ? &radio->signal : NULL);
}

static void
takes_again(struct rnode *r, unsigned port)
{
	if (!r->radio[port].full)
		return;
	r->radio[port].full = false;
	r->m.out->ready(r->m.arg, port);
}

/* The device takes the next packet, of each radio. */
static void
take_ready(struct rnode *r)
{
	for (unsigned i = 0; i < r->conf.nradios; i++) {
		r->radio[i].late = 0;
		takes_again(r, i);
	}
}

/*
 * Its word that it is ready was lost, or is one that it does not have. Who has
 * not said a byte to several packets has fallen silent for good.
 */
static void
never_ready(struct rnode *r, struct mono now)
{
	for (unsigned i = 0; i < r->conf.nradios; i++) {
		if (!rnode_radio_unheard(&r->radio[i], now))
			continue;
		count(r, RNODE_REASON_READY);
		if (!r->conf.tcp && r->unanswered++ >= UNANSWERED_MOST) {
			fault(r, RNODE_REASON_LOST, "the device answers no "
			    "more");
			return;
		}
		r->radio[i].late++;
		takes_again(r, i);
	}
}

static void
take_error(struct rnode *r, uint8_t code)
{
	struct rnode_error e;
	char buf[80];

	if (!r->detected) /* it may be none, and say so by chance */
		return;
	rnode_error_of(code, &e, buf, sizeof(buf));
	if (e.ends)
		fault(r, e.reason, "%s", e.text);
	else if (r->m.out->remark != NULL)
		r->m.out->remark(r->m.arg, e.reason, e.text);
	else
		count(r, e.reason);
}

/*
 * The reference goes by it on an ESP32 alone, and stays up on others, whose
 * radios are off from then on: who has restarted has to be told all anew. One
 * that starts when its port is opened, and takes longer than it is waited for,
 * is asked again at once: closed and opened it would start again.
 */
static void
take_restart(struct rnode *r, uint8_t byte, struct mono now)
{
	bool online = false;

	if (byte != RNODE_RESTARTED_BYTE)
		return;
	for (unsigned i = 0; i < r->conf.nradios; i++)
		online = online || r->radio[i].up;
	if (online || r->restarts >= RESTARTS_MOST) {
		fault(r, RNODE_REASON_RESTART, "the device has restarted");
		return;
	}
	r->restarts++;
	count(r, RNODE_REASON_RESTART);
	detect(r, now);
}

static void
take_chip(struct rnode *r)
{
	/* "index, type", in the order of vports */
	if (r->nchips < RNODE_RADIOS && r->in.buf[0] == r->nchips)
		r->chips[r->nchips++] = r->in.buf[1];
}

/* What is the device's, not of a radio. */
static bool
take_device(struct rnode *r, struct mono now)
{
	const uint8_t *v = r->in.buf;

	switch (r->in.cmd) {
	case RNODE_DETECT:
		r->detected = r->detected || v[0] == RNODE_DETECT_ANSWER;
		return true;
	case RNODE_FW_VERSION:
		r->major = v[0];
		r->minor = v[1];
		r->has_firmware = true;
		return true;
	case RNODE_PLATFORM:
		r->platform = v[0];
		return true;
	case RNODE_MCU:
		return true;
	case RNODE_INTERFACES:
		take_chip(r);
		return true;
	case RNODE_STAT_BAT:
		r->has_battery = true;
		r->battery = v[0] <= RNODE_BATTERY_CHARGED ?
		    (enum rnode_battery)v[0] : RNODE_BATTERY_OTHER;
		r->battery_percent = MIN_OF(v[1], 100);
		return true;
	case RNODE_SEL_INT:
		r->chosen = v[0];
		return true;
	case RNODE_READY:
		take_ready(r);
		return true;
	case RNODE_ERROR:
		take_error(r, v[0]);
		return true;
	case RNODE_RESET:
		take_restart(r, v[0], now);
		return true;
	default:
		return false;
	}
}

/* One that was up and says that it is off sends nothing any more. */
static void
radio_off(struct rnode *r, struct rnode_radio *radio, struct mono now)
{
	static const char text[] = "the device has switched its radio off";
	const unsigned port = (unsigned)(radio - r->radio);

	if (!r->conf.multi) {
		fault(r, RNODE_REASON_OFF, "%s", text);
		return;
	}
	set_up(r, port, false);
	radio->failed = true;
	r->again = mono_min(r->again, mono_add(now, AGAIN_US));
	if (r->m.out->trouble != NULL)
		r->m.out->trouble(r->m.arg, port, RNODE_REASON_OFF, text);
}

static void
take_frame(struct rnode *r, struct mono now)
{
	struct rnode_radio *radio;

	if (r->in.cmd == RNODE_DATA) {
		take_packet(r);
		return;
	}
	if (take_device(r, now) || (radio = spoken_of(r)) == NULL)
		return;
	(void)rnode_radio_take(radio, &r->in, now);
	if (r->in.cmd == RNODE_RADIO_STATE && radio->up && radio->state == 0)
		radio_off(r, radio, now);
}

/* ---- struct modem_kind ---- */

static int64_t
silence_us(const struct rnode *r)
{
	return r->conf.tcp ? RNODE_FRAME_TCP_US : RNODE_FRAME_US;
}

static void
rnode_opened(struct modem *m, struct mono now)
{
	struct rnode *r = (struct rnode *)m;

	if (!rnode_set_state(&r->life, RNODE_SETTLE))
		return;
	r->in.state = RNODE_IN_NONE;
	r->in.escape = false;
	r->has_battery = false;
	r->turn = r->unanswered = r->restarts = 0;
	r->at = mono_add(now, SETTLE_US);
	r->limit = r->again = MONO_NEVER;
	for (unsigned i = 0; i < r->conf.nradios; i++) {
		set_up(r, i, false);
		rnode_radio_reset(&r->radio[i]);
	}
}

/* What waits for an answer looks whether it has come. */
static void
look(struct rnode *r, struct mono now)
{
	if (r->life.state == RNODE_ASKED)
		look_at_answers(r, now);
	else if (r->life.state == RNODE_SETUP)
		look_at_setup(r, now);
}

static void
send_frame(struct rnode *r, struct rnode_radio *radio, const uint8_t *p,
    size_t n, struct mono now)
{
	uint8_t buf[RNODE_FRAME_MAX + 8];
	struct wr w = wr_make(buf, sizeof(buf));

	if (r->conf.multi)
		rnode_put_u8(&w, RNODE_SEL_INT, (uint8_t)radio->want.vport);
	rnode_put(&w, RNODE_DATA, p, n);
	rnode_radio_given(radio, n, now);
	say(r, &w, now);
}

static struct mono
beacon_due(const struct rnode_radio *radio)
{
	/* with flow control it has its turn, too */
	return radio->up && !radio->full ? radio->beacon : MONO_NEVER;
}

/* False: it is due later, for what limits the radio's airtime. */
static bool
beacon_may(struct rnode *r, unsigned port, struct mono now)
{
	struct rnode_radio *radio = &r->radio[port];
	struct mono at = now;

	if (r->m.out->beacon_at != NULL)
		at = r->m.out->beacon_at(r->m.arg, port,
		    strlen(r->conf.callsign));
	radio->held = at.us != MONO_NEVER.us && !mono_reached(now, at);
	radio->beacon = radio->held ? mono_min(at, mono_add(now,
	    MODEM_ASK_AGAIN)) : MONO_NEVER;
	return mono_reached(now, at);
}

static void
beacons(struct rnode *r, struct mono now)
{
	const size_t len = r->conf.callsign != NULL ?
	    strlen(r->conf.callsign) : 0;

	for (unsigned i = 0; i < r->conf.nradios; i++) {
		if (!mono_reached(now, beacon_due(&r->radio[i])) ||
		    !beacon_may(r, i, now))
			continue;
		send_frame(r, &r->radio[i], (const uint8_t *)r->conf.callsign,
		    len, now);
		if (r->m.out->beacon != NULL)
			r->m.out->beacon(r->m.arg, i, len);
	}
}

static void
rnode_bytes(struct modem *m, const uint8_t *p, size_t n, struct mono now)
{
	struct rnode *r = (struct rnode *)m;

	/* a device that starts says what it likes */
	if (r->life.state == RNODE_CLOSED || r->life.state == RNODE_SETTLE ||
	    n == 0)
		return;
	r->unanswered = 0;
	if (rnode_in_expire(&r->in, now, silence_us(r)))
		count(r, RNODE_REASON_CUT);
	r->in.last = now;
	for (size_t i = 0; i < n && r->life.state != RNODE_CLOSED; i++)
		if (rnode_in_byte(&r->in, p[i]))
			take_frame(r, now);
	look(r, now);
	beacons(r, now); /* before what waits for the same word */
}

/* A device behind TCP leaves who says nothing, and so does a dead one. */
static struct mono
alive_due(const struct rnode *r)
{
	return r->conf.tcp && r->life.state != RNODE_CLOSED &&
	    r->life.state != RNODE_SETTLE ? mono_add(r->written, ALIVE_US) :
	    MONO_NEVER;
}

static void
alive(struct rnode *r, struct mono now)
{
	uint8_t buf[8];
	struct wr w = wr_make(buf, sizeof(buf));

	if (!mono_reached(now, alive_due(r)))
		return;
	if (r->unanswered++ >= UNANSWERED_MOST) {
		fault(r, RNODE_REASON_LOST, "the device answers no more");
		return;
	}
	rnode_put_u8(&w, RNODE_DETECT, RNODE_DETECT_ASK);
	say(r, &w, now);
}

static void
once_more(struct rnode *r, struct mono now)
{
	if (r->life.state == RNODE_RUN && mono_reached(now, r->again))
		go_on(r, 0, "", now);
}

static void
rnode_tick(struct modem *m, struct mono now)
{
	struct rnode *r = (struct rnode *)m;

	if (rnode_in_expire(&r->in, now, silence_us(r)))
		count(r, RNODE_REASON_CUT);
	look(r, now);
	if (mono_reached(now, r->at)) {
		if (r->life.state == RNODE_SETTLE)
			detect(r, now);
		else if (r->life.state == RNODE_PAUSE)
			pause_over(r, now);
		else if (r->life.state == RNODE_CALM)
			calm_over(r, now);
	}
	once_more(r, now);
	never_ready(r, now);
	beacons(r, now);
	alive(r, now);
}

static struct mono
state_due(const struct rnode *r)
{
	char why[160];

	switch (r->life.state) {
	case RNODE_SETTLE:
	case RNODE_PAUSE:
	case RNODE_CALM:
		return r->at;
	case RNODE_ASKED:
		return answered(r) ? r->at : r->limit;
	case RNODE_SETUP:
		return rnode_radio_check(&r->radio[r->turn], why,
		    sizeof(why)) == RNODE_CHECK_OK ? r->at : r->limit;
	case RNODE_RUN:
		return r->again;
	case RNODE_CLOSED:
	case RNODE_STATE_COUNT:
	default:
		return MONO_NEVER;
	}
}

static struct mono
rnode_deadline(const struct modem *m)
{
	const struct rnode *r = (const struct rnode *)m;
	struct mono t = mono_min(state_due(r), alive_due(r));

	if (r->life.state == RNODE_CLOSED)
		return MONO_NEVER;
	t = mono_min(t, rnode_in_deadline(&r->in, silence_us(r)));
	for (unsigned i = 0; i < r->conf.nradios; i++)
		t = mono_min(t, r->radio[i].full ? r->radio[i].unheard :
		    beacon_due(&r->radio[i]));
	return t;
}

static bool
rnode_takes(const struct modem *m, unsigned port)
{
	const struct rnode *r = (const struct rnode *)m;

	return port < r->conf.nradios && r->radio[port].up &&
	    !r->radio[port].full && !r->radio[port].held;
}

static void
rnode_send(struct modem *m, unsigned port, const uint8_t *p, size_t n,
    struct mono now)
{
	struct rnode *r = (struct rnode *)m;
	struct rnode_radio *radio;

	if (!rnode_takes(m, port))
		return;
	if (n > RNODE_MTU || n == 0) {
		count(r, RNODE_REASON_OVERSIZE);
		return;
	}
	radio = &r->radio[port];
	if (r->conf.callsign != NULL && radio->beacon.us == MONO_NEVER.us)
		radio->beacon = mono_add(now,
		    (int64_t)r->conf.id_interval_s * MONO_SECOND);
	send_frame(r, radio, p, n, now);
}

/* Those that it has, in its own order. */
static void
radios_off(const struct rnode *r, struct wr *w)
{
	for (unsigned vport = 0; vport < r->nchips; vport++)
		for (unsigned i = 0; i < r->conf.nradios; i++) {
			if (r->radio[i].want.vport != vport)
				continue;
			rnode_put_u8(w, RNODE_SEL_INT, (uint8_t)vport);
			rnode_put_u8(w, RNODE_RADIO_STATE, 0);
		}
}

/* Its own display again, radios off, and good bye. */
static void
rnode_closing(struct modem *m)
{
	struct rnode *r = (struct rnode *)m;
	uint8_t buf[OUT_MAX];
	struct wr w = wr_make(buf, sizeof(buf));

	if (r->life.state == RNODE_CLOSED || !r->detected)
		return;
	if (r->platform == ESP32 || r->platform == NRF52)
		rnode_put_u8(&w, RNODE_FB_EXT, 0);
	if (r->conf.multi)
		radios_off(r, &w);
	else
		rnode_put_u8(&w, RNODE_RADIO_STATE, 0);
	rnode_put_u8(&w, RNODE_LEAVE, 0xff);
	r->m.out->write(r->m.arg, w.buf, w.len);
	(void)shut(r);
}

static uint64_t
rnode_bitrate(const struct modem *m, unsigned port)
{
	const struct rnode *r = (const struct rnode *)m;

	return port < r->conf.nradios ? rnode_radio_bitrate(&r->radio[port]) :
	    0;
}

static void
rnode_airtime(const struct modem *m, unsigned port, struct airtime *a)
{
	rnode_radio_airtime(&((const struct rnode *)m)->radio[port], a);
}

const struct modem_kind rnode_kind = {
	.opened = rnode_opened,
	.bytes = rnode_bytes,
	.tick = rnode_tick,
	.deadline = rnode_deadline,
	.takes = rnode_takes,
	.send = rnode_send,
	.closing = rnode_closing,
	.bitrate = rnode_bitrate,
	.airtime = rnode_airtime,
	.reasons = reasons,
};

void
rnode_init(struct rnode *r, const struct rnode_conf *c,
    const struct modem_out *out, void *arg)
{
	memset(r, 0, sizeof(*r));
	r->m = (struct modem){&rnode_kind, out, arg};
	r->conf = *c;
	r->conf.nradios = MIN_OF(c->nradios, (unsigned)RNODE_RADIOS);
	r->at = r->limit = r->again = MONO_NEVER;
	rnode_in_init(&r->in, c->multi);
	for (unsigned i = 0; i < r->conf.nradios; i++) {
		r->radio[i].want = c->want[i];
		rnode_radio_reset(&r->radio[i]);
	}
}
