/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/config/handoutconf.h"

#include "common/util.h"
#include "node/config/nodeconf_impl.h"

void
handout_defaults(struct handout_conf *c)
{
	*c = (struct handout_conf){.level = 2, .per_day = 1ull << 30};
}

void
handout_read(struct handout_conf *c, const struct ynode *map,
    struct mistakes *m)
{
	static const char *const known[] = {"level", "per_day"};

	if (ynode_null(map) || !ynode_is_map(map, "image_serve", m))
		return;
	c->on = true;
	(void)ynode_known(map, known, NELEM(known), m);
	conf_int(map, "level", "image_serve.level", 0, 3, &c->level, m);
	conf_size(map, "per_day", "image_serve.per_day", 64u * 1024,
	    &c->per_day, m);
}
