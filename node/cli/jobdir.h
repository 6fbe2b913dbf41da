/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_JOBDIR_H
#define WARREN_NODE_CLI_JOBDIR_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>

#include "node/cli/cli.h"
#include "node/cli/submitter.h"
#include "trust/doc/binding.h"

/*
 * The folder that a job leaves (compute.md 11): stdout, stderr, receipt,
 * manifest, result.json, volumes/. It is a struct sub_store for results.
 */
struct jobdir {
	struct cli *cli;
	int dir;
	char path[CLI_PATH];
	const struct manifest *manifest;
	int log[2];
	int out[MANIFEST_VOLUMES]; /* archives, until unpacked */
	char part[MANIFEST_VOLUMES][72]; /* their names, DIGEST.part */
	bool made; /* by us, now */
	int mark; /* locked while inputs are sent; -1 */
	bool show; /* bytes of the streams go to ours too */
	uint64_t shown[2];
	int err; /* why the last write failed; 0: none did */
};

/*
 * Make it, or open that of the same job again. path NULL: ./<16 digits>.
 * CLI_OK, CLI_USAGE (exists and is another job's), CLI_FAILED (said).
 */
void jobdir_init(struct jobdir *); /* nothing is open: jobdir_close() may come */
int jobdir_open(struct jobdir *, struct cli *, const char *path,
    const struct manifest *, const uint8_t *envelope, size_t len);
/*
 * One that was begun, to void or unmark it: dir is open at path, mark is of
 * jobdir_hold() or -1; both are taken.
 */
void jobdir_begun(struct jobdir *, struct cli *, const char *path, int dir,
    int mark);
/* Closes what is open; the folder stays. */
void jobdir_close(struct jobdir *);
/* The job did not come to be: what jobdir_open() made goes again. */
void jobdir_discard(struct jobdir *);
/*
 * The job never came to be, and is another one now: what is written before
 * there is anything of a job goes, and the folder with it when it is empty.
 */
void jobdir_void(struct jobdir *);
/*
 * A mark stands in the folder until the node has every input, locked while
 * somebody sends them: a later submission of the same job goes on with it.
 */
#define JOBDIR_UPLOAD "inputs.part"
void jobdir_uploading(struct jobdir *, bool yes);
/* Whoever set it: nothing of the job is to be sent any more. */
void jobdir_unmark(struct jobdir *);
/*
 * Of an upload that was cut off: its mark, locked until it is closed, so that
 * nobody else goes on with it; -1: there is none, or somebody is at work. make:
 * where none is, one is set.
 */
int jobdir_hold(int dir, bool make);
/* What stopped the submitter here; with why a write failed, if one did. */
void jobdir_trouble(const struct jobdir *, const char *what);
/* Fills the hooks by which a submitter stores into this folder. */
void jobdir_store(struct jobdir *, struct sub_store *);

/*
 * How much of the logs is here from an earlier fetch, for sub_init(); shown on
 * our streams as if it came now.
 */
void jobdir_logs_here(struct jobdir *, uint64_t have[2]);

/*
 * The end: unpack outputs, write receipt and result.json. in_place: local
 * folders (relative to base) of rw volumes are replaced too. CLI_OK or
 * CLI_FAILED (said).
 */
struct jobdir_end {
	const struct submitter *s;
	const uint8_t *binding; /* the node's, BINDING_LEN */
	const char *node_urn;
	struct hash16 dest;
	const struct klp_key *submitter;
	bool in_place;
	int base;
	const char (*local)[CLI_PATH];
};
int jobdir_finish(struct jobdir *, const struct jobdir_end *);

/* An output's archive into volumes/TARGET below dir, which is path; false: said. */
bool jobdir_unpack(struct cli *, int dir, const char *path, const char *target,
    int fd);

#endif
