/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_HOST_LEDGER_H
#define WARREN_NODE_HOST_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/fp.h"
#include "node/work/jobs.h"
#include "node/work/mailbag.h"
#include "node/work/votes.h"

/*
 * What survives: SQLite, WAL, synchronous=FULL, one connection. Writes are
 * remembered here and done together by ledger_commit(), once a turn of the
 * loop; nobody outside may see an effect before it returned 0. When it fails
 * (a full disk) nothing is lost: what was to be written is tried again with
 * the next commit, and the effects wait.
 */
struct ledger;

/*
 * path: a file, made when absent (the umask is 077), or ":memory:". NULL: why says
 * what is wrong, also with a ledger of a later version. A damaged one is
 * never repaired or replaced here.
 */
struct ledger *ledger_open(const char *path, char why[160]);
/* What is pending is not written: ledger_commit() first. NULL is fine. */
void ledger_close(struct ledger *);

/* All jobs, into a table that is empty. The number, or -1. */
int ledger_load(struct ledger *, struct jobs *);

/* With the job's first row: the manifest record and the envelope; copied. */
bool ledger_put_body(struct ledger *, const struct id32 *id,
    const void *manifest, size_t mlen, const void *envelope, size_t elen);
/* The manifest record, free() it; NULL: not here. */
uint8_t *ledger_manifest(struct ledger *, const struct id32 *id, size_t *len);
/*
 * A job that is taken out of the table now; its body too. Until when it could
 * have been sent again is kept: the greatest of all.
 */
bool ledger_forget(struct ledger *, const struct id32 *id, uint32_t not_after);
/* Of that time nothing is known here any more; unix seconds, 0: never. */
uint32_t ledger_forgotten(struct ledger *);
/* It has begun then, and knows of no job before; unix seconds, 0: of old. */
uint32_t ledger_created(struct ledger *);
/* Body only: a job that has ended needs its manifest no more. */
bool ledger_drop_body(struct ledger *, const struct id32 *id);

/* Who owns which blob (compute.md 3.2); used: unix seconds. */
bool ledger_own(struct ledger *, const struct fp *fp,
    const struct id32 *sha, uint64_t size, uint32_t used);
/* Noted for the next commit, as ledger_own(); false: out of memory. */
bool ledger_disown(struct ledger *, const struct fp *fp,
    const struct id32 *sha);
typedef void ledger_own_fn(void *ctx, const struct fp *fp,
    const struct id32 *sha, uint64_t size, uint32_t used);
/* Calls fn for each row of them. 0 or -1. */
int ledger_owned(struct ledger *, ledger_own_fn *, void *ctx);

/* The envelope beside it, as the host's envelope_of(). */
size_t ledger_envelope(struct ledger *, const struct id32 *id, uint8_t *out,
    size_t cap);

/* What was said of a job (votes.h); noted for the next commit. */
bool ledger_put_vote(struct ledger *, const struct vote *);
bool ledger_drop_vote(struct ledger *, const struct vote *);
/* Calls fn for each. 0 or -1. */
int ledger_votes(struct ledger *, void (*fn)(void *ctx, const struct vote *),
    void *ctx);

/* A letter's row (mailbag.h); noted for the next commit. */
bool ledger_put_mail(struct ledger *, const struct mail *);
bool ledger_drop_mail(struct ledger *, const struct id32 *id);
/* Calls fn for each, in the order of their coming. 0 or -1. */
int ledger_mail(struct ledger *, void (*fn)(void *ctx, const struct id32 *id,
    const void *rec, size_t len), void *ctx);

/* Is there anything to write? */
bool ledger_pending(const struct ledger *, const struct jobs *);
/* What there is may wait (jobs_lazy). */
bool ledger_lazy(const struct ledger *, const struct jobs *);
/*
 * Everything that is remembered and every dirty job, in one transaction. 0; or
 * -1: nothing was written and everything is kept. full: whether the disk is
 * the reason. What fails by itself, whatever the disk (a constraint, a damaged
 * page, too large a row), is left out and holds up nothing else: a job whose
 * row or body it is goes to jobs.aside, of other rows the log tells.
 */
int ledger_commit(struct ledger *, struct jobs *, bool *full);
/* What SQLite said of what was left out last. */
const char *ledger_why(const struct ledger *);

#endif
