/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_QUOTA_H
#define WARREN_NODE_WORK_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/mono.h>

/*
 * Budgets of a peer (compute.md 4 step 6, and 6). Pure: amounts and time in,
 * seconds to wait out. A bucket may be overdrawn by what was already accepted
 * (a slice that has come, an answer that is owed); then its owner waits until
 * it is above zero again, so no budget can starve a request for ever.
 */
struct bucket {
	uint64_t cap;	   /* units; 0: no limit */
	uint64_t period_s; /* in which cap units come back */
	int64_t level;	   /* units, at most cap; negative: a debt */
	uint64_t rest;	   /* of a unit, in units * us */
	struct mono at;
};

void bucket_init(struct bucket *, uint64_t cap, uint64_t period_s,
    struct mono now);
/* One that was kept, and was at this level so long ago. */
void bucket_restore(struct bucket *, uint64_t cap, int64_t level,
    int64_t ago_us, struct mono now);
/* A changed setting: the level is cut, a debt stays. */
void bucket_resize(struct bucket *, uint64_t cap, struct mono now);
/* The same, and what it is greater is there at once. */
void bucket_grow(struct bucket *, uint64_t cap, struct mono now);
/* Charge units, whatever is there. */
void bucket_take(struct bucket *, uint64_t units, struct mono now);
/* Give back what was charged and not used. */
void bucket_return(struct bucket *, uint64_t units, struct mono now);
uint64_t bucket_left(struct bucket *, struct mono now); /* 0 in debt */
/*
 * Seconds (rounded up, at least 1) until `units` (at most cap) can be taken;
 * 0: now.
 */
uint32_t bucket_wait(struct bucket *, uint64_t units, struct mono now);
/* Seconds, rounded up, until it is full again; 0: it is, or has no limit. */
uint32_t bucket_full_s(struct bucket *, struct mono now);
/* Milliseconds until it is out of debt; 0: it is. */
uint32_t bucket_debt_ms(struct bucket *, struct mono now);

/* ---- links without identification share one bucket (6) ---- */
#define QUOTA_UNIDENTIFIED_MAX (64u * 1024) /* bytes a minute, all together */
#define QUOTA_UNIDENTIFIED_REQUESTS 8	    /* per link and minute */
uint64_t quota_unidentified_bytes(uint64_t bytes_per_minute);
/* A peer's own bytes per minute by its level (klp.md 3.8). */
uint64_t quota_peer_bytes(uint64_t bytes_per_minute, int level);

/* ---- an owner of jobs: a fingerprint ---- */
struct quota_caps {
	uint32_t jobs_queued, jobs_per_hour;
	uint64_t cpu_seconds_per_day;
	uint64_t spool;
	uint64_t image_bytes_per_day; /* 0: none is served */
};
struct quota {
	struct bucket jobs; /* per hour */
	struct bucket cpu;  /* ms per day */
	struct bucket images; /* bytes per day */
};
void quota_init(struct quota *, const struct quota_caps *, struct mono now);
/* Changed settings; what was used stays used. */
void quota_resize(struct quota *, const struct quota_caps *, struct mono now);

enum quota_kind {
	QUOTA_FITS,
	QUOTA_JOBS_QUEUED,
	QUOTA_JOBS_PER_HOUR,
	QUOTA_CPU,
	QUOTA_SPOOL,
};
const char *quota_name(enum quota_kind); /* "jobs_queued", ... */
struct quota_answer {
	enum quota_kind kind;
	uint32_t s; /* until it fits; 0: not known, when a job ends */
	uint64_t limit, value;
};
/* Another job of an owner who has so many waiting. */
struct quota_answer quota_job(struct quota *, const struct quota_caps *,
    uint32_t queued, struct mono now);
/* More bytes of input for an owner who holds so many. */
struct quota_answer quota_spool(const struct quota_caps *, uint64_t held,
    uint64_t more);

#endif
