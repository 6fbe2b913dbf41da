/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_BASE_NOTED_H
#define WARREN_TRANSPORT_CORE_BASE_NOTED_H

#include "transport/core/base/ctx.h"

/*
 * The last drops that name somebody: a destination, a link, a packet. Few, in
 * rows by the name, so that one of whom much is dropped costs the others
 * nothing: again for the same reason is one more of the same. What happens all
 * day on a shared medium (heard before, for another relay) never takes the
 * place of something else.
 */
#define NOTED_ROWS 64 /* ours */
#define NOTED_A_ROW 4 /* ours */

int noted_new(struct rns *);
void noted_free(struct rns *);
/* packet: its hash, or NULL. */
void noted_add(struct rns *, enum rns_drop, const struct hash16 *about,
    const struct hash16 *packet, unsigned ifid);

#endif
