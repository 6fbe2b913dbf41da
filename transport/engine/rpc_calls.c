/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/rpc_calls.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mpk.h"
#include "transport/core/table/stores.h"
#include "transport/engine/engine.h"
#include "transport/engine/holes.h"
#include "transport/engine/nif.h"
#include "transport/engine/path_rows.h"
#include "transport/engine/rpc.h"
#include "transport/engine/rpc_pickle.h"
#include "transport/engine/rpc_request.h"
#include "transport/engine/rpc_stats.h"

#define SMALL_MAX 512 /* every answer but the path table */
#define UNTIL_MOST_S 4e11 /* ours: later is for good */
#define BITRATE_MIN 5 /* reticulum-transport.md 1.1 */

/* ---- answers ---- */

static const struct nif *
next_hop_if(const struct engine *e, const struct rpc_request *q,
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
get_first_hop_timeout(const struct engine *e, const struct rpc_request *q,
    struct wr *w)
{
	struct rns_path path;
	const struct nif *n = next_hop_if(e, q, &path);

	mpk_put_double(w, n != NULL && n->cfg.bitrate > 0 ?
	    RNS_MTU * 8.0 / (double)n->cfg.bitrate + 6 : 6);
}

static void
get_medium_path_timeout(const struct engine *e, const struct rpc_request *q,
    struct wr *w)
{
	uint64_t low = lowest_bitrate(e);

	(void)q;
	mpk_put_double(w, low == 0 ? 0 :
	    2 * RNS_MTU * 8.0 / (double)MAX_OF(low, BITRATE_MIN) + 6);
}

static void
get_lowest_bitrate(const struct engine *e, const struct rpc_request *q,
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
get_next_hop(const struct engine *e, const struct rpc_request *q, struct wr *w)
{
	struct rns_path path;

	if (rns_path_get(e->rns, &q->destination, &path))
		mpk_put_bin(w, HASH_BYTES(path.next_hop));
	else
		mpk_put_nil(w);
}

static void
get_next_hop_if_name(const struct engine *e, const struct rpc_request *q,
    struct wr *w)
{
	struct rns_path path;
	const struct nif *n = next_hop_if(e, q, &path);

	/* text, reticulum-transport.md 15.26 */
	mpk_put_str(w, n != NULL ? n->name : "None");
}

static void
get_link_count(const struct engine *e, const struct rpc_request *q, struct wr *w)
{
	struct rns_counts c;

	(void)q;
	rns_counts(e->rns, &c);
	mpk_put_uint(w, c.link_table);
}

static void
get_active_link_count(const struct engine *e, const struct rpc_request *q,
    struct wr *w)
{
	struct rns_counts c;

	(void)q;
	rns_counts(e->rns, &c);
	mpk_put_uint(w, c.link_table_active);
}

static void
get_nil(const struct engine *e, const struct rpc_request *q, struct wr *w)
{
	(void)e;
	(void)q;
	mpk_put_nil(w);
}

/* reticulum-transport.md 2.10; false: nobody measured it of that packet. */
static bool
signal_of(const struct engine *e, const struct rpc_request *q, uint8_t has,
    struct rns_signal *s)
{
	return q->has_packet && rns_signal_get(e->rns, &q->packet, s) &&
	    (s->has & has) != 0;
}

static void
get_rssi(const struct engine *e, const struct rpc_request *q, struct wr *w)
{
	struct rns_signal s;

	if (signal_of(e, q, RNS_SIGNAL_RSSI, &s))
		mpk_put_int(w, s.rssi);
	else
		mpk_put_nil(w);
}

static void
get_snr(const struct engine *e, const struct rpc_request *q, struct wr *w)
{
	struct rns_signal s;

	if (signal_of(e, q, RNS_SIGNAL_SNR, &s))
		mpk_put_double(w, (double)s.snr);
	else
		mpk_put_nil(w);
}

static void
get_q(const struct engine *e, const struct rpc_request *q, struct wr *w)
{
	struct rns_signal s;

	if (signal_of(e, q, RNS_SIGNAL_Q, &s))
		mpk_put_double(w, nif_quality(&s));
	else
		mpk_put_nil(w);
}

static void
get_is_blackholed(const struct engine *e, const struct rpc_request *q,
    struct wr *w)
{
	mpk_put_bool(w, rns_blackholed(e->rns, &q->identity));
}

static const struct {
	const char *name;
	void (*put)(const struct engine *, const struct rpc_request *,
	    struct wr *);
	bool destination, identity; /* needs one */
} gets[] = {
	{"first_hop_timeout", get_first_hop_timeout, true, false},
	{"medium_path_timeout", get_medium_path_timeout, false, false},
	{"lowest_interface_bitrate", get_lowest_bitrate, false, false},
	{"next_hop", get_next_hop, true, false},
	{"next_hop_if_name", get_next_hop_if_name, true, false},
	{"link_count", get_link_count, false, false},
	{"active_link_count", get_active_link_count, false, false},
	{"is_blackholed", get_is_blackholed, false, true},
	{"packet_rssi", get_rssi, false, false},
	{"packet_snr", get_snr, false, false},
	{"packet_q", get_q, false, false},
	/* nothing here is profiled */
	{"profiling_results", get_nil, false, false},
};

/* ---- what changes something ---- */

/* reticulum-transport.md 7.3; used_us as in struct rns_known. */
static bool
mark_known(struct engine *e, const struct rns_known *k, int64_t used_us)
{
	struct rns_cmd cmd = stores_known_cmd(k);

	cmd.known.used_us = used_us;
	return engine_submit(e, &cmd) == RNS_OK;
}

static void
mark_destination(struct engine *e, const struct rpc_request *q, struct wr *w)
{
	bool used = strcmp(q->destination_data, "used") == 0;
	bool retain = strcmp(q->destination_data, "retain") == 0;
	struct rns_known k;

	mpk_put_bool(w, rns_known_get(e->rns, &q->destination, &k) &&
	    !(used && k.used_us < 0) &&
	    mark_known(e, &k, retain ? -1 : clock_wall_us()));
}

/* All destinations of the identity; false: none is known. */
static void
retain_identity(struct engine *e, const struct rpc_request *q, struct wr *w)
{
	struct rns_known k;
	struct hash16 id;
	bool first, any = false;

	EACH_KNOWN(e->rns, &k, first) {
		rns_identity_hash_of(&id, k.public_key);
		if (hash16_eq(&id, &q->identity))
			any = mark_known(e, &k, -1) || any;
	}
	mpk_put_bool(w, any);
}

static bool
path_drop(struct engine *e, const struct hash16 *dest)
{
	struct rns_cmd cmd = {.type = RNS_CMD_PATH_DROP};

	cmd.hash = *dest;
	return engine_submit(e, &cmd) == RNS_OK;
}

static void
drop_path(struct engine *e, const struct rpc_request *q, struct wr *w)
{
	struct rns_path path;

	mpk_put_bool(w, rns_path_get(e->rns, &q->destination, &path) &&
	    path_drop(e, &q->destination));
}

static void
drop_all_via(struct engine *e, const struct rpc_request *q, struct wr *w)
{
	struct rns_path p;
	uint64_t dropped = 0;
	bool first;

	EACH_PATH(e->rns, &p, first)
		if (hash16_eq(&p.next_hop, &q->destination))
			dropped += path_drop(e, &p.dest);
	mpk_put_uint(w, dropped);
}

static void
drop_announce_queues(struct engine *e, const struct rpc_request *q,
    struct wr *w)
{
	struct rns_cmd cmd = {.type = RNS_CMD_ANNOUNCES_DROP};

	(void)q;
	(void)engine_submit(e, &cmd);
	mpk_put_nil(w);
}

static const struct {
	const char *name;
	void (*put)(struct engine *, const struct rpc_request *, struct wr *);
	bool destination; /* needs one */
} drops[] = {
	{"path", drop_path, true},
	{"all_via", drop_all_via, true},
	{"announce_queues", drop_announce_queues, false},
};

static bool
word_of_data(const char *word)
{
	return strcmp(word, "used") == 0 || strcmp(word, "retain") == 0 ||
	    strcmp(word, "unretain") == 0;
}

/* reticulum-transport.md 7.4: true, nil for one that was so, false. */
static void
blackhole(struct engine *e, const struct rpc_request *q, struct wr *w)
{
	int64_t until = q->until_s > 0 && q->until_s < UNTIL_MOST_S ?
	    (int64_t)(q->until_s * 1e6) : 0;
	enum holes_said said = q->has_blackhole ?
	    holes_add(e->holes, &q->blackhole, until, q->reason,
	    q->reason_len) :
	    holes_del(e->holes, &q->unblackhole);

	if (said == HOLES_WAS_SO)
		mpk_put_nil(w);
	else
		mpk_put_bool(w, said == HOLES_DONE);
}

/* false: not one of these, or a member is missing. */
static bool
change(struct engine *e, const struct rpc_request *q, struct wr *w)
{
	for (size_t i = 0; i < NELEM(drops); i++) {
		if (strcmp(q->drop, drops[i].name) != 0 ||
		    (drops[i].destination && !q->has_destination))
			continue;
		drops[i].put(e, q, w);
		return true;
	}
	if (word_of_data(q->destination_data) && q->has_destination) {
		mark_destination(e, q, w);
		return true;
	}
	if (q->has_blackhole || q->has_unblackhole) {
		blackhole(e, q, w);
		return true;
	}
	if (strcmp(q->identity_data, "retain") == 0 && q->has_identity) {
		retain_identity(e, q, w);
		return true;
	}
	return false;
}

/* ---- a call ---- */

/* false: not one of ours, or a member is missing. */
static bool
small_call(struct engine *e, const struct rpc_request *q, struct wr *w)
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
	return change(e, q, w);
}

static uint8_t *
answer(struct engine *e, const uint8_t *p, size_t n, size_t *len)
{
	struct rpc_request q;
	uint8_t *buf;
	struct wr w;

	if (!rpc_request_parse(&q, p, n))
		return NULL;
	if (strcmp(q.get, "path_table") == 0)
		return path_rows(e, NULL, q.has_max_hops ? q.max_hops :
		    RNS_HOPS_MAX, len);
	if (strcmp(q.get, "blackholed_identities") == 0)
		return holes_pack(e->holes, len);
	if (strcmp(q.get, "interface_stats") == 0)
		return rpc_stats(e, len);
	if (strcmp(q.get, "rate_table") == 0)
		return rate_rows(e, NULL, len);
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

/* Programs on RNS up to 1.3.3 (reticulum-transport.md 13.7). */
static uint8_t *
pickled(struct engine *e, const uint8_t *p, size_t n, size_t *len)
{
	uint8_t request[RPC_REQUEST_MAX], *packed, *buf;
	struct wr w = wr_make(request, sizeof(request));
	struct rd r;

	if (!pickle_to_mpk(p, n, &w) ||
	    (packed = answer(e, request, w.len, len)) == NULL)
		return NULL;
	r = rd_make(packed, *len);
	buf = malloc(pickle_max(*len));
	w = wr_make(buf, buf != NULL ? pickle_max(*len) : 0);
	if (!pickle_from_mpk(&r, &w)) {
		free(buf);
		buf = NULL;
	}
	free(packed);
	*len = w.len;
	return buf;
}

uint8_t *
rpc_call(struct engine *e, const uint8_t *p, size_t n, size_t *len)
{
	if (pickle_is(p, n))
		return pickled(e, p, n, len);
	return answer(e, p, n, len);
}
