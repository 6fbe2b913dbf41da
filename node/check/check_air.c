/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/check/check_air.h"

#include <string.h>

#include "transport/config/rnsconf.h"

/* Those that are no medium which is shared by time. */
static bool
is_network(enum rnsconf_type type)
{
	switch (type) {
	case RNSCONF_TCP_SERVER:
	case RNSCONF_TCP_CLIENT:
	case RNSCONF_UDP:
	case RNSCONF_AUTO:
	case RNSCONF_PIPE:
	case RNSCONF_BACKBONE:
	case RNSCONF_BACKBONE_CLIENT:
	case RNSCONF_I2P:
		return true;
	default:
		return false;
	}
}

static const struct rnsconf_if *
find(const struct rnsconf *conf, const char *name)
{
	for (unsigned i = 0; i < conf->nifs; i++)
		if (strcmp(conf->ifs[i].name, name) == 0)
			return &conf->ifs[i];
	return NULL;
}

void
check_air(struct check *c, const struct node_config *conf)
{
	const struct rnsconf_if *i;

	for (unsigned k = 0; c->rns != NULL && k < conf->nair; k++) {
		const struct air_conf *a = &conf->air[k];

		if ((i = find(c->rns, a->name)) == NULL)
			check_tell(c, false, "node.yaml", a->line, a->column,
			    "its name as in [[NAME]] of config", "airtime: "
			    "config has no interface \"%.80s\"", a->name);
		else if (is_network(i->type))
			check_tell(c, false, "node.yaml", a->line, a->column,
			    "take it out: only interfaces of serial and radio "
			    "have airtime", "airtime: \"%.80s\" is an interface "
			    "of the network", a->name);
	}
}
