/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/rpc_calls.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mpk.h"
#include "transport/engine/engine.h"
#include "transport/engine/nif.h"
#include "transport/engine/rpc_stats.h"

#define SMALL_MAX 512 /* every answer but the path table */
#define PATH_ROW_MAX 480
#define BITRATE_MIN 5 /* reticulum-transport.md 1.1 */

/* What a request map may hold (reticulum-transport.md 13.4). */
struct request {
	char get[32], drop[32], destination_data[16], identity_data[16];
	struct hash16 destination, identity;
	bool has_destination, has_identity, has_max_hops;
	uint64_t max_hops;
};

static void
take_word(char *dst, size_t cap, const uint8_t *p, size_t n)
{
	if (n < cap) {
		memcpy(dst, p, n);
		dst[n] = '\0';
	}
}

static void
take_hash(struct hash16 *dst, bool *has, const uint8_t *p, size_t n)
{
	if ((*has = n == RNS_HASH))
		memcpy(dst->b, p, n);
}

static void
take(struct request *q, const struct mpk *k, const struct mpk *v)
{
	if (v->type == MPK_STR) {
		if (mpk_str_is(k, "get"))
			take_word(q->get, sizeof(q->get), v->p, v->n);
		else if (mpk_str_is(k, "drop"))
			take_word(q->drop, sizeof(q->drop), v->p, v->n);
		else if (mpk_str_is(k, "destination_data"))
			take_word(q->destination_data,
			    sizeof(q->destination_data), v->p, v->n);
		else if (mpk_str_is(k, "identity_data"))
			take_word(q->identity_data,
			    sizeof(q->identity_data), v->p, v->n);
	} else if (v->type == MPK_BIN) {
		if (mpk_str_is(k, "destination_hash"))
			take_hash(&q->destination, &q->has_destination, v->p,
			    v->n);
		else if (mpk_str_is(k, "identity_hash"))
			take_hash(&q->identity, &q->has_identity, v->p, v->n);
	} else if (v->type == MPK_UINT && mpk_str_is(k, "max_hops")) {
		q->has_max_hops = true;
		q->max_hops = v->u;
	}
}

static bool
parse(struct request *q, const uint8_t *p, size_t len)
{
	struct rd r = rd_make(p, len);
	struct mpk k, v;
	size_t n;

	memset(q, 0, sizeof(*q));
	if (!mpk_get_map(&r, &n))
		return false;
	while (n-- > 0) {
		if (!mpk_get(&r, &k) || k.type != MPK_STR || !mpk_get(&r, &v))
			return false;
		if (v.type == MPK_ARRAY || v.type == MPK_MAP)
			return false; /* no call has one */
		take(q, &k, &v);
	}
	return rd_end(&r);
}

/* ---- answers ---- */

static const struct nif *
next_hop_if(const struct engine *e, const struct request *q,
    struct rns_path *path)
{
	return rns_path_get(e->rns, &q->destination, path) ?
	    nif_find(e, path->ifid) : NULL;
}

/* reticulum-transport.md 6.7; 0: no interface is online. */
static uint64_t
lowest_bitrate(const struct engine *e)
{
	const struct nif *n;
	uint64_t low = 0;

	TAILQ_FOREACH(n, &e->ifs, link)
		if (n->id != 0 && n->online && n->cfg.bitrate > 0 &&
		    (low == 0 || n->cfg.bitrate < low))
			low = n->cfg.bitrate;
	return low;
}

static void
get_first_hop_timeout(const struct engine *e, const struct request *q,
    struct wr *w)
{
	struct rns_path path;
	const struct nif *n = next_hop_if(e, q, &path);

	mpk_put_double(w, n != NULL && n->cfg.bitrate > 0 ?
	    RNS_MTU * 8.0 / (double)n->cfg.bitrate + 6 : 6);
}

static void
get_medium_path_timeout(const struct engine *e, const struct request *q,
    struct wr *w)
{
	uint64_t low = lowest_bitrate(e);

	(void)q;
	mpk_put_double(w, low == 0 ? 0 :
	    2 * RNS_MTU * 8.0 / (double)MAX_OF(low, BITRATE_MIN) + 6);
}

static void
get_lowest_bitrate(const struct engine *e, const struct request *q,
    struct wr *w)
{
	uint64_t low = lowest_bitrate(e);

	(void)q;
	if (low == 0)
		mpk_put_nil(w);
	else
		mpk_put_uint(w, low);
}

static void
get_next_hop(const struct engine *e, const struct request *q, struct wr *w)
{
	struct rns_path path;

	if (rns_path_get(e->rns, &q->destination, &path))
		mpk_put_bin(w, HASH_BYTES(path.next_hop));
	else
		mpk_put_nil(w);
}

static void
get_next_hop_if_name(const struct engine *e, const struct request *q,
    struct wr *w)
{
	struct rns_path path;
	const struct nif *n = next_hop_if(e, q, &path);

	/* text, reticulum-transport.md 15.26 */
	mpk_put_str(w, n != NULL ? n->name : "None");
}

static void
get_link_count(const struct engine *e, const struct request *q, struct wr *w)
{
	struct rns_counts c;

	(void)q;
	rns_counts(e->rns, &c);
	mpk_put_uint(w, c.link_table);
}

static void
get_nil(const struct engine *e, const struct request *q, struct wr *w)
{
	(void)e;
	(void)q;
	mpk_put_nil(w);
}

static void
get_is_blackholed(const struct engine *e, const struct request *q,
    struct wr *w)
{
	mpk_put_bool(w, rns_blackholed(e->rns, &q->identity));
}

static const struct {
	const char *name;
	void (*put)(const struct engine *, const struct request *,
	    struct wr *);
	bool destination, identity; /* needs one */
} gets[] = {
	{"first_hop_timeout", get_first_hop_timeout, true, false},
	{"medium_path_timeout", get_medium_path_timeout, false, false},
	{"lowest_interface_bitrate", get_lowest_bitrate, false, false},
	{"next_hop", get_next_hop, true, false},
	{"next_hop_if_name", get_next_hop_if_name, true, false},
	{"link_count", get_link_count, false, false},
	{"is_blackholed", get_is_blackholed, false, true},
	/* nobody here measures signals, nor profiles */
	{"packet_rssi", get_nil, false, false},
	{"packet_snr", get_nil, false, false},
	{"packet_q", get_nil, false, false},
	{"profiling_results", get_nil, false, false},
};

/* Known destinations keep a mark of use: 7.3. */
static void
mark(struct engine *e, const struct request *q, struct wr *w)
{
	struct rns_cmd cmd = {.type = RNS_CMD_KNOWN_ADD};
	struct rns_known k;
	bool used = strcmp(q->destination_data, "used") == 0;

	if (!rns_known_get(e->rns, &q->destination, &k) ||
	    (used && k.used_us < 0)) {
		mpk_put_bool(w, false);
		return;
	}
	cmd.known.dest = k.dest;
	memcpy(cmd.known.public_key, k.public_key, RNS_KEY);
	cmd.known.packet_hash = k.packet_hash;
	cmd.known.app_data = k.app_data;
	cmd.known.app_data_len = k.app_data_len;
	cmd.known.heard_us = k.heard_us;
	cmd.known.used_us = strcmp(q->destination_data, "retain") == 0 ? -1 :
	    clock_wall_us();
	mpk_put_bool(w, engine_submit(e, &cmd) == RNS_OK);
}

static void
drop_path(struct engine *e, const struct request *q, struct wr *w)
{
	struct rns_cmd cmd = {.type = RNS_CMD_PATH_DROP};
	struct rns_path path;
	bool there = rns_path_get(e->rns, &q->destination, &path);

	cmd.hash = q->destination;
	mpk_put_bool(w, there && engine_submit(e, &cmd) == RNS_OK);
}

static bool
wanted(const struct request *q, const struct rns_path *p)
{
	return !q->has_max_hops || p->hops <= q->max_hops;
}

static uint8_t *
path_table(const struct engine *e, const struct request *q, size_t *len)
{
	struct rns_path p;
	const struct nif *n;
	size_t count = 0;
	uint8_t *buf;
	struct wr w;
	bool first;

	EACH_PATH(e->rns, &p, first)
		count += wanted(q, &p);
	if ((buf = malloc(5 + count * PATH_ROW_MAX)) == NULL)
		return NULL;
	w = wr_make(buf, 5 + count * PATH_ROW_MAX);
	mpk_put_array(&w, count);
	EACH_PATH(e->rns, &p, first) {
		if (!wanted(q, &p))
			continue;
		n = nif_find(e, p.ifid);
		mpk_put_map(&w, 6);
		mpk_put_str(&w, "hash");
		mpk_put_bin(&w, HASH_BYTES(p.dest));
		mpk_put_str(&w, "timestamp");
		mpk_put_double(&w, (double)p.learned_us / 1e6);
		mpk_put_str(&w, "via");
		mpk_put_bin(&w, HASH_BYTES(p.next_hop));
		mpk_put_str(&w, "hops");
		mpk_put_uint(&w, p.hops);
		mpk_put_str(&w, "expires");
		mpk_put_double(&w, (double)p.expires_us / 1e6);
		mpk_put_str(&w, "interface");
		mpk_put_str(&w, n != NULL ? n->name : "None");
	}
	*len = w.len;
	if (!wr_ok(&w)) {
		free(buf);
		return NULL;
	}
	return buf;
}

/* false: not one of ours, or a member is missing. */
static bool
small_call(struct engine *e, const struct request *q, struct wr *w)
{
	for (size_t i = 0; i < NELEM(gets); i++) {
		if (strcmp(q->get, gets[i].name) != 0)
			continue;
		if ((gets[i].destination && !q->has_destination) ||
		    (gets[i].identity && !q->has_identity))
			return false;
		gets[i].put(e, q, w);
		return true;
	}
	if (q->destination_data[0] != '\0' && q->has_destination) {
		mark(e, q, w);
		return true;
	}
	if (strcmp(q->drop, "path") == 0 && q->has_destination) {
		drop_path(e, q, w);
		return true;
	}
	return false;
}

uint8_t *
rpc_call(struct engine *e, const uint8_t *p, size_t n, size_t *len)
{
	struct request q;
	uint8_t *buf;
	struct wr w;

	if (!parse(&q, p, n))
		return NULL;
	if (strcmp(q.get, "path_table") == 0)
		return path_table(e, &q, len);
	if (strcmp(q.get, "interface_stats") == 0)
		return rpc_stats(e, len);
	if ((buf = malloc(SMALL_MAX)) == NULL)
		return NULL;
	w = wr_make(buf, SMALL_MAX);
	if (!small_call(e, &q, &w) || !wr_ok(&w)) {
		free(buf);
		return NULL;
	}
	*len = w.len;
	return buf;
}
