/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/opener.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "transport/engine/engine.h"
#include "transport/engine/nif.h"

/*
 * The reference tries to connect every 5 s; ours: 5 s at first, then slower up
 * to a minute, with jitter so that the nodes around a relay that restarts do
 * not come in step.
 */
#define RETRY_FIRST_S 5.0
#define RETRY_MAX_S 60.0
#define RETRY_FAST 6 /* tries at RETRY_FIRST_S: half a minute */

void
opener_ask(struct nif *n)
{
	struct engine *e = n->e;
	struct msg_DIAL m = {.index = n->conf->index, .seq = ++e->next_seq};
	struct msg_BIND b = {.index = m.index, .seq = m.seq};
	int rc;

	if (e->stopping || engine_ipc(e, PROGRAM_PARENT) == NULL)
		return;
	n->seq = m.seq;
	rc = n->kind->carries ?
	    program_send_DIAL(&e->program, &m, NULL, 0) :
	    program_send_BIND(&e->program, &b, NULL, 0);
	if (rc < 0) {
		engine_send_failed(PROGRAM_PARENT);
		n->seq = 0;
		opener_again(n);
	}
}

static void
on_retry(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	opener_ask(w->data);
}

void
opener_again(struct nif *n)
{
	double s = RETRY_FIRST_S;

	if (n->kind->carries && n->conf->max_reconnect_tries > 0 &&
	    n->tries >= n->conf->max_reconnect_tries) {
		log_warnx(n->conf->name, "gave up after %u tries", n->tries);
		n->given_up = true;
		return;
	}
	n->tries++;
	for (unsigned i = RETRY_FAST; i < n->tries && s < RETRY_MAX_S; i++)
		s *= 1.5;
	s = MIN_OF(s, RETRY_MAX_S);
	s += s * 0.1 * ((double)randombytes_random() / UINT32_MAX);
	ev_init(&n->retry, on_retry);
	ev_timer_set(&n->retry, s, 0);
	ev_timer_start(n->e->loop, &n->retry);
}

void
opener_done(struct nif *n)
{
	n->tries = 0;
	n->error[0] = '\0';
}

void
opener_failed(struct nif *n, const char *doing, int error, const char *text)
{
	const char *why = *text != '\0' ? text :
	    strerror(error != 0 ? error : EIO);

	/* the same reason again is no news */
	if (strcmp(n->error, why) != 0)
		log_warnx(n->conf->name, "%s failed: %s", doing, why);
	(void)snprintf(n->error, sizeof(n->error), "%s", why);
	opener_again(n);
}
