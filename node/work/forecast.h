/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_FORECAST_H
#define WARREN_NODE_WORK_FORECAST_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How long it takes to move bytes over a link of Reticulum: the transfer is
 * played through, up to 2,000 times (play.h), with the loss, the frames and the
 * silence of its medium, which both ways share but on a line of two. Pure; the same question has the
 * same answer.
 */
struct forecast_path {
	uint64_t bitrate;   /* bit/s of the slowest hop known; 0: not known */
	uint32_t frame_us;  /* around each packet on the medium, silence too */
	/* silence and slot of a radio that listens before it sends; 0: none */
	uint32_t listen_us, slot_us;
	/* nobody is between the ends: the medium is all there is to wait for */
	bool direct;
	uint8_t hops; /* else so many lie between them, 0: not known */
	bool duplex; /* a line of two ways: neither waits for the other */
	/* of the link, as measured here, and by who asks; 0: not known */
	uint32_t rtt_us, asker_rtt_us;
	/* bytes of a packet that the medium takes in one frame; 0: all */
	uint32_t frame;
	uint32_t loss_permille; /* of frames, as observed */
};

/* All 0: the path is not known. They saturate. */
struct forecast {
	int64_t us;     /* as long it takes on the average */
	int64_t p90_us; /* nine of ten take no longer; never less than us */
};

/* Inputs that come and outputs that go, in slices as a submitter moves them. */
struct forecast forecast(const struct forecast_path *, uint64_t come,
    uint64_t go);
/* One request of so many bytes of payload, and its answer. */
struct forecast forecast_request(const struct forecast_path *,
    uint32_t request, uint32_t response);
/* Whole seconds, rounded up. */
uint32_t forecast_s(int64_t us);

#endif
