/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_JAIL_CELL_H
#define WARREN_SANDBOX_JAIL_CELL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <rns/hash.h>
#include <rns/mono.h>

#include "common/ipc.h"
#include "common/ipc_msg.h"
#include "sandbox/base/group.h"
#include "sandbox/jail/cell_state.h"
#include "sandbox/plan/plan.h"

/* What bounds the slot's own groups: three of memory, then of processors. */
enum { ROOM_CPU = 3, ROOM_CPU_V1, ROOMS };

/* A snapshot of the job that runs in a cell; beside whatever else it does. */
struct cell_snap {
	bool asked;	    /* the slot, whose answer has not come */
	int pidfd, report;  /* of who takes it; -1: nobody does */
	int go;		    /* a byte there: the job stands still */
	int memory;	    /* what is filled */
	bool told;	    /* how it ended */
	struct mono deadline;
	int room[ROOMS]; /* files of those limits; -1 */
	uint64_t kept; /* what they were set to for it; 0: nothing */
};

/* What its slot prepares while it is free (cell_warm.h, member.h). */
struct cell_warm {
	bool asked;	   /* the slot, whose answer has not come */
	bool ready;	   /* it is there */
	bool called_off;   /* who builds it is to end, and leaves nothing */
	bool told;	   /* why there is none */
	int pidfd, report; /* of who builds it; -1: nobody does */
	struct mono due;   /* when it is begun; 0: not at all */
	struct mono until; /* when what is built is killed, what is there goes */
	struct mono owed;  /* SLOT_COOL, which it did not take: again then; 0 */
	bool owed_forget;
};

/*
 * A cell is a slot as jail sees it, with the job in it: what has been asked,
 * what runs, what is told to node.
 */
struct cell {
	uint32_t number;
	struct cell_life life;
	int ctl; /* of the slot's process */

	struct id32 job;
	struct plan plan;
	struct id32 policy;
	uint32_t layers, group_layers;
	char group[PLAN_GROUP_MAX];
	char old_group[PLAN_GROUP_MAX]; /* of the job before: must be gone */
	int blobs[PLAN_VOLUMES_ALL];
	/* of a module: itself, where its code goes, its code to read; or -1 */
	int module, code_w, code_r;
	bool compiling;         /* what runs now is that */
	uint32_t compile_ms;    /* processor time that it took */
	int out, err;           /* read ends: copies for another node */
	int out_w, err_w;       /* until the start */
	int job_pidfd;

	int pidfd, report;      /* of the child that runs now */
	int step, volume;
	uint32_t members;       /* of all ro volumes so far */
	bool ready;             /* REPORT_READY has come */
	bool asked;             /* for a child, whose descriptor has not come */
	bool started, exited, failed; /* exited: reaped, and nothing is left */
	bool lost;              /* its slot's process is gone; it runs on */
	bool outlived;          /* ... reaped, and something is left */
	bool said;              /* how it ended, by its own first process */
	bool staged[PLAN_VOLUMES_ALL]; /* something may be there to clean */
	bool forget;            /* asked while something still ran */
	bool kill;              /* the job, until its slot is free */
	bool kill_step;         /* what runs behind it now */
	bool timed_out;         /* by our clock */
	uint8_t killed_for;     /* the first reason that reached it; 0 */
	bool orphan;            /* who asked for its packing is gone */
	int again;              /* orphan: what the next one asks; -1 */
	struct mono began, ended; /* of the command; ended: 0, it runs */
	uint8_t how;
	int32_t code;
	bool hand_ok;           /* REPORT_HAND has come and says so */
	struct left left;
	char why[257], fail_code[33];
	struct mono deadline;   /* when what runs is killed */
	struct mono linger;     /* when its pidfd is looked at again; 0: now */
	struct mono lingers_since; /* ... and since when (cell_linger.h) */
	struct mono frozen;     /* its clock stands still since then; or 0 */
	struct cell_snap snap;
	struct cell_warm warm;
};

/* By node's word (J_WARM), and how starts went since then. */
struct pool {
	bool on;
	uint32_t idle_s;
	char why[128]; /* none was prepared, the last time */
	struct msg_J_POOL count;
};

/* What cells share. */
struct jail {
	bool root;
	uint32_t nslots;
	struct cell *cells;
	struct plan_limits limits;
	struct group_dirs groups;
	char missing[512];
	uint32_t inherited; /* LAYERS_INHERITED that all slots have */
	int enforce; /* jail_lsm_now() */
	const struct jail_kind *kind;
	struct pool pool;
	struct process *program;
	struct ipc *parent, *node;
	bool node_greeted;
};

/* A free cell; its life goes on. ctl: taken. */
void cell_init(struct cell *, uint32_t number, int ctl);

/* Messages of node; descriptors are taken from the ipc_in. */
void cells_run(struct jail *, const struct msg_J_RUN *, struct ipc_in *);
void cells_step(struct jail *, const struct msg_J_STEP *);
/* why: of enum kill_reason; 0: nobody's word */
void cells_kill(struct jail *, const struct id32 *job, uint8_t why);
/* Its clock stands still, or goes on: node has frozen its group. */
void cells_freeze(struct jail *, const struct id32 *job, bool on);
void cells_forget(struct jail *, const struct id32 *job);
/* The node is gone: what it has asked for is nobody's. */
void cells_orphan(struct jail *);

/* Something to read on these descriptors of the cell. */
void cell_on_ctl(struct jail *, struct cell *);
void cell_on_report(struct jail *, struct cell *);
void cell_on_pidfd(struct jail *, struct cell *);
/* Kill what is over its time. */
void cell_tick(struct jail *, struct cell *, struct mono now);

#endif
