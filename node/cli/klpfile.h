/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_KLPFILE_H
#define WARREN_NODE_CLI_KLPFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "node/cli/cli.h"
#include "trust/doc/envelope.h"
#include "trust/doc/root.h"

/*
 * Files of a board: its secret keys, and what is signed with them. What fails
 * is said; the result is an exit status.
 */

/* A whole file, a NUL behind it; NULL: said. */
/* A file that is not what it should be; of one not signed yet, what to do. */
void klpfile_bad(struct cli *, const char *path, const char *why);
char *klpfile_load(struct cli *, const char *path, size_t max, size_t *len);
/* Replaced as a whole; NULL or "-": to standard output. */
int klpfile_save(struct cli *, const char *path, const void *, size_t);

/*
 * A secret key: one line, secret:SCHEME:64 hex digits (ed25519, ecdsa, bip340),
 * for its owner alone. make: none may be there. read: refuses one that others
 * can read.
 */
int klpfile_key_make(struct cli *, const char *path, const struct klp_secret *);
int klpfile_key_read(struct cli *, const char *path, struct klp_secret *);
const char *klpfile_scheme(const struct klp_key *); /* "ed25519", ... */
bool klpfile_scheme_set(struct klp_secret *, const char *scheme);

/* Several: what --key gave, else the person's own. */
struct klpfile_keys {
	unsigned n;
	const char *path[ENV_SIGS_MAX];
	struct klp_secret secret[ENV_SIGS_MAX];
};
/* One more path; false: said that they are too many. */
bool klpfile_keys_add(struct cli *, struct klpfile_keys *, const char *path);
/* Reads them all. person: without any, the person's mesh key. */
int klpfile_keys_read(struct cli *, struct klpfile_keys *, bool person);
void klpfile_keys_clear(struct klpfile_keys *);

/*
 * Signatures of all the keys over a payload of this type; one by a key that
 * has signed already takes the place of its first. sigs has room for
 * ENV_SIGS_MAX.
 */
int klpfile_sign(struct cli *, const struct klpfile_keys *, const char *type,
    const void *payload, size_t len, struct env_signed *sigs, unsigned *nsigs);
/* The canonical envelope, in an own allocation; NULL: said. */
char *klpfile_envelope(struct cli *, const char *type, const void *payload,
    size_t len, const struct env_signed *, unsigned nsigs, size_t *out_len);

/* A root of any version that its own keys have signed. */
int klpfile_root(struct cli *, const char *path, struct root *);
/* The first root of an authority as the folder dir has it pinned, and its id. */
int klpfile_pinned(struct cli *, const char *dir, const char *authority,
    struct root *, struct id32 *id);

#endif
