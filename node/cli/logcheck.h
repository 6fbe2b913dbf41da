/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_LOGCHECK_H
#define WARREN_NODE_CLI_LOGCHECK_H

#include "common/fp.h"
#include "node/cli/cli.h"
#include "trust/doc/note.h"
#include "trust/doc/tlog.h"

/* `warren audit verify --log`: a transparency log, or one proof of one. */
#define LOGCHECK_WITNESSES 16

struct logcheck {
	const char *path;   /* NULL: no log is asked for */
	const char *record; /* a file that must be in it; NULL */
	struct vkey key;    /* of the log */
	bool has_key;
	struct vkey witness[LOGCHECK_WITNESSES];
	unsigned nwitnesses;
	unsigned want; /* of them; 0: all */
};

/* What a log says, once it is believed. */
struct logfound {
	struct tlog_head head;
	unsigned witnesses;
	uint64_t oldest; /* unix seconds, of their signatures; 0 */
	bool has_index;  /* of the record */
	uint64_t index;
	/* a node's: the last of each */
	bool has_trail, has_node;
	struct note trail; /* size and root of its trail */
	struct id32 binding;
};

/* An option of verify; false: said what is wrong with the value. */
bool logcheck_set(struct cli *, struct logcheck *, int option,
    const char *value);
/*
 * node: whose records count; NULL: nobody's. CLI_OK, CLI_UNPROVEN (no key was
 * given), else what failed, said.
 */
int logcheck_run(struct cli *, const struct logcheck *, const struct fp *node,
    struct logfound *);
void logcheck_print(struct cli *, const struct logcheck *,
    const struct logfound *);

#endif
