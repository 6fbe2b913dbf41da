/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_COUNTERS_H
#define WARREN_AUDIT_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/rules.h"

/*
 * The last tier of the probes (probes.h): a job without probes in the kernel.
 * What its control group counts is compared with what it was at the last look,
 * and told by the records that probes would make: processes that the kernel
 * ended for want of memory, processes that were refused to it; and how its
 * first process ended, which node says. Processor time is watch.c's.
 */

/*
 * The number behind a key that begins a line of such a file: "max 3" of
 * pids.events, "oom_kill 1" of memory.events or memory.oom_control. false: it
 * is not there, or no number.
 */
bool counters_number(const char *text, const char *key, uint64_t *out);

/* Is there anything this tier can tell of that breaks the rule? */
bool counters_sees(const struct rule *);
/* Names of the rules in force that it cannot see, separated by spaces. */
void counters_blind(char *out, size_t cap, const struct rules *);

#endif
