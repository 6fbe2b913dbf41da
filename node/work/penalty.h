/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_PENALTY_H
#define WARREN_NODE_WORK_PENALTY_H

#include <stdint.h>

/*
 * klp.md 3.4, step 9: what this node has seen somebody's jobs do lowers what
 * it takes him for. Local, temporary, never published; never raises. Pure.
 */
#define PENALTY_MINOR 2u		 /* klp.md 3.4: noted, or denied */
#define PENALTY_MAJOR 10u		 /* ...: killed */
#define PENALTY_HALF_S (3u * 86400)	 /* ...: halved, in steps */
#define PENALTY_DISTRUST 10u		 /* ...: at most -1 */
#define PENALTY_BLOCK 30u		 /* ...: at most -2 */
#define PENALTY_MAX 1000000u		 /* ours */
#define PENALTY_LOOK_S 3600		 /* ours: a lowered verdict is good so long */

struct penalty {
	uint32_t points; /* at that time */
	uint32_t since;	 /* unix; of the last that was added */
};

/* What is left of it now. A clock that was set back takes nothing away. */
uint32_t penalty_left(const struct penalty *, uint32_t now);
void penalty_more(struct penalty *, uint32_t points, uint32_t now);
/* The highest level with so many points. */
int penalty_level(uint32_t points);

#endif
