/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/opener.h"

#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "transport/engine/engine.h"
#include "transport/engine/nif.h"
#include "transport/engine/reach.h"

/*
 * The reference tries to connect every 5 s; ours: 5 s at first, then slower up
 * to a minute, with jitter so that the nodes around a relay that restarts do
 * not come in step.
 */
#define RETRY_FIRST_S 5.0
#define RETRY_MAX_S 60.0
#define RETRY_FAST 6 /* tries at RETRY_FIRST_S: half a minute */
/*
 * ours: a link that lives shorter was thrown out by the other end, which
 * blocks those that come back too often (reticulum-transport.md 10.4). Each
 * time the wait is twice as long.
 */
#define LINK_LIVES_S 20
#define THROWN_MAX_S 600.0
/* ours: the parent looks up 10 s and tries each of 8 addresses for 10 s */
#define ANSWER_S 120.0

static void
on_unanswered(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct nif *n = w->data;

	(void)loop;
	(void)revents;
	/* what comes after all is closed (nif_opened()) */
	n->seq = 0;
	opener_failed(n, "cannot be opened", 0, "the parent gave no answer");
}

/* After s seconds; the one timer of an interface that is not open. */
static void
set_timer(struct nif *n, void (*then)(struct ev_loop *, ev_timer *, int),
    double s)
{
	ev_timer_stop(n->e->loop, &n->retry);
	ev_init(&n->retry, then);
	ev_timer_set(&n->retry, s, 0);
	ev_timer_start(n->e->loop, &n->retry);
}

void
opener_ask(struct nif *n)
{
	struct engine *e = n->e;
	struct msg_DIAL m = {.index = n->conf->index, .seq = ++e->next_seq,
	    .generation = e->generation};
	struct msg_BIND b = {.index = m.index, .seq = m.seq,
	    .generation = m.generation};
	int rc;

	if (e->stopping || engine_ipc(e, PROGRAM_PARENT) == NULL)
		return;
	n->seq = m.seq;
	rc = n->kind->ask != NULL ? n->kind->ask(n, m.seq) :
	    n->kind->carries ?
	    program_send_DIAL(&e->program, &m, NULL, 0) :
	    program_send_BIND(&e->program, &b, NULL, 0);
	if (rc < 0) {
		engine_send_failed(PROGRAM_PARENT);
		n->seq = 0;
		opener_again(n);
		return;
	}
	set_timer(n, on_unanswered, ANSWER_S);
}

void
opener_answered(struct nif *n)
{
	n->seq = 0;
	ev_timer_stop(n->e->loop, &n->retry);
}

static void
on_retry(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	opener_ask(w->data);
}

double
opener_wait(unsigned tries, unsigned thrown)
{
	double s = RETRY_FIRST_S, t = RETRY_FIRST_S;

	for (unsigned i = RETRY_FAST; i < tries && s < RETRY_MAX_S; i++)
		s *= 1.5;
	for (unsigned i = 1; i < thrown && t < THROWN_MAX_S; i++)
		t *= 2;
	return MAX_OF(MIN_OF(s, RETRY_MAX_S), MIN_OF(t, THROWN_MAX_S));
}

/* Of a command, which its section says how soon to start again, too. */
static double
wait_of(const struct nif *n, unsigned tries)
{
	double s = opener_wait(n->kind->steady ? 0 : tries, n->thrown);
	double own = n->conf->respawn_delay;

	return own > 0 ? MIN_OF(s * own / RETRY_FIRST_S,
	    MAX_OF(own, RETRY_MAX_S)) : s;
}

/* panic_on_interface_error: nothing more is tried, and the parent ends. */
static bool
panics(struct nif *n)
{
	struct msg_PANIC m = {.name = ""};

	if (n->e->conf == NULL || !n->e->conf->panic_on_interface_error)
		return false;
	n->given_up = true;
	(void)snprintf(m.name, sizeof(m.name), "%s", n->conf->name);
	if (program_send_PANIC(&n->e->program, &m, NULL, 0) < 0)
		engine_send_failed(PROGRAM_PARENT);
	return true;
}

void
opener_again(struct nif *n)
{
	double s;

	if (n->kind->carries && n->conf->max_reconnect_tries > 0 &&
	    n->tries >= n->conf->max_reconnect_tries) {
		log_warnx(n->conf->name, "gave up after %u tries "
		    "(max_reconnect_tries): a new start tries again", n->tries);
		n->given_up = true;
		(void)panics(n);
		return;
	}
	n->tries++;
	s = MAX_OF(wait_of(n, n->tries), n->kind->retry_s);
	s += s * 0.1 * ((double)randombytes_random() / UINT32_MAX);
	set_timer(n, on_retry, s);
}

void
opener_lost(struct nif *n)
{
	size_t len = strlen(n->error);

	if (mono_sub(clock_mono(), n->since) >= LINK_LIVES_S * MONO_SECOND)
		n->thrown = 0;
	else
		n->thrown++;
	if (n->thrown > 1)
		(void)snprintf(n->error + len, sizeof(n->error) - len,
		    "; %u times in a row soon after connecting, so the next "
		    "try is in %.0f s", n->thrown,
		    wait_of(n, 0));
	log_notice(n->conf->name, "%s", n->error);
	opener_again(n);
}

void
opener_done(struct nif *n)
{
	n->tries = 0;
	n->error[0] = '\0';
}

void
opener_why(struct nif *n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(n->error, sizeof(n->error), fmt, ap);
	va_end(ap);
}

/* What the operator can do about it; "": wait, or mend the network. */
static const char *
remedy(int error, bool listens)
{
	switch (error) {
	case EADDRINUSE:
		return " (another program has it: `ss -lntp` says which; stop "
		       "that, or choose another port)";
	case EADDRNOTAVAIL:
		return listens ? " (no address of this machine: `ip address` "
		    "shows them; 0.0.0.0 is all of them)" : "";
	case EACCES:
		return listens ? " (ports below 1024 are for root)" : "";
	case ECONNREFUSED:
		return " (nobody listens there: is the port right, does it "
		       "run?)";
	default:
		return "";
	}
}

void
opener_failed(struct nif *n, const char *what, int error, const char *text)
{
	char why[sizeof(n->error)];
	/* a peer that is not there is no error of the interface */
	bool over = !n->kind->carries && panics(n);

	(void)snprintf(why, sizeof(why), "%s: %s%s", what, *text != '\0' ?
	    text : strerror(error != 0 ? error : EIO),
	    remedy(error, !n->kind->carries));
	/* the same reason again is no news */
	if (strcmp(n->error, why) != 0)
		log_warnx(n->conf->name, "%s%s", why, over ? "" :
		    "; tried again until it works");
	opener_why(n, "%s", why);
	if (!over)
		opener_again(n);
	reach_changed(n->e);
}
