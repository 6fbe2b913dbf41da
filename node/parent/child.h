/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_CHILD_H
#define WARREN_NODE_PARENT_CHILD_H

#include <ev.h>
#include <stdbool.h>
#include <sys/types.h>

#include "common/ipc_ev.h"
#include "common/program.h"

/* A program's life: started, watched, started again, ended. */
struct parent;

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
	unsigned alone;	   /* jail: looks that found nothing of the last one */
	unsigned waited;   /* ... and those that waited for who asks a daemon */
	unsigned streak;   /* without a long life in between */
	double born;
	/* jail, where no job can run: */
	char trouble[1100]; /* what it said last; "": nothing */
	bool troubled;     /* ... in this life */
	bool looking;      /* was told to end, to look again */
	unsigned looks;
};

/* Opens the programs; says which one is missing. 0 or -1. */
int child_open_all(struct parent *);
/* Starts whatever is wanted; what ends is started again, ever later. */
void child_start_all(struct parent *);
/* node.yaml has changed: one that begins or ends now. */
void child_want(struct child *, bool);
/* Jail looks again whether jobs can run here, if it has said that none can. */
void child_look_again(struct parent *);
/* Orderly end, stage by stage; breaks the loop when all are gone. */
void child_stop_all(struct parent *);
/*
 * Behind that, for 5 s at most: who asks a daemon of containers takes the last of
 * them away, and the image that they were made of.
 */
void child_await_envoy(const struct parent *);

#endif
