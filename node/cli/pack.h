/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_PACK_H
#define WARREN_NODE_CLI_PACK_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>

#include "node/cli/cli.h"
#include "sandbox/base/tree.h"
#include "trust/doc/chunks.h"

/*
 * A folder as the blob that travels (compute.md 2.2): packed into an unnamed
 * file in TMPDIR, so that what is sent is what was hashed.
 */
struct pack {
	int fd; /* -1: none */
	struct id32 sha256;
	uint64_t size;
	struct left left; /* TREE_DROP: what it lacks */
};

/* path relative to dir (AT_FDCWD). false: said. */
bool pack_folder(struct cli *, int dir, const char *path, enum tree_mode,
    struct pack *);
/* The same and nothing is said: -1 with errno, and why when it is not NULL. */
int pack_quiet(int dir, const char *path, enum tree_mode, struct pack *,
    char why[256]);
/* A folder that is not there yet, as an empty one. */
bool pack_empty(struct cli *, struct pack *);
/* A file as it is (a module, a contract), at most 64 MiB. */
bool pack_file(struct cli *, int dir, const char *path, struct pack *);
/* A pack as its chunks (compute.md 3.3). */
struct pack_chunks {
	uint8_t *list; /* NULL: it goes as one */
	size_t len;
	struct id32 sha256; /* of the list */
	struct chunk_table t;
};
/*
 * Cuts it when it is larger than CHUNKED_FROM; one with more chunks than a list
 * holds goes as one. false: it cannot be read, or no memory (errno).
 */
bool pack_cut(struct pack_chunks *, const struct pack *);
void pack_chunks_free(struct pack_chunks *); /* all zero is fine */
/* An unnamed file of our own; -1 with errno. */
int pack_temp(void);
/* SHA-256 and size of a regular file, from its beginning; false: errno. */
bool pack_digest(int fd, struct id32 *sha256, uint64_t *size);

#endif
