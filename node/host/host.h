/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_HOST_HOST_H
#define WARREN_NODE_HOST_HOST_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ipc_ev.h"
#include "node/host/cgroup.h"
#include "node/config/nodeconf.h"
#include "node/host/ledger.h"
#include "node/host/logs.h"
#include "node/work/node.h"
#include "node/host/outputs.h"
#include "node/config/profile.h"
#include "common/program.h"

/*
 * The real world around struct node: channels, files, groups. One loop turn:
 * messages and timers change the node, what it sends is queued; at the end of
 * the turn the ledger is committed once, and the queue goes out behind it.
 */
#define HOST_SECCOMP_MAX 64
#define HOST_LAZY_S 0.1	 /* a write that nobody depends on waits so long */
#define HOST_RETRY_S 1.0 /* a commit that failed is tried again */

struct queued {
	TAILQ_ENTRY(queued) link;
	enum program to;
	enum ipc_type type;
	bool held; /* waits for a commit that has failed */
	size_t len;
	unsigned nfds;
	int fds[IPC_FDS_MAX]; /* ours, closed when sent */
	uint8_t body[];
};
TAILQ_HEAD(queue, queued);

struct seccomp_text {
	char name[PROFILE_NAME_MAX + 1];
	char *text;
	size_t len;
};

struct control;

struct warren_node {
	struct process prog;
	struct ev_loop *loop;
	struct node_config *conf;
	struct profile *profile;
	struct policy_pin *pins;
	const char **boards;
	struct seccomp_text seccomp[HOST_SECCOMP_MAX];
	unsigned nseccomp;
	int dir, images, cache; /* node's folder; read; seccomp programs */
	struct cgroup_dirs groups;
	struct cgroup_job group[NODE_SLOTS_MAX + 1];
	bool has_group[NODE_SLOTS_MAX + 1];
	struct node node;
	struct ledger *ledger;
	struct blobs *blobs;
	struct logs *logs;
	struct outputs *outputs;
	struct control *control;
	struct queue queue;
	ev_timer tick, retry, lazy;
	ev_prepare turn_end;
	bool stopping, lazy_due;
	bool sweep; /* groups are left that nobody uses */
	struct {
		bool running;
		uint32_t restarts, pid;
	} programs[PROGRAM_COUNT];
};

/* ---- host.c: struct host ---- */

void host_fill(struct host *, struct warren_node *);
/* What time it is, for the node: at the start of whatever enters it. */
void host_now(struct warren_node *);
uint64_t host_disk_free(struct warren_node *);

/* ---- outbox.c ---- */

void outbox_init(struct warren_node *);
/* The part of struct host that sends. */
void outbox_fill(struct host *);
/* Encoded now, sent behind the commit: outbox_N_FOLLOW(), ... fds are taken. */
#define OUTBOX_ADD(name, from, to, least, most)                                \
	IPC_IF(IPC_BY(NODE, from))                                             \
	(void outbox_##name(struct warren_node *, const struct msg_##name *,   \
	    const int *fds, unsigned nfds);)
IPC_MESSAGES(OUTBOX_ADD)
/* The end of a turn: commit, then what is queued. */
void outbox_flush(struct warren_node *);
void outbox_drop(struct warren_node *, enum program);

/* ---- inbox.c: what the parent and the siblings say ---- */

extern const struct program_ops inbox_ops; /* ctx: struct warren_node */

/* ---- start.c: from an admitted job to J_RUN ---- */

bool start_job(void *ctx, struct job *, const char **code, char why[128]);
void start_kill(void *ctx, struct job *);
void start_usage(void *ctx, struct job *);
void start_packing(void *ctx, struct job *);
void start_free_slot(void *ctx, struct job *);
/* Groups of jobs that are over; what is busy is tried again. */
void start_sweep(struct warren_node *);
/* J_RUNNING: its groups again. */
void start_found(struct warren_node *, struct job *, uint32_t slot);
/* By name; "": the container profile's, else "default". NULL: not here. */
const struct seccomp_text *start_seccomp(struct warren_node *,
    const char *name);

/* ---- control.c: warren/run/node.sock ---- */

struct control *control_open(struct warren_node *, int listener);
void control_close(struct control *);

/* ---- setup.c ---- */

/*
 * From SETTINGs to policy, and the machine: cpus, or 0: not known. Ends the
 * process on what cannot be used.
 */
void setup_policy(struct warren_node *, struct policy *, unsigned cpus);
/*
 * node.yaml has changed (a sealed memfd): of it pins, floor and
 * require_live_secp are taken, and verdicts are asked for anew.
 */
void setup_trust(struct warren_node *, int fd);

#endif
