/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/config/nodeconf_impl.h"

#include <string.h>

#include "common/util.h"

/* integrity: how often what lies on the disk is looked at; probes. */
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

/* In the order of enum probes_tier (audit/probes.h). */
void
conf_probes(struct node_config *c, const struct ynode *n, struct mistakes *m)
{
	static const char *const tiers[] = {"lsm", "fentry", "raw", "counters"};
	const char *s;

	if (ynode_null(n) || !ynode_text(n, "probes", 1, 16, &s, m))
		return;
	for (unsigned i = 0; i < NELEM(tiers); i++) {
		if (strcmp(s, tiers[i]) != 0)
			continue;
		c->probes = i;
		return;
	}
	mistake_add(m, n->line, n->column, "lsm, fentry, raw or counters",
	    "probes: \"%.16s\" is none", s);
}
