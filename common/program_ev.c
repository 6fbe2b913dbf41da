/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"

static void
on_message(void *ctx, struct ipc_in *in)
{
	struct process *p = ctx;
	struct msg_NEIGHBOUR m;

	switch (in->type) {
	case IPC_NEIGHBOUR:
		if (!msg_get_NEIGHBOUR(in->body, &m) || m.program >= PROGRAM_COUNT)
			fatalx("malformed NEIGHBOUR");
		p->ops->neighbour(p->ctx, (enum program)m.program,
		    ipc_in_take(in, 0));
		return;
	case IPC_STOP:
		p->ops->stop(p->ctx);
		return;
	default:
		if (p->ops->message != NULL)
			p->ops->message(p->ctx, in);
	}
}

static void
on_gone(void *ctx, int error)
{
	struct process *p = ctx;

	if (error != 0)
		fatalx("the parent breaks the message table");
	if (p->ops->gone == NULL)
		exit(0);
	p->ops->gone(p->ctx);
}

static const struct ipc_ev_handlers parent_handlers = {
    on_message, on_gone, NULL};

int
program_attach(struct process *p, struct ev_loop *loop,
    const struct program_ops *ops, void *ctx)
{
	p->ops = ops;
	p->ctx = ctx;
	p->parent_ev = ipc_ev_new(loop, p->parent, &parent_handlers, p);
	if (p->parent_ev == NULL)
		return -1;
	return 0;
}

int
program_ready(struct process *p)
{
	struct msg_READY m = {0};

	return ipc_send_READY(p->parent, &m, NULL, 0);
}

void
program_malformed(struct process *p, const struct ipc_in *in)
{
	const struct ipc_row *row = ipc_row(in->type);
	struct msg_ALARM m = {.severity = 4};
	uint32_t n = p->malformed[in->from];

	if (n < UINT32_MAX)
		p->malformed[in->from] = ++n;
	if ((n & (n - 1)) != 0)
		return;
	(void)snprintf(m.text, sizeof(m.text),
	    "malformed %s from %s, dropped (%u so far)",
	    row != NULL ? row->name : "?", program_name(in->from), (unsigned)n);
	log_errx(program_name(in->from), "%s", m.text);
	(void)ipc_send_ALARM(p->parent, &m, NULL, 0);
}

struct ipc_ev *
program_neighbour(struct process *p, struct ev_loop *loop, enum program other,
    int fd, const struct ipc_ev_handlers *h, void *ctx)
{
	struct ipc *c = ipc_new(fd, p->self, other);
	struct msg_HELLO hello = {.end_ = 0};
	struct ipc_ev *ev;

	if (c == NULL)
		return NULL;
	program_build_id(hello.build);
	ev = ipc_ev_new(loop, c, h, ctx);
	if (ev == NULL) {
		ipc_free(c);
		return NULL;
	}
	ipc_ev_expect_hello(ev, hello.build);
	/* a sibling that fell meanwhile is found by the loop: gone(0) */
	if (ipc_send_HELLO(c, &hello, NULL, 0) < 0)
		log_debug(program_name(other), "gone before HELLO");
	return ev;
}
