/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_EGRESS_HUB_H
#define WARREN_TRUST_EGRESS_HUB_H

#include <stdbool.h>

#include "common/hubset.h"

/*
 * Where events go: one hub, named by the parent. A set lives as long as a
 * transfer uses it, also when another has come meanwhile.
 */
struct hub {
	unsigned users; /* this program, and each transfer */
	struct hubset set;
	void *text; /* that set borrows from */
	size_t len;
};

/* From the memfd of a setting, which is closed; NULL: it is none. */
struct hub *hub_new(int fd);
struct hub *hub_use(struct hub *);
/* NULL is fine; with the last user it is wiped and freed. */
void hub_drop(struct hub *);

#endif
