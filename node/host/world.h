/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_HOST_WORLD_H
#define WARREN_NODE_HOST_WORLD_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/program.h"
#include "common/vouched.h"
#include "common/witness.h"
#include "node/config/nodeconf.h"
#include "node/config/profile.h"
#include "node/host/cgroup.h"
#include "node/host/trustwhy.h"
#include "node/work/node.h"

/*
 * The real world around struct node: channels, files, groups. One loop turn:
 * messages and timers change the node, what it sends is queued; at the end of
 * the turn the ledger is committed once, and the queue goes out behind it.
 */
#define HOST_SECCOMP_MAX 65 /* 64 of a name, and the profile's file */
#define HOST_LAW_MAX 60	 /* lines: trust/law.h has no more */
#define HOST_POLICY_MAX 24 /* the same */
#define HOST_ODD_MAX 16	 /* ours: images that the log names */
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

struct blobs;
struct control;
struct ledger;
struct logs;
struct outputs;
struct volumes;

/* A J_RUN that waits for audit's word; m NULL: none. */
struct held_run {
	struct msg_J_RUN *m;
	int fds[2 + MANIFEST_VOLUMES + 3];
	unsigned n;
};

struct warren_node {
	struct process prog;
	struct ev_loop *loop;
	struct node_config *conf;
	struct profile *profile;
	char profile_name[PROFILE_NAME_MAX + 1]; /* of the one in use */
	struct seccomp_text seccomp[HOST_SECCOMP_MAX];
	unsigned nseccomp;
	int dir, images, cache; /* node's folder; read; seccomp programs */
	int events; /* of other nodes; -1: in its own folder */
	struct cgroup_dirs groups;
	struct cgroup_job group[NODE_SLOTS_MAX + 1];
	bool has_group[NODE_SLOTS_MAX + 1];
	struct held_run held[NODE_SLOTS_MAX + 1];
	struct node node;
	struct ledger *ledger;
	struct blobs *blobs;
	struct volumes *volumes;
	struct wasmcache *wasm; /* compiled modules; NULL: none are kept */
	struct logs *logs;
	struct outputs *outputs;
	struct control *control;
	struct queue queue;
	struct witness witness; /* events, until they are in the trail */
	ev_timer tick, retry, lazy;
	ev_timer work; /* a piece of what volumes.h has to do */
	ev_prepare turn_end;
	bool stopping, lazy_due;
	bool budgets_fail;
	/* authorities and documents as trust tells them, for status */
	struct msg_V_TIME time; /* as trust has it */
	struct msg_V_AUTHORITY law[HOST_LAW_MAX], law_new[HOST_LAW_MAX];
	unsigned nlaw, nlaw_new;
	/* ... and what image_policy stands on */
	struct msg_V_POLICY policy[HOST_POLICY_MAX];
	struct msg_V_POLICY policy_new[HOST_POLICY_MAX];
	unsigned npolicy, npolicy_new;
	struct vouched *vouched; /* who has signed for images, for people */
	size_t nvouched;
	struct trustwhy why;
	struct { /* an image that is being removed: no job gets it */
		struct id32 image;
		struct mono until;
	} going;
	struct id32 odd[HOST_ODD_MAX]; /* images whose contents were not so */
	unsigned nodd;
	bool sweep; /* groups are left that nobody uses */
	struct {
		bool running;
		uint32_t restarts, pid;
	} programs[PROGRAM_COUNT];
};

#endif
