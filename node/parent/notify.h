/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_NOTIFY_H
#define WARREN_NODE_PARENT_NOTIFY_H

#include <ev.h>
#include <stdbool.h>

#include "common/ipc_msg.h"

/*
 * What the service manager that started us wants to hear (sd_notify(3)): ready,
 * reading files again, stopping, and that the loops turn. Without NOTIFY_SOCKET
 * nothing of this does anything.
 */
struct parent;

struct notify {
	int fd;	      /* -1: nobody listens */
	bool ready;   /* was said */
	bool late;    /* said, or to be said, although a program is missing */
	bool asked;   /* transport has not answered ALIVE yet */
	uint32_t seq; /* of that question */
	char status[160]; /* said last */
	ev_timer patience;
	ev_timer watchdog;
};

/* By NOTIFY_SOCKET and WATCHDOG_USEC of the environment. */
void notify_init(struct parent *);
/* A program is ready, or has fallen. */
void notify_programs(struct parent *);
void notify_reloading(struct parent *);
void notify_reloaded(struct parent *);
void notify_stopping(struct parent *);
/* Transport's answer: its loop turned, and ours has. */
void notify_alive(struct parent *, uint32_t seq);

#endif
