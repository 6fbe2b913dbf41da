/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/switching.h"

#include <string.h>

#include "common/log.h"
#include "transport/engine/engine.h"
#include "transport/engine/if_i2p.h"
#include "transport/engine/kinds.h"
#include "transport/engine/nif.h"
#include "transport/engine/reach.h"

static struct nif *
find(const struct engine *e, const char *name)
{
	struct nif *n;

	TAILQ_FOREACH(n, &e->ifs, link)
		if (n->parent == NULL && n->conf != NULL &&
		    strcmp(n->conf->name, name) == 0)
			return n;
	return NULL;
}

/* Without it; the parent ends what stands for it there. */
static void
take_away(struct engine *e, struct nif *n)
{
	struct msg_LEFT m = {.index = n->conf->index,
	    .generation = e->generation};

	log_notice(n->conf->name, "closed: a program asked for it over RPC");
	nif_free(n);
	if (m.index != RNSCONF_FOUND &&
	    program_send_LEFT(&e->program, &m, NULL, 0) < 0)
		engine_send_failed(PROGRAM_PARENT);
	reach_changed(e);
}

/* As config has it; one that is not enabled there the parent does not open. */
static enum switched
bring(struct engine *e, const char *name)
{
	struct rnsconf_if *c = NULL;
	struct nif *n;

	for (unsigned i = 0; i < e->ifconf->nifs; i++)
		if (strcmp(e->ifconf->ifs[i].name, name) == 0)
			c = &e->ifconf->ifs[i];
	if (c == NULL)
		return SWITCHED_NONE;
	if (!c->enabled || (n = kinds_create(e, c)) == NULL)
		return SWITCHED_NOT;
	if (n->kind->start != NULL)
		n->kind->start(n);
	reach_changed(e);
	return SWITCHED_DONE;
}

enum switched
switching_ask(struct engine *e, const char *what, const char *name)
{
	struct nif *n = find(e, name);

	if (!e->conf->enable_interface_management)
		return SWITCHED_NOT;
	if (strcmp(what, "attach_interface") == 0)
		return n != NULL ? SWITCHED_NOT : SWITCHED_LATER;
	if (n == NULL)
		return SWITCHED_NONE;
	if (n->kind == &i2p_kind) /* nor does the reference */
		return SWITCHED_NOT;
	if (strcmp(what, "reload_interface") == 0)
		return SWITCHED_LATER;
	take_away(e, n);
	return SWITCHED_DONE;
}

enum switched
switching_read(struct engine *e, const char *what, const char *name, bool ok)
{
	struct nif *n = find(e, name);

	if (!ok)
		return SWITCHED_NONE;
	if (n != NULL && strcmp(what, "attach_interface") == 0)
		return SWITCHED_DONE; /* config has it now */
	if (n != NULL)
		take_away(e, n);
	return bring(e, name);
}
