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

static int
create(struct engine *e, const struct rnsconf_if *c)
{
	const struct nif_kind *kind = kind_of(c->type);
	struct nif *n;

	if (kind == NULL) {
		log_errx(c->name, "nothing here makes a %s", c->type_text);
		return -1;
	}
	if ((n = nif_new(e, kind, c, NULL)) != NULL &&
	    kind->configure(n) == 0) {
		rnsconf_if_display(c, n->name, sizeof(n->name));
		if (!kind->carries || nif_attach(n) == 0)
			return 0;
	}
	log_errx(c->name, "cannot be made");
	return -1;
}

int
kinds_create_all(struct engine *e)
{
	for (unsigned i = 0; i < e->conf->nifs; i++)
		if (e->conf->ifs[i].enabled &&
		    create(e, &e->conf->ifs[i]) < 0)
			return -1;
	return 0;
}
