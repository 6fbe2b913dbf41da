/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_JOBFILE_H
#define WARREN_NODE_CLI_JOBFILE_H

#include <stdint.h>

#include "node/cli/cli.h"
#include "trust/doc/manifest.h"

/* ours: no time of a job is longer, in ms */
#define JOB_FILE_TIME_MAX (UINT64_C(365) * 86400 * 1000)

/*
 * JOB.yaml (compute.md 2) as a manifest whose volumes are not packed yet.
 * Who, once and until when (submitter, node, nonce, times) are the caller's.
 */
struct job_file {
	struct manifest m;
	/* local paths as written: of each volume, the module, the contract */
	char local[MANIFEST_VOLUMES][CLI_PATH];
	char wasm[CLI_PATH], contract[CLI_PATH];
	int64_t deadline_s; /* from signing; 0: not said */
	int dir;            /* JOB.yaml's folder; -1 */
};

/* An empty job: all defaults, no folder. */
void job_file_init(struct job_file *);
/* One volume more, "./data:/data:ro". NULL, or what is wrong: a literal. */
const char *job_file_volume(struct job_file *, const char *text);

/* CLI_OK, CLI_USAGE or CLI_FAILED (said: file, line, column). Clear always. */
int job_file_read(struct cli *, const char *path, struct job_file *);
/* Frees and closes what reading it has filled; also after a failure. */
void job_file_clear(struct job_file *);

#endif
