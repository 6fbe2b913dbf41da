/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CONFIG_WHENCONF_H
#define WARREN_NODE_CONFIG_WHENCONF_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ydoc.h"

/* `compute_when` of node.yaml: when this machine is lent (compute.md 10). */
#define WHEN_HOURS_MAX 8
#define WHEN_DAY 1440 /* minutes */
#define WHEN_ALL_DAYS 0x7f

enum when_running { WHEN_FINISH, WHEN_FREEZE, WHEN_GIVE_BACK };

/* Minutes of a day; from == to: the whole day from then on. */
struct when_hours {
	uint16_t from, to;
};

struct when_conf {
	bool set; /* else always */
	struct when_hours hours[WHEN_HOURS_MAX];
	unsigned nhours; /* 0: whole days */
	uint8_t days;	 /* bit 0: Monday; those on which the hours begin */
	uint32_t load_milli; /* cores that others may keep busy; 0: any */
	bool on_mains;
	uint64_t memory_free; /* 0: any */
	enum when_running running; /* what happens to running jobs */
};

void when_read(struct when_conf *, const struct ynode *, struct mistakes *);

#endif
