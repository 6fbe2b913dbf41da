/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"
#include "node/parent/dial.h"
#include "node/parent/groups.h"
#include "node/parent/hear.h"
#include "node/parent/meeting.h"
#include "node/parent/notify.h"
#include "node/parent/oneline.h"
#include "node/parent/parent.h"
#include "node/parent/rank.h"
#include "node/parent/settings.h"
#include "node/parent/siblings.h"
#include "node/parent/tell.h"
#include "common/runner.h"
#include "node/check/tool.h"
#include "node/parent/watchdog.h"
#include "node/parent/wasmfiles.h"
#include "node/parent/verifier.h"
#include "node/parent/web.h"

#define BACKOFF_MAX 60.0 /* ARCHITECTURE.md 12.9 */
#define LONG_LIFE 60.0	 /* ours: after it a fall counts as the first */
#define ORPHANS_S 0.01	 /* until what a jail has left is dead ... */
#define ORPHANS_LOOKS 3	 /* ... and none was seen so often */
#define ENVOY_LOOKS 500	 /* ours: 5 s, for who asks a daemon to end by itself */
#define HIGH_FD 100	 /* above what a program's table needs */

/* Stages of the end: work first, then what it needs, the trail last. */
static const enum program stages[][3] = {
    {PROGRAM_NODE, PROGRAM_NODE, PROGRAM_NODE},
    {PROGRAM_JAIL, PROGRAM_TRUST, PROGRAM_EGRESS},
    {PROGRAM_TRANSPORT, PROGRAM_TRANSPORT, PROGRAM_TRANSPORT},
    {PROGRAM_KEYS, PROGRAM_AUDIT, PROGRAM_AUDIT},
};
#define STAGE_SECONDS 1.1 /* four of them stay below 5 s */

/* ---- opening them, once ---- */

static bool
wanted(const struct parent *p, enum program who)
{
	/* egress comes when there is something to fetch */
	return who == PROGRAM_EGRESS ? p->web :
	    who == PROGRAM_TRANSPORT || p->compute;
}

static void child_start(struct child *);
static void on_exited(struct ev_loop *, ev_child *, int);
static void on_again(struct ev_loop *, ev_timer *, int);

static int
open_runner(struct parent *p, int at, const char *path)
{
	char why[TOOL_WHY];

	p->fd_inner = siblings_sealed(at, "warren-inner");
	if (p->fd_inner < 0) {
		log_err(path, "program warren-inner");
		return -1;
	}
	p->fd_tool = tool_open(p->runner, p->node->runner_path, why);
	if (p->fd_tool < 0) {
		/* a daemon that is not started yet keeps jobs, and no more */
		bool later = p->runner == RUNNER_DOCKER && errno == ENOENT;

		log_errx("node.yaml", "%s", why);
		if (!later)
			return -1;
	}
	return p->runner == RUNNER_DOCKER ? meeting_make(p) : 0;
}

int
child_open_all(struct parent *p)
{
	char path[4096];
	const char *lacks = NULL;
	_cleanup_fd_ int at = siblings_open(path);

	for (unsigned i = 0; i < PROGRAM_COUNT; i++) {
		struct child *c = &p->child[i];
		const struct program_row *row = program_row((enum program)i);

		*c = (struct child){.parent = p, .peer = (enum program)i,
		    .exe = -1};
		ev_init(&c->exited, on_exited);
		ev_init(&c->again, on_again);
		c->exited.data = c->again.data = c;
		c->wanted = row != NULL && wanted(p, c->peer);
		/* that one may be wanted later, and is this build's then too */
		if (!c->wanted && !(i == PROGRAM_EGRESS && p->compute))
			continue;
		c->exe = i == PROGRAM_JAIL
		    ? siblings_sealed(at, siblings_file(c->peer, p->runner))
		    : openat(at, row->exe, O_RDONLY | O_CLOEXEC);
		if (c->exe < 0) {
			log_err(path, "program %s",
			    siblings_file(c->peer, p->runner));
			return -1;
		}
	}
	p->fd_hand = -1;
	for (unsigned i = 0; i < WASM_FILES; i++)
		p->fd_wasm[i] = -1;
	if (!p->compute)
		return 0;
	p->fd_watchdog = openat(at, "warren-watchdog", O_RDONLY | O_CLOEXEC);
	if (p->fd_watchdog < 0) {
		log_err(path, "program warren-watchdog");
		return -1;
	}
	if (p->node->wasm_engine && p->runner != RUNNER_NATIVE)
		log_notice("node.yaml", "no modules are run: %s contains no "
		    "command that is not of an image", runner_name(p->runner));
	else if (p->node->wasm_engine &&
	    !wasmfiles_open(at, p->fd_wasm, &lacks) && lacks != NULL)
		log_warnx(lacks, "is not there, so no modules are run");
	if (p->runner != RUNNER_NATIVE && open_runner(p, at, path) < 0)
		return -1;
	p->fd_hand = siblings_sealed(at, "warren-hand");
	if (p->fd_hand < 0) {
		log_err(path, "program warren-hand");
		return -1;
	}
	return 0;
}

/* ---- between fork and exec ---- */

static void
default_signals(void)
{
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		(void)signal(s, SIG_DFL); /* fails for two of them */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * Descriptors are moved high first, so that none is overwritten on the way to
 * its place. All the others close at exec.
 */
static void
run(struct child *c, struct spawn *s, int channel)
{
	static const char outside[] =
	    "warrend: a program does not come into its control group\n";
	char words[SPAWN_FDS + 8][96];
	char *argv[SPAWN_FDS + 10], *envp[] = {NULL};
	unsigned n = 0;
	int devnull = open("/dev/null", O_RDWR | O_CLOEXEC);
	int exe = fcntl(c->exe, F_DUPFD_CLOEXEC, HIGH_FD);

	channel = fcntl(channel, F_DUPFD_CLOEXEC, HIGH_FD);
	for (unsigned i = 0; i < s->nfds; i++) {
		s->fd[i].fd = fcntl(s->fd[i].fd, F_DUPFD_CLOEXEC, HIGH_FD);
		if (s->fd[i].fd < 0)
			_exit(126);
	}
	default_signals();
	if (c->peer != PROGRAM_TRANSPORT)
		rank_before_relay(RANK_HOUSE);
	/* outside its group it runs all the same, and it is said */
	if (!groups_join(&c->parent->groups,
	    c->peer == PROGRAM_TRANSPORT ? GROUP_RELAY : GROUP_HOUSE) ||
	    (c->peer == PROGRAM_JAIL && c->parent->groups.made &&
		!iolimit_join(&c->parent->groups.io)))
		(void)!write(STDERR_FILENO, outside, sizeof(outside) - 1);
	if (devnull < 0 || dup2(devnull, STDIN_FILENO) < 0 ||
	    dup2(devnull, STDOUT_FILENO) < 0 || channel < 0 ||
	    dup2(channel, PROGRAM_CHANNEL) < 0 || chdir("/") < 0)
		_exit(126);
	argv[n++] = (char *)(uintptr_t)siblings_file(c->peer,
	    c->parent->runner);
	for (unsigned i = 0; i < s->nwords; i++)
		argv[n++] = s->word[i];
	for (unsigned i = 0; i < s->nfds; i++) {
		int fd = PROGRAM_CHANNEL + 1 + (int)i;

		if (dup2(s->fd[i].fd, fd) < 0)
			_exit(126);
		(void)snprintf(words[i], sizeof(words[i]), "%s=%d",
		    s->fd[i].name, fd);
		argv[n++] = words[i];
	}
	argv[n] = NULL;
	(void)fexecve(exe, argv, envp);
	_exit(127);
}

/* ---- wanted, or not ---- */

static void
look_again(struct child *c)
{
	struct msg_STOP m = {0};

	ev_timer_stop(c->parent->loop, &c->again);
	c->looking = c->ev != NULL &&
	    ipc_send_STOP(ipc_ev_channel(c->ev), &m, NULL, 0) == 0;
}

void
child_look_again(struct parent *p)
{
	struct child *c = &p->child[PROGRAM_JAIL];

	if (c->pid != 0 && c->troubled && !c->looking)
		look_again(c);
}

void
child_want(struct child *c, bool wanted)
{
	struct msg_STOP m = {0};

	c->wanted = wanted;
	if (wanted && c->pid == 0 && !ev_is_active(&c->again))
		child_start(c);
	else if (!wanted && c->ev != NULL) /* then child_start() lets it be */
		c->looking = ipc_send_STOP(ipc_ev_channel(c->ev), &m, NULL, 0) == 0;
}

/* ---- a life ---- */

static void
schedule(struct child *c)
{
	double wait = 0;

	if (c->streak > 1) {
		wait = 1;
		for (unsigned i = 2; i < c->streak && wait < BACKOFF_MAX; i++)
			wait *= 2;
	}
	ev_timer_set(&c->again, MIN_OF(wait, BACKOFF_MAX), 0.);
	ev_timer_start(c->parent->loop, &c->again);
}

static int
start(struct child *c)
{
	struct parent *p = c->parent;
	struct spawn spawn;
	struct id32 build;
	struct ipc *channel;
	int fds[2];

	settings_spawn(p, c->peer, &spawn);
	if (ipc_pair(fds) < 0)
		return -1;
	channel = ipc_new(fds[0], PROGRAM_PARENT, c->peer);
	c->ev = channel != NULL ? ipc_ev_new(p->loop, channel, &hear_child, c)
				: NULL;
	if (c->ev == NULL) {
		ipc_free(channel);
		(void)close(fds[1]);
		return -1;
	}
	program_build_id(&build);
	ipc_ev_expect_hello(c->ev, &build);
	c->pid = fork();
	if (c->pid == 0)
		run(c, &spawn, fds[1]);
	(void)close(fds[1]);
	if (c->pid < 0) {
		c->pid = 0;
		ipc_ev_free(c->ev);
		c->ev = NULL;
		return -1;
	}
	c->born = ev_time();
	c->ready = c->troubled = c->looking = false;
	ev_child_set(&c->exited, c->pid, 0);
	ev_child_start(p->loop, &c->exited);
	return settings_send(p, c->peer, channel);
}

static void
child_start(struct child *c)
{
	struct parent *p = c->parent;

	if (!c->wanted || p->stopping || c->pid != 0)
		return;
	if (c->peer == PROGRAM_JAIL)
		groups_kill_jobs(&p->groups);
	if (start(c) < 0) {
		log_err(program_name(c->peer), "cannot be started");
		if (c->pid != 0) {
			(void)kill(c->pid, SIGKILL);
			return; /* its end schedules the next start */
		}
		c->streak++;
		schedule(c);
		return;
	}
	log_debug(program_name(c->peer), "started pid=%d", (int)c->pid);
	if (c->peer == PROGRAM_AUDIT)
		witness_up(&p->witness, ipc_ev_channel(c->ev));
	tell_siblings(p, c);
	tell_program(p, c);
	/* and the newcomer learns of the others */
	if (c->peer == PROGRAM_TRANSPORT || c->peer == PROGRAM_NODE)
		for (unsigned i = 0; i < PROGRAM_COUNT; i++)
			if (p->child[i].wanted && &p->child[i] != c)
				tell_program(p, &p->child[i]);
}

static bool
is_program(const struct parent *p, pid_t pid)
{
	for (unsigned i = 0; i < PROGRAM_COUNT; i++) {
		if (p->child[i].pid == pid)
			return true;
	}
	return false;
}

/* By how long they are waited for, at most. */
enum remains { LEFT_OTHER, LEFT_ERRAND, LEFT_ENVOY, LEFT_JOB };

/* Who asks a daemon has one, as long as it works; who waits for a container none. */
static bool
has_child(pid_t pid)
{
	char path[64], c;
	_cleanup_fd_ int fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children",
	    (int)pid, (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, &c, 1) == 1;
}

/* A child of ours that is a slot, a job's first process or a step of a jail. */
static enum remains
of_jail(const struct parent *p, pid_t pid)
{
	char path[48], comm[16] = "";
	_cleanup_fd_ int fd = -1;

	if (is_program(p, pid))
		return LEFT_OTHER;
	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, comm, sizeof(comm) - 1) <= 0)
		return LEFT_OTHER;
	if (strncmp(comm, "warren-envoy", 12) == 0)
		return has_child(pid) ? LEFT_ENVOY : LEFT_ERRAND;
	return strncmp(comm, "warren-jail", 11) == 0 ||
	    strncmp(comm, "warren-runner", 13) == 0 ||
	    strncmp(comm, "warren-hand", 11) == 0 ? LEFT_JOB : LEFT_OTHER;
}

/*
 * What a jail that fell has left becomes our child (PR_SET_CHILD_SUBREAPER):
 * dying, but with the slots' ids, folders and groups until it is dead. The first
 * process of a job is reaped when all others are; until then it keeps its
 * number, so it can be killed by it. Who asks a daemon is not: it takes the last
 * containers away, which the next jail's trial would come across.
 */
static bool
left_behind(const struct parent *p, enum remains least)
{
	FILE *f = fopen("/proc/thread-self/children", "re");
	bool any = false;
	int pid;

	while (f != NULL && fscanf(f, "%d", &pid) == 1) {
		enum remains what = of_jail(p, (pid_t)pid);

		if (what == LEFT_JOB)
			(void)kill((pid_t)pid, SIGKILL);
		any |= what >= least;
	}
	if (f != NULL)
		(void)fclose(f);
	return any;
}

static void
on_again(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct child *c = w->data;

	(void)revents;
	if (c->pid != 0) {
		look_again(c);
		return;
	}
	/* the list may lack some while others leave it: once is not enough */
	c->alone = left_behind(c->parent, c->waited++ < ENVOY_LOOKS ?
	    LEFT_ERRAND : LEFT_JOB) ? 0 : c->alone + 1;
	if (c->peer == PROGRAM_JAIL && c->alone < ORPHANS_LOOKS) {
		ev_timer_set(&c->again, ORPHANS_S, 0.);
		ev_timer_start(loop, &c->again);
		return;
	}
	c->restarts++;
	child_start(c);
}

static void
say_end(struct child *c, int status, bool expected)
{
	char text[96];

	if (WIFSIGNALED(status))
		(void)snprintf(text, sizeof(text), "ended by signal %d",
		    WTERMSIG(status));
	else
		(void)snprintf(text, sizeof(text), "ended with status %d",
		    WEXITSTATUS(status));
	if (expected) {
		if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
			log_errx(program_name(c->peer), "fell while it was to "
			    "end: %s", text);
		else
			log_debug(program_name(c->peer), "%s", text);
		return;
	}
	log_errx(program_name(c->peer), "%s, starting it again restarts=%u", text,
	    c->restarts + 1);
	parent_event(c->parent, EVK_PROGRAM_FELL, 4, program_name(c->peer), text);
}

static void next_stage(struct parent *);

static void
on_exited(struct ev_loop *loop, ev_child *w, int revents)
{
	struct child *c = w->data;
	struct parent *p = c->parent;

	(void)revents;
	ev_child_stop(loop, w);
	ev_timer_stop(loop, &c->again);
	c->pid = 0;
	c->alone = c->waited = 0;
	c->ready = false;
	ipc_ev_free(c->ev);
	c->ev = NULL;
	say_end(c, w->rstatus, p->stopping || c->looking);
	if (c->peer == PROGRAM_JAIL)
		groups_kill_jobs(&p->groups);
	if (c->peer == PROGRAM_TRANSPORT) {
		dial_clear(p);
		oneline_clear(p);
	}
	if (c->peer == PROGRAM_TRUST)
		verifier_clear(p);
	if (c->peer == PROGRAM_EGRESS)
		web_clear(p);
	if (p->stopping) {
		next_stage(p);
		return;
	}
	notify_programs(p);
	tell_program(p, c);
	if (c->looking) {
		child_start(c);
		return;
	}
	c->streak = ev_time() - c->born > LONG_LIFE ? 1 : c->streak + 1;
	schedule(c);
}

void
child_start_all(struct parent *p)
{
	/* keys first: their copy here is gone before anything else starts */
	static const enum program order[] = {PROGRAM_KEYS, PROGRAM_AUDIT, PROGRAM_TRANSPORT,
	    PROGRAM_EGRESS, PROGRAM_TRUST, PROGRAM_JAIL, PROGRAM_NODE};

	for (size_t i = 0; i < NELEM(order); i++)
		child_start(&p->child[order[i]]);
}

/* ---- the end ---- */

void
child_await_envoy(const struct parent *p)
{
	unsigned alone = 0;

	if (p->runner != RUNNER_DOCKER)
		return;
	for (unsigned n = 0; n < ENVOY_LOOKS && alone < ORPHANS_LOOKS; n++) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			continue;
		alone = left_behind(p, LEFT_ENVOY) ? 0 : alone + 1;
		(void)poll(NULL, 0, (int)(ORPHANS_S * 1000));
	}
}

static bool
stage_over(const struct parent *p)
{
	for (size_t i = 0; i < NELEM(stages[0]); i++)
		if (p->child[stages[p->stage][i]].pid != 0)
			return false;
	return true;
}

static void
stop_stage(struct parent *p)
{
	struct msg_STOP m = {0};

	for (size_t i = 0; i < NELEM(stages[0]); i++) {
		struct child *c = &p->child[stages[p->stage][i]];

		if (c->pid == 0 || (i > 0 && c->peer == stages[p->stage][i - 1]))
			continue;
		if (c->ev == NULL ||
		    ipc_send_STOP(ipc_ev_channel(c->ev), &m, NULL, 0) < 0)
			(void)kill(c->pid, SIGKILL);
	}
	ev_timer_stop(p->loop, &p->stop_timer);
	ev_timer_set(&p->stop_timer, STAGE_SECONDS, 0.);
	ev_timer_start(p->loop, &p->stop_timer);
}

static void
next_stage(struct parent *p)
{
	while (p->stage < NELEM(stages) && stage_over(p)) {
		if (++p->stage < NELEM(stages) && !stage_over(p)) {
			stop_stage(p);
			return;
		}
	}
	if (p->stage >= NELEM(stages)) {
		ev_timer_stop(p->loop, &p->stop_timer);
		ev_break(p->loop, EVBREAK_ALL);
	}
}

static void
on_stage_late(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct parent *p = w->data;

	(void)loop;
	(void)revents;
	for (size_t i = 0; i < NELEM(stages[0]); i++) {
		struct child *c = &p->child[stages[p->stage][i]];

		if (c->pid == 0)
			continue;
		log_warnx(program_name(c->peer), "does not end: killed");
		(void)kill(c->pid, SIGKILL);
	}
}

void
child_stop_all(struct parent *p)
{
	p->stopping = true;
	p->stage = 0;
	for (unsigned i = 0; i < PROGRAM_COUNT; i++)
		ev_timer_stop(p->loop, &p->child[i].again);
	watchdog_stop(p);
	parent_event(p, EVK_STOP, 1, "", "the node ends");
	ev_init(&p->stop_timer, on_stage_late);
	p->stop_timer.data = p;
	if (stage_over(p))
		next_stage(p);
	else
		stop_stage(p);
}
