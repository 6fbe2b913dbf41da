/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_HOST_WATCHFEED_H
#define WARREN_NODE_HOST_WATCHFEED_H

struct job;
struct warren_node;

/* Samples of what a job has printed since, to a watchdog that is there. */
void watchfeed(struct warren_node *, struct job *);
#endif
