/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_BUNDLE_H
#define WARREN_AUDIT_BUNDLE_H

#include <ev.h>
#include <stdbool.h>

#include "audit/trail.h"
#include "common/ipc_msg.h"
#include "common/program.h"

/*
 * Bundles of evidence, into warren/forensics. Audit makes them: the trail is
 * here, node could alter what it hands over but nothing of that, and keys sign
 * for whoever keeps the record. What comes from a job's slot is a stranger's:
 * it is copied and hashed as bytes, its names are made harmless (bundle_name.h)
 * and it lies beneath job/.
 *
 * One at a time, a piece a turn of the loop. An archive has its name only when
 * it is whole, signed and on the disk; what a crash left is removed at start.
 */
#define BUNDLE_MADE_OF 262144u /* bytes in one turn */
#define BUNDLE_SIGN_S 10.      /* for keys to answer */

struct bundles;

/*
 * The process has the folder among its settings, and channels to keys and node;
 * trail_dir: of the trail. All must outlive it. NULL: out of memory.
 */
struct bundles *bundles_new(struct ev_loop *, struct process *, int trail_dir,
    struct trail *);
/* The node's key and binding, which goes along. */
void bundles_binding(struct bundles *, const struct msg_K_BINDING *);
/* Its descriptors are taken. */
void bundles_make(struct bundles *, const struct msg_W_BUNDLE *,
    struct ipc_in *);
void bundles_signed(struct bundles *, const struct msg_K_BUNDLED *);

#endif
