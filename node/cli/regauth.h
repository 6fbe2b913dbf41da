/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_REGAUTH_H
#define WARREN_NODE_CLI_REGAUTH_H

#include <stddef.h>

#include "trust/egress/regname.h"

/*
 * Who asks a registry: a file of a person's own that nobody else can read, in
 * the form of Docker's config.json ("auths"), read only when it is named.
 * Returns a sealed memfd with "NAME:PASSWORD", or -1 and why, for people; an
 * empty why: nothing in it is of this registry.
 */
#define REGAUTH_MAX (256u << 10) /* bytes of the file */
int regauth_load(const char *path, const struct regname *, char *why,
    size_t cap);

#endif
