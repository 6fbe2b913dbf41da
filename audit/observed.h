/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_OBSERVED_H
#define WARREN_AUDIT_OBSERVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "audit/decode.h"

/*
 * What a job was seen to do, in sum (klp.md 6.3): the record `observed`, in
 * canonical JSON, and its digest, the behavioural fingerprint. Pure.
 */
#define OBSERVED_FILES 512 /* ours: names that are told apart */
#define OBSERVED_TEXT 700  /* bytes of the record: a line of the trail */

struct observed {
	struct id32 *name; /* SHA-256 of each path, sorted; NULL: none yet */
	unsigned n, written, run;
	bool more; /* names found no room */
};
/* What node has measured of it. */
struct observed_sums {
	uint64_t cpu_ms, memory_kb, wall_ms;
};

/* A file that was opened for writing, or run. */
void observed_event(struct observed *, const struct watch_event *);
/* whole: from its start on. Bytes of the record; 0: it does not fit. */
size_t observed_put(char out[OBSERVED_TEXT], struct id32 *digest,
    const struct observed *, const struct observed_sums *,
    const struct watch_group *, bool whole);
void observed_clear(struct observed *);

#endif
