/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Framing. First byte: which, and how the stream is cut. The frames must not
 * depend on the cut, and what is framed must come out as it went in.
 */
#include <stdlib.h>
#include <string.h>

#include <rns/rns.h>

#include "transport/core/base/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define MAX 300

/* A digest of all frames: lengths and bytes. */
static uint64_t
decode(enum rns_framing framing, const uint8_t *p, size_t n, size_t step)
{
	struct rns_deframer *d = rns_deframer_new(framing, MAX);
	uint64_t sum = 14695981039346656037u;
	const uint8_t *frame;
	size_t len;

	if (d == NULL)
		abort();
	for (size_t at = 0; at < n; at += step) {
		size_t k = n - at < step ? n - at : step;
		uint8_t *piece = malloc(k);

		if (piece == NULL)
			abort();
		memcpy(piece, p + at, k);
		if (rns_deframer_feed(d, piece, k) != RNS_OK)
			abort();
		free(piece);
		while (rns_deframer_next(d, &frame, &len)) {
			if (len == 0 || len > MAX)
				abort();
			sum = (sum ^ len) * 1099511628211u;
			for (size_t i = 0; i < len; i++)
				sum = (sum ^ frame[i]) * 1099511628211u;
		}
		if (n % 2 == 0 && at / step % 3 == 0)
			deframer_fit(d); /* nothing depends on it */
	}
	sum ^= rns_deframer_dropped(d);
	rns_deframer_free(d);
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	enum rns_framing framing;
	uint8_t out[2 * MAX + 3];
	struct rns_deframer *d;
	const uint8_t *frame;
	size_t len, step;

	if (n < 1 || n > 60000)
		return 0;
	framing = (p[0] & 1) != 0 ? RNS_FRAME_KISS : RNS_FRAME_HDLC;
	step = 1 + p[0] / 2;
	p++;
	n--;
	if (decode(framing, p, n, step) != decode(framing, p, n, 60000))
		abort();
	if (n < 20 || n > MAX)
		return 0;
	len = rns_frame(framing, out, p, n);
	if (len > rns_frame_max(framing, n))
		abort();
	d = rns_deframer_new(framing, n);
	if (d == NULL)
		abort();
	if (rns_deframer_feed(d, out, len) != RNS_OK ||
	    !rns_deframer_next(d, &frame, &len) || len != n ||
	    memcmp(frame, p, n) != 0)
		abort();
	rns_deframer_free(d);
	return 0;
}
