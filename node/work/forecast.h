/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_FORECAST_H
#define WARREN_NODE_WORK_FORECAST_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How long it takes to move bytes over a link of Reticulum: what goes over the
 * wire is counted packet by packet (requests, advertisements, rounds of parts
 * with their windows, updates of the hash map, proofs; reticulum-endpoint.md 7
 * and 8), each with its header, encryption and what stands around a frame on
 * the medium. Both ways share it. Pure.
 */
struct forecast_path {
	uint64_t bitrate;   /* bit/s of the slowest hop known; 0: not known */
	uint32_t frame_us;  /* around each packet on the medium */
	/* slot of a radio that listens before it sends; 0: it does not */
	uint32_t slot_us;
	/* nobody is between the ends: the medium is all there is to wait for */
	bool direct;
	uint32_t rtt_us;    /* of the link, as measured; 0: not known */
	uint32_t loss_permille; /* of packets, as observed */
};

/*
 * us for inputs that come and outputs that go, in slices as a submitter moves
 * them; 0: the path is not known. Saturates.
 */
int64_t forecast_us(const struct forecast_path *, uint64_t come, uint64_t go);
/* One request of so many bytes of payload, and its answer. */
int64_t forecast_request_us(const struct forecast_path *, uint64_t request,
    uint64_t response);
/* Whole seconds, rounded up. */
uint32_t forecast_s(const struct forecast_path *, uint64_t come, uint64_t go);

#endif
