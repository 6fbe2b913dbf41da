/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_MANAGE_H
#define WARREN_TRANSPORT_ENGINE_MANAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/rns.h>

struct engine;
struct manage;

/*
 * The destinations of the daemon itself (reticulum-transport.md 7.4 to 7.7):
 * remote management, the published blackhole, the probe responder, the network
 * identity; those that the configuration asks for.
 */

/* NULL: no memory, or the core refuses (logged there). */
struct manage *manage_new(struct engine *);
void manage_free(struct manage *); /* NULL is fine */
/* Once a second: announces that are due. */
void manage_tick(struct manage *);
/* Events of the core; false: not about these destinations and their links. */
bool manage_event(struct manage *, const struct rns_event *);

struct manage_counts {
	uint64_t requests; /* that were answered */
	uint64_t lost;     /* malformed, or too many at a time */
};
void manage_counts(const struct manage *, struct manage_counts *);

#endif
