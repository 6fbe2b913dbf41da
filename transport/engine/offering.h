/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_OFFERING_H
#define WARREN_TRANSPORT_ENGINE_OFFERING_H

struct engine;
struct identity;
struct offering;

/*
 * Announces of our own interfaces (reticulum-transport.md 7.8): one due
 * interface a minute. Its stamp is searched for in the loop's idle time, in
 * slices of half a millisecond, and kept as long as what it says is the same.
 */

/*
 * network: the key that signs, and is encrypted to, kept by the caller; NULL:
 * the node's own, and what is to be encrypted is not announced. NULL: no
 * memory.
 */
struct offering *offering_new(struct engine *, const struct identity *network);
void offering_free(struct offering *);

#endif
