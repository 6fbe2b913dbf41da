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

/* When a node told of itself what is kept of that, by whom it was asked. */
struct told {
	int64_t at;	   /* our clock, unix seconds; 0: it never did */
	int32_t ahead_s;   /* the node's clock, before ours */
	struct fp by;	   /* limits are those of this person */
	struct id32 shown; /* SHA-256 of the binding that it was shown */
};

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
	bool slow; /* it says what its link's airtime is */
	uint64_t max_log, max_output; /* what it lets this peer's jobs write */
	uint64_t budget, budget_left; /* bytes a minute, of this peer; 0: any */
	struct mono described; /* when all this held */
	uint32_t time; /* its clock, unix seconds; ours when it gives none */
	struct told told;
	bool kept; /* it was not asked now: all this is from contacts/ */
};

/*
 * describe, with the person's binding, in short; full: all of it. The node's
 * binding must hold for the Reticulum key of its destination. out may be kept by
 * the caller for printing: the decoded answer, until the next call. CLI_OK,
 * CLI_FAILED, CLI_REFUSED, CLI_UNREACHABLE (said).
 */
int remote_describe(struct cli *, struct session *, const struct person *,
    struct remote *);
/*
 * The same, without asking where what is kept of the node does (compute.md 3.1,
 * contact.h), r->dest being the one that the session is connected to. It is asked
 * when fresh; when an announce shows another key; and later, by whoever asks for
 * anything, when it turns out not to know this person. Person and remote must
 * last as long as the session.
 */
int remote_meet(struct cli *, struct session *, const struct person *,
    struct remote *, bool fresh);
/*
 * remote_describe() in the middle of something that *r was judged for: with
 * another key it is CLI_REFUSED (said), and *r stays as it is.
 */
int remote_renew(struct cli *, struct session *, const struct person *,
    struct remote *);
int remote_describe_full(struct cli *, struct session *,
    const struct person *, struct remote *, struct proto_describe *out);

/*
 * Is it the node that a job was signed for, whose word about it counts alone:
 * that of this key (zeros: any)? CLI_OK, or CLI_REFUSED (said).
 */
int remote_pinned(struct cli *, const struct remote *, const struct fp *);

/*
 * key, fp, urn, rns_pub and name by what the node of r->dest has announced;
 * false: no announce with a binding that holds at `now` was heard.
 */
bool remote_announced(struct session *, struct remote *r, uint32_t now);

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
