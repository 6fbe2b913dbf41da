/* SPDX-License-Identifier: BSD-2-Clause */
/* Ratchets of the machine of letters; the core is played by the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "common/mpk.h"
#include "common/util.h"
#include "common/wire.h"
#include "transport/core/base/crypt.h"
#include "tests/unit/postkit.h"

#define KEYS 3

struct world {
	struct post *post;
	uint8_t priv[RNS_KEY], pub[RNS_KEY];
	/* what was commanded last */
	bool ratchets;
	uint8_t given[KEYS][RNS_RATCHET];
	size_t ngiven;
	uint64_t opens, asks;
	unsigned requests, got;
	/* what was to be kept */
	uint8_t kept[KEYS][RNS_RATCHET];
	size_t nkept;
};

static const struct hash16 node = {{7}};
static const struct mono now = {1000};

static int
do_submit(void *arg, const struct rns_cmd *cmd)
{
	struct world *w = arg;

	if (cmd->type == RNS_CMD_DEST_ADD) {
		w->ratchets = cmd->dest.ratchets;
		w->ngiven = cmd->dest.ratchet_count;
		assert_true(w->ngiven <= KEYS);
		if (w->ngiven > 0)
			memcpy(w->given, cmd->dest.ratchet_keys,
			    w->ngiven * RNS_RATCHET);
	} else if (cmd->type == RNS_CMD_LINK_OPEN) {
		w->opens = cmd->link_open.tag;
	} else if (cmd->type == RNS_CMD_REQUEST) {
		w->asks = cmd->request.tag;
		w->requests++;
	}
	return RNS_OK;
}

static bool
do_path(void *arg, const struct hash16 *dest)
{
	(void)arg;
	return hash16_eq(dest, &node);
}

static void
on_message(void *arg, const struct post_message *m)
{
	((struct world *)arg)->got++;
	assert_int_equal(m->by, POST_BY_NODE);
}

static void
on_ended(void *arg, uint64_t tag, enum post_end end, const char *why)
{
	(void)arg;
	fail_msg("%llu ends as %d: %s", (unsigned long long)tag, end, why);
}

static void
on_ratchets(void *arg, const uint8_t *keys, size_t n)
{
	struct world *w = arg;

	assert_true(n <= KEYS);
	memcpy(w->kept, keys, n * RNS_RATCHET);
	w->nkept = n;
}

static struct world *
world_new(bool ratchets, const uint8_t *keys, size_t n)
{
	struct world *w = calloc(1, sizeof(*w));
	struct post_io io = {w, do_submit, postkit_known, do_path,
	    postkit_random, on_message, on_ended, postkit_looked, on_ratchets};
	struct post_conf conf = {.tags = UINT64_C(1) << 59, .nodes = {node},
	    .nnodes = 1, .ratchets = ratchets, .keys = keys, .nkeys = n};
	struct hash16 hash;

	assert_non_null(w);
	memset(w->priv, 0x41, sizeof(w->priv));
	memcpy(conf.identity, w->priv, RNS_KEY);
	(void)rns_identity_derive(w->pub, &hash, w->priv);
	w->post = post_new(&conf, &io, now);
	assert_non_null(w->post);
	return w;
}

static void
world_free(struct world *w)
{
	post_free(w->post);
	free(w);
}

static void
answer(struct world *w, const uint8_t *bin, size_t n)
{
	struct rns_event ev = {.type = RNS_EV_RESPONSE};
	uint8_t out[1024];
	struct wr a = wr_make(out, sizeof(out));

	mpk_put_array(&a, 1);
	mpk_put_bin(&a, bin, n);
	ev.response.tag = w->asks;
	ev.response.data = out;
	ev.response.len = a.len;
	assert_true(post_event(w->post, &ev, now));
}

/* A message to itself, sealed for that ratchet, is fetched and read. */
static bool
fetches(struct world *w, const uint8_t key[RNS_RATCHET])
{
	uint8_t packed[512], sealed[1024], pub[RNS_RATCHET];
	uint8_t random[LXMF_SEAL_RANDOM] = {1};
	struct lxmf m = {.time = 2, .content = {(const uint8_t *)"hi", 2}};
	struct rns_event ev = {.type = RNS_EV_LINK_UP};
	size_t n, len;
	struct id32 id;

	(void)crypto_scalarmult_base(pub, key);
	lxmf_address(&m.source, w->pub);
	m.dest = m.source;
	assert_int_equal(lxmf_pack(packed, &n, sizeof(packed), NULL, &m, NULL,
	    w->priv), RNS_OK);
	assert_int_equal(lxmf_seal(sealed, &len, sizeof(sealed), &id, packed, n,
	    w->pub, pub, random), RNS_OK);
	w->got = w->requests = 0;
	assert_int_equal(post_look(w->post, now), RNS_OK);
	post_tick(w->post, now);
	ev.link.tag = w->opens;
	ev.link.mdu = 431;
	assert_true(post_event(w->post, &ev, now));
	answer(w, id.b, sizeof(id));
	answer(w, sealed, len);
	assert_int_equal(w->requests, w->got > 0 ? 2 : 3);
	post_cancel(w->post, 0);
	ev.type = RNS_EV_LINK_CLOSED;
	(void)post_event(w->post, &ev, now);
	return w->got > 0;
}

/* Those that the core makes are to be kept, and open what was sealed for them. */
static void
made(void **state)
{
	static const uint8_t keys[2][RNS_RATCHET] = {{8, 1}, {16, 2}};
	struct world *w = world_new(true, NULL, 0);
	struct rns_event ev = {.type = RNS_EV_RATCHETS};

	(void)state;
	assert_true(w->ratchets && w->ngiven == 0);
	assert_false(fetches(w, keys[0]));
	world_free(w);

	w = world_new(true, NULL, 0);
	ev.ratchets.dest = *post_address(w->post);
	ev.ratchets.keys = keys[0];
	ev.ratchets.count = 2;
	assert_true(post_event(w->post, &ev, now));
	assert_int_equal(w->nkept, 2);
	assert_memory_equal(w->kept, keys, sizeof(keys));
	assert_true(fetches(w, keys[1]));
	world_free(w);

	/* somebody else's */
	w = world_new(true, NULL, 0);
	ev.ratchets.dest = node;
	assert_false(post_event(w->post, &ev, now));
	assert_int_equal(w->nkept, 0);
	world_free(w);
}

/* After a restart: those that were kept. */
static void
kept(void **state)
{
	static const uint8_t keys[2][RNS_RATCHET] = {{8, 1}, {16, 2}};
	static const uint8_t other[RNS_RATCHET] = {24, 3};
	struct world *w = world_new(true, keys[0], 2);

	(void)state;
	assert_int_equal(w->ngiven, 2);
	assert_memory_equal(w->given, keys, sizeof(keys));
	assert_true(fetches(w, keys[0]));
	world_free(w);
	w = world_new(true, keys[0], 2);
	assert_false(fetches(w, other));
	world_free(w);
	/* who announces none has none */
	w = world_new(false, keys[0], 2);
	assert_true(!w->ratchets && w->ngiven == 0);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(made),
	    cmocka_unit_test(kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
