/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_RESULT_HERE_H
#define WARREN_NODE_CLI_RESULT_HERE_H

#include "node/cli/cli.h"

/*
 * What a job of this machine's node has left, into a folder, as its operator
 * may have it: stdout, stderr, receipt, result.json (what node.sock says),
 * volumes/. The manifest is the submitter's, and so is the proof.
 * CLI_OK, CLI_JOB by the job's outcome, or said.
 */
int result_here(struct cli *, const char *id, const char *out);

#endif
