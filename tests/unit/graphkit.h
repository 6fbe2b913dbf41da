/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_GRAPHKIT_H
#define WARREN_TESTS_UNIT_GRAPHKIT_H

#include "trust/doc/graph.h"
#include "trust/doc/level.h"

#include "tests/unit/vec.h"

/* Graphs of klp-trust.json, for the tests of graph.h and kte1.h. */
/* "edges": all of them, as their sources say them. */
struct edge *graphkit_edges(const json_t *root, size_t *n);
/* "anchors" of a row. */
size_t graphkit_anchors(const json_t *row, struct level_anchor *out);
/* Reads a payload to its end; NULL and *why when it is refused. */
struct graph *graphkit_load(const void *payload, size_t len,
    const struct graph *before, struct graph_stats *, const char **why);

#endif
