/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_PERSON_H
#define WARREN_NODE_CLI_PERSON_H

#include <stdbool.h>
#include <stdint.h>

#include "node/cli/cli.h"
#include "trust/doc/binding.h"
#include "trust/doc/keytext.h"
#include "trust/doc/secp.h"

/*
 * A person's keys (compute.md 9): reticulum (64 bytes), mesh (32), binding
 * (242), made when absent, the binding anew at two thirds of its life; and
 * what the person's commands note beside them: jobs/ and nodes.
 */
struct person {
	int dir; /* the folder */
	uint8_t rns_priv[64];
	uint8_t rns_pub[64];
	uint8_t rns_hash[16];
	struct klp_secret secret;
	struct klp_key key;
	uint8_t fp[FP_LEN];
	char urn[URN_MAX];
	uint8_t binding[BINDING_LEN];
};

/* CLI_OK, or CLI_FAILED (said). Clear in both cases. */
int person_load(struct cli *, struct person *);
/*
 * The folder alone, when it is there: what is noted can be looked up, no key is
 * read and nothing is made. Never fails.
 */
void person_peek(struct cli *, struct person *);
/* Wipes the secrets. */
void person_clear(struct person *);

/*
 * The node's two keys below its configuration folder (no binding, dir -1);
 * make: what is missing. CLI_OK or CLI_FAILED (said). Clear in both cases.
 */
int person_node(struct cli *, int dir, bool make, struct person *);

/* Where a job is: the node's destination, and the folder ("" none). */
struct job_note {
	uint8_t job[32];
	uint8_t dest[16];
	uint8_t node_fp[FP_LEN];
	char folder[CLI_PATH];
};
/* Notes whose node has this job, under its id; false with errno. */
bool person_note_job(const struct person *, const struct job_note *);
/* The note goes; none is fine. */
void person_forget_job(const struct person *, const uint8_t job[32]);
/*
 * By hex digits of the id, whole or its beginning. 1: found; 0: none; -1: two
 * jobs begin so.
 */
int person_find_job(const struct person *, const char *hex, struct job_note *);

#endif
