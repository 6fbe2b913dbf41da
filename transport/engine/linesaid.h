/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_LINESAID_H
#define WARREN_TRANSPORT_ENGINE_LINESAID_H

#include <stdbool.h>

#include <rns/mono.h>

/*
 * What was said to the log of one thing that comes and goes: the same words
 * once in a time, and how often they were meant since. Pure.
 */
#define LINESAID_US (600 * MONO_SECOND) /* ours */
#define LINESAID_TEXTS 4

struct linesaid {
	struct {
		char text[240];
		struct mono at;
		unsigned more;
	} last[LINESAID_TEXTS]; /* text "": free */
};

/* Whether to say it; more: how often it was kept back since it was said. */
bool linesaid_new(struct linesaid *, const char *text, struct mono now,
    unsigned *more);

#endif
