/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parent's programs say to it. */
#define _GNU_SOURCE
#include "node/parent/hear.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "node/parent/bury.h"
#include "node/parent/child.h"
#include "node/parent/dial.h"
#include "node/parent/intact.h"
#include "node/parent/keyfiles.h"
#include "node/parent/memory.h"
#include "node/parent/notify.h"
#include "node/parent/oneline.h"
#include "node/parent/open.h"
#include "node/parent/panic.h"
#include "node/parent/parent.h"
#include "node/parent/tell.h"
#include "node/parent/watchdog.h"
#include "node/parent/verifier.h"
#include "node/parent/web.h"

#define LOOK_FIRST 60.0	 /* where no job can run: is it so still? */
#define LOOK_LAST 3600.0

#define IPC_ME PARENT
#define IPC_CTX struct child
#include "common/ipc_dispatch.h"

static void
on_READY(struct child *c, const struct msg_READY *m, struct ipc_in *in)
{
	(void)m;
	(void)in;
	c->ready = true;
	log_info(program_name(c->peer), "ready");
	notify_programs(c->parent);
	if (c->peer == PROGRAM_AUDIT)
		watchdog_audit(c->parent);
	if (c->trouble[0] == '\0' || c->troubled)
		return;
	c->trouble[0] = '\0';
	log_notice(program_name(c->peer), "jobs can run here now");
}

/*
 * No job can run here: said once, however often it is looked at again, which
 * is ever more rarely, or at SIGHUP.
 */
static void
jail_trouble(struct child *c, const char *text)
{
	double wait = LOOK_FIRST;

	if (strcmp(c->trouble, text) != 0) {
		(void)snprintf(c->trouble, sizeof(c->trouble), "%s", text);
		c->looks = 0;
		log_errx(program_name(c->peer), "%s", text);
	}
	c->troubled = true;
	for (unsigned i = 0; i < c->looks && wait < LOOK_LAST; i++)
		wait *= 2;
	c->looks++;
	ev_timer_set(&c->again, MIN_OF(wait, LOOK_LAST), 0.);
	ev_timer_start(c->parent->loop, &c->again);
}

static void
on_ALARM(struct child *c, const struct msg_ALARM *m, struct ipc_in *in)
{
	char text[1100];

	(void)in;
	(void)text_printable(text, sizeof(text), m->text, strlen(m->text));
	if (c->peer == PROGRAM_JAIL) {
		jail_trouble(c, text);
		return;
	}
	log_at(m->severity >= 4 ? LOG_ERR : LOG_WARN, program_name(c->peer),
	    "alarm: %s", text);
}

static void
on_EVENT_ACK(struct child *c, const struct msg_EVENT_ACK *m, struct ipc_in *in)
{
	(void)in;
	witness_acked(&c->parent->witness, m);
}

static void
on_RELOAD(struct child *c, const struct msg_RELOAD *m, struct ipc_in *in)
{
	(void)in;
	c->parent->asked(c->parent, m);
}

static void
on_DIAL(struct child *c, const struct msg_DIAL *m, struct ipc_in *in)
{
	(void)in;
	dial(c->parent, m);
}

/* What it needs of the class is its own business; it leaves it by itself. */
static void
on_PROMPT(struct child *c, const struct msg_PROMPT *m, struct ipc_in *in)
{
	struct sched_param lowest = {.sched_priority = 1};
	struct msg_PROMPTED said = {.error = 0};

	(void)m;
	(void)in;
	if (sched_setscheduler(c->pid, SCHED_RR | SCHED_RESET_ON_FORK,
		&lowest) < 0)
		said.error = errno;
	(void)ipc_send_PROMPTED(ipc_ev_channel(c->ev), &said, NULL, 0);
}

static void
on_PANIC(struct child *c, const struct msg_PANIC *m, struct ipc_in *in)
{
	(void)in;
	panic(c->parent, m);
}

static void
on_SAY(struct child *c, const struct msg_SAY *m, struct ipc_in *in)
{
	(void)in;
	oneline_ask(c, m);
}

static void
on_V_VERIFY(struct child *c, const struct msg_V_VERIFY *m, struct ipc_in *in)
{
	verifier_ask(c, m, ipc_in_take(in, 0));
}

static void
on_NUMBERS(struct child *c, const struct msg_NUMBERS *m, struct ipc_in *in)
{
	(void)in;
	memory_tell(c, m->seq);
}

static void
on_ALIVE_STILL(struct child *c, const struct msg_ALIVE_STILL *m,
    struct ipc_in *in)
{
	(void)in;
	notify_alive(c->parent, m->seq);
}

static void
on_I_WANT(struct child *c, const struct msg_I_WANT *m, struct ipc_in *in)
{
	(void)in;
	intact_tell(c, m);
}

static void
on_N_BURY(struct child *c, const struct msg_N_BURY *m, struct ipc_in *in)
{
	(void)in;
	bury(c->parent, m);
}

static void
on_LOOK_UP(struct child *c, const struct msg_LOOK_UP *m, struct ipc_in *in)
{
	(void)in;
	web_look_up(c->parent, m);
}

static void
on_BIND(struct child *c, const struct msg_BIND *m, struct ipc_in *in)
{
	(void)in;
	dial_bind(c->parent, m);
}

static void
on_DIAL_FOUND(struct child *c, const struct msg_DIAL_FOUND *m,
    struct ipc_in *in)
{
	(void)in;
	open_found(c->parent, m);
}

static void
on_LEFT(struct child *c, const struct msg_LEFT *m, struct ipc_in *in)
{
	(void)in;
	dial_left(c->parent, m);
}

static void
on_BINDING_MADE(struct child *c, const struct msg_BINDING_MADE *m,
    struct ipc_in *in)
{
	(void)in;
	keyfiles_binding(c->parent, m);
}

static void
on_CHECKPOINT(struct child *c, const struct msg_CHECKPOINT *m,
    struct ipc_in *in)
{
	(void)in;
	keyfiles_checkpoint(c->parent, m);
}

static void
on_gone(void *ctx, int error)
{
	struct child *c = ctx;

	ipc_ev_free(c->ev);
	c->ev = NULL;
	/* its end comes by SIGCHLD; one that talks nonsense is killed */
	if (error == 0 || c->pid == 0)
		return;
	log_errx(program_name(c->peer), "killed: it breaks the message table");
	parent_event(c->parent, EVK_IPC_VIOLATION, 5, program_name(c->peer),
	    "a program broke the message table and was killed");
	(void)kill(c->pid, SIGKILL);
}

static void
on_message(void *ctx, struct ipc_in *in)
{
	/* HELLO is nobody's: ipc_ev has compared it */
	if (ipc_dispatch(ctx, in) == IPC_MALFORMED)
		on_gone(ctx, EPROTO);
}

const struct ipc_ev_handlers hear_child = {on_message, on_gone, NULL};
