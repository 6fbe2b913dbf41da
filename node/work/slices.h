/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_SLICES_H
#define WARREN_NODE_WORK_SLICES_H

struct asked;
struct node;

/*
 * blob/have, blob/get, blob/put (compute.md 3.2): inputs on their way in, and
 * outputs on their way out, in slices. Who asks has a fingerprint, and there
 * are only his own blobs. A put is taken when a live job of his names the blob;
 * one that makes it whole may start that job. Always answered.
 */
void slice_have(struct node *, const struct asked *);
void slice_get(struct node *, const struct asked *);
void slice_put(struct node *, const struct asked *);

#endif
