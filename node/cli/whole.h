/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_WHOLE_H
#define WARREN_NODE_CLI_WHOLE_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>

#include "node/proto/proto.h"
#include "trust/doc/manifest.h"
#include "trust/doc/receipt.h"

/*
 * The receipt of a job that came whole in one answer (compute.md 3.4): what was
 * left out is put back from what is known here, and the node's signature is over
 * all of it. false: it does not hold.
 */
struct whole {
	struct job_receipt r;
	uint8_t receipt[JOB_RECEIPT_MAX];
	struct id32 log_sha[2];
	/* outputs: volume of the manifest; digest and bytes */
	unsigned nout;
	struct whole_out {
		unsigned volume;
		struct id32 sha256;
		struct pbin b;
	} out[MANIFEST_VOLUMES];
};
bool whole_take(struct whole *, const struct proto_whole *,
    const struct manifest *, const struct klp_key *node);
/* The state that its job has ended in. */
const char *whole_state(const struct whole *);

#endif
