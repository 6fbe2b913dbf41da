/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CHECK_CHECK_HUB_H
#define WARREN_NODE_CHECK_CHECK_HUB_H

#include "common/hubset.h"
#include "node/check/finding.h"
#include "node/config/nodeconf.h"

/*
 * The files that `hub` of node.yaml names. A token and a key are secrets, and
 * are held to what keys are: nobody else may read or write them.
 */
struct hub_files {
	char *ca, *token, *cert, *key; /* NULL: not set */
	size_t ca_len, token_len, cert_len, key_len;
	/* the first that cannot be used: its key of `hub`, its name, and why */
	const char *bad, *file;
	char why[FOLLOW_WHY];
};

/* dir: DIR. false: bad, file and why are set. Free it in both cases. */
bool hub_files_load(struct hub_files *, int dir, bool root,
    const struct hub_conf *);
void hub_files_free(struct hub_files *);
/* Those and the address, to a text of hubset_put(). */
void hub_files_set(const struct hub_files *, struct hubset *);

/* Whether events can go where node.yaml says. */
void check_hub(struct check *, const struct node_config *);

#endif
