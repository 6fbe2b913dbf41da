/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_POLICY_H
#define WARREN_NODE_PARENT_POLICY_H

/*
 * The kernel's own policy around jobs (layer lsm): AppArmor's profiles are
 * compiled and loaded by the parent, which alone may, before jail is started;
 * SELinux's module is the operator's to install. Never keeps a start.
 */
struct parent;

/*
 * Into p->fd_lsm, which jail is given: what there is, or why not; where that is
 * SELinux, p->fd_enforce says whether it still refuses what it forbids.
 */
void policy_load(struct parent *);
/*
 * Profiles of ours that others have taken away since are loaded again; at a
 * reload. Which label jobs have, and whether, stays as it was at the start.
 */
void policy_again(struct parent *);
/* What was loaded goes. */
void policy_remove(struct parent *);

#endif
