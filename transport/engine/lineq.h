/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_LINEQ_H
#define WARREN_TRANSPORT_ENGINE_LINEQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/rns.h>

/*
 * What waits for a line that takes one packet at a time: first in, first out.
 * Pure.
 */
#define LINEQ_BYTES 32768u /* ours; 218 s at 1,200 bit/s */

struct lineq;
struct lineq *lineq_new(void); /* NULL: no memory */
void lineq_free(struct lineq *);
/* Copied; false: no room for it. */
bool lineq_put(struct lineq *, const struct rns_tx *, struct mono now);
/* The next one, until the next call; false: none may go now. */
bool lineq_next(struct lineq *, const uint8_t **, size_t *, struct mono now);
/* When the next one may go; MONO_NEVER: none waits. */
struct mono lineq_due(const struct lineq *, struct mono now);
/* All of them are dropped; how many, and their bytes. */
size_t lineq_clear(struct lineq *, size_t *bytes);
size_t lineq_waiting(const struct lineq *); /* bytes of packets */

#endif
