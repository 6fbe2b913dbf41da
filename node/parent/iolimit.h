/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_IOLIMIT_H
#define WARREN_NODE_PARENT_IOLIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cgdetect.h"

/*
 * How fast all jobs together read and write the disk that images, volumes and
 * staging lie on: limits.io_read and io_write of node.yaml, bytes a second.
 * By io.max at jobs/ of version 2, which bounds what is beneath as well; else
 * by a group of blkio for jail and all that it makes, on version 1, where a
 * limit is of one group and not of those beneath, and what is written without
 * O_DIRECT or fsync is charged to nobody (linux-sandbox.md 1.3). A job may have
 * bounds of its own below these on version 2 alone: on version 1 a group of its
 * own would take it out of the one that bounds them all.
 */
struct parent;
struct groups;

struct iolimit {
	bool v2;	     /* io.max of jobs/ is set */
	bool handed;	     /* the own group hands io down for us */
	/* whose io.max each job's group of version 2 has as well; "": none */
	char disk[CG_DISK_MAX];
	int v1_top, v1_jobs; /* warren-<8 hex>/ and jobs/ in blkio; -1 */
};

/* Nothing is open, nothing is set. */
void iolimit_init(struct iolimit *);
/* What an earlier daemon left in blkio goes; before any group is made. */
void iolimit_sweep(const struct groups *);
/*
 * Behind groups of version 2, before jail; what cannot be had is said once, and
 * the layer io is absent.
 */
void iolimit_make(struct parent *);
/* The same, of that disk: "254:0". */
void iolimit_make_on(struct parent *, const char *disk);
/* The calling process, jail before its exec, into the group of version 1. */
bool iolimit_join(const struct iolimit *);
/* The own group hands io down no more; own: of version 2. */
void iolimit_take_back(const struct groups *, int own);
/* Version 1, when nothing is in it any more. */
void iolimit_remove(struct groups *);

/* "254:0": the whole disk under a folder. false: none that has a number. */
bool iolimit_disk(char out[24], int dir);
#endif
