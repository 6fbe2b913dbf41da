/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_JOBDIR_READ_H
#define WARREN_NODE_CLI_JOBDIR_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/fp.h"
#include "node/cli/cli.h"
#include "trust/doc/binding.h"
#include "trust/doc/manifest.h"
#include "trust/doc/receipt.h"

/* A job's folder read back, as nobody's word. */

/* The id of the job whose envelope (JSON form) this is; false: malformed. */
bool jobdir_envelope_job(const char *text, size_t len, struct id32 *job);

/* What result.json and the files say, read back for `receipt verify`. */
struct jobdir_proof {
	/* of result.json, which nobody signed: compared with what was */
	struct id32 id, image;
	struct hash16 dest;
	char outcome[16], urn[URN_MAX];
	int64_t code;
	/* of the manifest, whose signature by its submitter holds */
	bool has_node;
	struct fp node;
	uint8_t receipt[JOB_RECEIPT_MAX];
	size_t receipt_len;
	uint8_t binding[BINDING_LEN];
	struct job_output out[JOB_OUTPUTS_MAX];
	char target[JOB_OUTPUTS_MAX][MANIFEST_TEXT + 1];
	unsigned nout;
	struct id32 job; /* SHA-256 of the manifest's payload */
	struct id32 log_sha[2];
	uint64_t log_size[2];
};
/* CLI_OK; CLI_FAILED (said): something is missing, malformed or not signed. */
int jobdir_read(struct cli *, const char *path, struct jobdir_proof *);

#endif
