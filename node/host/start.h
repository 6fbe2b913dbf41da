/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_HOST_START_H
#define WARREN_NODE_HOST_START_H

#include "node/host/world.h"

/*
 * From an admitted job to J_RUN; those with void *ctx are members of struct host
 * (node/work/host.h says what they do), ctx: struct warren_node.
 */
bool start_job(void *ctx, struct job *, const char **code, char why[128]);
bool start_kill(void *ctx, struct job *);
/* The J_RUN of start_job(), where it waited; W_JOB of one that runs. */
void start_run(void *ctx, struct job *);
void start_watch(void *ctx, struct job *);
bool start_freeze(void *ctx, struct job *, bool on);
void start_slow(void *ctx, struct job *, uint32_t milli);
void start_usage(void *ctx, struct job *);
void start_ending(void *ctx, struct job *);
void start_free_slot(void *ctx, struct job *);
/* Groups of jobs that are over; what is busy is tried again. */
void start_sweep(struct warren_node *);
/* J_RUNNING: its groups again. */
void start_found(struct warren_node *, struct job *, uint32_t slot);
/* By name; "": the container profile's, else "default". NULL: not here. */
const struct seccomp_text *start_seccomp(struct warren_node *,
    const char *name);

#endif
