/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/util.h"
#include "node/config/nodeconf.h"

/* What is asked of a configuration that was read. */

void
node_config_fit(struct node_config *c, unsigned cpus, uint64_t memory)
{
	if (cpus == 0)
		cpus = 1;
	if (c->jobs_running == 0)
		c->jobs_running = MIN_OF(cpus, NODE_JOBS_MAX);
	if (c->memory == 0)
		c->memory = memory / 2;
}

int
node_config_floor(const struct node_config *c)
{
	return c->auth_required ? c->floor : MIN_OF(c->floor, 0);
}

struct level_conf
node_config_levels(const struct node_config *c)
{
	return (struct level_conf){c->pins, c->npins, c->anchors, c->nanchors};
}

const char *
node_config_later(const struct node_config *c, unsigned i)
{
	const struct {
		bool set;
		const char *line;
	} later[] = {
	    {c->neighbour_limit_per_minute > 0,
		"neighbour_limit_per_minute has no effect in this version"},
	};

	for (size_t k = 0; k < NELEM(later); k++)
		if (later[k].set && i-- == 0)
			return later[k].line;
	return NULL;
}
