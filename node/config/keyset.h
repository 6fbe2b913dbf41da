/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CONFIG_KEYSET_H
#define WARREN_NODE_CONFIG_KEYSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Files that hold a secret (compute.md 9): of the node below its configuration
 * folder, made by the parent at its first start or by `warren identity show`,
 * whichever comes first; of a person in a folder of their own.
 */
#define KEYSET_WHY 160

#define KEYSET_RNS "storage/transport_identity" /* Reticulum's, 64 bytes */
#define KEYSET_MESH "warren/keys/mesh"		/* secp256k1, 32 bytes */
#define KEYSET_AUDIT "warren/keys/audit"	/* Ed25519 seed, 32 bytes */
/* no secret, and of warren/keys: the last checkpoint that keys signed */
#define KEYSET_CHECKPOINT "checkpoint"

enum keyset_flags {
	KEYSET_MAKE = 1,    /* random bytes when it is not there */
	KEYSET_PRIVATE = 2, /* refuse a file that others can read or write */
};

/*
 * The secret of exactly n (at most 64) bytes at path, beneath dir, no link
 * followed but `storage`, of root's or of who asks. Missing folders are made with it: storage and keys for the owner
 * alone, warren as 0711. *made (may be NULL): it was. 0, or -1 with *why a
 * sentence and errno (ENOENT: not there and not to be made).
 */
int keyset_read(int dir, const char *path, uint8_t *out, size_t n,
    unsigned flags, bool *made, char why[KEYSET_WHY]);

#endif
