/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_HOST_CONTROL_H
#define WARREN_NODE_HOST_CONTROL_H

struct control;
struct warren_node;

/* warren/run/node.sock. listener is taken. NULL: no memory (logged). */
struct control *control_open(struct warren_node *, int listener);
/* Clients are closed. NULL is fine. */
void control_close(struct control *);

#endif
