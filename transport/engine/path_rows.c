/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/path_rows.h"

#include <stdbool.h>
#include <stdlib.h>

#include "common/mpk.h"
#include "transport/engine/engine.h"
#include "transport/engine/nif.h"

#define PATH_ROW_MAX 480

static bool
wanted(const struct rns_path *p, const struct hash16 *dest, uint64_t max_hops)
{
	return p->hops <= max_hops &&
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
    uint64_t max_hops, size_t *len)
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
