/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_BUNDLE_WALK_H
#define WARREN_NODE_CLI_BUNDLE_WALK_H

/*
 * The walk through a bundle, as the child of bundle_zip.c goes it: what it
 * writes to `out` is a record each, of a byte, a length (4 bytes), 32 bytes
 * that are a member's digest, and so much text: a name, SHA256SUMS, why it went
 * no further.
 */
enum said { SAID_MEMBER = 'M', SAID_SUMS = 'S', SAID_WHY = 'W', SAID_END = 'E' };
#define BUNDLE_NAME_MAX 4096u /* ours: bytes of a name, or of a reason */

/*
 * 0, also when the archive is none: that is said. -1: no memory, or `out` takes
 * nothing; there is no end then. fd: from its beginning.
 */
int bundle_walk(int fd, int out);

#endif
