/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_WATCHDOG_WIRE_H
#define WARREN_AUDIT_WATCHDOG_WIRE_H

#include "audit/watch.h"
#include "audit/watchdog_pipe.h"
#include "common/program.h"

/* The watchdog's pipes between the trail, node, and jobs under the probes. */
struct dogwire {
	struct process *prog;
	struct watch **watch; /* NULL in it: there are no probes */
	void (*event)(void *ctx, const struct msg_EVENT *);
	void *ctx;
};

/* The wire stays the caller's. Ends the process where there is no memory. */
struct dogpipe *dogwire_open(struct ev_loop *, int dir, struct dogwire *);
#endif
