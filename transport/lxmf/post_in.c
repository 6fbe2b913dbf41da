/* SPDX-License-Identifier: BSD-2-Clause */
/* What comes: opportunistic packets, links of others, what was fetched. */
#include <stdlib.h>
#include <string.h>

#include "transport/lxmf/post_state.h"

struct pending *
in_find(struct post *p, uint64_t handle)
{
	for (unsigned i = 0; i < POST_PENDING; i++)
		if (p->pending[i].handle == handle)
			return &p->pending[i];
	return NULL;
}

bool
in_message(struct post *p, const uint8_t *packed, size_t n,
    const struct pending *of)
{
	struct post_message msg = {.packed = packed, .len = n};
	struct pending *slot = in_find(p, 0);

	/* a full table: not proved, so that it comes again */
	if (slot == NULL)
		return false;
	if (n > p->conf.message_max) {
		p->counts.too_large++;
		return false;
	}
	if (lxmf_parse(&msg.m, packed, n) != RNS_OK ||
	    !hash16_eq(&msg.m.dest, &p->address)) {
		p->counts.malformed++;
		return false;
	}
	*slot = *of;
	slot->handle = ++p->next_handle;
	slot->word = slot->kept = false;
	msg.handle = slot->handle;
	msg.by = of->by;
	if (of->by == POST_BY_NODE)
		msg.transient = of->hash;
	p->counts.received++;
	p->io.message(p->io.arg, &msg);
	return true;
}

/* Kept or not: what came in a packet is proved then, and forgotten. */
void
in_taken(struct post *p, struct pending *slot)
{
	struct rns_cmd cmd = {.type = RNS_CMD_PROVE};

	cmd.prove.dest = slot->dest;
	cmd.prove.packet_hash = slot->hash;
	if (slot->kept && slot->provable)
		(void)post_do(p, &cmd); /* a link may be gone */
	slot->handle = 0;
}

/* ---- packets ---- */

static void
in_packet(struct post *p, const struct rns_event *ev)
{
	struct pending of = {.by = POST_BY_PACKET,
	    .provable = ev->packet.prove_app, .dest = ev->packet.dest,
	    .hash = ev->packet.packet_hash};
	uint8_t buf[sizeof(p->address) + RNS_MTU];

	if (ev->packet.len > RNS_MTU) {
		p->counts.too_large++;
		return;
	}
	memcpy(buf, &p->address, sizeof(p->address));
	memcpy(buf + sizeof(p->address), ev->packet.data, ev->packet.len);
	(void)in_message(p, buf, sizeof(p->address) + ev->packet.len, &of);
}

/* ---- links of others ---- */

static unsigned
link_index(const struct post *p, const struct hash16 *id)
{
	unsigned i = 0;

	while (i < p->nlinks && !hash16_eq(&p->links[i], id))
		i++;
	return i;
}

static void
incoming_free(struct incoming *r)
{
	free(r->buf);
	memset(r, 0, sizeof(*r));
}

static void
link_up(struct post *p, const struct hash16 *id)
{
	if (p->nlinks == POST_LINKS)
		post_link_close(p, id);
	else
		p->links[p->nlinks++] = *id;
}

static void
link_gone(struct post *p, const struct hash16 *id)
{
	unsigned i = link_index(p, id);

	if (i < p->nlinks)
		p->links[i] = p->links[--p->nlinks];
	for (i = 0; i < POST_INCOMING; i++)
		if (p->incoming[i].used && hash16_eq(&p->incoming[i].link, id))
			incoming_free(&p->incoming[i]);
}

static struct incoming *
incoming_of(struct post *p, const struct rns_event *ev)
{
	for (unsigned i = 0; i < POST_INCOMING; i++)
		if (p->incoming[i].used &&
		    hash16_eq(&p->incoming[i].link, &ev->resource.link) &&
		    id32_eq(&p->incoming[i].hash, &ev->resource.hash))
			return &p->incoming[i];
	return NULL;
}

static void
offered(struct post *p, const struct rns_event *ev)
{
	struct rns_cmd cmd = {.type = RNS_CMD_RESOURCE_ANSWER};
	struct incoming *r = NULL;

	for (unsigned i = 0; i < POST_INCOMING && r == NULL; i++)
		if (!p->incoming[i].used)
			r = &p->incoming[i];
	cmd.answer.link = ev->resource.link;
	cmd.answer.hash = ev->resource.hash;
	if (ev->resource.size > p->conf.message_max)
		p->counts.too_large++;
	else if (r != NULL &&
	    (r->buf = malloc((size_t)ev->resource.size + 1)) != NULL) {
		r->used = true;
		r->link = ev->resource.link;
		r->hash = ev->resource.hash;
		r->size = (size_t)ev->resource.size;
		r->len = 0;
		cmd.answer.accept = true;
	}
	if (post_do(p, &cmd) != RNS_OK && cmd.answer.accept)
		incoming_free(r);
}

static void
resource_data(struct incoming *r, const struct rns_event *ev)
{
	if (ev->resource.len > r->size - r->len)
		return; /* more than was offered: it will not parse */
	memcpy(r->buf + r->len, ev->resource.data, ev->resource.len);
	r->len += ev->resource.len;
}

static void
resource_done(struct post *p, struct incoming *r, const struct rns_event *ev)
{
	struct pending of = {.by = POST_BY_LINK, .dest = r->link};

	if (ev->resource.status == RNS_RES_COMPLETE)
		(void)in_message(p, r->buf, r->len, &of);
	incoming_free(r);
}

static bool
in_resource(struct post *p, const struct rns_event *ev)
{
	struct incoming *r = incoming_of(p, ev);

	if (link_index(p, &ev->resource.link) == p->nlinks)
		return false;
	if (ev->type == RNS_EV_RESOURCE_ADV)
		offered(p, ev);
	else if (r != NULL && ev->type == RNS_EV_RESOURCE_DATA)
		resource_data(r, ev);
	else if (r != NULL)
		resource_done(p, r, ev);
	return true;
}

/*
 * Who sends on a link waits for its proof six round trips only, some
 * milliseconds on a quick one: less than a disk takes. So it is proved when it
 * is read, as the core does it with resources.
 */
static void
in_link_data(struct post *p, const struct rns_event *ev)
{
	struct pending of = {.by = POST_BY_LINK, .dest = ev->packet.dest,
	    .hash = ev->packet.packet_hash};
	struct rns_cmd cmd = {.type = RNS_CMD_PROVE};

	cmd.prove.dest = of.dest;
	cmd.prove.packet_hash = of.hash;
	if (in_message(p, ev->packet.data, ev->packet.len, &of) &&
	    ev->packet.prove_app)
		(void)post_do(p, &cmd); /* the link may be gone */
}

bool
in_event(struct post *p, const struct rns_event *ev)
{
	switch (ev->type) {
	case RNS_EV_PACKET:
		if (!hash16_eq(&ev->packet.dest, &p->address))
			return false;
		in_packet(p, ev);
		return true;
	case RNS_EV_LINK_UP:
		if (ev->link.initiator ||
		    !hash16_eq(&ev->link.dest, &p->address))
			return false;
		link_up(p, &ev->link.id);
		return true;
	case RNS_EV_LINK_CLOSED:
		if (ev->link.initiator ||
		    !hash16_eq(&ev->link.dest, &p->address))
			return false;
		link_gone(p, &ev->link.id);
		return true;
	case RNS_EV_LINK_DATA:
		if (link_index(p, &ev->packet.dest) == p->nlinks)
			return false;
		in_link_data(p, ev);
		return true;
	case RNS_EV_RESOURCE_ADV:
	case RNS_EV_RESOURCE_DATA:
	case RNS_EV_RESOURCE_DONE:
		return in_resource(p, ev);
	default:
		return false;
	}
}

void
in_free(struct post *p)
{
	for (unsigned i = 0; i < POST_INCOMING; i++)
		incoming_free(&p->incoming[i]);
	while (p->nlinks > 0)
		post_link_close(p, &p->links[--p->nlinks]);
}
