/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_EGRESS_PULL_H
#define WARREN_TRUST_EGRESS_PULL_H

#include <ev.h>

#include "common/program.h"
#include "trust/egress/transfer.h"

/*
 * An image of a registry: its manifest, by way of indexes this machine's, then
 * its configuration and layers, a few at a time, into files that the command
 * which asked hands in. What is declared is the bound of what is read, and is
 * held to the operator's ceiling before anything large is asked for. Only an
 * egress that such a command has started is ever asked (node/cli/puller.c).
 */
struct pull;

/*
 * hosts: whom the operator has named, a line each, copied. secret: a sealed
 * memfd, "NAME:PASSWORD", or -1; stays the caller's. asked: the number of the
 * last look-up. NULL: no memory, or a message out of its bounds. PULL_END comes
 * through prog's channel to its parent, maybe before this returns.
 */
struct pull *pull_new(struct ev_loop *, struct transfers *, struct process *prog,
    uint32_t *asked, const struct msg_PULL *, const char *hosts, int secret);
/* A blob's file; takes fd. */
void pull_file(struct pull *, const struct msg_PULL_FILE *, int fd);
/* false: not asked for by it. */
bool pull_looked_up(struct pull *, const struct msg_LOOKED_UP *);
void pull_free(struct pull *); /* NULL is fine */

#endif
