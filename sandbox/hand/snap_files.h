/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_HAND_SNAP_FILES_H
#define WARREN_SANDBOX_HAND_SNAP_FILES_H

#include <stdint.h>
#include <sys/types.h>

#include "sandbox/hand/snap_store.h"
#include "sandbox/hand/snap_text.h"

/*
 * What a job has written: what lies in its tmpfs mounts, by the mounts of one of
 * its processes, and, where its root may be written to, how that differs from
 * the image: what is new or changed, and 'w' for a name that it has taken away.
 * Contents as long as most lasts; all names go into list, one a line, escaped.
 */
#define SNAP_FILES_MAX 16384u
#define SNAP_DEPTH_MAX 48

void snap_files(struct snap_store *, int proc, pid_t pid, uint64_t most,
    struct snap_text *list);

#endif
