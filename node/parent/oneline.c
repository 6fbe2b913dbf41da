/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/oneline.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "node/parent/open.h"
#include "node/parent/parent.h"

#define AT_A_TIME 8 /* ours */

struct oneline {
	struct oneline *next;
	struct parent *parent;
	struct msg_SAY ask;
	pid_t pid;
	int fd; /* the end of its output that is read; -1: it has closed it */
	ev_io said;
	ev_timer late;
	ev_child exited;
	bool silent; /* nobody is told */
	char text[ONELINE_MAX + 1];
	size_t len;
	bool long_; /* it said more */
};

static void
answer(struct parent *p, const struct msg_SAY *ask, bool ok, const char *text)
{
	struct child *t = &p->child[PROGRAM_TRANSPORT];
	struct msg_SAID m = {.index = ask->index, .seq = ask->seq,
	    .what = ask->what, .ok = ok};

	(void)snprintf(m.text, sizeof(m.text), "%s", text);
	if (t->ev != NULL &&
	    ipc_send_SAID(ipc_ev_channel(t->ev), &m, NULL, 0) < 0)
		log_debug("transport", "SAID");
}

static void
over(struct oneline *o)
{
	struct parent *p = o->parent;
	struct oneline **at = &p->onelines;

	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	ev_io_stop(p->loop, &o->said);
	ev_timer_stop(p->loop, &o->late);
	ev_child_stop(p->loop, &o->exited);
	if (o->fd >= 0)
		(void)close(o->fd);
	free(o);
}

static void
read_some(struct oneline *o)
{
	char some[4096];
	ssize_t n = read(o->fd, some, sizeof(some));
	size_t room = ONELINE_MAX - o->len, take;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		ev_io_stop(o->parent->loop, &o->said);
		(void)close(o->fd);
		o->fd = -1;
		return;
	}
	take = MIN_OF((size_t)n, room);
	memcpy(o->text + o->len, some, take);
	o->len += take;
	o->long_ |= (size_t)n > room;
	if (o->long_) /* it may end by SIGPIPE */
		(void)kill(-o->pid, SIGKILL);
}

static void
on_said(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	read_some(w->data);
}

static void
on_late(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct oneline *o = w->data;

	(void)loop;
	(void)revents;
	(void)kill(-o->pid, SIGKILL);
}

/* What there is of a line: without the white space around it. */
static const char *
line_of(struct oneline *o)
{
	char *s = o->text;

	o->text[o->len] = '\0';
	while (o->len > 0 && strchr(" \t\r\n", o->text[o->len - 1]) != NULL)
		o->text[--o->len] = '\0';
	while (*s != '\0' && strchr(" \t\r\n", *s) != NULL)
		s++;
	return s;
}

static void
on_exited(struct ev_loop *loop, ev_child *w, int revents)
{
	struct oneline *o = w->data;
	char why[120];

	(void)revents;
	(void)kill(-o->pid, SIGKILL); /* what it started */
	for (int i = 0; i < 16 && o->fd >= 0 && !o->long_; i++)
		read_some(o);
	if (o->silent)
		why[0] = '\0';
	else if (o->long_)
		(void)snprintf(why, sizeof(why), "it says more than %d bytes",
		    ONELINE_MAX);
	else if (!ev_is_active(&o->late))
		(void)snprintf(why, sizeof(why), "it runs for more than %d s",
		    (int)ONELINE_S);
	else if (WIFSIGNALED(w->rstatus))
		(void)snprintf(why, sizeof(why), "ended by signal %d",
		    WTERMSIG(w->rstatus));
	else if (WEXITSTATUS(w->rstatus) >= 126 && o->parent->root)
		(void)snprintf(why, sizeof(why), "it cannot be started by the "
		    "user that it runs as, number %u, not root",
		    o->parent->base + COMMAND_UID);
	else if (WEXITSTATUS(w->rstatus) >= 126)
		(void)snprintf(why, sizeof(why), "it cannot be started");
	else if (WEXITSTATUS(w->rstatus) != 0)
		(void)snprintf(why, sizeof(why), "ended with status %d",
		    WEXITSTATUS(w->rstatus));
	else
		why[0] = '\0';
	ev_child_stop(loop, w);
	if (!o->silent)
		answer(o->parent, &o->ask, why[0] == '\0', why[0] == '\0' ?
			line_of(o) : why);
	over(o);
}

/* A path that begins with ~/ begins at home, as rnsd has it. */
static int
path_of(char *out, size_t cap, const char *path)
{
	const char *home = getenv("HOME");
	bool at_home = strncmp(path, "~/", 2) == 0;
	int n = snprintf(out, cap, "%s%s", !at_home ? "" : home != NULL ?
		home : "", at_home ? path + 1 : path);

	return n > 0 && (size_t)n < cap ? 0 : -1;
}

static int
start(struct oneline *o, const char *program)
{
	char path[4096], *argv[] = {path, NULL};
	int out[2], null;

	if (path_of(path, sizeof(path), program) < 0 ||
	    pipe2(out, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0 && fcntl(out[1], F_SETFL, 0) == 0 &&
	    (o->pid = fork()) == 0)
		command_exec(o->parent, argv, null, out[1], null);
	if (null >= 0)
		(void)close(null);
	(void)close(out[1]);
	o->fd = out[0];
	return o->pid > 0 ? 0 : -1;
}

/* What config has there; NULL: no such interface, or no program. */
static const char *
program_of(const struct parent *p, const struct msg_SAY *m)
{
	const struct rnsconf_offer *o;

	if (m->generation != p->generation || m->index >= p->ifs->nifs)
		return NULL;
	o = &p->ifs->ifs[m->index].offer;
	return !o->on ? NULL : m->what == SAY_REACHABLE_ON ?
	    o->reachable_cmd : m->what == SAY_LOCATION ? o->location_cmd : NULL;
}

void
oneline_ask(struct child *t, const struct msg_SAY *m)
{
	struct parent *p = t->parent;
	const char *program = program_of(p, m);
	struct oneline *o;
	unsigned n = 0;

	for (o = p->onelines; o != NULL; o = o->next)
		n++;
	if (program == NULL || n >= AT_A_TIME ||
	    (o = calloc(1, sizeof(*o))) == NULL) {
		answer(p, m, false, program == NULL ? "config has changed" :
		    "too many programs run");
		return;
	}
	*o = (struct oneline){.next = p->onelines, .parent = p, .ask = *m,
	    .fd = -1};
	p->onelines = o;
	ev_init(&o->said, on_said);
	ev_init(&o->exited, on_exited);
	ev_timer_init(&o->late, on_late, ONELINE_S, 0.);
	o->said.data = o->exited.data = o->late.data = o;
	if (start(o, program) < 0) {
		answer(p, m, false, "it cannot be started");
		over(o);
		return;
	}
	ev_io_set(&o->said, o->fd, EV_READ);
	ev_io_start(p->loop, &o->said);
	ev_child_set(&o->exited, o->pid, 0);
	ev_child_start(p->loop, &o->exited);
	ev_timer_start(p->loop, &o->late);
}

void
oneline_clear(struct parent *p)
{
	for (struct oneline *o = p->onelines; o != NULL; o = o->next) {
		o->silent = true;
		(void)kill(-o->pid, SIGKILL);
	}
}
