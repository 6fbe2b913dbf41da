/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/runner/errand.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sandbox/runner/talk.h"

bool
errand_ask(struct errand_talk *e, size_t n, const void *body, size_t nbody)
{
	struct talk t = {.socket = e->k->place.socket, .head = e->head,
	    .nhead = n, .body = body, .nbody = nbody, .until = e->until,
	    .answer_ms = e->answer_ms, .content = e->content,
	    .cap = sizeof(e->content)};

	e->err = 0;
	e->asked = false;
	if (n == 0) {
		e->err = E2BIG;
		(void)snprintf(e->why, sizeof(e->why), "a request of ours is "
		    "too long");
		return false;
	}
	if (talk(&t) < 0) {
		e->err = errno;
		e->asked = t.asked;
		(void)snprintf(e->why, sizeof(e->why), "its daemon: %s",
		    strerror(e->err));
		return false;
	}
	e->status = t.status;
	e->asked = true;
	return true;
}

bool
errand_done(struct errand_talk *e, const char *what)
{
	char said[DOCKER_WHY];

	if (e->status / 100 == 2)
		return true;
	docker_message(said, e->content);
	(void)snprintf(e->why, sizeof(e->why), "%s: %.150s", what,
	    said[0] != '\0' ? said : "refused");
	if (said[0] == '\0')
		(void)snprintf(e->why, sizeof(e->why), "%s: status %u", what,
		    e->status);
	return false;
}
