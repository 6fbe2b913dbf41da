/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_FRESH_H
#define WARREN_TRUST_DOC_FRESH_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/mono.h>

/*
 * What the age of a document does (klp.md 1.8), and the time that it is
 * measured by (klp.md 1.7). Pure.
 */
enum fresh {
	FRESH_YES,
	FRESH_STALE, /* expired, within grace */
	FRESH_NO,    /* beyond it, or there is none */
};
#define FRESH_AHEAD 300	/* s that an issued may lie ahead */

/* Its own end, that of the head that names it, and the grace in seconds. */
enum fresh fresh_state(uint32_t now, uint32_t head_expires,
    uint32_t doc_expires, uint32_t grace);

/*
 * The level that a trust graph gives: now, and as it was when the graph was
 * fresh last. What is bad of somebody outlives the graph, what is good does
 * not.
 */
int fresh_level(enum fresh, int now, int then);

enum on_stale { STALE_REFUSE_NEW, STALE_WARN, STALE_REFUSE_ALL };
enum fresh_jobs {
	JOBS_TAKEN,
	JOBS_NOT_NEW,	   /* of this peer no new one is taken */
	JOBS_NOT_STARTED, /* ... and none that waits is started */
};
/* Of a peer of this level, which a pin of the operator's has given or not. */
enum fresh_jobs fresh_jobs(enum fresh list, enum on_stale, int level,
    bool pinned);

/*
 * The greatest time that is certain to have passed: a clock that is behind it
 * does not bring back what has expired. Time goes on from there.
 */
struct klp_clock {
	uint32_t floor;
	struct mono since; /* when the floor was right */
	bool untrusted;	   /* the clock was behind it at the last look */
	uint32_t behind;   /* s */
};
uint32_t klp_now(struct klp_clock *, uint32_t wall, struct mono);
/* A time that was read in what is verified, or kept in a file. */
void klp_clock_raise(struct klp_clock *, uint32_t at, struct mono);
/*
 * A person says that the clock of the wall is right: the floor is that, or what
 * was signed if that is later, and never more than it was. true: it is lower.
 */
bool klp_clock_lower(struct klp_clock *, uint32_t wall, uint32_t signed_at,
    struct mono);

#endif
