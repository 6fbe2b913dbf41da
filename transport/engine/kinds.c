/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/kinds.h"

#include "common/log.h"
#include "transport/engine/engine.h"
#include "transport/engine/if_tcp.h"
#include "transport/engine/if_udp.h"
#include "transport/engine/nif.h"

/* Each type that rnsconf enables has its line here. */
static const struct {
	enum rnsconf_type type;
	const struct nif_kind *kind;
} kinds[] = {
	{RNSCONF_TCP_SERVER, &tcp_server_kind},
	{RNSCONF_TCP_CLIENT, &tcp_client_kind},
	{RNSCONF_UDP, &udp_kind},
};

static const struct nif_kind *
kind_of(enum rnsconf_type type)
{
	for (size_t i = 0; i < NELEM(kinds); i++)
		if (kinds[i].type == type)
			return kinds[i].kind;
	return NULL;
}

/* NULL: it cannot be made, and is off. */
static struct nif *
create(struct engine *e, struct rnsconf_if *c)
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
	rnsconf_if_off(e->conf, c, why);
	return NULL;
}

void
kinds_create_all(struct engine *e)
{
	for (unsigned i = 0; i < e->conf->nifs; i++)
		if (e->conf->ifs[i].enabled)
			(void)create(e, &e->conf->ifs[i]);
}
