/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_HAND_SNAP_STOP_H
#define WARREN_SANDBOX_HAND_SNAP_STOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sandbox/hand/snap_core.h"

/*
 * The processes of a job, and their threads, held by ptrace. In a frozen v2
 * group a thread that is seized and interrupted stops within microseconds and
 * stays in its group's freeze when it is let go. Where nothing could be frozen
 * it is this alone that holds the job.
 */
#define SNAP_PROCESSES_MAX 4096u
#define SNAP_THREADS_MAX 16384u
#define SNAP_STOP_MS 200 /* a thread that waits for its vfork stops later */
#define SNAP_STOPS_MS 3000 /* for all, those that are found later as well */

struct snap_process {
	pid_t pid;
	struct core_thread *threads; /* the leader first, if it lives */
	uint8_t *held;		     /* of each: 0, or 1 and the signal */
	size_t nthreads;
};

struct snap_stop {
	int proc; /* folder: a /proc of the job's pid namespace */
	struct snap_process *processes;
	size_t n;
	size_t threads, missed; /* missed: do not stop */
	bool cut;		/* there are more than the bounds */
};

/* Numbers in a folder of /proc, but 1 and ourselves; how many, -1. */
ssize_t snap_numbers(int proc, const char *path, pid_t *out, size_t max);
/*
 * The number by which /proc and the kernel show memory, descriptors and root of
 * a process: of a thread that is held, as the leader may have gone before it,
 * or of one that lives.
 */
pid_t snap_alive(const struct snap_process *);
/* 0, or -1: no memory. Nothing of a job that ends meanwhile is an error. */
int snap_stop_all(struct snap_stop *, int proc);
/* Registers of all that is held. */
void snap_registers(struct snap_stop *);
/* Everything goes on, as far as its group lets it. */
void snap_release(struct snap_stop *);

#endif
