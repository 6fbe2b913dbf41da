/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_WATCHDOG_H
#define WARREN_NODE_PARENT_WATCHDOG_H

/*
 * The watchdog (klp.md 10): its program is started and started again, or it
 * connects to a socket and is who may; audit gets the ends of its pipes. To the
 * model server that node.yaml names, on this machine, it is connected here: its
 * program has no sockets of its own.
 */
struct parent;

/* warren-audit is ready: it hears who watches, and has its pipes anew. */
void watchdog_audit(struct parent *);
/* node.yaml is another. */
void watchdog_reload(struct parent *);
/* The daemon ends. */
void watchdog_stop(struct parent *);
#endif
