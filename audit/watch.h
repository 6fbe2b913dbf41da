/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_WATCH_H
#define WARREN_AUDIT_WATCH_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "audit/probes.h"
#include "audit/rules.h"
#include "audit/watchdog_line.h"
#include "common/ipc_msg.h"

/*
 * Jobs under watch: the probes are attached while there is one. Records are
 * matched with the rules in the loop; what follows goes to the trail and to
 * node by the calls below.
 */
struct watch;

struct watch_ops {
	void *ctx;
	void (*event)(void *ctx, const struct msg_EVENT *);
	void (*flag)(void *ctx, const struct msg_W_FLAG *);
};

/* probes and rules are the caller's, and stay. NULL: no memory. */
struct watch *watch_new(struct ev_loop *, struct probes *,
    const struct rules *, const struct watch_ops *);
void watch_free(struct watch *);
/* The rules have changed: what is refused at once changes with them. */
void watch_deny(struct watch *); /* NULL is fine */
/*
 * By which tier jobs are watched, and which ones the kernel refused; or why by
 * none of the kernel's, and what the counters do not see.
 */
void watch_posture(const struct watch *, const char *refused,
    struct msg_W_POSTURE *);
/*
 * fds: of enum watch_file, taken; -1: there is none. false: not, or not from
 * its start on.
 */
bool watch_job(struct watch *, const struct msg_W_JOB *,
    const int fds[WATCH_FILES]);
/* What each has done so far, for a watchdog; how many. */
unsigned watch_counts(struct watch *, struct dog_count *, unsigned max);
/* false: it is not one of ours. */
bool watch_over(struct watch *, const struct msg_W_OVER *, struct msg_W_DONE *);
#endif
