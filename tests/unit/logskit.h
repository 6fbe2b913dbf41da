/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_LOGSKIT_H
#define WARREN_TESTS_UNIT_LOGSKIT_H

#include <ev.h>

#include "node/host/logs.h"
#include "node/work/jobs.h"

/* A folder, a loop and the logs of jobs in it, anew for each test. */
extern char dir[64];
extern int dirfd_, null;
extern struct ev_loop *loop;
extern struct logs *logs;
extern uint64_t room_left; /* that followers may be sent */
extern uint64_t sent_bytes;
extern unsigned grew_calls;
extern struct job *sealed_job;

int setup(void **state);
int teardown(void **state);
void open_logs(void);
/* So many turns of the loop, without waiting. */
void turns(unsigned n);
/* One that runs, with this limit of its log. */
struct job *a_job(uint8_t id, uint64_t limit);

#endif
