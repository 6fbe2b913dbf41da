/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_JAIL_JAIL_H
#define WARREN_SANDBOX_JAIL_JAIL_H

/*
 * warren-jail as its parent sees it (THREATS.md 2).
 *
 * Executed from a sealed memfd, as root with all its capabilities or as the
 * starting user without any, in the manner of common/program.h, with these
 * words besides `base`, `level`, `journal`:
 *
 *   slots=N          number of job slots, 1 to JAIL_SLOTS_MAX; they are 1 ... N
 *   images=FD        directory warren/images
 *   stage=FD         directory warren/stage, kept for jail: ro volumes are
 *                    filled beneath it. As root: root's, mode 0711; rootless:
 *                    the user's, 0700. What an earlier jail left is emptied
 *   hand=FD          sealed memfd that holds warren-hand
 *   volume:I=FD      directory of profile volume I, in the order of the index
 *                    that a plan names
 *   lsm=FD           what jobs are labelled by, lsm_read(); absent: nothing
 *   enforce=FD       by which SELinux says whether it enforces, if it is that
 *   wasm:NAME=FD     a file of the runner of modules, of wasm_files[]; without
 *                    all of them there are no modules
 *   cg-jobs=FD       v2 directory jobs/; absent: no v2. jail makes and enters
 *                    its leaf jobs/jail
 *   cg-v1:memory=FD cg-v1:cpu=FD cg-v1:pids=FD   v1 directory jobs/ of a
 *                    controller that v2 does not give; jail makes slot-K in
 *                    each, owned by node, which a job joins, and step-K,
 *                    where the slot's process lives
 *   cg-v1:blkio=FD   where all jobs are, for those that do not begin in jail's
 *
 * With `base` it runs as base + 5, its slots in the group base + 2 of node
 * (they must write cgroup.procs, THREATS.md 4.2), jobs as base + 256 + slot.
 *
 * As root jail makes its own mount, net and ipc namespaces, so it needs none
 * of its parent's doing but the exec.
 *
 * Messages from the parent: PARAMS, JAIL_LIMITS (the ceilings; `slots` there
 * is ignored), START_DONE, then NEIGHBOUR(node), STOP. A later NEIGHBOUR
 * replaces the first; a new node is answered by J_RUNNING for each job that
 * was started and not forgotten, J_STAGING for each that is on its way there,
 * J_FAILED for those that were not started, then J_POSTURE. It forgets those
 * that it does not know. What the old node had asked to pack is asked again.
 * EOF: jail and its jobs end.
 *
 * With node: HELLO first, both ways. Then
 *   J_RUN       -> J_STARTED, or J_FAILED (nothing of the job is left then
 *                  but what J_FORGET removes: send it always). Descriptors:
 *                  args (plan_args_*), filter (sock_filter array), then a blob
 *                  for each job volume in the plan's order, then those of a
 *                  module (plan_wasm_fds()): it is compiled first, in a step
 *                  of its own, where it has no code yet. `ro` and `rw` volumes
 *                  are filled before the start
 *   J_EXITED       when the first process and all others are gone
 *   J_STEP(PACK, volume) -> J_STEP_OPEN (a pipe), then J_STEP_DONE; only
 *                  after J_EXITED, volumes of kind PLAN_VOL_RW, one at a time
 *   J_FREEZE       node has frozen the job's group: its clock stands still
 *   J_KILL         kills what runs of the job now, a step too; the first
 *                  reason is kept and told with the end, to a later node too
 *   J_FORGET    -> J_FORGOTTEN: volumes are cleaned, the slot is free. The
 *                  group must be there until then and gone before the slot's
 *                  next J_RUN
 * The job's v2 group is the directory plan_group_name() beneath jobs/, made by
 * node with its limits set before J_RUN; on v1 the limits are set on slot-K.
 */
#define JAIL_SLOTS_MAX 256
#define JAIL_VOLUMES_MAX 16
#define JAIL_UID 5  /* + base */
#define JAIL_NODE_UID 2
#define JAIL_SLOT_UID 256
#define JAIL_GRACE_MS 10000  /* jail's own clock: after the plan's time */
/* of a slot's own process, and of one step; a runner's beside it */
#define JAIL_SLOT_MEMORY (HAND_ROOM + (16ull << 20))
/* files, folders and links of all ro volumes of a job: inodes of the disk */
#define JAIL_MEMBERS 131072u
#define JAIL_STEP_MS 600000  /* a step that takes longer is killed */

#endif
