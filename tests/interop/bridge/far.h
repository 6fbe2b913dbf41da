/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_INTEROP_BRIDGE_FAR_H
#define WARREN_TESTS_INTEROP_BRIDGE_FAR_H

#include "tests/interop/bridge/call.h"

/*
 * Two contexts of the library with a link between them, for as long as the
 * command runs. Nothing passes by itself: every packet goes through the hands
 * of the command, which may damage it.
 */
struct far {
	struct rns *near, *far; /* near opened the link */
	struct hash16 dest, id; /* dest is far's */
	struct link *nl, *fl; /* the ends of the link */
};

/* up: with the link; else far is only known. */
void far_start(struct call *, struct far *, bool up);
/* The next packet that it sends of that type and context, or n = 0. */
struct bytes far_next(struct call *, struct rns *, int type, int context);
void far_hear(struct rns *, struct bytes raw);
/* All that either sends, until both are quiet. */
void far_run(struct far *);
/* A packet of the link with that payload, in clear. */
struct bytes far_packet(struct call *, const struct far *, int type,
    uint8_t context, const void *, size_t);
/* What stands in it, decrypted. */
struct bytes far_open(struct call *, const struct far *, struct bytes raw);
/* One that the receiver decrypts to these bytes. */
struct bytes far_seal(struct call *, const struct far *, uint8_t context,
    const void *, size_t);

#endif
