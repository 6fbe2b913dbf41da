/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_REMOTE_H
#define WARREN_NODE_CLI_REMOTE_H

#include <rns/hash.h>

#include "common/fp.h"
#include "node/cli/cli.h"
#include "node/cli/nodes.h"
#include "node/cli/person.h"
#include "node/cli/session.h"
#include "node/config/nodeconf.h"

/* What a node says of itself (compute.md 3.1), checked. */
struct remote {
	struct hash16 dest;
	uint8_t rns_pub[64];
	uint8_t binding[BINDING_LEN];
	struct klp_key key;
	struct fp fp;
	char urn[URN_MAX];
	char name[65];
	uint32_t slice;
	uint64_t max_log, max_output; /* what it lets this peer's jobs write */
	uint64_t budget, budget_left; /* bytes a minute, of this peer; 0: any */
	struct mono described; /* when all this held */
	uint32_t time; /* its clock, unix seconds; ours when it gives none */
};

/*
 * describe, with the person's binding; the node's binding must hold for the
 * Reticulum key of its destination. out may be kept by the caller for printing:
 * the decoded answer, until the next call. CLI_OK, CLI_FAILED, CLI_REFUSED,
 * CLI_UNREACHABLE (said).
 */
int remote_describe(struct cli *, struct session *, const struct person *,
    struct remote *);
int remote_describe_full(struct cli *, struct session *,
    const struct person *, struct remote *, struct proto_describe *out);

/*
 * May inputs go to this node (compute.md 11): submit.yaml beside the person's
 * keys. CLI_OK, CLI_REFUSED or CLI_USAGE (said).
 */
int remote_trust(struct cli *, const struct person *, const struct remote *,
    enum node_by);
/*
 * No node was named: the one known node that submit.yaml trusts as it would
 * have to trust a name. Listens for up to wait_us while there is none. CLI_OK,
 * CLI_USAGE, CLI_UNREACHABLE (said).
 */
int remote_pick(struct cli *, struct session *, const struct person *,
    int64_t wait_us, struct hash16 *dest);
/*
 * The decision alone. NULL: they may; else why not, a literal. Named by hash or
 * URN a node passes floor 0; named by name it must be pinned or anchored, not
 * below 0; whatever a level says below the floor or below 0 refuses.
 */
const char *remote_judge(const struct node_config *submit,
    const struct remote *, enum node_by, int *level);

#endif
