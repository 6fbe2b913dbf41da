/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_MANIFEST_BUILD_H
#define WARREN_TRUST_DOC_MANIFEST_BUILD_H

#include "trust/doc/manifest.h"

/*
 * The command line's: fill a struct (manifest_init() first), then build. The
 * payload is in an own allocation; it is parsed again before it is given out,
 * so what this returns any node accepts by its form. job is set. NULL: why.
 */
char *manifest_build(struct manifest *, size_t *len, char why[MANIFEST_WHY]);

#endif
