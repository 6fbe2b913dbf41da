/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_GRAPH_JSON_H
#define WARREN_TRUST_DOC_GRAPH_JSON_H

#include <stdbool.h>

#include <jansson.h>

#include "trust/doc/graph.h"

/*
 * The elements of a trust graph's two lists (klp.md 3.1). Each gives NULL, or
 * a literal that names the member that is wrong.
 */

/*
 * What an edge says, its signature aside. *unknown becomes true when a tag or
 * scope has no bit here, *never says that its level is none.
 */
const char *edge_json(struct edge *, const json_t *, bool *unknown,
    bool *never);
/* A node's id and its key, which that id names; len 0: it has none. */
const char *node_json(struct fp *id, struct klp_key *, const json_t *);

#endif
