/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_HUBFILES_H
#define WARREN_NODE_PARENT_HUBFILES_H

#include "common/ipc.h"

struct parent;

/*
 * `hub` of node.yaml for those that need it: egress learns where events go
 * and how it shows who it is, audit how many go together, and only the digest
 * of where.
 */
/* Of node.yaml as it is now; what cannot be used is said. 0 or -1 (said). */
int hubfiles_load(struct parent *);
int hubfiles_send_egress(struct parent *, struct ipc *);
int hubfiles_send_audit(struct parent *, struct ipc *);
/* Over the mesh transport asks nobody else for audit. */
int hubfiles_send_transport(struct parent *, struct ipc *);

#endif
