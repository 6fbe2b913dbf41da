/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/modem/rnode_cmd.h"

#include <string.h>

#define FEND 0xc0
#define FESC 0xdb
#define TFEND 0xdc
#define TFESC 0xdd

/* Bytes of what a device says under a command; 0: not listened to. */
static size_t
value_len(uint8_t cmd, bool multi)
{
	switch (cmd) {
	case RNODE_FREQUENCY:
	case RNODE_BANDWIDTH:
		return 4;
	case RNODE_ST_ALOCK:
	case RNODE_LT_ALOCK:
	case RNODE_STAT_BAT:
	case RNODE_FW_VERSION:
		return 2;
	case RNODE_INTERFACES:
		return multi ? 2 : 0;
	case RNODE_STAT_CSMA:
		return 3;
	case RNODE_STAT_CHTM:
		return multi ? 8 : 11;
	case RNODE_STAT_PHYPRM:
		return multi ? 10 : 12;
	case RNODE_SEL_INT:
		return multi ? 1 : 0;
	case RNODE_TXPOWER:
	case RNODE_SF:
	case RNODE_CR:
	case RNODE_RADIO_STATE:
	case RNODE_DETECT:
	case RNODE_READY:
	case RNODE_STAT_RSSI:
	case RNODE_STAT_SNR:
	case RNODE_STAT_TEMP:
	case RNODE_PLATFORM:
	case RNODE_MCU:
	case RNODE_RESET:
	case RNODE_ERROR:
		return 1;
	default:
		return 0;
	}
}

void
rnode_in_init(struct rnode_in *in, bool multi)
{
	memset(in, 0, sizeof(*in));
	in->multi = multi;
}

/* A closed frame; true: it says something. */
static bool
closed(struct rnode_in *in)
{
	bool data = in->state == RNODE_IN_DATA;
	/* a value of one byte may come as it is, without an escape */
	bool bare = in->state == RNODE_IN_VALUE && in->escape &&
	    in->len + 1 == value_len(in->cmd, in->multi);

	if (bare)
		in->buf[in->len++] = FESC;
	/* the FEND behind a packet does not begin the next frame */
	in->state = data ? RNODE_IN_NONE : RNODE_IN_CMD;
	in->escape = false;
	return bare || (data && in->len > 0);
}

bool
rnode_in_byte(struct rnode_in *in, uint8_t byte)
{
	if (byte == FEND)
		return closed(in);
	switch (in->state) {
	case RNODE_IN_CMD:
		in->cmd = byte;
		in->len = 0;
		in->over = false;
		in->state = byte == RNODE_DATA ? RNODE_IN_DATA :
		    value_len(byte, in->multi) > 0 ? RNODE_IN_VALUE :
		    RNODE_IN_SKIP;
		return false;
	case RNODE_IN_VALUE:
	case RNODE_IN_DATA:
		break;
	case RNODE_IN_NONE:
	case RNODE_IN_SKIP:
	default:
		return false;
	}
	if (!in->escape && byte == FESC) {
		in->escape = true;
		return false;
	}
	if (in->escape)
		byte = byte == TFEND ? FEND : byte == TFESC ? FESC : byte;
	in->escape = false;
	if (in->len == sizeof(in->buf)) {
		in->over = true;
		return false;
	}
	in->buf[in->len++] = byte;
	if (in->state == RNODE_IN_DATA ||
	    in->len < value_len(in->cmd, in->multi))
		return false;
	in->state = RNODE_IN_SKIP;
	return true;
}

static bool
begun(const struct rnode_in *in)
{
	return (in->state == RNODE_IN_DATA || in->state == RNODE_IN_VALUE) &&
	    in->len > 0;
}

bool
rnode_in_expire(struct rnode_in *in, struct mono now, int64_t silence_us)
{
	if (!mono_reached(now, rnode_in_deadline(in, silence_us)))
		return false;
	in->state = RNODE_IN_NONE;
	in->escape = false;
	return true;
}

struct mono
rnode_in_deadline(const struct rnode_in *in, int64_t silence_us)
{
	return begun(in) ? mono_add(in->last, silence_us) : MONO_NEVER;
}

/* ---- for the device ---- */

static void
put_byte(struct wr *w, uint8_t byte)
{
	if (byte == FEND || byte == FESC) {
		wr_u8(w, FESC);
		byte = byte == FEND ? TFEND : TFESC;
	}
	wr_u8(w, byte);
}

void
rnode_put(struct wr *w, enum rnode_cmd cmd, const uint8_t *p, size_t n)
{
	wr_u8(w, FEND);
	wr_u8(w, (uint8_t)cmd);
	for (size_t i = 0; i < n; i++)
		put_byte(w, p[i]);
	wr_u8(w, FEND);
}

void
rnode_put_u8(struct wr *w, enum rnode_cmd cmd, uint8_t v)
{
	rnode_put(w, cmd, &v, 1);
}

void
rnode_put_u16(struct wr *w, enum rnode_cmd cmd, uint16_t v)
{
	uint8_t b[2];
	struct wr in = wr_make(b, sizeof(b));

	wr_u16(&in, v);
	rnode_put(w, cmd, b, sizeof(b));
}

void
rnode_put_u32(struct wr *w, enum rnode_cmd cmd, uint32_t v)
{
	uint8_t b[4];
	struct wr in = wr_make(b, sizeof(b));

	wr_u32(&in, v);
	rnode_put(w, cmd, b, sizeof(b));
}
