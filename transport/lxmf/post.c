/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/lxmf/post.h"

#include <stdlib.h>
#include <string.h>

#include "common/wire.h"
#include "transport/core/base/crypt.h"
#include "transport/lxmf/post_state.h"

#define APP_DATA_MAX 128 /* ours: name and cost */

static int
add_destination(struct post *p)
{
	struct rns_cmd cmd = {.type = RNS_CMD_DEST_ADD};
	int err;

	cmd.dest.type = RNS_SINGLE;
	cmd.dest.name = LXMF_DELIVERY;
	memcpy(cmd.dest.identity, p->conf.identity, RNS_KEY);
	cmd.dest.has_identity = true;
	cmd.dest.prove = RNS_PROVE_APP;
	cmd.dest.accept_links = true;
	cmd.dest.resources = RNS_ACCEPT_APP;
	cmd.dest.ratchets = p->conf.ratchets;
	cmd.dest.ratchet_retain = POST_RATCHETS;
	cmd.dest.ratchet_keys = p->nkeys == 0 ? NULL : p->keys[0];
	cmd.dest.ratchet_count = p->nkeys;
	err = post_do(p, &cmd);
	crypt_wipe(cmd.dest.identity, RNS_KEY);
	return err;
}

/* What a message at the propagation node may be sealed for. */
static bool
set_keys(struct post *p, const uint8_t *keys, size_t n)
{
	uint8_t (*all)[RNS_RATCHET] = NULL;

	if (n > POST_RATCHETS)
		return false;
	if (n > 0 && (all = calloc(n, RNS_RATCHET)) == NULL)
		return false;
	if (n > 0)
		memcpy(all, keys, n * RNS_RATCHET);
	if (p->keys != NULL)
		crypt_wipe(p->keys, p->nkeys * RNS_RATCHET);
	free(p->keys);
	p->keys = all;
	p->nkeys = n;
	return true;
}

struct post *
post_new(const struct post_conf *conf, const struct post_io *io,
    struct mono now)
{
	struct post *p = calloc(1, sizeof(*p));
	struct hash16 identity;

	if (p == NULL)
		return NULL;
	p->conf = *conf;
	p->io = *io;
	if (p->conf.message_max == 0 || p->conf.message_max > POST_MESSAGE_MAX)
		p->conf.message_max = POST_MESSAGE_MAX;
	p->node_again = now;
	TAILQ_INIT(&p->outs);
	if (rns_identity_derive(p->pub, &identity, p->conf.identity) !=
		RNS_OK) {
		free(p);
		return NULL;
	}
	lxmf_address(&p->address, p->pub);
	if (!set_keys(p, conf->keys, conf->ratchets ? conf->nkeys : 0) ||
	    add_destination(p) != RNS_OK) {
		(void)set_keys(p, NULL, 0);
		crypt_wipe(&p->conf, sizeof(p->conf));
		free(p);
		return NULL;
	}
	return p;
}

static void
no_end(void *arg, uint64_t tag, enum post_end end, const char *why)
{
	(void)arg;
	(void)tag;
	(void)end;
	(void)why;
}

void
post_free(struct post *p)
{
	struct rns_cmd cmd = {.type = RNS_CMD_DEST_DEL};
	struct out *o;

	if (p == NULL)
		return;
	p->io.ended = no_end;
	while ((o = TAILQ_FIRST(&p->outs)) != NULL)
		out_end(p, o, POST_CANCELLED, NULL);
	node_hang_up(p);
	in_free(p);
	cmd.hash = p->address;
	(void)post_do(p, &cmd);
	(void)set_keys(p, NULL, 0);
	crypt_wipe(&p->conf, sizeof(p->conf));
	free(p);
}

const struct hash16 *
post_address(const struct post *p)
{
	return &p->address;
}

int
post_announce(struct post *p, const char *name, unsigned cost)
{
	struct rns_cmd cmd = {.type = RNS_CMD_ANNOUNCE};
	uint8_t data[APP_DATA_MAX];
	size_t n;
	int err = lxmf_delivery_pack(data, &n, sizeof(data), name, cost);

	if (err != RNS_OK)
		return err;
	cmd.announce.dest = p->address;
	cmd.announce.app_data = data;
	cmd.announce.app_data_len = n;
	return post_do(p, &cmd);
}

/* ---- letters ---- */

static int
check_letter(const struct post *p, const struct post_letter *l, struct lxmf *m)
{
	if (l->len > POST_MESSAGE_MAX)
		return RNS_EBIG;
	if (lxmf_parse(m, l->packed, l->len) != RNS_OK ||
	    !hash16_eq(&m->source, &p->address))
		return RNS_EPARSE;
	return p->counts.waiting == POST_QUEUE ? RNS_ELIMIT : RNS_OK;
}

int
post_send(struct post *p, const struct post_letter *l, struct mono now)
{
	struct lxmf m;
	struct out *o;
	int err = check_letter(p, l, &m);

	if (err != RNS_OK)
		return err;
	o = calloc(1, sizeof(*o));
	if (o == NULL)
		return RNS_ENOMEM;
	o->cap = l->len + STAMP_LEN + 2;
	o->packed = malloc(o->cap);
	if (o->packed == NULL) {
		free(o);
		return RNS_ENOMEM;
	}
	memcpy(o->packed, l->packed, l->len);
	o->len = l->len;
	o->tag = l->tag;
	o->dest = m.dest;
	o->way = l->way;
	o->until = l->until;
	o->has_pub = l->pub != NULL;
	if (o->has_pub)
		memcpy(o->pub, l->pub, sizeof(o->pub));
	o->why = "it was not tried yet";
	o->step = OUT_WAIT;
	o->at = now;
	TAILQ_INSERT_TAIL(&p->outs, o, entry);
	p->counts.waiting++;
	return RNS_OK;
}

void
post_cancel(struct post *p, uint64_t tag)
{
	struct out *o, *next;

	for (o = TAILQ_FIRST(&p->outs); o != NULL; o = next) {
		next = TAILQ_NEXT(o, entry);
		if (o->tag == tag)
			out_end(p, o, POST_CANCELLED, NULL);
	}
}

int
post_look(struct post *p, struct mono now)
{
	if (p->conf.nnodes == 0)
		return RNS_ENOENT;
	if (p->look == LOOK_NONE) {
		p->look = LOOK_WANTED;
		p->look_node = p->in_use;
		p->look_nodes = 0;
		p->look_at = now;
		p->identifies = 0;
	}
	return RNS_OK;
}

void
post_taken(struct post *p, uint64_t handle, bool kept, struct mono now)
{
	struct pending *slot = handle == 0 ? NULL : in_find(p, handle);

	if (slot == NULL)
		return; /* its look is over: it comes again */
	slot->word = true;
	slot->kept = kept;
	if (slot->by == POST_BY_NODE)
		node_word(p, now);
	else
		in_taken(p, slot);
}

/* ---- turns ---- */

/* Ones that a propagation node's message needs for long, as the core does. */
static bool
ratchets(struct post *p, const struct rns_event *ev)
{
	if (ev->type != RNS_EV_RATCHETS ||
	    !hash16_eq(&ev->ratchets.dest, &p->address))
		return false;
	/* out of memory: the older ones are better than none */
	(void)set_keys(p, ev->ratchets.keys, ev->ratchets.count);
	if (p->io.ratchets != NULL)
		p->io.ratchets(p->io.arg, ev->ratchets.keys,
		    ev->ratchets.count);
	return true;
}

bool
post_event(struct post *p, const struct rns_event *ev, struct mono now)
{
	bool ours = ratchets(p, ev) || in_event(p, ev) || node_event(p, ev, now) ||
	    out_event(p, ev, now);

	/* a path, or a key, that somebody waits for */
	if (ev->type == RNS_EV_ANNOUNCE)
		post_tick(p, now);
	return ours;
}

void
post_tick(struct post *p, struct mono now)
{
	struct out *o, *next;

	for (o = TAILQ_FIRST(&p->outs); o != NULL; o = next) {
		next = TAILQ_NEXT(o, entry);
		if (mono_reached(now, o->until) && o->until.us != INT64_MAX)
			out_end(p, o, POST_FAILED, o->why);
		else
			out_tick(p, o, now);
	}
	node_tick(p, now);
}

struct mono
post_deadline(const struct post *p)
{
	struct mono at = node_deadline(p);
	const struct out *o;

	TAILQ_FOREACH(o, &p->outs, entry) {
		at = mono_min(at, o->until);
		if (o->step < OUT_NODE && o->step != OUT_STAMP)
			at = mono_min(at, o->at);
	}
	return at;
}

static struct out *
searching(const struct post *p)
{
	struct out *o;

	TAILQ_FOREACH(o, &p->outs, entry)
		if (o->step == OUT_STAMP || o->step == OUT_NODE_STAMP)
			return o;
	return NULL;
}

bool
post_busy(const struct post *p)
{
	return searching(p) != NULL;
}

void
post_work(struct post *p, unsigned tries, struct mono now)
{
	struct out *o = searching(p);

	if (o == NULL || !stamp_search_go(&o->search, tries))
		return;
	if (o->step == OUT_STAMP)
		out_stamped(p, o, now);
	else
		node_stamped(p, o, now);
}

/* For the node, which is not ready: it is sought, or not before then. */
static void
where_node(const struct post *p, struct mono now, struct post_where *w)
{
	w->stage = mono_reached(now, p->node_again) ? POST_SEEKS : POST_WAITS;
	w->next = p->node_again;
}

bool
post_where(const struct post *p, uint64_t tag, struct mono now,
    struct post_where *w)
{
	const struct out *o;

	TAILQ_FOREACH(o, &p->outs, entry)
		if (o->tag == tag)
			break;
	if (o == NULL)
		return false;
	*w = (struct post_where){.stage = POST_SEEKS, .node = p->in_use,
	    .by_node = o->step >= OUT_NODE, .next = MONO_NEVER,
	    .direct = o->direct};
	memcpy(w->nodes, p->tried, sizeof(w->nodes));
	switch (o->step) {
	case OUT_WAIT:
		w->stage = POST_WAITS;
		w->next = o->at;
		break;
	case OUT_STAMP:
	case OUT_NODE_STAMP:
		w->stage = POST_STAMPS;
		break;
	case OUT_SENT:
	case OUT_NODE_SENT:
		w->stage = POST_SENDS;
		break;
	case OUT_NODE:
	case OUT_NODE_READY:
		where_node(p, now, w);
		break;
	case OUT_PATH:
	case OUT_LINK:
	default:
		break;
	}
	return true;
}

void
post_counts(const struct post *p, struct post_counts *out)
{
	*out = p->counts;
}
