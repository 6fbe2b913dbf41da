/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_QUERY_H
#define WARREN_NODE_WORK_QUERY_H

#include <stdbool.h>
#include <stdint.h>

struct caller;
struct job;
struct node;
struct proto_req;

void query_request(struct node *, struct caller *, const uint8_t request[16],
    const struct proto_req *);
/* Cancel, as the submitter or the operator: the state after it. */
void job_cancel(struct node *, struct job *, bool operator_asks);

#endif
