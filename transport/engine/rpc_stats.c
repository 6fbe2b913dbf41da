/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/rpc_stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "transport/engine/engine.h"
#include "transport/engine/nif.h"
#include "transport/engine/stats_pack.h"

/* ---- what passed ---- */

/* Bits a second from the bytes of two looks. */
static void
sample(struct stats_sample *s, const struct stats_flow *now, double seconds)
{
	const struct stats_flow *last = &s->last;
	double k = 8 / seconds;

	s->rate = (struct stats_flow){
		.rx = (now->rx - last->rx) * k,
		.tx = (now->tx - last->tx) * k,
		.ann_rx = (now->ann_rx - last->ann_rx) * k,
		.ann_tx = (now->ann_tx - last->ann_tx) * k,
		.pr_rx = (now->pr_rx - last->pr_rx) * k,
		.pr_tx = (now->pr_tx - last->pr_tx) * k,
	};
	s->last = *now;
}

/*
 * Those with a parent are in its counts, and show no rate of their own, as in
 * the reference.
 */
void
rpc_stats_tick(struct engine *e)
{
	struct engine_totals *t = &e->totals;
	double seconds = (double)mono_sub(e->now, t->at) / 1e6;
	struct stats_flow f;
	struct rns_counts c;
	struct nif *n;

	if (seconds <= 0)
		return;
	TAILQ_FOREACH(n, &e->ifs, link) {
		if (n->parent != NULL)
			continue;
		nif_flow(n, &f);
		sample(&n->sample, &f, seconds);
	}
	rns_counts(e->rns, &c);
	t->rx_pps = (double)(c.rx_packets - t->rx_packets) / seconds;
	t->tx_pps = (double)(c.tx_packets - t->tx_packets) / seconds;
	t->rx_packets = c.rx_packets;
	t->tx_packets = c.tx_packets;
	t->at = e->now;
}

/* ---- an interface ---- */

/* Bytes in which it is called in the configuration, or by the reference. */
static size_t
short_name(const struct nif *n, char *out, size_t cap)
{
	const char *begin = strchr(n->name, '['), *end;
	size_t len;

	if (n->parent == NULL && n->kind->local)
		begin = "[Reticulum]";
	else if (n->conf != NULL && n->parent == NULL)
		return (size_t)snprintf(out, cap, "%s", n->conf->name);
	else if (n->conf != NULL)
		return (size_t)snprintf(out, cap, "Client on %s",
		    n->conf->name);
	if (begin == NULL || (end = strrchr(begin, ']')) == NULL)
		return (size_t)snprintf(out, cap, "%s", n->name);
	len = MIN_OF((size_t)(end - begin) - 1, cap - 1);
	memcpy(out, begin + 1, len);
	return len;
}

static void
fill_access(const struct nif *n, struct stats_if *s)
{
	struct id32 hash;

	if (n->cfg.ifac_size == 0)
		return;
	rns_sha256(&hash, n->cfg.ifac_key, sizeof(n->cfg.ifac_key));
	s->ifac = rns_identity_sign(s->ifac_signature, n->cfg.ifac_key,
	    HASH_BYTES(hash)) == RNS_OK;
	s->ifac_size = n->cfg.ifac_size;
	s->ifac_netname = n->conf != NULL ? n->conf->network_name : NULL;
}

static void
fill_traffic(const struct nif *n, struct stats_if *s)
{
	const struct nif *child;
	struct fsock sum;

	nif_counts(n, &sum);
	nif_flow(n, &s->bytes);
	s->rate = n->sample.rate;
	s->tx_drops = sum.tx_drops;
	s->tx_drop_bytes = sum.tx_drop_bytes;
	s->tx_waiting = nif_waiting(n);
	if (n->id == 0)
		TAILQ_FOREACH(child, &n->e->ifs, link)
			if (child->parent == n)
				s->tx_waiting += nif_waiting(child);
}

static void
fill_burst(struct stats_burst *b, uint32_t on, int64_t since_us)
{
	b->active = on > 0;
	b->since_us = since_us;
	b->clients = -1; /* only a Backbone listener says (its .stats) */
}

/* What the core counts of announces, path requests and violations. */
static void
fill_counts(const struct nif *n, struct stats_if *s)
{
	struct rns_if_stats c;

	nif_stats(n, &c);
	s->ann_rx_n = c.announces_rx.packets;
	s->ann_tx_n = c.announces_tx.packets;
	s->pr_rx_n = c.path_requests_rx.packets;
	s->pr_tx_n = c.path_requests_tx.packets;
	s->ann_in_hz = c.announces_rx.hz;
	s->ann_out_hz = c.announces_tx.hz;
	s->pr_in_hz = c.path_requests_rx.hz;
	s->pr_out_hz = c.path_requests_tx.hz;
	s->announce_queue = c.announce_queue;
	s->held = c.held_announces;
	fill_burst(&s->ann_burst, c.bursts, c.burst_activated_us);
	fill_burst(&s->pr_burst, c.pr_bursts, c.pr_burst_activated_us);
	s->violations = c.protocol_violations;
	s->ifac_violations = c.ifac_violations;
	s->filter_hits = c.filter_hits;
}

static void
fill(const struct nif *n, struct stats_if *s, char *name, size_t cap)
{
	memset(s, 0, sizeof(*s));
	s->name = n->name;
	s->short_name = name;
	s->short_len = MIN_OF(short_name(n, name, cap), cap - 1);
	s->type = n->kind->name;
	rns_sha256(&s->hash, n->name, strlen(n->name));
	s->clients = n->kind->carries ? -1 : (int64_t)n->clients;
	if (n->parent != NULL) {
		s->parent_name = n->parent->name;
		rns_sha256(&s->parent_hash, s->parent_name,
		    strlen(s->parent_name));
	}
	s->peers = -1;
	s->bitrate = n->cfg.bitrate;
	s->mtu = n->cfg.hw_mtu;
	s->ar_target_s = n->cfg.ar_target_s;
	s->ar_penalty_s = n->cfg.ar_penalty_s;
	s->ar_grace = n->cfg.ar_grace;
	s->online = n->online;
	s->mode = n->cfg.mode;
	s->gravity = n->cfg.gravity;
	s->announces_to_internal = n->conf != NULL &&
	    n->conf->to_internal_said ? n->conf->announces_to_internal : -1;
	fill_access(n, s);
	fill_traffic(n, s);
	fill_counts(n, s);
	if (n->kind->stats != NULL)
		n->kind->stats(n, s);
}

/* ---- all of them ---- */

/* A buffer that grows by rows; NULL: it could not. */
struct rows {
	uint8_t *buf;
	size_t len, cap;
};

static bool
append(struct rows *o, const struct wr *w)
{
	uint8_t *p;

	if (!wr_ok(w))
		return false;
	if (o->cap - o->len < w->len) {
		if ((p = realloc(o->buf, o->cap * 2 + w->len)) == NULL)
			return false;
		o->buf = p;
		o->cap = o->cap * 2 + w->len;
	}
	memcpy(o->buf + o->len, w->buf, w->len);
	o->len += w->len;
	return true;
}

struct place {
	const struct nif *nif;
	size_t at;
};

static int
by_bitrate(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	uint64_t p = x->nif->cfg.bitrate, q = y->nif->cfg.bitrate;

	if (p != q)
		return p < q ? 1 : -1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/*
 * Fastest first, equal ones in the order they came (reticulum-transport.md
 * 13.6); NULL: no memory.
 */
static struct place *
sorted(const struct engine *e, size_t *count)
{
	const struct nif *n;
	struct place *list;
	size_t i = 0;

	*count = 0;
	TAILQ_FOREACH(n, &e->ifs, link)
		(*count)++;
	if ((list = calloc(*count + 1, sizeof(*list))) == NULL)
		return NULL;
	TAILQ_FOREACH(n, &e->ifs, link) {
		list[i].nif = n;
		list[i].at = i;
		i++;
	}
	qsort(list, *count, sizeof(*list), by_bitrate);
	return list;
}

static void
fill_top(const struct engine *e, struct stats_top *t)
{
	const struct engine_totals *sum = &e->totals;
	const struct nif *n;
	struct rns_if_stats c;
	struct stats_flow f;

	memset(t, 0, sizeof(*t));
	t->bytes = e->gone;
	TAILQ_FOREACH(n, &e->ifs, link) {
		if (n->parent != NULL)
			continue;
		nif_stats(n, &c);
		t->hz.ann_rx += c.announces_rx.hz;
		t->hz.ann_tx += c.announces_tx.hz;
		t->hz.pr_rx += c.path_requests_rx.hz;
		t->hz.pr_tx += c.path_requests_tx.hz;
		nif_flow(n, &f);
		stats_flow_add(&t->bytes, &f);
		stats_flow_add(&t->rate, &n->sample.rate);
	}
	t->rx_pps = (uint64_t)sum->rx_pps;
	t->tx_pps = (uint64_t)sum->tx_pps;
	t->transport = e->conf->enable_transport;
	t->transport_id = e->identity_hash;
	t->probe_responder = e->probe;
	t->network_id = e->has_network ? &e->network_hash : NULL;
	t->rss = measure_memory_sum(&e->measure, clock_mono());
	t->uptime_s = (double)mono_sub(clock_mono(), e->started) / 1e6;
}

uint8_t *
rpc_stats(const struct engine *e, size_t *len)
{
	uint8_t room[STATS_ROW_MAX];
	struct rows o = {.buf = NULL};
	struct place *list;
	struct stats_top top;
	struct stats_if row;
	char name[300];
	struct wr w;
	size_t n;
	bool ok;

	if ((list = sorted(e, &n)) == NULL)
		return NULL;
	fill_top(e, &top);
	w = wr_make(room, sizeof(room));
	stats_put_head(&w, &top, n);
	ok = append(&o, &w);
	for (size_t i = 0; ok && i < n; i++) {
		fill(list[i].nif, &row, name, sizeof(name));
		w = wr_make(room, sizeof(room));
		stats_put_if(&w, &row);
		ok = append(&o, &w);
	}
	w = wr_make(room, sizeof(room));
	stats_put_rest(&w, &top);
	ok = ok && append(&o, &w);
	free(list);
	if (!ok) {
		free(o.buf);
		return NULL;
	}
	*len = o.len;
	return o.buf;
}
