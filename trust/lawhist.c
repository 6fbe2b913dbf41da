/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/wire.h"
#include "trust/doc/delta.h"
#include "trust/lawio.h"

/* The deltas that have brought the list to its version, for others. */
#define HISTORY_MAX 64 /* ours: some 25 kB */
#define HISTORY_BYTES (HISTORY_MAX * (2 + DELTA_BYTES))

void
lawhist_read(struct law *l, const char *name)
{
	if (l->has_history)
		return;
	l->has_history = true;
	l->history = klpdir_history(&l->dir, name, HISTORY_BYTES,
	    &l->history_len);
}

/* Without the first one. */
static void
forget_oldest(struct law *l)
{
	struct rd r = rd_make(l->history, l->history_len), one;
	uint16_t n;
	size_t gone;

	if (!rd_u16(&r, &n) || !rd_sub(&r, n, &one))
		return;
	gone = 2 + (size_t)n;
	memmove(l->history, l->history + gone, l->history_len - gone);
	l->history_len -= gone;
}

void
lawhist_add(struct law *l, const struct law_authority *la,
    const uint8_t *buf, size_t len)
{
	uint8_t *p;
	struct wr w;

	lawhist_read(l, la->a.name);
	while (l->history_len > 0 &&
	    l->history_len + 2 + len > HISTORY_BYTES)
		forget_oldest(l);
	p = realloc(l->history, l->history_len + 2 + len);
	if (p == NULL)
		return; /* others get the list instead */
	l->history = p;
	w = wr_make(p + l->history_len, 2 + len);
	wr_u16(&w, (uint16_t)len);
	wr_bytes(&w, buf, len);
	l->history_len += w.len;
	if (klpdir_keep_history(&l->dir, la->a.name, l->history,
	    l->history_len) < 0)
		log_warn(la->a.name, "a delta cannot be kept for others");
}
