/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/quota.h"

#include "common/util.h"

#define US UINT64_C(1000000)
/* ours: when a queue moves or a spool empties, nobody can tell */
#define QUOTA_AGAIN_S 60

void
bucket_init(struct bucket *b, uint64_t cap, uint64_t period_s, struct mono now)
{
	*b = (struct bucket){.cap = MIN_OF(cap, (uint64_t)INT64_MAX / 4),
	    .period_s = period_s, .at = now};
	b->level = (int64_t)b->cap;
}

static void
refill(struct bucket *b, struct mono now)
{
	unsigned __int128 got;
	uint64_t dt;

	if (now.us <= b->at.us)
		return;
	dt = (uint64_t)(now.us - b->at.us);
	b->at = now;
	got = (unsigned __int128)dt * b->cap + b->rest;
	b->rest = (uint64_t)(got % (b->period_s * US));
	got /= b->period_s * US;
	/* a debt may be greater than the bucket: compare before adding */
	if (got >= (unsigned __int128)((int64_t)b->cap - b->level)) {
		b->level = (int64_t)b->cap;
		b->rest = 0;
	} else {
		b->level += (int64_t)got;
	}
}

void
bucket_resize(struct bucket *b, uint64_t cap, struct mono now)
{
	refill(b, now);
	b->cap = MIN_OF(cap, (uint64_t)INT64_MAX / 4);
	b->level = MIN_OF(b->level, (int64_t)b->cap);
	b->rest = 0;
}

/* A greater budget is greater at once: what was used is what was used. */
void
bucket_grow(struct bucket *b, uint64_t cap, struct mono now)
{
	uint64_t was = b->cap;

	bucket_resize(b, cap, now);
	if (was != 0 && b->cap > was)
		bucket_return(b, b->cap - was, now);
}

void
bucket_restore(struct bucket *b, uint64_t cap, int64_t level, int64_t ago_us,
    struct mono now)
{
	b->cap = MIN_OF(cap, (uint64_t)INT64_MAX / 4);
	b->level = MAX_OF(MIN_OF(level, (int64_t)b->cap), INT64_MIN / 2);
	b->rest = 0;
	b->at = mono_add(now, -MIN_OF(ago_us, INT64_MAX / 4));
}

void
bucket_take(struct bucket *b, uint64_t units, struct mono now)
{
	if (b->cap == 0)
		return;
	refill(b, now);
	if (units > (uint64_t)(b->level - INT64_MIN / 2))
		b->level = INT64_MIN / 2;
	else
		b->level -= (int64_t)units;
}

void
bucket_return(struct bucket *b, uint64_t units, struct mono now)
{
	if (b->cap == 0)
		return;
	refill(b, now);
	if (units >= (uint64_t)((int64_t)b->cap - b->level))
		b->level = (int64_t)b->cap;
	else
		b->level += (int64_t)units;
}

uint64_t
bucket_left(struct bucket *b, struct mono now)
{
	if (b->cap == 0)
		return UINT64_C(1) << 53;
	refill(b, now);
	return b->level > 0 ? (uint64_t)b->level : 0;
}

/* Microseconds until the level is at least `want`. */
static uint64_t
until(struct bucket *b, int64_t want, struct mono now)
{
	unsigned __int128 need;

	if (b->cap == 0)
		return 0;
	refill(b, now);
	if (b->level >= want)
		return 0;
	need = (unsigned __int128)(want - b->level) * b->period_s * US - b->rest;
	need = (need + b->cap - 1) / b->cap;
	return need > UINT32_MAX * US ? UINT32_MAX * US : (uint64_t)need;
}

uint32_t
bucket_wait(struct bucket *b, uint64_t units, struct mono now)
{
	uint64_t us = until(b, (int64_t)MIN_OF(units, b->cap), now);

	return (uint32_t)((us + US - 1) / US);
}

uint32_t
bucket_full_s(struct bucket *b, struct mono now)
{
	return bucket_wait(b, b->cap, now);
}

uint32_t
bucket_debt_ms(struct bucket *b, struct mono now)
{
	uint64_t us = until(b, 0, now);

	return (uint32_t)MIN_OF((us + 999) / 1000, (uint64_t)UINT32_MAX);
}

uint64_t
quota_unidentified_bytes(uint64_t bytes_per_minute)
{
	uint64_t tenth = bytes_per_minute / 10;

	if (bytes_per_minute == 0 || tenth > QUOTA_UNIDENTIFIED_MAX)
		return QUOTA_UNIDENTIFIED_MAX;
	return MAX_OF(tenth, (uint64_t)1);
}

uint64_t
quota_peer_bytes(uint64_t bytes_per_minute, int level)
{
	if (level >= 1)
		return bytes_per_minute;
	if (level == 0 && bytes_per_minute != 0)
		return MAX_OF(bytes_per_minute / 10, (uint64_t)1);
	if (level == 0)
		return 0;
	return quota_unidentified_bytes(bytes_per_minute);
}

void
quota_init(struct quota *q, const struct quota_caps *c, struct mono now)
{
	bucket_init(&q->jobs, c->jobs_per_hour, 3600, now);
	bucket_init(&q->cpu, c->cpu_seconds_per_day * 1000, 86400, now);
	bucket_init(&q->images, c->image_bytes_per_day, 86400, now);
}

void
quota_resize(struct quota *q, const struct quota_caps *c, struct mono now)
{
	bucket_grow(&q->jobs, c->jobs_per_hour, now);
	bucket_grow(&q->cpu, c->cpu_seconds_per_day * 1000, now);
	bucket_grow(&q->images, c->image_bytes_per_day, now);
}

const char *
quota_name(enum quota_kind k)
{
	static const char *const names[] = {"fits", "jobs_queued",
	    "jobs_per_hour", "cpu_seconds_per_day", "spool"};

	return (unsigned)k < NELEM(names) ? names[k] : "?";
}

struct quota_answer
quota_job(struct quota *q, const struct quota_caps *c, uint32_t queued,
    struct mono now)
{
	uint32_t s;

	if (queued >= c->jobs_queued)
		return (struct quota_answer){
		    QUOTA_JOBS_QUEUED, QUOTA_AGAIN_S, c->jobs_queued,
		    queued + 1};
	if ((s = bucket_wait(&q->jobs, 1, now)) > 0)
		return (struct quota_answer){QUOTA_JOBS_PER_HOUR, s,
		    c->jobs_per_hour, c->jobs_per_hour + 1u};
	if ((s = bucket_wait(&q->cpu, 1, now)) > 0)
		return (struct quota_answer){QUOTA_CPU, s,
		    c->cpu_seconds_per_day,
		    c->cpu_seconds_per_day +
			(uint64_t)(q->cpu.level < 0 ? -q->cpu.level : 0) / 1000};
	return (struct quota_answer){QUOTA_FITS, 0, 0, 0};
}

struct quota_answer
quota_spool(const struct quota_caps *c, uint64_t held, uint64_t more)
{
	if (held > c->spool || more > c->spool - held)
		return (struct quota_answer){QUOTA_SPOOL,
		    more > c->spool ? 0 : QUOTA_AGAIN_S, c->spool,
		    held > UINT64_MAX - more ? UINT64_MAX : held + more};
	return (struct quota_answer){QUOTA_FITS, 0, 0, 0};
}
