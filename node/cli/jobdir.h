/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_JOBDIR_H
#define WARREN_NODE_CLI_JOBDIR_H

#include <stdbool.h>
#include <stdint.h>

#include "node/cli/cli.h"
#include "node/cli/submitter.h"
#include "trust/doc/binding.h"

/*
 * The folder that a job leaves (compute.md 11): stdout, stderr, receipt,
 * manifest, result.json, volumes/. It is a struct sub_store for results.
 */
struct jobdir {
	struct cli *cli;
	int dir;
	char path[CLI_PATH];
	const struct manifest *manifest;
	int log[2];
	int out[MANIFEST_VOLUMES]; /* unnamed files, until unpacked */
	bool made; /* by us, now */
	bool show; /* bytes of the streams go to ours too */
	uint64_t shown[2];
};

/*
 * Make it, or open that of the same job again. path NULL: ./<16 digits>.
 * CLI_OK, CLI_USAGE (exists and is another job's), CLI_FAILED (said).
 */
void jobdir_init(struct jobdir *); /* nothing is open: jobdir_close() may come */
int jobdir_open(struct jobdir *, struct cli *, const char *path,
    const struct manifest *, const uint8_t *envelope, size_t len);
void jobdir_close(struct jobdir *);
/* The job did not come to be: what jobdir_open() made goes again. */
void jobdir_discard(struct jobdir *);
void jobdir_store(struct jobdir *, struct sub_store *);

/*
 * The end: unpack outputs, write receipt and result.json. in_place: local
 * folders (relative to base) of rw volumes are replaced too. CLI_OK or
 * CLI_FAILED (said).
 */
struct jobdir_end {
	const struct submitter *s;
	const uint8_t *binding; /* the node's, BINDING_LEN */
	const char *node_urn;
	uint8_t dest[16];
	const struct klp_key *submitter;
	bool in_place;
	int base;
	const char (*local)[CLI_PATH];
};
int jobdir_finish(struct jobdir *, const struct jobdir_end *);

/* The id of the job whose envelope (JSON form) this is; false: malformed. */
bool jobdir_envelope_job(const char *text, size_t len, uint8_t job[32]);

/* What result.json and the files say, read back for `receipt verify`. */
struct jobdir_proof {
	/* of result.json, which nobody signed: compared with what was */
	uint8_t id[32], image[32], dest[16];
	char outcome[16], urn[URN_MAX];
	int64_t code;
	/* of the manifest, whose signature by its submitter holds */
	bool has_node;
	uint8_t node[FP_LEN];
	uint8_t receipt[JOB_RECEIPT_LEN];
	uint8_t binding[BINDING_LEN];
	struct job_output out[JOB_OUTPUTS_MAX];
	char target[JOB_OUTPUTS_MAX][MANIFEST_TEXT + 1];
	unsigned nout;
	uint8_t job[32]; /* SHA-256 of the manifest's payload */
	uint8_t log_sha[2][32];
	uint64_t log_size[2];
};
/* CLI_OK; CLI_FAILED (said): something is missing, malformed or not signed. */
int jobdir_read(struct cli *, const char *path, struct jobdir_proof *);

#endif
