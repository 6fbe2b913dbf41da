/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_KLPREMOTE_H
#define WARREN_NODE_CLI_KLPREMOTE_H

#include "node/cli/cli.h"
#include "node/cli/person.h"
#include "node/cli/session.h"
#include "trust/doc/head.h"
#include "trust/doc/root.h"

/*
 * What an authority publishes, over the mesh from one node that has it: the
 * pinned root, each root after the one before, the head, a document that it
 * names, each verified before it is handed on. Results are exit statuses; what
 * fails is said.
 */
struct klpremote {
	char dir[CLI_PATH]; /* the configuration's: of the pinned root */
	const char *authority;
	struct root root; /* the newest */
	struct id32 id;
	struct head head;
	struct person person;
	struct session *s;
	uint64_t bytes; /* that have come */
};

/*
 * Reads the pinned root of --config; then klpremote_connect(): to this node, or
 * (NULL) the first that the root names. klpremote_close() in any case.
 */
int klpremote_open(struct cli *, struct klpremote *, const char *authority);
int klpremote_connect(struct cli *, struct klpremote *, const char *node);
void klpremote_close(struct klpremote *);

/* Each new root is given to fn, if it is not NULL. */
typedef int klpremote_fn(struct cli *, void *ctx, const char *name,
    const void *, size_t);
int klpremote_roots(struct cli *, struct klpremote *, klpremote_fn *,
    void *ctx);
/* Allocations. */
int klpremote_head(struct cli *, struct klpremote *, uint8_t **frame,
    size_t *len);
int klpremote_document(struct cli *, struct klpremote *,
    const struct root_doc *, const struct head_doc *, uint8_t **envelope);

#endif
