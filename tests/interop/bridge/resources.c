/* SPDX-License-Identifier: BSD-2-Clause */
/* Live: what an outgoing resource is made of. */
#include <stdlib.h>
#include <string.h>

#include "tests/interop/bridge/commands.h"
#include "tests/interop/bridge/peer.h"
#include "transport/core/base/crypt.h"
#include "transport/core/base/packet.h"
#include "transport/core/link/link.h"
#include "transport/core/link/resource_adv.h"
#define bytes res_bytes /* the library has another struct of that name */
#include "transport/core/link/resource_tx.h"
#undef bytes

/* The advertisement, if that packet is one, as the other end reads it. */
static bool
advertised(struct call *c, const struct link *l, const struct rns_tx *tx,
    struct adv *out)
{
	uint8_t *plain = call_alloc(c, tx->len);
	struct packet p;
	size_t n;

	return packet_parse(&p, tx->data, tx->len) == RNS_OK &&
	    p.context == CTX_RESOURCE_ADV &&
	    token_decrypt(plain, &n, tx->len, l->key, sizeof(l->key), p.data,
	    p.data_len) == RNS_OK && adv_parse(out, plain, n);
}

static void
put_parts(struct call *c, const struct res_out *x)
{
	json_t *list = json_array();
	size_t n;

	put(c, "parts", list);
	for (uint32_t i = 0; i < x->parts; i++) {
		n = MIN_OF(x->sdu, x->size - i * x->sdu);
		(void)json_array_append_new(list, hex_json(x->stream +
		    (size_t)i * x->sdu, n));
	}
}

static void
put_resource(struct call *c, const struct res_out *x)
{
	put_hex(c, "hash", HASH_BYTES(x->hash));
	put_hex(c, "truncated_hash", x->hash.b, RNS_HASH);
	put_hex(c, "random_hash", x->random, sizeof(x->random));
	put_hex(c, "expected_proof", HASH_BYTES(x->proof));
	put_hex(c, "hashmap", x->map, (size_t)x->parts * RES_MAPHASH);
	put_int(c, "num_parts", x->parts);
	put_bool(c, "encrypted", true);
	put_bool(c, "compressed", x->compressed);
	put_bool(c, "split", x->segments > 1);
	put_int(c, "total_segments", x->segments);
	put_int(c, "segment_index", x->segment);
	put_hex(c, "original_hash", HASH_BYTES(x->orig));
	put_bool(c, "has_metadata", x->has_metadata);
	put_int(c, "size", x->size);
	put_int(c, "sdu", x->sdu);
	if (arg_bool(c, "include_parts", false))
		put_parts(c, x);
}

static const struct res_out *
outgoing(struct call *c, struct peer *p, const struct hash16 *link,
    uint64_t tag)
{
	const struct link *l = link_find(p->r, link);
	const struct res_out *x = NULL;

	if (l != NULL)
		TAILQ_FOREACH(x, &l->res_out, entry)
			if (x->tag == tag)
				break;
	if (x == NULL)
		fail(c, "KeyError: no such resource");
	return x;
}

static void
cancel(struct call *c, struct peer *p, const struct hash16 *link, uint64_t tag)
{
	struct rns_cmd cmd = {.type = RNS_CMD_RESOURCE_CANCEL};

	cmd.cancel.link = *link;
	cmd.cancel.tag = tag;
	must(c, rns_submit(p->r, &cmd, mono_here()), "take back");
}

void
cmd_wire_resource_send(struct call *c)
{
	struct peer *p = peer_of(c);
	struct rns_cmd cmd = {.type = RNS_CMD_RESOURCE_SEND};
	struct bytes data = arg(c, "data");
	struct bytes meta = packed(arg_opt(c, "metadata"));
	struct result *res = peer_result(c, p);

	call_defer(c, free, meta.p);
	if ((res->sent = malloc(data.n > 0 ? data.n : 1)) == NULL)
		fail(c, "MemoryError");
	memcpy(res->sent, data.p, data.n);
	cmd.resource.link = peer_open_link(c, p)->id;
	cmd.resource.data = res->sent;
	cmd.resource.len = data.n;
	if (has(c, "metadata")) {
		cmd.resource.metadata = meta.p;
		cmd.resource.metadata_len = meta.n;
	}
	cmd.resource.compress = true;
	cmd.resource.tag = res->tag;
	must(c, rns_submit(p->r, &cmd, mono_here()), "resource");
	res->link = cmd.resource.link;
	put_resource(c, outgoing(c, p, &res->link, res->tag));
	peer_turn(p);
	put(c, "resource_id", json_sprintf("%llu",
	    (unsigned long long)res->tag));
	if (!arg_bool(c, "wait", true)) {
		put_bool(c, "started", true);
		return;
	}
	peer_wait(c, res);
	put_bool(c, "success", res->done && res->status == RNS_RES_COMPLETE);
	put_int(c, "status", res->done ? res->status : RES_TRANSFERRING);
	put_bool(c, "timed_out", !res->done);
}

void
cmd_wire_resource_cancel(struct call *c)
{
	struct peer *p = peer_of(c);
	uint64_t tag = strtoull(arg_str(c, "resource_id"), NULL, 10);
	struct result *res = p->results;
	struct mono until;

	while (res != NULL && (res->tag != tag || res->sent == NULL))
		res = res->next;
	if (res == NULL)
		fail(c, "KeyError: no such resource");
	cancel(c, p, &res->link, tag);
	peer_turn(p);
	until = peer_until(c, 5000);
	while (!res->done && !mono_reached(mono_here(), until))
		(void)peer_run(until, -1);
	put_bool(c, "cancelled", res->done && res->status == RNS_RES_FAILED);
	put_str(c, "resource_id", arg_str(c, "resource_id"));
	put_int(c, "status", res->done ? res->status : RES_TRANSFERRING);
}

/*
 * It is sent like any other, looked at before the first packet leaves, and
 * taken back: nothing of it leaves at all.
 */
void
cmd_wire_resource_create(struct call *c)
{
	struct peer *p = peer_of(c);
	struct rns_cmd cmd = {.type = RNS_CMD_RESOURCE_SEND};
	struct bytes data = arg(c, "data");
	struct bytes meta = packed(arg_opt(c, "metadata"));
	struct link *l = peer_open_link(c, p);
	uint32_t mtu = l->mtu;
	struct adv adv = {.flags = 0};
	struct rns_tx tx;
	bool seen = false;
	int err;

	call_defer(c, free, meta.p);
	peer_turn(p);
	if (!TAILQ_EMPTY(&l->res_out))
		fail(c, "ValueError: the link carries another one");
	if (has(c, "force_sdu"))
		l->mtu = (uint32_t)arg_int(c, "force_sdu", 32, 1 << 20) +
		    RES_SDU_OVERHEAD;
	cmd.resource.link = l->id;
	cmd.resource.data = data.p;
	cmd.resource.len = data.n;
	if (has(c, "metadata")) {
		cmd.resource.metadata = meta.p;
		cmd.resource.metadata_len = meta.n;
	}
	cmd.resource.compress = arg_bool(c, "auto_compress", true);
	cmd.resource.tag = ++p->next_tag;
	err = rns_submit(p->r, &cmd, mono_here());
	l->mtu = mtu;
	must(c, err, "resource");
	put_resource(c, TAILQ_FIRST(&l->res_out));
	while (rns_next_tx(p->r, &tx))
		seen |= advertised(c, l, &tx, &adv);
	cancel(c, p, &l->id, p->next_tag);
	while (rns_next_tx(p->r, &tx))
		;
	put_int(c, "flags", (int64_t)adv.flags);
	put_int(c, "total_size", (int64_t)adv.total);
	if (!seen)
		fail(c, "ValueError: it was not advertised");
}
