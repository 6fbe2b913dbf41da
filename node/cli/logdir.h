/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_LOGDIR_H
#define WARREN_NODE_CLI_LOGDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/cli/cli.h"
#include "trust/doc/tlog.h"
#include "trust/doc/tlogedge.h"

/*
 * A transparency log as a folder (C2SP tlog-tiles): `checkpoint`, tile/<level>/
 * and tile/entries/. Any web server can serve it as it is. What fails is said;
 * the results are exit statuses.
 */
struct logdir {
	struct cli *c;
	const char *path;
	int fd;
	char note[SNOTE_MAX]; /* the checkpoint */
	size_t note_len;
	struct tlog_head head; /* of it; nothing of it is checked yet */
	struct tlog_tiles tiles; /* for proofs */
};

/*
 * make: where none is, one is begun under this origin; and others who write
 * are kept out until it is closed. logdir_close() in any case.
 */
int logdir_open(struct logdir *, struct cli *, const char *path,
    const char *make);
void logdir_close(struct logdir *);
bool logdir_is(const char *path); /* a folder with a checkpoint */

/* A tile as it is there (tlog_load_fn; ctx: the logdir). */
tlog_load_fn logdir_tile;
/* For proofs. */
struct tlog_tree logdir_tree(struct logdir *);

/* Each entry in order, until fn says false. */
typedef bool logdir_entry_fn(void *ctx, uint64_t index, const uint8_t *,
    size_t);
int logdir_each(struct logdir *, logdir_entry_fn *, void *ctx);
/*
 * Every entry and every tile against the root of the checkpoint; the first that
 * is not what it should be is named.
 */
int logdir_check(struct logdir *);

/* Entries behind the last; then a checkpoint over all, signed by its key. */
struct logdir_entry {
	const char *text;
	size_t len; /* at most TLOG_ENTRY_MAX */
};
int logdir_add(struct logdir *, const struct logdir_entry *, unsigned n,
    const struct vkey *, const uint8_t secret[64]);
/* The checkpoint with one line more below it, in place of the key's last. */
int logdir_cosign(struct logdir *, const struct vkey *,
    const uint8_t secret[64], uint64_t when);

#endif
