/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_RANK_H
#define WARREN_NODE_PARENT_RANK_H

/*
 * Between fork and exec: the relay outlives the others when memory runs out, by
 * this oom_score_adj. Needs /proc, and does nothing without; undumpable after
 * that.
 */
#define RANK_HOUSE "100" /* the relay has RELAY_RANK or 0 */
#define RANK_JOB "700"	 /* as jobs have it */
void rank_before_relay(const char *rank);

#endif
