/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "common/lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/priv.h"
#include "common/program.h"

static void
look_up(const char *host, struct lookup_answer *a)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;

	a->error = getaddrinfo(host, NULL, &hints, &list);
	for (const struct addrinfo *i = list; a->error == 0 && i != NULL &&
	     a->count < LOOKUP_MAX;
	     i = i->ai_next) {
		struct lookup_addr *r = &a->list[a->count];

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
lookup_main(const char *host, const char *id)
{
	struct lookup_answer a = {0};
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
child(const char *host, uint32_t uid, int out)
{
	char name[] = LOOKUP_NAME, what[256], id[16], *envp[] = {NULL};
	char *argv[] = {name, what, id, NULL};
	int devnull = open("/dev/null", O_RDWR);
	int exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)snprintf(what, sizeof(what), "%s", host);
	(void)snprintf(id, sizeof(id), "%u", uid);
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

pid_t
lookup_start(const char *host, uint32_t uid, int *fd)
{
	int pipefd[2];
	pid_t pid;

	if (pipe2(pipefd, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0)
		child(host, uid, pipefd[1]);
	(void)close(pipefd[1]);
	if (pid < 0) {
		(void)close(pipefd[0]);
		return -1;
	}
	(void)fcntl(pipefd[0], F_SETFL, O_NONBLOCK);
	*fd = pipefd[0];
	return pid;
}

const char *
lookup_read(int fd, struct lookup_answer *a)
{
	ssize_t n = read(fd, a, sizeof(*a));

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		a->count = 0;
		errno = EAGAIN;
		return NULL;
	}
	errno = 0;
	if (n != (ssize_t)sizeof(*a) || a->count > LOOKUP_MAX)
		return "the look-up failed";
	if (a->error != 0)
		return gai_strerror(a->error);
	return a->count == 0 ? "no address" : NULL;
}
