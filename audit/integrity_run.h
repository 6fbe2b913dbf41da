/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_INTEGRITY_RUN_H
#define WARREN_AUDIT_INTEGRITY_RUN_H

#include <ev.h>

#include "common/program.h"

/*
 * Integrity at work: the pass over everything, at the start and then each so
 * many seconds, and the checks of images that jobs and people wait for. What
 * it finds goes to the trail by the calls below, to the parent as an alarm and
 * to node, which refuses the image.
 */
#define INTEGRITY_EVERY_S 3600
#define INTEGRITY_FIRST_S 2. /* after the start; ours */
#define INTEGRITY_STATE "images" /* beside the trail: what is known of images */

struct integrity_run;

struct integrity_ops {
	void *ctx;
	void (*event)(void *ctx, const struct msg_EVENT *);
	/* what is known of the trail, to compare it with */
	void (*trail)(void *ctx, struct msg_R_TRAIL *);
	/* it is not what it was */
	void (*trail_bad)(void *ctx);
};

/*
 * Between program_connect() and program_confine(): its readers are forked, and
 * warren/images is theirs alone from then on. Fatal on failure.
 */
struct integrity_run *integrity_start(struct process *);
/* dir: warren/trail, to write; how often: SET_INTEGRITY. */
void integrity_open(struct integrity_run *, struct ev_loop *, int dir,
    const struct integrity_ops *);
/* Seconds, as text, from now on; NULL: INTEGRITY_EVERY_S. */
void integrity_every(struct integrity_run *, const char *);
/* node is there: it hears what is held against images. */
void integrity_up(struct integrity_run *);
/* What node asks, and what the parent hands out. */
void integrity_check(struct integrity_run *, const struct msg_I_CHECK *,
    struct ipc_in *);
void integrity_ask(struct integrity_run *, const struct msg_I_PASS *,
    struct ipc_in *);
void integrity_file(struct integrity_run *, const struct msg_I_FILE *,
    struct ipc_in *);
void integrity_files_end(struct integrity_run *,
    const struct msg_I_FILES_END *, struct ipc_in *);
/* The readers end, and it is freed. */
void integrity_close(struct integrity_run *);

#endif
