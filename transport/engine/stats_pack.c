/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/stats_pack.h"

#include <string.h>

#include "common/mpk.h"
#include "common/util.h"

/*
 * Keys are in the reference's order. A map's length stands before it, so the
 * keys that may be left out are counted first.
 */
#define IF_KEYS 53 /* that are always there */
#define TOP_KEYS 36
#define TRANSPORT_KEYS 4

static void
put_text(struct wr *w, const char *key, const char *s)
{
	mpk_put_str(w, key);
	if (s != NULL)
		mpk_put_str(w, s);
	else
		mpk_put_nil(w);
}

static void
put_uint(struct wr *w, const char *key, uint64_t v)
{
	mpk_put_str(w, key);
	mpk_put_uint(w, v);
}

/* Below 0: nil. */
static void
put_maybe(struct wr *w, const char *key, int64_t v)
{
	mpk_put_str(w, key);
	if (v < 0)
		mpk_put_nil(w);
	else
		mpk_put_uint(w, (uint64_t)v);
}

static void
put_bool(struct wr *w, const char *key, bool v)
{
	mpk_put_str(w, key);
	mpk_put_bool(w, v);
}

static void
put_number(struct wr *w, const char *key, double v)
{
	mpk_put_str(w, key);
	mpk_put_double(w, v);
}

/* A sum of counters: whole. */
static void
put_whole(struct wr *w, const char *key, double v)
{
	put_uint(w, key, (uint64_t)v);
}

static void
put_hash(struct wr *w, const char *key, const struct hash16 *h)
{
	mpk_put_str(w, key);
	if (h != NULL)
		mpk_put_bin(w, h->b, sizeof(h->b));
	else
		mpk_put_nil(w);
}

/* ---- an interface ---- */

static size_t
radio_keys(const struct stats_radio *r)
{
	return (r->on ? 7 : 0) + (r->was_disturbed ? 2 : 0) +
	    (r->battery != NULL ? 1 : 0) + (r->has_battery ? 1 : 0);
}

static size_t
if_keys(const struct stats_if *s)
{
	return IF_KEYS + (s->parent_name != NULL ? 2 : 0) +
	    (s->i2p ? 2 : 0) + (s->i2p_peer ? 1 : 0) +
	    (s->peers >= 0 ? 1 : 0) + (s->blocks ? 2 : 0) +
	    radio_keys(&s->radio) + (s->weave.device ? 4 : 0) +
	    (s->weave.peer ? 1 : 0);
}

static void
put_kin(struct wr *w, const struct stats_if *s)
{
	put_maybe(w, "clients", s->clients);
	if (s->parent_name != NULL) {
		put_text(w, "parent_interface_name", s->parent_name);
		mpk_put_str(w, "parent_interface_hash");
		mpk_put_bin(w, HASH_BYTES(s->parent_hash));
	}
	if (s->i2p) {
		put_bool(w, "i2p_connectable", s->i2p_connectable);
		put_text(w, "i2p_b32", s->i2p_b32);
	}
	if (s->i2p_peer)
		put_text(w, "tunnelstate", s->tunnelstate);
}

/* A whole number, or nil. */
static void
put_known(struct wr *w, const char *key, bool known, int v)
{
	mpk_put_str(w, key);
	if (known)
		mpk_put_int(w, v);
	else
		mpk_put_nil(w);
}

static void
put_radio(struct wr *w, const struct stats_radio *r)
{
	if (!r->on)
		return;
	put_number(w, "airtime_short", r->air_short);
	put_number(w, "airtime_long", r->air_long);
	put_number(w, "channel_load_short", r->load_short);
	put_number(w, "channel_load_long", r->load_long);
	put_known(w, "noise_floor", r->has_noise, r->noise_dbm);
	put_known(w, "interference", r->disturbed, r->disturbed_dbm);
	put_known(w, "cpu_temp", r->has_temp, r->temp);
	if (r->was_disturbed) {
		put_number(w, "interference_last_ts",
		    (double)r->disturbed_us / 1e6);
		put_known(w, "interference_last_dbm", true, r->disturbed_dbm);
	}
	if (r->battery != NULL)
		put_text(w, "battery_state", r->battery);
	if (r->has_battery)
		put_uint(w, "battery_percent", r->battery_percent);
}

static void
put_weave(struct wr *w, const struct stats_weave *v)
{
	if (v->device) {
		put_known(w, "cpu_load", v->has_cpu, (int)v->cpu);
		mpk_put_str(w, "mem_load");
		if (v->has_memory)
			mpk_put_double(w, v->memory);
		else
			mpk_put_nil(w);
		put_text(w, "switch_id", *v->id != '\0' ? v->id : NULL);
	}
	if (v->peer)
		put_text(w, "via_switch_id", *v->via != '\0' ? v->via :
		    NULL);
	if (v->device)
		put_text(w, "endpoint_id", *v->endpoint != '\0' ?
		    v->endpoint : NULL);
}

static void
put_rates(struct wr *w, const struct stats_if *s)
{
	put_maybe(w, "bitrate", s->bitrate != 0 ? (int64_t)s->bitrate : -1);
	put_number(w, "rxs", s->rate.rx);
	put_number(w, "txs", s->rate.tx);
	put_number(w, "arxs", s->rate.ann_rx);
	put_number(w, "atxs", s->rate.ann_tx);
	put_number(w, "prxs", s->rate.pr_rx);
	put_number(w, "ptxs", s->rate.pr_tx);
	if (s->peers >= 0)
		put_maybe(w, "peers", s->peers);
}

static void
put_access(struct wr *w, const struct stats_if *s)
{
	mpk_put_str(w, "ifac_signature");
	if (s->ifac)
		mpk_put_bin(w, s->ifac_signature, sizeof(s->ifac_signature));
	else
		mpk_put_nil(w);
	put_maybe(w, "ifac_size", s->ifac ? (int64_t)s->ifac_size : -1);
	put_text(w, "ifac_netname", s->ifac ? s->ifac_netname : NULL);
	put_text(w, "autoconnect_source", s->autoconnect_source);
	put_uint(w, "announce_queue", s->announce_queue);
	if (s->blocks) {
		unsigned n = 0;

		while (n < STATS_BLOCKED_MAX && s->blocked[n] != NULL)
			n++;
		put_uint(w, "blocked_ips", s->nblocked);
		mpk_put_str(w, "blocked_ip_list");
		mpk_put_array(w, n);
		for (unsigned i = 0; i < n; i++)
			mpk_put_str(w, s->blocked[i]);
	}
}

static void
put_name(struct wr *w, const struct stats_if *s)
{
	put_text(w, "name", s->name);
	mpk_put_str(w, "short_name");
	mpk_put_strn(w, s->short_name, s->short_len);
	mpk_put_str(w, "hash");
	mpk_put_bin(w, HASH_BYTES(s->hash));
	put_text(w, "type", s->type);
	put_maybe(w, "mtu", s->mtu != 0 ? (int64_t)s->mtu : -1);
}

static void
put_traffic(struct wr *w, const struct stats_if *s)
{
	put_whole(w, "rxb", s->bytes.rx);
	put_whole(w, "txb", s->bytes.tx);
	put_whole(w, "arxb", s->bytes.ann_rx);
	put_whole(w, "atxb", s->bytes.ann_tx);
	put_uint(w, "arxc", s->ann_rx_n);
	put_uint(w, "atxc", s->ann_tx_n);
	put_whole(w, "prxb", s->bytes.pr_rx);
	put_whole(w, "ptxb", s->bytes.pr_tx);
	put_uint(w, "prxc", s->pr_rx_n);
	put_uint(w, "ptxc", s->pr_tx_n);
	put_uint(w, "txdrp", s->tx_drops);
	put_uint(w, "txdrb", s->tx_drop_bytes);
	put_bool(w, "txstalled", s->tx_stalled);
	put_uint(w, "txbuffered", s->tx_waiting);
}

static void
put_announces(struct wr *w, const struct stats_if *s)
{
	bool limit = s->ar_target_s != 0;

	put_number(w, "incoming_announce_frequency", s->ann_in_hz);
	put_number(w, "outgoing_announce_frequency", s->ann_out_hz);
	put_number(w, "incoming_pr_frequency", s->pr_in_hz);
	put_number(w, "outgoing_pr_frequency", s->pr_out_hz);
	put_maybe(w, "announce_rate_target",
	    limit ? (int64_t)s->ar_target_s : -1);
	put_maybe(w, "announce_rate_penalty",
	    limit ? (int64_t)s->ar_penalty_s : -1);
	put_maybe(w, "announce_rate_grace",
	    limit ? (int64_t)s->ar_grace : -1);
	put_uint(w, "held_announces", s->held);
	put_bool(w, "burst_active", s->ann_burst.active);
	put_number(w, "burst_activated", (double)s->ann_burst.since_us / 1e6);
	put_maybe(w, "burst_count", s->ann_burst.clients);
	put_bool(w, "pr_burst_active", s->pr_burst.active);
	put_number(w, "pr_burst_activated", (double)s->pr_burst.since_us / 1e6);
	put_maybe(w, "pr_burst_count", s->pr_burst.clients);
}

static void
put_state(struct wr *w, const struct stats_if *s)
{
	put_bool(w, "status", s->online);
	put_uint(w, "mode", (uint64_t)s->mode);
	mpk_put_str(w, "gravity");
	mpk_put_int(w, s->gravity);
	mpk_put_str(w, "announces_to_internal");
	if (s->announces_to_internal < 0)
		mpk_put_nil(w);
	else
		mpk_put_bool(w, s->announces_to_internal != 0);
	put_uint(w, "protocol_violations", s->violations);
	put_uint(w, "ifac_violations", s->ifac_violations);
	put_uint(w, "packet_filter_hits", s->filter_hits);
}

void
stats_put_if(struct wr *w, const struct stats_if *s)
{
	mpk_put_map(w, if_keys(s));
	put_kin(w, s);
	put_radio(w, &s->radio);
	put_weave(w, &s->weave);
	put_rates(w, s);
	put_access(w, s);
	put_name(w, s);
	put_traffic(w, s);
	put_announces(w, s);
	put_state(w, s);
}

/* ---- all together ---- */

void
stats_flow_add(struct stats_flow *sum, const struct stats_flow *b)
{
	sum->rx += b->rx;
	sum->tx += b->tx;
	sum->ann_rx += b->ann_rx;
	sum->ann_tx += b->ann_tx;
	sum->pr_rx += b->pr_rx;
	sum->pr_tx += b->pr_tx;
}

void
stats_put_head(struct wr *w, const struct stats_top *t, size_t n)
{
	mpk_put_map(w, TOP_KEYS + (t->transport ? TRANSPORT_KEYS : 0));
	mpk_put_str(w, "interfaces");
	mpk_put_array(w, n);
}

/*
 * The reference has queues between reading and handling
 * (reticulum-transport.md 18.1); here a packet is handled when it is read, and
 * what is not handled yet is not read: there is no queue, nothing waits in it,
 * nothing is dropped from it.
 */
static void
put_queues(struct wr *w)
{
	static const char *const counts[] = {"rxqt", "rxqd", "rxqa", "rxqp",
	    "rxqil", "rxqtd", "rxqdd", "rxqad", "rxqpd", "rxqild"};
	static const char *const pressures[] = {"tqpressure", "dqpressure",
	    "aqpressure", "pqpressure", "ilqpressure"};

	for (size_t i = 0; i < NELEM(counts); i++)
		put_uint(w, counts[i], 0);
	for (size_t i = 0; i < NELEM(pressures); i++)
		put_uint(w, pressures[i], 0);
	mpk_put_str(w, "txq");
	mpk_put_nil(w);
}

void
stats_put_rest(struct wr *w, const struct stats_top *t)
{
	put_whole(w, "rxb", t->bytes.rx);
	put_whole(w, "txb", t->bytes.tx);
	put_number(w, "rxs", t->rate.rx);
	put_number(w, "txs", t->rate.tx);
	put_whole(w, "arxb", t->bytes.ann_rx);
	put_whole(w, "atxb", t->bytes.ann_tx);
	put_number(w, "arxs", t->rate.ann_rx);
	put_number(w, "atxs", t->rate.ann_tx);
	put_number(w, "arxf", t->hz.ann_rx);
	put_number(w, "atxf", t->hz.ann_tx);
	put_whole(w, "prxb", t->bytes.pr_rx);
	put_whole(w, "ptxb", t->bytes.pr_tx);
	put_number(w, "prxs", t->rate.pr_rx);
	put_number(w, "ptxs", t->rate.pr_tx);
	put_number(w, "prxf", t->hz.pr_rx);
	put_number(w, "ptxf", t->hz.pr_tx);
	put_uint(w, "rxpps", t->rx_pps);
	put_uint(w, "txpps", t->tx_pps);
	put_queues(w);
	if (t->transport) {
		put_hash(w, "transport_id", &t->transport_id);
		put_hash(w, "network_id", t->network_id);
		put_number(w, "transport_uptime", t->uptime_s);
		put_hash(w, "probe_responder", t->probe_responder);
	}
	put_maybe(w, "rss", t->rss != 0 ? (int64_t)t->rss : -1);
}
