/* SPDX-License-Identifier: BSD-2-Clause */
/* Live: links, requests, resources, channels. */
#include <stdlib.h>
#include <string.h>

#include "tests/interop/bridge/commands.h"
#include "tests/interop/bridge/peer.h"
#include "common/mpk.h"
#include "common/util.h"
#include "common/wire.h"
#include "transport/core/base/packet.h"
#include "transport/core/link/link.h"

#define PACKED_HEAD 8 /* of a msgpack binary, at most */

const char *const status_names[] = {"PENDING", "HANDSHAKE", "ACTIVE",
    "STALE", "CLOSED"};

static struct seen *
link_arg(struct call *c, struct peer *p)
{
	struct hash16 id = arg_hash(c, "link_id");
	struct seen *s = peer_link(p, &id);

	if (s == NULL)
		fail(c, "KeyError: no such link");
	return s;
}

static int
status_of(struct peer *p, const struct seen *s, struct rns_link_info *info)
{
	return !s->closed && rns_link_get(p->r, &s->id, info) ? info->status :
	    LINK_CLOSED;
}

/* A time since; null: never, or on a link that is gone. */
static void
put_since(struct call *c, const char *key, const struct link *l,
    struct mono then)
{
	put(c, key, l != NULL && then.us >= 0 ? json_integer(
	    mono_sub(mono_here(), then) / 1000) : json_null());
}

static void
put_snapshot(struct call *c, struct peer *p, const struct seen *s)
{
	static const char *const reasons[] = {NULL, "TIMEOUT",
	    "INITIATOR_CLOSED", "DESTINATION_CLOSED"};
	struct rns_link_info info;
	int status = status_of(p, s, &info);
	bool open = status != LINK_CLOSED;
	const struct link *l = open ? link_find(p->r, &s->id) : NULL;
	/* whose interface went was not closed by anybody: it timed out */
	enum rns_link_reason reason = s->reason == RNS_CLOSE_INTERFACE ?
	    RNS_CLOSE_TIMEOUT : s->reason;
	bool why = !open && reason >= RNS_CLOSE_TIMEOUT &&
	    reason <= RNS_CLOSE_DESTINATION;

	put_int(c, "status", status);
	put_str(c, "status_name", status_names[status]);
	put(c, "teardown_reason", why ? json_integer(reason) :
	    json_null());
	put_str(c, "teardown_reason_name", why ? reasons[reason] : NULL);
	put_since(c, "no_inbound_for_ms", l, l != NULL ? l->last_in :
	    (struct mono){-1});
	put_since(c, "last_keepalive_ago_ms", l, l != NULL ?
	    l->last_keepalive : (struct mono){-1});
	put(c, "keepalive_s", l != NULL ? json_real(l->keepalive) :
	    json_null());
	put(c, "stale_time_s", l != NULL ? json_real(l->stale) : json_null());
	put_num(c, "rtt", (double)s->rtt_us / 1e6);
	put(c, "mtu", open ? json_integer(info.mtu) : json_null());
	put(c, "mdu", open ? json_integer(info.mdu) : json_null());
	put_int(c, "mode", LINK_MODE_AES256);
	put_bytes(c, "remote_identity_hash", (struct bytes){
	    (uint8_t *)s->identity.b, RNS_HASH, s->identified});
	put_bool(c, "remote_identified", s->identified);
}

void
cmd_wire_link_open(struct call *c)
{
	struct peer *p = peer_of(c);
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_OPEN};
	struct mono until = peer_until(c, 10000);
	struct seen *s = NULL;

	cmd.link_open.dest = arg_hash(c, "destination_hash");
	cmd.link_open.tag = ++p->next_tag;
	cmd.link_open.resources = RNS_ACCEPT_ALL;
	peer_submit(c, p, &cmd, "link");
	while (!mono_reached(mono_here(), until)) {
		for (s = p->links; s != NULL; s = s->next) {
			if (s->initiator && s->tag == cmd.link_open.tag)
				break;
		}
		if (s != NULL && (s->up || s->closed))
			break;
		(void)peer_run(until, -1);
	}
	if (s == NULL || !s->up || s->closed)
		fail(c, "TimeoutError: the link did not come up");
	put_hex(c, "link_id", HASH_BYTES(s->id));
	cmd = (struct rns_cmd){.type = RNS_CMD_CHANNEL_OPEN, .hash = s->id};
	peer_submit(c, p, &cmd, "channel");
}

void
cmd_wire_link_send(struct call *c)
{
	struct peer *p = peer_of(c);
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_SEND};
	struct bytes data = arg(c, "data");

	cmd.packet.dest = link_arg(c, p)->id;
	cmd.packet.data = data.p;
	cmd.packet.len = data.n;
	peer_submit(c, p, &cmd, "send");
	put_bool(c, "sent", true);
}

void
cmd_wire_link_poll(struct call *c)
{
	struct peer *p = peer_of(c);

	poll_list(c, "packets", peer_listener(c, p)->link_packets);
}

void
cmd_wire_link_status(struct call *c)
{
	struct peer *p = peer_of(c);

	put_snapshot(c, p, link_arg(c, p));
}

void
cmd_wire_listener_link_status(struct call *c)
{
	struct peer *p = peer_of(c);
	struct listener *l = peer_listener(c, p);
	struct mono until = peer_until(c, 0);

	while (l->links == 0 && !mono_reached(mono_here(), until))
		(void)peer_run(until, -1);
	put_bool(c, "found", l->links > 0);
	put_int(c, "link_count", l->links);
	if (l->links > 0)
		put_snapshot(c, p, peer_link(p, &l->last_link));
}

static int
target_status(struct call *c)
{
	if (json_is_integer(json_object_get(c->params, "target_status")))
		return (int)arg_int(c, "target_status", 0, LINK_CLOSED);
	for (int i = 0; i <= LINK_CLOSED; i++) {
		if (arg_is(c, "target_status", status_names[i]))
			return i;
	}
	fail(c, "ValueError: unknown target_status");
}

void
cmd_wire_link_await_status(struct call *c)
{
	struct peer *p = peer_of(c);
	struct seen *s = link_arg(c, p);
	struct mono until = peer_until(c, 10000);
	int want = target_status(c);
	struct rns_link_info info;
	bool reached;

	while (!(reached = status_of(p, s, &info) >= want) &&
	    !mono_reached(mono_here(), until))
		(void)peer_run(until, -1);
	put_bool(c, "reached", reached);
	put_snapshot(c, p, s);
}

void
cmd_wire_link_teardown(struct call *c)
{
	struct peer *p = peer_of(c);
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_CLOSE};

	cmd.hash = link_arg(c, p)->id;
	peer_submit(c, p, &cmd, "close");
	put_bool(c, "torn_down", true);
}

void
cmd_wire_link_mtu(struct call *c)
{
	struct peer *p = peer_of(c);
	struct seen *s = link_arg(c, p);
	struct rns_link_info info;
	int status = status_of(p, s, &info);

	put_int(c, "mtu", s->mtu);
	put_int(c, "mdu", s->mdu);
	put_int(c, "mode", LINK_MODE_AES256);
	put_int(c, "status", status);
	put_str(c, "status_name", status_names[status]);
}

void
cmd_wire_link_identify(struct call *c)
{
	struct peer *p = peer_of(c);
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_IDENTIFY};
	uint8_t pub[RNS_KEY];
	struct hash16 id;

	cmd.identify.link = link_arg(c, p)->id;
	memcpy(cmd.identify.identity, arg_n(c, "private_key", RNS_KEY),
	    RNS_KEY);
	must(c, rns_identity_derive(pub, &id, cmd.identify.identity),
	    "identity");
	peer_submit(c, p, &cmd, "identify");
	put_bool(c, "identified", true);
	put_hex(c, "identity_hash", HASH_BYTES(id));
}

/* ---- requests ---- */

struct bytes
packed(struct bytes b)
{
	struct bytes out = {.n = b.n + PACKED_HEAD, .set = true};
	struct wr w;

	out.p = malloc(out.n);
	if (out.p == NULL)
		return out;
	w = wr_make(out.p, out.n);
	mpk_put_bin(&w, b.p, b.n);
	out.n = w.len;
	return out;
}

void
cmd_wire_register_request_handler(struct call *c)
{
	struct peer *p = peer_of(c);
	struct rns_cmd cmd = {.type = RNS_CMD_HANDLER_ADD};
	struct bytes list = arg_list(c, "allowed_identity_hashes", RNS_HASH);
	struct bytes file = arg_opt(c, "response_file");
	struct served *h;

	cmd.handler.dest = peer_listener(c, p)->dest;
	cmd.handler.path = arg_str(c, "path");
	cmd.handler.allow = arg_is(c, "allow", "all") ? RNS_ALLOW_ALL :
	    arg_is(c, "allow", "list") ? RNS_ALLOW_LIST : RNS_ALLOW_NONE;
	cmd.handler.list = list.p;
	cmd.handler.list_len = list.n / RNS_HASH;
	cmd.handler.compress_max = 1 << 20;
	peer_submit(c, p, &cmd, "handler");
	if ((h = calloc(1, sizeof(*h))) == NULL)
		fail(c, "MemoryError");
	h->dest = cmd.handler.dest;
	rns_path_hash(&h->path_hash, cmd.handler.path);
	if (file.set) {
		h->answer = bytes_copy(file.p, file.n);
		h->metadata = packed(arg_opt(c, "response_metadata"));
	} else {
		h->answer = packed(arg_opt(c, "response"));
	}
	h->none = arg_bool(c, "response_none", false);
	h->next = p->served;
	p->served = h;
	put_bool(c, "registered", true);
}

void
cmd_wire_deregister_request_handler(struct call *c)
{
	struct peer *p = peer_of(c);
	struct rns_cmd cmd = {.type = RNS_CMD_HANDLER_DEL};

	cmd.handler.dest = arg_hash(c, "destination_hash");
	cmd.handler.path = arg_str(c, "path");
	put_bool(c, "deregistered", rns_submit(p->r, &cmd, mono_here()) ==
	    RNS_OK);
}

void
cmd_wire_get_request_log(struct call *c)
{
	struct peer *p = peer_of(c);
	struct listener *l = peer_listener(c, p);
	json_t *entries = json_array(), *e, *hex;
	struct hash16 path;
	size_t i;

	rns_path_hash(&path, arg_str(c, "path"));
	hex = hex_json(HASH_BYTES(path));
	put(c, "entries", entries);
	json_array_foreach(l->requests, i, e) {
		if (json_equal(json_object_get(e, "path_hash"), hex))
			(void)json_array_append(entries, e);
	}
	json_decref(hex);
	put_int(c, "count", (int64_t)json_array_size(entries));
}

void
cmd_wire_link_request(struct call *c)
{
	struct peer *p = peer_of(c);
	struct rns_cmd cmd = {.type = RNS_CMD_REQUEST};
	struct bytes data = arg_opt(c, "data"), body;
	struct result *res = peer_result(c, p);
	bool ok;

	body = packed(data);
	call_defer(c, free, body.p);
	cmd.request.link = link_arg(c, p)->id;
	cmd.request.path = arg_str(c, "path");
	cmd.request.data = data.n > 0 ? body.p : NULL;
	cmd.request.len = data.n > 0 ? body.n : 0;
	cmd.request.tag = res->tag;
	peer_submit(c, p, &cmd, "request");
	peer_wait(c, res);
	ok = res->done && res->status == 1;
	put_str(c, "status", ok ? "ready" : res->done ? "failed" : "timeout");
	/* a file comes as it is, a value packed */
	put_bytes(c, "response", res->metadata.set ? res->data :
	    unpacked(res->data));
	put_bytes(c, "response_metadata", unpacked(res->metadata));
	put(c, "response_time_s", ok ? json_real((double)res->took_us / 1e6) :
	    json_null());
}

void
cmd_wire_link_request_large(struct call *c)
{
	cmd_wire_link_request(c);
}

/* ---- resources and channel messages ---- */

void
cmd_wire_channel_received(struct call *c)
{
	struct peer *p = peer_of(c);
	struct seen *s = link_arg(c, p);

	poll_list(c, "messages", messages_of(s));
}

/* ---- values ---- */

void
cmd_wire_link_signalling_bytes(struct call *c)
{
	int64_t mtu = arg_int(c, "mtu", 0, LINK_MTU_MASK);
	int64_t mode = arg_int(c, "mode", 0, 7);
	bool ok = mode == LINK_MODE_AES256;
	uint8_t out[LINK_SIGNALLING_LEN];
	uint32_t back;
	uint8_t back_mode;

	signalling_put(out, (uint32_t)mtu, (uint8_t)mode);
	signalling_get(out, &back, &back_mode);
	put_int(c, "mtu", back);
	put_int(c, "mode", back_mode);
	put_bytes(c, "signalling_bytes", (struct bytes){out, sizeof(out), ok});
	put_bool(c, "raised", !ok);
	put_int(c, "mtu_bytemask", LINK_MTU_MASK);
	put_int(c, "mode_bytemask", 224);
	put(c, "enabled_modes", json_pack("[i]", LINK_MODE_AES256));
	put_int(c, "mode_default", LINK_MODE_AES256);
	put_int(c, "link_mtu_size", LINK_SIGNALLING_LEN);
}
