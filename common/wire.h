/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_WIRE_H
#define WARREN_COMMON_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bounded cursors: the only code that turns bytes into integers. All integers
 * are big-endian. A reader never allocates and never moves past its end: a
 * call that would returns false and leaves the cursor where it was. Chain the
 * calls in one condition and finish with rd_end().
 */
struct rd {
	const uint8_t *p;
	const uint8_t *end;
};

struct rd rd_make(const void *buf, size_t len);
size_t rd_left(const struct rd *);
bool rd_end(const struct rd *); /* nothing left over */
bool rd_u8(struct rd *, uint8_t *);
bool rd_u16(struct rd *, uint16_t *);
bool rd_u24(struct rd *, uint32_t *);
bool rd_u32(struct rd *, uint32_t *);
bool rd_u40(struct rd *, uint64_t *);
bool rd_u64(struct rd *, uint64_t *);
bool rd_i32(struct rd *, int32_t *);
bool rd_i64(struct rd *, int64_t *);
bool rd_f64(struct rd *, double *);
bool rd_bool(struct rd *, bool *); /* a byte that is 0 or 1 */
/* Borrow n bytes of the buffer behind the cursor. */
bool rd_ref(struct rd *, const uint8_t **, size_t n);
bool rd_copy(struct rd *, void *dst, size_t n);
bool rd_skip(struct rd *, size_t n);
bool rd_sub(struct rd *, size_t n, struct rd *inner);
/*
 * A u16 length and as many bytes, copied into dst (capacity cap) with a NUL
 * behind them; false when they hold a NUL or do not fit with it.
 */
bool rd_str(struct rd *, char *dst, size_t cap);

/*
 * A writer fails before it overruns; the failure is sticky and is asked for
 * once, at the end, with wr_ok().
 */
struct wr {
	uint8_t *buf;
	size_t len;
	size_t cap;
	bool failed;
};

struct wr wr_make(void *buf, size_t cap);
bool wr_ok(const struct wr *);
void wr_u8(struct wr *, uint8_t);
void wr_u16(struct wr *, uint16_t);
void wr_u24(struct wr *, uint32_t);
void wr_u32(struct wr *, uint32_t);
void wr_u40(struct wr *, uint64_t);
void wr_u64(struct wr *, uint64_t);
void wr_i32(struct wr *, int32_t);
void wr_i64(struct wr *, int64_t);
void wr_f64(struct wr *, double);
void wr_bool(struct wr *, bool);
void wr_bytes(struct wr *, const void *, size_t);
void wr_zero(struct wr *, size_t n);
void wr_str(struct wr *, const char *); /* as rd_str reads it */
/* Reserve n bytes to be filled in by the caller; NULL when they do not fit. */
uint8_t *wr_room(struct wr *, size_t n);

/* Integers at a place already known to be in bounds; in the hot paths. */
static inline uint16_t
get_u16(const uint8_t *p)
{
	return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

static inline uint32_t
get_u32(const uint8_t *p)
{
	return (uint32_t)get_u16(p) << 16 | get_u16(p + 2);
}

static inline uint64_t
get_u64(const uint8_t *p)
{
	return (uint64_t)get_u32(p) << 32 | get_u32(p + 4);
}

static inline void
put_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void
put_u32(uint8_t *p, uint32_t v)
{
	put_u16(p, (uint16_t)(v >> 16));
	put_u16(p + 2, (uint16_t)v);
}

static inline void
put_u64(uint8_t *p, uint64_t v)
{
	put_u32(p, (uint32_t)(v >> 32));
	put_u32(p + 4, (uint32_t)v);
}

#endif
