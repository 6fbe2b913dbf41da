/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_HAND_SNAP_MEMORY_H
#define WARREN_SANDBOX_HAND_SNAP_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sandbox/hand/snap_core.h"
#include "sandbox/hand/snap_store.h"

/*
 * Memory of the job's processes: which pages are there, and their bytes, by
 * process_vm_readv, by as many workers as there are processors for. Workers are
 * forked before anything stands still, with the pages that they will fill.
 */
#define SNAP_OPS_MAX 262144u
#define SNAP_WORKERS 4u
#define SNAP_COPY_MS 5000 /* then the rest is left out */

/* One stretch of memory that is copied. */
struct snap_op {
	pid_t pid;
	uint64_t from, len, to;
};

struct snap_map { /* a line of /proc/PID/maps */
	uint64_t start, end, offset;
	char perms[4];
	bool device; /* of no file and no memory of a process: [vvar] */
	uint64_t what; /* of a file: place, file, name; in 64 bits */
	const char *name;
	size_t name_len;
};

struct snap_shared;
struct snap_memory {
	struct snap_store *store;
	struct snap_shared *shared;
	struct snap_op *ops; /* shared with the workers */
	size_t n;
	unsigned workers;    /* besides us */
	int go[SNAP_WORKERS], done[SNAP_WORKERS];
	uint64_t pages_left; /* of /proc/PID/pagemap, that may be looked at */
	uint64_t most;	     /* of the store, that memory may take */
	uint64_t *whole;     /* files that another process's core has whole */
	bool cut;
};

/* 0 or -1. */
int snap_memory_open(struct snap_memory *, struct snap_store *);
/* Pages for so many bytes; forks the workers. */
void snap_memory_ready(struct snap_memory *, uint64_t bytes);
/* Next line of maps at *p; false: no more, or none that is of the form. */
bool snap_map_next(const char **p, const char *end, struct snap_map *);
/*
 * What is to be copied of a process, by its maps; segs gets its segments, at
 * most CORE_SEGS_MAX, in the order of their contents.
 */
size_t snap_memory_plan(struct snap_memory *, int proc, pid_t pid,
    const char *maps, size_t len, struct core_seg *segs);
/* Copies it all. unreadable: pages that could not be read, and are zeros. */
void snap_memory_copy(struct snap_memory *, uint64_t *unreadable);
void snap_memory_close(struct snap_memory *);

#endif
