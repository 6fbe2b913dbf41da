/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_NUMBERS_H
#define WARREN_NODE_WORK_NUMBERS_H

#include <stdint.h>

#include "common/ipc_msg.h"

/*
 * What /metrics shows of jobs and budgets: counts, no names. Refusals are
 * counted by their code, of which there are few.
 */
#define NUMBERS_CODES 32 /* ours: the last is "other" */

struct node;

struct code_counts {
	unsigned n;
	struct code_count {
		char code[NUMBER_LABEL + 1]; /* jail has words too */
		uint64_t times;
	} of[NUMBERS_CODES];
};

void numbers_count(struct code_counts *, const char *code);
/* NUMBERS: an N_NUMBER for each, then the end. spool: bytes of all peers. */
void numbers_tell(struct node *, uint32_t seq, uint64_t spool);

#endif
