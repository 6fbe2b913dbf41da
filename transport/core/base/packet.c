/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/base/packet.h"

#include <string.h>

#include "transport/core/base/crypt.h"
#include "common/wire.h"

#define SIGNALLED_MODE_SHIFT 21

int
packet_split(struct packet *p, const uint8_t *raw, size_t len)
{
	struct rd r = rd_make(raw, len);
	uint8_t flags, hops, context;
	const uint8_t *transport_id = NULL, *dest, *data;
	bool header_2;
	size_t data_len;

	if (!rd_u8(&r, &flags) || !rd_u8(&r, &hops) || hops >= RNS_HOPS_MAX)
		return RNS_EPARSE;
	header_2 = (flags & FLAG_HEADER_2) != 0;
	if (header_2 && !rd_ref(&r, &transport_id, RNS_HASH))
		return RNS_EPARSE;
	if (!rd_ref(&r, &dest, RNS_HASH) || !rd_u8(&r, &context))
		return RNS_EPARSE;
	data_len = rd_left(&r);
	if (data_len == 0 || !rd_ref(&r, &data, data_len))
		return RNS_EPARSE;

	*p = (struct packet){
	    .raw = raw,
	    .raw_len = len,
	    .flags = flags,
	    .hops = hops,
	    .context = context,
	    .header_2 = header_2,
	    .context_flag = (flags & FLAG_CONTEXT) != 0,
	    .transport = (flags & FLAG_TRANSPORT) != 0,
	    .dest_type = (enum dest_type)(flags >> 2 & 3),
	    .type = (enum packet_type)(flags & 3),
	    .transport_id = transport_id,
	    .dest = hash16_at(dest),
	    .data = data,
	    .data_len = data_len,
	};
	return RNS_OK;
}

int
packet_parse(struct packet *p, const uint8_t *raw, size_t len)
{
	int err = packet_split(p, raw, len);

	if (err == RNS_OK)
		packet_hash(&p->hash, raw, len, p->header_2);
	return err;
}

void
packet_hash(struct id32 *out, const uint8_t *raw, size_t len,
    bool header_2)
{
	size_t from = header_2 ? 2 + RNS_HASH : 2;
	uint8_t flags = raw[0] & FLAGS_LOW;
	struct iovec_c v[2] = {{&flags, 1}, {raw + from, len - from}};

	crypt_sha256v(out, v, 2);
}

bool
packet_exempt(uint8_t context)
{
	switch (context) {
	case CTX_KEEPALIVE:
	case CTX_RESOURCE:
	case CTX_RESOURCE_REQ:
	case CTX_RESOURCE_PRF:
	case CTX_CACHE_REQUEST:
	case CTX_CHANNEL:
		return true;
	default:
		return false;
	}
}

size_t
packet_head(uint8_t *out, uint8_t flags, const struct hash16 *dest,
    uint8_t context)
{
	out[0] = flags;
	out[1] = 0;
	memcpy(out + 2, HASH_BYTES(*dest));
	out[2 + RNS_HASH] = context;
	return HEADER_1_LEN;
}

size_t
packet_build(uint8_t *out, size_t cap, uint8_t flags,
    const struct hash16 *dest, uint8_t context, const uint8_t *data,
    size_t data_len)
{
	if (cap < HEADER_1_LEN || data_len > cap - HEADER_1_LEN)
		return 0;
	/* data may stand in out already, at its place */
	if (data_len > 0)
		memmove(out + HEADER_1_LEN, data, data_len);
	return packet_head(out, flags, dest, context) + data_len;
}

void
packet_link_id(struct hash16 *out, const struct packet *p)
{
	uint8_t flags = p->flags & FLAGS_LOW;
	struct id32 hash;
	size_t keys = p->data_len < LINK_KEYS_LEN ? p->data_len : LINK_KEYS_LEN;
	struct iovec_c v[4] = {
	    {&flags, 1},
	    {p->dest->b, RNS_HASH},
	    {&p->context, 1},
	    {p->data, keys},
	};

	crypt_sha256v(&hash, v, 4);
	*out = *hash16_at(hash.b);
}

void
signalling_put(uint8_t out[3], uint32_t mtu, uint8_t mode)
{
	struct wr w = wr_make(out, 3);

	wr_u24(&w, (mtu & LINK_MTU_MASK) |
	    (uint32_t)(mode & 7) << SIGNALLED_MODE_SHIFT);
}

void
signalling_get(const uint8_t in[3], uint32_t *mtu, uint8_t *mode)
{
	struct rd r = rd_make(in, 3);
	uint32_t v = 0;

	(void)rd_u24(&r, &v); /* three bytes are there */
	*mtu = v & LINK_MTU_MASK;
	*mode = (uint8_t)(v >> SIGNALLED_MODE_SHIFT);
}

void
proof_sign(uint8_t sig[64], const uint8_t sk[64],
    const struct id32 *packet_hash_)
{
	crypt_ed25519_sign(sig, sk, HASH_BYTES(*packet_hash_));
}
