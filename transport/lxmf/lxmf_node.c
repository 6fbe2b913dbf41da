/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/lxmf/lxmf_node.h"

#include <rns/rns.h>

#include "common/mpk.h"
#include "transport/core/base/stamp.h"

#define COST_MAX 254 /* as in lxmf.c */
#define ERROR_LEAST 0xf0 /* docs/spec/lxmf.md 4 */
#define ERROR_IDENTITY 0xf0
#define ERROR_ACCESS 0xf1

static bool
get_limit(struct rd *r, uint64_t *out)
{
	double d;

	if (mpk_get_nil(r)) {
		*out = 0;
		return true;
	}
	if (!mpk_get_number(r, &d) || !(d >= 0 && d < 1e15))
		return false;
	*out = (uint64_t)d;
	return true;
}

static bool
get_costs(struct rd *r, struct lxmf_node *out)
{
	uint64_t cost, flexibility;
	struct rd list;
	const uint8_t *p;
	size_t n;

	if (!mpk_value(r, &p, &n))
		return false;
	list = rd_make(p, n);
	if (!mpk_get_array(&list, &n) || n < 2 || !mpk_get_uint(&list, &cost) ||
	    !mpk_get_uint(&list, &flexibility) || cost > COST_MAX ||
	    flexibility > COST_MAX)
		return false;
	out->cost = (unsigned)cost;
	return true;
}

bool
lxmf_node_parse(struct lxmf_node *out, const uint8_t *app_data, size_t n)
{
	struct rd r = rd_make(app_data, n);
	struct lxmf_node got = {0};
	double time;

	if (app_data == NULL || !mpk_get_array(&r, &n) || n < 7 ||
	    !mpk_skip(&r) || !mpk_get_number(&r, &time) ||
	    !mpk_get_bool(&r, &got.active) || !get_limit(&r, &got.message_kb) ||
	    !get_limit(&r, &got.sync_kb) || !get_costs(&r, &got) ||
	    !mpk_skip(&r))
		return false;
	*out = got;
	return true;
}

int
lxmf_node_put(uint8_t *out, size_t *len, size_t cap, double time,
    const uint8_t *sealed, size_t n, const uint8_t *stamp)
{
	struct wr w = wr_make(out, cap);

	mpk_put_array(&w, 2);
	mpk_put_double(&w, time);
	mpk_put_array(&w, 1);
	mpk_put_bin_head(&w, n + STAMP_LEN);
	wr_bytes(&w, sealed, n);
	wr_bytes(&w, stamp, STAMP_LEN);
	if (!wr_ok(&w))
		return RNS_EBIG;
	*len = w.len;
	return RNS_OK;
}

static void
put_ids(struct wr *w, const struct id32 *id, size_t n)
{
	if (id == NULL) {
		mpk_put_nil(w);
		return;
	}
	mpk_put_array(w, n);
	for (size_t i = 0; i < n; i++)
		mpk_put_bin(w, &id[i], sizeof(id[i]));
}

static int
done(const struct wr *w, size_t *len)
{
	if (!wr_ok(w))
		return RNS_EBIG;
	*len = w->len;
	return RNS_OK;
}

int
lxmf_get_list(uint8_t *out, size_t *len, size_t cap)
{
	struct wr w = wr_make(out, cap);

	mpk_put_array(&w, 2);
	mpk_put_nil(&w);
	mpk_put_nil(&w);
	return done(&w, len);
}

int
lxmf_get_pack(uint8_t *out, size_t *len, size_t cap, const struct id32 *want,
    size_t nwant, const struct id32 *have, size_t nhave, uint64_t limit_kb)
{
	struct wr w = wr_make(out, cap);

	mpk_put_array(&w, limit_kb > 0 ? 3 : 2);
	put_ids(&w, want, nwant);
	put_ids(&w, have, nhave);
	if (limit_kb > 0)
		mpk_put_uint(&w, limit_kb);
	return done(&w, len);
}

bool
lxmf_got(enum lxmf_said *said, uint64_t *code, struct lxmf_list *list,
    const uint8_t *p, size_t n)
{
	struct rd r = rd_make(p, n), all;

	*code = 0;
	list->n = 0;
	if (mpk_get_uint(&r, code)) {
		*said = *code == ERROR_IDENTITY ? LXMF_SAID_IDENTITY :
		    *code == ERROR_ACCESS	? LXMF_SAID_ACCESS :
						  LXMF_SAID_OTHER;
		return rd_end(&r) && *code >= ERROR_LEAST;
	}
	all = r;
	if (!mpk_get_array(&r, &list->n) || !mpk_skip(&all) || !rd_end(&all))
		return false;
	/* each a bin: seen here, so that lxmf_list_next() cannot fail */
	list->r = r;
	for (size_t i = 0; i < list->n; i++)
		if (!mpk_get_bin(&r, &p, &n))
			return false;
	*said = LXMF_SAID_LIST;
	return true;
}

bool
lxmf_list_next(struct lxmf_list *l, const uint8_t **p, size_t *n)
{
	if (l->n == 0 || !mpk_get_bin(&l->r, p, n))
		return false;
	l->n--;
	return true;
}
