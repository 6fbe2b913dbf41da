/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/absence.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/util.h"
#include "tests/sim/vtime.h"

/*
 * Each program is a process of its own: the socket of a shared instance, and
 * the talk about time. Only one runs at a moment, the others wait.
 */
#define PROGRAMS 64
#define WORDS 20
#define VTIME_FD 3
/* looks around so often while the link is away: all could see is the time */
#define SELDOM (30 * MONO_SECOND)
#define TRIES_REAL_S 60 /* of ours, until a program is taken for stuck */

struct command {
	bool used, connected, to_read;
	pid_t pid;
	int talk, sock, out;
	unsigned port;
	int64_t due, kill_at;
	int sig; /* ... by it */
	struct rns_deframer *in;
	char said[ABSENCE_PATH];
	program_ended_fn *fn;
	void *arg;
};

static struct command programs[PROGRAMS];
static int door = -1; /* of the shared instance */
static char path_of[ABSENCE_PATH];

void
away_people_open(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	char text[ABSENCE_PATH + 200], path[ABSENCE_PATH + 20];
	int n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/config", away.dir);
	MUST((f = fopen(path, "w")) != NULL, "%s", path);
	(void)fprintf(f, "[reticulum]\nshare_instance = yes\n"
	    "instance_name = away%ld\n[interfaces]\n", (long)getpid());
	(void)fclose(f);
	n = snprintf(text, sizeof(text), "rns/away%ld", (long)getpid());
	memcpy(sa.sun_path + 1, text, (size_t)n);
	door = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	MUST(door >= 0 && bind(door, (struct sockaddr *)&sa,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
	    (size_t)n)) == 0 && listen(door, 64) == 0, "a socket: %s",
	    strerror(errno));
	n = (int)readlink("/proc/self/exe", path_of, sizeof(path_of) - 20);
	MUST(n > 0, "where this program is");
	path_of[n] = '\0';
	(void)snprintf(strrchr(path_of, '/') + 1, 20, "vwarren");
}

/* ---- what passes between it and the instance ---- */

static void
to_program(void *arg, const uint8_t *packet, size_t len)
{
	struct command *p = arg;
	size_t most = rns_frame_max(RNS_FRAME_HDLC, len), n;
	uint8_t *b = malloc(most);

	MUST(b != NULL, "no memory");
	n = rns_frame(RNS_FRAME_HDLC, b, packet, len);
	/* a program that is being killed hears no more */
	if (send(p->sock, b, n, MSG_NOSIGNAL) != (ssize_t)n)
		MUST(errno == EPIPE || errno == ECONNRESET, "a full socket");
	free(b);
	p->to_read = away.wake = true;
}

static void
from_program(struct command *p)
{
	static uint8_t buf[65536];
	const uint8_t *frame;
	size_t len;
	ssize_t n;

	if (!p->connected) {
		p->sock = accept4(door, NULL, NULL, SOCK_CLOEXEC);
		if (p->sock < 0)
			return;
		p->connected = true;
		p->in = rns_deframer_new(RNS_FRAME_HDLC, 262144);
		p->port = sim_port(away.sim, NEAR, to_program, p);
	}
	while ((n = recv(p->sock, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		MUST(rns_deframer_feed(p->in, buf, (size_t)n) == RNS_OK,
		    "no memory");
		while (rns_deframer_next(p->in, &frame, &len))
			sim_inject(away.sim, NEAR, p->port, frame, len);
	}
}

/* ---- its life ---- */

static void
child(const char *folder, const char *const *words, int talk, int out)
{
	char *argv[WORDS + 8];
	int n = 0;

	if (chdir(folder) != 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(98);
	(void)close(0);
	if (open("/dev/null", O_RDONLY) != 0)
		_exit(98);
	if (talk == VTIME_FD)
		(void)fcntl(talk, F_SETFD, 0);
	else if (dup2(talk, VTIME_FD) < 0)
		_exit(98);
	argv[n++] = (char *)(uintptr_t)"warren";
	while (*words != NULL && n < WORDS)
		argv[n++] = (char *)(uintptr_t)*words++;
	argv[n] = NULL;
	(void)execv(path_of, argv);
	_exit(98);
}

void
away_warren(const char *folder, int64_t ahead_s, int64_t kill_after,
    int sig, program_ended_fn *fn, void *arg, const char *const *words)
{
	struct command *p = programs;
	int64_t now = sim_now(away.sim).us;
	char env[80];
	int sv[2];

	while (p < programs + PROGRAMS && p->used)
		p++;
	MUST(p < programs + PROGRAMS, "too many programs at once");
	*p = (struct command){.used = true, .sock = -1, .fn = fn, .arg = arg,
	    .due = INT64_MAX, .sig = sig, .kill_at = kill_after < 0 ? INT64_MAX :
		now + kill_after};
	(void)snprintf(p->said, sizeof(p->said), "%s/said.%u",
	    folder, ++away.programs);
	p->out = open(p->said, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	MUST(p->out >= 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    sv) == 0, "%s: %s", p->said, strerror(errno));
	(void)snprintf(env, sizeof(env), "%d %llu %lld", VTIME_FD,
	    (unsigned long long)sim_random(away.sim), (long long)ahead_s);
	(void)setenv(VTIME_ENV, env, 1);
	(void)fflush(NULL);
	p->pid = fork();
	MUST(p->pid >= 0, "fork");
	if (p->pid == 0)
		child(folder, words, sv[1], p->out);
	(void)close(sv[1]);
	p->talk = sv[0];
	p->to_read = true; /* it begins in this turn */
}

static void
ended(struct command *p, bool killed)
{
	static char said[65536];
	int status;
	ssize_t n;

	if (killed)
		(void)kill(p->pid, SIGKILL);
	MUST(waitpid(p->pid, &status, 0) == p->pid, "waitpid");
	from_program(p); /* its last words */
	if (p->connected) {
		sim_port_close(away.sim, p->port);
		rns_deframer_free(p->in);
		(void)close(p->sock);
	}
	n = pread(p->out, said, sizeof(said) - 1, 0);
	n = MAX_OF(n, (ssize_t)0);
	for (ssize_t i = 0; i < n; i++)
		if (said[i] == '\0') /* it is the job's output as well */
			said[i] = ' ';
	said[n] = '\0';
	(void)close(p->out);
	(void)close(p->talk);
	if (!away.verbose)
		(void)unlink(p->said);
	p->used = false;
	away.killed += killed;
	p->fn(p->arg, killed ? -1 : WIFEXITED(status) ? WEXITSTATUS(status) :
	    1000 + WTERMSIG(status), said);
}

/* It goes on until it waits again, or ends. */
static void
go_on(struct command *p)
{
	int64_t now = sim_now(away.sim).us;
	struct timeval limit = {.tv_sec = TRIES_REAL_S};
	ssize_t n;

	p->to_read = false;
	(void)setsockopt(p->talk, SOL_SOCKET, SO_RCVTIMEO, &limit,
	    sizeof(limit));
	if (send(p->talk, &now, sizeof(now), MSG_NOSIGNAL) != sizeof(now)) {
		ended(p, false);
		return;
	}
	n = recv(p->talk, &p->due, sizeof(p->due), MSG_WAITALL);
	MUST(n >= 0 || errno == ECONNRESET, "a program that never waits, see "
	    "%s", p->said);
	if (n == sizeof(p->due) && !away.up)
		p->due = MAX_OF(p->due, now + SELDOM);
	if (n == sizeof(p->due))
		from_program(p);
	else
		ended(p, false);
}

bool
away_people_turn(void)
{
	int64_t now = sim_now(away.sim).us;
	bool any = false;

	for (struct command *p = programs; p < programs + PROGRAMS; p++) {
		if (p->used && p->kill_at <= now && p->sig == SIGKILL) {
			ended(p, true);
			any = true;
			continue;
		}
		if (p->used && p->kill_at <= now) {
			/* seen as soon as it goes on */
			(void)kill(p->pid, p->sig);
			p->kill_at = INT64_MAX;
			p->to_read = true;
		}
		if (p->used && (p->to_read || p->due <= now)) {
			go_on(p);
			any = true;
		}
	}
	return any;
}

int64_t
away_people_next(void)
{
	int64_t next = INT64_MAX;

	for (struct command *p = programs; p < programs + PROGRAMS; p++)
		if (p->used)
			next = MIN_OF(next, p->to_read ? 0 :
			    MIN_OF(p->due, p->kill_at));
	return next;
}

unsigned
away_people_running(void)
{
	unsigned n = 0;

	for (struct command *p = programs; p < programs + PROGRAMS; p++)
		n += p->used;
	return n;
}

void
away_people_close(void)
{
	for (struct command *p = programs; p < programs + PROGRAMS; p++)
		if (p->used)
			ended(p, true);
	(void)close(door);
	door = -1;
}
