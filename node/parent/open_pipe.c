/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/open.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "common/priv.h"
#include "common/util.h"
#include "node/parent/groups.h"
#include "node/parent/parent.h"
#include "node/parent/rank.h"

/*
 * PipeInterface (reticulum-transport.md 10.10): its command, in a session of
 * its own and never as root. It ends with transport and with us, and all that
 * it started with it. What it says on its standard error goes to the log, so
 * much in a time.
 */
#define TERM_S 1.0     /* ours: from SIGTERM to SIGKILL */
#define LINE 400       /* bytes of a line of the log */
#define WINDOW_S 10.0
#define WINDOW_LINES 50
#define READ_PAUSE_S 0.02 /* ours: 4 KiB each: a flood is read, but slowly */

struct command {
	struct parent *parent;
	struct opening *o; /* NULL: nobody wants it any more */
	char name[128];
	pid_t pid;
	int end; /* the command's end of its stream, to say that it is over */
	int err; /* its standard error */
	ev_child exited;
	ev_timer kill, pause;
	ev_io said;
	char line[LINE];
	size_t len;
	double window;
	unsigned lines, hidden;
};

/* ---- its standard error ---- */

static void
say(struct command *c)
{
	char text[2 * LINE];
	double now = ev_now(c->parent->loop);

	if (now - c->window > WINDOW_S) {
		if (c->hidden > 0)
			log_warnx(c->name, "the command said %u more lines",
			    c->hidden);
		c->window = now;
		c->lines = c->hidden = 0;
	}
	(void)text_printable(text, sizeof(text), c->line, c->len);
	if (c->len > 0 && c->lines++ < WINDOW_LINES)
		log_notice(c->name, "the command says: %s", text);
	else if (c->len > 0)
		c->hidden++;
	c->len = 0;
}

/* false: it has closed it. */
static bool
read_some(struct command *c)
{
	char some[4096];
	ssize_t n = read(c->err, some, sizeof(some));

	for (ssize_t i = 0; i < n; i++) {
		if (some[i] != '\n')
			c->line[c->len++] = some[i];
		if (some[i] == '\n' || c->len == sizeof(c->line))
			say(c);
	}
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void
on_said(struct ev_loop *loop, ev_io *w, int revents)
{
	struct command *c = w->data;

	(void)revents;
	ev_io_stop(loop, w);
	if (read_some(c)) {
		ev_timer_set(&c->pause, READ_PAUSE_S, 0.);
		ev_timer_start(loop, &c->pause);
	}
}

static void
on_pause(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct command *c = w->data;

	(void)revents;
	ev_io_start(loop, &c->said);
}

/* ---- its end ---- */

static void
command_free(struct command *c)
{
	struct ev_loop *loop = c->parent->loop;

	ev_child_stop(loop, &c->exited);
	ev_timer_stop(loop, &c->kill);
	ev_timer_stop(loop, &c->pause);
	ev_io_stop(loop, &c->said);
	if (c->end >= 0)
		(void)close(c->end);
	if (c->err >= 0)
		(void)close(c->err);
	free(c);
}

static void
on_exited(struct ev_loop *loop, ev_child *w, int revents)
{
	struct command *c = w->data;
	struct opening *o = c->o;

	(void)loop;
	(void)revents;
	(void)kill(-c->pid, SIGKILL); /* what it started */
	while (c->err >= 0 && c->lines < WINDOW_LINES) {
		size_t before = c->len + c->lines;

		if (!read_some(c) || c->len + c->lines == before)
			break;
	}
	say(c);
	if (o != NULL) {
		if (WIFSIGNALED(w->rstatus))
			log_notice(c->name, "the command was ended by signal "
			    "%d", WTERMSIG(w->rstatus));
		else
			log_notice(c->name, "the command ended with status %d",
			    WEXITSTATUS(w->rstatus));
		/* what it has written is still read */
		(void)shutdown(c->end, SHUT_RDWR);
		o->stop = NULL;
		opening_over(o);
	}
	command_free(c);
}

static void
on_kill(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct command *c = w->data;

	(void)loop;
	(void)revents;
	(void)kill(-c->pid, SIGKILL);
}

/* Nobody wants it any more: it goes by itself, or is made to. */
static void
pipe_stop(struct opening *o)
{
	struct command *c = o->own;

	c->o = NULL;
	(void)shutdown(c->end, SHUT_RDWR);
	(void)kill(-c->pid, SIGTERM);
	ev_timer_set(&c->kill, TERM_S, 0.);
	ev_timer_start(c->parent->loop, &c->kill);
}

/* ---- its start ---- */

/* What the service manager said to us is not for it. */
static void
clean_environment(void)
{
	static const char *const ours[] = {"NOTIFY_SOCKET", "WATCHDOG_PID",
	    "WATCHDOG_USEC", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES",
	    "CREDENTIALS_DIRECTORY", "INVOCATION_ID", "JOURNAL_STREAM"};

	for (size_t i = 0; i < NELEM(ours); i++)
		(void)unsetenv(ours[i]);
}

static bool
drop_rights(const struct parent *p)
{
	return !p->root || (chdir("/") == 0 &&
	    priv_ids(p->base + COMMAND_UID) == 0);
}

void
command_exec(const struct parent *p, char *const *argv, int in, int out,
    int err)
{
	static const char failed[] = "cannot be started: ";
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		(void)signal(s, SIG_DFL); /* fails for two of them */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)groups_join(&p->groups, GROUP_HOUSE);
	rank_before_relay(RANK_HOUSE);
	if (setsid() < 0 || dup2(err, STDERR_FILENO) < 0 ||
	    dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    !drop_rights(p))
		_exit(126);
	/* after the ids changed, which clears it */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	clean_environment();
	(void)execvp(argv[0], argv);
	(void)!write(STDERR_FILENO, failed, sizeof(failed) - 1);
	perror(argv[0]);
	_exit(127);
}

static int
command_start(struct command *c, char *const *argv)
{
	int io[2] = {-1, -1}, err[2] = {-1, -1}, error;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, io) == 0 &&
	    pipe2(err, O_CLOEXEC) == 0 &&
	    fcntl(err[0], F_SETFL, O_NONBLOCK) == 0 &&
	    (c->pid = fork()) == 0)
		command_exec(c->parent, argv, io[1], io[1], err[1]);
	error = errno;
	if (err[1] >= 0)
		(void)close(err[1]);
	c->end = io[1];
	c->err = err[0];
	if (c->pid > 0)
		return io[0];
	if (io[0] >= 0)
		(void)close(io[0]);
	errno = error;
	return -1;
}

void
open_pipe(struct opening *o, const struct rnsconf_if *conf)
{
	struct command *c = calloc(1, sizeof(*c));
	int fd;

	if (c == NULL) {
		opening_done(o, ENOMEM, strerror(ENOMEM));
		return;
	}
	c->parent = o->parent;
	c->end = c->err = c->pid = -1;
	(void)snprintf(c->name, sizeof(c->name), "%s", conf->name);
	ev_init(&c->exited, on_exited);
	ev_init(&c->kill, on_kill);
	ev_init(&c->pause, on_pause);
	ev_init(&c->said, on_said);
	c->exited.data = c->kill.data = c->pause.data = c->said.data = c;
	if ((fd = command_start(c, conf->argv)) < 0) {
		opening_done(o, errno, strerror(errno));
		command_free(c);
		return;
	}
	c->o = o;
	o->own = c;
	o->stop = pipe_stop;
	ev_child_set(&c->exited, c->pid, 0);
	ev_child_start(c->parent->loop, &c->exited);
	ev_io_set(&c->said, c->err, EV_READ);
	ev_io_start(c->parent->loop, &c->said);
	opening_stands(o, fd);
}
