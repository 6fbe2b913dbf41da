/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/config/lxmfconf.h"

#include <string.h>

#include "common/util.h"
#include "node/config/nodeconf_impl.h"

void
lxmfconf_defaults(struct lxmf_conf *c)
{
	*c = (struct lxmf_conf){.look_ms = 10 * CONF_MINUTE,
	    .announce_ms = 6 * CONF_HOUR, .message = 64u * 1024};
}

static void
read_node(struct lxmf_conf *c, const struct ynode *n, struct mistakes *m)
{
	struct hash16 node;
	const char *s;

	if (!ynode_text(n, "lxmf.propagation_node", 1, 255, &s, m))
		return;
	if (strlen(s) != 2 * sizeof(node.b) ||
	    !hex_decode(HASH_BYTES(node), s, strlen(s))) {
		mistake_add(m, n->line, n->column, "the 32 hex digits that lxmd "
		    "logs at its start as its propagation node address",
		    "lxmf.propagation_node \"%.40s\" is no address", s);
		return;
	}
	for (unsigned i = 0; i < c->nnodes; i++)
		if (hash16_eq(&c->nodes[i], &node)) {
			mistake_add(m, n->line, n->column, NULL,
			    "lxmf.propagation_node has %s twice", s);
			return;
		}
	if (c->nnodes == LXMF_NODES_MOST)
		mistake_add(m, n->line, n->column, NULL,
		    "lxmf.propagation_node has more than %d addresses",
		    LXMF_NODES_MOST);
	else
		c->nodes[c->nnodes++] = node;
}

/* One, or a list. */
static void
read_nodes(struct lxmf_conf *c, const struct ynode *n, struct mistakes *m)
{
	if (n->kind != YNODE_LIST) {
		read_node(c, n, m);
		return;
	}
	for (n = n->first; n != NULL; n = n->next)
		read_node(c, n, m);
}

void
lxmfconf_read(struct lxmf_conf *c, const struct ynode *map,
    struct mistakes *m)
{
	static const char *const known[] = {"propagation_node", "look_every",
	    "announce_every", "max_message", "stamp_cost"};

	if (ynode_null(map) || !ynode_is_map(map, "lxmf", m))
		return;
	c->on = true;
	(void)ynode_known(map, known, NELEM(known), m);
	WITH(map, "propagation_node", n)
		if (!ynode_null(n))
			read_nodes(c, n, m);
	conf_time(map, "look_every", "lxmf.look_every", CONF_MINUTE,
	    7 * CONF_DAY, &c->look_ms, m);
	conf_time(map, "announce_every", "lxmf.announce_every", 5 * CONF_MINUTE,
	    7 * CONF_DAY, &c->announce_ms, m);
	conf_size(map, "max_message", "lxmf.max_message", 1024, &c->message, m);
	WITH(map, "max_message", n)
		if (c->message > LXMF_MESSAGE_MOST)
			mistake_add(m, n->line, n->column, "256KB at most: larger "
			    "inputs wait for a link",
			    "lxmf.max_message is more than a message may be");
	conf_int(map, "stamp_cost", "lxmf.stamp_cost", 0, LXMF_COST_MOST,
	    &c->cost, m);
	WITH(map, "look_every", n)
		if (c->nnodes == 0 && ynode_get(map, "propagation_node") == NULL)
			mistake_add(m, n->line, n->column,
			    "propagation_node: its address, or leave it out",
			    "lxmf.look_every without a propagation node to look "
			    "at");
}
