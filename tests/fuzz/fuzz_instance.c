/* SPDX-License-Identifier: BSD-2-Clause */
/* words: transport/engine/rpc_request.c transport/engine/rpc_calls.c */
/*
 * The shared instance: the whole core with the real engine around it, behind
 * what programs say of packets (reticulum-transport.md 12.3) and ask by RPC
 * (reticulum-transport.md 13), and what a manager far away asks over a link
 * (reticulum-transport.md 7.6). Sockets alone are missing. The input is a script
 * of steps: a kind, a length (two bytes) and that many bytes; the kind's upper
 * half says which one.
 *
 *   0    bytes of a program, as its socket brings them
 *   1    a packet of a program, framed
 *   2    a message of a conversation of RPC, proved so far or not
 *   3    in that conversation what who has the key would say
 *   4    a whole conversation of one who has the key, with this request
 *   5    a request over the link of the manager: its argument
 *   6    time: milliseconds, the first four bytes
 *   7    a program goes, and comes again
 *   8    an announce from the network: whose, then as announce_build() has it
 *   9    a packet from the network as it stands
 *   10   who is at the other end of the link identifies: a manager, a stranger
 *   11   data on that link
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mpk.h"
#include "common/util.h"
#include "common/wire.h"
#include "transport/core/base/announce.h"
#include "transport/engine/engine.h"
#include "transport/engine/holes.h"
#include "transport/engine/manage.h"
#include "transport/engine/nif.h"
#include "transport/engine/rpc.h"
#include "transport/engine/rpc_auth.h"
#include "transport/engine/rpc_calls.h"
#include "transport/engine/rpc_pickle.h"
#include "transport/engine/rpc_request.h"
#include "tests/fuzz/kit.h"

#define STEPS 48
#define PROGRAMS 3
#define TALKS 2
#define QUIET 64 /* turns until nobody has anything to say */
#define LINK_TAG 9
#define KEY_LEN 32

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

struct talk {
	struct rpc_talk t;
	bool open, knows;
};

struct world {
	struct engine e;
	uint32_t seed[2];
	struct nif *net, *program[PROGRAMS];
	struct rns_deframer *in[PROGRAMS];
	struct talk talk[TALKS];
	struct rns *far; /* the manager's core */
	struct hash16 place, link;
	bool asked, up;
	uint64_t requests; /* that reached the engine */
};

static const struct rns_limits limits = {16, 8, 32, 32, 4, 8, 8, 16, 64, 16,
    256, 256, 1 << 20, 1 << 20};
static const uint8_t key[KEY_LEN] = {1}, manager[RNS_KEY] = {7},
    stranger[RNS_KEY] = {8};
static struct ev_loop *loop;
static struct rnsconf *conf;

/* A packed request, a pickled one, a word of remote management. */
static void
took(unsigned form)
{
	static unsigned forms;

	forms |= 1u << form;
	fuzz_taken = forms == 7;
}

/* ---- interfaces ---- */

/* To a program: it must be able to read it. */
static bool
to_program(struct nif *n, const uint8_t *p, size_t len)
{
	(void)n;
	must(len >= 19 && len <= RNSCONF_LOCAL_MTU && (p[0] & 0x80) == 0);
	return true;
}

static bool
to_net(struct nif *n, const uint8_t *p, size_t len)
{
	struct world *w = n->own;

	return rns_recv(w->far, 1, p, len, w->e.now) == RNS_OK;
}

static void
flushed(struct nif *n)
{
	(void)n;
}

static const struct nif_kind net_kind = {.name = "TCPClientInterface",
    .carries = true, .send = to_net, .flush = flushed};
static const struct nif_kind program_kind = {.name = "LocalClientInterface",
    .carries = true, .local = true, .send = to_program, .flush = flushed};

static void
net_new(struct world *w)
{
	struct nif *n = nif_new(&w->e, &net_kind, NULL, NULL);

	must(n != NULL);
	(void)snprintf(n->name, sizeof(n->name), "TCPInterface[far]");
	n->cfg.kind = RNS_IF_NET;
	n->cfg.mode = RNS_MODE_FULL;
	n->cfg.bitrate = 1000000;
	n->cfg.out = n->online = true;
	n->own = w;
	must(nif_attach(n) == 0);
	w->net = n;
}

/* As if_local.c has it, who accepts the socket. */
static void
program_new(struct world *w, unsigned i)
{
	struct nif *n = nif_new(&w->e, &program_kind, NULL, NULL);

	must(n != NULL);
	(void)snprintf(n->name, sizeof(n->name), "LocalInterface[%u]", i);
	n->online = true;
	n->cfg = (struct rns_if){
		.kind = RNS_IF_LOCAL_CLIENT,
		.mode = RNS_MODE_FULL,
		.bitrate = 1000000000,
		.hw_mtu = RNSCONF_LOCAL_MTU,
		.mtu_signal = true,
		.out = true,
		.announce_cap_permille = RNSCONF_LOCAL_CAP_PERMILLE,
	};
	must(nif_attach(n) == 0);
	w->program[i] = n;
	w->in[i] = rns_deframer_new(RNS_FRAME_HDLC, RNSCONF_LOCAL_MTU);
	must(w->in[i] != NULL);
}

static void
program_gone(struct world *w, unsigned i)
{
	nif_free(w->program[i]);
	rns_deframer_free(w->in[i]);
}

/* ---- the world ---- */

static void
conf_new(void)
{
	static const char head[] = "[reticulum]\nenable_transport = yes\n"
	    "respond_to_probes = yes\npublish_blackhole = yes\n"
	    "enable_remote_management = yes\nremote_management_allowed = ";
	char text[sizeof(head) + 2 * RNS_HASH + 1], hex[2 * RNS_HASH + 1];
	struct mistakes m = {0};
	uint8_t pub[RNS_KEY];
	struct hash16 hash;

	must(rns_identity_derive(pub, &hash, manager) == RNS_OK);
	hex_encode(hex, HASH_BYTES(hash));
	(void)snprintf(text, sizeof(text), "%s%s\n", head, hex);
	must(rnsconf_parse(&conf, text, strlen(text), &m) == 0 &&
	    conf->nmanagers == 1);
	/* no descriptors */
	loop = ev_loop_new(EVFLAG_NOENV | EVBACKEND_SELECT);
	must(loop != NULL);
	log_set_level(0);
}

static struct rns *
core_new(uint32_t *seed, uint8_t id, bool transport, struct mono now)
{
	struct rns_config cfg = {.random = numbers, .random_arg = seed,
	    .wall_us = INT64_C(1700000000000000), .limits = limits,
	    .transport = transport, .link_mtu_discovery = true};
	struct rns *r;

	*seed = id;
	memset(cfg.identity, id, sizeof(cfg.identity));
	must((r = rns_new(&cfg, now)) != NULL);
	return r;
}

static void
far_new(struct world *w)
{
	struct rns_cmd c = {.type = RNS_CMD_IF_ADD};

	w->far = core_new(&w->seed[1], 2, false, w->e.now);
	c.iface.id = 1;
	c.iface.kind = RNS_IF_NET;
	c.iface.mode = RNS_MODE_FULL;
	c.iface.bitrate = 1000000;
	c.iface.out = c.iface.online = true;
	must(rns_submit(w->far, &c, w->e.now) == RNS_OK);
}

static void
world_new(struct world *w)
{
	struct engine *e = &w->e;

	if (loop == NULL)
		conf_new();
	memset(w, 0, sizeof(*w));
	TAILQ_INIT(&e->ifs);
	TAILQ_INIT(&e->dirty);
	e->loop = loop;
	e->conf = e->ifconf = conf;
	e->now.us = MONO_SECOND;
	e->rns = core_new(&w->seed[0], 1, true, e->now);
	memset(e->identity, 1, sizeof(e->identity));
	must(rns_identity_derive(e->identity_public, &e->identity_hash,
	    e->identity) == RNS_OK);
	measure_init(&e->measure, e, NULL);
	must((e->holes = holes_new(e)) != NULL &&
	    (e->manage = manage_new(e)) != NULL);
	must(rns_dest_hash(&w->place, "rnstransport.remote.management",
	    &e->identity_hash) == RNS_OK);
	far_new(w);
	net_new(w);
	for (unsigned i = 0; i < PROGRAMS; i++)
		program_new(w, i);
}

static void
world_free(struct world *w)
{
	struct engine *e = &w->e;

	for (unsigned i = 0; i < PROGRAMS; i++)
		program_gone(w, i);
	nif_free(w->net);
	manage_free(e->manage);
	holes_free(e->holes);
	measure_clear(&e->measure);
	rns_free(e->rns);
	rns_free(w->far);
}

/* ---- a turn ---- */

static bool
one_value(const uint8_t *p, size_t n)
{
	struct rd r = rd_make(p, n);

	return mpk_skip(&r) && rd_end(&r);
}

static void
far_event(struct world *w, const struct rns_event *ev)
{
	switch (ev->type) {
	case RNS_EV_LINK_UP:
		w->link = ev->link.id;
		w->up = true;
		break;
	case RNS_EV_LINK_CLOSED:
		w->up = w->asked = false;
		break;
	case RNS_EV_RESPONSE:
		must(one_value(ev->response.data, ev->response.len));
		took(2);
		break;
	default:
		break;
	}
}

/* What turn.c does of it here; true: somebody had something to say. */
static bool
turn(struct world *w)
{
	struct rns_event ev;
	struct rns_tx tx;
	bool some = false;

	nif_out_all(&w->e);
	nif_flush_all(&w->e);
	while (rns_next_event(w->e.rns, &ev)) {
		w->requests += ev.type == RNS_EV_REQUEST;
		(void)manage_event(w->e.manage, &ev);
		some = true;
	}
	while (rns_next_tx(w->far, &tx)) {
		nif_frame(w->net, tx.data, tx.len);
		some = true;
	}
	while (rns_next_event(w->far, &ev)) {
		far_event(w, &ev);
		some = true;
	}
	return some;
}

static void
settle(struct world *w)
{
	for (int i = 0; i < QUIET && turn(w); i++) {
		rns_tick(w->e.rns, w->e.now);
		rns_tick(w->far, w->e.now);
	}
}

static void
check(struct world *w)
{
	struct manage_counts m;
	struct rns_counts c;

	rns_tick(w->e.rns, w->e.now);
	must(rns_deadline(w->e.rns).us > w->e.now.us);
	rns_counts(w->e.rns, &c);
	must(c.known <= limits.known && c.paths <= limits.paths &&
	    c.links <= limits.links && c.link_table <= limits.link_table &&
	    c.reverse <= limits.reverse && c.receipts <= limits.receipts &&
	    c.interfaces == 1 + PROGRAMS);
	/* each request of a link of ours is answered or counted */
	manage_counts(w->e.manage, &m);
	must(m.requests + m.lost == w->requests);
}

/* ---- RPC ---- */

static void
request(struct world *w, const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n > 0 ? n : 1), *got;
	struct rpc_request q;
	size_t len;

	if (copy == NULL)
		return;
	if (n > 0)
		memcpy(copy, p, n);
	if (rpc_request_parse(&q, copy, n) && q.manage[0] != '\0' &&
	    q.name[0] != '\0') {
		free(copy); /* rpc.c asks the parent, who is not here */
		return;
	}
	if ((got = rpc_call(&w->e, copy, n, &len)) != NULL) {
		if (pickle_is(copy, n)) {
			must(len > 3 && got[0] == 0x80 && got[1] == 4 &&
			    got[len - 1] == '.');
			took(1);
		} else {
			must(one_value(got, len));
			took(0);
		}
	}
	free(got);
	free(copy);
}

static void
talk_open(struct talk *k)
{
	static const uint8_t random[40] = {9};
	uint8_t out[RPC_AUTH_MAX];

	(void)rpc_talk_open(&k->t, random, out);
	k->open = true;
	k->knows = false;
}

static void
talk_hears(struct world *w, struct talk *k, const uint8_t *p, size_t n,
    bool right)
{
	enum rpc_state was = k->t.state;
	uint8_t out[RPC_AUTH_MAX];
	size_t len;

	/* asksock's limit until it is known */
	if (was != RPC_WAIT_REQUEST && n > RPC_AUTH_MAX) {
		k->open = false;
		return;
	}
	k->knows = k->knows || (was == RPC_WAIT_RESPONSE && right);
	switch (rpc_talk_step(&k->t, key, sizeof(key), p, n, out, &len)) {
	case RPC_SAY:
		must(len <= sizeof(out));
		break;
	case RPC_LISTEN:
		break;
	case RPC_ASKS:
		must(k->knows && was == RPC_WAIT_REQUEST);
		if (n <= RPC_REQUEST_MAX)
			request(w, p, n);
		k->open = false;
		break;
	default:
		k->open = false;
		break;
	}
}

static void
talk_right(struct world *w, struct talk *k)
{
	static const uint8_t theirs[] = RPC_CHALLENGE "twenty unpredictable";
	uint8_t out[RPC_AUTH_MAX];
	size_t n = 0;

	switch (k->t.state) {
	case RPC_WAIT_RESPONSE:
		n = rpc_auth_answer(out, key, sizeof(key), k->t.challenge,
		    sizeof(k->t.challenge));
		break;
	case RPC_WAIT_CHALLENGE:
		memcpy(out, theirs, n = sizeof(theirs) - 1);
		break;
	case RPC_WAIT_VERDICT:
		memcpy(out, RPC_WELCOME, n = sizeof(RPC_WELCOME) - 1);
		break;
	default:
		return;
	}
	talk_hears(w, k, out, n, true);
}

static void
talk_whole(struct world *w, const uint8_t *p, size_t n)
{
	struct talk k;

	talk_open(&k);
	for (int i = 0; i < 3; i++)
		talk_right(w, &k);
	must(k.open && k.t.state == RPC_WAIT_REQUEST);
	talk_hears(w, &k, p, n, true);
	must(!k.open);
}

/* ---- the manager ---- */

static void
link_open(struct world *w)
{
	struct rns_cmd c = {.type = RNS_CMD_ANNOUNCE};

	c.announce.dest = w->place;
	(void)engine_submit(&w->e, &c);
	settle(w);
	memset(&c, 0, sizeof(c));
	c.type = RNS_CMD_LINK_OPEN;
	c.link_open.dest = w->place;
	c.link_open.tag = LINK_TAG;
	w->asked = rns_submit(w->far, &c, w->e.now) == RNS_OK;
	settle(w);
}

static void
identify(struct world *w, unsigned which)
{
	struct rns_cmd c = {.type = RNS_CMD_LINK_IDENTIFY};

	if (!w->up)
		return;
	c.identify.link = w->link;
	memcpy(c.identify.identity, which != 0 ? stranger : manager, RNS_KEY);
	(void)rns_submit(w->far, &c, w->e.now);
}

static void
ask_far(struct world *w, unsigned which, const uint8_t *p, size_t n)
{
	static const char *const paths[] = {"/status", "/path", "/list"};
	struct rns_cmd c = {.type = RNS_CMD_REQUEST};

	if (!w->up) {
		link_open(w);
		identify(w, 0);
		settle(w);
	}
	c.request.link = w->link;
	c.request.path = paths[which % NELEM(paths)];
	c.request.data = n > 0 ? p : NULL;
	c.request.len = n;
	c.request.tag = 1;
	if (w->up)
		(void)rns_submit(w->far, &c, w->e.now);
}

static void
link_data(struct world *w, const uint8_t *p, size_t n)
{
	struct rns_cmd c = {.type = RNS_CMD_LINK_SEND};

	c.packet.dest = w->link;
	c.packet.data = p;
	c.packet.len = n;
	if (w->up && n > 0)
		(void)rns_submit(w->far, &c, w->e.now);
}

static void
announce(struct world *w, const uint8_t *p, size_t n)
{
	uint8_t raw[RNS_MTU], name[RNS_NAME_HASH], priv[RNS_KEY] = {1};
	struct hash16 dest;
	struct identity id;
	size_t len;

	if (n < 7)
		return;
	priv[40] = p[0] & 7;
	must(identity_load(&id, priv) == RNS_OK &&
	    rns_dest_hash(&dest, "fuzz.other", &id.hash) == RNS_OK);
	rns_name_hash(name, "fuzz.other");
	len = announce_build(raw, &id, &dest, name, p + 1, p[6],
	    (p[0] & 8) != 0 ? id.pub : NULL, p + 7, n - 7, false);
	if (len == 0)
		return;
	raw[1] = p[0] >> 5;
	nif_frame(w->net, raw, len);
}

/* ---- programs ---- */

static void
program_bytes(struct world *w, unsigned i, const uint8_t *p, size_t n)
{
	const uint8_t *frame;
	uint8_t *copy;
	size_t len;

	if (rns_deframer_feed(w->in[i], p, n) != RNS_OK)
		return;
	while (rns_deframer_next(w->in[i], &frame, &len)) {
		if ((copy = malloc(len > 0 ? len : 1)) == NULL)
			continue;
		memcpy(copy, frame, len);
		nif_frame(w->program[i], copy, len);
		free(copy);
	}
}

static void
program_packet(struct world *w, unsigned i, const uint8_t *p, size_t n)
{
	uint8_t framed[2 * 1100 + 2];

	if (n <= 1100 && rns_frame_max(RNS_FRAME_HDLC, n) <= sizeof(framed))
		program_bytes(w, i, framed,
		    rns_frame(RNS_FRAME_HDLC, framed, p, n));
}

/* ---- steps ---- */

static void
conversation(struct world *w, struct talk *k, bool right, const uint8_t *p,
    size_t n)
{
	if (!k->open)
		talk_open(k);
	if (right)
		talk_right(w, k);
	else
		talk_hears(w, k, p, n, false);
}

static void
step(struct world *w, uint8_t kind, const uint8_t *p, size_t n)
{
	unsigned which = kind >> 4, i = which % PROGRAMS;

	switch (kind & 15) {
	case 0:
		program_bytes(w, i, p, n);
		break;
	case 1:
		program_packet(w, i, p, n);
		break;
	case 2:
	case 3:
		conversation(w, &w->talk[which % TALKS], (kind & 1) != 0, p,
		    n);
		break;
	case 4:
		talk_whole(w, p, n);
		break;
	case 5:
		ask_far(w, which, p, n);
		break;
	case 6:
		if (n >= 4)
			w->e.now = mono_add(w->e.now,
			    1000 * (int64_t)get_u32(p));
		rns_tick(w->e.rns, w->e.now);
		rns_tick(w->far, w->e.now);
		break;
	case 7:
		program_gone(w, i);
		program_new(w, i);
		break;
	case 8:
		announce(w, p, n);
		break;
	case 9:
		nif_frame(w->net, p, n);
		break;
	case 10:
		identify(w, which);
		break;
	case 11:
		link_data(w, p, n);
		break;
	default:
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct world w;
	struct rd in = rd_make(p, n);
	const uint8_t *data;
	uint16_t len;
	uint8_t kind;

	world_new(&w);
	for (int i = 0; i < STEPS && rd_u8(&in, &kind) && rd_u16(&in, &len) &&
	    rd_ref(&in, &data, len); i++) {
		step(&w, kind, data, len);
		settle(&w);
		check(&w);
	}
	world_free(&w);
	return 0;
}
