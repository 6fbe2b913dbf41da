/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/alert.h"

#include <string.h>

#include "common/wire.h"
#include "trust/doc/frame.h"

void
alert_put(uint8_t out[ALERT_FRAME], const struct alert *a)
{
	struct wr w = wr_make(out, ALERT_FRAME);

	wr_bytes(&w, "KA\001", 3);
	wr_u8(&w, a->severity);
	wr_u16(&w, a->class_uid);
	wr_u8(&w, a->activity);
	wr_u8(&w, a->disposition);
	wr_u32(&w, a->time);
	wr_u32(&w, a->seq);
	wr_u16(&w, a->count);
	wr_bytes(&w, a->subject, sizeof(a->subject));
	wr_bytes(&w, a->chain, sizeof(a->chain));
}

bool
alert_sign(uint8_t out[ALERT_SIGNED], const struct alert *a,
    const struct klp_secret *s, const uint8_t aux[32])
{
	uint8_t frame[ALERT_FRAME];
	struct env_signed g;
	struct klp_key k;

	alert_put(frame, a);
	if (!secret_public(&k, s) ||
	    !pae_sign(g.sig, s, TYPE_ALERT, frame, sizeof(frame), aux))
		return false;
	key_fp(&g.fp, &k);
	return frame_put(out, ALERT_SIGNED, frame, sizeof(frame), &g, 1) ==
	    ALERT_SIGNED;
}

const char *
alert_parse(struct alert *a, struct env *e, const void *buf, size_t len)
{
	struct rd r = rd_make(buf, len);
	const uint8_t *magic;
	const char *why;

	memset(a, 0, sizeof(*a));
	memset(e, 0, sizeof(*e));
	if (!rd_ref(&r, &magic, 3) || memcmp(magic, "KA\001", 3) != 0)
		return "no alert";
	if (!rd_u8(&r, &a->severity) || !rd_u16(&r, &a->class_uid) ||
	    !rd_u8(&r, &a->activity) || !rd_u8(&r, &a->disposition) ||
	    !rd_u32(&r, &a->time) || !rd_u32(&r, &a->seq) ||
	    !rd_u16(&r, &a->count) ||
	    !rd_copy(&r, a->subject, sizeof(a->subject)) ||
	    !rd_copy(&r, a->chain, sizeof(a->chain)))
		return "too short";
	if (a->severity < ALERT_SEVERITY || a->severity > 5 || a->count == 0)
		return "no alarm: severity 4 or 5, of one line at least";
	if (rd_end(&r))
		return NULL;
	if (len != ALERT_SIGNED)
		return "neither bare nor with one signature";
	return frame_parse(e, TYPE_ALERT, buf, len, ALERT_FRAME, &why) < 0 ?
	    why : NULL;
}
