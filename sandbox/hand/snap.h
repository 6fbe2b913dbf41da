/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_HAND_SNAP_H
#define WARREN_SANDBOX_HAND_SNAP_H

/*
 * "snapshot WHAT BYTES": the memory of a job's processes as cores, what it has
 * written, and what /proc says of it, into the memfd on descriptor 1
 * (common/snapshot.h). /p is a /proc of the job's pid namespace. It makes ready,
 * says so, and waits on descriptor 0 for the word that the job stands still.
 */
int hand_snapshot(const char *what, const char *bytes);

#endif
