/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/parent/tell.h"

#include <stdio.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"
#include "node/parent/parent.h"

void
parent_event(struct parent *p, enum event_kind kind, unsigned severity,
    const char *code, const char *text)
{
	struct msg_EVENT m = {.kind = (uint16_t)kind,
	    .severity = (uint8_t)severity,
	    .when_us = clock_wall_us()};
	struct child *a = &p->child[PROGRAM_AUDIT];

	if (!a->wanted)
		return;
	(void)snprintf(m.code, sizeof(m.code), "%s", code);
	(void)snprintf(m.text, sizeof(m.text), "%s", text);
	witness_tell(&p->witness,
	    a->ev == NULL ? NULL : ipc_ev_channel(a->ev), &m);
}

void
tell_program(struct parent *p, const struct child *c)
{
	static const enum program listeners[] = {PROGRAM_TRANSPORT, PROGRAM_NODE};
	struct msg_PROGRAM m = {.program = (uint8_t)c->peer,
	    .running = c->pid != 0,
	    .restarts = c->restarts,
	    .pid = (uint32_t)c->pid};

	for (size_t i = 0; i < NELEM(listeners); i++) {
		struct child *to = &p->child[listeners[i]];

		if (to->ev != NULL && ipc_send_PROGRAM(ipc_ev_channel(to->ev),
					  &m, NULL, 0) < 0)
			log_debug(program_name(to->peer), "PROGRAM");
	}
}

static int
give(struct child *to, enum program other, int fd)
{
	struct msg_NEIGHBOUR m = {.program = (uint8_t)other};

	return ipc_send_NEIGHBOUR(ipc_ev_channel(to->ev), &m, &fd, 1);
}

/* A new channel to each sibling that runs; both ends are told. */
void
tell_siblings(struct parent *p, struct child *c)
{
	for (unsigned i = 0; i < PROGRAM_COUNT; i++) {
		struct child *a = c, *b = &p->child[i];
		int fds[2];

		if (b == c || a->ev == NULL || b->ev == NULL ||
		    !ipc_related(a->peer, b->peer))
			continue;
		if (ipc_pair(fds) < 0) {
			log_err("channel", "%s and %s", program_name(a->peer),
			    program_name(b->peer));
			continue;
		}
		if (give(a, b->peer, fds[0]) < 0 ||
		    give(b, a->peer, fds[1]) < 0)
			log_warn("channel", "%s and %s", program_name(a->peer),
			    program_name(b->peer));
		(void)close(fds[0]);
		(void)close(fds[1]);
	}
}
