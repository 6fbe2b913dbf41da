/* SPDX-License-Identifier: BSD-2-Clause */
/* Live: channel messages, and what stands inside links and resources. */
#include <stdlib.h>
#include <string.h>

#include "tests/interop/bridge/commands.h"
#include "tests/interop/bridge/peer.h"
#include "transport/core/link/channel.h"
#include "transport/core/link/link.h"

/* whys of the reference */
#define CE_NOT_READY 3
#define CE_TOO_BIG 5

struct link *
peer_open_link(struct call *c, struct peer *p)
{
	struct hash16 id = arg_hash(c, "link_id");
	struct link *l = link_find(p->r, &id);

	if (l == NULL)
		fail(c, "KeyError: no such link, or it is closed");
	return l;
}

static struct channel *
channel_arg(struct call *c, struct peer *p)
{
	struct link *l = peer_open_link(c, p);

	if (l->channel == NULL)
		fail(c, "KeyError: the link has no channel");
	return l->channel;
}

static struct channel_seen
channel_look(const struct channel *ch)
{
	return (struct channel_seen){.any = true, .window = ch->window,
	    .window_min = ch->window_min, .window_max = ch->window_max,
	    .flex = ch->flex, .rx_next = ch->rx_next, .tx_next = ch->tx_next};
}

/* What is asked of one whose link has ended. */
void
channels_look(struct peer *p)
{
	for (struct seen *s = p->links; s != NULL; s = s->next) {
		const struct link *l = s->closed ? NULL :
		    link_find(p->r, &s->id);

		if (l != NULL && l->channel != NULL)
			s->channel = channel_look(l->channel);
	}
}

/* The channel of the call's link, which is closed: that, or a mistake. */
static const struct channel_seen *
channel_gone(struct call *c, struct peer *p)
{
	struct hash16 id = arg_hash(c, "link_id");
	const struct seen *s = peer_link(p, &id);

	if (s == NULL || !s->channel.any)
		fail(c, "KeyError: no such link, or it had no channel");
	return &s->channel;
}

static bool
is_open(struct call *c, const struct peer *p)
{
	struct hash16 id = arg_hash(c, "link_id");

	return link_find(p->r, &id) != NULL;
}

static void
put_window(struct call *c, const struct channel_seen *ch)
{
	put_int(c, "window", ch->window);
	put_int(c, "window_min", ch->window_min);
	put_int(c, "window_max", ch->window_max);
	put_int(c, "window_flexibility", ch->flex);
}

static void
put_sequences(struct call *c, int rx, int tx)
{
	put_int(c, "next_rx_sequence", rx);
	put_int(c, "next_sequence", tx);
}

static void
put_rx(struct call *c, const struct channel *ch)
{
	const struct message *m;
	int held = 0;

	TAILQ_FOREACH(m, &ch->held, entry)
		held++;
	put_sequences(c, ch->rx_next, ch->tx_next);
	put_int(c, "rx_ring", held);
}

/* Of a message that waits for its proof; with its link it goes. */
static int
tries_of(const struct peer *p, const struct hash16 *link, int sequence)
{
	const struct link *l = link_find(p->r, link);
	const struct envelope *e;

	if (l == NULL || l->channel == NULL)
		return 0;
	TAILQ_FOREACH(e, &l->channel->ring, entry)
		if ((e->data[2] << 8 | e->data[3]) == sequence)
			return (int)e->tries;
	return 0;
}

/* Until it is proved, its link ends or the call's time is over. */
static int
follow(struct call *c, struct peer *p, const struct result *res,
    const struct hash16 *link, int sequence)
{
	struct mono until = peer_until(c, 10000);
	int tries = 1, now;

	while (!res->done && !mono_reached(mono_here(), until) &&
	    link_find(p->r, link) != NULL) {
		(void)peer_run(until, -1);
		if ((now = tries_of(p, link, sequence)) > tries)
			tries = now;
	}
	return tries;
}

void
cmd_wire_channel_send(struct call *c)
{
	struct peer *p = peer_of(c);
	struct rns_cmd cmd = {.type = RNS_CMD_CHANNEL_SEND};
	struct bytes data = arg(c, "data");
	struct channel *ch;
	struct result *res;
	int sequence, err;
	struct rns_link_info info;
	const struct link *l;

	if (arg_bool(c, "fail_outlet", false))
		fail(c, "NotImplementedError: fail_outlet");
	if (!is_open(c, p)) {
		put_bool(c, "sent", false);
		put_bool(c, "rejected", true);
		put_int(c, "ce_type", CE_NOT_READY);
		put_int(c, "next_sequence", channel_gone(c, p)->tx_next);
		return;
	}
	ch = channel_arg(c, p);
	sequence = ch->tx_next;
	res = peer_result(c, p);
	cmd.channel.link = arg_hash(c, "link_id");
	cmd.channel.msgtype = (uint16_t)arg_int_or(c, "msgtype", 0, 0xffff,
	    BRIDGE_MESSAGE);
	cmd.channel.data = data.p;
	cmd.channel.len = data.n;
	cmd.channel.tag = res->tag;
	err = rns_submit(p->r, &cmd, mono_here());
	peer_turn(p);
	put_bool(c, "sent", err == RNS_OK);
	put_bool(c, "rejected", err != RNS_OK);
	if (err != RNS_OK) {
		put_str(c, "error", cmd.channel.msgtype >= CHANNEL_RESERVED ?
		    "this type of message is reserved" : rns_strerror(err));
		put(c, "ce_type", err == RNS_EBIG ?
		    json_integer(CE_TOO_BIG) : json_null());
		put_int(c, "next_sequence", ch->tx_next);
		return;
	}
	p->no_proofs = arg_bool(c, "drop_acks", false);
	put_int(c, "tries", follow(c, p, res, &cmd.channel.link, sequence));
	p->no_proofs = false;
	put_bool(c, "delivered", res->done);
	put_int(c, "sequence", sequence);
	put_int(c, "link_status", rns_link_get(p->r, &cmd.channel.link,
	    &info) ? info.status : LINK_CLOSED);
	/* it may have ended with its link */
	l = link_find(p->r, &cmd.channel.link);
	if (l == NULL || (ch = l->channel) == NULL)
		return;
	put_int(c, "next_sequence", ch->tx_next);
	put_int(c, "window", ch->window);
	put_int(c, "window_max", ch->window_max);
}

/* Nothing waits in it, and nobody reads. */
static void
window_gone(struct call *c, const struct channel_seen *ch)
{
	put_window(c, ch);
	put_sequences(c, ch->rx_next, ch->tx_next);
	put_int(c, "rx_ring", 0);
	put_int(c, "tx_ring", 0);
	put_int(c, "tx_tries", 0);
	put_int(c, "message_handlers", 0);
	put(c, "tx_envelopes", json_array());
}

void
cmd_wire_channel_window(struct call *c)
{
	struct peer *p = peer_of(c);
	const struct link *l;
	const struct channel *ch;
	struct channel_seen look;
	const struct envelope *e;
	json_t *list;
	unsigned tries = 0;

	if (!is_open(c, p)) {
		window_gone(c, channel_gone(c, p));
		return;
	}
	l = peer_open_link(c, p);
	ch = channel_arg(c, p);
	look = channel_look(ch);
	list = json_array();
	put(c, "tx_envelopes", list);
	put_window(c, &look);
	put_rx(c, ch);
	put_int(c, "message_handlers", 1); /* events */
	put_int(c, "tx_ring", ch->ring_count);
	TAILQ_FOREACH(e, &ch->ring, entry) {
		tries = e->tries > tries ? e->tries : tries;
		(void)json_array_append_new(list, json_pack("{s:i, s:i}",
		    "sequence", e->data[2] << 8 | e->data[3], "tries",
		    (int)e->tries));
	}
	put_int(c, "tx_tries", tries);
	put_int(c, "mdu", (int64_t)l->mdu - CHANNEL_HEAD);
	put_int(c, "outlet_mdu", l->mdu);
	put_int(c, "medium_rate_rounds", ch->medium);
	put_int(c, "fast_rate_rounds", ch->fast);
}

void
cmd_wire_listener_channel_rx(struct call *c)
{
	struct peer *p = peer_of(c);
	const struct link *l = link_find(p->r,
	    &peer_listener(c, p)->last_link);

	if (l == NULL || l->channel == NULL)
		fail(c, "KeyError: no link with a channel");
	put_rx(c, l->channel);
}

void
cmd_wire_channel_timeout_formula(struct call *c)
{
	double rtt = arg_num_or(c, "rtt", 0);
	unsigned tries = (unsigned)arg_int(c, "tries", 1, 100);
	unsigned ring = (unsigned)arg_int(c, "ring_depth", 0, 100);

	put_num(c, "timeout", channel_timeout(tries, rtt, ring));
	put_num(c, "rtt", rtt);
	put_int(c, "tries", tries);
	put_int(c, "ring_depth", ring);
}

/* What a channel begins with on a link of that round trip. */
void
cmd_wire_channel_profile(struct call *c)
{
	struct peer *p = peer_of(c);
	struct link l = {.rtt = arg_num_or(c, "rtt", 0)};
	struct channel_seen look;

	must(c, channel_open(p->r, &l), "channel");
	look = channel_look(l.channel);
	put_window(c, &look);
	put_num(c, "rtt", l.rtt);
	put_num(c, "rtt_slow", CHANNEL_RTT_SLOW);
	free(l.channel);
}

/* ---- links ---- */

void
cmd_wire_link_key_material(struct call *c)
{
	static const uint8_t none[64];
	struct peer *p = peer_of(c);
	struct hash16 id = arg_hash(c, "link_id");
	const struct link *l = link_find(p->r, &id);
	bool key = l != NULL && memcmp(l->key, none, sizeof(none)) != 0;

	if (peer_link(p, &id) == NULL)
		fail(c, "KeyError: no such link");
	put_int(c, "status", l != NULL ? (int)l->status : LINK_CLOSED);
	put_str(c, "status_name", status_names[l != NULL ? (int)l->status :
	    LINK_CLOSED]);
	put_bool(c, "derived_key_present", key);
	/* the library keeps what it derived, and wipes the rest at once */
	put_bool(c, "shared_key_present", key);
	put_bool(c, "prv_present", l != NULL &&
	    memcmp(l->sign_sk, none, sizeof(none)) != 0);
	put_bool(c, "pub_present", l != NULL &&
	    memcmp(l->x_pub, none, 32) != 0);
}

void
cmd_wire_link_set_watchdog(struct call *c)
{
	struct peer *p = peer_of(c);
	struct link *l = peer_open_link(c, p);

	l->keepalive = arg_num_or(c, "keepalive_s", l->keepalive);
	l->stale = arg_num_or(c, "stale_time_s", l->stale);
	link_timer_set(p->r, l, 0);
	put_num(c, "keepalive_s", l->keepalive);
	put_num(c, "stale_time_s", l->stale);
}

void
cmd_wire_link_set_rtt(struct call *c)
{
	struct link *l = peer_open_link(c, peer_of(c));

	put_num(c, "previous", l->rtt);
	l->rtt = arg_num_or(c, "rtt", l->rtt);
	put_num(c, "rtt", l->rtt);
}

void
cmd_wire_resource_decompress_limit(struct call *c)
{
	(void)peer_open_link(c, peer_of(c));
	put_int(c, "max_decompressed_size", RES_COMPRESS_MAX);
	put_int(c, "auto_compress_limit", RES_COMPRESS_MAX);
	put_int(c, "constant", RES_COMPRESS_MAX);
}

void
cmd_wire_resource_constants(struct call *c)
{
	put_int(c, "WINDOW", RES_WINDOW);
	put_int(c, "WINDOW_MIN", RES_WINDOW_MIN);
	put_int(c, "WINDOW_MAX", RES_WINDOW_MAX_FAST);
	put_int(c, "WINDOW_MAX_SLOW", RES_WINDOW_MAX_SLOW);
	put_int(c, "WINDOW_MAX_VERY_SLOW", RES_WINDOW_MAX_VERY_SLOW);
	put_int(c, "WINDOW_MAX_FAST", RES_WINDOW_MAX_FAST);
	put_int(c, "WINDOW_FLEXIBILITY", RES_WINDOW_FLEX);
	put_int(c, "FAST_RATE_THRESHOLD", RES_FAST_ROUNDS);
	put_int(c, "VERY_SLOW_RATE_THRESHOLD", RES_VERY_SLOW_ROUNDS);
	put_num(c, "RATE_FAST", RES_RATE_FAST);
	put_num(c, "RATE_VERY_SLOW", RES_RATE_VERY_SLOW);
	put_int(c, "MAPHASH_LEN", RES_MAPHASH);
	put_int(c, "RANDOM_HASH_SIZE", RES_RANDOM);
	put_int(c, "HASHMAP_MAX_LEN", RES_HASHMAP_MAX);
	put_int(c, "COLLISION_GUARD_SIZE", RES_GUARD);
	put_int(c, "MAX_EFFICIENT_SIZE", RES_SEGMENT_MAX);
	put_int(c, "METADATA_MAX_SIZE", RES_METADATA_MAX);
	put_int(c, "AUTO_COMPRESS_MAX_SIZE", RES_COMPRESS_MAX);
	put_int(c, "MAX_RETRIES", RES_MAX_RETRIES);
	put_int(c, "MAX_ADV_RETRIES", RES_MAX_ADV_RETRIES);
	put_num(c, "PROOF_TIMEOUT_FACTOR", RES_PROOF_FACTOR);
	put_int(c, "HASHMAP_IS_NOT_EXHAUSTED", RES_MORE);
	put_int(c, "HASHMAP_IS_EXHAUSTED", RES_EXHAUSTED);
}

void
cmd_wire_set_proof_implicit(struct call *c)
{
	struct peer *p = peer_of(c);

	p->r->cfg.implicit_proof = arg_bool(c, "enabled", true);
	put_bool(c, "implicit_proof", p->r->cfg.implicit_proof);
}
