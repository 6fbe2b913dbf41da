/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CHECK_OWNKEY_H
#define WARREN_NODE_CHECK_OWNKEY_H

#include "node/config/keyset.h"
#include "trust/doc/keytext.h"

/* Whose key stands behind mesh_identity of node.yaml (compute.md 9). */
enum ownkey {
	OWNKEY_SAME,	/* this node's: warren/keys/mesh */
	OWNKEY_OTHER,	/* the node has another */
	OWNKEY_NONE,	/* the node has none */
	OWNKEY_BAD,	/* why: that file is not usable */
	OWNKEY_HIDDEN,	/* why: only its owner may read it */
};

/*
 * dir: the configuration folder. *own: the node's key, with SAME and OTHER.
 * Secrets are read, compared and wiped.
 */
enum ownkey ownkey_compare(int dir, const struct klp_key *, struct klp_key *own,
    char why[KEYSET_WHY]);
/*
 * Whether it is the person's key who asks (where_person()): what `warren
 * identity show` prints without --config.
 */
bool ownkey_personal(const struct klp_key *);

#endif
