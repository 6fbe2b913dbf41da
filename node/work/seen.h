/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_SEEN_H
#define WARREN_NODE_WORK_SEEN_H

#include <stdbool.h>

struct job;
struct node;

/* Neither J_RUN nor a receipt waits longer than this for a silent audit. */
#define SEEN_WAIT_MS 3000

/* It has ended: what audit saw of it is asked for (watched.c has the answer). */
void seen_ask(struct node *, struct job *);
/* ... and has not come. */
bool seen_open(const struct job *);

#endif
