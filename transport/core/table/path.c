/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/table/path.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/packet.h"
#include "transport/core/table/dest.h"
#include "transport/core/table/iface.h"
#include "transport/core/table/known.h"
#include "transport/core/table/rate.h"
#include "transport/core/table/share.h"

#define BLOBS_STEP 8 /* ours: blobs are allocated by steps */
/* ours: the list by last use is of days; its neighbours are not looked at */
#define TOUCH_US (MONO_SECOND / 2)

/*
 * By destination; and for each interface a list by last use. All paths of one
 * live for the same time, so that what has expired stands in front.
 */
struct paths {
	struct htab table;
	struct path_ages gone; /* notes: nothing but `dest` is left of them */
	struct timer cull;
};

/* reticulum-transport.md 2.1 */
int64_t
path_life_us(const struct iface *i)
{
	switch (i->cfg.mode) {
	case RNS_MODE_AP:
		return PATH_EXPIRY_AP * MONO_SECOND;
	case RNS_MODE_ROAMING:
		return PATH_EXPIRY_ROAMING * MONO_SECOND;
	default:
		return PATH_EXPIRY * MONO_SECOND;
	}
}

static void
path_disown(struct rns *r, struct path *p)
{
	TAILQ_REMOVE(&p->rx->paths, p, age);
	share_give(r, p->rx, SHARE_PATHS);
}

/* Of one that has more than a few. */
static uint8_t *
path_more(const struct path *p)
{
	uint8_t *more;

	memcpy(&more, p->few, sizeof(more));
	return more;
}

const uint8_t *
path_blobs(const struct path *p)
{
	return p->blob_count > PATH_BLOBS_FEW ? path_more(p) : p->few;
}

static void
path_free(struct rns *r, struct path *p)
{
	rate_leaves_path(r, p);
	path_disown(r, p);
	htab_remove(&r->paths->table, p);
	r->counts.paths--;
	if (p->blob_count > PATH_BLOBS_FEW)
		free(path_more(p));
	heard_drop(p->heard);
	p->heard = NULL;
	TAILQ_INSERT_TAIL(&r->paths->gone, p, age);
	r->notes++;
}

bool
path_gone_next(struct rns *r, struct hash16 *dest)
{
	struct path *p = TAILQ_FIRST(&r->paths->gone);

	if (p == NULL)
		return false;
	*dest = p->dest;
	TAILQ_REMOVE(&r->paths->gone, p, age);
	r->notes--;
	htab_free(&r->paths->table, p);
	return true;
}

static struct mono
path_end(const struct path *p)
{
	return mono_add(p->stamp, path_life_us(p->rx));
}

static void
paths_cull(struct rns *r, void *arg)
{
	struct mono next = MONO_NEVER;
	struct paths *t = arg;
	struct iface *i;
	struct path *p;

	TAILQ_FOREACH(i, &r->ifaces, entry) {
		while ((p = TAILQ_FIRST(&i->paths)) != NULL &&
		    mono_reached(r->now, path_end(p)))
			path_free(r, p);
		if (p != NULL)
			next = mono_min(next, path_end(p));
	}
	timer_set(r, &t->cull, next);
}

int
paths_new(struct rns *r)
{
	struct paths *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return RNS_ENOMEM;
	if (htab_init(r, &t->table, sizeof(struct path)) != RNS_OK) {
		free(t);
		return RNS_ENOMEM;
	}
	TAILQ_INIT(&t->gone);
	timer_init(&t->cull, paths_cull, t);
	r->paths = t;
	rates_in_paths(r, &t->table);
	return RNS_OK;
}

void
paths_free(struct rns *r)
{
	struct hash16 dest;
	struct path *p;

	if (r->paths == NULL)
		return;
	timer_clear(r, &r->paths->cull);
	while ((p = htab_first(&r->paths->table)) != NULL) {
		p->rated = false; /* nobody is left to keep it for */
		path_free(r, p);
	}
	while (path_gone_next(r, &dest))
		;
	htab_clear(&r->paths->table);
	free(r->paths);
	r->paths = NULL;
}

struct path *
path_find(const struct rns *r, const struct hash16 *dest)
{
	return htab_find(&r->paths->table, dest);
}

void
path_soon(const struct rns *r, const struct hash16 *dest)
{
	htab_soon(&r->paths->table, dest);
}

struct rd
path_announce(const struct path *p)
{
	return p->heard != NULL ? rd_make(p->heard->raw, p->heard->len) :
	    rd_make(NULL, 0);
}

uint8_t
path_hops(const struct rns *r, const struct hash16 *dest)
{
	const struct path *p = path_find(r, dest);

	return p != NULL ? p->hops : RNS_HOPS_MAX;
}

int64_t
path_first_hop_timeout_us(const struct rns *r, const struct hash16 *dest)
{
	const struct path *p = path_find(r, dest);
	int64_t us = PER_HOP_TIMEOUT * MONO_SECOND;

	if (p != NULL && p->rx->cfg.bitrate != 0)
		us += (int64_t)((uint64_t)RNS_MTU * 8 * MONO_SECOND /
		    p->rx->cfg.bitrate);
	return us;
}

struct iface *
path_iface(const struct rns *r, const struct hash16 *dest)
{
	const struct path *p = path_find(r, dest);

	return p != NULL ? p->rx : NULL;
}

/* Puts it where its stamp belongs, which is nearly always the end. */
static void
path_age_insert(struct rns *r, struct path *p)
{
	struct path_ages *l = &p->rx->paths;
	struct path *q = TAILQ_LAST(l, path_ages);

	while (q != NULL && q->stamp.us > p->stamp.us)
		q = TAILQ_PREV(q, path_ages, age);
	if (q != NULL)
		TAILQ_INSERT_AFTER(l, q, p, age);
	else
		TAILQ_INSERT_HEAD(l, p, age);
	if (!r->paths->cull.armed ||
	    path_end(p).us < r->paths->cull.at.us)
		timer_set(r, &r->paths->cull, path_end(p));
}

void
path_touch(struct rns *r, struct path *p)
{
	if (mono_sub(r->now, p->stamp) < TOUCH_US)
		return;
	TAILQ_REMOVE(&p->rx->paths, p, age);
	p->stamp = r->now;
	path_age_insert(r, p);
}

void
path_rebalance(struct rns *r, const struct hash16 *dest,
    const struct iface *rx, uint8_t hops)
{
	struct path *p = path_find(r, dest);

	if (p != NULL && p->rx == rx && (p->hops > 1) == (hops > 1))
		p->hops = hops;
}

void
path_drop(struct rns *r, const struct hash16 *dest)
{
	struct path *p = path_find(r, dest);

	if (p != NULL)
		path_free(r, p);
}

void
paths_iface_gone(struct rns *r, const struct iface *i)
{
	struct path *p, *next;

	TAILQ_FOREACH_SAFE(p, &i->paths, age, next)
		path_free(r, p);
}

void
paths_move(struct rns *r, const struct iface *from, struct iface *to)
{
	struct path *p, *next;

	if (from == to)
		return;
	TAILQ_FOREACH_SAFE(p, &from->paths, age, next) {
		TAILQ_REMOVE(&p->rx->paths, p, age);
		share_give(r, p->rx, SHARE_PATHS);
		p->rx = to;
		share_take(r, to, SHARE_PATHS);
		p->stamp = r->now;
		path_age_insert(r, p);
	}
}

void
paths_blackhole(struct rns *r, const struct hash16 *identity)
{
	const struct known *k;
	struct path *p, *next;
	struct hash16 id;

	for (p = htab_first(&r->paths->table); p != NULL; p = next) {
		next = htab_after(&r->paths->table, &p->dest, false);
		k = known_find(r, &p->dest);
		if (k == NULL)
			continue;
		id = known_identity(k);
		if (identity != NULL ? hash16_eq(&id, identity) :
		    core_blackholed(r, &id))
			path_free(r, p);
	}
}

/* The path that was unused for longest makes room. */
void
path_room(struct rns *r, struct iface *rx)
{
	struct iface *victim;
	struct path *p;

	if (r->counts.paths < r->cfg.limits.paths)
		return;
	victim = share_victim(r, rx, SHARE_PATHS, r->cfg.limits.paths);
	p = TAILQ_FIRST(&victim->paths);
	(void)core_drop_of(r, RNS_DROP_PATHS_FULL, &p->dest, victim->cfg.id);
	known_first_out(r, &p->dest);
	path_free(r, p);
}

uint64_t
path_timebase(const uint8_t *blobs, size_t n)
{
	uint64_t max = 0, t;
	struct rd r;

	for (size_t i = 0; i < n; i++) {
		r = rd_make(blobs + i * ANNOUNCE_BLOB, ANNOUNCE_BLOB);
		if (rd_skip(&r, 5) && rd_u40(&r, &t))
			max = MAX_OF(max, t);
	}
	return max;
}

bool
path_has_blob(const struct path *p, const uint8_t blob[ANNOUNCE_BLOB])
{
	const uint8_t *b = path_blobs(p);

	for (size_t i = 0; i < p->blob_count; i++)
		if (memcmp(b + i * ANNOUNCE_BLOB, blob, ANNOUNCE_BLOB) == 0)
			return true;
	return false;
}

/* Newest last; the oldest of 64 goes. */
static int
path_add_blob(struct path *p, const uint8_t blob[ANNOUNCE_BLOB])
{
	uint8_t *b = (uint8_t *)(uintptr_t)path_blobs(p);
	size_t n = p->blob_count;

	if (path_has_blob(p, blob))
		return RNS_OK;
	if (n == PATH_BLOBS_MAX) {
		memmove(b, b + ANNOUNCE_BLOB, (n - 1) * ANNOUNCE_BLOB);
		n--;
	} else if (n == PATH_BLOBS_FEW || (n > PATH_BLOBS_FEW &&
	    n % BLOBS_STEP == 0)) {
		b = realloc(n > PATH_BLOBS_FEW ? b : NULL,
		    (n + BLOBS_STEP - n % BLOBS_STEP) * ANNOUNCE_BLOB);
		if (b == NULL)
			return RNS_ENOMEM;
		if (n == PATH_BLOBS_FEW)
			memcpy(b, p->few, sizeof(p->few));
		memcpy(p->few, &b, sizeof(b));
	}
	memcpy(b + n * ANNOUNCE_BLOB, blob, ANNOUNCE_BLOB);
	p->blob_count = (uint8_t)(n + 1);
	return RNS_OK;
}

/* More than 49 days are as good as those. */
static void
path_lives(struct path *p, int64_t from_us, int64_t to_us)
{
	int64_t ms = to_us > from_us ? (to_us - from_us) / 1000 : 0;

	p->learned_us = from_us;
	p->life_ms = (uint32_t)MIN_OF(ms, (int64_t)UINT32_MAX);
}

static void
path_own(struct rns *r, struct path *p, struct iface *rx, struct mono stamp)
{
	p->rx = rx;
	p->stamp = stamp;
	share_take(r, rx, SHARE_PATHS);
	path_age_insert(r, p);
}

static struct path *
path_make(struct rns *r, const struct hash16 *dest, struct iface *rx)
{
	struct path *p;

	path_room(r, rx);
	p = htab_add(&r->paths->table, dest);
	if (p == NULL)
		return NULL;
	path_own(r, p, rx, r->now);
	r->counts.paths++;
	return p;
}

struct path *
path_store(struct rns *r, const struct path_new *n)
{
	struct path *p = path_find(r, hash16_at(n->dest));
	struct heard *heard = NULL;
	bool made = p == NULL;

	if (n->announce_len != 0 &&
	    (heard = known_share(r, hash16_at(n->dest), n->announce,
	    n->announce_len)) == NULL &&
	    (heard = heard_new(n->announce, n->announce_len)) == NULL)
		return NULL;
	if (made)
		p = path_make(r, hash16_at(n->dest), n->rx);
	if (p == NULL || (n->blob != NULL &&
	    path_add_blob(p, n->blob) != RNS_OK)) {
		heard_drop(heard);
		if (p != NULL && made)
			path_free(r, p);
		return NULL;
	}
	heard_drop(p->heard);
	p->heard = heard;
	p->next_hop = *hash16_at(n->next_hop);
	p->hops = n->hops;
	p->state = PATH_UNKNOWN;
	rate_leaves_path(r, p);
	path_lives(p, n->learned_us, n->expires_us);
	path_disown(r, p);
	path_own(r, p, n->rx, n->stamp);
	return p;
}

/* From storage: as old as it was. */
static int
path_add(struct rns *r, const struct rns_cmd *cmd)
{
	struct iface *rx = iface_find(r, cmd->path.ifid);
	int64_t age = core_wall_us(r) - cmd->path.learned_us;
	struct path_new n = {
	    .dest = cmd->path.dest.b,
	    .next_hop = cmd->path.next_hop.b,
	    .hops = cmd->path.hops,
	    .rx = rx,
	    .learned_us = cmd->path.learned_us,
	    .expires_us = cmd->path.expires_us,
	    .announce = cmd->path.announce,
	    .announce_len = cmd->path.announce_len,
	};
	struct packet a;
	struct path *p;
	size_t skip = 0;

	if (rx == NULL)
		return RNS_ENOENT;
	if (cmd->path.hops > RNS_HOPS_MAX ||
	    cmd->path.announce_len > RNS_MTU)
		return RNS_EINVAL;
	if (age < 0)
		age = 0;
	if (age >= path_life_us(rx))
		return RNS_ESTATE;
	n.stamp = (struct mono){r->now.us - age};
	if (cmd->path.announce_len != 0) {
		if (packet_parse(&a, cmd->path.announce,
		    cmd->path.announce_len) != RNS_OK ||
		    a.type != PACKET_ANNOUNCE ||
		    !hash16_eq(a.dest, &cmd->path.dest))
			return RNS_EPARSE;
	}
	p = path_store(r, &n);
	if (p == NULL)
		return RNS_ENOMEM;
	if (cmd->path.blob_count > PATH_BLOBS_MAX)
		skip = cmd->path.blob_count - PATH_BLOBS_MAX;
	for (size_t i = skip; i < cmd->path.blob_count; i++) {
		if (path_add_blob(p, cmd->path.blobs + i * ANNOUNCE_BLOB) !=
		    RNS_OK) {
			path_free(r, p);
			return RNS_ENOMEM;
		}
	}
	if (p->heard != NULL)
		known_adopt(r, &p->dest, &a, p->heard);
	return RNS_OK;
}

int
path_submit(struct rns *r, const struct rns_cmd *cmd)
{
	if (cmd->type == RNS_CMD_PATH_ADD)
		return path_add(r, cmd);
	if (path_find(r, &cmd->hash) == NULL)
		return RNS_ENOENT;
	path_drop(r, &cmd->hash);
	return RNS_OK;
}

static void
path_show(const struct path *p, struct rns_path *out)
{
	*out = (struct rns_path){
	    .hops = p->hops,
	    .ifid = p->rx->cfg.id,
	    .learned_us = p->learned_us,
	    .expires_us = path_expires_us(p),
	    .blobs = p->blob_count != 0 ? path_blobs(p) : NULL,
	    .blob_count = p->blob_count,
	};
	out->dest = p->dest;
	out->next_hop = p->next_hop;
	if (p->heard == NULL)
		return;
	out->announce = p->heard->raw;
	out->announce_len = p->heard->len;
	heard_hash(p->heard, &out->packet_hash);
}

bool
rns_path_get(const struct rns *r, const struct hash16 *dest,
    struct rns_path *out)
{
	const struct path *p = path_find(r, dest);

	if (p == NULL)
		return false;
	path_show(p, out);
	return true;
}

bool
rns_path_next(const struct rns *r, const struct hash16 *after, bool first,
    struct rns_path *out)
{
	const struct path *p = htab_after(&r->paths->table, after, first);

	if (p == NULL)
		return false;
	path_show(p, out);
	return true;
}
