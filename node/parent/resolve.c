/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/util.h"
#include "node/parent/parent.h"

/*
 * A host name is looked up by a child that lives for one answer and has no
 * right and no memory of ours: what DNS servers send is parsed there. It
 * answers a record of fixed size.
 */
#define RESOLVE_SECONDS 10.0

struct answer {
	int32_t error; /* of getaddrinfo() */
	uint32_t count;
	struct resolved list[RESOLVE_MAX];
};

struct resolve {
	struct ev_loop *loop;
	pid_t pid;
	int fd;
	ev_io readable;
	ev_timer late;
	ev_child exited;
	bool reaped, finished; /* freed when both are true */
	resolve_fn *fn;
	void *ctx;
};

static void
look_up(const char *host, struct answer *a)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;

	a->error = getaddrinfo(host, NULL, &hints, &list);
	for (const struct addrinfo *i = list; a->error == 0 && i != NULL &&
	     a->count < RESOLVE_MAX;
	     i = i->ai_next) {
		struct resolved *r = &a->list[a->count];

		if (i->ai_family == AF_INET) {
			struct sockaddr_in sin;

			memcpy(&sin, i->ai_addr, sizeof(sin));
			r->family = 4;
			memcpy(r->addr, &sin.sin_addr, 4);
			a->count++;
		} else if (i->ai_family == AF_INET6) {
			struct sockaddr_in6 sin6;

			memcpy(&sin6, i->ai_addr, sizeof(sin6));
			r->family = 6;
			memcpy(r->addr, &sin6.sin6_addr, 16);
			r->scope = sin6.sin6_scope_id;
			a->count++;
		}
	}
	if (list != NULL)
		freeaddrinfo(list);
}

/* The one thing that it does; whatever fails, nobody gets an answer. */
int
resolve_main(const char *host, const char *id)
{
	struct answer a = {0};
	struct rlimit none = {0, 0};
	struct priv_dir root = {-1, PRIV_READ};
	uint32_t uid = (uint32_t)strtoul(id, NULL, 10);
	int abi;

	if (priv_fds((const int[]){PROGRAM_CHANNEL}, 1) < 0 ||
	    priv_session(32) < 0 || priv_ids(uid) < 0 ||
	    setrlimit(RLIMIT_FSIZE, &none) < 0)
		return 1;
	root.fd = open("/", O_PATH | O_CLOEXEC);
	if (root.fd < 0 || priv_landlock(&root, 1, true, &abi) < 0 ||
	    priv_filter_lookup() < 0)
		return 1;
	look_up(host, &a);
	return write(PROGRAM_CHANNEL, &a, sizeof(a)) == sizeof(a) ? 0 : 1;
}

/*
 * Executed anew, so that nothing of our memory is there: the passphrases of
 * config, for one. Only the end of a pipe goes along.
 */
static void
child(const struct parent *p, const char *host, int out)
{
	char name[] = RESOLVE_NAME, what[256], id[16], *envp[] = {NULL};
	char *argv[] = {name, what, id, NULL};
	int devnull = open("/dev/null", O_RDWR);
	int exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)snprintf(what, sizeof(what), "%s", host);
	(void)snprintf(id, sizeof(id), "%u",
	    p->root ? p->base + RESOLVE_UID : 0);
	for (int i = 0; i <= STDERR_FILENO; i++)
		if (devnull < 0 || dup2(devnull, i) < 0)
			_exit(1);
	/* it may be that number already, and would then close */
	if (exe < 0 || (exe = fcntl(exe, F_DUPFD_CLOEXEC, 10)) < 0 ||
	    (out = fcntl(out, F_DUPFD_CLOEXEC, 10)) < 0 ||
	    dup2(out, PROGRAM_CHANNEL) < 0 ||
	    priv_fds((const int[]){PROGRAM_CHANNEL, exe}, 2) < 0)
		_exit(1);
	(void)fexecve(exe, argv, envp);
	_exit(1);
}

static void
on_exited(struct ev_loop *loop, ev_child *w, int revents)
{
	struct resolve *r = w->data;

	(void)revents;
	ev_child_stop(loop, w);
	r->reaped = true;
	if (r->finished)
		free(r);
}

/* No more of it is heard: the answer is in, or nobody wants it. */
static void
finish(struct resolve *r)
{
	ev_io_stop(r->loop, &r->readable);
	ev_timer_stop(r->loop, &r->late);
	(void)close(r->fd);
	r->finished = true;
	if (r->reaped)
		free(r);
	else
		(void)kill(r->pid, SIGKILL);
}

void
resolve_stop(struct resolve *r)
{
	if (r != NULL)
		finish(r);
}

static void
on_answer(struct ev_loop *loop, ev_io *w, int revents)
{
	struct resolve *r = w->data;
	resolve_fn *fn = r->fn;
	void *ctx = r->ctx;
	struct answer a;
	ssize_t n = read(r->fd, &a, sizeof(a));

	(void)loop;
	(void)revents;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	finish(r);
	if (n != (ssize_t)sizeof(a) || a.count > RESOLVE_MAX)
		fn(ctx, NULL, 0, "the look-up failed");
	else if (a.error != 0 || a.count == 0)
		fn(ctx, NULL, 0,
		    a.error != 0 ? gai_strerror(a.error) : "no address");
	else
		fn(ctx, a.list, a.count, NULL);
}

static void
on_late(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct resolve *r = w->data;
	resolve_fn *fn = r->fn;
	void *ctx = r->ctx;

	(void)loop;
	(void)revents;
	finish(r);
	fn(ctx, NULL, 0, "no answer in 10 s");
}

struct resolve *
resolve_start(struct parent *p, const char *host, resolve_fn *fn, void *ctx)
{
	struct resolve *r = calloc(1, sizeof(*r));
	int pipefd[2];

	if (r == NULL)
		return NULL;
	if (pipe2(pipefd, O_CLOEXEC) < 0) {
		free(r);
		return NULL;
	}
	r->pid = fork();
	if (r->pid == 0)
		child(p, host, pipefd[1]);
	(void)close(pipefd[1]);
	if (r->pid < 0) {
		(void)close(pipefd[0]);
		free(r);
		return NULL;
	}
	r->loop = p->loop;
	r->fd = pipefd[0];
	(void)fcntl(r->fd, F_SETFL, O_NONBLOCK);
	r->fn = fn;
	r->ctx = ctx;
	ev_io_init(&r->readable, on_answer, r->fd, EV_READ);
	ev_timer_init(&r->late, on_late, RESOLVE_SECONDS, 0.);
	ev_child_init(&r->exited, on_exited, r->pid, 0);
	r->readable.data = r->late.data = r->exited.data = r;
	ev_io_start(p->loop, &r->readable);
	ev_timer_start(p->loop, &r->late);
	ev_child_start(p->loop, &r->exited);
	return r;
}
