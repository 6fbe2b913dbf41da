/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/core/base/dedup.h"
#include "transport/core/base/const.h"
#include "transport/core/base/event.h"
#include "transport/core/base/timer.h"
#include "transport/core/send/txq.h"
#include "transport/core/send/waiting.h"
#include "transport/core/table/iface.h"
#include "transport/core/table/reverse.h"
#include "tests/unit/relay_node.h"

/* The small parts: deadlines, sets, queues, hops of proofs. */

static const uint8_t priv[RNS_KEY] = {1, 2, 3};

/* ---- timer.c ---- */

struct alarm {
	struct timer t;
	char name;
	int again;
};

static char fired[16];
static size_t fired_count;

static void
ring(struct rns *r, void *arg)
{
	struct alarm *a = arg;

	fired[fired_count++] = a->name;
	if (a->again-- > 0)
		timer_set(r, &a->t, r->now);
}

static void
timers_fire_in_order(void **state)
{
	struct alarm a = {.name = 'a'}, b = {.name = 'b'}, c = {.name = 'c'};
	struct node n;

	(void)state;
	node_open(&n, false, false, priv);
	fired_count = 0;
	timer_init(&a.t, ring, &a);
	timer_init(&b.t, ring, &b);
	timer_init(&c.t, ring, &c);
	timer_set(n.r, &a.t, (struct mono){30});
	timer_set(n.r, &b.t, (struct mono){10});
	timer_set(n.r, &c.t, (struct mono){10});
	assert_int_equal(rns_deadline(n.r).us, 10);
	rns_tick(n.r, (struct mono){9});
	assert_int_equal(fired_count, 0);
	rns_tick(n.r, (struct mono){10});
	assert_memory_equal(fired, "bc", 2);
	timer_set(n.r, &a.t, (struct mono){20}); /* moves */
	assert_int_equal(rns_deadline(n.r).us, 20);
	timer_clear(n.r, &a.t);
	timer_clear(n.r, &a.t);
	assert_true(rns_deadline(n.r).us > 1000); /* others' */
	timer_set(n.r, &a.t, MONO_NEVER);
	assert_false(a.t.armed);
	node_close(&n);
}

static void
timers_never_spin(void **state)
{
	struct alarm a = {.name = 'a', .again = 3}, b = {.name = 'b'};
	struct node n;

	(void)state;
	node_open(&n, false, false, priv);
	fired_count = 0;
	timer_init(&a.t, ring, &a);
	timer_init(&b.t, ring, &b);
	timer_set(n.r, &a.t, (struct mono){5});
	timer_set(n.r, &b.t, (struct mono){6});
	rns_tick(n.r, (struct mono){7});
	assert_memory_equal(fired, "ab", 2);
	assert_int_equal(fired_count, 2);
	/* An older time is the newest seen. */
	rns_tick(n.r, (struct mono){1});
	assert_int_equal(fired_count, 3);
	rns_tick(n.r, (struct mono){8});
	rns_tick(n.r, (struct mono){8});
	assert_int_equal(fired_count, 5);
	node_close(&n);
}

/* ---- dedup.c ---- */

static void
key_make(uint8_t key[HASHSET_KEY], uint32_t n)
{
	rns_sha256(id32_into(key), &n, sizeof(n));
}

static void
sets_have_two_generations(void **state)
{
	struct hashset s;
	uint8_t key[HASHSET_KEY];
	struct node n;

	(void)state;
	node_open(&n, false, false, priv);
	hashset_init(n.r, &s, 1000);
	for (uint32_t i = 0; i < 5000; i++) {
		key_make(key, i);
		assert_false(hashset_has(&s, key));
		assert_int_equal(hashset_add(&s, key), RNS_OK);
		assert_int_equal(hashset_add(&s, key), RNS_EEXIST);
		assert_true(hashset_has(&s, key));
		assert_true(s.cur.count <= 1001);
		/* What came less than a generation ago is there. */
		key_make(key, i >= 1000 ? i - 1000 : 0);
		assert_true(hashset_has(&s, key));
	}
	key_make(key, 5000 - 2 * 1001 - 1);
	assert_false(hashset_has(&s, key));
	hashset_clear(&s);
	assert_false(hashset_has(&s, key));
	node_close(&n);
}

/* Against a plain array of the same content. */
static void
sets_delete(void **state)
{
	enum { KEYS = 3000 };
	static bool in[KEYS];
	struct hashset s;
	uint8_t key[HASHSET_KEY];
	struct node n;

	(void)state;
	node_open(&n, false, false, priv);
	hashset_init(n.r, &s, KEYS + 1);
	memset(in, 0, sizeof(in));
	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t k = (i * 7919 + i / 3) % KEYS;

		key_make(key, k);
		if (i % 3 == 2) {
			hashset_del(&s, key);
			in[k] = false;
		} else {
			(void)hashset_add(&s, key);
			in[k] = true;
		}
	}
	for (uint32_t k = 0; k < KEYS; k++) {
		key_make(key, k);
		assert_int_equal(hashset_has(&s, key), in[k]);
	}
	hashset_clear(&s);
	node_close(&n);
}

/*
 * Through every size, past that where the upper bits of a key are no longer
 * kept: each is found, no other is, and each can be read again.
 */
static void
sets_of_many(void **state)
{
	enum { KEYS = 170000, LOOK = 997 };
	uint8_t key[HASHSET_KEY], *all;
	struct hashset s, again;
	struct node n;
	size_t got;

	(void)state;
	node_open(&n, false, false, priv);
	hashset_init(n.r, &s, KEYS);
	hashset_init(n.r, &again, KEYS);
	for (uint32_t i = 0; i < KEYS; i++) {
		key_make(key, i);
		assert_int_equal(hashset_add(&s, key), RNS_OK);
		if (i % LOOK != 0)
			continue;
		for (uint32_t k = 0; k <= i; k += LOOK) {
			key_make(key, k);
			assert_true(hashset_has(&s, key));
		}
		key_make(key, KEYS + i);
		assert_false(hashset_has(&s, key));
	}
	assert_int_equal(s.cur.count, KEYS);
	assert_null(s.cur.high);
	/* little more than 64 bytes for eleven */
	assert_true(s.cur.n <= KEYS / 11 + 1);
	all = malloc((size_t)KEYS * HASHSET_KEY);
	assert_non_null(all);
	got = hashset_keys(&s, all, KEYS);
	assert_int_equal(got, KEYS);
	for (size_t k = 0; k < got; k++)
		assert_int_equal(hashset_add(&again, all + k * HASHSET_KEY),
		    RNS_OK);
	for (uint32_t i = 0; i < KEYS; i++) {
		key_make(key, i);
		assert_true(hashset_has(&s, key));
		assert_true(hashset_has(&again, key));
		if (i % 2 == 0)
			hashset_del(&s, key);
	}
	for (uint32_t i = 0; i < KEYS; i++) {
		key_make(key, i);
		assert_int_equal(hashset_has(&s, key), i % 2);
	}
	free(all);
	hashset_clear(&s);
	hashset_clear(&again);
	node_close(&n);
}

static void
hashes_from_storage(void **state)
{
	uint8_t keys[3 * HASHSET_KEY], out[4 * HASHSET_KEY];
	struct rns_cmd c = {.type = RNS_CMD_HASHES_ADD,
	    .bytes = {keys, sizeof(keys)}};
	struct node n;

	(void)state;
	node_open(&n, true, false, priv);
	assert_int_equal(rns_hashes(n.r, out, 4), 0);
	for (uint32_t i = 0; i < 3; i++)
		key_make(keys + i * HASHSET_KEY, i);
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	assert_int_equal(rns_hashes(n.r, out, 4), 3);
	assert_int_equal(rns_hashes(n.r, out, 2), 2);
	assert_int_equal(rns_hashes(n.r, out, 4), 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_true(dedup_has(n.r, id32_at(keys + i * HASHSET_KEY)));
	/* what was written is taken again, by another node */
	node_close(&n);
	node_open(&n, true, false, priv);
	c.bytes.data = out;
	assert_int_equal(rns_hashes(n.r, NULL, 0), 0);
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	for (uint32_t i = 0; i < 3; i++)
		assert_true(dedup_has(n.r, id32_at(keys + i * HASHSET_KEY)));
	c.bytes.len = 33;
	assert_int_equal(node_submit(&n, &c), RNS_EINVAL);
	node_close(&n);
}

/* ---- reverse.c ---- */

/* Against a plain array of the same content, through growth and holes. */
static void
ways_back(void **state)
{
	enum { WAYS = 3000 };
	static uint8_t side[WAYS];
	uint8_t key[HASHSET_KEY];
	struct iface *i, *out;
	size_t there = 0;
	struct node n;

	(void)state;
	node_open(&n, true, false, priv);
	node_if(&n, 1, RNS_IF_NET, RNS_MODE_FULL, 0, false);
	node_if(&n, 2, RNS_IF_NET, RNS_MODE_FULL, 0, false);
	memset(side, 0, sizeof(side));
	for (uint32_t k = 0; k < 40000; k++) {
		uint32_t w = (k * 7919 + k / 3) % WAYS, to = 1 + k % 2;

		key_make(key, w);
		if (k % 5 < 3) {
			reverse_add(n.r, hash16_at(key), iface_find(n.r, to),
			    iface_find(n.r, 3 - to));
			side[w] = (uint8_t)to;
			continue;
		}
		assert_int_equal(reverse_take(n.r, hash16_at(key), &i, &out),
		    side[w] != 0);
		if (side[w] != 0) {
			assert_int_equal(i->cfg.id, side[w]);
			assert_int_equal(out->cfg.id, 3 - side[w]);
		}
		side[w] = 0;
	}
	for (uint32_t w = 0; w < WAYS; w++) {
		key_make(key, w);
		i = iface_find(n.r, side[w]);
		assert_ptr_equal(reverse_in(n.r, hash16_at(key)), i);
		there += i != NULL;
	}
	assert_true(there > WAYS / 4);
	assert_int_equal(n.r->counts.reverse, there);
	node_run(&n, 481 * NODE_SECOND);
	assert_int_equal(n.r->counts.reverse, 0);
	node_close(&n);
}

/* ---- txq.c ---- */

static void
queue_keeps_order_and_sizes(void **state)
{
	static uint8_t big[200000];
	struct iface *i;
	struct rns_tx tx;
	struct node n;

	(void)state;
	node_open(&n, false, false, priv);
	node_if(&n, 3, RNS_IF_NET, RNS_MODE_FULL, 262144, true);
	i = iface_find(n.r, 3);
	for (int round = 0; round < 3; round++) {
		for (size_t k = 1; k <= 1000; k++) {
			memset(big, (int)k, k * 3);
			assert_int_equal(core_tx(n.r, i, big, k * 3), 0);
		}
		memset(big, 9, sizeof(big));
		assert_int_equal(core_tx(n.r, i, big, sizeof(big)), 0);
		for (size_t k = 1; k <= 1000; k++) {
			assert_true(rns_next_tx(n.r, &tx));
			assert_int_equal(tx.ifid, 3);
			assert_int_equal(tx.len, k * 3);
			assert_int_equal(tx.data[0], (uint8_t)k);
			assert_int_equal(tx.data[tx.len - 1], (uint8_t)k);
		}
		assert_true(rns_next_tx(n.r, &tx));
		assert_int_equal(tx.len, sizeof(big));
		assert_false(rns_next_tx(n.r, &tx));
	}
	node_close(&n);
}

static void
queue_is_bounded(void **state)
{
	struct rns_counts before, after;
	uint8_t packet[100] = {0};
	struct iface *i;
	struct node n;
	uint32_t k;

	(void)state;
	node_open(&n, false, false, priv);
	node_if(&n, 0, RNS_IF_NET, RNS_MODE_FULL, 500, false);
	i = iface_find(n.r, 0);
	rns_counts(n.r, &before);
	for (k = 0; core_tx(n.r, i, packet, sizeof(packet)) == RNS_OK; k++)
		assert_true(k < 100000);
	assert_int_equal(k, 65536);
	assert_int_equal(rns_drops(n.r, RNS_DROP_TX_FULL), 1);
	rns_counts(n.r, &after);
	assert_int_equal(after.tx_packets - before.tx_packets, k);
	node_close(&n);
}

static void
queue_adds_access_codes(void **state)
{
	struct rns_cmd c = {.type = RNS_CMD_IF_ADD,
	    .iface = {.id = 1, .mode = RNS_MODE_FULL, .out = true,
	        .online = true, .ifac_size = 16}};
	uint8_t packet[60], plain[100];
	struct iface *i;
	struct rns_tx tx;
	struct node n;
	size_t len;

	(void)state;
	node_open(&n, false, false, priv);
	assert_int_equal(rns_ifac_key(c.iface.ifac_key, "n", NULL), 0);
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	i = iface_find(n.r, 1);
	memset(packet, 0x21, sizeof(packet));
	for (int k = 0; k < 50; k++)
		assert_int_equal(core_tx(n.r, i, packet, sizeof(packet)), 0);
	for (int k = 0; k < 50; k++) {
		assert_true(rns_next_tx(n.r, &tx));
		assert_int_equal(tx.len, sizeof(packet) + 16);
		assert_int_equal(ifac_unmask(&i->ifac, plain, &len,
		    sizeof(plain), tx.data, tx.len), RNS_OK);
		assert_int_equal(len, sizeof(packet));
		assert_memory_equal(plain, packet, len);
	}
	node_close(&n);
}

/* ---- iface.c ---- */

static void
interfaces_come_and_go(void **state)
{
	struct rns_cmd c = {.type = RNS_CMD_IF_ADD,
	    .iface = {.id = 7, .mode = RNS_MODE_FULL, .out = true}};
	static const struct {
		unsigned id;
		uint64_t bitrate;
	} add[] = {{1, 10}, {2, 1000}, {3, 10}, {4, 100}};
	static const unsigned order[] = {2, 4, 1, 3};
	static const unsigned after[] = {4, 2, 1, 3};
	struct iface *i;
	struct node n;
	size_t k = 0;

	(void)state;
	node_open(&n, false, false, priv);
	c.iface.mode = 0;
	assert_int_equal(node_submit(&n, &c), RNS_EINVAL);
	c.iface.mode = RNS_MODE_FULL;
	c.iface.kind = RNS_IF_SHARED; /* only of attached programs */
	assert_int_equal(node_submit(&n, &c), RNS_EINVAL);
	c.iface.kind = RNS_IF_NET;
	for (size_t j = 0; j < NELEM(add); j++) {
		c.iface.id = add[j].id;
		c.iface.bitrate = add[j].bitrate;
		assert_int_equal(node_submit(&n, &c), RNS_OK);
		assert_int_equal(node_submit(&n, &c), RNS_EEXIST);
	}
	TAILQ_FOREACH(i, &n.r->ifaces, entry)
		assert_int_equal(i->cfg.id, order[k++]);
	/* one of them is slower than it was taken for, and the order follows */
	c = (struct rns_cmd){.type = RNS_CMD_IF_BITRATE,
	    .rate = {.ifid = 2, .bitrate = 50}};
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	c.rate.bitrate = 0;
	assert_int_equal(node_submit(&n, &c), RNS_EINVAL);
	c.rate.ifid = 9;
	assert_int_equal(node_submit(&n, &c), RNS_ENOENT);
	k = 0;
	TAILQ_FOREACH(i, &n.r->ifaces, entry)
		assert_int_equal(i->cfg.id, after[k++]);
	assert_int_equal(core_tx(n.r, iface_find(n.r, 1), priv, 20),
	    RNS_ESTATE);
	c = (struct rns_cmd){.type = RNS_CMD_IF_ONLINE,
	    .online = {.ifid = 1, .online = true}};
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	assert_int_equal(core_tx(n.r, iface_find(n.r, 1), priv, 20), RNS_OK);
	c = (struct rns_cmd){.type = RNS_CMD_IF_DEL, .ifid = 1};
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	assert_int_equal(node_submit(&n, &c), RNS_ENOENT);
	assert_int_equal(rns_recv(n.r, 1, priv, 20, (struct mono){0}),
	    RNS_ENOENT);
	node_close(&n);
}

/* ---- event.c ---- */

static struct rns_event
packet_event(const uint8_t *p, size_t len)
{
	return (struct rns_event){.type = RNS_EV_PACKET,
	    .packet = {.data = p, .len = len}};
}

static void
events_own_their_bytes(void **state)
{
	uint8_t text[4] = "abc", *own = malloc(4);
	struct rns_event ev = packet_event(text, 3), got;
	struct node n;

	(void)state;
	node_open(&n, false, false, priv);
	assert_non_null(own);
	memcpy(own, "xyz", 4);
	assert_int_equal(event_push(n.r, &ev), RNS_OK);
	ev = packet_event(own, 3);
	assert_int_equal(event_push_own(n.r, &ev, own), RNS_OK);
	ev = (struct rns_event){.type = RNS_EV_ANNOUNCE,
	    .announce = {.app_data = text, .app_data_len = 0, .raw = text,
	        .raw_len = 3}};
	assert_int_equal(event_push(n.r, &ev), RNS_OK);
	memset(text, 0, sizeof(text));
	assert_true(rns_next_event(n.r, &got));
	assert_memory_equal(got.packet.data, "abc", 3);
	assert_true(rns_next_event(n.r, &got));
	assert_ptr_equal(got.packet.data, own);
	assert_true(rns_next_event(n.r, &got));
	assert_non_null(got.announce.app_data); /* empty is not nil */
	assert_null(got.announce.ratchet);
	assert_memory_equal(got.announce.raw, "abc", 3);
	assert_false(rns_next_event(n.r, &got));
	node_close(&n);
}

static void
events_are_bounded(void **state)
{
	static uint8_t bytes[100000];
	struct rns_event ev = packet_event(bytes, sizeof(bytes)), got;
	struct node n;
	size_t k = 0;

	(void)state;
	node_open(&n, false, false, priv);
	n.r->cfg.limits.event_bytes = 1000000;
	while (event_push(n.r, &ev) == RNS_OK)
		k++;
	assert_int_equal(k, 9);
	assert_int_equal(rns_drops(n.r, RNS_DROP_LIMIT), 1);
	while (rns_next_event(n.r, &got))
		k--;
	assert_int_equal(k, 0);
	assert_int_equal(event_push(n.r, &ev), RNS_OK);
	assert_true(rns_next_event(n.r, &got));
	n.r->cfg.limits.events = 2;
	ev.packet.len = 1;
	assert_int_equal(event_push(n.r, &ev), RNS_OK);
	assert_int_equal(event_push(n.r, &ev), RNS_OK);
	assert_int_equal(event_push(n.r, &ev), RNS_ELIMIT);
	node_close(&n);
}

/* ---- announceq.c ---- */

static uint32_t
announces_waiting(struct node *n, unsigned ifid)
{
	struct rns_if_stats s;

	assert_int_equal(rns_if_stats(n->r, ifid, &s), RNS_OK);
	return s.announce_queue;
}

/* What waits for its share of the bitrate is forgotten; later ones are not. */
static void
announces_are_dropped(void **state)
{
	static const uint8_t relay[RNS_HASH] = {9};
	struct rns_cmd c = {.type = RNS_CMD_IF_ADD,
	    .iface = {.id = 1, .mode = RNS_MODE_FULL, .out = true,
	        .online = true, .bitrate = 1000,
	        .announce_cap_permille = 20}};
	struct rns_cmd drop = {.type = RNS_CMD_ANNOUNCES_DROP};
	uint8_t raw[RNS_MTU];
	struct stranger s;
	struct node n;

	(void)state;
	node_open(&n, true, false, priv);
	node_if(&n, 0, RNS_IF_NET, RNS_MODE_FULL, 500, false);
	iface_find(n.r, 0)->cfg.ingress.control = false;
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	for (uint8_t i = 1; i <= 40; i++) {
		if (i == 21) {
			node_run(&n, 2 * NODE_SECOND);
			assert_true(announces_waiting(&n, 1) > 0);
			assert_int_equal(node_submit(&n, &drop), RNS_OK);
			assert_int_equal(announces_waiting(&n, 1), 0);
		}
		stranger_make(&s, i);
		node_in(&n, 0, raw, stranger_announce(&s, raw, 1700000000, 3,
		    relay, false));
	}
	node_run(&n, 2 * NODE_SECOND);
	assert_true(announces_waiting(&n, 1) > 0);
	node_close(&n);
}

/* ---- waiting.c ---- */

#define WAIT_N 200

static size_t
left_for(const struct node *n, const struct hash16 *dest, int64_t at)
{
	size_t found = 0;

	for (size_t k = 0; k < n->out_count; k++)
		found += n->out[k].ifid == 1 && n->out[k].at == at &&
		    memcmp(n->out[k].data + 2 + RNS_HASH,
		    HASH_BYTES(*dest)) == 0;
	return found;
}

/* Each leaves at its time, unless its path goes before; then nothing waits. */
static void
announces_leave_at_their_time(void **state)
{
	static const uint8_t relay[RNS_HASH] = {9};
	static struct hash16 dest[WAIT_N];
	static int64_t at[WAIT_N];
	struct rns_cmd drop = {.type = RNS_CMD_PATH_DROP};
	uint8_t raw[RNS_MTU];
	struct stranger s;
	struct node n;

	(void)state;
	node_open(&n, true, false, priv);
	node_if(&n, 0, RNS_IF_NET, RNS_MODE_FULL, 500, false);
	node_if(&n, 1, RNS_IF_NET, RNS_MODE_FULL, 500, false);
	iface_find(n.r, 0)->cfg.ingress.control = false;
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < WAIT_N; i++) {
			stranger_number(&s, i);
			dest[i] = s.dest;
			node_in(&n, 0, raw, stranger_announce(&s, raw,
			    1700000000 + round, (uint8_t)(i % 5), relay,
			    false));
		}
		assert_int_equal(n.r->counts.announces_waiting, WAIT_N);
		for (unsigned i = 0; i < WAIT_N; i++) {
			assert_int_equal(waiting_show(n.r, &dest[i], &at[i]),
			    1);
			at[i] -= n.r->wall_offset;
			drop.hash = dest[i];
			if (i % 3 == 0)
				assert_int_equal(node_submit(&n, &drop), 0);
		}
		assert_int_equal(n.r->counts.announces_waiting,
		    WAIT_N - (WAIT_N + 2) / 3);
		node_clear(&n);
		node_run(&n, NODE_SECOND);
		for (unsigned i = 0; i < WAIT_N; i++)
			assert_int_equal(left_for(&n, &dest[i], at[i]),
			    i % 3 != 0);
		for (size_t k = 1; k < n.out_count; k++)
			assert_true(n.out[k].at > n.out[k - 1].at ||
			    n.out[k].data[1] >= n.out[k - 1].data[1]);
		node_clear(&n);
		node_run(&n, 20 * NODE_SECOND);
		assert_int_equal(n.r->counts.announces_waiting, 0);
	}
	node_close(&n);
}

/* ---- the hops of a link's proof (reticulum-transport.md 3.9) ---- */

/* Heard on 1 (and by then on 2, too), a link asked for on 0, proved on 1. */
static void
proof_tells(uint8_t heard_hops, const uint8_t *by, bool moved,
    uint8_t proof_hops, uint8_t want)
{
	uint8_t raw[RNS_MTU], proof[RNS_MTU], keys[LINK_KEYS_LEN] = {9};
	struct rns_path path;
	struct stranger s;
	struct node n;
	size_t len;

	stranger_make(&s, 1);
	node_open(&n, true, false, priv);
	for (unsigned i = 0; i < 3; i++)
		node_if(&n, i, RNS_IF_NET, RNS_MODE_FULL, 500, false);
	len = stranger_announce(&s, raw, 1000, heard_hops, by, false);
	node_in(&n, 1, raw, len);
	len = stranger_packet(&s, &n, raw, PACKET_LINKREQUEST, keys,
	    sizeof(keys));
	node_in(&n, 0, raw, len);
	len = stranger_proves(&s, raw, len, proof, proof_hops);
	if (moved)
		node_in(&n, 2, raw, stranger_announce(&s, raw, 1001,
		    heard_hops, by, false));
	node_in(&n, 1, proof, len);
	assert_true(rns_path_get(n.r, &s.dest, &path));
	assert_int_equal(path.ifid, moved ? 2 : 1);
	assert_int_equal(path.hops, want);
	node_close(&n);
}

static void
proofs_rebalance(void **state)
{
	static const uint8_t x[RNS_HASH] = {7};

	(void)state;
	proof_tells(2, x, false, 4, 5);
	/* not a path that leads elsewhere by now */
	proof_tells(2, x, true, 4, 3);
	/* nor is a neighbour further away, or who is further away one */
	proof_tells(0, NULL, false, 29, 1);
	proof_tells(2, x, false, 0, 3);
}

/* ---- what an interface was good for ---- */

static struct rns_if_use
use_of(const struct node *n, unsigned ifid)
{
	struct rns_if_use u;

	assert_int_equal(rns_if_use(n->r, ifid, &u), RNS_OK);
	return u;
}

static void
interfaces_are_of_use(void **state)
{
	uint8_t raw[RNS_MTU], proof[RNS_MTU], keys[LINK_KEYS_LEN] = {9};
	struct rns_if_use u;
	struct stranger s;
	struct node n;
	size_t len;

	(void)state;
	stranger_make(&s, 1);
	node_open(&n, true, false, priv);
	for (unsigned i = 0; i < 4; i++)
		node_if(&n, i, RNS_IF_NET, RNS_MODE_FULL, 500, false);
	assert_int_equal(rns_if_use(n.r, 4, &u), RNS_ENOENT);
	/* nobody knows where to: a packet, and no use */
	len = stranger_packet(&s, &n, raw, PACKET_DATA, keys, 40);
	node_in(&n, 0, raw, len);
	assert_true(use_of(&n, 0).heard && use_of(&n, 0).useful.us < 0);
	/* an announce with a wrong signature is none, one that is right is */
	len = stranger_announce(&s, raw, 1000, 0, NULL, false);
	raw[len - 1] ^= 1;
	node_in(&n, 2, raw, len);
	assert_true(use_of(&n, 2).heard && use_of(&n, 2).useful.us < 0);
	len = stranger_announce(&s, raw, 1000, 0, NULL, false);
	node_in(&n, 1, raw, len);
	assert_int_equal(use_of(&n, 1).useful.us, n.now);
	/* who gets what is passed on to everybody was not of use by that */
	node_run(&n, 20 * NODE_SECOND);
	assert_true(use_of(&n, 0).useful.us < 0);
	/* a packet is, to both ends */
	keys[1] = 1;
	len = stranger_packet(&s, &n, raw, PACKET_DATA, keys, 40);
	node_in(&n, 0, raw, len);
	assert_int_equal(use_of(&n, 0).useful.us, n.now);
	assert_int_equal(use_of(&n, 1).useful.us, n.now);
	/* a link, once it is proved */
	node_run(&n, NODE_SECOND);
	len = stranger_packet(&s, &n, raw, PACKET_LINKREQUEST, keys,
	    sizeof(keys));
	node_in(&n, 3, raw, len);
	assert_int_equal(use_of(&n, 3).useful.us, n.now);
	assert_true(use_of(&n, 3).linked.us < 0);
	len = stranger_proves(&s, raw, len, proof, 0);
	proof[len - 1] ^= 1;
	node_in(&n, 1, proof, len);
	assert_true(use_of(&n, 1).linked.us < 0);
	proof[len - 1] ^= 1;
	node_in(&n, 1, proof, len);
	assert_int_equal(use_of(&n, 3).linked.us, n.now);
	assert_int_equal(use_of(&n, 1).linked.us, n.now);
	assert_true(use_of(&n, 0).linked.us < 0);
	node_close(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(timers_fire_in_order),
	    cmocka_unit_test(timers_never_spin),
	    cmocka_unit_test(sets_have_two_generations),
	    cmocka_unit_test(sets_delete),
	    cmocka_unit_test(sets_of_many),
	    cmocka_unit_test(hashes_from_storage),
	    cmocka_unit_test(ways_back),
	    cmocka_unit_test(queue_keeps_order_and_sizes),
	    cmocka_unit_test(queue_is_bounded),
	    cmocka_unit_test(queue_adds_access_codes),
	    cmocka_unit_test(interfaces_come_and_go),
	    cmocka_unit_test(events_own_their_bytes),
	    cmocka_unit_test(events_are_bounded),
	    cmocka_unit_test(announces_are_dropped),
	    cmocka_unit_test(announces_leave_at_their_time),
	    cmocka_unit_test(proofs_rebalance),
	    cmocka_unit_test(interfaces_are_of_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
