/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RNS_MONO_H
#define RNS_MONO_H

#include <stdbool.h>
#include <stdint.h>

/* A point on a clock that never runs backwards, in microseconds. */
struct mono {
	int64_t us;
};

#define MONO_NEVER ((struct mono){INT64_MAX})
#define MONO_SECOND INT64_C(1000000)

static inline struct mono
mono_add(struct mono t, int64_t us)
{
	if (t.us == INT64_MAX || us > INT64_MAX - (t.us > 0 ? t.us : 0))
		return MONO_NEVER;
	return (struct mono){t.us + us};
}

static inline int64_t
mono_sub(struct mono a, struct mono b)
{
	return a.us - b.us;
}

static inline bool
mono_reached(struct mono now, struct mono at)
{
	return now.us >= at.us;
}

static inline struct mono
mono_min(struct mono a, struct mono b)
{
	return a.us < b.us ? a : b;
}

/* Seconds as the protocol counts them, to microseconds; saturates. */
static inline int64_t
mono_seconds(double s)
{
	if (!(s > 0))
		return 0;
	if (s >= 9.0e12)
		return INT64_MAX;
	return (int64_t)(s * 1e6);
}

#endif
