/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Framing of byte streams (reticulum-endpoint.md 15.2,
 * reticulum-transport.md 9.1 and 9.2).
 */
#include "transport/core/base/frame.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/const.h"

#define FEED_MAX 65536
#define BUF_MIN 2048

#define HDLC_FLAG 0x7e
#define HDLC_ESC 0x7d
#define HDLC_XOR 0x20

#define KISS_FEND 0xc0
#define KISS_FESC 0xdb
#define KISS_TFEND 0xdc
#define KISS_TFESC 0xdd
#define KISS_PORT_MASK 0x0f /* low nibble: the command, 0 is data */

enum frame_state {
	FRAME_OUT,     /* waiting for a flag */
	FRAME_COMMAND, /* KISS: the next byte is the command */
	FRAME_IN,
};

/*
 * One buffer, decoded in place: what is decoded of the current frame stands at
 * buf[from..to), what was fed and not looked at yet at buf[at..len). A frame
 * never grows by decoding, so `to` does not pass `at`.
 */
struct rns_deframer {
	enum rns_framing framing;
	enum frame_state state;
	bool escaped;
	bool oversize; /* its bytes are not kept any more */
	bool junk;     /* in no frame, and counted */
	size_t min, max;
	uint8_t *buf;
	size_t cap, from, to, at, len;
	uint64_t dropped;
};

struct rns_deframer *
rns_deframer_new(enum rns_framing framing, size_t max)
{
	struct rns_deframer *d;

	if (max == 0 || max > SIZE_MAX / 4)
		return NULL;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return NULL;
	d->framing = framing;
	d->min = framing == RNS_FRAME_HDLC ? HEADER_1_LEN + 1 : 1;
	d->max = max;
	return d;
}

void
deframer_min(struct rns_deframer *d, size_t min)
{
	d->min = min;
}

void
rns_deframer_free(struct rns_deframer *d)
{
	if (d == NULL)
		return;
	free(d->buf);
	free(d);
}

int
rns_deframer_feed(struct rns_deframer *d, const uint8_t *p, size_t n)
{
	/* an escape that turns out to be none needs a place of its own */
	size_t part = d->to - d->from, gap = d->escaped ? 1 : 0;
	size_t need = part + gap + n, cap = BUF_MIN;
	uint8_t *buf;

	if (n > FEED_MAX)
		return RNS_EBIG;
	if (d->at != d->len)
		return RNS_ESTATE;
	if (need > d->cap) {
		while (cap < need)
			cap *= 2; /* need <= max + 1 + FEED_MAX */
		buf = malloc(cap);
		if (buf == NULL)
			return RNS_ENOMEM;
		if (part > 0)
			memcpy(buf, d->buf + d->from, part);
		free(d->buf);
		d->buf = buf;
		d->cap = cap;
	} else if (part > 0) {
		memmove(d->buf, d->buf + d->from, part);
	}
	if (n > 0)
		memcpy(d->buf + part + gap, p, n);
	d->from = 0;
	d->to = part;
	d->at = part + gap;
	d->len = need;
	return RNS_OK;
}

/*
 * How many bytes at p are neither a nor b. Looks at no more than RUN_MAX, so
 * that a stream of nothing but escapes costs no more than its length.
 */
#define RUN_MAX 256

static size_t
plain_run(const uint8_t *p, size_t n, uint8_t a, uint8_t b)
{
	const uint8_t *q;

	if (n > RUN_MAX)
		n = RUN_MAX;
	q = memchr(p, a, n);
	if (q != NULL)
		n = (size_t)(q - p);
	q = memchr(p, b, n);
	return q != NULL ? (size_t)(q - p) : n;
}

static void
frame_open(struct rns_deframer *d, enum frame_state state)
{
	d->state = state;
	d->escaped = false;
	d->oversize = d->junk = false;
	d->from = d->to = d->at;
}

static void
frame_put(struct rns_deframer *d, uint8_t byte)
{
	if (d->to - d->from >= d->max)
		d->oversize = true;
	else
		d->buf[d->to++] = byte;
}

/* The plain bytes at the cursor, all at once. */
static void
frame_put_run(struct rns_deframer *d, uint8_t flag, uint8_t esc)
{
	size_t n = plain_run(d->buf + d->at, d->len - d->at, flag, esc);
	size_t room = d->max - (d->to - d->from), keep = n;

	if (keep > room) {
		d->oversize = true;
		keep = room;
	}
	if (d->to != d->at && keep > 0)
		memmove(d->buf + d->to, d->buf + d->at, keep);
	d->to += keep;
	d->at += n;
}

/* Whether the bytes so far are a frame that goes on. */
static bool
frame_whole(struct rns_deframer *d, size_t min)
{
	size_t n = d->to - d->from;

	if (n == 0)
		return false; /* flags side by side */
	if (!d->oversize && n >= min)
		return true;
	d->dropped++;
	return false;
}

/*
 * The reference's buffer decoder: the flag that closes a frame may open the
 * next; an escape before any other byte than its two stays as it is.
 */
static bool
hdlc_byte(struct rns_deframer *d, uint8_t byte)
{
	if (byte == HDLC_FLAG) {
		if (d->state == FRAME_IN && d->escaped)
			frame_put(d, HDLC_ESC);
		if (d->state == FRAME_IN && frame_whole(d, d->min))
			return true;
		frame_open(d, FRAME_IN);
		return false;
	}
	if (d->state != FRAME_IN) {
		/* what comes before any flag: once, however long */
		d->dropped += !d->junk;
		d->junk = true;
		return false;
	}
	if (d->escaped) {
		d->escaped = false;
		if (byte == (HDLC_FLAG ^ HDLC_XOR) ||
		    byte == (HDLC_ESC ^ HDLC_XOR)) {
			frame_put(d, byte ^ HDLC_XOR);
			return false;
		}
		frame_put(d, HDLC_ESC);
	}
	if (byte == HDLC_ESC)
		d->escaped = true;
	else
		frame_put(d, byte);
	return false;
}

/* The FEND that closes a data frame does not open the next one. */
static bool
kiss_byte(struct rns_deframer *d, uint8_t byte)
{
	if (byte == KISS_FEND) {
		if (d->state == FRAME_IN && d->to != d->from)
			return frame_whole(d, d->min) ||
			    (frame_open(d, FRAME_OUT), false);
		frame_open(d, FRAME_COMMAND);
		return false;
	}
	if (d->state == FRAME_COMMAND) {
		frame_open(d, (byte & KISS_PORT_MASK) == 0 ? FRAME_IN :
							     FRAME_OUT);
		return false;
	}
	if (d->state != FRAME_IN)
		return false;
	if (d->escaped) {
		d->escaped = false;
		if (byte == KISS_TFEND)
			byte = KISS_FEND;
		else if (byte == KISS_TFESC)
			byte = KISS_FESC;
		frame_put(d, byte);
	} else if (byte == KISS_FESC) {
		d->escaped = true;
	} else {
		frame_put(d, byte);
	}
	return false;
}

bool
rns_deframer_next(struct rns_deframer *d, const uint8_t **p, size_t *n)
{
	bool hdlc = d->framing == RNS_FRAME_HDLC;

	while (d->at < d->len) {
		uint8_t byte;

		if (d->state == FRAME_IN && !d->escaped) {
			frame_put_run(d, hdlc ? HDLC_FLAG : KISS_FEND,
			    hdlc ? HDLC_ESC : KISS_FESC);
			if (d->at == d->len)
				break;
		}
		byte = d->buf[d->at++];
		if (!(hdlc ? hdlc_byte(d, byte) : kiss_byte(d, byte)))
			continue;
		*p = d->buf + d->from;
		*n = d->to - d->from;
		frame_open(d, hdlc ? FRAME_IN : FRAME_OUT);
		return true;
	}
	return false;
}

size_t
deframer_part(const struct rns_deframer *d)
{
	return d->state == FRAME_IN ? d->to - d->from + d->escaped : 0;
}

void
deframer_drop(struct rns_deframer *d)
{
	frame_open(d, FRAME_OUT);
}

size_t
deframer_room(const struct rns_deframer *d)
{
	return d->cap;
}

void
deframer_fit(struct rns_deframer *d)
{
	size_t part = d->to - d->from;
	uint8_t *buf = NULL;

	if (d->at != d->len || part == d->cap ||
	    (part > 0 && (buf = malloc(part)) == NULL))
		return;
	if (part > 0)
		memcpy(buf, d->buf + d->from, part);
	free(d->buf);
	d->buf = buf;
	d->cap = d->to = d->at = d->len = part;
	d->from = 0;
}

uint64_t
rns_deframer_dropped(const struct rns_deframer *d)
{
	return d->dropped;
}

size_t
rns_frame_max(enum rns_framing framing, size_t n)
{
	size_t around = framing == RNS_FRAME_HDLC ? 2 : 3;

	return n > (SIZE_MAX - around) / 2 ? SIZE_MAX : 2 * n + around;
}

size_t
rns_frame(enum rns_framing framing, uint8_t *out, const uint8_t *p, size_t n)
{
	bool hdlc = framing == RNS_FRAME_HDLC;
	uint8_t flag = hdlc ? HDLC_FLAG : KISS_FEND;
	uint8_t esc = hdlc ? HDLC_ESC : KISS_FESC;
	size_t len = 0, i = 0;

	out[len++] = flag;
	if (!hdlc)
		out[len++] = 0; /* the command: data */
	while (i < n) {
		size_t run = plain_run(p + i, n - i, flag, esc);

		memcpy(out + len, p + i, run);
		len += run;
		i += run;
		if (i == n || (p[i] != flag && p[i] != esc))
			continue;
		out[len++] = esc;
		if (hdlc)
			out[len++] = p[i] ^ HDLC_XOR;
		else
			out[len++] = p[i] == KISS_FEND ? KISS_TFEND :
							 KISS_TFESC;
		i++;
	}
	out[len++] = flag;
	return len;
}
