/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_LOGSEEN_H
#define WARREN_NODE_CLI_LOGSEEN_H

#include "node/cli/cli.h"
#include "trust/doc/tlog.h"

/*
 * The largest checkpoint of each log that a person has checked, in logs/ beside
 * the person's keys (klp.md 8): a log that once showed more, or something else,
 * is found out. What fails is said.
 */
struct seen_log {
	const struct tlog_head *head;
	const char *note; /* it, as it was signed */
	size_t note_len;
	const struct vkey *key;
	const struct tlog_tree *tree; /* NULL: only one proof is here */
};

/*
 * CLI_OK: it goes on from what was seen (or nothing was seen), and is noted;
 * CLI_REFUSED: it does not. Both checkpoints then lie beside each other in
 * logs/, each signed by the log: that is the evidence. must: no folder of a
 * person is an error, else only nothing is noted.
 */
int logseen_check(struct cli *, const struct seen_log *, bool must);

#endif
