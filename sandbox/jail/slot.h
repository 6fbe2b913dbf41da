/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_JAIL_SLOT_H
#define WARREN_SANDBOX_JAIL_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sandbox/jail/jail.h"
#include "sandbox/plan/lsm.h"
#include "sandbox/plan/plan.h"
#include "sandbox/base/basefilter.h"

/*
 * A slot: a user namespace that maps one id, and one process of jail that
 * lives in it and clones jobs and steps there, as children of jail. It is made
 * while jail is still root, has the next job's net, ipc and uts namespaces ready
 * and holds the tmpfs of the present job's volumes. How its children come to be:
 * birth.h.
 */
struct slot_setup {
	uint32_t number;
	bool root;
	uint32_t base; /* of the ids */
	int stage;     /* warren/stage */
	int hand;
	int v1[3];     /* the job's groups of v1's controllers */
	int own[3];    /* ... and the slot's own */
	unsigned nv1;
	int blkio;     /* of jobs that do not begin in jail's; -1: none */
	int step_group; /* v2, of steps behind the job; -1: none */
	uint64_t file_max; /* fs.file-max */
	uint32_t slots;    /* in all */
	bool memory_group; /* somebody limits memory by a group */
	const struct filter *never, *job, *snapshot, *seal;
	/* rootless: the base is built in here */
	const struct base_dirs *dirs;
	const struct jail_kind *kind;
	const struct lsm *lsm;
};

/*
 * Make it: the process's pid, the control socket (SEQPACKET) in *ctl, and which
 * LAYERS_INHERITED it has. -1 with errno and *what.
 */
pid_t slot_start(const struct slot_setup *, int *ctl, uint32_t *layers,
    const char **what);

/*
 * Build a sandbox for nobody in it, and take it down. 0 and its word, or -1
 * with errno and *what this machine refuses. Only before it has had a plan; waits
 * for ms.
 */
struct report;
int slot_try(int ctl, uint64_t ms, struct report *said, const char **what);

/*
 * Messages to a slot; type u8, step u8, volume u8, then the plan, or of a step
 * how many members it may fill in, u32.
 */
#define SLOT_ASK 7
enum slot_msg {
	SLOT_PLAN = 1, /* fds: args, filter, and the job's group if it has one */
	SLOT_STEP = 2, /* fds: report, in, out */
	SLOT_GO = 3,   /* fds: report, out, err; of a module its code */
	SLOT_FORGET = 4,
	SLOT_TRY = 5,  /* fds: report */
	SLOT_SNAP = 6, /* fds: report, in, out; what and how many bytes */
	SLOT_WARM = 7, /* fds: report; a root like the last job's (member.h) */
	SLOT_COOL = 8, /* nothing prepared stays; for step 1 nothing may be
			* before another job; no answer */
};
#define SLOT_SNAP_LEN 11 /* type, what, 0, bytes u64 */
/* Answers: type u8, then text. */
enum slot_answer {
	SLOT_CHILD = 1, /* fd: pidfd; of STEP, GO, SNAP and WARM;
			 * text of GO: enum member_how */
	SLOT_FAILED = 2,/* text: why; of PLAN, STEP, GO, SNAP and WARM */
	/* of FORGET: text is empty, or why it is not free; first: the layers */
	SLOT_FREE = 3,
};
#define SLOT_MSG_MAX (3 + PLAN_BYTES_MAX)
#define SLOT_FDS_MAX 4

/* Descriptors stay the caller's. 0, or -1 with errno. */
int slot_send(int ctl, const void *, size_t, const int *fds, unsigned nfds);
/* The same on a socket that a stranger made: EAGAIN where it is full. */
int slot_send_now(int to, const void *, size_t, const int *fds, unsigned nfds);
/* Length, 0: closed, -1 (EAGAIN). fds not filled are -1; close-on-exec. */
ssize_t slot_recv(int ctl, void *, size_t cap, int fds[SLOT_FDS_MAX]);

#endif
