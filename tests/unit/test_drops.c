/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/drops.h"
#include "tests/unit/relay_node.h"
#include "transport/core/base/announce.h"
#include "transport/core/base/event.h"
#include "transport/core/base/packet.h"
#include "transport/core/route/pathreq.h"
#include "transport/core/table/iface.h"
#include "transport/core/table/ingress.h"

/*
 * Each reason of RNS_DROP_LIST is brought about: a new one without a trigger
 * fails here. The relay has three neighbours, one of which is a gateway, with
 * small tables.
 */
enum { ONE, TWO, GATE, CODED };

static const uint8_t priv[RNS_KEY] = {9, 8, 7};
static const struct hash16 other = {{0xaa}};
#define T0 1800000000u

void *__real_malloc(size_t);
void *__wrap_malloc(size_t);
static bool no_memory;

void *
__wrap_malloc(size_t n)
{
	return no_memory ? NULL : __real_malloc(n);
}

static struct node n;
static struct rns_limits small;

static void
open_relay(void)
{
	node_open_limits(&n, &small, priv);
	node_if(&n, ONE, RNS_IF_NET, RNS_MODE_FULL, 500, false);
	node_if(&n, TWO, RNS_IF_NET, RNS_MODE_FULL, 500, false);
	node_if(&n, GATE, RNS_IF_NET, RNS_MODE_GATEWAY, 500, false);
}

static struct iface *
iface(unsigned id)
{
	return iface_find(n.r, id);
}

/* ---- what comes in ---- */

static void
send_raw(unsigned ifid, const void *p, size_t len)
{
	node_in(&n, ifid, p, len);
}

/* A packet of that shape for nobody in particular. */
static void
shape(uint8_t flags, uint8_t hops, uint8_t context)
{
	uint8_t raw[40] = {flags, hops};

	raw[(flags & FLAG_HEADER_2) != 0 ? 34 : 18] = context;
	send_raw(ONE, raw, sizeof(raw));
}

static size_t
announce(uint8_t raw[RNS_MTU], unsigned who, uint64_t emitted, uint8_t hops)
{
	struct stranger s;

	stranger_number(&s, who);
	return stranger_announce(&s, raw, emitted, hops, other.b, false);
}

static void
heard(unsigned ifid, unsigned who, uint64_t emitted)
{
	uint8_t raw[RNS_MTU];
	size_t len = announce(raw, who, emitted, 0);

	send_raw(ifid, raw, len);
}

static void
heard_all(unsigned ifid, unsigned from, unsigned many)
{
	iface(ifid)->cfg.ingress.control = false;
	for (unsigned i = 0; i < many; i++)
		heard(ifid, from + i, T0);
}

static void
asked(unsigned ifid, unsigned who, const uint8_t *requestor, uint8_t tag)
{
	uint8_t raw[RNS_MTU];
	struct stranger s;
	size_t len;

	stranger_number(&s, who);
	len = path_request_make(raw, &s.dest, requestor, tag);
	send_raw(ifid, raw, len);
}

/* To the stranger of that number, by way of the relay. */
static size_t
forwarded(unsigned ifid, unsigned who, uint8_t type, uint8_t salt,
    uint8_t raw[RNS_MTU])
{
	uint8_t data[LINK_KEYS_LEN];
	struct stranger s;
	size_t len;

	memset(data, salt, sizeof(data));
	stranger_number(&s, who);
	len = stranger_packet(&s, &n, raw, type, data, sizeof(data));
	send_raw(ifid, raw, len);
	return len;
}

static void
t_short(void)
{
	send_raw(ONE, "ab", 2);
}

static void
t_long(void)
{
	uint8_t raw[501] = {0};

	send_raw(ONE, raw, sizeof(raw));
}

static void
coded(const void *raw, size_t len)
{
	struct rns_cmd c = {.type = RNS_CMD_IF_ADD,
	    .iface = {.id = CODED, .mode = RNS_MODE_FULL, .out = true,
	        .online = true, .ifac_size = 16}};

	assert_int_equal(rns_ifac_key(c.iface.ifac_key, "name", NULL), 0);
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	send_raw(CODED, raw, len);
}

static void
t_ifac_missing(void)
{
	coded("\0\0abcdefghijklmnopqrstuvw", 25);
}

static void
t_ifac_wrong(void)
{
	coded("\x80\0abcdefghijklmnopqrstuvw", 25);
}

static void
t_ifac_unexpected(void)
{
	shape(0x80, 0, 0);
}

static void
t_header(void)
{
	send_raw(ONE, "\0\0abc", 5);
}

static void
t_hops(void)
{
	shape(0, 128, 0);
}

static void
t_duplicate(void)
{
	shape(0, 0, 0);
	shape(0, 0, 0);
}

static void
t_not_for_us(void)
{
	shape(FLAG_HEADER_2 | FLAG_TRANSPORT, 0, 0);
}

static void
t_plain_hops(void)
{
	shape(DEST_PLAIN << 2, 2, 0);
}

static void
t_plain_announce(void)
{
	shape(DEST_PLAIN << 2 | PACKET_ANNOUNCE, 0, 0);
}

static void
t_no_dest(void)
{
	shape(0, 0, 0);
}

static void
t_no_path(void)
{
	uint8_t raw[RNS_MTU];

	(void)forwarded(ONE, 1, PACKET_DATA, 1, raw);
}

static void
t_proof(void)
{
	shape(PACKET_PROOF, 0, 0);
}

/* ---- relayed links ---- */

/* A link from ONE to the stranger 1 behind TWO; its id. */
static struct hash16
relayed(bool prove)
{
	uint8_t raw[RNS_MTU], proof[RNS_MTU];
	struct stranger s;
	struct packet p;
	struct hash16 id;
	size_t len;

	heard(TWO, 1, T0);
	stranger_number(&s, 1);
	len = forwarded(ONE, 1, PACKET_LINKREQUEST, 3, raw);
	assert_int_equal(packet_parse(&p, raw, len), RNS_OK);
	packet_link_id(&id, &p);
	if (prove) {
		len = stranger_proves(&s, raw, len, proof, 0);
		send_raw(TWO, proof, len);
	}
	return id;
}

static void
on_link(unsigned ifid, const struct hash16 *id, uint8_t hops)
{
	uint8_t raw[RNS_MTU];
	size_t len = packet_build(raw, sizeof(raw),
	    PACKET_FLAGS(DEST_LINK, PACKET_DATA), id, CTX_NONE,
	    (const uint8_t *)"data", 4);

	raw[1] = hops;
	send_raw(ifid, raw, len);
}

static void
t_link_if(void)
{
	struct hash16 id = relayed(true);

	on_link(GATE, &id, 0);
}

static void
t_link_hops(void)
{
	struct hash16 id = relayed(true);

	on_link(ONE, &id, 5);
}

static void
t_link_idle(void)
{
	(void)relayed(true);
	node_run(&n, INT64_C(1000) * NODE_SECOND);
}

static void
t_link_unproved(void)
{
	(void)relayed(false);
	node_run(&n, 60 * NODE_SECOND);
}

static void
t_links_full(void)
{
	uint8_t raw[RNS_MTU];

	heard(TWO, 1, T0);
	for (unsigned i = 0; i <= small.link_table; i++)
		(void)forwarded(ONE, 1, PACKET_LINKREQUEST, (uint8_t)i, raw);
}

/* ---- announces ---- */

static void
t_announce_long(void)
{
	uint8_t raw[RNS_MTU + 1] = {PACKET_ANNOUNCE};

	iface(ONE)->cfg.hw_mtu = 1000;
	send_raw(ONE, raw, sizeof(raw));
}

static void
t_announce_sig(void)
{
	uint8_t raw[RNS_MTU];
	size_t len = announce(raw, 1, T0, 0);

	raw[len - 1] ^= 1;
	send_raw(ONE, raw, len);
}

/* Signed by one, for the destination of another: only the hash is wrong. */
static void
t_announce_dest(void)
{
	struct stranger a, b;
	uint8_t raw[RNS_MTU];
	size_t len;

	stranger_number(&a, 1);
	stranger_number(&b, 2);
	a.dest = b.dest;
	len = stranger_announce(&a, raw, T0, 0, NULL, false);
	send_raw(ONE, raw, len);
}

static void
t_announce_old(void)
{
	heard(ONE, 1, T0);
	heard(ONE, 1, T0 - 1);
}

static void
t_announce_mode(void)
{
	iface(TWO)->cfg.mode = RNS_MODE_AP;
	heard(ONE, 1, T0);
	node_run(&n, NODE_SECOND);
}

static void
t_announce_far(void)
{
	uint8_t raw[RNS_MTU];
	size_t len = announce(raw, 1, T0, 127);

	send_raw(ONE, raw, len);
	node_run(&n, NODE_SECOND);
}

/* 485 bytes and more can be heard, and not be passed on. */
static void
t_announce_room(void)
{
	static const uint8_t app[400], random[5] = {1};
	uint8_t raw[RNS_MTU], name[RNS_NAME_HASH];
	struct identity id;
	struct stranger s;
	size_t len;

	stranger_number(&s, 1);
	rns_name_hash(name, "test.relay");
	assert_int_equal(identity_load(&id, s.priv), RNS_OK);
	len = announce_build(raw, &id, &s.dest, name, random, T0, NULL, app,
	    490 - HEADER_1_LEN - ANNOUNCE_BARE, false);
	assert_int_equal(len, 490);
	send_raw(ONE, raw, len);
	node_run(&n, NODE_SECOND);
}

static void
t_held(void)
{
	for (unsigned i = 0; i < 8; i++)
		heard(ONE, i, T0);
}

static void
t_hold_full(void)
{
	iface(ONE)->cfg.ingress.max_held = 2;
	t_held();
}

static void
t_rate(void)
{
	iface(ONE)->cfg.ar_target_s = 60;
	heard(ONE, 1, T0);
	heard(ONE, 1, T0 + 1);
}

static void
t_rate_full(void)
{
	iface(ONE)->cfg.ar_target_s = 60;
	heard_all(ONE, 0, small.paths + 1);
}

static void
t_announce_own(void)
{
	struct rns_cmd c = {.type = RNS_CMD_DEST_ADD,
	    .dest = {.type = RNS_SINGLE, .name = "test.relay",
	        .has_identity = true}};
	struct stranger s;

	stranger_number(&s, 1);
	memcpy(c.dest.identity, s.priv, RNS_KEY);
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	heard(ONE, 1, T0);
}

static void
t_blackhole(void)
{
	struct rns_cmd c = {.type = RNS_CMD_BLACKHOLE};
	struct stranger s;

	stranger_number(&s, 1);
	c.blackhole.identity = s.id;
	c.blackhole.on = true;
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	heard(ONE, 1, T0);
}

static void
t_waiting_full(void)
{
	heard_all(ONE, 0, small.paths);
	for (unsigned i = 0; i < small.paths; i++)
		asked(TWO, i, NULL, 1);
}

static void
slow(unsigned ifid)
{
	iface(ifid)->cfg.bitrate = 10;
	iface(ifid)->cfg.announce_cap_permille = 20;
}

static void
t_queue_full(void)
{
	slow(TWO);
	n.r->cfg.limits.paths = n.r->cfg.limits.known = 5000;
	heard_all(ONE, 0, 4100);
	node_run(&n, NODE_SECOND);
}

static void
t_queue_old(void)
{
	slow(TWO);
	heard_all(ONE, 0, 3);
	node_run(&n, INT64_C(10) * 3600 * NODE_SECOND);
}

static void
t_queue_gone(void)
{
	struct rns_cmd c = {.type = RNS_CMD_PATH_DROP};
	struct stranger s;

	heard(ONE, 1, T0);
	stranger_number(&s, 1);
	c.hash = s.dest;
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	node_run(&n, NODE_SECOND);
}

static void
t_if_gone(void)
{
	t_held();
	assert_int_equal(node_submit(&n, &(struct rns_cmd){
	    .type = RNS_CMD_IF_DEL, .ifid = ONE}), RNS_OK);
}

/* ---- path requests ---- */

static void
t_path_request(void)
{
	uint8_t raw[RNS_MTU];
	struct stranger s;
	size_t len;

	stranger_number(&s, 1);
	len = path_request_make(raw, &s.dest, NULL, 1);
	send_raw(ONE, raw, len - RNS_HASH);
}

static void
t_path_long(void)
{
	uint8_t raw[RNS_MTU];
	struct stranger s;
	size_t len;

	stranger_number(&s, 1);
	len = path_request_make(raw, &s.dest, other.b, 1);
	raw[len] = 1;
	send_raw(ONE, raw, len + 1);
}

static void
t_path_tag(void)
{
	asked(ONE, 1, NULL, 1);
	asked(ONE, 1, NULL, 1);
}

static void
t_path_nowhere(void)
{
	asked(ONE, 1, NULL, 1);
}

static void
t_path_bare(void)
{
	struct rns_cmd c = {.type = RNS_CMD_PATH_ADD};
	struct stranger s;

	stranger_number(&s, 1);
	c.path.dest = c.path.next_hop = s.dest;
	c.path.ifid = TWO;
	c.path.learned_us = NODE_WALL_US;
	c.path.expires_us = NODE_WALL_US + NODE_SECOND;
	assert_int_equal(node_submit(&n, &c), RNS_OK);
	asked(ONE, 1, NULL, 1);
}

static void
t_path_back(void)
{
	heard(TWO, 1, T0);
	asked(ONE, 1, other.b, 1);
}

static void
t_path_waits(void)
{
	asked(GATE, 1, NULL, 1);
	asked(ONE, 1, NULL, 2);
}

static void
t_path_unanswered(void)
{
	asked(GATE, 1, NULL, 1);
	node_run(&n, 60 * NODE_SECOND);
}

static void
t_path_burst(void)
{
	for (unsigned i = 0; i < 8; i++)
		asked(GATE, i, NULL, 1);
}

static void
t_path_egress(void)
{
	iface(ONE)->cfg.ingress.egress = true;
	iface(GATE)->cfg.ingress.control = false;
	for (unsigned i = 0; i < 8; i++)
		asked(GATE, i, NULL, 1);
}

static void
t_path_share(void)
{
	slow(ONE);
	asked(GATE, 1, NULL, 1);
	asked(GATE, 2, NULL, 1);
}

static void
t_path_queue(void)
{
	struct stranger s;

	for (unsigned i = 0; i <= PATH_REQUEST_QUEUE; i++) {
		stranger_number(&s, i);
		(void)path_request(n.r, &s.dest, true);
	}
}

static void
t_pathreqs_full(void)
{
	uint8_t raw[RNS_MTU];
	struct id32 any;

	for (unsigned i = 0; i <= 16384; i++) {
		rns_sha256(&any, &i, sizeof(i));
		send_raw(ONE, raw, path_request_make(raw, hash16_at(any.b),
		    NULL, 1));
	}
}

/* ---- tables, memory, the way out ---- */

static void
t_paths_full(void)
{
	heard_all(ONE, 0, small.paths + 1);
}

static void
t_known_full(void)
{
	n.r->cfg.limits.known = 4;
	heard_all(ONE, 0, 5);
}

static void
t_reverse_full(void)
{
	uint8_t raw[RNS_MTU];

	heard(TWO, 1, T0);
	for (unsigned i = 0; i < 129; i++)
		(void)forwarded(ONE, 1, PACKET_DATA, (uint8_t)i, raw);
}

static void
t_limit(void)
{
	static const uint8_t x[10];
	struct rns_event ev = {.type = RNS_EV_PACKET,
	    .packet = {.data = x, .len = sizeof(x)}};

	while (event_push(n.r, &ev) == RNS_OK)
		;
}

static void
t_memory(void)
{
	uint8_t raw[RNS_MTU];
	size_t len = announce(raw, 1, T0, 0);

	no_memory = true;
	(void)rns_recv(n.r, ONE, raw, len, (struct mono){n.now});
	no_memory = false;
}

static void
t_tunnel(void)
{
	uint8_t raw[29] = {0x08};

	memcpy(raw + 2, n.r->tunnel_dest.b, RNS_HASH);
	send_raw(ONE, raw, sizeof(raw));
}

static void
t_tx_full(void)
{
	uint8_t raw[RNS_MTU];

	n.r->cfg.limits.tx_packets = 0;
	heard(TWO, 1, T0);
	(void)forwarded(ONE, 1, PACKET_DATA, 1, raw);
}

static void
t_tx_offline(void)
{
	uint8_t raw[RNS_MTU];

	heard(TWO, 1, T0);
	iface(TWO)->cfg.online = false;
	(void)forwarded(ONE, 1, PACKET_DATA, 1, raw);
}

#define T(name, f) [RNS_DROP_##name] = f
static drop_trigger *const triggers[RNS_DROP_COUNT] = {
    T(SHORT, t_short), T(LONG, t_long), T(IFAC_MISSING, t_ifac_missing),
    T(IFAC_UNEXPECTED, t_ifac_unexpected), T(IFAC_WRONG, t_ifac_wrong),
    T(HEADER, t_header), T(HOPS, t_hops), T(DUPLICATE, t_duplicate),
    T(NOT_FOR_US, t_not_for_us), T(PLAIN_HOPS, t_plain_hops),
    T(PLAIN_ANNOUNCE, t_plain_announce), T(NO_DEST, t_no_dest),
    T(NO_PATH, t_no_path), T(PROOF, t_proof), T(LINK_IF, t_link_if),
    T(LINK_HOPS, t_link_hops), T(LINK_IDLE, t_link_idle),
    T(LINK_UNPROVED, t_link_unproved), T(LINKS_FULL, t_links_full),
    T(ANNOUNCE_LONG, t_announce_long), T(ANNOUNCE_SIG, t_announce_sig),
    T(ANNOUNCE_DEST, t_announce_dest), T(ANNOUNCE_OLD, t_announce_old),
    T(ANNOUNCE_MODE, t_announce_mode), T(ANNOUNCE_FAR, t_announce_far),
    T(ANNOUNCE_ROOM, t_announce_room), T(ANNOUNCE_OWN, t_announce_own),
    T(HELD, t_held), T(HOLD_FULL, t_hold_full), T(RATE, t_rate),
    T(RATE_FULL, t_rate_full), T(BLACKHOLE, t_blackhole),
    T(WAITING_FULL, t_waiting_full), T(QUEUE_FULL, t_queue_full),
    T(QUEUE_OLD, t_queue_old), T(QUEUE_GONE, t_queue_gone),
    T(IF_GONE, t_if_gone), T(TUNNEL, t_tunnel),
    T(PATH_REQUEST, t_path_request),
    T(PATH_LONG, t_path_long), T(PATH_TAG, t_path_tag),
    T(PATH_NOWHERE, t_path_nowhere), T(PATH_BARE, t_path_bare),
    T(PATH_BACK, t_path_back), T(PATH_WAITS, t_path_waits),
    T(PATH_UNANSWERED, t_path_unanswered), T(PATH_BURST, t_path_burst),
    T(PATH_EGRESS, t_path_egress), T(PATH_SHARE, t_path_share),
    T(PATH_QUEUE, t_path_queue), T(PATHREQS_FULL, t_pathreqs_full),
    T(PATHS_FULL, t_paths_full), T(KNOWN_FULL, t_known_full),
    T(REVERSE_FULL, t_reverse_full), T(LIMIT, t_limit),
    T(MEMORY, t_memory), T(TX_FULL, t_tx_full), T(TX_OFFLINE, t_tx_offline),
};

static void
each_reason_has_its_place(void **state)
{
	uint64_t count;
	unsigned bad = 0;

	(void)state;
	rns_limits_default(&small);
	small.paths = 8;
	small.link_table = 4;
	small.reverse = 128;
	small.events = 64;
	for (unsigned i = 0; i < RNS_DROP_COUNT; i++) {
		const char *text = rns_drop_text((enum rns_drop)i);

		if (triggers[i] != NULL) {
			open_relay();
			triggers[i]();
			count = rns_drops(n.r, (enum rns_drop)i);
			node_close(&n);
		} else if (drops_link[i] != NULL) {
			count = drops_link_count(drops_link[i],
			    (enum rns_drop)i);
		} else {
			print_error("nothing brings about: %s\n", text);
			bad++;
			continue;
		}
		if (count == 0) {
			print_error("was not counted: %s\n", text);
			bad++;
		}
	}
	assert_int_equal(bad, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_reason_has_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
