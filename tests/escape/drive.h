/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_ESCAPE_DRIVE_H
#define WARREN_TESTS_ESCAPE_DRIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <rns/hash.h>

#include "common/ipc.h"
#include "node/host/cgroup.h"
#include "sandbox/plan/plan.h"

/*
 * warren-jail driven without the daemon: this plays parent and node. It makes
 * its groups (warren-test-PID) and its folder, and removes both.
 *
 * With WARREN_RUNNER=NAME:PROGRAM in the environment it is warren-runner, of
 * the same folder, that is driven, and has jobs contained by that program.
 * With WARREN_LSM=TEXT (lsm_write()) its jobs are labelled so.
 */
#define DRIVE_BASE 0x70000000u
struct drive {
	pid_t pid;
	int status; /* of its end, after drive_stop() */
	bool root;
	uint32_t base, slots;
	struct ipc *parent, *node;
	struct cgroup_dirs dirs;
	char group[64];      /* warren-test-PID */
	char places[4][512]; /* where it was made, "" none */
	char folder[256];    /* images/, stage/ beneath it */
	uint32_t cg_v2, cg_v1;
	bool claims_devices;
	struct msg_J_POSTURE posture;
	struct msg_J_POOL pool; /* as it was told last */
	bool warms; /* WARREN_WARM */
	bool alone; /* the last job wrote to no root: one like its own comes */
	bool fresh_hello;
	unsigned holds; /* descriptors of a job's first process */
	uint32_t pids_more; /* of the runner, beside a job's */
	uint64_t memory_more;
};

struct drive_options {
	const char *jail, *hand; /* programs */
	uint32_t slots;
	bool no_groups;
	bool claims_devices; /* says that the group filters them; it does not */
	uint32_t required;
	const char *volume; /* folder of profile volume 0, or NULL */
	int level;          /* of the log */
	const char *env;    /* NULL: empty, as the parent gives it */
	bool quiet;         /* that it does not start is no news */
};

/*
 * Slots prepare roots from here on (J_WARM), or do not. With WARREN_WARM in the
 * environment every jail begins so, and drive_run() waits before each job
 * until its slot has a root of the last one's shape, where that can be.
 */
int drive_warm(struct drive *, bool on, uint32_t idle_s);
/* Wait until so many are there. */
int drive_prepared(struct drive *, uint32_t n);

/* 0, or -1 with a message on stderr. */
int drive_start(struct drive *, const struct drive_options *);
void drive_stop(struct drive *);
/* drive_groups.c */
void drive_groups_make(struct drive *);
void drive_groups_remove(struct drive *);
/* A new channel in place of the old, as a restarted node has it. */
int drive_new_node(struct drive *);

#define DRIVE_VOLUMES 8
struct drive_job {
	/* asked */
	struct id32 id; /* zeros: random */
	struct id32 image;
	const char *const *argv;
	const char *const *env;
	const char *cwd;
	uint32_t slot;
	uint64_t memory, time_ms, output;
	uint32_t cpu_milli, pids, layers;
	bool writable;
	uint32_t nvolumes;
	struct {
		uint8_t kind;
		uint8_t index;
		const char *target;
		int blob; /* -1: none */
	} volumes[DRIVE_VOLUMES];
	const void *filter; /* sock_filter[]; NULL: allow all */
	uint32_t filter_len;
	bool keep;          /* do not forget yet */
	/* changes the plan and its descriptors (IPC_FDS_MAX) before it goes */
	void (*spoil)(struct drive_job *, struct plan *, int *fds,
	    unsigned *nfds);
	/* come */
	bool started, failed;
	char code[33], why[257];
	uint32_t got_layers;
	uint8_t how;
	int32_t status;
	char *out, *err; /* NUL-terminated, at most DRIVE_OUTPUT; free */
	size_t out_len, err_len;
	uint8_t *packed[DRIVE_VOLUMES];
	size_t packed_len[DRIVE_VOLUMES];
	struct left left[DRIVE_VOLUMES];
	struct cgroup_usage usage;
	int64_t start_us; /* from J_RUN until J_STARTED */
	int64_t total_us; /* ... until J_EXITED */
	int pidfd;
	struct msg_J_RUNNING running; /* told to a later node */
	struct cgroup_job groups;
};
#define DRIVE_OUTPUT (1u << 20)

void drive_job_init(struct drive_job *);
/* Run to its end, pack rw volumes, forget. 0, or -1: no answer in time. */
int drive_run(struct drive *, struct drive_job *);
/* The parts: until STARTED or FAILED; until EXITED; pack, forget. */
int drive_send(struct drive *, struct drive_job *);
/* Waits for one message about the job; the type, or 0. */
unsigned drive_answer(struct drive *, struct drive_job *, int ms);
/* J_RUN alone; whoever sends only this hears the answers himself. */
int drive_post(struct drive *, struct drive_job *);
int drive_wait(struct drive *, struct drive_job *, int timeout_ms);
/* What a started job has written by now. */
void drive_drain(struct drive_job *);
int drive_finish(struct drive *, struct drive_job *);
void drive_job_clear(struct drive_job *);

#endif
