/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_TABLE_LOSS_H
#define WARREN_TRANSPORT_CORE_TABLE_LOSS_H

#include <stdint.h>

#include <rns/mono.h>

/*
 * How many frames are lost on the way, as those see it who wait for packets: of
 * each link, and of each interface what all its links saw. Pure; all zero is one
 * of which nothing is known. Old news fade: what was counted weighs half as much
 * each LOSS_HALF_US, and what is known of much does too. So a link that gets
 * better, or worse, is believed soon.
 */
#define LOSS_HALF_US (3600 * MONO_SECOND) /* ours */
#define LOSS_MOST 1024u    /* ours: frames, then all counts half */
#define LOSS_FRAMES 64u    /* ours: of a packet, more are taken for so many */
#define LOSS_UNIT 256u     /* a frame */
#define LOSS_DOUBT 16u     /* ours: frames without loss, before any */
#define LOSS_BEFORE 32u    /* ours: frames that the interface's word weighs */

struct loss {
	uint32_t of, lost; /* LOSS_UNIT a frame */
	struct mono at;    /* they are of that time */
};

/*
 * So many packets of so many frames each were to come, and so many of them did
 * not: of those at least one frame was lost, and of a thousand such as many as
 * is likely by what is known so far.
 */
void loss_count(struct loss *, uint32_t frames, uint32_t of, uint32_t lost,
    struct mono now);
/*
 * Of thousand frames; whole: the interface's, of which a link is a part, or
 * NULL. A little that was seen says less than what was known before.
 */
uint32_t loss_permille(const struct loss *, const struct loss *whole,
    struct mono now);

#endif
