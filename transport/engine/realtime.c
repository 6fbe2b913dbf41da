/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "transport/engine/realtime.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "common/log.h"
#include "transport/engine/engine.h"

static volatile sig_atomic_t put_out;

static void
leave(void)
{
	struct sched_param none = {0};

	/* the mark stays: to take it off is a right of its own */
	(void)sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &none);
}

/* One turn took PROMPT_TURN_US: out of the class at once, in mid-turn. */
static void
on_too_long(int sig)
{
	int error = errno;

	(void)sig;
	leave();
	put_out = 1;
	errno = error;
}

void
realtime_limit(struct engine *e)
{
	struct realtime *r = &e->realtime;
	struct sigaction sa = {.sa_handler = on_too_long,
	    .sa_flags = SA_RESTART};
	struct rlimit turn = {PROMPT_TURN_US, RLIM_INFINITY};

	if (sigaction(SIGXCPU, &sa, NULL) < 0 ||
	    setrlimit(RLIMIT_RTTIME, &turn) < 0)
		r->error = errno;
}

void
realtime_start(struct engine *e)
{
	e->realtime.on = e->realtime.error == 0;
}

void
realtime_answer(struct engine *e, int error)
{
	struct realtime *r = &e->realtime;

	if (!r->asked)
		return;
	r->asked = false;
	r->error = error;
	r->in = error == 0;
	if (error == 0)
		return;
	r->on = false;
	log_info(NULL, "no real-time class (%s): jobs may delay packets by "
	    "some ms", strerror(error));
}

static void
ask(struct realtime *r, struct engine *e)
{
	struct ipc *parent = engine_ipc(e, PROGRAM_PARENT);
	struct msg_PROMPT m;

	if (parent == NULL || r->asked)
		return;
	memset(&m, 0, sizeof(m));
	if (ipc_send_PROMPT(parent, &m, NULL, 0) < 0)
		engine_send_failed(PROGRAM_PARENT);
	else
		r->asked = true;
}

void
realtime_turn(struct engine *e)
{
	struct realtime *r = &e->realtime;
	struct timespec t;
	bool prompt;

	if (!r->on || !prompt_due(&r->p, e->now))
		return;
	if (put_out) {
		put_out = 0;
		r->in = false;
		prompt_out(&r->p);
	}
	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) < 0)
		return;
	prompt = prompt_look(&r->p, e->now,
	    (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000);
	if (prompt && !r->in) {
		ask(r, e);
	} else if (!prompt && r->in) {
		r->in = false;
		leave();
	}
}
