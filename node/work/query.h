/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_QUERY_H
#define WARREN_NODE_WORK_QUERY_H

#include <stdbool.h>
#include <stdint.h>

struct asked;
struct job;
struct node;

/*
 * The paths of compute.md 3 about one's own jobs: list, status, log, follow,
 * result, cancel. Who asks has a fingerprint. Always answered.
 */
void query_request(struct node *, const struct asked *);
/*
 * As the submitter or the operator: a job that waits is cancelled, one that
 * runs is told to end; one that has ended stays as it is.
 */
void job_cancel(struct node *, struct job *, bool operator_asks);

#endif
