/* SPDX-License-Identifier: BSD-2-Clause */
/* Transport with interfaces in memory: who listens in it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/interop/bridge/commands.h"
#include "tests/interop/bridge/mock.h"

/*
 * A handler is the owner's: the library tells of all announces, and the owner
 * keeps those of a name, and answers to path requests where they are wanted.
 */
static bool
handles(const struct mock_handler *h, const struct rns_event *ev)
{
	struct hash16 dest;

	if (ev->announce.path_response && !h->responses)
		return false;
	if (h->filter == NULL)
		return true;
	return rns_dest_hash(&dest, h->filter, &ev->announce.identity_hash) ==
	    RNS_OK && hash16_eq(&dest, &ev->announce.dest);
}

static void
on_announce(struct mock *m, const struct rns_event *ev)
{
	struct mock_handler *h;
	json_t *o;

	for (h = m->handlers; h != NULL; h = h->next) {
		if (h->fails || !handles(h, ev))
			continue;
		o = json_pack("{s:o, s:o, s:o}", "destination_hash",
		    hex_json(HASH_BYTES(ev->announce.dest)),
		    "announced_identity_hash",
		    hex_json(HASH_BYTES(ev->announce.identity_hash)),
		    "app_data", ev->announce.app_data != NULL ?
		    hex_json(ev->announce.app_data, ev->announce.app_data_len) :
		    json_null());
		if (h->with_hash)
			(void)json_object_set_new(o, "announce_packet_hash",
			    hex_json(HASH_BYTES(ev->announce.packet_hash)));
		(void)json_array_append_new(h->calls, o);
	}
}

void
mock_event(struct mock *m, const struct rns_event *ev)
{
	if (ev->type == RNS_EV_ANNOUNCE)
		on_announce(m, ev);
	if (ev->type != RNS_EV_PACKET)
		return;
	for (struct mock_dest *d = m->dests; d != NULL; d = d->next) {
		if (hash16_eq(&d->hash, &ev->packet.dest))
			(void)json_array_append_new(d->deliveries,
			    hex_json(ev->packet.data, ev->packet.len));
	}
}

void
cmd_behavioral_register_destination(struct call *c)
{
	struct mock *m = mock_of(c);
	struct rns_cmd cmd = {.type = RNS_CMD_DEST_ADD};
	struct rns_dest *d = &cmd.dest;
	uint8_t pub[RNS_KEY];
	struct mock_dest *kept;
	struct hash16 id, hash;

	d->name = arg_name(c);
	d->has_identity = !arg_is(c, "type", "plain");
	d->type = d->has_identity ? RNS_SINGLE : RNS_PLAIN;
	if (has(c, "identity_seed"))
		memcpy(d->identity, arg_n(c, "identity_seed", RNS_KEY),
		    RNS_KEY);
	else
		rand_fill(NULL, d->identity, RNS_KEY);
	if (!d->has_identity)
		memset(d->identity, 0, RNS_KEY);
	else
		must(c, rns_identity_derive(pub, &id, d->identity),
		    "identity");
	must(c, rns_dest_hash(&hash, d->name, d->has_identity ? &id : NULL),
	    "name");
	mock_submit(c, m, &cmd, "destination");
	if ((kept = calloc(1, sizeof(*kept))) == NULL)
		fail(c, "MemoryError");
	kept->hash = hash;
	kept->deliveries = json_array();
	kept->next = m->dests;
	m->dests = kept;
	put_hex(c, "destination_hash", HASH_BYTES(hash));
}

void
cmd_behavioral_read_destination_deliveries(struct call *c)
{
	struct mock *m = mock_of(c);
	struct hash16 dest = arg_hash(c, "dest");
	struct mock_dest *d = m->dests;

	while (d != NULL && !hash16_eq(&d->hash, &dest))
		d = d->next;
	if (d == NULL)
		fail(c, "KeyError: no such destination");
	put_int(c, "count", (int64_t)json_array_size(d->deliveries));
	put(c, "deliveries", json_copy(d->deliveries));
}

void
cmd_behavioral_register_announce_handler(struct call *c)
{
	struct mock *m = mock_of(c);
	bool refused = arg_bool(c, "omit_aspect_filter", false);
	struct mock_handler *h = calloc(1, sizeof(*h));
	static unsigned last;

	if (h == NULL)
		fail(c, "MemoryError");
	(void)snprintf(h->id, sizeof(h->id), "%08x", ++last);
	h->calls = json_array();
	h->with_hash = arg_int_or(c, "num_params", 3, 4, 3) == 4;
	h->responses = arg_bool(c, "receive_path_responses", false);
	h->fails = refused || arg_bool(c, "raise_on_call", false);
	if (has(c, "aspect_filter"))
		h->filter = strdup(arg_str(c, "aspect_filter"));
	h->next = m->handlers;
	m->handlers = h;
	put_str(c, "handler_id", h->id);
	put_bool(c, "registered", !refused);
}

void
cmd_behavioral_read_announce_handler_calls(struct call *c)
{
	struct mock *m = mock_of(c);
	const char *id = arg_str(c, "handler_id");
	struct mock_handler *h = m->handlers;

	while (h != NULL && strcmp(h->id, id) != 0)
		h = h->next;
	if (h == NULL)
		fail(c, "KeyError: no such handler");
	put(c, "calls", json_copy(h->calls));
	put_bool(c, "registered", true);
}
