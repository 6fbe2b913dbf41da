/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/wire.h"

#include <string.h>

struct rd
rd_make(const void *buf, size_t len)
{
	const uint8_t *p = buf;

	return (struct rd){p, p == NULL ? p : p + len};
}

size_t
rd_left(const struct rd *r)
{
	return (size_t)(r->end - r->p);
}

bool
rd_end(const struct rd *r)
{
	return r->p == r->end;
}

static bool
rd_uint(struct rd *r, uint64_t *out, size_t n)
{
	uint64_t v = 0;

	if (rd_left(r) < n)
		return false;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | r->p[i];
	r->p += n;
	*out = v;
	return true;
}

bool
rd_u8(struct rd *r, uint8_t *out)
{
	uint64_t v;

	if (!rd_uint(r, &v, 1))
		return false;
	*out = (uint8_t)v;
	return true;
}

bool
rd_u16(struct rd *r, uint16_t *out)
{
	uint64_t v;

	if (!rd_uint(r, &v, 2))
		return false;
	*out = (uint16_t)v;
	return true;
}

bool
rd_u24(struct rd *r, uint32_t *out)
{
	uint64_t v;

	if (!rd_uint(r, &v, 3))
		return false;
	*out = (uint32_t)v;
	return true;
}

bool
rd_u32(struct rd *r, uint32_t *out)
{
	uint64_t v;

	if (!rd_uint(r, &v, 4))
		return false;
	*out = (uint32_t)v;
	return true;
}

bool
rd_u40(struct rd *r, uint64_t *out)
{
	return rd_uint(r, out, 5);
}

bool
rd_u64(struct rd *r, uint64_t *out)
{
	return rd_uint(r, out, 8);
}

bool
rd_i32(struct rd *r, int32_t *out)
{
	uint32_t v;

	if (!rd_u32(r, &v))
		return false;
	*out = (int32_t)v;
	return true;
}

bool
rd_i64(struct rd *r, int64_t *out)
{
	uint64_t v;

	if (!rd_u64(r, &v))
		return false;
	*out = (int64_t)v;
	return true;
}

bool
rd_f64(struct rd *r, double *out)
{
	uint64_t v;

	if (!rd_u64(r, &v))
		return false;
	memcpy(out, &v, sizeof(*out));
	return true;
}

bool
rd_bool(struct rd *r, bool *out)
{
	if (rd_left(r) < 1 || r->p[0] > 1)
		return false;
	*out = r->p[0] == 1;
	r->p++;
	return true;
}

bool
rd_ref(struct rd *r, const uint8_t **out, size_t n)
{
	if (rd_left(r) < n)
		return false;
	*out = r->p;
	r->p += n;
	return true;
}

bool
rd_copy(struct rd *r, void *dst, size_t n)
{
	if (rd_left(r) < n)
		return false;
	if (n > 0)
		memcpy(dst, r->p, n);
	r->p += n;
	return true;
}

bool
rd_skip(struct rd *r, size_t n)
{
	if (rd_left(r) < n)
		return false;
	r->p += n;
	return true;
}

bool
rd_sub(struct rd *r, size_t n, struct rd *inner)
{
	if (rd_left(r) < n)
		return false;
	*inner = (struct rd){r->p, r->p + n};
	r->p += n;
	return true;
}

bool
rd_str(struct rd *r, char *dst, size_t cap)
{
	struct rd save = *r;
	uint16_t n;

	if (!rd_u16(r, &n) || n >= cap || rd_left(r) < n ||
	    (n > 0 && memchr(r->p, 0, n) != NULL)) {
		*r = save;
		return false;
	}
	if (n > 0)
		memcpy(dst, r->p, n);
	dst[n] = '\0';
	r->p += n;
	return true;
}

struct wr
wr_make(void *buf, size_t cap)
{
	return (struct wr){buf, 0, cap, false};
}

bool
wr_ok(const struct wr *w)
{
	return !w->failed;
}

uint8_t *
wr_room(struct wr *w, size_t n)
{
	uint8_t *p;

	if (w->failed || w->cap - w->len < n) {
		w->failed = true;
		return NULL;
	}
	p = w->buf + w->len;
	w->len += n;
	return p;
}

static void
wr_uint(struct wr *w, uint64_t v, size_t n)
{
	uint8_t *p = wr_room(w, n);

	if (p == NULL)
		return;
	for (size_t i = n; i > 0; i--) {
		p[i - 1] = (uint8_t)v;
		v >>= 8;
	}
}

void
wr_u8(struct wr *w, uint8_t v)
{
	wr_uint(w, v, 1);
}

void
wr_u16(struct wr *w, uint16_t v)
{
	wr_uint(w, v, 2);
}

void
wr_u24(struct wr *w, uint32_t v)
{
	wr_uint(w, v, 3);
}

void
wr_u32(struct wr *w, uint32_t v)
{
	wr_uint(w, v, 4);
}

void
wr_u40(struct wr *w, uint64_t v)
{
	wr_uint(w, v, 5);
}

void
wr_u64(struct wr *w, uint64_t v)
{
	wr_uint(w, v, 8);
}

void
wr_i32(struct wr *w, int32_t v)
{
	wr_uint(w, (uint32_t)v, 4);
}

void
wr_i64(struct wr *w, int64_t v)
{
	wr_uint(w, (uint64_t)v, 8);
}

void
wr_f64(struct wr *w, double d)
{
	uint64_t v;

	memcpy(&v, &d, sizeof(v));
	wr_uint(w, v, 8);
}

void
wr_bool(struct wr *w, bool v)
{
	wr_uint(w, v ? 1 : 0, 1);
}

void
wr_bytes(struct wr *w, const void *src, size_t n)
{
	uint8_t *p = wr_room(w, n);

	if (p != NULL && n > 0)
		memcpy(p, src, n);
}

void
wr_zero(struct wr *w, size_t n)
{
	uint8_t *p = wr_room(w, n);

	if (p != NULL && n > 0)
		memset(p, 0, n);
}

void
wr_str(struct wr *w, const char *s)
{
	size_t n = strlen(s);

	if (n > UINT16_MAX) {
		w->failed = true;
		return;
	}
	wr_u16(w, (uint16_t)n);
	wr_bytes(w, s, n);
}
