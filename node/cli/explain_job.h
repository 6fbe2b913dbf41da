/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_EXPLAIN_JOB_H
#define WARREN_NODE_CLI_EXPLAIN_JOB_H

#include <jansson.h>

/*
 * job: as node.sock's "explain" has it. {"text", "rule", "limit", "value",
 * "remedy", "operator"}: why it is where it is; those that are known.
 */
json_t *explain_job(const json_t *job);
/* Both, for people. */
void explain_job_print(const json_t *job, const json_t *explained);

#endif
