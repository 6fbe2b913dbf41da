/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_BOUNDS_H
#define WARREN_AUDIT_BOUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/mono.h>

#include "audit/decode.h"
#include "trust/doc/contract.h"

/*
 * A job's behaviour contract against what the probes tell of it (klp.md 6.3):
 * which rule an act breaks. What is done for it is node's to say. Pure.
 */
struct bounds {
	struct contract c;
	uint64_t denied[WATCH_CALLS]; /* syscalls.deny, by number */
	/* written over what its rate lets through, and until when that is told */
	uint64_t over, written;
	struct mono at, waits;
};

#define BOUNDS_WAIT_MS 10000 /* ours: longer it does not stand still at once */

/*
 * record: of trust/doc/contract.h; denied: a bit for each call of
 * syscalls.deny. false: malformed. Not copied by assignment.
 */
bool bounds_init(struct bounds *, const uint8_t *record, size_t len,
    const uint8_t denied[8 * WATCH_CALLS], struct mono now);
/* Calls whose refusal breaks it. */
void bounds_calls(const struct bounds *, struct watch_bounds *);
/* The rule that this breaks; RULE_NONE. */
unsigned bounds_event(const struct bounds *, const struct watch_event *);
/*
 * By its sums, bytes since its start: the rule, or RULE_NONE. Of a rate it is
 * said again when it is broken still behind *wait_ms, for which it must write
 * nothing to keep it.
 */
unsigned bounds_read(const struct bounds *, uint64_t read_bytes);
unsigned bounds_written(struct bounds *, struct mono now,
    uint64_t written_bytes, uint32_t *wait_ms);

/*
 * Is the place of this event one of the list's? Names that the probes have cut
 * are taken for what they begin with.
 */
bool bounds_place(const struct contract_paths *, const char *path);

#endif
