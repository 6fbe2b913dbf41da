/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_REASONS_H
#define WARREN_NODE_CLI_REASONS_H

#include <rns/drop.h>

/*
 * What a person reads of a packet that went no further: what it means and what
 * can be done. One entry for each of RNS_DROP_LIST.
 */
struct reason {
	const char *name; /* as in RNS_DROP_LIST */
	const char *means, *remedy;
};
const struct reason *reason_of(enum rns_drop);
/* By name, or by the text of RNS_DROP_LIST; NULL: of a newer daemon. */
const struct reason *reason_named(const char *);
const struct reason *reason_told(const char *);

#endif
