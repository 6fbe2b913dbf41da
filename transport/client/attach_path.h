/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CLIENT_ATTACH_PATH_H
#define WARREN_TRANSPORT_CLIENT_ATTACH_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>
#include <rns/rns.h>

struct attach;

/* Whether there is a path, and an identity to make a link with. */
bool apath_have(const struct attach *, const struct hash16 *dest);
/* Ask the network once; a refusal of the core is what its limits say. */
void apath_request(struct attach *, const struct hash16 *dest);
/* An announce came: those who wait for dest look in the next turn. */
void apaths_announce(struct attach *, const struct hash16 *dest);
/* All waits end, without a callback. */
void apaths_free(struct attach *);

#endif
