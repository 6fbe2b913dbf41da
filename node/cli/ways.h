/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_WAYS_H
#define WARREN_NODE_CLI_WAYS_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>

#include "node/cli/person.h"
#include "transport/client/attach.h"

/*
 * The ways to nodes that were dealt with, by the shared instance of a
 * configuration folder: noted beside a person's keys, tried out at once the
 * next time. A hint and no more: a wrong one costs the wait that it would have
 * saved.
 */

/*
 * false: none. The key is that of the destination. A node that was only heard
 * of (key, or NULL) is tried through the same instance as the others.
 */
bool ways_find(const struct person *, const char *folder,
    const struct hash16 *dest, const uint8_t key[RNS_KEY],
    struct attach_way *);
/* Best effort. */
void ways_note(const struct person *, const char *folder,
    const struct hash16 *dest, const struct attach_way *);

#endif
