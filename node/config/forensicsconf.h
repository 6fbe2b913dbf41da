/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CONFIG_FORENSICSCONF_H
#define WARREN_NODE_CONFIG_FORENSICSCONF_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ydoc.h"

/* `forensics` of node.yaml: what is taken of a job, and how much is kept. */
struct forensics_conf {
	bool memory, files; /* what a bundle has of a job that runs */
	bool secrets;	    /* values of its environment too */
	bool on_freeze;	    /* when a rule freezes a job */
	bool on_revocation; /* before a job dies of reason 2 (klp.md 4.6) */
	uint32_t bundles, per_hour;
	uint64_t total; /* bytes of all of them */
	uint64_t most;  /* bytes that are taken of one job */
};

void forensics_defaults(struct forensics_conf *);
void forensics_read(struct forensics_conf *, const struct ynode *,
    struct mistakes *);

#endif
