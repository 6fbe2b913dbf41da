/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_HANDOUT_H
#define WARREN_NODE_WORK_HANDOUT_H

struct asked;
struct node;

/*
 * Images for who pulls them from here (image_serve; compute.md 3.7): whether he
 * may, and what of his day's budget it takes. host has the bytes.
 */
void handout_request(struct node *, const struct asked *);

#endif
