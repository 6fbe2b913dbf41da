/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_JAIL_CELL_TELL_H
#define WARREN_SANDBOX_JAIL_CELL_TELL_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>

#include "sandbox/jail/cell.h"
#include "sandbox/jail/jail.h"

/*
 * What jail tells node of its slots. Without a node, or before its greeting,
 * nothing is sent: cells_tell() makes up for it.
 */

/* A failed send is a node that has gone: the next is told. */
#define TELL(j, name, m, fds, n)                                               \
	do {                                                                   \
		if ((j)->node != NULL && (j)->node_greeted)                    \
			(void)ipc_send_##name((j)->node, m, fds, n);           \
	} while (0)

/* J_FAILED: code of compute.md 4 or 5, why in words. */
void tell_failed(struct jail *, const struct id32 *job, const char *code,
    const char *why);
/* J_EXITED, J_STEP_DONE, J_FORGOTTEN, by what the cell holds; one that is none. */
void tell_exited(struct jail *, const struct cell *);
void tell_step(struct jail *, const struct cell *, bool ok);
void tell_forgotten(struct jail *, const struct cell *);
/* To a new node: J_RUNNING or J_STAGING for each, then J_POSTURE. */
void cells_tell(struct jail *);

#endif
