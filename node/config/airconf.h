/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CONFIG_AIRCONF_H
#define WARREN_NODE_CONFIG_AIRCONF_H

#include <stdint.h>

#include "common/ydoc.h"

/*
 * `airtime` of node.yaml: how much of the time an interface of serial or radio
 * may send, by its name in Reticulum's config (compute.md 10.2).
 */
#define AIR_CONF_MAX 32

struct air_conf {
	const char *name;
	unsigned line, column;
	uint32_t duty; /* thousandths of a per cent; 0: no limit */
	uint64_t window_ms;
	uint32_t announces, jobs; /* per cent of what duty gives */
};

/* Into v, of AIR_CONF_MAX; how many. */
unsigned air_read(struct air_conf *v, const struct ynode *, struct mistakes *);

#endif
