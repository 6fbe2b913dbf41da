/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/config/nodeconf_impl.h"

/* integrity: how often what lies on the disk is looked at. */
#define EVERY_LEAST CONF_MINUTE
#define EVERY_MOST (7 * CONF_DAY)

void
conf_integrity(struct node_config *c, const struct ynode *map,
    struct mistakes *m)
{
	if (ynode_null(map) || !ynode_is_map(map, "integrity", m))
		return;
	conf_known(map, IN_INTEGRITY, m);
	conf_time(map, "every", "integrity.every", EVERY_LEAST, EVERY_MOST,
	    &c->integrity_ms, m);
}
