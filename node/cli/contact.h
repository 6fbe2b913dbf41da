/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_CONTACT_H
#define WARREN_NODE_CLI_CONTACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "node/cli/person.h"
#include "node/cli/remote.h"
#include "trust/doc/binding.h"

/*
 * What is known of each node that was dealt with, in contacts/ beside a person's
 * keys: its binding, so that who sends it a message later need not hear it, nor
 * does a relay between them have to remember it; and what it has told of itself,
 * so that the next command need not ask (compute.md 3.1).
 */

/* ours: what a node has told is taken for so long, as a job may be in coming */
#define CONTACT_AGE_S (7 * 86400)
/* ours: of clocks that are further apart, one is off and may be set any time */
#define CONTACT_CLOCKS_S 60

/* The bytes of a file, and the longest one. Pure. */
#define CONTACT_MAX 512
/* Of dest, binding, name, what was told; 0: nothing that could be read back. */
size_t contact_put(uint8_t out[CONTACT_MAX], const struct remote *);
/*
 * rns_pub, binding, key, fp, urn, name and what was told of *r by its dest, of a
 * binding that holds at `now` (unix seconds). NULL; else why not, a literal, and
 * *r is as it was.
 */
const char *contact_parse(struct remote *r, const void *text, size_t n,
    uint32_t now);

/* Is it, in its standalone form, that of the node with this klp.node? */
bool contact_of(struct binding *, const uint8_t *standalone, size_t n,
    const struct hash16 *dest);
/* A hint for later commands, so a failure is none. */
void contact_keep(const struct person *, const struct remote *);
/* contact_parse() of what is kept; "": nothing is. */
const char *contact_get(const struct person *, struct remote *r, uint32_t now);
/*
 * What the node has told stands for this person at `now`, and then the time of
 * its clock is in r->time.
 */
bool contact_told(const struct person *, struct remote *r, int64_t now);
/* The submitter's binding was told, and is the one that the person has now. */
bool contact_shown(const struct person *, const struct remote *);

#endif
