/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A log that has grown, from its tiles, which somebody changes on their way: what
 * is taken to its end is what the log has, and proves it. Earlier size, size, a
 * number from which the head is (u16 each but the last, u8); then, a tile after
 * the other, its length in hashes (u16) and changes of a byte (which, by what;
 * by 0 the tile goes out).
 */
#include <stdlib.h>
#include <string.h>

#include "common/wire.h"
#include "tests/unit/logkit.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct id32 hash[4 * TLOG_TILE];

static size_t
next(const struct tlog_walk_tile *t, uint64_t size, struct rd *r)
{
	size_t len = logkit_tile(0, size, t->level, t->n, hash) * 32;
	uint16_t at, wide = 0;
	uint8_t by;

	if (rd_u16(r, &wide) && wide != 0)
		len = wide % (4 * TLOG_TILE * 32 / 8) * 8;
	while (rd_u16(r, &at) && rd_u8(r, &by) && by != 0)
		hash[at % TLOG_TILE].b[at / TLOG_TILE % 32] ^= by;
	return len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct tlog_walk w;
	static struct tlog_growth g;
	static bool made;
	const struct tlog_walk_tile *t;
	struct tlog_head h, old;
	struct rd r = rd_make(p, n);
	uint16_t from, to;
	uint8_t of;

	if (!made)
		logkit_make();
	made = true;
	if (!rd_u16(&r, &from) || !rd_u16(&r, &to) || !rd_u8(&r, &of))
		return 0;
	h = logkit_head(of & 1, to);
	if (!tlog_walk_begin(&w, from, &h))
		return 0;
	while ((t = tlog_walk_next(&w)) != NULL)
		if (tlog_walk_take(&w, hash, next(t, to, &r)) != NULL)
			return 0;
	old = logkit_head(of & 1, from);
	if (!tlog_walk_growth(&w, &g) || !id32_eq(&g.old.root, &old.root) ||
	    !tlog_extends(&old, &h, g.hash, g.n))
		abort();
	return 0;
}
