/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PROTO_SLICE_H
#define WARREN_NODE_PROTO_SLICE_H

#include <stdint.h>

/*
 * How many bytes of a blob or a log go in one request (compute.md 3.2): what has
 * arrived of one whose link breaks is lost, so that no more is at stake than the
 * link moves in about SLICE_US. Less costs more than it saves: what stands around
 * each slice, and the questions when an answer is lost, are a quarter more air at
 * 30 s, of all of it (tests/sim/forecast). A submitter cuts so, and a node
 * foresees it (node/work/forecast.h). Pure.
 */
#define SLICE_LEAST 6144u	/* ours: a minute of 1 kbit/s */
#define SLICE_BROKEN 2048u	/* ours: ... where no link lives that long */
#define SLICE_FIRST_MOST 32768u /* ours: it grows soon where it may */
#define SLICE_MOST 262144u
#define SLICE_US (INT64_C(60) * 1000000)

/*
 * The first one, by the time there and back as the link was made; 0: not known.
 * What made it are two packets of some 200 bytes, so that is its rate at least.
 */
uint32_t slice_first(int64_t rtt_us);
/* The next one, at most `most`, after n bytes of one of `slice` took so long. */
uint32_t slice_after(uint32_t slice, uint32_t n, int64_t us, uint32_t most);
/* ... after one whose link broke: all of it was for nothing. */
uint32_t slice_broken(uint32_t slice);

#endif
