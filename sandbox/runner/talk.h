/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_RUNNER_TALK_H
#define WARREN_SANDBOX_RUNNER_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One request of HTTP to a socket of the unix family, on a connection of its own. */
struct talk {
	const char *socket; /* its path */
	const char *head;
	size_t nhead;
	/* what is sent behind it; NULL: nothing */
	const void *body;
	size_t nbody;
	int until;	    /* given up when this one's other end is gone; -1 */
	uint32_t answer_ms; /* of the whole */
	char *content;	    /* of the answer: http.h */
	size_t cap;
	unsigned status;    /* found: of the answer */
	bool asked;	    /* ... it may have heard something */
};
/*
 * 0, or -1 with errno: of connect(2), ETIMEDOUT, ECANCELED (until), EPROTO (no
 * answer of HTTP, or it ends before its end). The status says whether it was
 * done.
 */
int talk(struct talk *);

#endif
