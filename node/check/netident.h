/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CHECK_NETIDENT_H
#define WARREN_NODE_CHECK_NETIDENT_H

#include <stdbool.h>
#include <stddef.h>

#include "node/check/finding.h"
#include "transport/config/rnsconf.h"

/*
 * The file of network_identity (reticulum-transport.md 7.5): who reads it can
 * publish interfaces and read what the members of the network publish.
 */

/*
 * Where it lies: below dir, the configuration folder, when the path is not
 * absolute, as a person reads it who writes it there. -1: too long, or no
 * home.
 */
int netident_path(const struct rnsconf *, const char *dir, char *out,
    size_t cap);
/* It is there, and others can read or write it; out: where. */
bool netident_exposed(const struct rnsconf *, const char *dir, char *out,
    size_t cap);
/* A note of check-config, the start and SIGHUP. */
void check_netident(struct check *);

#endif
