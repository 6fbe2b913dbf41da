/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_CLOCKDOUBT_H
#define WARREN_NODE_CLI_CLOCKDOUBT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A clock that cannot be right (klp.md 1.7): documents, bindings and receipts
 * are worth nothing by it. Times are unix seconds.
 */
#define CLOCK_LEAST INT64_C(1767225600) /* 2026: no release is older */
#define CLOCK_AHEAD 300		/* ours, as of an issued: what is no matter */
#define CLOCK_GAP (INT64_C(5) * 365 * 86400) /* ours: no node sleeps so long */

/*
 * Pure. newest: when this node wrote last, by its clock of then; 0: not known.
 * false: nothing is known against it.
 */
bool clock_doubt(char *out, size_t cap, int64_t now, int64_t newest);
/*
 * The newest of what its programs keep in the folder of the configuration, of
 * some thousand files at most; 0: there is none, or none that may be seen.
 */
int64_t clock_newest(const char *config);

#endif
