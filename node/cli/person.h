/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_PERSON_H
#define WARREN_NODE_CLI_PERSON_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/fp.h"
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
	struct hash16 rns_hash;
	struct klp_secret secret;
	struct klp_key key;
	struct fp fp;
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
/* The person's fingerprint in hex, of keys that are there; else "". */
void person_own_fp(const struct person *, char hex[2 * FP_LEN + 1]);
/* Wipes the secrets. */
void person_clear(struct person *);

/*
 * The node's two keys below its configuration folder (no binding, dir -1);
 * make: what is missing. CLI_OK or CLI_FAILED (said). Clear in both cases.
 */
int person_node(struct cli *, int dir, bool make, struct person *);

/*
 * Who the node of a folder is, by the binding that it has made; frame may be
 * NULL. false with errno (0: damaged). No secret is read.
 */
bool person_of_node(int dir, struct fp *, uint8_t frame[BINDING_LEN]);

#define JOB_NAME_MAX 63
#define JOB_LABEL_MAX 127
#define JOB_LABELS 16

/*
 * What a person's commands note of a job, on this machine only: where it is,
 * what it is called, and what was last seen of it. "" and 0: not known.
 */
struct job_note {
	struct id32 job;
	struct hash16 dest;
	struct fp node_fp;
	char folder[CLI_PATH];
	char name[JOB_NAME_MAX + 1];
	char label[JOB_LABELS][JOB_LABEL_MAX + 1]; /* up to the first "" */
	char image[256];
	int64_t at; /* submitted, unix seconds */
	uint32_t at_us; /* and microseconds: what came first in a second */
	char state[16], outcome[160];
};
/*
 * NULL, or what is wrong with it: a literal. A name is never all hexadecimal
 * digits, so that none can be taken for an id; a label is KEY or KEY=VALUE.
 */
const char *job_name_bad(const char *);
const char *job_label_bad(const char *);

/* Notes it under its id, in place of an earlier note; false with errno. */
bool person_note_job(const struct person *, const struct job_note *);
/* Each note, until fn says true: whether it did. */
bool person_each_job(const struct person *,
    bool (*fn)(void *arg, const struct job_note *), void *arg);
/* The note of one job, by its whole id; false: there is none. */
bool person_get_job(const struct person *, const struct id32 *job,
    struct job_note *);
/* What was seen of it now; a job that is not noted is left so. */
void person_saw_job(const struct person *, const struct id32 *job,
    const char *state, const char *outcome);
/* Above 0: a was submitted after b; below: before it. */
int job_note_later(const struct job_note *a, const struct job_note *b);
/* The note goes, and what stands of its way as a letter; none is fine. */
void person_forget_job(const struct person *, const struct id32 *job);
/* What stands of a job's way as a letter (mailway.h) goes; none is fine. */
#define PERSON_LETTERS "letters"
void person_letter_over(const struct person *, const struct id32 *job);
/*
 * By its name (of several the one submitted last), or by hex digits of the id,
 * whole or its beginning. 1: found; 0: none; -1: two jobs begin so.
 */
int person_find_job(const struct person *, const char *text,
    struct job_note *);

#endif
