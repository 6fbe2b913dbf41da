/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_TARGET_H
#define WARREN_NODE_CLI_TARGET_H

#include <rns/hash.h>

#include "node/cli/cli.h"
#include "node/cli/person.h"
#include "node/cli/remote.h"
#include "node/cli/session.h"
#include "node/cli/verbs.h"
#include "trust/doc/manifest.h"

/*
 * "Whose job is ID" (ARCHITECTURE.md 12.24): a folder means that job; a name or
 * an id noted beside the person's keys means the node that has it; else a job of the
 * node of --config. --to NODE and --here say it outright.
 */
struct target {
	struct cli *cli;
	const char *to;   /* --to */
	bool want_here;   /* --here */
	uint64_t timeout_ms;

	bool here;        /* a job of this machine's node */
	char id[65];      /* as given, or whole */
	struct job_note note; /* beside the person's keys; zeros: none */
	bool is_short; /* the beginning of an id, until connected */
	struct id32 job;  /* over the mesh: always whole */
	char folder[CLI_PATH]; /* "" none */
	struct hash16 dest;
	struct fp pin; /* the key of the node that has it; zeros: any */
	struct person person;
	struct session *session;
	struct remote node;
};

/* The set() of the options that target verbs share; false: said. */
bool target_option(struct target *, int option, const char *value);
/* Before the options are read; target_close() may follow at once. */
void target_init(struct target *, struct cli *);
/* Find it; text NULL: no job, only a node. CLI_OK or said. */
int target_find(struct target *, const char *text);
/*
 * Contact the node (not when here): link, describe, and its key must be that for
 * which the job was signed, where that is known, else the one that was noted,
 * with --to as well (CLI_REFUSED, said).
 */
int target_connect(struct target *);
/* The same without a link: whom it is about is known by its note alone. */
int target_attach(struct target *);
/* Ends the session and wipes the person. */
void target_close(struct target *);
/*
 * The manifest that lies in the folder; CLI_FAILED (said) when there is none.
 * envelope: its bytes, free() it. Clear m always.
 */
int target_manifest(struct target *, struct manifest *m, char **envelope,
    size_t *len);

#endif
