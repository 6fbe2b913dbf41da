/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "common/acceptor.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/util.h"
#include "node/parent/groups.h"
#include "node/parent/listen.h"
#include "node/parent/parent.h"
#include "node/parent/rank.h"
#include "node/parent/tell.h"

#define BACKOFF_MAX 60.
#define LONG_LIFE 60.
#define NICE 10
#define ASKS_S 0.5 /* between two connections; ours */
#define HIGH_FD 100
enum { FD_CONF = 3, FD_ASKS = 4 };

struct watchdog {
	struct parent *parent;
	pid_t pid;
	double born;
	unsigned streak;
	bool again_soon; /* it was ended for what has changed */
	ev_child exited;
	ev_timer again;
	int asks; /* the other end of its descriptor; -1 */
	ev_io asked;
	ev_timer rest; /* after a connection */
	int listener;
	struct acceptor acceptor;
	char path[128]; /* of the socket; "": warren/run/ */
	char *text; /* conf_text() of what is in effect */
};

static const struct watchdog_conf *
conf_of(const struct watchdog *w)
{
	return &w->parent->node->watchdog;
}

static struct ipc *
audit_of(const struct watchdog *w)
{
	struct child *c = &w->parent->child[PROGRAM_AUDIT];

	return c->ev != NULL && c->ready ? ipc_ev_channel(c->ev) : NULL;
}

static int
hand_pipes(const struct watchdog *w, int out, int in)
{
	struct msg_D_PIPES m = {0};
	const int fds[2] = {out, in};
	struct ipc *to = audit_of(w);

	return to == NULL ? -1 : ipc_send_D_PIPES(to, &m, fds, 2);
}

/* ---- what its program is told of node.yaml ---- */

static json_t *
rules_json(const struct watchdog_conf *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->nrules; i++) {
		const struct watchdog_rule *r = &c->rule[i];

		(void)json_array_append_new(list, json_pack(
		    "{s:s, s:s, s:s, s:I, s:s, s:I, s:I}", "name", r->name,
		    "text", r->text == NULL ? "" : r->text, "counts",
		    watchdog_counts_name(r->counts), "most",
		    (json_int_t)r->most, "action",
		    watchdog_action_name(r->action), "confidence",
		    (json_int_t)r->confidence, "ttl", (json_int_t)r->ttl_s));
	}
	/* a line that is denied asks for the job's end */
	for (size_t i = 0; i < c->ndeny; i++)
		(void)json_array_append_new(list, json_pack(
		    "{s:s, s:s, s:s, s:i, s:s, s:i, s:i}", "name", "deny",
		    "text", c->deny[i], "counts", "text", "most", 0, "action",
		    "kill", "confidence", 950, "ttl", 0));
	return list;
}

/* All that is in effect here: another text is another watchdog. */
static char *
conf_text(const struct watchdog_conf *c)
{
	json_t *o = json_pack("{s:o, s:[], s:i, s:b, s:b, s:s, s:s}", "rules",
	    rules_json(c), "allow", "run", (int)c->run, "act", c->act,
	    "corroborate", c->corroborate, "socket", c->socket == NULL ? "" :
	    c->socket, "user", c->user == NULL ? "" : c->user);
	char *text;

	for (size_t i = 0; i < c->nallow; i++)
		(void)json_array_append_new(json_object_get(o, "allow"),
		    json_string(c->allow[i]));
	if (c->run == WATCHDOG_MODEL)
		(void)json_object_set_new(o, "model", json_pack(
		    "{s:s, s:s, s:I}", "url", c->url, "name", c->model,
		    "timeout_ms", (json_int_t)c->timeout_ms));
	text = o == NULL ? NULL : json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return text;
}

/* ---- the one server that it may ask ---- */

static int
connect_model(const struct watchdog *w)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
	    .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	const struct watchdog_conf *c = conf_of(w);
	struct watchdog_url u;
	const struct sockaddr *sa = (const struct sockaddr *)&in;
	socklen_t len = sizeof(in);
	int fd;

	if (c->url == NULL || watchdog_url(&u, c->url) != NULL)
		return -1;
	in.sin_port = in6.sin6_port = htons(u.port);
	if (u.v6) {
		sa = (const struct sockaddr *)&in6;
		len = sizeof(in6);
	}
	fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd >= 0 && connect(fd, sa, len) < 0 && errno != EINPROGRESS)
		close_fd(&fd);
	return fd;
}

/* One byte; with the connection, where there is one. */
static void
give_model(const struct watchdog *w)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int))];
	} c = {.room = {0}};
	struct iovec iov = {(void *)(uintptr_t)"", 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	_cleanup_fd_ int fd = connect_model(w);
	struct cmsghdr *h;

	if (fd >= 0) {
		m.msg_control = &c;
		m.msg_controllen = sizeof(c);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &fd, sizeof(int));
	}
	(void)sendmsg(w->asks, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void
on_asked(struct ev_loop *loop, ev_io *io, int revents)
{
	struct watchdog *w = io->data;
	char byte;
	ssize_t n = recv(w->asks, &byte, 1, MSG_DONTWAIT);

	(void)revents;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	ev_io_stop(loop, io);
	if (n <= 0)
		return;
	give_model(w);
	ev_timer_start(loop, &w->rest);
}

static void
on_rested(struct ev_loop *loop, ev_timer *t, int revents)
{
	struct watchdog *w = t->data;

	(void)revents;
	if (w->asks >= 0)
		ev_io_start(loop, &w->asked);
}

/* ---- its program ---- */

/* As child.c does: high first, so that none is overwritten on its way. */
static void
run(struct watchdog *w, int exe, int in, int out, int conf, int asks)
{
	char base[24] = "base=0", level[16], *argv[8], *envp[] = {NULL};
	int *fds[] = {&exe, &in, &out, &conf, &asks};
	sigset_t none;
	unsigned n = 0;

	for (size_t i = 0; i < NELEM(fds); i++)
		if (*fds[i] >= 0 &&
		    (*fds[i] = fcntl(*fds[i], F_DUPFD_CLOEXEC, HIGH_FD)) < 0)
			_exit(126);
	for (int s = 1; s < NSIG; s++)
		(void)signal(s, SIG_DFL); /* fails for two of them */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)groups_join(&w->parent->groups, GROUP_DOG);
	rank_before_relay(RANK_HOUSE);
	(void)setpriority(PRIO_PROCESS, 0, NICE);
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(conf, FD_CONF) < 0 ||
	    (asks >= 0 && dup2(asks, FD_ASKS) < 0) || chdir("/") < 0)
		_exit(126);
	if (w->parent->root)
		(void)snprintf(base, sizeof(base), "base=%u", w->parent->base);
	(void)snprintf(level, sizeof(level), "level=%d", log_get_level());
	argv[n++] = (char *)(uintptr_t)"warren-watchdog";
	argv[n++] = base;
	argv[n++] = level;
	argv[n++] = (char *)(uintptr_t)"conf=3";
	if (asks >= 0)
		argv[n++] = (char *)(uintptr_t)"asks=4";
	if (log_get_journal())
		argv[n++] = (char *)(uintptr_t)"journal=1";
	argv[n] = NULL;
	(void)fexecve(exe, argv, envp);
	_exit(127);
}

static int
spawn(struct watchdog *w)
{
	_cleanup_fd_ int conf = w->text == NULL ? -1 :
	    memfd_sealed("watchdog", w->text, strlen(w->text));
	int events[2] = {-1, -1}, says[2] = {-1, -1}, asks[2] = {-1, -1};
	int r = -1;

	if (conf < 0 || pipe2(events, O_CLOEXEC) < 0 ||
	    pipe2(says, O_CLOEXEC) < 0 ||
	    (conf_of(w)->run == WATCHDOG_MODEL && socketpair(AF_UNIX,
		SOCK_SEQPACKET | SOCK_CLOEXEC, 0, asks) < 0))
		goto out;
	w->pid = fork();
	if (w->pid == 0)
		run(w, w->parent->fd_watchdog, events[0], says[1], conf,
		    asks[1]);
	if (w->pid < 0) {
		w->pid = 0;
		goto out;
	}
	w->born = ev_time();
	w->asks = steal_fd(&asks[0]);
	ev_child_set(&w->exited, w->pid, 0);
	ev_child_start(w->parent->loop, &w->exited);
	if (w->asks >= 0) {
		ev_io_set(&w->asked, w->asks, EV_READ);
		ev_io_start(w->parent->loop, &w->asked);
	}
	r = hand_pipes(w, events[1], says[0]);
out:
	for (unsigned i = 0; i < 2; i++) {
		close_fd(&events[i]);
		close_fd(&says[i]);
		close_fd(&asks[i]);
	}
	return r;
}

static bool
has_program(const struct watchdog *w)
{
	return conf_of(w)->run == WATCHDOG_RULES ||
	    conf_of(w)->run == WATCHDOG_MODEL;
}

static void
start(struct watchdog *w)
{
	double wait = 1.;

	if (w->parent->stopping || w->pid != 0 || !has_program(w) ||
	    audit_of(w) == NULL)
		return;
	if (spawn(w) == 0)
		return;
	log_err("watchdog", "warren-watchdog cannot be started");
	if (w->pid != 0) {
		(void)kill(w->pid, SIGKILL);
		return;
	}
	for (unsigned i = 0; i < w->streak && wait < BACKOFF_MAX; i++)
		wait *= 2;
	w->streak++;
	ev_timer_set(&w->again, MIN_OF(wait, BACKOFF_MAX), 0.);
	ev_timer_start(w->parent->loop, &w->again);
}

static void
on_again(struct ev_loop *loop, ev_timer *t, int revents)
{
	(void)loop;
	(void)revents;
	start(t->data);
}

static void
on_exited(struct ev_loop *loop, ev_child *c, int revents)
{
	struct watchdog *w = c->data;
	double wait = 0.;
	char text[64];

	(void)revents;
	ev_child_stop(loop, c);
	ev_io_stop(loop, &w->asked);
	ev_timer_stop(loop, &w->rest);
	close_fd(&w->asks);
	w->pid = 0;
	if (w->parent->stopping || !has_program(w))
		return;
	if (w->again_soon) {
		w->again_soon = false;
		w->streak = 0;
	} else {
		(void)snprintf(text, sizeof(text), WIFSIGNALED(c->rstatus) ?
		    "ended by signal %d" : "ended with status %d",
		    WIFSIGNALED(c->rstatus) ? WTERMSIG(c->rstatus) :
		    WEXITSTATUS(c->rstatus));
		log_errx("watchdog", "%s, starting it again", text);
		parent_event(w->parent, EVK_PROGRAM_FELL, 3, "watchdog", text);
		w->streak = ev_time() - w->born > LONG_LIFE ? 0 :
		    w->streak + 1;
	}
	if (w->streak > 1)
		wait = 1.;
	for (unsigned i = 2; i < w->streak && wait < BACKOFF_MAX; i++)
		wait *= 2;
	ev_timer_set(&w->again, MIN_OF(wait, BACKOFF_MAX), 0.);
	ev_timer_start(loop, &w->again);
}

/* ---- or it connects ---- */

static bool
user_of(const struct watchdog *w, uid_t *uid)
{
	const char *name = conf_of(w)->user;
	const struct passwd *pw;
	char *end;

	*uid = geteuid();
	if (name == NULL)
		return true;
	*uid = (uid_t)strtoul(name, &end, 10);
	if (*end == '\0')
		return true;
	if ((pw = getpwnam(name)) == NULL)
		return false;
	*uid = pw->pw_uid;
	return true;
}

static void
on_connected(void *ctx, int fd, const struct sockaddr_storage *peer)
{
	struct watchdog *w = ctx;
	_cleanup_fd_ int own = fd;
	uid_t uid, want;
	pid_t pid;

	(void)peer;
	acceptor_who(own, &uid, &pid);
	if (!user_of(w, &want) || uid != want) {
		log_warnx("watchdog", "user %u may not be it: watchdog.user",
		    (unsigned)uid);
		return;
	}
	/* the newest counts; audit leaves the one before */
	if (hand_pipes(w, own, own) < 0)
		log_warnx("watchdog", "one has connected, and audit does not "
		    "take it");
	else
		log_notice("watchdog", "connected pid=%d", (int)pid);
}

static void
door_close(struct watchdog *w)
{
	acceptor_stop(&w->acceptor);
	if (w->listener >= 0 && w->path[0] != '\0')
		(void)unlink(w->path);
	else if (w->listener >= 0)
		(void)unlinkat(w->parent->run, WATCHDOG_SOCK, 0);
	close_fd(&w->listener);
	w->path[0] = '\0';
}

static void
door_open(struct watchdog *w)
{
	const char *path = conf_of(w)->socket;
	uid_t uid;

	door_close(w);
	if (conf_of(w)->run != WATCHDOG_SOCKET || w->parent->stopping)
		return;
	if (!user_of(w, &uid))
		log_errx("watchdog", "there is no user %s: nobody can be it",
		    conf_of(w)->user);
	w->listener = path == NULL ? listen_watchdog(w->parent) :
	    listen_watchdog_at(path);
	if (w->listener < 0) {
		log_err("watchdog", "socket %s", path == NULL ? WATCHDOG_SOCK :
		    path);
		return;
	}
	if (path != NULL)
		(void)snprintf(w->path, sizeof(w->path), "%s", path);
	acceptor_start(&w->acceptor, w->parent->loop, w->listener,
	    on_connected, w);
}

/* ---- the parent's word ---- */

static struct watchdog *
watchdog_new(struct parent *p)
{
	struct watchdog *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->parent = p;
	w->asks = w->listener = -1;
	ev_init(&w->exited, on_exited);
	ev_init(&w->again, on_again);
	ev_init(&w->asked, on_asked);
	ev_timer_init(&w->rest, on_rested, ASKS_S, 0.);
	w->exited.data = w->again.data = w->asked.data = w->rest.data = w;
	return w;
}

static void
tell_audit(const struct watchdog *w)
{
	const struct watchdog_conf *c = conf_of(w);
	struct msg_D_CONF m = {.on = c->run != WATCHDOG_OFF, .act = c->act,
	    .corroborate = c->corroborate};
	struct ipc *to = audit_of(w);

	if (to != NULL && ipc_send_D_CONF(to, &m, NULL, 0) < 0)
		log_warn("watchdog", "audit is not told");
}

static void
begin(struct watchdog *w)
{
	free(w->text);
	w->text = conf_text(conf_of(w));
	tell_audit(w);
	door_open(w);
	ev_timer_stop(w->parent->loop, &w->again);
	w->again_soon = w->pid != 0;
	if (w->pid != 0) /* its pipes are of an audit, or rules, before */
		(void)kill(w->pid, SIGKILL);
	else
		start(w);
}

void
watchdog_audit(struct parent *p)
{
	if (p->watchdog == NULL && p->node->watchdog.run == WATCHDOG_OFF)
		return;
	if (p->watchdog == NULL && (p->watchdog = watchdog_new(p)) == NULL)
		return;
	begin(p->watchdog);
}

void
watchdog_reload(struct parent *p)
{
	_cleanup_free_ char *text = p->watchdog == NULL ? NULL :
	    conf_text(&p->node->watchdog);

	if (p->compute && (text == NULL || p->watchdog->text == NULL ||
	    strcmp(text, p->watchdog->text) != 0))
		watchdog_audit(p);
}

void
watchdog_stop(struct parent *p)
{
	struct watchdog *w = p->watchdog;

	if (w == NULL)
		return;
	ev_timer_stop(p->loop, &w->again);
	door_close(w);
	if (w->pid != 0)
		(void)kill(w->pid, SIGKILL);
}
