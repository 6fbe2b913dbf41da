/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_SMALL_H
#define WARREN_NODE_WORK_SMALL_H

#include <stdbool.h>

struct asked;
struct job;
struct node;

/*
 * A job that has ended with little, in one answer (compute.md 3.4), when who
 * asks takes it so. false: nothing was answered.
 */
#define SMALL_MAX 4096u /* ours: bytes of both logs; f is cut to it */
#define SMALL_OUTPUTS 8192u /* ours: ... of all outputs; g */
bool small_answer(struct node *, const struct asked *, const struct job *);

#endif
