/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/hubset.h"

#include <string.h>

#include "common/wire.h"

static void
put_file(struct wr *w, const struct hubset_file *f)
{
	wr_u32(w, (uint32_t)(f->p == NULL ? 0 : f->len));
	if (f->p != NULL)
		wr_bytes(w, f->p, f->len);
}

size_t
hubset_put(uint8_t *out, size_t cap, const struct hubset *h)
{
	struct wr w = wr_make(out, cap);

	wr_str(&w, h->url);
	wr_str(&w, h->pin);
	wr_str(&w, h->node);
	put_file(&w, &h->ca);
	put_file(&w, &h->token);
	put_file(&w, &h->cert);
	put_file(&w, &h->key);
	return wr_ok(&w) ? w.len : 0;
}

static bool
get_file(struct rd *r, struct hubset_file *f, size_t max)
{
	uint32_t len;

	if (!rd_u32(r, &len) || len > max || !rd_ref(r, &f->p, len))
		return false;
	f->len = len;
	if (len == 0)
		f->p = NULL;
	return true;
}

bool
hubset_get(struct hubset *h, const uint8_t *text, size_t len)
{
	struct rd r = rd_make(text, len);

	memset(h, 0, sizeof(*h));
	return rd_str(&r, h->url, sizeof(h->url)) &&
	    rd_str(&r, h->pin, sizeof(h->pin)) &&
	    rd_str(&r, h->node, sizeof(h->node)) &&
	    get_file(&r, &h->ca, HUBSET_CA) &&
	    get_file(&r, &h->token, HUBSET_FILE) &&
	    get_file(&r, &h->cert, HUBSET_FILE) &&
	    get_file(&r, &h->key, HUBSET_FILE) && rd_end(&r);
}
