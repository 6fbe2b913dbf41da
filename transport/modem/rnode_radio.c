/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/modem/rnode_radio.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"

/* Of the values of one byte, reticulum-transport.md 10.8. */
#define DBM_OFFSET 157
#define SNR_STEP 4
#define TEMP_OFFSET 120
#define TEMP_LEAST (-30)
#define TEMP_MOST 90
#define NO_INTERFERENCE 0xff
#define RADIO_ON 1
#define FREQUENCY_NEAR 100 /* Hz that a synthesizer may be off */
/* ours, as of a TNC: so long, and so many times the packet, until it is ready */
#define UNHEARD_US INT64_C(5000000)
#define UNHEARD_DOUBLED 3u /* ... each time in a row, so often */
#define UNHEARD_TIMES 8
#define CSMA_SLOTS 64u /* it counts down fewer in its last band */

void
rnode_radio_reset(struct rnode_radio *r)
{
	const struct rnode_want want = r->want;

	memset(r, 0, sizeof(*r));
	r->want = want;
	r->beacon = r->interfered = r->unheard = MONO_NEVER;
}

/* ---- what it says ---- */

static int
dbm(uint8_t v)
{
	return (int)v - DBM_OFFSET;
}

/* Per cent, one decimal: how far it is above what the radio can still read. */
static float
quality(const struct rnode_radio *r)
{
	const unsigned sf = (r->has & RNODE_HAS_SF) != 0 ? r->sf : r->want.sf;
	const float least = -9.f - 2.f * ((float)sf - 7.f), most = 6.f;
	float q = (r->signal.snr - least) / (most - least) * 100.f;

	q = q < 0.f ? 0.f : q > 100.f ? 100.f : q;
	return (float)(int)(q * 10.f + .5f) / 10.f;
}

static void
take_chtm(struct rnode_radio *r, struct rd in, struct mono now)
{
	uint8_t rssi, noise, strange;

	if (!rd_u16(&in, &r->air_short) || !rd_u16(&in, &r->air_long) ||
	    !rd_u16(&in, &r->load_short) || !rd_u16(&in, &r->load_long))
		return;
	r->has |= RNODE_HAS_CHTM;
	r->has &= ~(unsigned)RNODE_HAS_INTERFERENCE;
	/* a device with several radios ends here */
	if (!rd_u8(&in, &rssi) || !rd_u8(&in, &noise) || !rd_u8(&in, &strange))
		return;
	r->noise_floor = dbm(noise);
	r->has |= RNODE_HAS_NOISE;
	if (strange == NO_INTERFERENCE)
		return;
	r->has |= RNODE_HAS_INTERFERENCE;
	r->interference = dbm(strange);
	r->interfered = now;
}

static void
take_phy(struct rnode_radio *r, struct rd in)
{
	uint16_t symbol_us, rate, preamble, preamble_ms;

	if (!rd_u16(&in, &symbol_us) || !rd_u16(&in, &rate) ||
	    !rd_u16(&in, &preamble))
		return;
	r->has |= RNODE_HAS_PHY;
	r->preamble = preamble;
	if (!rd_u16(&in, &preamble_ms) || !rd_u16(&in, &r->slot_ms)) {
		r->slot_ms = r->difs_ms = 0;
		return;
	}
	/* a device with several radios does not say how long that is */
	if (!rd_u16(&in, &r->difs_ms))
		r->difs_ms = (uint16_t)MIN_OF(2 * r->slot_ms, UINT16_MAX);
}

static void
take_temp(struct rnode_radio *r, uint8_t v)
{
	const int temp = (int)v - TEMP_OFFSET;

	r->has &= ~(unsigned)RNODE_HAS_TEMP;
	if (temp < TEMP_LEAST || temp > TEMP_MOST)
		return;
	r->has |= RNODE_HAS_TEMP;
	r->temp = temp;
}

static void
take_snr(struct rnode_radio *r, uint8_t v)
{
	r->signal.snr = (float)(int8_t)v / SNR_STEP;
	r->signal.q = quality(r);
	r->signal.has |= RNS_SIGNAL_SNR | RNS_SIGNAL_Q;
}

/* Of those that it echoes when it is set up. */
static bool
take_setting(struct rnode_radio *r, const struct rnode_in *in)
{
	const uint8_t byte = in->buf[0];

	switch (in->cmd) {
	case RNODE_FREQUENCY:
		r->frequency = get_u32(in->buf);
		r->has |= RNODE_HAS_FREQUENCY;
		return true;
	case RNODE_BANDWIDTH:
		r->bandwidth = get_u32(in->buf);
		r->has |= RNODE_HAS_BANDWIDTH;
		return true;
	case RNODE_TXPOWER:
		r->txpower = in->multi ? (int8_t)byte : byte;
		r->has |= RNODE_HAS_TXPOWER;
		return true;
	case RNODE_SF:
		r->sf = byte;
		r->has |= RNODE_HAS_SF;
		return true;
	case RNODE_CR:
		r->cr = byte;
		r->has |= RNODE_HAS_CR;
		return true;
	case RNODE_RADIO_STATE:
		r->state = byte;
		r->has |= RNODE_HAS_STATE;
		return true;
	case RNODE_ST_ALOCK: /* what it makes of them is its own business */
	case RNODE_LT_ALOCK:
		return true;
	default:
		return false;
	}
}

bool
rnode_radio_take(struct rnode_radio *r, const struct rnode_in *in,
    struct mono now)
{
	switch (in->cmd) {
	case RNODE_STAT_RSSI:
		r->signal.rssi = (int16_t)dbm(in->buf[0]);
		r->signal.has |= RNS_SIGNAL_RSSI;
		return true;
	case RNODE_STAT_SNR:
		take_snr(r, in->buf[0]);
		return true;
	case RNODE_STAT_CHTM:
		take_chtm(r, rd_make(in->buf, in->len), now);
		return true;
	case RNODE_STAT_PHYPRM:
		take_phy(r, rd_make(in->buf, in->len));
		return true;
	case RNODE_STAT_CSMA:
		r->csma = true;
		return true;
	case RNODE_STAT_TEMP:
		take_temp(r, in->buf[0]);
		return true;
	default:
		return take_setting(r, in);
	}
}

uint64_t
rnode_radio_bitrate(const struct rnode_radio *r)
{
	const unsigned all = RNODE_HAS_SF | RNODE_HAS_CR | RNODE_HAS_BANDWIDTH;

	/* what a device says may be anything */
	if ((r->has & all) != all || r->cr < 5 || r->cr > 8 || r->sf < 5 ||
	    r->sf > 12)
		return 0;
	return (uint64_t)r->sf * 4 * r->bandwidth / r->cr >> r->sf;
}

void
rnode_radio_airtime(const struct rnode_radio *r, struct airtime *a)
{
	*a = (struct airtime){.how = AIRTIME_LORA, .sf = (uint8_t)r->sf,
	    .cr = (uint8_t)r->cr, .preamble = (uint16_t)r->preamble,
	    .bandwidth = r->bandwidth,
	    .listen_us = r->csma ? r->difs_ms * 1000u : 0,
	    .slot_us = r->csma ? r->slot_ms * 1000u : 0,
	    /* with flow control it says itself when it takes the next */
	    .paced = !r->want.flow_control,
	    .silent_us = r->want.flow_control ? 0 : AIRTIME_SILENT_US +
	    (r->difs_ms + CSMA_SLOTS * r->slot_ms) * 1000u};
}

/* ---- whether it takes the next packet ---- */

void
rnode_radio_given(struct rnode_radio *r, size_t len, struct mono now)
{
	struct airtime a;

	if (!r->want.flow_control)
		return;
	rnode_radio_airtime(r, &a);
	/* a device need not echo it */
	if (a.cr < 5 || a.cr > 8)
		a.cr = (uint8_t)r->want.cr;
	r->full = true;
	/* a busy channel makes it late: what it has is not added to soon */
	r->unheard = mono_add(now, (UNHEARD_US + UNHEARD_TIMES *
	    airtime_us(&a, len)) << MIN_OF(r->late, UNHEARD_DOUBLED));
}

/* Of its own limits, per cent x 100; 0: there is none. */
static bool
used_up(uint16_t limit, uint16_t is)
{
	return limit != 0 && is >= limit;
}

bool
rnode_radio_unheard(struct rnode_radio *r, struct mono now)
{
	const struct rnode_want *c = &r->want;

	if (!r->full || !mono_reached(now, r->unheard))
		return false;
	if (!used_up(c->st_limit, r->air_short) &&
	    !used_up(c->lt_limit, r->air_long))
		return true;
	r->unheard = mono_add(now, UNHEARD_US);
	return false;
}

/* ---- what it is told ---- */

void
rnode_radio_setup(const struct rnode_radio *r, bool selected, struct wr *w)
{
	const struct rnode_want *c = &r->want;
	const struct {
		enum rnode_cmd cmd;
		unsigned len; /* bytes; 0: is not said */
		uint32_t v;
	} say[] = {
		{RNODE_FREQUENCY, 4, c->frequency},
		{RNODE_BANDWIDTH, 4, c->bandwidth},
		{RNODE_TXPOWER, 1, (uint8_t)c->txpower},
		{RNODE_SF, 1, c->sf},
		{RNODE_CR, 1, c->cr},
		{RNODE_ST_ALOCK, c->st_limited ? 2 : 0, c->st_limit},
		{RNODE_LT_ALOCK, c->lt_limited ? 2 : 0, c->lt_limit},
		{RNODE_RADIO_STATE, 1, RADIO_ON},
	};

	for (size_t i = 0; i < NELEM(say); i++) {
		if (say[i].len == 0)
			continue;
		if (selected)
			rnode_put_u8(w, RNODE_SEL_INT, (uint8_t)c->vport);
		if (say[i].len == 4)
			rnode_put_u32(w, say[i].cmd, say[i].v);
		else if (say[i].len == 2)
			rnode_put_u16(w, say[i].cmd, (uint16_t)say[i].v);
		else
			rnode_put_u8(w, say[i].cmd, (uint8_t)say[i].v);
	}
}

bool
rnode_chip_takes(uint8_t chip, uint32_t hz)
{
	switch (chip >> 4) {
	case 0: /* SX127X */
	case 1: /* SX126X */
		return hz >= 137000000 && hz <= 1000000000;
	case 2: /* SX128X */
		return hz >= 2200000000u && hz <= 2600000000u;
	default: /* newer than this: it will say what it is set to */
		return true;
	}
}

static bool
far_off(uint32_t a, uint32_t b)
{
	return (a > b ? a - b : b - a) > FREQUENCY_NEAR;
}

enum rnode_check
rnode_radio_check(const struct rnode_radio *r, char *why, size_t cap)
{
	const struct rnode_want *c = &r->want;
	/* reticulum-transport.md 10.8, step 5: the coding rate is not looked at */
	const struct {
		unsigned has;
		bool may_miss, ok;
		const char *what;
		long long is, want;
		const char *unit;
	} look[] = {
		{RNODE_HAS_FREQUENCY, true, !far_off(r->frequency,
		    c->frequency), "frequency", r->frequency, c->frequency,
		    " Hz"},
		{RNODE_HAS_BANDWIDTH, false, r->bandwidth == c->bandwidth,
		    "bandwidth", r->bandwidth, c->bandwidth, " Hz"},
		{RNODE_HAS_TXPOWER, false, r->txpower == c->txpower, "txpower",
		    r->txpower, c->txpower, " dBm"},
		{RNODE_HAS_SF, false, r->sf == c->sf, "spreadingfactor",
		    r->sf, c->sf, ""},
		{RNODE_HAS_STATE, false, r->state == RADIO_ON, "state",
		    r->state, RADIO_ON, ""},
	};
	enum rnode_check found = RNODE_CHECK_OK;

	for (size_t i = 0; i < NELEM(look); i++) {
		if ((r->has & look[i].has) == 0) {
			if (look[i].may_miss || found != RNODE_CHECK_OK)
				continue;
			(void)snprintf(why, cap, "the radio does not say its "
			    "%s: unplug the device and plug it in again",
			    look[i].what);
			found = RNODE_CHECK_MISSING;
		} else if (!look[i].ok) {
			(void)snprintf(why, cap, "the radio has %s %lld%s and "
			    "does not take %lld%s: is it made for that?",
			    look[i].what, look[i].is, look[i].unit,
			    look[i].want, look[i].unit);
			return RNODE_CHECK_WRONG;
		}
	}
	return found;
}
