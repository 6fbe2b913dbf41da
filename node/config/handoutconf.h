/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CONFIG_HANDOUTCONF_H
#define WARREN_NODE_CONFIG_HANDOUTCONF_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ydoc.h"

/* `image_serve` of node.yaml: images for others (compute.md 3.7, 10). */
struct handout_conf {
	bool on;	  /* the section is there */
	uint32_t level;	  /* from which on somebody gets them */
	uint64_t per_day; /* bytes, each */
};

void handout_defaults(struct handout_conf *);
void handout_read(struct handout_conf *, const struct ynode *,
    struct mistakes *);

#endif
