/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_RADIONOTE_H
#define WARREN_NODE_CLI_RADIONOTE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* What the radio of an interface says, in a sentence; false: it has none. */
bool radionote(const json_t *interface, char *out, size_t cap);

#endif
