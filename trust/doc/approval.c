/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/approval.h"

#include <string.h>

#include "common/wire.h"

#define MAGIC "KP"
#define VERSION 1

_Static_assert(APPROVAL_LEN == FRAME_LEN(APPROVAL_FRAME, 1), "klp.md 6.1");

void
approval_frame(uint8_t out[APPROVAL_FRAME], const struct approval *a)
{
	struct wr w = wr_make(out, APPROVAL_FRAME);

	wr_bytes(&w, MAGIC, 2);
	wr_u8(&w, VERSION);
	wr_bool(&w, a->approve);
	wr_bytes(&w, HASH_BYTES(a->job));
	wr_u32(&w, a->issued);
	wr_u32(&w, a->expires);
}

int
approval_parse(struct approval *a, struct env *e, const uint8_t *buf,
    size_t len, const char **why)
{
	struct rd r = rd_make(buf, len);
	struct approval v;
	uint8_t magic[2], ver;

	*why = "no approval";
	if (!rd_copy(&r, magic, 2) || memcmp(magic, MAGIC, 2) != 0)
		return -1;
	*why = "version or verdict";
	if (!rd_u8(&r, &ver) || ver != VERSION || !rd_bool(&r, &v.approve))
		return -1;
	*why = "too short";
	if (!rd_copy(&r, HASH_BYTES(v.job)) || !rd_u32(&r, &v.issued) ||
	    !rd_u32(&r, &v.expires))
		return -1;
	if (frame_parse(e, TYPE_APPROVAL, buf, len, APPROVAL_FRAME, why) != 0)
		return -1;
	*a = v;
	return 0;
}

const char *
approval_times(const struct approval *a, uint32_t now)
{
	if (a->issued > (uint64_t)now + APPROVAL_EARLY)
		return "issued in the future";
	if (a->expires <= now)
		return "expired";
	if (a->expires <= a->issued)
		return "valid for no time";
	return NULL;
}

bool
approval_sign(uint8_t out[APPROVAL_LEN], const struct approval *a,
    const struct klp_secret *s, const uint8_t aux[32])
{
	uint8_t frame[APPROVAL_FRAME];
	struct env_signed g;
	struct klp_key k;

	approval_frame(frame, a);
	if (!secret_public(&k, s) ||
	    !pae_sign(g.sig, s, TYPE_APPROVAL, frame, sizeof(frame), aux))
		return false;
	key_fp(&g.fp, &k);
	return frame_put(out, APPROVAL_LEN, frame, sizeof(frame), &g, 1) ==
	    APPROVAL_LEN;
}
