/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/program.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "common/settle.h"

/* ---- the parent ---- */

static void
on_message(void *ctx, struct ipc_in *in)
{
	program_message(ctx, in);
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
program_ready(struct process *p)
{
	struct msg_READY m = {0};

	settle();
	return ipc_send_READY(p->parent, &m, NULL, 0);
}

/* ---- the siblings ---- */

static void
side_drop(struct sibling *s, int error)
{
	struct process *p = s->of;

	ipc_ev_free(s->ev);
	s->ev = NULL;
	s->greeted = false;
	if (p->ops->down != NULL)
		p->ops->down(p->ctx, s->who, error);
}

static void
on_side_message(void *ctx, struct ipc_in *in)
{
	program_message(((struct sibling *)ctx)->of, in);
}

static void
on_side_gone(void *ctx, int error)
{
	struct sibling *s = ctx;

	if (error != 0)
		log_warnx(program_name(s->who), "broke the message table");
	else
		log_info(program_name(s->who), "gone");
	side_drop(s, error);
}

static const struct ipc_ev_handlers side_handlers = {
    on_side_message, on_side_gone, NULL};

/*
 * A channel to a sibling, in place of an older one. The first message of each
 * side is HELLO; one of another build is the channel's end.
 */
static void
on_neighbour(struct process *p, enum program who, int fd)
{
	struct sibling *s = &p->side[who];
	struct msg_HELLO hello = {.end_ = 0};
	struct ipc *c;

	/* what the one before said and nobody has read yet was said */
	if (s->ev != NULL)
		ipc_ev_drain(s->ev);
	if (s->ev != NULL)
		side_drop(s, 0);
	if ((c = ipc_new(fd, p->self, who)) == NULL ||
	    (s->ev = ipc_ev_new(p->loop, c, &side_handlers, s)) == NULL)
		fatal("channel to %s", program_name(who));
	program_build_id(&hello.build);
	ipc_ev_expect_hello(s->ev, &hello.build);
	/* a sibling that fell meanwhile is found by the loop */
	if (ipc_send_HELLO(c, &hello, NULL, 0) < 0)
		log_debug(program_name(who), "gone before HELLO");
}

int
program_attach(struct process *p, struct ev_loop *loop,
    const struct program_ops *ops, void *ctx)
{
	p->ops = ops;
	p->ctx = ctx;
	p->loop = loop;
	p->neighbour = on_neighbour;
	for (unsigned i = 0; i < PROGRAM_COUNT; i++)
		p->side[i] = (struct sibling){.of = p, .who = (enum program)i};
	p->parent_ev = ipc_ev_new(loop, p->parent, &parent_handlers, p);
	return p->parent_ev == NULL ? -1 : 0;
}

void
program_detach(struct process *p)
{
	for (unsigned i = 0; i < PROGRAM_COUNT; i++) {
		ipc_ev_free(p->side[i].ev);
		p->side[i].ev = NULL;
		p->side[i].greeted = false;
	}
}

/* ---- sending ---- */

struct ipc *
program_channel(const struct process *p, enum program who)
{
	if (who == PROGRAM_PARENT)
		return p->parent;
	return p->side[who].greeted ? ipc_ev_channel(p->side[who].ev) : NULL;
}

#define SENDER(name, from, to, lo, hi)                                         \
	IPC_IF(IPC_ONE(to))                                                    \
	(int program_send_##name(const struct process *p,                      \
	    const struct msg_##name *m, const int *fds, unsigned nfds)         \
	{                                                                      \
		return ipc_send_##name(program_channel(p, PROGRAM_##to), m,    \
		    fds, nfds);                                                \
	})
IPC_MESSAGES(SENDER)
