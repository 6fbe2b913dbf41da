/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/reach.h"

#include "common/log.h"
#include "transport/engine/engine.h"
#include "transport/engine/nif.h"

const char *
reach_nobody(const struct engine *e)
{
	const struct nif *n;
	bool any = false;

	TAILQ_FOREACH(n, &e->ifs, link) {
		if (n->conf == NULL || n->parent != NULL)
			continue;
		if (n->online || (n->error[0] == '\0' && !n->given_up))
			return NULL;
		any = true;
	}
	return any ? "no interface is up" :
	    "no interface in config is enabled and supported";
}

void
reach_changed(struct engine *e)
{
	const char *why = reach_nobody(e);

	if (e->stopping || (why != NULL) == e->reach_said)
		return;
	e->reach_said = why != NULL;
	if (why != NULL)
		log_warnx("mesh", "this node reaches NOBODY beyond this "
		    "machine: %s. `warren status` shows why, `warren "
		    "check-config` names mistakes", why);
	else
		log_notice("mesh", "an interface is up again");
}
