/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_ESCAPE_SETUP_H
#define WARREN_TESTS_ESCAPE_SETUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "tests/escape/drive.h"

/* What those who drive jail need before their first job. */

/*
 * Jail and hand of that folder, started, and an image whose root is the empty
 * folder `root`. 0, or -1 with a message on stderr and all of it stopped.
 */
int setup_drive(struct drive *, const struct drive_options *,
    const char *folder, char *root, size_t cap, struct id32 *image);
/* "root", "user", or "namespace": of whom these results are. */
const char *setup_who(void);
/* The same program has run as root, and this is not the long run. */
bool setup_had_root(void);
/* A file of the host as bin/NAME of a root, executable. */
bool setup_program(const char *root, const char *name, const char *from);
/* A folder with all that is in it. */
void setup_remove(const char *path);
/* Bytes as a descriptor that can only be read, or -1. */
int setup_blob(const void *, size_t);
/* A folder of the host, packed, in the same way. */
int setup_pack(const char *path);
/* Is this name among those that packing left out, for this reason? */
bool setup_left(const struct left *, unsigned reason, const char *name);

#endif
