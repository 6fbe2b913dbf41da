/* SPDX-License-Identifier: BSD-2-Clause */
/* What the events of a live peer leave for the commands that ask. */
#include <stdlib.h>
#include <string.h>

#include "tests/interop/bridge/peer.h"
#include "common/mpk.h"
#include "common/util.h"
#include "common/wire.h"

struct listener *
peer_listener(struct call *c, struct peer *p)
{
	struct hash16 dest = arg_hash(c, "destination_hash");

	for (struct listener *l = p->listeners; l != NULL; l = l->next) {
		if (hash16_eq(&l->dest, &dest))
			return l;
	}
	fail(c, "KeyError: nobody listens there");
}

struct seen *
peer_link(struct peer *p, const struct hash16 *id)
{
	for (struct seen *s = p->links; s != NULL; s = s->next) {
		if (hash16_eq(&s->id, id))
			return s;
	}
	return NULL;
}

struct result *
peer_result(struct call *c, struct peer *p)
{
	struct result *r = calloc(1, sizeof(*r));

	if (r == NULL)
		fail(c, "MemoryError");
	r->tag = ++p->next_tag;
	r->next = p->results;
	p->results = r;
	return r;
}

void
peer_wait(struct call *c, const struct result *res)
{
	struct mono until = peer_until(c, 10000);

	while (!res->done && !mono_reached(mono_here(), until))
		(void)peer_run(until, -1);
}

static struct listener *
listener_of(struct peer *p, const struct hash16 *dest)
{
	struct listener *l = p->listeners;

	while (l != NULL && !hash16_eq(&l->dest, dest))
		l = l->next;
	return l;
}

static void
streams_open(struct peer *p, const struct seen *s)
{
	struct rns_cmd cmd = {.type = RNS_CMD_STREAM_OPEN};

	cmd.stream.link = s->id;
	(void)rns_submit(p->r, &cmd, mono_here());
	for (size_t i = 0; i < s->listener->nstream_ids; i++) {
		cmd.stream.stream = s->listener->stream_ids[i];
		(void)rns_submit(p->r, &cmd, mono_here());
	}
}

static void
on_stream(struct peer *p, const struct rns_event *ev)
{
	struct seen *s = peer_link(p, &ev->channel.link);
	struct stream_got *g;
	uint8_t *data;

	if (s == NULL || s->listener == NULL)
		return;
	g = s->listener->streams;
	while (g != NULL && g->id != ev->channel.msgtype)
		g = g->next;
	if (g == NULL) {
		if ((g = calloc(1, sizeof(*g))) == NULL)
			return;
		g->id = ev->channel.msgtype;
		g->next = s->listener->streams;
		s->listener->streams = g;
	}
	g->eof |= ev->channel.eof;
	if (ev->channel.err != RNS_OK)
		g->err = ev->channel.err;
	if (ev->channel.len == 0 ||
	    (data = realloc(g->data, g->len + ev->channel.len)) == NULL)
		return;
	memcpy(data + g->len, ev->channel.data, ev->channel.len);
	g->data = data;
	g->len += ev->channel.len;
}

/* A link that is new here; with a channel if somebody listens. */
static struct seen *
link_new_seen(struct peer *p, const struct rns_event *ev)
{
	struct rns_cmd cmd = {.type = RNS_CMD_CHANNEL_OPEN};
	struct seen *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->id = cmd.hash = ev->link.id;
	s->dest = ev->link.dest;
	s->initiator = ev->link.initiator;
	s->next = p->links;
	p->links = s;
	if (s->initiator || (s->listener = listener_of(p, &s->dest)) == NULL)
		return s;
	s->listener->last_link = s->id;
	s->listener->links++;
	if (s->listener->no_channel)
		return s;
	(void)rns_submit(p->r, &cmd, mono_here());
	streams_open(p, s);
	return s;
}

static void
on_link(struct peer *p, const struct rns_event *ev)
{
	struct seen *s = peer_link(p, &ev->link.id);

	if (s == NULL && (s = link_new_seen(p, ev)) == NULL)
		return;
	switch (ev->type) {
	case RNS_EV_LINK_PENDING:
		s->pending = true;
		s->tag = ev->link.tag;
		break;
	case RNS_EV_LINK_UP:
		s->up = true;
		s->rtt_us = ev->link.rtt_us;
		s->mtu = ev->link.mtu;
		s->mdu = ev->link.mdu;
		break;
	case RNS_EV_LINK_IDENTIFIED:
		s->identified = true;
		s->identity = ev->link.identity_hash;
		break;
	default:
		s->closed = true;
		s->reason = ev->link.reason;
		break;
	}
}

static struct result *
on_result(struct peer *p, uint64_t tag, int status, int64_t took_us,
    const uint8_t *data, size_t n)
{
	struct result *r = p->results;

	while (r != NULL && r->tag != tag)
		r = r->next;
	if (r == NULL || r->done)
		return NULL;
	r->done = true;
	r->status = status;
	r->took_us = took_us;
	if (data != NULL)
		r->data = bytes_copy(data, n);
	return r;
}

static void
on_response(struct peer *p, const struct rns_event *ev)
{
	struct result *r = on_result(p, ev->response.tag, 1,
	    ev->response.took_us, ev->response.data, ev->response.len);

	if (r != NULL && ev->response.metadata != NULL)
		r->metadata = bytes_copy(ev->response.metadata,
		    ev->response.metadata_len);
}

static void
on_request(struct peer *p, const struct rns_event *ev)
{
	struct rns_cmd cmd = {.type = RNS_CMD_RESPOND};
	struct seen *s = peer_link(p, &ev->request.link);
	struct served *h = p->served;
	struct rd r = rd_make(ev->request.data, ev->request.len);
	const uint8_t *body = NULL;
	size_t n = 0;

	if (s == NULL || s->listener == NULL)
		return;
	while (h != NULL && !(hash16_eq(&h->dest, &s->dest) &&
	    hash16_eq(&h->path_hash, &ev->request.path_hash)))
		h = h->next;
	if (h == NULL)
		return;
	(void)mpk_get_bin(&r, &body, &n);
	(void)json_array_append_new(s->listener->requests, json_pack(
	    "{s:o, s:o, s:o, s:o, s:f, s:o}", "data", hex_json(body, n),
	    "request_id", hex_json(HASH_BYTES(ev->request.request_id)),
	    "link_id", hex_json(HASH_BYTES(s->id)), "remote_identity_hash",
	    ev->request.identified ?
	    hex_json(HASH_BYTES(ev->request.identity_hash)) : json_null(),
	    "requested_at", (double)ev->request.requested_us / 1e6,
	    "path_hash", hex_json(HASH_BYTES(h->path_hash))));
	if (h->none)
		return;
	cmd.respond.link = ev->request.link;
	cmd.respond.request_id = ev->request.request_id;
	cmd.respond.data = h->answer.p;
	cmd.respond.len = h->answer.n;
	cmd.respond.metadata = h->metadata.p;
	cmd.respond.metadata_len = h->metadata.n;
	(void)rns_submit(p->r, &cmd, mono_here());
}

/* Who is asked whether to prove says yes to those that begin with 01. */
static void
answer_app(struct peer *p, const struct rns_event *ev)
{
	struct rns_cmd cmd = {.type = RNS_CMD_PROVE};

	cmd.prove.dest = ev->packet.dest;
	cmd.prove.packet_hash = ev->packet.packet_hash;
	if (ev->packet.len > 0 && ev->packet.data[0] == 1)
		(void)rns_submit(p->r, &cmd, mono_here());
}

json_t *
messages_of(struct seen *s)
{
	if (s->listener != NULL)
		return s->listener->messages;
	if (s->messages == NULL)
		s->messages = json_array();
	return s->messages;
}

static void
on_bytes(struct peer *p, const struct rns_event *ev)
{
	bool message = ev->type == RNS_EV_CHANNEL_MESSAGE;
	struct seen *s = peer_link(p, message ? &ev->channel.link :
	    &ev->packet.dest);

	if (s == NULL)
		return;
	/* who knows one type of messages takes no other */
	if (message && ev->channel.msgtype != BRIDGE_MESSAGE)
		return;
	if (message) {
		(void)json_array_append_new(messages_of(s),
		    hex_json(ev->channel.data, ev->channel.len));
		return;
	}
	if (s->listener == NULL)
		p->own_packets++;
	else
		(void)json_array_append_new(s->listener->link_packets,
		    hex_json(ev->packet.data, ev->packet.len));
	if (ev->packet.prove_app)
		answer_app(p, ev);
}

static void
on_packet(struct peer *p, const struct rns_event *ev)
{
	struct listener *l = listener_of(p, &ev->packet.dest);

	if (l != NULL)
		(void)json_array_append_new(l->packets,
		    hex_json(ev->packet.data, ev->packet.len));
}

void
peer_event(struct peer *p, const struct rns_event *ev)
{
	switch (ev->type) {
	case RNS_EV_PACKET:
		on_packet(p, ev);
		break;
	case RNS_EV_LINK_DATA:
	case RNS_EV_CHANNEL_MESSAGE:
		on_bytes(p, ev);
		break;
	case RNS_EV_LINK_PENDING:
	case RNS_EV_LINK_UP:
	case RNS_EV_LINK_IDENTIFIED:
	case RNS_EV_LINK_CLOSED:
		on_link(p, ev);
		break;
	case RNS_EV_RECEIPT:
		(void)on_result(p, ev->receipt.tag, (int)ev->receipt.status,
		    ev->receipt.rtt_us, NULL, 0);
		break;
	case RNS_EV_CHANNEL_DELIVERED:
		(void)on_result(p, ev->channel.tag, 1, 0, NULL, 0);
		break;
	case RNS_EV_RESPONSE:
		on_response(p, ev);
		break;
	case RNS_EV_REQUEST_FAILED:
		(void)on_result(p, ev->response.tag, 0, ev->response.took_us, NULL,
		    0);
		break;
	case RNS_EV_SENT:
		(void)on_result(p, ev->sent.tag, (int)ev->sent.status, 0, NULL, 0);
		break;
	case RNS_EV_REQUEST:
		on_request(p, ev);
		break;
	case RNS_EV_STREAM_DATA:
		on_stream(p, ev);
		break;
	case RNS_EV_RESOURCE_ADV:
	case RNS_EV_RESOURCE_DATA:
	case RNS_EV_RESOURCE_DONE:
		arrival_event(p, ev);
		break;
	default:
		break;
	}
}

void
peer_forget(struct peer *p)
{
	struct stream_got *g;
	struct listener *l;
	struct seen *s;
	struct result *r;
	struct served *h;

	while ((l = p->listeners) != NULL) {
		p->listeners = l->next;
		json_decref(l->packets);
		json_decref(l->link_packets);
		json_decref(l->resources);
		json_decref(l->messages);
		json_decref(l->requests);
		while ((g = l->streams) != NULL) {
			l->streams = g->next;
			free(g->data);
			free(g);
		}
		free((void *)(uintptr_t)l->stream_ids);
		free(l->came.data.p);
		free(l->came.metadata.p);
		free(l);
	}
	while ((s = p->links) != NULL) {
		p->links = s->next;
		json_decref(s->messages);
		free(s->data);
		free(s->metadata.p);
		free(s);
	}
	while ((r = p->results) != NULL) {
		p->results = r->next;
		free(r->sent);
		free(r->data.p);
		free(r->metadata.p);
		free(r);
	}
	while ((h = p->served) != NULL) {
		p->served = h->next;
		free(h->answer.p);
		free(h->metadata.p);
		free(h);
	}
}
