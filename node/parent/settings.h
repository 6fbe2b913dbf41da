/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_SETTINGS_H
#define WARREN_NODE_PARENT_SETTINGS_H

#include <stddef.h>

#include "common/ipc.h"

/* What each program is told at its start. */
struct parent;
struct rnsconf;

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
/* What this program gets; texts and numbers of descriptors, no copies. */
void settings_spawn(struct parent *, enum program, struct spawn *);
/* What compute_when asks for, measured now, if node runs and asks. */
void settings_facts(struct parent *);
/* airtime of node.yaml, to transport; 0 or -1. */
int settings_airtime(struct parent *, struct ipc *transport);
/* ... and lxmf; an empty text: off. */
int settings_lxmf(struct parent *, struct ipc *);
/* PARAMS, SETTINGs, ..., START_DONE. 0 or -1. */
int settings_send(struct parent *, enum program, struct ipc *);
/* The log level of config, with -v and -q. */
int settings_level(const struct parent *, const struct rnsconf *);
/* After SIGHUP: every program hears of the log level. */
void settings_params(struct parent *);
/*
 * p->node and p->node_text are other ones: profiles are read again, jail,
 * trust and node are told. What came of it is in p->profile_waits and beside
 * it. 0, or -1 (said).
 */
int settings_reload(struct parent *);
/*
 * Transport's interfaces are those of this config: told at once, and at each
 * start of it from now on. 0, or -1 (said): it has and gets the old ones.
 */
int settings_interfaces(struct parent *, const char *text, size_t len);
/* Profile, its volumes and the seccomp profiles of the operator. 0 or -1. */
/* What contains jobs by these files; p->runner is what does. */
unsigned settings_runner(const struct parent *);
int settings_load(struct parent *);

#endif
