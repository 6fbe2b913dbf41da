/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/table/iface.h"

#include <stdlib.h>

#include "transport/core/base/const.h"
#include "transport/core/base/crypt.h"

static int
iface_cmp(const struct iface *a, const struct iface *b)
{
	if (a->cfg.id == b->cfg.id)
		return 0;
	return a->cfg.id < b->cfg.id ? -1 : 1;
}

TREE_PROTOTYPE(iface_tree, iface, node, iface_cmp)
TREE_GENERATE(iface_tree, iface, node, iface_cmp)

void
ifaces_init(struct rns *r)
{
	TAILQ_INIT(&r->ifaces);
	RB_INIT(&r->iface_ids);
}

static void
iface_wipe(struct iface *i)
{
	ifac_clear(&i->ifac);
	crypt_wipe(i->cfg.ifac_key, sizeof(i->cfg.ifac_key));
	free(i);
}

void
ifaces_free(struct rns *r)
{
	struct iface *i;

	while ((i = TAILQ_FIRST(&r->ifaces)) != NULL) {
		TAILQ_REMOVE(&r->ifaces, i, entry);
		iface_wipe(i);
	}
	RB_INIT(&r->iface_ids);
	free(r->iface_at);
	r->iface_at = NULL;
	r->iface_places = 0;
	r->iface_count = r->local_clients = 0;
	r->shared = NULL;
}

struct iface *
iface_find(const struct rns *r, unsigned id)
{
	/* RB_FIND takes no const head, and changes nothing. */
	struct iface_tree *t = (struct iface_tree *)(uintptr_t)&r->iface_ids;
	struct iface key;

	key.cfg.id = id;
	return RB_FIND(iface_tree, t, &key);
}

size_t
iface_rx_max(const struct iface *i)
{
	/* An interface without one carries what every interface carries. */
	return i->cfg.hw_mtu != 0 ? i->cfg.hw_mtu : RNS_MTU;
}

/*
 * By falling bitrate, equal ones in the order they came
 * (reticulum-endpoint.md 5.2).
 */
static void
iface_insert(struct rns *r, struct iface *new)
{
	struct iface *i;

	TAILQ_FOREACH(i, &r->ifaces, entry) {
		if (i->cfg.bitrate < new->cfg.bitrate) {
			TAILQ_INSERT_BEFORE(i, new, entry);
			return;
		}
	}
	TAILQ_INSERT_TAIL(&r->ifaces, new, entry);
}

static int
place_take(struct rns *r, struct iface *new)
{
	uint16_t n = 0;

	while (n < r->iface_places && r->iface_at[n] != NULL)
		n++;
	if (n == r->iface_places) {
		struct iface **more = n == UINT16_MAX ? NULL :
		    realloc(r->iface_at, (n + 1u) * sizeof(struct iface *));

		if (more == NULL)
			return n == UINT16_MAX ? RNS_ELIMIT : RNS_ENOMEM;
		r->iface_at = more;
		r->iface_places++;
	}
	r->iface_at[n] = new;
	new->place = n;
	return RNS_OK;
}

int
iface_add(struct rns *r, const struct rns_if *cfg, struct iface **out)
{
	struct iface *i;
	int err;

	if (cfg->mode < RNS_MODE_FULL || cfg->mode > RNS_MODE_INTERNAL ||
	    cfg->kind > RNS_IF_SHARED || cfg->ifac_size > IFAC_SIZE_MAX ||
	    (cfg->kind == RNS_IF_SHARED) != r->cfg.attached)
		return RNS_EINVAL;
	if (iface_find(r, cfg->id) != NULL)
		return RNS_EEXIST;
	if (r->iface_count >= r->cfg.limits.interfaces ||
	    (r->shared != NULL && cfg->kind == RNS_IF_SHARED))
		return RNS_ELIMIT;
	i = calloc(1, sizeof(*i));
	if (i == NULL)
		return RNS_ENOMEM;
	i->cfg = *cfg;
	if (cfg->ifac_size != 0 &&
	    (err = ifac_init(&i->ifac, cfg->ifac_size, cfg->ifac_key)) != 0) {
		iface_wipe(i);
		return err;
	}
	if ((err = place_take(r, i)) != 0) {
		iface_wipe(i);
		return err;
	}
	i->use.useful = i->use.linked = MONO_NONE;
	i->announce_allowed = r->now;
	i->since = i->release_at = r->now;
	if (!cfg->ingress.set)
		i->cfg.ingress = RNS_INGRESS_DEFAULT;
	TAILQ_INIT(&i->paths);
	TAILQ_INIT(&i->young_links);
	TAILQ_INIT(&i->proved_links);
	TAILQ_INIT(&i->requests);
	TAILQ_INIT(&i->waiting);
	RB_INIT(&i->held);
	RB_INIT(&i->held_order);
	traffic_init(r, i->traffic);
	i->burst.activated = i->pr_burst.activated = MONO_NONE;
	iface_insert(r, i);
	(void)RB_INSERT(iface_tree, &r->iface_ids, i);
	r->iface_count++;
	if (cfg->kind == RNS_IF_LOCAL_CLIENT)
		r->local_clients++;
	if (cfg->kind == RNS_IF_SHARED)
		r->shared = i;
	*out = i;
	return RNS_OK;
}

void
iface_free(struct rns *r, struct iface *i)
{
	TAILQ_REMOVE(&r->ifaces, i, entry);
	RB_REMOVE(iface_tree, &r->iface_ids, i);
	r->iface_at[i->place] = NULL;
	r->iface_count--;
	if (i->cfg.kind == RNS_IF_LOCAL_CLIENT)
		r->local_clients--;
	if (r->shared == i)
		r->shared = NULL;
	iface_wipe(i);
}

int
iface_online(struct rns *r, unsigned id, bool online)
{
	struct iface *i = iface_find(r, id);

	if (i == NULL)
		return RNS_ENOENT;
	i->cfg.online = online;
	return RNS_OK;
}

int
iface_bitrate(struct rns *r, unsigned id, uint64_t bitrate)
{
	struct iface *i = iface_find(r, id);

	if (i == NULL)
		return RNS_ENOENT;
	if (bitrate == 0)
		return RNS_EINVAL;
	i->cfg.bitrate = bitrate;
	TAILQ_REMOVE(&r->ifaces, i, entry);
	iface_insert(r, i);
	return RNS_OK;
}
