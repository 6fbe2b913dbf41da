/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/modem/kissframe.h"

#include <string.h>

#define FEND 0xc0
#define FESC 0xdb
#define TFEND 0xdc
#define TFESC 0xdd
#define CMD_MASK 0x0f

void
kissframe_begin(struct kissframe *k, size_t most)
{
	memset(k, 0, sizeof(*k));
	k->most = most < KISS_MOST ? most : KISS_MOST;
}

void
kissframe_drop(struct kissframe *k)
{
	k->in = k->known = k->escaped = k->over = false;
	k->len = 0;
}

bool
kissframe_partial(const struct kissframe *k)
{
	return k->in && k->known && (k->len > 0 || k->escaped || k->over);
}

/*
 * The flag that ends a packet does not begin the next frame; any other one
 * does.
 */
static enum kiss_event
flag(struct kissframe *k)
{
	bool packet = k->in && k->known && k->cmd == KISS_DATA && k->len > 0;
	bool over = k->over;
	size_t len = k->len;

	kissframe_drop(k);
	if (!packet) {
		k->in = true;
		return KISS_NOTHING;
	}
	if (over)
		return KISS_TOO_LONG;
	k->len = len;
	return KISS_PACKET;
}

static void
put(struct kissframe *k, uint8_t byte)
{
	if (k->len < k->most)
		k->buf[k->len++] = byte;
	else
		k->over = true;
}

enum kiss_event
kissframe_byte(struct kissframe *k, uint8_t byte)
{
	if (byte == FEND)
		return flag(k);
	if (!k->in)
		return KISS_NOTHING;
	if (!k->known) {
		k->known = true;
		k->cmd = byte & CMD_MASK;
		k->len = 0;
		return k->cmd == KISS_DATA || k->cmd == KISS_READY ?
		    KISS_NOTHING : KISS_OTHER;
	}
	if (k->cmd == KISS_READY) {
		/* its first byte says it; what else comes is of no use */
		k->in = false;
		return KISS_IS_READY;
	}
	if (k->cmd != KISS_DATA)
		return KISS_NOTHING;
	if (k->escaped) {
		k->escaped = false;
		put(k, byte == TFEND ? FEND : byte == TFESC ? FESC : byte);
	} else if (byte == FESC) {
		k->escaped = true;
	} else {
		put(k, byte);
	}
	return KISS_NOTHING;
}

size_t
kissframe_command(uint8_t out[4], enum kiss_cmd cmd, uint8_t value)
{
	out[0] = FEND;
	out[1] = (uint8_t)cmd;
	out[2] = value; /* one byte is never escaped */
	out[3] = FEND;
	return 4;
}
