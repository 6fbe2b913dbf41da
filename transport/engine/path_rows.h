/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_PATH_ROWS_H
#define WARREN_TRANSPORT_ENGINE_PATH_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

struct engine;

/*
 * The path table as rnpath reads it (reticulum-transport.md 13.4), of malloc:
 * of one destination, or all (NULL), with at most so many hops. NULL: no
 * memory. For programs here and from afar.
 */
uint8_t *path_rows(const struct engine *, const struct hash16 *dest,
    double max_hops, size_t *len);
/* The announce rates of one, or of all (NULL), as rnpath -r reads them. */
uint8_t *rate_rows(const struct engine *, const struct hash16 *dest,
    size_t *len);

#endif
