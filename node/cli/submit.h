/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_SUBMIT_H
#define WARREN_NODE_CLI_SUBMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "node/cli/cli.h"
#include "node/cli/converse.h"
#include "node/cli/jobfile.h"
#include "node/cli/mail.h"
#include "node/cli/pack.h"
#include "node/cli/person.h"
#include "node/cli/remote.h"
#include "node/cli/session.h"
#include "trust/doc/manifest.h"

/*
 * One submission, from a job that was read to its results: what `submit` and
 * `run` share. The job comes from a file or from the command line.
 */
struct submit {
	struct cli *c;
	const char *to, *out;
	bool by_mail; /* through the propagation nodes via */
	struct mail_nodes via;
	char begun[CLI_PATH]; /* the folder of a submission to go on with */
	int begun_mark;	      /* its mark, until that folder is open; -1 */
	bool in_place, detach, strict, print, fresh;
	uint64_t timeout_ms;
	/* what is noted of the job, here and nowhere else */
	const char *name;
	const char *label[JOB_LABELS];
	size_t nlabels;

	struct person person;
	struct session *session;
	struct remote node;
	enum node_by by; /* what the node was named by */
	struct job_file job;
	/* of each input, as manifest_input() has them */
	struct pack packs[MANIFEST_INPUTS];
	struct pack_chunks chunks[MANIFEST_INPUTS];
	uint8_t *envelope, *envelope_json;
	size_t envelope_len, envelope_json_len;
	bool again; /* signed once more: nonce as it was */
	bool deadline_stands; /* ... and what its author said of its deadline */
	struct job_note carried; /* what was noted of it before; zeros: none */
	struct talk talk;
};

/* Before anything else; NULL: out of memory. */
struct submit *submit_new(struct cli *);
/* The set() of the options that both take; false: said. */
bool submit_option(struct submit *, int option, const char *value);
/*
 * s->job is filled: pack, find the node, sign, hand over, follow, fetch. With
 * print the manifest is shown in place of being signed. The exit code of
 * submit; s->talk.sub says how the job ended when it is CLI_OK or CLI_JOB.
 */
int submit_run(struct submit *);
void submit_free(struct submit *); /* NULL is fine */

#endif
