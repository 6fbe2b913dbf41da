/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_VIEW_EXPLAIN_H
#define WARREN_TRANSPORT_ENGINE_VIEW_EXPLAIN_H

#include <stdbool.h>

#include <jansson.h>

struct view;

/*
 * mesh.sock's explain: all that is known of a hash, in one object. The request's
 * "id" is 4 to 64 hex digits, the beginning of a destination that is known here
 * or has a path, or all of anything.
 */
bool explain_open(struct view *, const json_t *request);
json_t *explain_next(struct view *, bool *end);

#endif
