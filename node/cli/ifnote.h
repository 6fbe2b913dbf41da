/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_IFNOTE_H
#define WARREN_NODE_CLI_IFNOTE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* The k-th reason why an interface is down, as it was said; NULL: no more. */
const char *ifnote_error(const json_t *interface, unsigned k);
/*
 * What its device complained of a short while ago, and when; false: of
 * nothing.
 */
bool ifnote_remark(const json_t *interface, char *out, size_t cap);

#endif
