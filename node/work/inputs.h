/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_INPUTS_H
#define WARREN_NODE_WORK_INPUTS_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/fp.h"
#include "node/work/state.h"

/* What jobs need of blobs, and what becomes of them when those come. */

/*
 * Digests that a job still needs, each volume's once; at most max into out: of
 * one in chunks its list, then the chunks. later: NULL, or the code of busy when
 * it is not known of all what they lack. May refuse the job, when a list is none.
 */
unsigned job_missing(struct node *, const struct job *, struct id32 *out,
    unsigned max, bool *more, const char **later);
/* Is it known of all that this owner has begun what lacks of them? */
bool inputs_settled(struct node *, const struct fp *fp,
    const struct manifest *);
bool job_inputs_here(struct node *, const struct job *);
/*
 * Bytes of inputs of m that this owner has still to send: of chunks that lack,
 * where their list has come, and behind what has come already.
 */
uint64_t inputs_to_come(struct node *, const struct fp *fp,
    const struct manifest *);
/* The same as it travels, compressed: for what is said of the time it takes. */
uint64_t inputs_on_the_way(struct node *, const struct fp *fp,
    const struct manifest *);
/*
 * What the spool does not count yet: without those that have begun to come,
 * which it counts with their full size.
 */
uint64_t inputs_missing_bytes(struct node *, const struct fp *fp,
    const struct manifest *);
/* What waiting jobs of this owner still have to upload counts already. */
uint64_t inputs_promised(struct node *, const struct fp *fp);
/*
 * A blob of this owner has grown, or is whole: jobs that name it wait from now
 * on, and for a slot when it was their last. The scheduler sees them at the
 * end of the turn.
 */
void inputs_came(struct node *, const struct fp *fp,
    const struct id32 *sha, bool whole);
/*
 * A link was busy with a slice of this blob for so long. Jobs that have had more
 * than max_airtime so, and still lack something, are refused. *air_ms: what
 * one of them has had, when it was the last that waits for the blob; else 0.
 */
void inputs_took(struct node *, const struct fp *fp, const struct id32 *sha,
    uint32_t took_ms, uint64_t *air_ms);
/* A volume turned out bad: the jobs that wait for it are refused. */
void inputs_bad(struct node *, const struct fp *fp, const struct id32 *sha,
    const char *why);
/*
 * each(arg, ...) for every blob that a live job or an unexpired result of this
 * owner needs (NULL: of anybody's), once or more often.
 */
typedef void inputs_each_fn(void *arg, const struct fp *fp,
    const struct id32 *sha);
void inputs_needed(struct node *, const struct fp *fp, inputs_each_fn *each,
    void *arg);

#endif
