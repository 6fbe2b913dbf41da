/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "tests/unit/prog_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/program.h"

#include "tests/until.h"

#define WAIT_MS PATIENCE_MS

static void
child(const char *exe, int channel, const char *const name[2],
    const int dirs[2])
{
	char path[128], word[2][64];
	char *argv[4] = {path, NULL, NULL, NULL};
	unsigned n = 1;
	int null = open("/dev/null", O_RDWR);

	(void)snprintf(path, sizeof(path), "./%s", exe);
	/* low numbers last, so that none is overwritten before it is used */
	channel = fcntl(channel, F_DUPFD, 40);
	for (int i = 0; i < 2; i++) {
		if (dirs[i] < 0)
			continue;
		(void)snprintf(word[i], sizeof(word[i]), "%s=%d", name[i],
		    fcntl(dirs[i], F_DUPFD, 41));
		argv[n++] = word[i];
	}
	if (dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    dup2(channel, PROGRAM_CHANNEL) < 0)
		_exit(99);
	/* the leak checker wants to trace, which a confined program forbids */
	(void)setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
	(void)execv(path, argv);
	_exit(98);
}

void
prog_start(struct prog *p, enum program self, const char *dir_name, int dir)
{
	prog_start_two(p, self, dir_name, dir, NULL, -1);
}

void
prog_start_two(struct prog *p, enum program self, const char *dir_name,
    int dir, const char *more_name, int more)
{
	const char *const names[2] = {dir_name, more_name};
	const int dirs[2] = {dir, more};
	int fds[2];

	memset(p, 0, sizeof(*p));
	p->self = self;
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(ipc_pair(fds), 0);
	p->pid = fork();
	assert_true(p->pid >= 0);
	if (p->pid == 0)
		child(program_row(self)->exe, fds[1], names, dirs);
	(void)close(fds[1]);
	p->parent = ipc_new(fds[0], PROGRAM_PARENT, self);
	assert_non_null(p->parent);
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* 1: a message; 0: none in time; -1: gone. */
static int
next(struct ipc *c, struct ipc_in *in, int ms)
{
	int64_t end = now_ms() + ms;

	for (;;) {
		struct pollfd pfd = {ipc_fd(c), POLLIN, 0};
		int r = ipc_recv(c, in);
		int64_t left = end - now_ms();

		(void)ipc_flush(c);
		if (r != 0)
			return r;
		if (left <= 0)
			return 0;
		/* what did not fit goes out first, or nobody answers it */
		if (ipc_pending(c))
			pfd.events |= POLLOUT;
		(void)poll(&pfd, 1, (int)left);
	}
}

bool prog_pass[IPC_TYPES];

/* What a program says to audit, or audit of it, whatever is asked of it. */
static bool
beside(enum ipc_type t)
{
	return t == IPC_EVENT || t == IPC_EVENT_RUN || t == IPC_EVENT_ACK ||
	    t == IPC_ALARM;
}

void
prog_wait(struct ipc *c, enum ipc_type type, struct ipc_in *in)
{
	for (;;) {
		int r = next(c, in, WAIT_MS);

		if (r <= 0)
			fail_msg("%s: %s instead of %s",
			    program_name(ipc_other(c)), r < 0 ? "gone" : "silent",
			    ipc_row(type)->name);
		if (in->type == type)
			return;
		if (!beside(in->type) && !prog_pass[in->type])
			fail_msg("%s instead of %s", ipc_row(in->type)->name,
			    ipc_row(type)->name);
		ipc_in_done(in);
	}
}

void
prog_quiet(struct ipc *c, int ms)
{
	struct ipc_in in;

	while (next(c, &in, ms) == 1) {
		if (!beside(in.type))
			fail_msg("%s instead of silence",
			    ipc_row(in.type)->name);
		ipc_in_done(&in);
	}
}

void
prog_params(struct prog *p, const uint8_t rns_public[64])
{
	struct msg_PARAMS m = {.loglevel = 2, .compute = true};

	memcpy(m.rns_public, rns_public, 64);
	(void)snprintf(m.instance, sizeof(m.instance), "00000000");
	assert_int_equal(ipc_send_PARAMS(p->parent, &m, NULL, 0), 0);
}

void
prog_text(struct prog *p, enum setting what, const char *name, const char *text)
{
	struct msg_SETTING m = {.what = (uint8_t)what};
	int fd = memfd_sealed("setting", text, strlen(text));

	assert_true(fd >= 0);
	(void)snprintf(m.name, sizeof(m.name), "%s", name);
	assert_int_equal(ipc_send_SETTING(p->parent, &m, &fd, 1), 0);
	(void)close(fd);
}

void
prog_begin(struct prog *p)
{
	struct msg_START_DONE m = {.end_ = 0};
	struct ipc_in in;

	assert_int_equal(ipc_send_START_DONE(p->parent, &m, NULL, 0), 0);
	prog_wait(p->parent, IPC_HELLO, &in);
	ipc_in_done(&in);
	prog_wait(p->parent, IPC_READY, &in);
	ipc_in_done(&in);
}

struct ipc *
prog_neighbour(struct prog *p, enum program other)
{
	struct msg_NEIGHBOUR m = {.program = (uint8_t)other};
	struct msg_HELLO hello = {.end_ = 0};
	struct ipc_in in;
	int fds[2];

	assert_int_equal(ipc_pair(fds), 0);
	assert_int_equal(ipc_send_NEIGHBOUR(p->parent, &m, &fds[1], 1), 0);
	(void)close(fds[1]);
	ipc_free(p->side[other]);
	p->side[other] = ipc_new(fds[0], other, p->self);
	assert_non_null(p->side[other]);
	program_build_id(&hello.build);
	assert_int_equal(ipc_send_HELLO(p->side[other], &hello, NULL, 0), 0);
	prog_wait(p->side[other], IPC_HELLO, &in);
	ipc_in_done(&in);
	return p->side[other];
}

static void
close_all(struct prog *p)
{
	ipc_free(p->parent);
	p->parent = NULL;
	for (int i = 0; i < PROGRAM_COUNT; i++) {
		ipc_free(p->side[i]);
		p->side[i] = NULL;
	}
}

int
prog_end(struct prog *p)
{
	struct until u = until_begin("the program's end", WAIT_MS);
	int status = 0;

	do {
		if (waitpid(p->pid, &status, WNOHANG) == p->pid) {
			close_all(p);
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		}
	} while (until_step(&u));
	prog_kill(p);
	fail_msg("it does not end");
	return -1;
}

void
prog_stop(struct prog *p)
{
	struct msg_STOP m = {.end_ = 0};

	assert_int_equal(ipc_send_STOP(p->parent, &m, NULL, 0), 0);
	assert_int_equal(prog_end(p), 0);
}

void
prog_kill(struct prog *p)
{
	int status;

	(void)kill(p->pid, SIGKILL);
	(void)waitpid(p->pid, &status, 0);
	close_all(p);
}
