/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_JAIL_CELL_LINGER_H
#define WARREN_SANDBOX_JAIL_CELL_LINGER_H

#include "sandbox/jail/cell.h"

/*
 * A job whose other processes are no children of its slot (kind.h, afar) is not
 * over when its first process has ended: they end a moment later. Until then
 * that one is not reaped, and its end is told to nobody.
 */
#define LINGER_LOOK_MS 2    /* ours: until it is looked again */
#define LINGER_MOST_MS 10000 /* ours: then the job is lost, and the slot */

/* Its first process has ended; true: others are there, come again. */
bool cell_lingers(const struct jail *, struct cell *);

#endif
