/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_TRAIL_RUN_H
#define WARREN_AUDIT_TRAIL_RUN_H

#include "audit/trail_line.h"

/*
 * Neighbouring lines that go, and the tombstone that they leave: of a trail
 * that makes room, or of lines that a hub is not sent. Pure; zeros: none.
 */
struct trail_run {
	bool on;
	uint64_t lines, events; /* lines: tombstones among them */
	struct id32 prev;
	struct trail_tomb tomb; /* from and to, as far as it has come */
	struct merkle tree;
};

/* A line that follows on the last; text: as it stands, without newline. */
void trail_run_line(struct trail_run *, const struct trail_line *,
    const char *text, size_t len);
/* Its tombstone with a newline, and the run is over; 0: does not fit. */
size_t trail_run_end(struct trail_run *, char *out, size_t cap);

#endif
