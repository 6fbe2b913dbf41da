/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_MODEM_AIRSET_H
#define WARREN_TRANSPORT_MODEM_AIRSET_H

#include <stdbool.h>
#include <stddef.h>

#include "transport/modem/airq.h"

/*
 * `airtime` of node.yaml as the parent tells it to transport: a text, a line
 * for each interface. Pure.
 */
#define AIRSET_BYTES 16384

/* Adds a line at *len of out; false: no room, or a name with a line's end. */
bool airset_put(char out[AIRSET_BYTES], size_t *len, const char *name,
    const struct airq_conf *);
/* The line of that interface into duty, window and shares; false: none. */
bool airset_find(const char *text, size_t len, const char *name,
    struct airq_conf *);

#endif
