/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RNS_HASH_H
#define RNS_HASH_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/*
 * What is named by a hash, by its length: a destination, an identity, a link,
 * a request (16 bytes, cut), and a packet, a job, a blob, an image (32 bytes,
 * whole). They are values: assigned, compared by the functions below; their
 * bytes are looked at only where they come from a wire or go to one.
 */
struct hash16 {
	uint8_t b[16];
};

struct id32 {
	uint8_t b[32];
};

/* The two arguments, bytes and their number, of what takes any bytes. */
#define HASH_BYTES(hash) (hash).b, sizeof((hash).b)

/* Eight bytes as a number, so that numbers are in the order of the bytes. */
static inline uint64_t
hash_head(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

/*
 * NAME_eq(); NAME_cmp(), by the order of the bytes; NAME_at() and NAME_into():
 * bytes that lie in a message or a packet, as what they are.
 */
#define HASH_FUNCTIONS(name)                                                   \
	static inline int name##_cmp(                                          \
	    const struct name *x, const struct name *y)                        \
	{                                                                      \
		/* nearly all that differ do so here, and trees ask a lot */   \
		uint64_t v = hash_head(x->b), w = hash_head(y->b);             \
                                                                               \
		if (v != w)                                                    \
			return v < w ? -1 : 1;                                 \
		return memcmp(x->b, y->b, sizeof(x->b));                       \
	}                                                                      \
	static inline bool name##_eq(                                          \
	    const struct name *x, const struct name *y)                        \
	{                                                                      \
		return memcmp(x->b, y->b, sizeof(x->b)) == 0;                  \
	}                                                                      \
	static inline const struct name *name##_at(const void *bytes)          \
	{                                                                      \
		return (const struct name *)bytes;                             \
	}                                                                      \
	static inline struct name *name##_into(void *bytes)                    \
	{                                                                      \
		return (struct name *)bytes;                                   \
	}
HASH_FUNCTIONS(hash16)
HASH_FUNCTIONS(id32)

#endif
