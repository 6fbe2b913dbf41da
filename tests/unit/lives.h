/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_LIVES_H
#define WARREN_TESTS_UNIT_LIVES_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>

/*
 * A whole life of a job between a node that dies and others that do not: real
 * node/work, outbox, ledger and blobs; a submitter, a jail, a judge, a keeper
 * of keys and a trail that pretend; virtual time. Each commit and each message,
 * in or out, is a point, counted from 1: at the point kill_at[0] the node is
 * gone, as by SIGKILL, and another one starts on what is on the disk; at the
 * point kill_at[1] so does that one.
 */
struct life {
	const char *name;
	bool volumes;		/* one ro, one rw */
	unsigned retries;
	unsigned run_ms;	/* until it exits; 0: never by itself */
	int exit_code;
	const char *cancel_in;	/* the submitter cancels in this state */
	const char *fail_code;	/* jail refuses it */
	unsigned jail_falls;	/* so many attempts are ended by jail's fall */
	bool deadline;		/* it comes while the job runs */
	bool floods;		/* it prints more than it may */
	bool expires;		/* until nothing of it is known */
	const char *bad_row;	/* no row of it in this state, at first */
	const char *ends;	/* state at the end */
	int outcome, code;	/* of done */
};

struct life_end {
	unsigned points, commits, messages;
	unsigned lives;		/* of nodes */
	char died_at[64];
};

/*
 * One run in a fresh folder. 0; or -1: an oath was broken, told on stderr. Leaks
 * what dead nodes had: for a process of its own.
 */
int life_run(const struct life *, const char *dir, const unsigned kill_at[2],
    struct life_end *);

#endif
