/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/config/rnsconf_read.h"

#include <stdlib.h>
#include <string.h>

/* I2PInterface: reticulum-transport.md 10.5 */

#define PEERS_MAX 64      /* ours */
#define PEER_LEN_MAX 1024 /* ours: a whole destination is some 520 */

static const struct knob i2p_knobs[] = {
	{"connectable", K_BOOL, FIELD(rnsconf_if, connectable), 0, 0},
};

static bool
peer_ok(const char *v)
{
	return *v != '\0' && strlen(v) <= PEER_LEN_MAX &&
	    strspn(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789.-~=_") == strlen(v);
}

void
rnsconf_read_i2p(struct reader *r, struct rnsconf_if *i)
{
	struct conf_entry *e = conf_ask(&r->v, "peers");
	const char *v;

	rnsconf_knobs(r, i2p_knobs, NELEM(i2p_knobs), i);
	if (e == NULL || e->n == 0) {
		if (!i->connectable)
			rnsconf_note(r, i->line, "add peers = NAME.b32.i2p, or "
			    "connectable = yes", "%s: connects to nobody, and "
			    "nobody can connect", r->where);
		return;
	}
	if (e->n > PEERS_MAX) {
		mistake_add(r->v.m, e->line, 1, "more need a section of their "
		    "own", "\"peers\" are at most 64");
		return;
	}
	if ((i->i2p_peers = calloc(e->n, sizeof(*i->i2p_peers))) == NULL) {
		rnsconf_no_memory(r);
		return;
	}
	for (unsigned k = 0; k < e->n; k++) {
		v = conf_value(r->v.tree, r->v.sec, e, k, r->v.m);
		if (v == NULL || (!e->list && *v == '\0'))
			continue;
		if (!peer_ok(v))
			mistake_add(r->v.m, e->line, 1, "an I2P address such as "
			    "NAME.b32.i2p", "\"peers\" cannot be \"%.80s\"", v);
		else
			i->i2p_peers[i->ni2p_peers++] = v;
	}
}
