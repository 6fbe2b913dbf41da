/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/table/loss.h"

#include "common/util.h"

static void
loss_age(struct loss *l, struct mono now)
{
	int64_t halves = mono_sub(now, l->at) / LOSS_HALF_US;

	if (halves <= 0)
		return;
	l->at = mono_add(l->at, halves * LOSS_HALF_US);
	l->of = halves < 32 ? l->of >> halves : 0;
	l->lost = halves < 32 ? l->lost >> halves : 0;
}

/* LOSS_UNIT a frame: how many of a packet's are lost when it is lost. */
static uint32_t
lost_frames(const struct loss *l, uint32_t frames)
{
	double p = l->of > 0 ? (double)l->lost / l->of : 0, whole = 1;

	if (frames <= 1 || p < 0.001)
		return LOSS_UNIT;
	for (uint32_t i = 0; i < frames; i++)
		whole *= 1 - p;
	return (uint32_t)(LOSS_UNIT * frames * p / (1 - whole) + 0.5);
}

void
loss_count(struct loss *l, uint32_t frames, uint32_t of, uint32_t lost,
    struct mono now)
{
	frames = MIN_OF(MAX_OF(frames, 1u), LOSS_FRAMES);
	of = MIN_OF(of, LOSS_MOST);
	lost = MIN_OF(lost, of);
	if (l->of == 0)
		l->at = now;
	loss_age(l, now);
	lost *= lost_frames(l, frames);
	l->of += of * frames * LOSS_UNIT;
	l->lost += lost;
	while (l->of > LOSS_MOST * LOSS_UNIT) {
		l->of /= 2;
		l->lost /= 2;
	}
}

/* Of thousand, as if `weight` frames with `before` had been seen first. */
static uint32_t
permille(struct loss l, uint32_t before, uint32_t weight, struct mono now)
{
	uint64_t of, lost;

	loss_age(&l, now);
	of = (uint64_t)l.of + weight * LOSS_UNIT;
	lost = (uint64_t)l.lost * 1000 + (uint64_t)before * weight * LOSS_UNIT;
	return (uint32_t)((lost + of / 2) / of);
}

uint32_t
loss_permille(const struct loss *l, const struct loss *whole, struct mono now)
{
	return whole == NULL ? permille(*l, 0, LOSS_DOUBT, now) :
	    permille(*l, permille(*whole, 0, LOSS_DOUBT, now), LOSS_BEFORE,
		now);
}
