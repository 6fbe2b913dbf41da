/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/open.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/priv.h"
#include "common/util.h"
#include "node/check/ttylook.h"
#include "node/parent/groups.h"
#include "node/parent/parent.h"
#include "node/parent/tty.h"

/*
 * A serial port (reticulum-transport.md 10.6 to 10.11) has a keeper: a child
 * that opens it, gives us the descriptor for transport, and keeps it open
 * without using it. Opening a device that hangs can take long, and so can its
 * last close, which waits until all was sent: neither we nor transport may
 * wait. It ends when nobody wants the port any more: its socket is closed then.
 */
#define OPEN_S 15.0    /* ours: a driver asks a device that hangs for 5 s */
#define LEAVE_MS 1000  /* ours: for a device's last words */
/* ours: one who kept it before, for another config, may be about to leave */
#define BUSY_MS 2000
#define BUSY_STEP_MS 50
#define KEEPER_FILES 8
#define SEND_STEP_MS 5
#define KEEPER_NAME "warren-port" /* in ps(1) */

struct said {
	int32_t error; /* 0: the descriptor comes along */
	char why[200];
};

struct keeper {
	struct ev_loop *loop;
	struct opening *o; /* NULL: nobody wants it any more */
	pid_t pid;
	int fd; /* its socket */
	bool answered;
	ev_io readable;
	ev_timer late;
	ev_child exited;
};

/* ---- the child ---- */

static int
tell(int sock, const struct said *s, int fd)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int))];
	} c = {.room = {0}};
	struct iovec iov = {(void *)(uintptr_t)s, sizeof(*s)};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *h;
	ssize_t n;

	if (fd >= 0) {
		m.msg_control = &c;
		m.msg_controllen = sizeof(c);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &fd, sizeof(int));
	}
	/*
	 * Of one user only so many descriptors may be on their way as one of
	 * its processes may have open: with more ports at once some wait until
	 * our parent has taken those of others. It gives up after OPEN_S.
	 */
	while ((n = sendmsg(sock, &m, MSG_NOSIGNAL)) < 0 &&
	    errno == ETOOMANYREFS)
		(void)poll(NULL, 0, SEND_STEP_MS);
	return n == (ssize_t)sizeof(*s) ? 0 : -1;
}

/* Signals of the service manager are for the daemon: it says when. */
static void
set_signals(void)
{
	static const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE};
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		(void)signal(s, SIG_DFL); /* fails for two of them */
	for (size_t i = 0; i < NELEM(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
keep(const struct parent *p, const struct rnsconf_if *conf, int sock)
{
	struct said s = {0};
	char byte;
	int fd;

	(void)prctl(PR_SET_NAME, KEEPER_NAME, 0, 0, 0);
	/* its rank is the relay's on purpose: without it a radio is silent */
	set_signals();
	(void)groups_join(&p->groups, GROUP_HOUSE);
	if (priv_fds((const int[]){sock}, 1) < 0 ||
	    priv_session(KEEPER_FILES) < 0)
		_exit(1);
	for (int ms = 0; (fd = tty_open(conf, s.why, sizeof(s.why))) < 0 &&
	     errno == EBUSY && ms < BUSY_MS; ms += BUSY_STEP_MS)
		(void)poll(NULL, 0, BUSY_STEP_MS);
	s.error = fd < 0 ? errno : 0;
	/* from here on it has two descriptors, and no right */
	if (priv_ids(p->root ? p->base + KEEPER_UID : 0) < 0)
		_exit(1);
	if (tell(sock, &s, fd) == 0 && fd >= 0)
		while (read(sock, &byte, 1) < 0 && errno == EINTR)
			;
	if (fd >= 0)
		tty_leave(fd, LEAVE_MS);
	_exit(0);
}

/* ---- its parent ---- */

/* It may live until the device lets it go; its end is heard then. */
static void
let_go(struct keeper *k)
{
	ev_io_stop(k->loop, &k->readable);
	ev_timer_stop(k->loop, &k->late);
	if (k->fd >= 0)
		(void)close(k->fd);
	k->fd = -1;
	if (k->o != NULL)
		k->o->stop = NULL;
	k->o = NULL;
}

static void
keeper_stop(struct opening *o)
{
	let_go(o->own);
}

/* It gave no answer; answered: it has ended, and the port is closed. */
static void
no_answer(struct keeper *k, int error, const char *why)
{
	struct opening *o = k->o;

	(void)kill(k->pid, SIGKILL);
	let_go(k);
	opening_done(o, error, why);
}

static void
on_late(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	no_answer(w->data, ETIMEDOUT, "the device does not answer (pull it "
	    "out and plug it in again)");
}

/* The message and its descriptor, or -1. */
static ssize_t
hear(int sock, struct said *s, int *fd)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int))];
	} c;
	struct iovec iov = {s, sizeof(*s)};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = &c, .msg_controllen = sizeof(c)};
	ssize_t n = recvmsg(sock, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *h = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;

	*fd = -1;
	if (h != NULL && h->cmsg_level == SOL_SOCKET &&
	    h->cmsg_type == SCM_RIGHTS && h->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(h), sizeof(int));
	return n;
}

static void
answer(struct keeper *k)
{
	struct opening *o = k->o;
	struct said s;
	int fd;
	ssize_t n = hear(k->fd, &s, &fd);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != (ssize_t)sizeof(s) || (s.error == 0) != (fd >= 0)) {
		if (fd >= 0)
			(void)close(fd);
		no_answer(k, EIO, "the one that opens it has fallen");
		return;
	}
	/* it says no more; its end is on_exited() */
	ev_io_stop(k->loop, &k->readable);
	ev_timer_stop(k->loop, &k->late);
	k->answered = true;
	s.why[sizeof(s.why) - 1] = '\0';
	if (fd >= 0) {
		opening_stands(o, fd);
		return;
	}
	let_go(k);
	opening_done(o, s.error, s.why);
}

static void
on_said(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	answer(w->data);
}

static void
on_exited(struct ev_loop *loop, ev_child *w, int revents)
{
	struct keeper *k = w->data;
	struct opening *o;

	(void)revents;
	ev_child_stop(loop, w);
	if (k->o != NULL && !k->answered)
		answer(k); /* its last words may wait to be read */
	o = k->o;
	let_go(k);
	free(k);
	if (o != NULL)
		opening_over(o);
}

static void
open_tty(struct opening *o, const struct rnsconf_if *conf)
{
	struct keeper *k = calloc(1, sizeof(*k));
	int pair[2] = {-1, -1}, error;

	if (k == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    pair) < 0 || (k->pid = fork()) < 0) {
		error = errno;
		close_fd(&pair[0]);
		close_fd(&pair[1]);
		free(k);
		opening_done(o, error, strerror(error));
		return;
	}
	if (k->pid == 0)
		keep(o->parent, conf, pair[1]);
	(void)close(pair[1]);
	k->loop = o->parent->loop;
	k->fd = pair[0];
	k->o = o;
	o->own = k;
	o->stop = keeper_stop;
	ev_io_init(&k->readable, on_said, k->fd, EV_READ);
	ev_timer_init(&k->late, on_late, OPEN_S, 0.);
	ev_child_init(&k->exited, on_exited, k->pid, 0);
	k->readable.data = k->late.data = k->exited.data = k;
	ev_io_start(k->loop, &k->readable);
	ev_timer_start(k->loop, &k->late);
	ev_child_start(k->loop, &k->exited);
}

void
open_line(struct opening *o, const struct rnsconf_if *conf)
{
	char why[200];
	int error;

	if (conf->tty == NULL) {
		o->port = conf->target_port;
		open_connect(o, conf->target_host);
	} else if ((error = tty_look(conf->tty, why, sizeof(why))) != 0) {
		opening_done(o, error, why); /* no child for what is not there */
	} else {
		open_tty(o, conf);
	}
}
