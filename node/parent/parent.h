/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_PARENT_H
#define WARREN_NODE_PARENT_PARENT_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "node/parent/cgdetect.h"
#include "common/ipc_ev.h"
#include "node/config/nodeconf.h"
#include "node/config/profile.h"
#include "common/program.h"
#include "transport/config/rnsconf.h"

/*
 * warrend, the parent: opens what needs rights, starts the programs and starts
 * them again (design.md 2, 7, 8). It reads the operator's files and the fixed
 * messages of its programs, nothing else. One file a task:
 *   check.c    the operator's files, all their mistakes (also for the CLI)
 *   dirs.c     the configuration folder: where, whose, what is in it
 *   keyfiles.c the identity and the keys
 *   listen.c   the sockets that programs attach to
 *   dial.c     what transport asks to have opened; resolve.c names
 *   groups.c   control groups
 *   settings.c what each program is told at its start
 *   child.c    a program's life
 */
struct parent;

/* ---- dirs.c ---- */
#define UID_RESOLVER 9 /* + base: the child that looks up a host name */

/*
 * The folder when none is given (reticulum-transport 11.1). false: no home.
 */
bool dirs_find(char *out, size_t cap);
/*
 * Opens dir (a path), as root after checking that it, its parents and its
 * files are nobody else's. -1: said; *status is the exit status (1 or 2).
 */
int dirs_open(struct parent *, const char *path, int *status);
/* Makes the folders, takes the lock, gives each program its own. As above. */
int dirs_make(struct parent *, int *status);
/* A file beneath a folder, not a link when we are root. NULL, errno. */
char *dirs_read(const struct parent *, int at, const char *name, size_t max,
    size_t *len);

/* ---- keyfiles.c ---- */
/* storage/transport_identity, made if absent. 0 or -1 (said). */
int keyfiles_identity(struct parent *);
/*
 * The mesh key against node.yaml, and the key of the trail. Switches compute
 * off when there is no mesh_identity yet (and says the line to add). 0 or -1.
 */
int keyfiles_check(struct parent *);
/* The keys, for one message; wipe it. 0 or -1 (said). */
int keyfiles_read(struct parent *, struct msg_KEY_MATERIAL *);
void keyfiles_binding(struct parent *, const struct msg_BINDING_MADE *);

/* ---- listen.c ---- */
/* The shared instance's sockets. 0, or -1 (said): the name is taken. */
int listen_instance(struct parent *);
/* warren/run/mesh.sock and, with compute, node.sock. 0 or -1 (said). */
int listen_control(struct parent *);

/* ---- dial.c, resolve.c ---- */
void dial(struct parent *, const struct msg_DIAL *);
void dial_bind(struct parent *, const struct msg_BIND *);
/* transport is gone: forget what it asked for */
void dial_clear(struct parent *);

#define RESOLVE_MAX 8 /* addresses of an answer */
struct resolved {
	uint8_t family; /* 4 or 6 */
	uint8_t addr[16];
};
struct resolve;
/* count 0: error is a text for people. Called once, not from inside start. */
typedef void resolve_fn(void *ctx, const struct resolved *, unsigned count,
    const char *error);
struct resolve *resolve_start(struct parent *, const char *host, resolve_fn *,
    void *ctx);
void resolve_stop(struct resolve *); /* before the answer; NULL is fine */

/* ---- groups.c ---- */
enum group { GROUP_RELAY, GROUP_HOUSE, GROUP_JOBS, GROUP_COUNT };
#define GROUP_HIERARCHIES (1 + CG_CONTROLLERS) /* v2, then v1 each */

struct groups {
	struct cg_place place;
	char name[24]; /* "warren-<8 hex>" */
	bool on[GROUP_HIERARCHIES];
	int dir[GROUP_HIERARCHIES][GROUP_COUNT]; /* -1 */
	int top[GROUP_HIERARCHIES];		 /* warren-<8 hex> */
	uint32_t handed; /* controllers that the own group hands down for us */
	uint32_t v2_layers, v1_layers;		 /* bits of sandbox/plan/plan.h */
};
/* Makes them, also over what an earlier daemon left; says what is missing. */
void groups_make(struct parent *);
/* For the child between fork and exec: no allocation, no log. */
void groups_join(const struct groups *, enum group);
void groups_kill_jobs(const struct groups *);
void groups_remove(struct groups *);

/* ---- settings.c ---- */
/* Arguments and descriptors of a program, built before the fork. */
#define SPAWN_FDS 48
struct spawn {
	struct {
		char name[64]; /* NAME=FD */
		int fd; /* the parent's */
	} fd[SPAWN_FDS];
	unsigned nfds;
	char word[8][32];
	unsigned nwords;
};
void settings_spawn(struct parent *, enum program, struct spawn *);
/* PARAMS, SETTINGs, ..., START_DONE; then what has changed since. 0 or -1. */
int settings_send(struct parent *, enum program, struct ipc *);
/*
 * After SIGHUP: every program hears of the log level; node and trust get the
 * node.yaml that is there now when it is another one. 0, or -1 (said).
 */
int settings_again(struct parent *, const char *node_text, size_t len);
/* Profile, its volumes and the seccomp profiles of the operator. 0 or -1. */
int settings_load(struct parent *);

/* ---- child.c ---- */
struct child {
	struct parent *parent;
	enum program peer;
	int exe; /* -1: not there */
	bool wanted;
	pid_t pid; /* 0: not running */
	bool ready;
	struct ipc_ev *ev;
	ev_child exited;
	ev_timer again;
	unsigned restarts; /* in all */
	unsigned streak;   /* without a long life in between */
	double born;
};

/* Opens the programs; says which one is missing. 0 or -1. */
int child_open_all(struct parent *);
void child_start_all(struct parent *);
/* Orderly end, stage by stage; breaks the loop when all are gone. */
void child_stop_all(struct parent *);
/* An event for the trail; dropped when audit does not run. */
void parent_event(struct parent *, enum event_kind, unsigned severity,
    const char *code, const char *text);

struct named_fd {
	char name[PROFILE_NAME_MAX * 2 + 1];
	int fd;
};
#define PARENT_SECCOMP_MAX 64

struct parent {
	struct ev_loop *loop;
	char path[4096]; /* DIR, absolute */
	bool root;	 /* programs get numbers, roots and namespaces */
	uint32_t base;
	int verbose; /* -v minus -q */
	bool stopping;
	unsigned stage;

	struct rnsconf *rns;
	char *rns_text;
	size_t rns_len;
	struct node_config *node; /* never NULL after the start */
	char *node_text;
	size_t node_len;
	bool compute;
	struct profile *profile;

	int dir, storage, warren, keys, run, lock;
	int node_dir, trust_dir, trail_dir, klp_dir, images_dir, stage_dir;
	int listen_data, listen_rpc, listen_mesh, listen_node;

	uint8_t identity_hash[16], rns_public[64];
	uint8_t mesh_fp[32];
	struct groups groups;

	/* sealed memfds and folders that are handed on at each start */
	int fd_config, fd_node, fd_profile, fd_hand;
	int fd_changed; /* node.yaml since SIGHUP; -1: as at the start */
	int volumes[PROFILE_VOLUMES];
	struct named_fd seccomp[PARENT_SECCOMP_MAX];
	unsigned nseccomp;

	struct child child[PROGRAM_COUNT];
	struct dial *dials;
	ev_signal sig[3];
	ev_timer stop_timer;
};

#endif
