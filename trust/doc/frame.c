/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/frame.h"

#include <stdio.h>
#include <string.h>

#include "common/wire.h"

static int
refuse(const char **why, const char *text)
{
	*why = text;
	return -1;
}

int
frame_parse(struct env *e, const char *type, const uint8_t *buf, size_t len,
    size_t frame, const char **why)
{
	struct rd r = rd_make(buf, len);
	uint8_t n;

	memset(e, 0, sizeof(*e));
	if (!rd_ref(&r, &e->payload, frame) || !rd_u8(&r, &n))
		return refuse(why, "too short");
	if (n < 1 || n > ENV_SIGS_MAX)
		return refuse(why, "number of signatures");
	for (unsigned i = 0; i < n; i++) {
		struct env_sig *g = &e->sigs[i];

		if (!rd_copy(&r, g->hint.b, FP4_LEN) ||
		    !rd_copy(&r, g->sig, SIG_LEN))
			return refuse(why, "too short");
		g->hint_len = FP4_LEN;
	}
	if (!rd_end(&r))
		return refuse(why, "bytes behind the signatures");
	(void)snprintf(e->type, sizeof(e->type), "%s", type);
	e->payload_len = frame;
	e->nsigs = n;
	return 0;
}

size_t
frame_put(uint8_t *out, size_t cap, const uint8_t *frame, size_t len,
    const struct env_signed *sigs, size_t nsigs)
{
	struct wr w = wr_make(out, cap);

	if (nsigs < 1 || nsigs > ENV_SIGS_MAX)
		return 0;
	wr_bytes(&w, frame, len);
	wr_u8(&w, (uint8_t)nsigs);
	for (size_t i = 0; i < nsigs; i++) {
		wr_bytes(&w, sigs[i].fp.b, FP4_LEN);
		wr_bytes(&w, sigs[i].sig, SIG_LEN);
	}
	return wr_ok(&w) ? w.len : 0;
}
