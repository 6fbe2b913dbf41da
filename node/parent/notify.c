/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"
#include "node/parent/child.h"
#include "node/parent/parent.h"

/*
 * ours: a relay without its compute node is better than a start that the
 * manager gives up (TimeoutStartSec=, 90 s) and does again
 */
#define NOTIFY_PATIENCE_S 20.0
#define NOTIFY_SEND_US 200000 /* ours: a manager that does not read, at most */
#define WATCHDOG_LEAST_US 40000 /* ours: less cannot be kept on a busy machine */
#define WATCHDOG_PARTS 4 /* ours: questions in the time that the manager waits */

static void
say(struct notify *n, const char *text)
{
	if (n->fd < 0)
		return;
	if (send(n->fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		log_warn("systemd", "not told: %.20s", text);
}

/* ---- what it is told ---- */

/* The names of the programs that are wanted and not ready; how many. */
static unsigned
missing(const struct parent *p, char *names, size_t size)
{
	unsigned n = 0;
	size_t len = 0;

	names[0] = '\0';
	for (unsigned i = 0; i < PROGRAM_COUNT; i++) {
		const struct child *c = &p->child[i];

		if (!c->wanted || c->ready)
			continue;
		n++;
		if (len < size)
			len += (size_t)snprintf(names + len, size - len,
			    "%s%s", len > 0 ? ", " : "",
			    program_name(c->peer));
	}
	return n;
}

static void
say_status(struct parent *p, const char *names)
{
	struct notify *n = &p->notify;
	char text[sizeof(n->status)];

	(void)snprintf(text, sizeof(text), "STATUS=%s%s%s%s",
	    !p->child[PROGRAM_TRANSPORT].ready ? "does not relay" :
	    p->rns->enable_transport ? "relays" : "in the mesh",
	    p->compute && p->child[PROGRAM_NODE].ready ? ", a compute node" :
	    "", *names == '\0' ? "" : "; not ready: ", names);
	if (strcmp(text, n->status) == 0)
		return;
	(void)snprintf(n->status, sizeof(n->status), "%s", text);
	say(n, text);
}

void
notify_programs(struct parent *p)
{
	struct notify *n = &p->notify;
	char names[80];
	unsigned left;

	if (n->fd < 0 || p->stopping)
		return;
	left = missing(p, names, sizeof(names));
	say_status(p, names);
	if (n->ready || !p->child[PROGRAM_TRANSPORT].ready ||
	    (left > 0 && !n->late))
		return;
	n->ready = true;
	ev_timer_stop(p->loop, &n->patience);
	say(n, "READY=1");
}

static void
on_patience(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct parent *p = w->data;

	(void)loop;
	(void)revents;
	p->notify.late = true;
	notify_programs(p);
}

void
notify_reloading(struct parent *p)
{
	char text[64];

	if (!p->notify.ready)
		return;
	(void)snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%"
	    PRId64, clock_mono().us);
	say(&p->notify, text);
}

void
notify_reloaded(struct parent *p)
{
	if (p->notify.ready)
		say(&p->notify, "READY=1");
}

void
notify_stopping(struct parent *p)
{
	say(&p->notify, "STOPPING=1\nSTATUS=stopping");
}

/* ---- that the loops turn ---- */

void
notify_alive(struct parent *p, uint32_t seq)
{
	struct notify *n = &p->notify;

	if (!n->asked || seq != n->seq)
		return;
	n->asked = false;
	say(n, "WATCHDOG=1");
}

/*
 * Our loop turns, or this would not run. One that does not answer is not asked
 * again; one that is not there has its next start before it, which is our
 * business and none of the manager's.
 */
static void
on_watchdog(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct parent *p = w->data;
	struct notify *n = &p->notify;
	struct child *t = &p->child[PROGRAM_TRANSPORT];
	struct msg_ALIVE m = {.seq = n->seq + 1};

	(void)loop;
	(void)revents;
	if (!t->ready) {
		n->asked = false;
		/* one that hangs in its start is not a life either */
		if (t->pid == 0 || p->stopping)
			say(n, "WATCHDOG=1");
		return;
	}
	if (n->asked || t->ev == NULL ||
	    ipc_send_ALIVE(ipc_ev_channel(t->ev), &m, NULL, 0) < 0)
		return;
	n->seq++;
	n->asked = true;
}

static void
watchdog(struct parent *p)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	struct notify *n = &p->notify;
	unsigned long long us;
	char *end;
	double each;

	if (usec == NULL || n->fd < 0 ||
	    (pid != NULL && strtoll(pid, NULL, 10) != (long long)getpid()))
		return;
	errno = 0;
	us = strtoull(usec, &end, 10);
	if (errno != 0 || *end != '\0' || us < WATCHDOG_LEAST_US) {
		log_warnx("systemd", "WATCHDOG_USEC=%.30s is not kept", usec);
		return;
	}
	each = (double)us / 1e6 / WATCHDOG_PARTS;
	ev_timer_init(&n->watchdog, on_watchdog, each, each);
	n->watchdog.data = p;
	ev_timer_start(p->loop, &n->watchdog);
}

/* ---- the socket ---- */

static int
connected(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct timeval most = {.tv_usec = NOTIFY_SEND_US};
	size_t len = strlen(path);
	int fd;

	if ((path[0] != '/' && path[0] != '@') || len >= sizeof(sun.sun_path)) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	memcpy(sun.sun_path, path, len);
	if (path[0] == '@')
		sun.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most)) == 0 &&
	    connect(fd, (struct sockaddr *)&sun, (socklen_t)
		(offsetof(struct sockaddr_un, sun_path) + len)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

void
notify_init(struct parent *p)
{
	struct notify *n = &p->notify;
	const char *path = getenv("NOTIFY_SOCKET");

	n->fd = -1;
	ev_timer_init(&n->patience, on_patience, NOTIFY_PATIENCE_S, 0);
	ev_init(&n->watchdog, on_watchdog);
	if (path == NULL)
		return;
	n->fd = connected(path);
	if (n->fd < 0) {
		log_warn("systemd", "NOTIFY_SOCKET=%.100s cannot be told "
		    "anything", path);
	} else {
		n->patience.data = p;
		ev_timer_start(p->loop, &n->patience);
		watchdog(p);
	}
}
