/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_SETTINGS_H
#define WARREN_NODE_PARENT_SETTINGS_H

#include <stddef.h>

#include "common/ipc.h"

/* What each program is told at its start. */
struct parent;

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
/* PARAMS, SETTINGs, ..., START_DONE; then what has changed since. 0 or -1. */
int settings_send(struct parent *, enum program, struct ipc *);
/*
 * After SIGHUP: every program hears of the log level; node and trust get the
 * node.yaml that is there now when it is another one. 0, or -1 (said).
 */
int settings_again(struct parent *, const char *node_text, size_t len);
/* Profile, its volumes and the seccomp profiles of the operator. 0 or -1. */
int settings_load(struct parent *);

#endif
