/* SPDX-License-Identifier: BSD-2-Clause */
/* Live: resources that come in, and what became of the last one. */
#include <stdlib.h>
#include <string.h>

#include "tests/interop/bridge/commands.h"
#include "tests/interop/bridge/peer.h"
#include "common/mpk.h"
#include "common/util.h"

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

/* Of one that has ended: of parts and their map nothing is left then. */
void
cmd_wire_resource_receiver_status(struct call *c)
{
	struct peer *p = peer_of(c);
	const struct listener *l = peer_listener(c, p);
	struct mono until = peer_until(c, 5000);
	int status;

	while (l->came.count == 0 && !mono_reached(mono_here(), until))
		(void)peer_run(until, -1);
	put_bool(c, "found", l->came.count > 0);
	put_int(c, "resource_count", l->came.count);
	if (l->came.count == 0)
		return;
	status = l->came.status;
	put_int(c, "status", status);
	put_str(c, "status_name", status == RNS_RES_COMPLETE ? "COMPLETE" :
	    status == RNS_RES_CORRUPT ? "CORRUPT" : "FAILED");
	put_bool(c, "corrupt", status == RNS_RES_CORRUPT);
	put_bool(c, "has_metadata", l->came.metadata.set);
	put_bytes(c, "metadata", unpacked(l->came.metadata));
	put_bytes(c, "data", l->came.data);
}
