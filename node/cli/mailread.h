/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_MAILREAD_H
#define WARREN_NODE_CLI_MAILREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "node/cli/person.h"
#include "node/cli/remote.h"
#include "node/proto/letter.h"
#include "node/proto/proto_get.h"
#include "node/proto/proto_req.h"

/*
 * A letter of a node about a job, as if its node answered the submitter's
 * machine on a link (docs/spec/lxmf.md 5). Pure: what is verified of a result
 * is what submitter.c verifies of any.
 */
struct mail_read {
	uint8_t *packed; /* the message, this module's copy */
	size_t len;
	struct letter l; /* borrows from it */
	struct proto_result result; /* of a job/result */
	struct id32 blob[LETTER_BLOBS]; /* their digests */
	uint8_t *answer; /* the last one given */
};

/* How far an answer goes: only one that says more replaces another. */
enum mail_rank { MAIL_NONE, MAIL_SUBMITTED, MAIL_STATUS, MAIL_RESULT };

/*
 * Is it a letter with an answer, of which job, and how much does it say? The
 * signature is not looked at. MAIL_NONE: not one of ours.
 */
enum mail_rank mail_rank(const uint8_t *packed, size_t n, struct id32 *job);

/*
 * Copy and read a message; its key: that of the node, or when rns_pub is NULL
 * of the binding in the letter, whose klp.node must be dest. NULL: good; else
 * why it does not count, a literal.
 */
const char *mail_read(struct mail_read *, const uint8_t *packed, size_t n,
    const struct hash16 *dest, const uint8_t *rns_pub);
void mail_read_free(struct mail_read *);
/*
 * The node's binding in it: key, fp, urn and rns_pub of *r. NULL, or why it
 * does not hold at `now`; a letter without one leaves *r alone.
 */
const char *mail_binding(const struct mail_read *, struct remote *r,
    uint32_t now);
/*
 * Answer a request of the machine. False: it is not in the letter.
 */
bool mail_ask(struct mail_read *, const struct proto_req *, struct proto_ans *);

#endif
