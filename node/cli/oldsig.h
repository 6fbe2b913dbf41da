/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_OLDSIG_H
#define WARREN_NODE_CLI_OLDSIG_H

#include <stdbool.h>
#include <stdint.h>

#include "node/cli/cli.h"
#include "trust/doc/keytext.h"

/*
 * What a key has signed in the past and a revocation list says of the key now
 * (klp.md 4.5): --list FILE, which is a list that the authority of --root FILE
 * has signed, or a key's own last word, which needs no root. Offline.
 */
struct oldsig {
	const char *list, *root;
	char why[128];
};

/* One of the two options; false: it is another one. */
bool oldsig_option(struct oldsig *, int option, const char *value);
/*
 * Does a signature by this key count that was made then? Without --list it
 * does. An exit status: CLI_OK, and *counts, else why has what is said of the
 * key; of files that are not what they should be it is said.
 */
int oldsig_counts(struct cli *, struct oldsig *, const struct klp_key *,
    uint32_t made, bool *counts);

#endif
