/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_JAIL_CELL_COMPILE_H
#define WARREN_SANDBOX_JAIL_CELL_COMPILE_H

#include <signal.h>

#include "sandbox/jail/cell.h"

/*
 * A module's compilation, before the volumes of its job are filled: a step in
 * the slot's own groups, since its memory is not what the job asked for, with
 * its processor time told to node, who counts it as the job's.
 */

/* Is there anything to compile still? */
bool cell_compile_due(const struct cell *);
/* The step that is asked for next is that: room, clock, descriptors. */
void cell_compile_begin(const struct jail *, struct cell *);
/* It has ended, or never began: its room is taken back. Nothing else: nothing. */
void cell_compile_over(const struct jail *, const struct cell *);
/* It has ended well, and is reaped. */
void cell_compile_end(struct cell *);
/*
 * Reap c->pidfd without waiting, as waitid(); of a compilation what it took is
 * counted, and its room taken back.
 */
int cell_compile_reap(const struct jail *, struct cell *, siginfo_t *);

#endif
