/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/link/stream.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/bz.h"
#include "transport/core/base/event.h"
#include "transport/core/link/channel.h"

/* Streams over a channel (10). */

#define STREAM_EOF 0x8000
#define STREAM_COMPRESSED 0x4000
#define STREAM_ID_MAX 0x3fff
#define STREAM_CHUNK 16384    /* also the ceiling of the decompressor */
#define STREAM_COMPRESS_MIN 32 /* up to here it never pays */
#define STREAM_COMPRESS_TRIES 3

static bool
stream_is_open(const struct link *l, uint16_t id)
{
	const struct channel *c = l->channel;

	return c != NULL && c->streams != NULL && id <= STREAM_ID_MAX &&
	    (c->streams[id / 8] & 1u << id % 8) != 0;
}

/*
 * A message of type 0xff00 in its turn. The reference never gets past one that
 * cannot be unpacked, and the whole channel waits for ever; here its stream
 * ends, and says why.
 */
static bool
stream_in(struct rns *r, struct link *l, const uint8_t *p, size_t n)
{
	struct rns_event ev = {.type = RNS_EV_STREAM_DATA};
	struct rd rd = rd_make(p, n);
	uint8_t *out = NULL;
	uint16_t head, id;

	if (!rd_u16(&rd, &head) || !stream_is_open(l, head & STREAM_ID_MAX)) {
		core_drop(r, RNS_DROP_CHANNEL);
		return true;
	}
	id = head & STREAM_ID_MAX;
	ev.channel.link = l->id;
	ev.channel.msgtype = id;
	ev.channel.eof = (head & STREAM_EOF) != 0;
	ev.channel.data = p + STREAM_HEAD;
	ev.channel.len = n - STREAM_HEAD;
	if ((head & STREAM_COMPRESSED) != 0) {
		ev.channel.data = NULL;
		ev.channel.len = 0;
		ev.channel.err = bz_decompress(&out, &ev.channel.len,
		    STREAM_CHUNK, p + STREAM_HEAD, n - STREAM_HEAD, NULL, NULL);
		if (ev.channel.err == RNS_ENOMEM)
			return core_drop(r, RNS_DROP_MEMORY);
		ev.channel.data = out;
	}
	if (ev.channel.err != RNS_OK) {
		core_drop(r, RNS_DROP_CHANNEL);
		ev.channel.eof = false;
	}
	if (event_push_own(r, &ev, out) != RNS_OK)
		return false;
	if (ev.channel.err != RNS_OK)
		l->channel->streams[id / 8] &= (uint8_t)~(1u << id % 8);
	return true;
}

int
stream_open(struct rns *r, struct link *l, uint16_t id)
{
	int rc = channel_open(r, l);

	if (rc != RNS_OK)
		return rc;
	if (id > STREAM_ID_MAX)
		return RNS_EINVAL;
	if (l->channel->streams == NULL &&
	    (l->channel->streams = calloc(1, (STREAM_ID_MAX + 1) / 8)) == NULL)
		return RNS_ENOMEM;
	l->channel->stream_in = stream_in;
	l->channel->streams[id / 8] |= (uint8_t)(1u << id % 8);
	return RNS_OK;
}

/*
 * What one message holds, as the reference's writer cuts it: bz2 of the whole,
 * of half and of a third, if that is shorter than itself and than max.
 */
static size_t
stream_pack(uint8_t *packed, size_t *packed_len, size_t max, const uint8_t *p,
    size_t n)
{
	struct iovec_c v = {p, 0};

	*packed_len = 0;
	if (n <= STREAM_COMPRESS_MIN)
		return n < max ? n : max;
	for (size_t k = 1; k <= STREAM_COMPRESS_TRIES; k++) {
		v.n = n / k;
		if (bz_compress(packed, packed_len,
		    MIN_OF(max - 1, v.n - 1), &v, 1) == RNS_OK)
			return v.n;
	}
	*packed_len = 0;
	return n < max ? n : max;
}

int
stream_send(struct rns *r, struct link *l, const struct rns_cmd *c)
{
	uint8_t packed[STREAM_CHUNK], b[STREAM_HEAD];
	size_t max = MIN_OF(l->mdu - CHANNEL_HEAD, (uint32_t)UINT16_MAX) -
	    STREAM_HEAD;
	size_t n = MIN_OF(c->stream.len, (size_t)STREAM_CHUNK), packed_len = 0;
	struct wr w = wr_make(b, sizeof(b));
	struct iovec_c v[2] = {{b, sizeof(b)}, {NULL, 0}};
	uint16_t head = c->stream.stream;
	int rc;

	if (c->stream.stream > STREAM_ID_MAX || c->stream.taken == NULL ||
	    (c->stream.len == 0 && !c->stream.eof))
		return RNS_EINVAL;
	if ((rc = channel_open(r, l)) != RNS_OK)
		return rc;
	if (!channel_ready(l)) {
		l->channel->want_ready = true;
		return RNS_EAGAIN;
	}
	n = stream_pack(packed, &packed_len, MIN_OF(max, sizeof(packed)),
	    c->stream.data, n);
	if (packed_len > 0)
		head |= STREAM_COMPRESSED;
	if (c->stream.eof && n == c->stream.len)
		head |= STREAM_EOF;
	wr_u16(&w, head);
	v[1] = packed_len > 0 ? (struct iovec_c){packed, packed_len} :
	    (struct iovec_c){c->stream.data, n};
	rc = channel_send(r, l, CHANNEL_STREAM, v, 2, 0);
	if (rc == RNS_OK)
		*c->stream.taken = n;
	return rc;
}
