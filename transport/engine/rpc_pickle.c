/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/rpc_pickle.h"

#include <string.h>

#include "common/mpk.h"

#define PAIRS_MAX 8  /* ours: members of a request; no call has more than 3 */
#define STACK_MAX 24 /* ours: the map, a mark, the pairs */
#define MEMO_MAX 32  /* ours */

enum opcode { /* reticulum-transport.md 13.7 */
	OP_MARK = 0x28,
	OP_STOP = 0x2e,
	OP_BINBYTES = 0x42,
	OP_SHORT_BINBYTES = 0x43,
	OP_BINFLOAT = 0x47,
	OP_BININT = 0x4a,
	OP_BININT1 = 0x4b,
	OP_BININT2 = 0x4d,
	OP_NONE = 0x4e,
	OP_BINUNICODE = 0x58,
	OP_EMPTY_LIST = 0x5d,
	OP_APPENDS = 0x65,
	OP_BINGET = 0x68,
	OP_SETITEM = 0x73,
	OP_SETITEMS = 0x75,
	OP_EMPTY_DICT = 0x7d,
	OP_PROTO = 0x80,
	OP_NEWTRUE = 0x88,
	OP_NEWFALSE = 0x89,
	OP_LONG1 = 0x8a,
	OP_SHORT_BINUNICODE = 0x8c,
	OP_MEMOIZE = 0x94,
	OP_FRAME = 0x95,
};

bool
pickle_is(const uint8_t *p, size_t n)
{
	return n >= 2 && p[0] == OP_PROTO && (p[1] == 4 || p[1] == 5);
}

/* ---- a request ---- */

struct item {
	enum { ITEM_MAP, ITEM_MARK, ITEM_VALUE } what;
	struct mpk v;
};

struct machine {
	struct item stack[STACK_MAX], memo[MEMO_MAX];
	size_t n, nmemo;
	bool has_map;
	struct {
		struct mpk k, v;
	} pairs[PAIRS_MAX];
	size_t npairs;
};

static bool
push(struct machine *m, const struct item *it)
{
	if (m->n == STACK_MAX)
		return false;
	m->stack[m->n++] = *it;
	return true;
}

static bool
push_value(struct machine *m, const struct mpk *v)
{
	struct item it = {.what = ITEM_VALUE, .v = *v};

	return push(m, &it);
}

static bool
push_map(struct machine *m)
{
	struct item it = {.what = ITEM_MAP};

	if (m->has_map)
		return false;
	m->has_map = true;
	return push(m, &it);
}

/* Texts and bytes behind a length of one byte. */
static bool
push_bytes(struct machine *m, struct rd *r, enum mpk_type type)
{
	struct mpk v = {.type = type};
	uint8_t n;

	if (!rd_u8(r, &n) || !rd_ref(r, &v.p, n))
		return false;
	v.n = n;
	return push_value(m, &v);
}

/* Little-endian, of n bytes; the one of 4 has a sign. */
static bool
push_int(struct machine *m, struct rd *r, size_t n)
{
	struct mpk v = {.type = MPK_UINT};
	const uint8_t *p;
	uint32_t u = 0;

	if (!rd_ref(r, &p, n))
		return false;
	for (size_t i = 0; i < n; i++)
		u |= (uint32_t)p[i] << (8 * i);
	v.u = u;
	if (n == 4 && (int32_t)u < 0) {
		v.type = MPK_INT;
		v.i = (int32_t)u;
	}
	return push_value(m, &v);
}

static bool
memoize(struct machine *m)
{
	if (m->n == 0 || m->nmemo == MEMO_MAX ||
	    m->stack[m->n - 1].what == ITEM_MARK)
		return false;
	m->memo[m->nmemo++] = m->stack[m->n - 1];
	return true;
}

static bool
recall(struct machine *m, struct rd *r)
{
	uint8_t i;

	return rd_u8(r, &i) && i < m->nmemo &&
	    m->memo[i].what == ITEM_VALUE && push(m, &m->memo[i]);
}

/* The values of the stack from `first` on are pairs of the map below. */
static bool
set_items(struct machine *m, size_t first, size_t map)
{
	size_t count = m->n - first;

	if (m->stack[map].what != ITEM_MAP || count % 2 != 0)
		return false;
	for (size_t i = first; i < m->n; i += 2) {
		const struct item *k = &m->stack[i], *v = k + 1;

		if (k->what != ITEM_VALUE || v->what != ITEM_VALUE ||
		    k->v.type != MPK_STR || m->npairs == PAIRS_MAX)
			return false;
		m->pairs[m->npairs].k = k->v;
		m->pairs[m->npairs++].v = v->v;
	}
	m->n = map + 1;
	return true;
}

static bool
set_marked(struct machine *m)
{
	size_t mark = m->n;

	while (mark > 0 && m->stack[mark - 1].what != ITEM_MARK)
		mark--;
	return mark >= 2 && set_items(m, mark, mark - 2);
}

static bool
run(struct machine *m, uint8_t op, struct rd *r)
{
	struct item mark = {.what = ITEM_MARK};
	struct mpk v = {.type = MPK_NIL};

	switch (op) {
	case OP_FRAME:
		return rd_skip(r, 8);
	case OP_EMPTY_DICT:
		return push_map(m);
	case OP_MARK:
		return push(m, &mark);
	case OP_MEMOIZE:
		return memoize(m);
	case OP_BINGET:
		return recall(m, r);
	case OP_SHORT_BINUNICODE:
		return push_bytes(m, r, MPK_STR);
	case OP_SHORT_BINBYTES:
		return push_bytes(m, r, MPK_BIN);
	case OP_NONE:
		return push_value(m, &v);
	case OP_NEWTRUE:
	case OP_NEWFALSE:
		v.type = MPK_BOOL;
		v.b = op == OP_NEWTRUE;
		return push_value(m, &v);
	case OP_BININT1:
		return push_int(m, r, 1);
	case OP_BININT2:
		return push_int(m, r, 2);
	case OP_BININT:
		return push_int(m, r, 4);
	case OP_BINFLOAT:
		v.type = MPK_FLOAT;
		return rd_f64(r, &v.d) && push_value(m, &v);
	case OP_SETITEM:
		return m->n >= 3 && set_items(m, m->n - 2, m->n - 3);
	case OP_SETITEMS:
		return set_marked(m);
	default:
		return false;
	}
}

static void
put_value(struct wr *w, const struct mpk *v)
{
	switch (v->type) {
	case MPK_STR:
		mpk_put_strn(w, (const char *)v->p, v->n);
		break;
	case MPK_BIN:
		mpk_put_bin(w, v->p, v->n);
		break;
	case MPK_BOOL:
		mpk_put_bool(w, v->b);
		break;
	case MPK_UINT:
		mpk_put_uint(w, v->u);
		break;
	case MPK_INT:
		mpk_put_int(w, v->i);
		break;
	case MPK_FLOAT:
		mpk_put_double(w, v->d);
		break;
	default:
		mpk_put_nil(w);
	}
}

bool
pickle_to_mpk(const uint8_t *p, size_t n, struct wr *w)
{
	struct machine m = {.n = 0};
	struct rd r = rd_make(p, n);
	uint8_t op;

	if (!pickle_is(p, n) || !rd_skip(&r, 2))
		return false;
	while (rd_u8(&r, &op) && op != OP_STOP)
		if (!run(&m, op, &r))
			return false;
	if (op != OP_STOP || !rd_end(&r) || m.n != 1 ||
	    m.stack[0].what != ITEM_MAP)
		return false;
	mpk_put_map(w, m.npairs);
	for (size_t i = 0; i < m.npairs; i++) {
		put_value(w, &m.pairs[i].k);
		put_value(w, &m.pairs[i].v);
	}
	return wr_ok(w);
}

/* ---- an answer ---- */

size_t
pickle_max(size_t n)
{
	return 5 * n + 3; /* -1, one byte, is five */
}

static void
put_le(struct wr *w, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		wr_u8(w, (uint8_t)(v >> (8 * i)));
}

static void
put_bytes(struct wr *w, uint8_t op_short, uint8_t op_long, const struct mpk *v)
{
	wr_u8(w, v->n < 256 ? op_short : op_long);
	put_le(w, v->n, v->n < 256 ? 1 : 4);
	wr_bytes(w, v->p, v->n);
}

static void
put_uint(struct wr *w, uint64_t u)
{
	if (u < 256) {
		wr_u8(w, OP_BININT1);
		put_le(w, u, 1);
	} else if (u < 65536) {
		wr_u8(w, OP_BININT2);
		put_le(w, u, 2);
	} else if (u <= INT32_MAX) {
		wr_u8(w, OP_BININT);
		put_le(w, u, 4);
	} else { /* the ninth byte keeps the sign */
		wr_u8(w, OP_LONG1);
		wr_u8(w, 9);
		put_le(w, u, 8);
		wr_u8(w, 0);
	}
}

static void
put_negative(struct wr *w, int64_t i)
{
	if (i >= INT32_MIN) {
		wr_u8(w, OP_BININT);
		put_le(w, (uint64_t)i, 4);
	} else {
		wr_u8(w, OP_LONG1);
		wr_u8(w, 8);
		put_le(w, (uint64_t)i, 8);
	}
}

static void
put_plain(struct wr *w, const struct mpk *v)
{
	switch (v->type) {
	case MPK_STR:
		put_bytes(w, OP_SHORT_BINUNICODE, OP_BINUNICODE, v);
		break;
	case MPK_BIN:
		put_bytes(w, OP_SHORT_BINBYTES, OP_BINBYTES, v);
		break;
	case MPK_BOOL:
		wr_u8(w, v->b ? OP_NEWTRUE : OP_NEWFALSE);
		break;
	case MPK_UINT:
		put_uint(w, v->u);
		break;
	case MPK_INT:
		put_negative(w, v->i);
		break;
	case MPK_FLOAT:
		wr_u8(w, OP_BINFLOAT);
		wr_f64(w, v->d);
		break;
	default:
		wr_u8(w, OP_NONE);
	}
}

static bool
put_any(struct rd *r, struct wr *w, unsigned depth)
{
	struct mpk v;
	size_t n;

	if (depth == MPK_DEPTH || !mpk_get(r, &v) || v.type == MPK_EXT)
		return false;
	if (v.type != MPK_ARRAY && v.type != MPK_MAP) {
		put_plain(w, &v);
		return wr_ok(w);
	}
	wr_u8(w, v.type == MPK_MAP ? OP_EMPTY_DICT : OP_EMPTY_LIST);
	wr_u8(w, OP_MARK);
	n = v.type == MPK_MAP ? 2 * v.n : v.n;
	for (size_t i = 0; i < n; i++)
		if (!put_any(r, w, depth + 1))
			return false;
	wr_u8(w, v.type == MPK_MAP ? OP_SETITEMS : OP_APPENDS);
	return wr_ok(w);
}

bool
pickle_from_mpk(struct rd *r, struct wr *w)
{
	wr_u8(w, OP_PROTO);
	wr_u8(w, 4);
	if (!put_any(r, w, 0))
		return false;
	wr_u8(w, OP_STOP);
	return wr_ok(w);
}
