/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/airqkit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* 1,000 bit/s: a byte is 8 ms */
const struct airtime slow = {.how = AIRTIME_BITS, .paced = true,
    .bitrate = 1000};

struct mono
at(double s)
{
	return (struct mono){(int64_t)(s * 1e6)};
}

bool
put(struct airq *q, enum rns_kind kind, unsigned from, uint8_t dest,
    size_t len, struct mono now)
{
	static uint8_t bytes[2048];
	const struct hash16 d = {{0, 0, 0, dest}};
	const struct rns_tx tx = {.ifid = 1, .from = from, .data = bytes,
	    .len = len, .kind = kind, .dest = &d};

	bytes[0] = dest;
	bytes[1] = (uint8_t)from;
	return airq_put(q, &tx, now);
}

struct airq *
make(const struct airq_conf *c)
{
	struct airq *q = airq_new(c);

	assert_non_null(q);
	airq_medium(q, &slow);
	return q;
}

bool
next(struct airq *q, struct airq_packet *p, struct mono *now)
{
	for (unsigned i = 0; i < 10; i++) {
		struct mono due = airq_due(q, *now);

		if (due.us == INT64_MAX)
			return false;
		if (due.us > now->us)
			*now = due;
		if (airq_next(q, p, *now))
			return true;
	}
	fail_msg("due() says when, and next() has nothing");
	return false;
}
