/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_OFFERING_H
#define WARREN_TRANSPORT_ENGINE_OFFERING_H

#include <stdint.h>

struct engine;
struct offering;

/*
 * Announces of our own interfaces (reticulum-transport.md 7.8): one due
 * interface a minute. Its stamp is searched for in the loop's idle time, in
 * slices of half a millisecond, and kept as long as what it says is the same.
 */

/*
 * network: the private key that signs, and is encrypted to; NULL: the node's
 * own, and what is to be encrypted is not announced. NULL: no memory.
 */
struct offering *offering_new(struct engine *, const uint8_t *network);
struct msg_SAID;
/* What a program of the operator said that reachable_on or location_cmd names. */
void offering_said(struct offering *, const struct msg_SAID *);
void offering_free(struct offering *);

#endif
