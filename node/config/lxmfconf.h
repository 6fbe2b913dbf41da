/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CONFIG_LXMFCONF_H
#define WARREN_NODE_CONFIG_LXMFCONF_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/ydoc.h"

/* `lxmf` of node.yaml: jobs by letter (compute.md 10, lxmf.md). */
#define LXMF_MESSAGE_MOST (256u * 1024)
#define LXMF_COST_MOST 24
#define LXMF_NODES_MOST 4

struct lxmf_conf {
	bool on; /* the section is there */
	/* lxmf.propagation, in the order in which they are tried */
	struct hash16 nodes[LXMF_NODES_MOST];
	unsigned nnodes;
	uint64_t look_ms, announce_ms;
	uint64_t message; /* bytes */
	uint32_t cost;	  /* bits of a stamp */
};

void lxmfconf_defaults(struct lxmf_conf *);
void lxmfconf_read(struct lxmf_conf *, const struct ynode *,
    struct mistakes *);

#endif
