/* SPDX-License-Identifier: BSD-2-Clause */
/* words: transport/engine/rpc_request.c */
/*
 * What programs and people ask of a relay that is at work: the input is a
 * script of requests and of what comes in meanwhile. Each step is a kind, a
 * length (two bytes) and that many bytes:
 *
 *   0  a request of the RPC socket, packed or pickled
 *   1  remote management: status
 *   2  remote management: paths
 *   3  mesh.sock: explain, of that text
 *   4  a packet, of which interface
 *   5  time: milliseconds, four bytes
 *   6  a path from storage: the destination, who is next, hops and interface
 *
 * An answer is one whole value in the form of its request, and nothing that is
 * asked makes a table greater than it may be.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/mpk.h"
#include "common/wire.h"
#include "transport/engine/control.h"
#include "transport/engine/engine.h"
#include "transport/engine/holes.h"
#include "transport/engine/nif.h"
#include "transport/engine/path_rows.h"
#include "transport/engine/remote.h"
#include "transport/engine/rpc_calls.h"
#include "transport/engine/rpc_pickle.h"
#include "transport/engine/view_explain.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
extern unsigned fuzz_taken;
unsigned fuzz_taken; /* requests that were answered */

#define STEPS 64
#define IFACES 3
#define WALL_US (1700000000 * MONO_SECOND)

static const struct nif_kind kind = {
	.name = "TCPClientInterface", .carries = true};

static void
numbers(void *arg, uint8_t *out, size_t n)
{
	uint32_t *state = arg;

	for (size_t i = 0; i < n; i++) {
		*state = *state * 1664525u + 1013904223u;
		out[i] = (uint8_t)(*state >> 24);
	}
}

static void
engine_open(struct engine *e, uint32_t *seed)
{
	static const char text[] = "[reticulum]\nenable_transport = yes\n";
	struct rns_config cfg = {.random = numbers, .random_arg = seed,
	    .transport = true, .wall_us = WALL_US, .identity = {1},
	    .limits = {8, 8, 16, 16, 4, 4, 8, 16, 64, 8, 64, 64, 1 << 18,
		1 << 18}};
	struct mistakes m = {0};
	struct nif *n;

	memset(e, 0, sizeof(*e));
	TAILQ_INIT(&e->ifs);
	TAILQ_INIT(&e->dirty);
	e->now.us = MONO_SECOND;
	if ((e->loop = ev_loop_new(EVFLAG_NOENV)) == NULL ||
	    rnsconf_parse(&e->conf, text, strlen(text), &m) != 0 ||
	    (e->rns = rns_new(&cfg, e->now)) == NULL ||
	    (e->holes = holes_new(e)) == NULL)
		abort();
	e->identity_hash = *hash16_at(rns_identity_hash(e->rns));
	for (unsigned i = 0; i < IFACES; i++) {
		if ((n = nif_new(e, &kind, NULL, NULL)) == NULL)
			abort();
		(void)snprintf(n->name, sizeof(n->name), "TCPInterface[%u]", i);
		n->cfg.kind = RNS_IF_NET;
		n->cfg.mode = RNS_MODE_FULL;
		n->cfg.bitrate = 1000000;
		n->cfg.out = n->online = true;
		if (nif_attach(n) != 0)
			abort();
	}
}

static void
engine_close(struct engine *e)
{
	struct nif *n;

	while ((n = TAILQ_LAST(&e->ifs, nif_list)) != NULL)
		nif_free(n);
	holes_free(e->holes);
	rns_free(e->rns);
	rnsconf_free(e->conf);
	ev_loop_destroy(e->loop);
}

static void
packed(uint8_t *answer, size_t len)
{
	struct rd r;

	if (answer == NULL)
		return;
	r = rd_make(answer, len);
	if (!mpk_skip(&r) || !rd_end(&r))
		abort();
	fuzz_taken++;
	free(answer);
}

static void
rpc(struct engine *e, const uint8_t *p, size_t n)
{
	size_t len = 0;
	uint8_t *answer = rpc_call(e, p, n, &len);

	if (answer != NULL && pickle_is(p, n)) {
		if (!pickle_is(answer, len))
			abort();
		free(answer);
	} else {
		packed(answer, len);
	}
}

static void
explain(struct engine *e, const uint8_t *p, size_t n)
{
	json_t *q = json_pack("{s:s%}", "id", (const char *)p, n), *o;
	struct view v = {.e = e};
	bool end = false;
	char *text;

	if (q == NULL)
		return; /* no UTF-8 */
	if (explain_open(&v, q)) {
		o = explain_next(&v, &end);
		if (o == NULL || !end)
			abort();
		text = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);
		if (text == NULL || strlen(text) >= CONTROL_LINE_MAX)
			abort();
		free(text);
		json_decref(o);
	}
	json_decref(q);
}

static void
remembers(struct engine *e, const uint8_t *p, size_t n)
{
	struct rns_cmd c = {.type = RNS_CMD_PATH_ADD};

	if (n < 4)
		return;
	memset(c.path.dest.b, p[0], RNS_HASH);
	memset(c.path.next_hop.b, p[1], RNS_HASH);
	c.path.hops = p[2];
	c.path.ifid = 1 + p[3] % IFACES;
	c.path.learned_us = WALL_US;
	c.path.expires_us = WALL_US + 1000 * MONO_SECOND;
	(void)rns_submit(e->rns, &c, e->now);
}

static void
comes(struct engine *e, const uint8_t *p, size_t n)
{
	uint8_t *copy;

	if (n < 1 || (copy = malloc(n)) == NULL)
		return;
	memcpy(copy, p + 1, n - 1);
	(void)rns_recv(e->rns, 1 + p[0] % IFACES, copy, n - 1, e->now);
	free(copy);
}

static void
step(struct engine *e, uint8_t what, const uint8_t *p, size_t n)
{
	uint8_t *answer;
	size_t len = 0;

	switch (what % 7) {
	case 0:
		rpc(e, p, n);
		break;
	case 1:
		answer = remote_status(e, p, n, &len);
		packed(answer, len);
		break;
	case 2:
		answer = remote_path(e, p, n, &len);
		packed(answer, len);
		break;
	case 3:
		explain(e, p, n);
		break;
	case 4:
		comes(e, p, n);
		break;
	case 5:
		if (n >= 4)
			e->now = mono_add(e->now, 1000 * (int64_t)get_u32(p));
		rns_tick(e->rns, e->now);
		break;
	default:
		remembers(e, p, n);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct rd in = rd_make(p, n);
	static struct engine e;
	struct rns_counts c;
	struct rns_event ev;
	struct rns_tx tx;
	const uint8_t *data;
	uint32_t seed = 1;
	uint16_t len;
	uint8_t what;

	engine_open(&e, &seed);
	for (int i = 0; i < STEPS && rd_u8(&in, &what) && rd_u16(&in, &len) &&
	    rd_ref(&in, &data, len); i++) {
		step(&e, what, data, len);
		while (rns_next_tx(e.rns, &tx) || rns_next_event(e.rns, &ev))
			continue;
		rns_counts(e.rns, &c);
		if (c.paths > 32 || c.known > 16 || c.interfaces > 8)
			abort();
	}
	engine_close(&e);
	return 0;
}
