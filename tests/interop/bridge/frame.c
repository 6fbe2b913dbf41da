/* SPDX-License-Identifier: BSD-2-Clause */
/* Framing, compression, constants of interfaces. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/interop/bridge/commands.h"
#include "common/util.h"
#include "transport/core/base/bz.h"
#include "transport/core/base/const.h"
#include "transport/core/base/frame.h"
#include "transport/engine/autodisc.h"
#include "transport/engine/if_backbone.h"
#include "transport/engine/if_tcp.h"

#define FEED 65536
#define PLAIN_MAX (64 << 20)
#define COMPRESS_ROOM 1024 /* and a hundredth: bz2 never needs more */

static struct bytes
frame(struct call *c, enum rns_framing framing)
{
	struct bytes in = arg(c, "data"), out = {.set = true};

	out.p = call_alloc(c, rns_frame_max(framing, in.n));
	out.n = rns_frame(framing, out.p, in.p, in.n);
	return out;
}

void
cmd_hdlc_frame(struct call *c)
{
	put_bytes(c, "framed", frame(c, RNS_FRAME_HDLC));
}

void
cmd_kiss_frame(struct call *c)
{
	put_bytes(c, "framed", frame(c, RNS_FRAME_KISS));
}

/* What stands between the flags. */
void
cmd_hdlc_escape(struct call *c)
{
	struct bytes b = frame(c, RNS_FRAME_HDLC);

	put_hex(c, "escaped", b.p + 1, b.n - 2);
}

static void
deframer_end(void *d)
{
	rns_deframer_free(d);
}

/* All frames of a stream, as a list of hex; min 0: what a packet needs. */
static json_t *
deframe(struct call *c, enum rns_framing framing, struct bytes in, size_t max,
    size_t min)
{
	struct rns_deframer *d = rns_deframer_new(framing, max);
	json_t *list = json_array();
	const uint8_t *p;
	size_t n, part;

	put(c, "frames", list);
	if (d == NULL)
		fail(c, "ValueError: hw_mtu");
	call_defer(c, deframer_end, d);
	if (min > 0)
		deframer_min(d, min);
	for (size_t at = 0; at < in.n; at += part) {
		part = MIN_OF(in.n - at, (size_t)FEED);
		must(c, rns_deframer_feed(d, in.p + at, part), "deframer");
		while (rns_deframer_next(d, &p, &n))
			(void)json_array_append_new(list, hex_json(p, n));
	}
	return list;
}

static void
deframe_one(struct call *c, enum rns_framing framing)
{
	json_t *list = deframe(c, framing, arg(c, "framed"), RES_TRANSFER_MAX,
	    1);
	json_t *first = json_array_get(list, 0);

	put(c, "data", first != NULL ? json_incref(first) : json_string(""));
	(void)json_object_del(c->result, "frames");
}

void
cmd_hdlc_deframe(struct call *c)
{
	deframe_one(c, RNS_FRAME_HDLC);
}

void
cmd_kiss_deframe(struct call *c)
{
	deframe_one(c, RNS_FRAME_KISS);
}

static void
deframe_stream(struct call *c, enum rns_framing framing)
{
	size_t max = (size_t)arg_int_or(c, "hw_mtu", 1, RES_TRANSFER_MAX,
	    RES_TRANSFER_MAX);

	(void)deframe(c, framing, arg(c, "stream"), max, 0);
}

void
cmd_hdlc_deframe_stream(struct call *c)
{
	deframe_stream(c, RNS_FRAME_HDLC);
}

void
cmd_kiss_deframe_stream(struct call *c)
{
	deframe_stream(c, RNS_FRAME_KISS);
}

void
cmd_bz2_compress(struct call *c)
{
	struct bytes in = arg(c, "data");
	struct iovec_c v = {in.p, in.n};
	size_t cap = in.n + in.n / 100 + COMPRESS_ROOM, n;
	uint8_t *out = call_alloc(c, cap);

	must(c, bz_compress(out, &n, cap, &v, 1), "compress");
	put_hex(c, "compressed", out, n);
	put_int(c, "original_size", (int64_t)in.n);
	put_int(c, "compressed_size", (int64_t)n);
	put_num(c, "ratio", in.n > 0 ? (double)n / (double)in.n : 0);
}

void
cmd_bz2_decompress(struct call *c)
{
	struct bytes in = arg(c, "compressed");
	uint8_t *out = NULL;
	size_t n;

	must(c, bz_decompress(&out, &n, PLAIN_MAX, in.p, in.n, NULL, NULL),
	    "decompress");
	call_defer(c, free, out);
	put_hex(c, "decompressed", out, n);
	put_int(c, "size", (int64_t)n);
}

void
cmd_auto_discovery_token(struct call *c)
{
	struct bytes group = arg(c, "group_id");
	char *text = call_alloc(c, group.n + 1);
	uint8_t token[AUTO_TOKEN];
	struct in6_addr addr;

	if (group.n > 0)
		memcpy(text, group.p, group.n);
	if (strlen(text) != group.n)
		fail(c, "ValueError: a NUL in group_id");
	if (inet_pton(AF_INET6, arg_str(c, "link_local_addr"), &addr) != 1)
		fail(c, "ValueError: no IPv6 address");
	autodisc_token(token, text, &addr);
	put_hex(c, "token", token, sizeof(token));
}

void
cmd_interface_hw_mtu(struct call *c)
{
	if (arg_is(c, "type", "TCPInterface"))
		put_int(c, "hw_mtu", rns_mtu_for_bitrate(TCP_BITRATE));
	else if (arg_is(c, "type", "BackboneInterface"))
		put_int(c, "hw_mtu", rns_mtu_for_bitrate(BACKBONE_BITRATE));
	else if (arg_is(c, "type", "AutoInterface"))
		put_int(c, "hw_mtu", AUTO_MTU);
	else
		put_str(c, "error", "unknown type of interface");
}

void
cmd_interface_optimise_mtu(struct call *c)
{
	int64_t rate = arg_int(c, "bitrate", 0, INT64_MAX);
	bool automatic = arg_bool(c, "autoconfigure", true);
	uint32_t mtu = rns_mtu_for_bitrate((uint64_t)rate);

	put_bool(c, "unchanged", !automatic);
	if (!automatic)
		put_int(c, "hw_mtu", -1);
	else
		put(c, "hw_mtu", mtu > 0 ? json_integer(mtu) : json_null());
}
