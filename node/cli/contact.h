/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_CONTACT_H
#define WARREN_NODE_CLI_CONTACT_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>

#include "node/cli/person.h"
#include "node/cli/remote.h"
#include "trust/doc/binding.h"

/*
 * The binding of each node that was dealt with, in contacts/ beside a person's
 * keys: who sends it a message later need not hear it, nor does a relay between
 * them have to remember it.
 */

/* Is it, in its standalone form, that of the node with this klp.node? */
bool contact_of(struct binding *, const uint8_t *standalone, size_t n,
    const struct hash16 *dest);
/* Of dest, name, binding; a hint for later commands, so a failure is none. */
void contact_keep(const struct person *, const struct remote *);
/*
 * rns_pub, binding, key, fp, urn and name of *r by its dest, of one that holds at
 * `now`. False: none does; *r is as it was.
 */
bool contact_get(const struct person *, struct remote *r, uint32_t now);

#endif
