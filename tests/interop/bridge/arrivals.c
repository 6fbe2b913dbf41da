/* SPDX-License-Identifier: BSD-2-Clause */
/* Live: resources that come in, how far they are, what became of the last. */
#include <stdlib.h>
#include <string.h>

#include "tests/interop/bridge/commands.h"
#include "tests/interop/bridge/peer.h"
#include "common/mpk.h"
#include "common/util.h"
#define bytes res_bytes /* the library has another struct of that name */
#include "transport/core/link/resource.h"
#undef bytes

#define SMALL 4096 /* bytes; who takes small ones takes no larger */

struct bytes
bytes_copy(const uint8_t *p, size_t n)
{
	struct bytes out = {.p = malloc(n > 0 ? n : 1), .n = n};

	if (out.p == NULL)
		return (struct bytes){.n = 0};
	if (n > 0)
		memcpy(out.p, p, n);
	out.set = true;
	return out;
}

struct bytes
unpacked(struct bytes b)
{
	struct rd r = rd_make(b.p, b.n);
	const uint8_t *p = NULL;
	size_t n = 0;

	if (!b.set || !mpk_get_bin(&r, &p, &n))
		return (struct bytes){.n = 0};
	return (struct bytes){(uint8_t *)(uintptr_t)p, n, true};
}

/* ---- on their way ---- */

const char *
res_name(int status)
{
	static const char *const names[] = {"NONE", "QUEUED", "ADVERTISED",
	    "TRANSFERRING", "AWAITING_PROOF", "ASSEMBLING", "COMPLETE",
	    "FAILED", "CORRUPT", "REJECTED"};

	return names[status];
}

static void
look(struct listener *l, const struct res_in *x)
{
	if (!l->going.now || !id32_eq(&l->going.orig, &x->orig)) {
		memset(&l->going, 0, sizeof(l->going));
		l->going.orig = x->orig;
		l->going.height = x->height;
	}
	l->going.now = true;
	l->going.status = (int)x->status;
	l->going.compressed = x->compressed;
	l->going.maps_asked += x->waiting_hmu && !l->going.asked;
	l->going.maps_got += l->going.asked && x->height > l->going.height;
	l->going.asked = x->waiting_hmu;
	l->going.height = x->height;
}

void
arrivals_look(struct peer *p)
{
	const struct res_in *x;
	const struct link *link;

	for (struct listener *l = p->listeners; l != NULL; l = l->next) {
		bool was = l->going.now;

		l->going.now = false;
		link = link_find(p->r, &l->last_link);
		if (link == NULL)
			continue;
		TAILQ_FOREACH(x, &link->res_in, entry) {
			if (x->kind != RES_PLAIN || x->status == RES_NONE)
				continue;
			l->going.now = was;
			look(l, x);
		}
	}
}

/* ---- events ---- */

static void
on_offer(struct peer *p, const struct rns_event *ev)
{
	struct rns_cmd cmd = {.type = RNS_CMD_RESOURCE_ANSWER};

	cmd.answer.link = ev->resource.link;
	cmd.answer.hash = ev->resource.hash;
	cmd.answer.accept = ev->resource.size <= SMALL;
	(void)rns_submit(p->r, &cmd, mono_here());
}

static void
on_data(struct seen *s, const struct rns_event *ev)
{
	size_t n = ev->resource.len;
	uint8_t *data;

	if (ev->resource.metadata != NULL) {
		free(s->metadata.p);
		s->metadata = bytes_copy(ev->resource.metadata,
		    ev->resource.metadata_len);
	}
	if (s->len + n > s->cap) {
		data = realloc(s->data, 2 * (s->len + n));
		if (data == NULL)
			return;
		s->data = data;
		s->cap = 2 * (s->len + n);
	}
	if (n > 0)
		memcpy(s->data + s->len, ev->resource.data, n);
	s->len += n;
}

static void
on_done(struct seen *s, const struct rns_event *ev)
{
	struct listener *l = s->listener;
	bool whole = ev->resource.status == RNS_RES_COMPLETE;

	if (l != NULL) {
		free(l->came.data.p);
		free(l->came.metadata.p);
		l->came.count++;
		l->came.status = (int)ev->resource.status;
		l->came.metadata = s->metadata;
		l->came.data = whole ? bytes_copy(s->data, s->len) :
		    (struct bytes){.n = 0};
		s->metadata = (struct bytes){.n = 0};
	}
	if (l != NULL && whole)
		(void)json_array_append_new(l->resources,
		    hex_json(s->data, s->len));
	s->len = 0;
}

void
arrival_event(struct peer *p, const struct rns_event *ev)
{
	struct seen *s = peer_link(p, &ev->resource.link);

	if (s == NULL)
		return;
	if (ev->type == RNS_EV_RESOURCE_ADV)
		on_offer(p, ev);
	else if (ev->type == RNS_EV_RESOURCE_DATA)
		on_data(s, ev);
	else
		on_done(s, ev);
}

/* ---- commands ---- */

void
cmd_wire_resource_poll(struct call *c)
{
	struct peer *p = peer_of(c);

	poll_list(c, "resources", peer_listener(c, p)->resources);
}

void
cmd_wire_resource_receiver_status(struct call *c)
{
	struct peer *p = peer_of(c);
	const struct listener *l = peer_listener(c, p);
	struct mono until = peer_until(c, 5000);
	int status, count;

	while (l->came.count == 0 && !l->going.now &&
	    !mono_reached(mono_here(), until))
		(void)peer_run(until, -1);
	count = l->came.count + l->going.now;
	put_bool(c, "found", count > 0);
	put_int(c, "resource_count", count);
	if (count == 0)
		return;
	status = l->going.now ? l->going.status : l->came.status;
	put_int(c, "status", status);
	put_str(c, "status_name", res_name(status));
	put_bool(c, "corrupt", status == RNS_RES_CORRUPT);
	put_bool(c, "compressed", l->going.compressed);
	put_int(c, "hashmap_height", l->going.height);
	put_int(c, "hmu_requests_sent", l->going.maps_asked);
	put_int(c, "hashmap_updates_received", l->going.maps_got);
	put_bool(c, "has_metadata", !l->going.now && l->came.metadata.set);
	put_bytes(c, "metadata", l->going.now ? (struct bytes){.n = 0} :
	    unpacked(l->came.metadata));
	put_bytes(c, "data", l->going.now ? (struct bytes){.n = 0} :
	    l->came.data);
}
