/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/plan/shape.h"

#include <string.h>

#include "common/util.h"

#define TMP_LEAST 65536u

void
shape_of(struct shape *s, const struct plan *p)
{
	static const struct id32 none;

	memset(s, 0, sizeof(*s));
	s->wasm = p->runtime == PLAN_WASM;
	s->image = s->wasm ? none : p->image;
	s->read_only = p->read_only;
	s->noexec = p->noexec;
	s->tmp_bytes = p->tmp_bytes != 0 ? p->tmp_bytes :
	    MAX_OF(p->memory / 4, (uint64_t)TMP_LEAST);
	s->tmp_inodes = p->tmp_inodes != 0 ? p->tmp_inodes : PLAN_TMP_INODES;
}

bool
shape_eq(const struct shape *a, const struct shape *b)
{
	return id32_eq(&a->image, &b->image) && a->wasm == b->wasm &&
	    a->read_only == b->read_only && a->noexec == b->noexec &&
	    a->tmp_bytes == b->tmp_bytes && a->tmp_inodes == b->tmp_inodes;
}

bool
shape_alone(const struct plan *p)
{
	return p->read_only;
}
