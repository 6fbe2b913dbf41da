/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_LXMF_LXMF_NODE_H
#define WARREN_TRANSPORT_LXMF_LXMF_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/wire.h"

/*
 * What is said to a propagation node and by it (docs/spec/lxmf.md 4). Pure;
 * what is parsed borrows from its bytes.
 */
#define LXMF_PROPAGATION "lxmf.propagation"
#define LXMF_GET "/get"
#define LXMF_NODE_ROUNDS 1000 /* of the stamp over a transient id */
#define LXMF_LISTED 1024 /* ours: ids of one answer that are looked at */

/* App data of its announce. */
struct lxmf_node {
	bool active; /* takes messages of others */
	uint64_t message_kb, sync_kb; /* limits; 0: none said */
	unsigned cost; /* bits of the stamp that it asks */
};
/* false: no propagation node of the present form. */
bool lxmf_node_parse(struct lxmf_node *, const uint8_t *app_data, size_t n);

/*
 * What goes to it as one packet or resource: one sealed message and its
 * stamp, STAMP_LEN bytes. RNS_EBIG.
 */
int lxmf_node_put(uint8_t *out, size_t *len, size_t cap, double time,
    const uint8_t *sealed, size_t n, const uint8_t *stamp);

/* Data of a request to LXMF_GET on an identified link. */
int lxmf_get_list(uint8_t *out, size_t *len, size_t cap);
/* want and have: n ids each, either may be 0. limit_kb 0: none. */
int lxmf_get_pack(uint8_t *out, size_t *len, size_t cap,
    const struct id32 *want, size_t nwant, const struct id32 *have,
    size_t nhave, uint64_t limit_kb);

enum lxmf_said { /* of the answers */
	LXMF_SAID_LIST,
	LXMF_SAID_IDENTITY, /* it does not know who asks */
	LXMF_SAID_ACCESS,   /* who asks may not */
	LXMF_SAID_OTHER,    /* another error, its number in *code */
};
/* Bins behind one another; n left. */
struct lxmf_list {
	struct rd r;
	size_t n;
};
/* The answer to either; false: malformed. Ids: bins of 32; messages: any. */
bool lxmf_got(enum lxmf_said *, uint64_t *code, struct lxmf_list *,
    const uint8_t *, size_t);
bool lxmf_list_next(struct lxmf_list *, const uint8_t **p, size_t *n);

#endif
