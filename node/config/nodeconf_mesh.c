/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "node/config/nodeconf_impl.h"
#include "trust/doc/uri.h"

/* What node.yaml says of documents that travel the mesh (klp.md 1.5, 1.6). */

static void
read_mirror(struct node_config *c, const struct ynode *e, struct mistakes *m)
{
	struct hash16 h;
	const char *s;

	if (!ynode_text(e, "a mirror", 1, 64, &s, m))
		return;
	if (hex_decode(HASH_BYTES(h), s, strlen(s)))
		c->mirrors[c->nmirrors++] = h;
	else
		mistake_add(m, e->line, e->column,
		    "as `warren nodes` shows a node's identity",
		    "mirror \"%.40s\" is no Reticulum identity: 32 hex digits",
		    s);
}

static void
read_mirror_of(struct node_config *c, const struct ynode *e,
    struct mistakes *m)
{
	struct klp_uri u;
	const char *s;

	if (!ynode_text(e, "an authority", 1, URI_NAME_MAX, &s, m))
		return;
	if (uri_authority(&u, s, strlen(s)))
		c->mirror_of[c->nmirror_of++] = s;
	else
		mistake_add(m, e->line, e->column, "as in trust.kos",
		    "\"%.80s\" is no name of an authority", s);
}

static void
read_way(struct node_config *c, const struct ynode *e, struct mistakes *m)
{
	const char *s;
	enum klp_way w;

	if (!ynode_text(e, "a way", 1, 16, &s, m))
		return;
	if (strcmp(s, "mesh") == 0)
		w = KLP_MESH;
	else if (strcmp(s, "https") == 0)
		w = KLP_HTTPS;
	else {
		mistake_add(m, e->line, e->column, "mesh or https",
		    "klp.order: \"%.16s\" is no way to fetch documents", s);
		return;
	}
	if (c->nways == 1 && c->ways[0] == w)
		mistake_add(m, e->line, e->column, NULL,
		    "klp.order has %s twice", s);
	else
		c->ways[c->nways++] = w;
}

void
conf_klp_mesh(struct node_config *c, const struct ynode *k,
    struct mistakes *m)
{
	if (k->kind != YNODE_MAP)
		return; /* which conf_klp() has said */
	WITH(k, "mirrors", n)
		conf_list(c, n, "klp.mirrors", NODE_MIRRORS_MAX, read_mirror,
		    m);
	WITH(k, "mirror_of", n)
		conf_list(c, n, "klp.mirror_of", NODE_MIRROR_OF_MAX,
		    read_mirror_of, m);
	WITH(k, "allow_slow_fetch", n)
		(void)ynode_bool(n, "klp.allow_slow_fetch",
		    &c->allow_slow_fetch, m);
	WITH(k, "order", n) {
		c->nways = 0;
		conf_list(c, n, "klp.order", KLP_WAYS, read_way, m);
	}
}
