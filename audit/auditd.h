/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_AUDITD_H
#define WARREN_AUDIT_AUDITD_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/bundle.h"
#include "audit/counted.h"
#include "audit/hub.h"
#include "audit/integrity_run.h"
#include "audit/ocsf.h"
#include "audit/probes.h"
#include "audit/trail.h"
#include "audit/watch.h"
#include "audit/watchdog_pipe.h"
#include "audit/watchdog_wire.h"
#include "common/program.h"

/* Inside of warren-audit, for auditd.c and keeper.c alone. */
struct held {
	struct msg_EVENT e;
	bool is_run; /* no event, but EVENT_RUN: e has nothing */
	struct msg_EVENT_RUN run;
	enum program from;
};

struct auditd {
	struct process prog;
	struct ev_loop *loop;
	int dir;
	struct trail *trail;
	struct ocsf_source source;
	bool ready; /* the source is as good as it gets */
	bool has_fp; /* ... and has the node's key, which checkpoints name */
	struct held *held;
	size_t nheld;
	ev_timer hold, sync, checkpoint, linger;
	struct counted counted; /* the others' events */
	bool full; /* the last line could not be written */
	uint64_t lost; /* events without a number that were not written */
	/* the last checkpoint, and the one that is asked for */
	uint64_t signed_size;
	bool asked;
	uint64_t asked_size;
	struct id32 asked_root;
	bool has_last; /* what keys signed last; no key to check it with yet */
	struct msg_CHECKPOINT last;
	/* jobs under watch; NULL: there are no probes, and why */
	struct watch *watch;
	struct bundles *bundles;
	struct dogpipe *dog;
	struct dogwire wire;
	const struct rules *rules;
	char unwatched[PROBES_WHY];
	struct hub *hub;
	/* what lies on the disk, and the line that was written last */
	struct integrity_run *integrity;
	bool has_tip, has_key;
	struct id32 tip;
	uint8_t key[32]; /* that checkpoints are signed with */
};

/* ---- keeper.c: lines of the trail, and its checkpoints ---- */

/* The trail's folder from the parent; does not return without it. */
void keeper_open(struct auditd *, struct trail_report *);
void keeper_timers(struct auditd *);
/* What was found is itself in the trail, in the very next line. */
void keeper_report(struct auditd *, const struct trail_report *);
/*
 * A line of this event, or later, once the node's key is known (or will not
 * be); what cannot be written is counted.
 */
void keeper_take(struct auditd *, const struct msg_EVENT *, enum program from);
/* The same for what a program says of the numbers of its events. */
void keeper_run(struct auditd *, const struct msg_EVENT_RUN *,
    enum program from);
struct msg_EVENT keeper_own(uint16_t kind, uint8_t severity, const char *text,
    int64_t v);
/* What waits is written: the source is as good as it gets. */
void keeper_ready(struct auditd *);
/* Whose trail it is. */
void keeper_known(struct auditd *, const struct fp *);
void keeper_signed(struct auditd *, const struct msg_C_SIGNED *);
/* What keys have signed last: is it this trail? */
void keeper_checkpoint(struct auditd *, const struct msg_CHECKPOINT *);
/* Something that a person must see. */
void keeper_alarm(struct auditd *, uint8_t severity, const char *text);

#endif
