/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_FINISH_H
#define WARREN_NODE_WORK_FINISH_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>
#include <rns/mono.h>

#include "common/fp.h"
#include "node/work/state.h"

/* A job from J_RUN to its receipt, and what ends it earlier. */
#define NODE_KILL_MS 2000    /* for jail to end a job, then its group is */
#define NODE_TRAIL_MS 1000   /* for the trail's head, then zeros */
#define NODE_SIGN_MS 2000    /* then done without, the receipt follows */
#define NODE_FILL_S 1	     /* look at free space while a job is filled */
#define NODE_ASIDE_S 10	     /* try rows again that could not be written */
#define NODE_RECEIPT_S 30    /* ask for missing receipts again */

/* Behind each change of a state: the trail's line, and what an end frees. */
void finish_changed(struct node *, struct job *, enum job_state old);
/* Ends an active job for that reason; a second reason does not count. */
void finish_kill(struct node *, struct job *, enum kill_reason);
/*
 * It stands still until who or what it is of is listed no more; while its
 * volumes are filled that begins with its start. Where a machine cannot freeze,
 * the safe side is its end.
 */
void finish_suspend(struct node *, struct job *);
/* A job that has not started; why may be NULL. */
void finish_refuse(struct node *, struct job *, const char *code,
    const char *why);
/*
 * The ledger takes no row of it, whatever is tried; unstarted: its J_RUN has
 * not left. false: it was nobody's yet, and is freed.
 */
bool finish_unwritten(struct node *, struct job *, bool unstarted,
    const char *why);
/* Jail is gone, and with it what ran in it. */
void finish_jail_down(struct node *);
/* Limits, kills and signatures whose time has come; when to call again. */
struct mono finish_tick(struct node *);
/* To jail, which need not have such a job. why: enum kill_reason, or 0. */
void finish_send_kill(struct node *, const struct id32 *job, uint8_t why);
/* What jail was to pack it does not: those outputs are lost, and why. */
void finish_unpacked(struct node *, struct job *, const char *why);
/* The job has no slot any more. */
void finish_slot_free(struct node *, struct job *);
/* Jail has something that nobody here waits for: its slot is to be freed. */
void finish_not_ours(struct node *, const struct id32 *job, uint32_t slot);
/* Jail's words about its jobs; of one that is not ours they are counted. */
void finish_started(struct node *, const struct msg_J_STARTED *);
void finish_failed(struct node *, const struct msg_J_FAILED *);
void finish_exited(struct node *, const struct msg_J_EXITED *);
void finish_forgotten(struct node *, const struct msg_J_FORGOTTEN *);
/* What was seen of it has come, or will not (watched.c). */
void finish_watched(struct node *, struct job *);
/* The digests of a job's log are there. */
void finish_log_sealed(struct node *, struct job *);
/* After a restart: one that ended, and whose log was not hashed in time. */
void finish_unsealed(struct node *, struct job *);
/* The trail's head, behind a job's last line: then it is signed. */
void finish_head(struct node *, const struct msg_HEAD *);
void finish_signed(struct node *, const struct msg_K_SIGNED *);
/* Ask for receipts that are missing. */
void finish_receipts(struct node *);
/*
 * A volume's blob, or why not, with the bytes that came until then; then the
 * next one, then the seal.
 */
void finish_packed(struct node *, struct job *, unsigned volume, bool ok,
    const struct id32 *sha, uint64_t size, const struct left *,
    const char *why);
/* Jobs of an owner whose level fell or who was revoked. */
void finish_owner(struct node *, const struct fp *fp, int level,
    bool revoked);

#endif
