/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "transport/core/base/crypt.h"
#include "transport/core/link/resource.h"
#include "tests/unit/link_pair.h"

/*
 * A live pair under a script of steps. Each step is a byte that says what, one
 * that gives a number, and for bytes a length and as many: traffic for either
 * side, sealed with the link's key so that it reaches the parsers behind the
 * cipher, or as it stands; commands of the caller; loss; time.
 *
 *   0, 1  sealed packet to node 0 or 1, the number is its context
 *   2, 3  data as it stands, with a header of the link, likewise
 *   4     raw bytes to node number % 2
 *   5     a caller's command, by number
 *   6     wait 2^(number % 28) microseconds
 *   7     lose the next `number` packets
 */
#define RESOURCE_BYTES 2000000

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct fuzz {
	struct pair p;
	unsigned lose;
	uint64_t iv;
	uint8_t data[20000];
};

static bool
fuzz_tap(void *arg, int from, const uint8_t *raw, size_t n)
{
	struct fuzz *f = arg;

	(void)from;
	(void)raw;
	(void)n;
	if (f->lose == 0)
		return true;
	f->lose--;
	return false;
}

static void
fuzz_packet(struct fuzz *f, int to, bool seal, uint8_t context,
    const uint8_t *b, size_t n)
{
	uint8_t raw[1024], iv[16] = {0};
	struct link *l = link_find(f->p.n[to].r, &f->p.link);
	size_t len = n;
	bool proof = context == CTX_RESOURCE_PRF || context == CTX_LRPROOF;

	if (l == NULL)
		return;
	(void)packet_head(raw, PACKET_FLAGS(DEST_LINK,
	    proof ? PACKET_PROOF : PACKET_DATA), &f->p.link, context);
	if (seal) {
		put_u64(iv, ++f->iv);
		if (token_encrypt(raw + HEADER_1_LEN, &len,
		    sizeof(raw) - HEADER_1_LEN, l->key, 64, iv, b, n) !=
		    RNS_OK)
			return;
	} else {
		memcpy(raw + HEADER_1_LEN, b, n);
	}
	pair_recv(&f->p, to, raw, HEADER_1_LEN + len);
}

static void
fuzz_send(struct fuzz *f, int node, uint8_t number, struct rns_cmd *c)
{
	static size_t taken;
	struct res_in *x;
	struct link *l = link_find(f->p.n[node].r, &f->p.link);

	switch (number % 8) {
	case 0:
		c->type = RNS_CMD_RESOURCE_SEND;
		c->resource.data = f->data;
		c->resource.len = (size_t)number * 78;
		c->resource.compress = (number & 16) != 0;
		c->resource.tag = 1;
		break;
	case 1:
		c->type = RNS_CMD_REQUEST;
		c->request.path = "/echo";
		c->request.data = (const uint8_t *)"\xa5hello";
		c->request.len = 6;
		break;
	case 2:
		c->type = RNS_CMD_CHANNEL_SEND;
		c->channel.msgtype = number;
		c->channel.data = f->data;
		c->channel.len = number;
		break;
	case 3:
		c->type = RNS_CMD_STREAM_SEND;
		c->stream.stream = 3;
		c->stream.data = f->data;
		c->stream.len = (size_t)number * 20 + 1;
		c->stream.taken = &taken;
		break;
	case 4:
		c->type = RNS_CMD_RESOURCE_CANCEL;
		c->cancel.tag = 1;
		if (l != NULL && (x = TAILQ_FIRST(&l->res_in)) != NULL &&
		    (number & 32) != 0) {
			c->cancel.incoming = true;
			c->cancel.hash = x->orig;
		}
		break;
	case 5:
		c->type = RNS_CMD_LINK_HOLD;
		c->hold.until = mono_add(f->p.now, number * 10000);
		break;
	case 6:
		c->type = RNS_CMD_LINK_SEND;
		c->packet.data = f->data;
		c->packet.len = number;
		c->packet.receipt = true;
		break;
	default:
		c->type = number > 250 ? RNS_CMD_LINK_CLOSE :
		    RNS_CMD_CHANNEL_OPEN;
		break;
	}
	(void)pair_submit(&f->p, node, c);
}

static void
fuzz_command(struct fuzz *f, uint8_t number)
{
	struct rns_cmd c = {.type = RNS_CMD_RESPOND};
	const struct rns_event *ev;

	c.hash = f->p.link;
	if (number % 9 != 8) {
		fuzz_send(f, number & 1, (uint8_t)(number >> 1), &c);
		return;
	}
	if ((ev = pair_take(&f->p, 1, RNS_EV_REQUEST)) == NULL)
		return;
	c.respond.request_id = ev->request.request_id;
	c.respond.data = (const uint8_t *)"\xc5\x4e\x00";
	/* a bin of 19,968 bytes needs a buffer that begins with its head */
	memcpy(f->data, c.respond.data, 3);
	c.respond.data = f->data;
	c.respond.len = number > 100 ? 19971 : 1;
	(void)pair_submit(&f->p, 1, &c);
}

static void
fuzz_step(struct fuzz *f, struct rd *r, uint8_t what, uint8_t number)
{
	const uint8_t *b;
	uint16_t n;

	if (what < 5) {
		if (!rd_u16(r, &n))
			return;
		n = (uint16_t)MIN_OF(MIN_OF((size_t)n, rd_left(r)),
		    (size_t)420);
		if (!rd_ref(r, &b, n))
			return;
		if (what == 4)
			pair_recv(&f->p, number & 1, b, n);
		else
			fuzz_packet(f, what & 1, what < 2, number, b, n);
	} else if (what == 5) {
		fuzz_command(f, number);
	} else if (what == 6) {
		pair_wait(&f->p, INT64_C(1) << number % 28);
	} else {
		f->lose = number;
	}
	pair_run(&f->p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz f;
	struct rd r = rd_make(data, size);
	struct rns_cmd c = {.type = RNS_CMD_STREAM_OPEN};
	uint8_t what, number;
	int steps = 0;

	memset(&f, 0, sizeof(f));
	pair_new(&f.p, &(struct pair_opts){.delay_us = 1000,
	    .resources = RNS_ACCEPT_ALL, .prove = RNS_PROVE_ALL,
	    .resource_bytes = RESOURCE_BYTES});
	pair_handler(&f.p, "/echo", RNS_ALLOW_ALL, NULL, 0, 60000);
	pair_up(&f.p);
	c.stream.link = f.p.link;
	c.stream.stream = 3;
	(void)pair_submit(&f.p, 1, &c);
	f.p.tap = fuzz_tap;
	f.p.tap_arg = &f;
	while (steps++ < 64 && rd_u8(&r, &what) && rd_u8(&r, &number))
		fuzz_step(&f, &r, what % 8, number);
	pair_wait(&f.p, MONO_SECOND);
	for (int i = 0; i < 2; i++)
		if (f.p.n[i].r->resource_bytes > RESOURCE_BYTES)
			abort();
	pair_free(&f.p);
	return 0;
}
