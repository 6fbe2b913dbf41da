/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/table/tunnel.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/packet.h"
#include "transport/core/table/dest.h"
#include "transport/core/table/iface.h"
#include "transport/core/table/known.h"
#include "transport/core/table/path.h"

/* A path that waits; its bytes stand behind it. */
struct tunnel_path {
	RB_ENTRY(tunnel_path) node; /* of all tunnels */
	TAILQ_ENTRY(tunnel_path) entry;
	struct tunnel *tunnel;
	struct rns_path p; /* ifid is 0 */
	uint8_t bytes[];   /* blobs, then the announce */
};
RB_HEAD(tunnel_path_tree, tunnel_path);
TAILQ_HEAD(tunnel_paths, tunnel_path);

struct tunnel {
	RB_ENTRY(tunnel) node;
	TAILQ_ENTRY(tunnel) wait; /* of those without interface */
	struct id32 id;
	struct iface *iface; /* NULL: it waits */
	struct mono expires; /* of one that waits */
	struct tunnel_paths paths;
};
RB_HEAD(tunnel_tree, tunnel);
TAILQ_HEAD(tunnel_waits, tunnel);

struct tunnels {
	struct tunnel_tree tree;
	struct tunnel_path_tree paths;
	struct tunnel_waits waits; /* by the end of their time */
	uint32_t count, path_count;
	struct timer cull;
};

static int
tunnel_cmp(const struct tunnel *a, const struct tunnel *b)
{
	return memcmp(a->id.b, b->id.b, sizeof(a->id.b));
}

static int
tunnel_path_cmp(const struct tunnel_path *a, const struct tunnel_path *b)
{
	int c = hash16_cmp(&a->p.dest, &b->p.dest);

	if (c != 0 || a->tunnel == b->tunnel)
		return c;
	/* NULL, which looks for any tunnel's, stands before them */
	if (a->tunnel == NULL || b->tunnel == NULL)
		return a->tunnel == NULL ? -1 : 1;
	return tunnel_cmp(a->tunnel, b->tunnel);
}

TREE_PROTOTYPE(tunnel_tree, tunnel, node, tunnel_cmp)
TREE_GENERATE(tunnel_tree, tunnel, node, tunnel_cmp)
TREE_PROTOTYPE(tunnel_path_tree, tunnel_path, node, tunnel_path_cmp)
TREE_GENERATE(tunnel_path_tree, tunnel_path, node, tunnel_path_cmp)

static struct tunnel *
tunnel_find(const struct rns *r, const struct id32 *id)
{
	struct tunnel key;

	key.id = *id;
	return RB_FIND(tunnel_tree, &r->tunnels->tree, &key);
}

/* ---- its end ---- */

static void
path_forget(struct rns *r, struct tunnel_path *tp)
{
	TAILQ_REMOVE(&tp->tunnel->paths, tp, entry);
	(void)RB_REMOVE(tunnel_path_tree, &r->tunnels->paths, tp);
	r->tunnels->path_count--;
	free(tp);
}

static void
tunnel_free(struct rns *r, struct tunnel *t)
{
	struct tunnel_path *tp;

	while ((tp = TAILQ_FIRST(&t->paths)) != NULL)
		path_forget(r, tp);
	if (t->iface != NULL)
		t->iface->tunnel = NULL;
	else
		TAILQ_REMOVE(&r->tunnels->waits, t, wait);
	(void)RB_REMOVE(tunnel_tree, &r->tunnels->tree, t);
	r->tunnels->count--;
	free(t);
}

static void
tunnels_cull(struct rns *r, void *arg)
{
	struct tunnels *all = arg;
	struct tunnel *t;

	while ((t = TAILQ_FIRST(&all->waits)) != NULL &&
	    mono_reached(r->now, t->expires))
		tunnel_free(r, t);
	timer_set(r, &all->cull, t != NULL ? t->expires : MONO_NEVER);
}

/* Its time runs from now on; nobody carries it. */
static void
tunnel_waits(struct rns *r, struct tunnel *t, struct mono until)
{
	struct tunnel *q;

	t->iface = NULL;
	t->expires = until;
	TAILQ_FOREACH_REVERSE(q, &r->tunnels->waits, tunnel_waits, wait)
		if (q->expires.us <= until.us)
			break;
	if (q != NULL)
		TAILQ_INSERT_AFTER(&r->tunnels->waits, q, t, wait);
	else
		TAILQ_INSERT_HEAD(&r->tunnels->waits, t, wait);
	timer_set(r, &r->tunnels->cull,
	    TAILQ_FIRST(&r->tunnels->waits)->expires);
}

/* ---- life ---- */

/* Whoever has a path that waits has to be known when it is back. */
static bool
leads_to(const struct rns *r, const struct hash16 *dest)
{
	struct tunnel_path key, *tp;

	if (path_find(r, dest) != NULL)
		return true;
	key.p.dest = *dest;
	key.tunnel = NULL;
	tp = RB_NFIND(tunnel_path_tree, &r->tunnels->paths, &key);
	return tp != NULL && hash16_eq(&tp->p.dest, dest);
}

int
tunnels_new(struct rns *r)
{
	struct tunnels *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return RNS_ENOMEM;
	RB_INIT(&t->tree);
	RB_INIT(&t->paths);
	TAILQ_INIT(&t->waits);
	timer_init(&t->cull, tunnels_cull, t);
	r->tunnels = t;
	known_kept_by(r, leads_to);
	return RNS_OK;
}

void
tunnels_free(struct rns *r)
{
	struct tunnel *t;

	if (r->tunnels == NULL)
		return;
	known_kept_by(r, NULL);
	while ((t = RB_ROOT(&r->tunnels->tree)) != NULL)
		tunnel_free(r, t);
	timer_clear(r, &r->tunnels->cull);
	free(r->tunnels);
	r->tunnels = NULL;
}

/* A place at the cost of the one that waits for longest. */
static int
tunnel_make(struct rns *r, const struct id32 *id, struct tunnel **out)
{
	struct tunnels *all = r->tunnels;
	struct tunnel *t;

	if (all->count >= r->cfg.limits.tunnels) {
		(void)core_drop(r, RNS_DROP_LIMIT);
		if ((t = TAILQ_FIRST(&all->waits)) == NULL)
			return RNS_ELIMIT;
		tunnel_free(r, t);
	}
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return RNS_ENOMEM;
	t->id = *id;
	TAILQ_INIT(&t->paths);
	(void)RB_INSERT(tunnel_tree, &all->tree, t);
	all->count++;
	*out = t;
	return RNS_OK;
}

/* ---- paths that wait ---- */

/*
 * Room for one more of t's, at the cost of the tunnel that waits for longest;
 * false: that is t itself.
 */
static bool
tunnel_room(struct rns *r, const struct tunnel *t)
{
	struct tunnel *oldest;

	while (r->tunnels->path_count >= r->cfg.limits.paths) {
		(void)core_drop(r, RNS_DROP_LIMIT);
		oldest = TAILQ_FIRST(&r->tunnels->waits);
		if (oldest == NULL || oldest == t)
			return false;
		tunnel_free(r, oldest);
	}
	return true;
}

static int
path_keep(struct rns *r, struct tunnel *t, const struct rns_path *p)
{
	size_t skip = p->blob_count > TUNNEL_BLOBS ?
	    p->blob_count - TUNNEL_BLOBS : 0;
	size_t blobs = (p->blob_count - skip) * ANNOUNCE_BLOB;
	struct tunnel_path *tp;

	if (!tunnel_room(r, t))
		return RNS_ELIMIT;
	tp = malloc(sizeof(*tp) + blobs + p->announce_len);
	if (tp == NULL) {
		(void)core_drop(r, RNS_DROP_MEMORY);
		return RNS_ENOMEM;
	}
	tp->p = *p;
	tp->p.ifid = 0;
	tp->p.blob_count -= skip;
	tp->p.blobs = tp->bytes;
	tp->p.announce = tp->bytes + blobs;
	if (blobs > 0)
		memcpy(tp->bytes, p->blobs + skip * ANNOUNCE_BLOB, blobs);
	if (p->announce_len > 0)
		memcpy(tp->bytes + blobs, p->announce, p->announce_len);
	tp->tunnel = t;
	if (RB_INSERT(tunnel_path_tree, &r->tunnels->paths, tp) != NULL) {
		free(tp);
		return RNS_EEXIST;
	}
	TAILQ_INSERT_TAIL(&t->paths, tp, entry);
	r->tunnels->path_count++;
	return RNS_OK;
}

/* reticulum-transport.md 7.1: may it go into the path table again? */
static bool
path_wanted(const struct rns *r, const struct tunnel_path *tp)
{
	const struct path *now = path_find(r, &tp->p.dest);
	const struct known *k = known_find(r, &tp->p.dest);
	int64_t wall = core_wall_us(r);
	struct hash16 id;

	if (k != NULL)
		id = known_identity(k);
	if (wall - tp->p.learned_us > TUNNEL_TIMEOUT * MONO_SECOND ||
	    dest_find(r, &tp->p.dest) != NULL ||
	    (k != NULL && core_blackholed(r, &id)))
		return false;
	if (now == NULL)
		return wall < tp->p.expires_us;
	return (tp->p.hops <= now->hops || wall >= path_expires_us(now)) &&
	    path_timebase(tp->p.blobs, tp->p.blob_count) >=
	    path_timebase(path_blobs(now), now->blob_count);
}

static void
tunnel_restore(struct rns *r, struct tunnel *t)
{
	struct rns_cmd cmd = {.type = RNS_CMD_PATH_ADD};
	struct tunnel_path *tp;

	while ((tp = TAILQ_FIRST(&t->paths)) != NULL) {
		cmd.path.dest = tp->p.dest;
		cmd.path.next_hop = tp->p.next_hop;
		cmd.path.hops = tp->p.hops;
		cmd.path.learned_us = core_wall_us(r);
		cmd.path.expires_us = tp->p.expires_us;
		cmd.path.ifid = t->iface->cfg.id;
		cmd.path.blobs = tp->p.blobs;
		cmd.path.blob_count = tp->p.blob_count;
		cmd.path.announce = tp->p.announce;
		cmd.path.announce_len = tp->p.announce_len;
		if (path_wanted(r, tp))
			(void)path_submit(r, &cmd);
		path_forget(r, tp);
	}
}

/* ---- coming and going ---- */

int
tunnel_up(struct rns *r, const struct id32 *id, struct iface *i)
{
	struct tunnel *t = tunnel_find(r, id);
	int err;

	if (i->tunnel != NULL && i->tunnel != t)
		tunnel_free(r, i->tunnel);
	if (t == NULL) {
		if ((err = tunnel_make(r, id, &t)) != RNS_OK)
			return err;
	} else if (t->iface == NULL) {
		TAILQ_REMOVE(&r->tunnels->waits, t, wait);
	} else if (t->iface != i) {
		/* the old connection's end is not known here yet */
		t->iface->tunnel = NULL;
		paths_move(r, t->iface, i);
	}
	t->iface = i;
	i->tunnel = t;
	tunnel_restore(r, t);
	return RNS_OK;
}

void
tunnels_iface_gone(struct rns *r, struct iface *i)
{
	struct hash16 at = {{0}};
	struct tunnel *t = i->tunnel;
	struct rns_path p;

	if (t == NULL)
		return;
	i->tunnel = NULL;
	tunnel_waits(r, t, mono_add(r->now, TUNNEL_TIMEOUT * MONO_SECOND));
	for (bool first = true; rns_path_next(r, &at, first, &p);
	    first = false) {
		at = p.dest;
		if (p.ifid == i->cfg.id && p.announce_len > 0 &&
		    path_keep(r, t, &p) == RNS_ELIMIT)
			break;
	}
	if (TAILQ_EMPTY(&t->paths))
		tunnel_free(r, t);
}

/* ---- from storage ---- */

static int
tunnel_add(struct rns *r, const struct rns_cmd *cmd)
{
	int64_t left = cmd->tunnel.expires_us - core_wall_us(r);
	struct tunnel *t;
	int err;

	if (left <= 0 || left > 2 * TUNNEL_TIMEOUT * MONO_SECOND ||
	    tunnel_find(r, &cmd->tunnel.id) != NULL)
		return RNS_ESTATE;
	err = tunnel_make(r, &cmd->tunnel.id, &t);
	if (err == RNS_OK)
		tunnel_waits(r, t, mono_add(r->now, left));
	return err;
}

static int
tunnel_path_add(struct rns *r, const struct rns_cmd *cmd)
{
	struct tunnel *t = tunnel_find(r, cmd->path.tunnel);
	int64_t age = core_wall_us(r) - cmd->path.learned_us;
	struct rns_path p = {
	    .dest = cmd->path.dest,
	    .next_hop = cmd->path.next_hop,
	    .hops = cmd->path.hops,
	    .learned_us = cmd->path.learned_us,
	    .expires_us = cmd->path.expires_us,
	    .blobs = cmd->path.blobs,
	    .blob_count = cmd->path.blob_count,
	    .announce = cmd->path.announce,
	    .announce_len = cmd->path.announce_len,
	};
	struct packet a;

	if (t == NULL)
		return RNS_ENOENT;
	if (t->iface != NULL || age > TUNNEL_TIMEOUT * MONO_SECOND)
		return RNS_ESTATE;
	if (p.hops > RNS_HOPS_MAX || p.announce_len > RNS_MTU)
		return RNS_EINVAL;
	if (packet_parse(&a, p.announce, p.announce_len) != RNS_OK ||
	    a.type != PACKET_ANNOUNCE || !hash16_eq(a.dest, &p.dest))
		return RNS_EPARSE;
	p.packet_hash = a.hash;
	return path_keep(r, t, &p);
}

int
tunnel_submit(struct rns *r, const struct rns_cmd *cmd)
{
	if (cmd->type == RNS_CMD_TUNNEL_ADD)
		return tunnel_add(r, cmd);
	return tunnel_path_add(r, cmd);
}

/* ---- looking ---- */

bool
rns_tunnel_next(const struct rns *r, const struct id32 *after, bool first,
    struct rns_tunnel *out)
{
	struct tunnel key, *t;

	key.id = *after;
	t = RB_NFIND(tunnel_tree, &r->tunnels->tree, &key);
	if (t != NULL && !first && id32_eq(&t->id, after))
		t = RB_NEXT(tunnel_tree, &r->tunnels->tree, t);
	if (t == NULL)
		return false;
	out->id = t->id;
	out->up = t->iface != NULL;
	out->ifid = out->up ? t->iface->cfg.id : 0;
	/* what it would be if its interface went now */
	out->expires_us = core_wall_us(r) + (out->up ?
	    TUNNEL_TIMEOUT * MONO_SECOND : mono_sub(t->expires, r->now));
	return true;
}

bool
rns_tunnel_path_next(const struct rns *r, const struct id32 *tunnel,
    const struct hash16 *after, bool first, struct rns_path *out)
{
	struct tunnel *t = tunnel_find(r, tunnel);
	struct tunnel_path key, *tp;

	if (t == NULL)
		return false;
	key.tunnel = t;
	key.p.dest = *after;
	tp = first ? TAILQ_FIRST(&t->paths) :
	    RB_FIND(tunnel_path_tree, &r->tunnels->paths, &key);
	if (tp != NULL && !first)
		tp = TAILQ_NEXT(tp, entry);
	if (tp == NULL)
		return false;
	*out = tp->p;
	return true;
}
