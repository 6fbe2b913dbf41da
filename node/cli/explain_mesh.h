/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_EXPLAIN_MESH_H
#define WARREN_NODE_CLI_EXPLAIN_MESH_H

#include <stdbool.h>

#include <jansson.h>

#include "node/cli/cli.h"

/*
 * What the mesh knows of a hash (mesh.sock's explain), for people. NULL: nobody
 * answers.
 */
json_t *explain_mesh_ask(struct cli *, const char *digits);
/* Does it tell of anything? */
bool explain_mesh_knows(const json_t *);
/* Every drop gets "means" and "remedy" (reasons.h). */
void explain_mesh_add(json_t *);
void explain_mesh_print(const json_t *);

#endif
