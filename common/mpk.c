/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/mpk.h"

#include <string.h>

#include <mpack.h>

#include "common/util.h"

/*
 * Maps of more pairs than this are not searched for repeated keys: the search
 * is quadratic, and a hostile map must cost no more than its bytes.
 */
#define UNIQUE_MAX 64

static uint64_t
token_bits(const mpack_token_t *t)
{
	return (uint64_t)t->data.value.hi << 32 | t->data.value.lo;
}

/* Signed forms of 1, 2, 4 and 8 bytes; a positive one is an UINT to us. */
static void
take_sint(struct mpk *v, const mpack_token_t *t)
{
	uint64_t bits = token_bits(t);
	unsigned width = t->length * 8;

	if (width > 0 && width < 64) {
		uint64_t mask = (UINT64_C(1) << width) - 1;

		bits &= mask;
		if ((bits >> (width - 1)) != 0)
			bits |= ~mask;
	}
	if ((bits >> 63) != 0) {
		v->type = MPK_INT;
		memcpy(&v->i, &bits, sizeof(v->i));
	} else {
		v->type = MPK_UINT;
		v->u = bits;
	}
}

static void
take_float(struct mpk *v, const mpack_token_t *t)
{
	uint64_t bits = token_bits(t);
	uint32_t half = t->data.value.lo;
	float f;

	v->type = MPK_FLOAT;
	if (t->length == sizeof(f)) {
		memcpy(&f, &half, sizeof(f));
		v->d = (double)f;
	} else {
		memcpy(&v->d, &bits, sizeof(v->d));
	}
}

static bool
take_bytes(struct mpk *v, const mpack_token_t *t, enum mpk_type type,
    struct rd *r)
{
	v->type = type;
	v->n = t->length;
	if (!rd_ref(r, &v->p, v->n))
		return false;
	return type != MPK_STR || utf8_valid(v->p, v->n);
}

bool
mpk_get(struct rd *r, struct mpk *out)
{
	mpack_tokbuf_t tb = MPACK_TOKBUF_INITIAL_VALUE;
	mpack_token_t t;
	struct rd in = *r;
	struct mpk v;
	const char *p = (const char *)in.p;
	size_t left = rd_left(&in);

	/* mpack_read() must not be called with nothing to read */
	if (left == 0 || mpack_read(&tb, &p, &left, &t) != MPACK_OK ||
	    !rd_skip(&in, rd_left(&in) - left))
		return false;
	switch (t.type) {
	case MPACK_TOKEN_NIL:
		v.type = MPK_NIL;
		break;
	case MPACK_TOKEN_BOOLEAN:
		v.type = MPK_BOOL;
		v.b = t.data.value.lo != 0;
		break;
	case MPACK_TOKEN_UINT:
		v.type = MPK_UINT;
		v.u = token_bits(&t);
		break;
	case MPACK_TOKEN_SINT:
		take_sint(&v, &t);
		break;
	case MPACK_TOKEN_FLOAT:
		take_float(&v, &t);
		break;
	case MPACK_TOKEN_STR:
		if (!take_bytes(&v, &t, MPK_STR, &in))
			return false;
		break;
	case MPACK_TOKEN_BIN:
		if (!take_bytes(&v, &t, MPK_BIN, &in))
			return false;
		break;
	case MPACK_TOKEN_EXT:
		if (!take_bytes(&v, &t, MPK_EXT, &in))
			return false;
		break;
	case MPACK_TOKEN_ARRAY:
	case MPACK_TOKEN_MAP:
		v.type = t.type == MPACK_TOKEN_MAP ? MPK_MAP : MPK_ARRAY;
		v.p = NULL;
		v.n = t.length;
		/* every element has a byte at least */
		if (v.n > rd_left(&in) / (v.type == MPK_MAP ? 2 : 1))
			return false;
		break;
	default:
		return false;
	}
	*out = v;
	*r = in;
	return true;
}

/* A key as far as equality goes; containers by their bytes. */
static bool
same_key(const struct mpk *a, const struct mpk *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case MPK_NIL:
		return true;
	case MPK_BOOL:
		return a->b == b->b;
	case MPK_UINT:
	case MPK_INT:
		return a->u == b->u;
	case MPK_FLOAT:
		return !(a->d < b->d) && !(a->d > b->d);
	default:
		return a->n == b->n &&
		    (a->n == 0 || memcmp(a->p, b->p, a->n) == 0);
	}
}

static bool skip_value(struct rd *, int depth, struct mpk *);

static bool
skip_map(struct rd *r, size_t n, int depth)
{
	struct mpk keys[UNIQUE_MAX];
	bool search = n <= UNIQUE_MAX;

	for (size_t i = 0; i < n; i++) {
		struct mpk *key = &keys[search ? i : 0];

		if (!skip_value(r, depth, key))
			return false;
		for (size_t j = 0; search && j < i; j++) {
			if (same_key(&keys[j], key))
				return false;
		}
		if (!skip_value(r, depth, NULL))
			return false;
	}
	return true;
}

static bool
skip_value(struct rd *r, int depth, struct mpk *out)
{
	const uint8_t *from = r->p;
	struct mpk v;

	if (!mpk_get(r, &v))
		return false;
	if (v.type == MPK_ARRAY || v.type == MPK_MAP) {
		if (depth >= MPK_DEPTH)
			return false;
		if (v.type == MPK_MAP) {
			if (!skip_map(r, v.n, depth + 1))
				return false;
		} else {
			for (size_t i = 0; i < v.n; i++) {
				if (!skip_value(r, depth + 1, NULL))
					return false;
			}
		}
		v.p = from;
		v.n = (size_t)(r->p - from);
	}
	if (out != NULL)
		*out = v;
	return true;
}

bool
mpk_skip(struct rd *r)
{
	struct rd in = *r;

	if (!skip_value(&in, 0, NULL))
		return false;
	*r = in;
	return true;
}

bool
mpk_value(struct rd *r, const uint8_t **p, size_t *n)
{
	const uint8_t *from = r->p;

	if (!mpk_skip(r))
		return false;
	*p = from;
	*n = (size_t)(r->p - from);
	return true;
}

/* The next token when it is of that type, else the cursor stays. */
static bool
get_type(struct rd *r, enum mpk_type type, struct mpk *v)
{
	struct rd in = *r;

	if (!mpk_get(&in, v) || v->type != type)
		return false;
	*r = in;
	return true;
}

bool
mpk_get_nil(struct rd *r)
{
	struct mpk v;

	return get_type(r, MPK_NIL, &v);
}

bool
mpk_get_bool(struct rd *r, bool *out)
{
	struct mpk v;

	if (!get_type(r, MPK_BOOL, &v))
		return false;
	*out = v.b;
	return true;
}

bool
mpk_get_uint(struct rd *r, uint64_t *out)
{
	struct mpk v;

	if (!get_type(r, MPK_UINT, &v))
		return false;
	*out = v.u;
	return true;
}

bool
mpk_get_number(struct rd *r, double *out)
{
	struct rd in = *r;
	struct mpk v;

	if (!mpk_get(&in, &v))
		return false;
	if (v.type == MPK_UINT)
		*out = (double)v.u;
	else if (v.type == MPK_INT)
		*out = (double)v.i;
	else if (v.type == MPK_FLOAT)
		*out = v.d;
	else
		return false;
	*r = in;
	return true;
}

bool
mpk_get_bin(struct rd *r, const uint8_t **p, size_t *n)
{
	struct mpk v;

	if (!get_type(r, MPK_BIN, &v))
		return false;
	*p = v.p;
	*n = v.n;
	return true;
}

bool
mpk_get_bin_exact(struct rd *r, void *dst, size_t n)
{
	struct rd in = *r;
	struct mpk v;

	if (!get_type(&in, MPK_BIN, &v) || v.n != n)
		return false;
	if (n > 0)
		memcpy(dst, v.p, n);
	*r = in;
	return true;
}

bool
mpk_get_str(struct rd *r, const char **p, size_t *n)
{
	struct mpk v;

	if (!get_type(r, MPK_STR, &v))
		return false;
	*p = (const char *)v.p;
	*n = v.n;
	return true;
}

bool
mpk_get_array(struct rd *r, size_t *n)
{
	struct mpk v;

	if (!get_type(r, MPK_ARRAY, &v))
		return false;
	*n = v.n;
	return true;
}

bool
mpk_get_map(struct rd *r, size_t *n)
{
	struct mpk v;

	if (!get_type(r, MPK_MAP, &v))
		return false;
	*n = v.n;
	return true;
}

bool
mpk_str_is(const struct mpk *v, const char *s)
{
	size_t n = strlen(s);

	return v->type == MPK_STR && v->n == n && memcmp(v->p, s, n) == 0;
}

/* ---- writer ---- */

static void
put_token(struct wr *w, mpack_token_t t)
{
	mpack_tokbuf_t tb = MPACK_TOKBUF_INITIAL_VALUE;
	char buf[MPACK_MAX_TOKEN_LEN + 1], *p = buf;
	size_t left = sizeof(buf);

	if (mpack_write(&tb, &p, &left, &t) != MPACK_OK) {
		w->failed = true;
		return;
	}
	wr_bytes(w, buf, sizeof(buf) - left);
}

void
mpk_put_nil(struct wr *w)
{
	put_token(w, mpack_pack_nil());
}

void
mpk_put_bool(struct wr *w, bool v)
{
	put_token(w, mpack_pack_boolean(v ? 1 : 0));
}

void
mpk_put_uint(struct wr *w, uint64_t v)
{
	put_token(w, mpack_pack_uint(v));
}

/*
 * By hand: libmpack 1.0.5 writes -129 as d0 7f, which is 127, and -32769 alike.
 */
void
mpk_put_int(struct wr *w, int64_t v)
{
	if (v >= 0) {
		mpk_put_uint(w, (uint64_t)v);
	} else if (v >= -32) {
		wr_u8(w, (uint8_t)v);
	} else if (v >= INT8_MIN) {
		wr_u8(w, 0xd0);
		wr_u8(w, (uint8_t)v);
	} else if (v >= INT16_MIN) {
		wr_u8(w, 0xd1);
		wr_u16(w, (uint16_t)v);
	} else if (v >= INT32_MIN) {
		wr_u8(w, 0xd2);
		wr_i32(w, (int32_t)v);
	} else {
		wr_u8(w, 0xd3);
		wr_i64(w, v);
	}
}

/* Always eight bytes, as the reference does; libmpack would shorten. */
void
mpk_put_double(struct wr *w, double d)
{
	wr_u8(w, 0xcb);
	wr_f64(w, d);
}

void
mpk_put_strn(struct wr *w, const char *s, size_t n)
{
	if (n > UINT32_MAX) {
		w->failed = true;
		return;
	}
	put_token(w, mpack_pack_str((uint32_t)n));
	wr_bytes(w, s, n);
}

void
mpk_put_str(struct wr *w, const char *s)
{
	mpk_put_strn(w, s, strlen(s));
}

void
mpk_put_bin_head(struct wr *w, size_t n)
{
	if (n > UINT32_MAX) {
		w->failed = true;
		return;
	}
	put_token(w, mpack_pack_bin((uint32_t)n));
}

void
mpk_put_bin(struct wr *w, const void *p, size_t n)
{
	mpk_put_bin_head(w, n);
	wr_bytes(w, p, n);
}

void
mpk_put_array(struct wr *w, size_t n)
{
	if (n > UINT32_MAX) {
		w->failed = true;
		return;
	}
	put_token(w, mpack_pack_array((uint32_t)n));
}

void
mpk_put_map(struct wr *w, size_t n)
{
	if (n > UINT32_MAX) {
		w->failed = true;
		return;
	}
	put_token(w, mpack_pack_map((uint32_t)n));
}

void
mpk_put_raw(struct wr *w, const void *p, size_t n)
{
	wr_bytes(w, p, n);
}
