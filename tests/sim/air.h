/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_SIM_AIR_H
#define WARREN_TESTS_SIM_AIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Two radios on one channel, or two ends of a line: one packet at a time, each a number of frames
 * that are lost one by one. Who has something to send waits until the channel
 * was quiet for listen_us, and then a number of slots that do not run while
 * the other one sends, the more the more it has sent of the last 15 s itself
 * (reticulum-transport.md 10.8). Pure, seeded.
 */
struct air_opts {
	/* us that a packet of so many bytes is on the air */
	int64_t (*air_us)(const void *arg, size_t len);
	const void *arg;
	size_t frame;           /* bytes of a packet in one frame; 0: all */
	uint32_t loss_permille; /* of frames */
	int64_t listen_us, slot_us;
	bool duplex; /* no radios, but a line: each side has a way of its own */
};

struct air;
struct air *air_new(const struct air_opts *, uint64_t seed); /* NULL: memory */
void air_free(struct air *);
/* Side 0 or 1 has this to send; copied. false: no memory. */
bool air_put(struct air *, unsigned side, const uint8_t *, size_t, int64_t now);
/* When something happens: call air_turn() then. INT64_MAX: nothing. */
int64_t air_at(const struct air *);
/*
 * What has come whole to that side; false: nothing more for now. The bytes are
 * valid until the next call.
 */
bool air_turn(struct air *, unsigned *to, const uint8_t **, size_t *len,
    int64_t now);

struct air_sum {
	uint64_t packets, lost, frames;
	int64_t air_us;
};
/* Of what that side has sent. */
struct air_sum air_sum(const struct air *, unsigned side);

#endif
