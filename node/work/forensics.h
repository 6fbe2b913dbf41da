/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_FORENSICS_H
#define WARREN_NODE_WORK_FORENSICS_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>
#include <rns/mono.h>

#include "common/ipc_msg.h"

struct job;
struct node;

/*
 * A bundle of evidence of a job, one at a time (audit/bundle.h):
 *
 *   jail makes ready (J_SNAP), the job is frozen, jail copies (J_SNAP_GO), the
 *   job goes on, ends or stays as asked, audit packs and has it signed
 *
 * The job stands still only from J_SNAP_READY to J_SNAPPED. Each answer has a
 * deadline here, so whoever falls meanwhile, no job stands still for it. Of a
 * job that ends before or meanwhile (FX_ENDING) is packed what there is of one
 * that has ended, when it has.
 */
#define REVOKED_SNAPSHOT 2 /* the reason of klp.md 4.6 */
#define FORENSICS_JAIL_S 30 /* jail has 20 of its own for each half */
#define FORENSICS_PACK_S 600
#define FORENSICS_REVOKED_S 4 /* klp.md 4.6: 5 s with a snapshot */
#define FORENSICS_HELD "evidence" /* ruled_by of a job that stays for it */
#define FORENSICS_STAY_S 3600 /* then a job that stays goes on */

enum forensics_then { THEN_RESUME, THEN_KILL, THEN_STAY, THEN_REVOKED };
enum forensics_phase { FX_NONE, FX_READY, FX_TAKING, FX_ENDING, FX_PACKING };

struct forensics {
	enum forensics_phase phase;
	uint8_t kind; /* of trust/doc/bundle.h */
	struct id32 job;
	uint64_t from, to; /* of a trail */
	enum forensics_then then;
	bool froze;	 /* it stands still for this */
	char why[64];
	struct mono until, ends; /* this phase; a revoked job's end */
	uint64_t qid;	 /* of W_BUNDLE, and a number to ask by */
	struct mono hour;
	unsigned in_hour;
	/* the last that is over */
	struct msg_W_BUNDLED last;
};

/*
 * Of a job that runs or has ended; why: for the trail. NULL, and f.qid is its
 * number, or why there will be none.
 */
const char *forensics_job(struct node *, struct job *, enum forensics_then,
    const char *why);
const char *forensics_trail(struct node *, uint64_t from, uint64_t to);
/* A rule has frozen it; with forensics.on_freeze. */
void forensics_ruled(struct node *, struct job *);
/* It is to die: true: with a snapshot first, and then it does. */
bool forensics_revoked(struct node *, struct job *);

void forensics_ready(struct node *, const struct msg_J_SNAP_READY *);
/* true: it is to be packed now, with the snapshot that came. */
bool forensics_snapped(struct node *, const struct msg_J_SNAPPED *);
/* What W_BUNDLE says of this one, but for its descriptors. */
void forensics_pack(struct node *, struct msg_W_BUNDLE *);
void forensics_bundled(struct node *, const struct msg_W_BUNDLED *);
/* A program that it waits for has fallen. */
void forensics_down(struct node *, enum program);
struct mono forensics_tick(struct node *);

#endif
