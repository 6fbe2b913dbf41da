/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/path_rows.h"

#include <stdbool.h>
#include <stdlib.h>

#include "common/mpk.h"
#include "transport/engine/engine.h"
#include "transport/engine/nif.h"

#define PATH_ROW_MAX 480
#define RATE_ROW_MAX 256
#define EACH_RATE(rns, k, first)                                               \
	for ((first) = true; rns_rate_next(rns,                                \
	    (first) ? &engine_zero : &(k)->dest, first, k); (first) = false)

static bool
wanted(const struct rns_path *p, const struct hash16 *dest, double max_hops)
{
	return (double)p->hops <= max_hops &&
	    (dest == NULL || hash16_eq(&p->dest, dest));
}

static void
put_row(struct wr *w, const struct rns_path *p, const struct nif *n)
{
	mpk_put_map(w, 6);
	mpk_put_str(w, "hash");
	mpk_put_bin(w, HASH_BYTES(p->dest));
	mpk_put_str(w, "timestamp");
	mpk_put_double(w, (double)p->learned_us / 1e6);
	mpk_put_str(w, "via");
	mpk_put_bin(w, HASH_BYTES(p->next_hop));
	mpk_put_str(w, "hops");
	mpk_put_uint(w, p->hops);
	mpk_put_str(w, "expires");
	mpk_put_double(w, (double)p->expires_us / 1e6);
	mpk_put_str(w, "interface");
	mpk_put_str(w, n != NULL ? n->name : "None");
}

uint8_t *
path_rows(const struct engine *e, const struct hash16 *dest,
    double max_hops, size_t *len)
{
	struct rns_path p;
	size_t count = 0;
	uint8_t *buf;
	struct wr w;
	bool first;

	EACH_PATH(e->rns, &p, first)
		count += wanted(&p, dest, max_hops);
	if ((buf = malloc(5 + count * PATH_ROW_MAX)) == NULL)
		return NULL;
	w = wr_make(buf, 5 + count * PATH_ROW_MAX);
	mpk_put_array(&w, count);
	EACH_PATH(e->rns, &p, first)
		if (wanted(&p, dest, max_hops))
			put_row(&w, &p, nif_find(e, p.ifid));
	*len = w.len;
	if (!wr_ok(&w)) {
		free(buf);
		return NULL;
	}
	return buf;
}

/* Unix time as the reference has it: 0 where nothing was. */
static void
put_time(struct wr *w, int64_t us)
{
	mpk_put_double(w, (double)us / 1e6);
}

uint8_t *
rate_rows(const struct engine *e, const struct hash16 *dest, size_t *len)
{
	struct rns_rate k;
	size_t count = 0;
	uint8_t *buf;
	struct wr w;
	bool first;

	EACH_RATE(e->rns, &k, first)
		count += dest == NULL || hash16_eq(&k.dest, dest);
	if ((buf = malloc(5 + count * RATE_ROW_MAX)) == NULL)
		return NULL;
	w = wr_make(buf, 5 + count * RATE_ROW_MAX);
	mpk_put_array(&w, count);
	EACH_RATE(e->rns, &k, first) {
		if (dest != NULL && !hash16_eq(&k.dest, dest))
			continue;
		mpk_put_map(&w, 5);
		mpk_put_str(&w, "hash");
		mpk_put_bin(&w, HASH_BYTES(k.dest));
		mpk_put_str(&w, "last");
		put_time(&w, k.last_us);
		mpk_put_str(&w, "rate_violations");
		mpk_put_uint(&w, k.violations);
		mpk_put_str(&w, "blocked_until");
		put_time(&w, k.blocked_until_us);
		mpk_put_str(&w, "timestamps");
		mpk_put_array(&w, k.count);
		for (unsigned i = 0; i < k.count; i++)
			put_time(&w, k.times_us[i]);
	}
	*len = w.len;
	if (!wr_ok(&w)) {
		free(buf);
		return NULL;
	}
	return buf;
}
