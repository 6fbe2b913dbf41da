/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_HOST_EVIDENCE_H
#define WARREN_NODE_HOST_EVIDENCE_H

struct job;

/*
 * What node has of a job for a bundle of evidence (node/work/forensics.h), and
 * the verbs of node.sock that ask for one. host->bundle; snapshot is taken, -1:
 * there is none. j NULL: of the trail alone.
 */
void evidence_send(void *ctx, struct job *, int snapshot);

#endif
