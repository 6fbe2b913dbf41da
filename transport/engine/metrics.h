/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_METRICS_H
#define WARREN_TRANSPORT_ENGINE_METRICS_H

struct asksock;
struct engine;

/*
 * GET /metrics on the listener that the parent opened (metrics of node.yaml),
 * which is taken. NULL: no memory.
 */
struct asksock *metrics_new(struct engine *, int fd);
/* measure_ask() has its answers: so have those that waited. */
void metrics_measured(struct engine *);

#endif
