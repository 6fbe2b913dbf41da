/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_LEDGERKIT_H
#define WARREN_TESTS_UNIT_LEDGERKIT_H

#include "node/host/ledger.h"

#define NOW 1800000000u

/* A ledger in a folder of its own, of these jobs; each test has it anew. */
extern char ledgerkit_dir[64], ledgerkit_path[128];
extern struct jobs ledgerkit_jobs;

int ledgerkit_setup(void **state);
int ledgerkit_teardown(void **state);
struct ledger *ledgerkit_open(void);
void ledgerkit_forget(void); /* all jobs */
/* All that is pending. */
void ledgerkit_commit(struct ledger *);

#endif
