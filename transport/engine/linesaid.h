/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_LINESAID_H
#define WARREN_TRANSPORT_ENGINE_LINESAID_H

#include <stdbool.h>

#include <rns/mono.h>

/*
 * What was said to the log of one thing that comes and goes: the same words
 * once in a time, and how often they were meant since; of all words so many in
 * that time, whatever a device may say. Pure.
 */
#define LINESAID_US (600 * MONO_SECOND) /* ours */
#define LINESAID_TEXTS 16 /* one for each radio of a device, and its own */
/* ours: of words that a device may choose, new ones in that time */
#define LINESAID_MOST 20
/* ours: a last word of the log that is not so any more stands no longer */
#define LINESAID_STANDS_US (60 * MONO_SECOND)

struct linesaid {
	struct {
		char text[240];
		struct mono at;
		unsigned more;
	} last[LINESAID_TEXTS]; /* text "": free */
	struct mono since; /* `said` were written from then on */
	unsigned said;
	bool told;      /* the log's last word of it is trouble */
	struct mono at; /* when that was written; told or not */
};

/* Whether to say it; more: how often it was kept back since it was said. */
bool linesaid_new(struct linesaid *, const char *text, struct mono now,
    unsigned *more);
/*
 * The same, of trouble and of its end: also when the log's last word is the
 * other one, of trouble when that has stood for LINESAID_STANDS_US.
 */
bool linesaid_trouble(struct linesaid *, const char *text, struct mono now,
    unsigned *more);
bool linesaid_over(struct linesaid *, const char *text, struct mono now);

#endif
