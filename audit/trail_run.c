/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/trail_run.h"

#include <string.h>

#include "trust/doc/digest.h"

static void
begin(struct trail_run *r, const struct trail_line *l, uint64_t from)
{
	if (r->on)
		return;
	r->on = true;
	r->lines = r->events = 0;
	r->prev = l->prev;
	r->tomb.from = from;
	merkle_init(&r->tree, from - 1);
}

static void
add_event(struct trail_run *r, const struct trail_line *l, const char *text,
    size_t len)
{
	struct id32 leaf;

	begin(r, l, l->seq);
	merkle_leaf(&leaf, text, len);
	(void)merkle_add(&r->tree, 0, &leaf);
	digest_of(&r->tomb.digest, text, len);
	r->tomb.to = l->seq;
	r->events++;
}

static void
add_tomb(struct trail_run *r, const struct trail_line *l)
{
	const struct trail_tomb *t = &l->tomb;
	uint64_t pos = t->from - 1;

	begin(r, l, t->from);
	for (unsigned i = 0; i < t->ntree; i++) {
		unsigned level = merkle_level(pos, t->to);

		(void)merkle_add(&r->tree, level, &t->tree[i]);
		pos += UINT64_C(1) << level;
	}
	r->tomb.digest = t->digest;
	r->tomb.to = t->to;
}

void
trail_run_line(struct trail_run *r, const struct trail_line *l,
    const char *text, size_t len)
{
	if (l->is_tomb)
		add_tomb(r, l);
	else
		add_event(r, l, text, len);
	r->lines++;
}

size_t
trail_run_end(struct trail_run *r, char *out, size_t cap)
{
	r->on = false;
	r->tomb.count = r->tomb.to - r->tomb.from + 1;
	r->tomb.ntree = r->tree.n;
	memcpy(r->tomb.tree, r->tree.hash, sizeof(r->tomb.tree));
	return trail_line_tomb(out, cap, &r->prev, &r->tomb);
}
