/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_AIRNOTE_H
#define WARREN_NODE_CLI_AIRNOTE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/*
 * Sentences about the airtime of an interface, of what mesh.sock says of it.
 * The i-th, of "interfaces"; false: there are no more.
 */
bool airnote(const json_t *interface, unsigned i, char *out, size_t cap);
/* One of "air" of "explain". */
void airnote_waits(const json_t *one, char *out, size_t cap);

#endif
