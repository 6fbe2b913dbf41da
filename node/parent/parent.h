/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_PARENT_H
#define WARREN_NODE_PARENT_PARENT_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/fp.h"
#include "common/ipc_msg.h"
#include "common/program.h"
#include "common/witness.h"
#include "node/config/nodeconf.h"
#include "node/check/seccomp_dir.h"
#include "node/config/profile.h"
#include "node/parent/bury.h"
#include "node/parent/child.h"
#include "node/parent/facts.h"
#include "node/parent/groups.h"
#include "node/parent/intact.h"
#include "node/parent/notify.h"
#include "sandbox/plan/wasm.h"
#include "transport/config/rnsconf.h"

/*
 * warrend, the parent: opens what needs rights, starts the programs and starts
 * them again (ARCHITECTURE.md 8, THREATS.md 1). It reads the operator's files
 * and the fixed messages of its programs, nothing else. One file a task: dirs,
 * keyfiles, listen, dial, open (and one open_TYPE for each type of interface)
 * and resolve, groups, settings, child; this is what they share.
 */
struct named_fd {
	char name[PROFILE_NAME_MAX * 2 + 1];
	int fd;
	bool own; /* the operator's, not one of ours */
};

#define WEB_LOOK_UPS 4 /* of egress at once; ours */
struct web_look_up {
	struct parent *parent;
	struct resolve *resolve; /* NULL: free */
	uint32_t seq;
};

struct parent {
	struct ev_loop *loop;
	struct witness witness; /* its own events */
	char path[4096]; /* DIR, absolute */
	bool root;	 /* programs get numbers, roots and namespaces */
	uint32_t base;
	int verbose; /* -v minus -q */
	bool stopping, panic; /* panic: an interface has failed */
	unsigned stage;

	struct rnsconf *rns; /* as the node was started */
	char *rns_text;
	size_t rns_len;
	struct rnsconf *ifs; /* its interfaces now; rns until a reload */
	uint32_t generation; /* how many of these transport has had */
	struct node_config *node; /* never NULL after the start */
	char *node_text;
	size_t node_len;
	bool compute;
	struct profile *profile;

	int dir, storage, warren, keys, run, lock;
	int forensics_dir;
	int events_dir; /* hub.dir; -1: warren-node's own */
	int node_dir, trust_dir, trail_dir, klp_dir, images_dir, stage_dir;
	int listen_data, listen_rpc, listen_mesh, listen_node;
	int listen_metrics; /* -1: nobody asked for it, or it failed */

	struct hash16 identity_hash;
	uint8_t rns_public[64];
	struct fp mesh_fp;
	struct groups groups;

	/* sealed memfds and folders that are handed on at each start */
	int fd_config, fd_ifs, fd_node, fd_profile, fd_hand;
	int fd_wasm[WASM_FILES]; /* the runner of modules; -1: none */
	int fd_network; /* the network identity, or -1 */
	bool web; /* egress runs, with these */
	int fd_web_ca, fd_web_hosts;
	int fd_hub_post, fd_hub; /* hubfiles.h */
	struct web_look_up web_look_ups[WEB_LOOK_UPS];
	int fd_watchdog; /* its program */
	/* what contains jobs, since the start; its program, warren-inner */
	unsigned runner;
	int fd_tool, fd_inner;
	int fd_lsm, fd_enforce; /* policy.h, and has it loaded profiles? */
	bool policy_loaded;
	struct watchdog *watchdog; /* watchdog.c; NULL: none is wanted yet */
	int fd_rules; /* rules.yaml, or -1: there is none */
	char profile_name[PROFILE_NAME_MAX + 1]; /* of the one in use */
	uint32_t slots; /* that jail has made */
	/* of the last reload: profiles that wait for a start, or do not */
	bool profile_waits, profile_changed, seccomp_changed, rules_changed;
	/* reload_asked() */
	void (*asked)(struct parent *, const struct msg_RELOAD *);
	uint32_t reload_seq; /* who asks for it now; 0: SIGHUP */
	uint32_t reload_next; /* who asked last */
	int64_t reload_at;   /* before then nobody's turn is */
	ev_timer reload_turn;
	/* memory.c: what was seen, and until when that holds */
	struct msg_MEMORY memory[PROGRAM_COUNT];
	int64_t memory_until;
	int volumes[PROFILE_VOLUMES];
	struct bury bury;     /* a revoked image that goes now */
	struct intact intact; /* what audit compares with the disk */
	struct named_fd seccomp[SECCOMP_PROFILES_MAX + 1];
	unsigned nseccomp;

	struct child child[PROGRAM_COUNT];
	struct opening *openings;
	struct oneline *onelines; /* programs that say what is announced */
	struct verifier *verifier; /* of signatures; NULL: none runs */
	ev_signal sig[3];
	ev_timer stop_timer;
	struct notify notify;
	struct facts facts; /* for compute_when */
	ev_timer facts_timer;
	ev_timer log_timer; /* -s: of the log file */
	int root_dir;	    /* /, where they are measured */
};

#endif
