/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/remote.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/mpk.h"
#include "transport/engine/engine.h"
#include "transport/engine/path_rows.h"
#include "transport/engine/rpc_stats.h"

#define TAIL_MAX 16 /* of a status: a count, a nil */

/* ["status" argument]: what is wanted besides the map; not there: no. */
static bool
status_wants(const uint8_t *p, size_t n, bool *links, bool *profiling)
{
	struct rd r = rd_make(p, n);
	size_t count;

	*links = *profiling = false;
	if (!mpk_get_array(&r, &count))
		return false;
	if (count > 0 && !mpk_get_bool(&r, links))
		return false;
	/* nil for no, as some callers have it */
	return count < 2 || mpk_get_bool(&r, profiling) || mpk_get_nil(&r);
}

uint8_t *
remote_status(struct engine *e, const uint8_t *p, size_t n, size_t *len)
{
	_cleanup_free_ uint8_t *map = NULL;
	bool links, profiling;
	struct rns_counts c;
	size_t map_len;
	uint8_t *buf;
	struct wr w;

	if (!status_wants(p, n, &links, &profiling) ||
	    (map = rpc_stats(e, &map_len)) == NULL ||
	    (buf = malloc(map_len + TAIL_MAX)) == NULL)
		return NULL;
	w = wr_make(buf, map_len + TAIL_MAX);
	mpk_put_array(&w, 1u + links + profiling);
	wr_bytes(&w, map, map_len);
	rns_counts(e->rns, &c);
	if (links)
		mpk_put_uint(&w, c.link_table);
	if (profiling)
		mpk_put_nil(&w); /* nobody here measures that */
	*len = w.len;
	return buf;
}

struct path_ask {
	const char *what;
	size_t what_len;
	bool has_dest, has_hops;
	struct hash16 dest;
	uint64_t hops;
};

/* ["table", destination or nil, hops or nil], ["rates", destination or nil] */
static bool
path_ask(struct path_ask *a, const uint8_t *p, size_t n)
{
	struct rd r = rd_make(p, n);
	size_t count;

	memset(a, 0, sizeof(*a));
	if (!mpk_get_array(&r, &count) || count < 1 || count > 3 ||
	    !mpk_get_str(&r, &a->what, &a->what_len))
		return false;
	if (count > 1 && !mpk_get_nil(&r)) {
		if (!mpk_get_bin_exact(&r, HASH_BYTES(a->dest)))
			return false;
		a->has_dest = true;
	}
	if (count > 2 && !mpk_get_nil(&r)) {
		if (!mpk_get_uint(&r, &a->hops))
			return false;
		a->has_hops = true;
	}
	return rd_end(&r);
}

static bool
asks(const struct path_ask *a, const char *word)
{
	return a->what_len == strlen(word) &&
	    memcmp(a->what, word, a->what_len) == 0;
}

uint8_t *
remote_path(struct engine *e, const uint8_t *p, size_t n, size_t *len)
{
	struct path_ask a;

	if (!path_ask(&a, p, n))
		return NULL;
	if (asks(&a, "table"))
		return path_rows(e, a.has_dest ? &a.dest : NULL,
		    a.has_hops ? (double)a.hops : RNS_HOPS_MAX, len);
	if (asks(&a, "rates"))
		return rate_rows(e, a.has_dest ? &a.dest : NULL, len);
	return NULL;
}
