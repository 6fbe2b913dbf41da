/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine that sends and fetches LXMF messages, among nodes and senders
 * that say anything. The core is played: each step is a byte that says what
 * comes, one with its particulars, a length of two bytes, so many bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "common/mpk.h"
#include "common/util.h"
#include "common/wire.h"
#include "transport/lxmf/post.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

/* A message for us; one of ours that is delivered, or stored. */
static void
took(unsigned form)
{
	static unsigned forms;

	forms |= 1u << form;
	fuzz_taken = forms == 7;
}

#define NODES 2
#define TICKS_MAX 1000

struct side {
	struct post *post;
	struct mono now;
	/* what the nodes, and the destination, have announced */
	uint8_t said[NODES + 1][256];
	size_t nsaid[NODES + 1];
	bool path[NODES + 1]; /* to them, and to the destination */
	struct hash16 dest;
	/* tags of what was commanded last; the handle of the last message */
	uint64_t open, request, packet, resource, handle;
	bool refuses; /* each command */
	unsigned nend, nsent;
};

static const struct hash16 nodes[NODES] = {{{1}}, {{2}}}, link_id = {{3}};
static uint8_t priv[RNS_KEY], pub[RNS_KEY], other[RNS_KEY];
static struct side s;

static int
do_submit(void *arg, const struct rns_cmd *cmd)
{
	(void)arg;
	if (s.refuses && cmd->type != RNS_CMD_DEST_ADD)
		return RNS_ELIMIT;
	switch (cmd->type) {
	case RNS_CMD_LINK_OPEN:
		s.open = cmd->link_open.tag;
		break;
	case RNS_CMD_REQUEST:
		s.request = cmd->request.tag;
		break;
	case RNS_CMD_PACKET:
	case RNS_CMD_LINK_SEND:
		s.packet = cmd->packet.tag;
		break;
	case RNS_CMD_RESOURCE_SEND:
		s.resource = cmd->resource.tag;
		break;
	default:
		break;
	}
	return RNS_OK;
}

static bool
do_known(void *arg, const struct hash16 *dest, struct rns_known *out)
{
	(void)arg;
	memset(out, 0, sizeof(*out));
	memcpy(out->public_key, other, sizeof(other));
	for (int i = 0; i <= NODES; i++)
		if (hash16_eq(dest, i < NODES ? &nodes[i] : &s.dest) &&
		    s.nsaid[i] > 0) {
			out->app_data = s.said[i];
			out->app_data_len = s.nsaid[i];
			return true;
		}
	return false;
}

static bool
do_path(void *arg, const struct hash16 *dest)
{
	(void)arg;
	for (int i = 0; i < NODES; i++)
		if (hash16_eq(dest, &nodes[i]))
			return s.path[i];
	return hash16_eq(dest, &s.dest) && s.path[NODES];
}

static void
do_random(void *arg, uint8_t *out, size_t n)
{
	(void)arg;
	memset(out, 9, n);
}

static void
on_message(void *arg, const struct post_message *m)
{
	struct lxmf again;

	(void)arg;
	if (m->len > POST_MESSAGE_MAX ||
	    lxmf_parse(&again, m->packed, m->len) != RNS_OK ||
	    !id32_eq(&again.id, &m->m.id) || m->handle == 0)
		abort();
	s.handle = m->handle;
	took(0);
}

static void
on_ended(void *arg, uint64_t tag, enum post_end end, const char *why)
{
	(void)arg;
	(void)tag;
	if ((end == POST_FAILED) != (why != NULL))
		abort();
	s.nend++;
	if (end == POST_DELIVERED || end == POST_STORED)
		took(end == POST_DELIVERED ? 1 : 2);
}

static void
on_looked(void *arg, enum post_look how, unsigned n)
{
	(void)arg;
	(void)how;
	(void)n;
}

/* Everything that is due by then; it comes to an end. */
static void
pass(int64_t us)
{
	struct mono end = mono_add(s.now, us), at;

	for (unsigned i = 0; i < TICKS_MAX; i++) {
		at = post_deadline(s.post);
		if (!mono_reached(end, at))
			break;
		if (!mono_reached(s.now, at))
			s.now = at;
		else if (i + 1 == TICKS_MAX)
			abort(); /* a deadline that a tick does not meet */
		post_tick(s.post, s.now);
	}
	s.now = end;
	post_tick(s.post, s.now);
}

/* For another or, to look into a node, for ourselves; its bytes are bytes. */
static size_t
letter(uint8_t *out, size_t cap, const uint8_t *p, size_t n, bool ours)
{
	struct lxmf m = {.time = 1, .content = {p, n}};
	size_t len;

	lxmf_address(&m.source, pub);
	m.dest = ours ? m.source : s.dest;
	return lxmf_pack(out, &len, cap, NULL, &m, NULL, priv) == RNS_OK ?
	    len : 0;
}

static void
send(uint8_t how, const uint8_t *p, size_t n)
{
	static uint8_t packed[8192], text[4096];
	struct post_letter l = {.tag = how & 3u, .packed = packed,
	    .way = (enum post_way)((how >> 2) % 3), .pub = other};
	uint8_t wrong[RNS_KEY] = {1};

	/* a few bytes stand for many */
	memcpy(text, p, MIN_OF(n, sizeof(text)));
	if ((how & 16) != 0)
		n = MIN_OF(n * 64, sizeof(text));
	l.len = letter(packed, sizeof(packed), text, MIN_OF(n, sizeof(text)),
	    false);
	if ((how & 32) != 0)
		l.pub = (how & 64) != 0 ? wrong : NULL;
	l.until = (how & 128) != 0 ? mono_add(s.now, 300 * MONO_SECOND) :
	    MONO_NEVER;
	if (post_send(s.post, &l, s.now) == RNS_OK)
		s.nsent++;
}

/* An answer of the node: bytes; or a list of what they are, sealed for us. */
static void
response(uint8_t how, const uint8_t *p, size_t n)
{
	static uint8_t out[12000], packed[8192], sealed[9000];
	struct rns_event ev = {.type = RNS_EV_RESPONSE};
	struct wr w = wr_make(out, sizeof(out));
	uint8_t random[LXMF_SEAL_RANDOM] = {how};
	size_t len;

	ev.response.tag = s.request;
	ev.response.link = link_id;
	ev.response.data = p;
	ev.response.len = n;
	if ((how & 3) != 0) {
		mpk_put_array(&w, how & 3u);
		for (unsigned i = 0; i < (how & 3u); i++) {
			n = MIN_OF(n, sizeof(packed) - 256);
			len = letter(packed, sizeof(packed), p, n, true);
			if ((how & 4) != 0) /* for us, and no message */
				memcpy(packed + 16, p, len = n);
			if (lxmf_seal(sealed, &len, sizeof(sealed), NULL,
				packed, len + ((how & 4) != 0 ? 16 : 0), pub,
				NULL, random) != RNS_OK)
				return;
			if ((how & 8) != 0) /* an id */
				len = 32;
			mpk_put_bin(&w, sealed, len);
			random[1]++;
		}
		ev.response.data = out;
		ev.response.len = w.len;
	}
	(void)post_event(s.post, &ev, s.now);
}

static void
on_link(enum rns_event_type type, uint8_t how, size_t n)
{
	struct rns_event ev = {.type = type};

	ev.link.id = link_id;
	ev.link.id.b[1] = how & 1;
	ev.link.initiator = (how & 2) == 0;
	ev.link.tag = ev.link.initiator ? s.open : 0;
	ev.link.dest = ev.link.initiator ? nodes[0] : *post_address(s.post);
	ev.link.mdu = (uint32_t)MIN_OF(n, (size_t)500);
	(void)post_event(s.post, &ev, s.now);
}

/* The same for us: nobody guesses our address. */
static const uint8_t *
to_us(const uint8_t *p, size_t n)
{
	static uint8_t buf[65536];

	if (n < sizeof(struct hash16) || n > sizeof(buf))
		return p;
	memcpy(buf, p, n);
	memcpy(buf, post_address(s.post), sizeof(struct hash16));
	return buf;
}

static void
resource(enum rns_event_type type, uint8_t how, const uint8_t *p, size_t n)
{
	struct rns_event ev = {.type = type};

	ev.resource.link = link_id;
	ev.resource.link.b[1] = how & 1;
	ev.resource.hash.b[0] = (how >> 1) & 3;
	ev.resource.size = (how & 8) != 0 ? n << (how >> 4) : n;
	ev.resource.data = (how & 8) != 0 ? to_us(p, n) : p;
	ev.resource.len = n;
	ev.resource.status = (how & 16) != 0 ? RNS_RES_FAILED :
	    RNS_RES_COMPLETE;
	(void)post_event(s.post, &ev, s.now);
}

static void
packet(enum rns_event_type type, uint8_t how, const uint8_t *p, size_t n)
{
	struct rns_event ev = {.type = type};

	ev.packet.dest = *post_address(s.post);
	if (type == RNS_EV_LINK_DATA) {
		ev.packet.dest = link_id;
		ev.packet.dest.b[1] = how & 1;
	}
	ev.packet.packet_hash.b[0] = how;
	ev.packet.data = (how & 4) != 0 ? to_us(p, n) : p;
	ev.packet.len = n;
	ev.packet.prove_app = (how & 2) != 0;
	(void)post_event(s.post, &ev, s.now);
}

static void
announce(uint8_t how, const uint8_t *p, size_t n)
{
	struct rns_event ev = {.type = RNS_EV_ANNOUNCE};
	unsigned i = (how & 8) != 0 ? NODES : how & 1;

	s.nsaid[i] = MIN_OF(n, sizeof(s.said[i]));
	memcpy(s.said[i], p, s.nsaid[i]);
	if (i < NODES)
		s.path[i] = (how & 2) != 0;
	s.path[NODES] = (how & 4) != 0;
	ev.announce.dest = i < NODES ? nodes[i] : s.dest;
	(void)post_event(s.post, &ev, s.now);
}

static void
ended(enum rns_event_type type, bool good)
{
	struct rns_event ev = {.type = type};

	if (type == RNS_EV_RECEIPT) {
		ev.receipt.tag = s.packet;
		ev.receipt.status = good ? RNS_RECEIPT_DELIVERED :
		    RNS_RECEIPT_FAILED;
	} else if (type == RNS_EV_SENT) {
		ev.sent.tag = s.resource;
		ev.sent.status = good ? RNS_RES_COMPLETE : RNS_RES_FAILED;
	} else {
		ev.response.tag = s.request;
	}
	(void)post_event(s.post, &ev, s.now);
}

static void
step(uint8_t what, uint8_t how, const uint8_t *p, size_t n)
{
	switch (what % 18) {
	case 0:
		pass((int64_t)how * MONO_SECOND / 4);
		break;
	case 1:
		announce(how, p, n);
		break;
	case 2:
		on_link(RNS_EV_LINK_PENDING, how, n);
		break;
	case 3:
		on_link(RNS_EV_LINK_UP, how, how * 2u);
		break;
	case 4:
		on_link(RNS_EV_LINK_CLOSED, how, 0);
		break;
	case 5:
		response(how, p, n);
		break;
	case 6:
		ended(RNS_EV_REQUEST_FAILED, false);
		break;
	case 7:
		ended(RNS_EV_RECEIPT, how & 1);
		break;
	case 8:
		ended(RNS_EV_SENT, how & 1);
		break;
	case 9:
		packet(RNS_EV_PACKET, how, p, n);
		break;
	case 10:
		packet(RNS_EV_LINK_DATA, how, p, n);
		break;
	case 11:
		resource(RNS_EV_RESOURCE_ADV, how, p, n);
		break;
	case 12:
		resource(RNS_EV_RESOURCE_DATA, how, p, n);
		break;
	case 13:
		resource(RNS_EV_RESOURCE_DONE, how, p, n);
		break;
	case 14:
		post_taken(s.post, s.handle - (how >> 1), how & 1, s.now);
		break;
	case 15:
		send(how, p, n);
		break;
	case 16:
		(void)post_look(s.post, s.now);
		s.refuses = (how & 1) != 0;
		break;
	default:
		if ((how & 1) != 0)
			post_cancel(s.post, how >> 1 & 3);
		else
			post_work(s.post, how, s.now);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct post_io io = {NULL, do_submit, do_known, do_path,
	    do_random, on_message, on_ended, on_looked, NULL};
	struct post_conf conf = {.tags = UINT64_C(1) << 59, .nnodes = NODES};
	struct post_where where;
	struct post_counts c;
	struct hash16 hash;
	uint8_t key[RNS_KEY];
	size_t len;

	memset(&s, 0, sizeof(s));
	memset(priv, 0x41, sizeof(priv));
	memset(key, 0x42, sizeof(key));
	(void)rns_identity_derive(other, &hash, key);
	(void)rns_identity_derive(pub, &hash, priv);
	lxmf_address(&s.dest, other);
	memcpy(conf.identity, priv, sizeof(priv));
	memcpy(conf.nodes, nodes, sizeof(nodes));
	s.now = (struct mono){MONO_SECOND};
	if ((s.post = post_new(&conf, &io, s.now)) == NULL)
		return 0;
	for (; n >= 4; p += 4 + len, n -= 4 + len) {
		len = MIN_OF((size_t)p[2] << 8 | p[3], n - 4);
		step(p[0], p[1], p + 4, len);
		for (uint64_t tag = 0; tag < 4; tag++)
			(void)post_where(s.post, tag, s.now, &where);
		post_counts(s.post, &c);
		if (c.waiting > POST_QUEUE || c.waiting != s.nsent - s.nend)
			abort();
	}
	post_free(s.post);
	return 0;
}
