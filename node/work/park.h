/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_PARK_H
#define WARREN_NODE_WORK_PARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/mono.h>

#include "common/util.h"
#include "node/proto/proto.h"

struct caller;
struct node;

#define NODE_PARKED_MAX 256 /* requests that wait for another program */
#define NODE_PARKED_LINK 8
#define NODE_PARKED_BYTES (16u << 20)
#define NODE_ASK_S 20	     /* then: busy */

/* One request that waits; its data is ours. */
enum stage { STAGE_NEW, STAGE_VERDICT, STAGE_LIVE, STAGE_ENVELOPE };
struct parked {
	TAILQ_ENTRY(parked) link_entry;
	uint64_t qid;
	uint8_t link[16], request[16];
	enum proto_path path;
	enum stage stage;
	bool bad_binding;  /* the b that came with it */
	char why[128];
	struct mono until;
	size_t len;
	uint8_t data[];
};
TAILQ_HEAD(parked_list, parked);

struct parked *park_put(struct node *, struct caller *,
    const uint8_t request[16], enum proto_path, const uint8_t *data,
    size_t len, enum stage, uint64_t qid);
struct parked *park_find(struct node *, uint64_t qid);
/* Out of the list; it is the caller's to free. */
void park_take(struct node *, struct parked *);
/* Out of the list, and freed. */
void park_drop(struct node *, struct parked *);
/* Those that have waited long enough are told: busy. */
struct mono park_tick(struct node *);

#endif
