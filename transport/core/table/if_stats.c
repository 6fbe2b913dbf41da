/* SPDX-License-Identifier: BSD-2-Clause */
/* What rns.h shows of an interface (reticulum-transport.md 13.6, 18.3). */
#include "transport/core/table/iface.h"

#include <string.h>

/* Which of the reference's three counters a drop belongs to. */
enum violation { PROTOCOL = 1, ACCESS, FILTER, VIOLATIONS };

static const uint8_t violations[RNS_DROP_COUNT] = {
	[RNS_DROP_SHORT] = PROTOCOL,
	[RNS_DROP_LONG] = PROTOCOL,
	[RNS_DROP_HEADER] = PROTOCOL,
	[RNS_DROP_HOPS] = PROTOCOL,
	[RNS_DROP_ANNOUNCE_LONG] = PROTOCOL,
	[RNS_DROP_ANNOUNCE_SIG] = PROTOCOL,
	[RNS_DROP_ANNOUNCE_DEST] = PROTOCOL,
	[RNS_DROP_PATH_REQUEST] = PROTOCOL,
	[RNS_DROP_PATH_LONG] = PROTOCOL,
	[RNS_DROP_LINK_STATE] = PROTOCOL,
	[RNS_DROP_LINK_PROOF] = PROTOCOL,
	[RNS_DROP_LINK_REQUEST] = PROTOCOL,
	[RNS_DROP_MEMORY] = PROTOCOL,
	[RNS_DROP_IFAC_MISSING] = ACCESS,
	[RNS_DROP_IFAC_UNEXPECTED] = ACCESS,
	[RNS_DROP_IFAC_WRONG] = ACCESS,
	[RNS_DROP_DUPLICATE] = FILTER,
	[RNS_DROP_NOT_FOR_US] = FILTER,
	[RNS_DROP_PLAIN_HOPS] = FILTER,
	[RNS_DROP_PLAIN_ANNOUNCE] = FILTER,
};

static struct rns_if_class
class_of(const struct rns *r, const struct iface *i, enum traffic_sort sort)
{
	return (struct rns_if_class){
	    .packets = i->traffic[sort].packets,
	    .bytes = i->traffic[sort].bytes,
	    .hz = traffic_peek(r, i->traffic, sort, 0),
	};
}

int
rns_if_stats(const struct rns *r, unsigned ifid, struct rns_if_stats *out)
{
	const struct iface *i = iface_find(r, ifid);
	uint64_t sums[VIOLATIONS] = {0};

	if (i == NULL)
		return RNS_ENOENT;
	for (unsigned d = 0; d < RNS_DROP_COUNT; d++)
		sums[violations[d]] += i->drops[d];
	*out = (struct rns_if_stats){
	    .rx_packets = i->rx_packets,
	    .rx_bytes = i->rx_bytes,
	    .tx_packets = i->tx_packets,
	    .tx_bytes = i->tx_bytes,
	    .announces_rx = class_of(r, i, TRAFFIC_ANNOUNCE_IN),
	    .announces_tx = class_of(r, i, TRAFFIC_ANNOUNCE_OUT),
	    .path_requests_rx = class_of(r, i, TRAFFIC_PATH_IN),
	    .path_requests_tx = class_of(r, i, TRAFFIC_PATH_OUT),
	    .announce_queue = i->announce_count,
	    .held_announces = i->held_count,
	    .bursts = i->burst.active,
	    .pr_bursts = i->pr_burst.active,
	    .burst_activated_us = core_wall_of(r, i->burst.activated),
	    .pr_burst_activated_us = core_wall_of(r, i->pr_burst.activated),
	    .protocol_violations = sums[PROTOCOL],
	    .ifac_violations = sums[ACCESS],
	    .filter_hits = sums[FILTER],
	    .signal = i->signal,
	    .loss_permille = loss_permille(&i->loss, NULL, r->now),
	};
	memcpy(out->rx_kinds, i->rx_kinds, sizeof(out->rx_kinds));
	memcpy(out->tx_kinds, i->tx_kinds, sizeof(out->tx_kinds));
	return RNS_OK;
}

static void
amounts_add(struct rns_amount *sum, const struct rns_amount *a)
{
	for (unsigned k = 0; k < RNS_KINDS; k++) {
		sum[k].packets += a[k].packets;
		sum[k].bytes += a[k].bytes;
	}
}

static void
class_add(struct rns_if_class *sum, const struct rns_if_class *c)
{
	sum->packets += c->packets;
	sum->bytes += c->bytes;
	sum->hz += c->hz;
}

/* The earliest of those that are on now; else the latest that was. */
static void
activated_add(int64_t *sum, uint32_t on, int64_t at, uint32_t one)
{
	if (one != 0)
		*sum = on != 0 ? MIN_OF(*sum, at) : at;
	else if (on == 0)
		*sum = MAX_OF(*sum, at);
}

void
rns_if_stats_add(struct rns_if_stats *sum, const struct rns_if_stats *s)
{
	sum->rx_packets += s->rx_packets;
	sum->rx_bytes += s->rx_bytes;
	sum->tx_packets += s->tx_packets;
	sum->tx_bytes += s->tx_bytes;
	class_add(&sum->announces_rx, &s->announces_rx);
	class_add(&sum->announces_tx, &s->announces_tx);
	class_add(&sum->path_requests_rx, &s->path_requests_rx);
	class_add(&sum->path_requests_tx, &s->path_requests_tx);
	amounts_add(sum->rx_kinds, s->rx_kinds);
	amounts_add(sum->tx_kinds, s->tx_kinds);
	sum->announce_queue += s->announce_queue;
	sum->held_announces += s->held_announces;
	activated_add(&sum->burst_activated_us, sum->bursts,
	    s->burst_activated_us, s->bursts);
	activated_add(&sum->pr_burst_activated_us, sum->pr_bursts,
	    s->pr_burst_activated_us, s->pr_bursts);
	sum->bursts += s->bursts;
	sum->pr_bursts += s->pr_bursts;
	sum->protocol_violations += s->protocol_violations;
	sum->ifac_violations += s->ifac_violations;
	sum->filter_hits += s->filter_hits;
	sum->loss_permille = MAX_OF(sum->loss_permille, s->loss_permille);
	if (s->signal.has != 0)
		sum->signal = s->signal;
}

uint64_t
rns_if_drops(const struct rns *r, unsigned ifid, enum rns_drop why)
{
	const struct iface *i = iface_find(r, ifid);

	return i != NULL && (unsigned)why < RNS_DROP_COUNT ? i->drops[why] : 0;
}
