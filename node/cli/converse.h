/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_CONVERSE_H
#define WARREN_NODE_CLI_CONVERSE_H

#include <stdbool.h>
#include <stdint.h>

#include "node/cli/cli.h"
#include "node/cli/jobdir.h"
#include "node/cli/person.h"
#include "node/cli/remote.h"
#include "node/cli/session.h"
#include "node/cli/submitter.h"

/*
 * The submitter's machine on a session: what `submit` and `result` share. The
 * pointers are the caller's.
 */
struct talk {
	struct cli *c;
	const struct person *person;
	struct session *session; /* connected */
	struct remote *node;
	const struct manifest *manifest;
	/* an open folder; path says where for people */
	struct jobdir dir;
	/* set: envelope, binding, detach, resume, store.input */
	struct submitter sub;
	uint8_t buf[PROTO_SLICE];
	/* --in-place: local folders of the volumes, relative to base */
	bool in_place;
	bool strict; /* outputs that lack something are a failure */
	bool by_old; /* the job was signed by what is kept of the node */
	bool renews; /* who calls can sign it anew */
	int base;
	const char (*local)[CLI_PATH];

	/* in place of the session: who answers; CLI_OK or said */
	int (*ask)(void *arg, const struct proto_req *, struct proto_ans *);
	void *ask_arg;

	bool sent; /* the job, perhaps: an answer can be lost */
	bool unsure; /* ... more than once */
	bool there; /* ... it was refused, and may be there from before */
	unsigned generation;
	struct mono progress_at, phase_since, state_since;
	enum sub_phase shown_phase, foreseen;
	uint64_t foreseen_bytes;
};

/*
 * To the end: conversation, files, what is printed; the exit code. A job that
 * the node did not take leaves no folder.
 *
 * TALK_OLD: a job that was signed by_old was refused for what that may be the
 * cause of, and nothing is said or removed yet: talk_refused() does.
 * TALK_LATE: likewise, of a job that came too late and never was there before.
 */
#define TALK_OLD (-4) /* no number of session.h's */
#define TALK_LATE (-5)
int talk_run(struct talk *);
int talk_refused(struct talk *);
/* What was seen of the job goes into its note. */
void talk_note(const struct talk *);
/* Was the job admitted, as far as we know? */
bool talk_admitted(const struct talk *);

#endif
