/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/kinds.h"

#include "common/log.h"
#include "transport/config/rnsdiff.h"
#include "transport/engine/engine.h"
#include "transport/engine/if_auto.h"
#include "transport/engine/if_pipe.h"
#include "transport/engine/if_backbone.h"
#include "transport/engine/if_i2p.h"
#include "transport/engine/if_kiss.h"
#include "transport/engine/if_rnode.h"
#include "transport/engine/if_serial.h"
#include "transport/engine/if_tcp.h"
#include "transport/engine/if_udp.h"
#include "transport/engine/if_weave.h"
#include "transport/engine/nif.h"
#include "transport/engine/reach.h"

/* Each type that rnsconf enables has its line here. */
static const struct {
	enum rnsconf_type type;
	const struct nif_kind *kind;
} kinds[] = {
	{RNSCONF_TCP_SERVER, &tcp_server_kind},
	{RNSCONF_TCP_CLIENT, &tcp_client_kind},
	{RNSCONF_UDP, &udp_kind},
	{RNSCONF_SERIAL, &serial_if_kind},
	{RNSCONF_KISS, &kiss_if_kind},
	{RNSCONF_AX25, &ax25_if_kind},
	{RNSCONF_RNODE, &rnode_if_kind},
	{RNSCONF_RNODE_MULTI, &rnode_multi_if_kind},
	{RNSCONF_WEAVE, &weave_if_kind},
	{RNSCONF_PIPE, &pipe_kind},
	{RNSCONF_AUTO, &auto_kind},
	{RNSCONF_BACKBONE, &backbone_server_kind},
	{RNSCONF_BACKBONE_CLIENT, &backbone_client_kind},
	{RNSCONF_I2P, &i2p_kind},
};

static const struct nif_kind *
kind_of(enum rnsconf_type type)
{
	for (size_t i = 0; i < NELEM(kinds); i++)
		if (kinds[i].type == type)
			return kinds[i].kind;
	return NULL;
}

struct nif *
kinds_create(struct engine *e, struct rnsconf_if *c)
{
	const struct nif_kind *kind = kind_of(c->type);
	struct nif *n = NULL;
	const char *why;

	if (kind == NULL)
		why = "nothing here makes interfaces of its type";
	else if ((n = nif_new(e, kind, c, NULL)) == NULL)
		why = "no memory, or too many interfaces";
	else if (kind->configure(n) < 0)
		why = "its keys make no interface: no access code can be made "
		    "of network_name and passphrase";
	else if (rnsconf_if_display(c, n->name, sizeof(n->name)),
	    kind->carries && nif_attach(n) < 0)
		why = "the core has no place for it: too many interfaces";
	else
		return n;
	if (n != NULL)
		nif_free(n);
	log_errx(c->name, "off: %s; the others go on", why);
	rnsconf_if_off(e->ifconf, c, why);
	return NULL;
}

void
kinds_create_all(struct engine *e)
{
	for (unsigned i = 0; i < e->ifconf->nifs; i++)
		if (e->ifconf->ifs[i].enabled)
			(void)kinds_create(e, &e->ifconf->ifs[i]);
}

/* ---- another configuration ---- */

static void
close_it(struct engine *e, const struct rnsconf_if *c)
{
	struct nif *n;

	TAILQ_FOREACH(n, &e->ifs, link)
		if (n->conf == c && n->parent == NULL)
			break;
	if (n != NULL)
		nif_free(n);
}

static void
old_ones(void *ctx, enum rnsdiff what, struct rnsconf_if *was,
    struct rnsconf_if *now)
{
	struct engine *e = ctx;
	struct nif *n;

	if (what == RNSDIFF_SAME) {
		TAILQ_FOREACH(n, &e->ifs, link)
			if (n->conf == was)
				n->conf = now;
	} else if (what != RNSDIFF_ADDED) {
		close_it(e, was);
		log_notice(was->name, what == RNSDIFF_CHANGED ? "closed: its "
		    "section has changed" : "closed: config has it no more");
	}
}

static void
new_ones(void *ctx, enum rnsdiff what, struct rnsconf_if *was,
    struct rnsconf_if *now)
{
	struct nif *n;

	(void)was;
	if (what != RNSDIFF_ADDED && what != RNSDIFF_CHANGED)
		return;
	if ((n = kinds_create(ctx, now)) != NULL && n->kind->start != NULL)
		n->kind->start(n);
}

void
kinds_reload(struct engine *e, struct rnsconf *now)
{
	struct rnsconf *was = e->ifconf;

	/* all that goes before what comes: a port, and a name, are free then */
	rnsconf_diff(was, now, old_ones, e);
	e->ifconf = now;
	rnsconf_diff(was, now, new_ones, e);
	if (was != e->conf)
		rnsconf_free(was);
	reach_changed(e);
}
