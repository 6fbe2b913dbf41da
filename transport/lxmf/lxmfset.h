/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_LXMF_LXMFSET_H
#define WARREN_TRANSPORT_LXMF_LXMFSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

/*
 * `lxmf` of node.yaml as the parent tells it to transport: a text, a line for
 * each. Pure. An empty text: off.
 */
#define LXMFSET_BYTES 512
#define LXMFSET_NAME 64
#define LXMFSET_NODES 4

struct lxmfset {
	struct hash16 nodes[LXMFSET_NODES]; /* lxmf.propagation */
	unsigned nnodes;
	uint32_t look_s;    /* 0: never by itself */
	uint32_t announce_s;
	uint32_t message_max;
	uint32_t cost; /* bits of the stamp that is asked */
	char name[LXMFSET_NAME + 1]; /* announced; "": none */
};

/* Its length; 0: a name with a line's end in it. */
size_t lxmfset_put(char out[LXMFSET_BYTES], const struct lxmfset *);
bool lxmfset_get(struct lxmfset *, const char *text, size_t len);

#endif
