/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CONFIG_HUBCONF_H
#define WARREN_NODE_CONFIG_HUBCONF_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/fp.h"
#include "common/ydoc.h"

/* `hub` of node.yaml: where lines of the trail are sent (klp.md 7). */
#define HUB_SEVERITY_MAX 5
#define HUB_BATCH_EVENTS 500	   /* klp.md 7, and the most */
#define HUB_BATCH_BYTES (256u << 10)
#define HUB_BATCH_LEAST (32u << 10) /* two of the longest lines */

#define HUB_PEERS_MAX 64
#define HUB_KEEP (UINT64_C(512) << 20)	     /* of each, and the least */
#define HUB_KEEP_LEAST (UINT64_C(16) << 20)
#define HUB_KEEP_MOST (UINT64_C(1) << 40)

struct hub_peer {
	bool by_rns; /* id is a Reticulum identity, 16 bytes */
	struct fp id;
};

struct hub_conf {
	const char *url; /* https://...; NULL: none */
	bool mesh;	 /* in its place: the klp.node of an identity */
	struct hash16 identity;
	const char *ca, *pin, *token_file, *cert, *key; /* NULL: not set */
	uint32_t min_severity, batch_events;
	uint64_t batch_bytes;
	/* whose events this node keeps: it is a hub itself */
	struct hub_peer accept[HUB_PEERS_MAX];
	unsigned naccept;
	const char *dir; /* beneath it; NULL: node's own folder */
	uint64_t keep;	 /* bytes of each of them */
};

void hub_defaults(struct hub_conf *);
/* An address, or a map with `url` and what goes with it. */
void hub_read(struct hub_conf *, const struct ynode *, struct mistakes *);
/* "sha256//" and base64 of 32 bytes; NULL, or what is wrong with it. */
const char *hub_pin_wrong(const char *);

#endif
