/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_COND_H
#define WARREN_AUDIT_COND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/decode.h"

/*
 * The condition of a rule (warren-rules(5)): fields of an event, compared,
 * joined by and, or, not and brackets. Pure; a condition is of bounded size
 * and holds for an event in time that its size bounds.
 */
#define COND_NODES 96	/* comparisons, words of a list, and what joins them */
#define COND_DEPTH 16	/* of brackets and nots */
#define COND_TEXT 2048	/* bytes of its words */

/* What a rule may look at beside the event. */
struct cond_job {
	uint32_t burst_s; /* cpu.burst */
};

struct cond_node {
	uint8_t op;    /* of cond.c */
	uint8_t field; /* a comparison's */
	int16_t left, right; /* nodes; of a list: its first and last word + 1 */
	uint16_t word;	     /* where in text */
	int64_t number;
	bool is_number;
};

struct cond {
	struct cond_node node[COND_NODES];
	int16_t n, root;
	char text[COND_TEXT];
	size_t ntext;
};

/* A list of words that conditions may name in `in (...)`. */
struct cond_list {
	const char *name;
	const char *const *words;
	unsigned n;
};

/*
 * 0; or -1 with *at, an offset into the text, and why, for people. The words
 * of lists are copied.
 */
#define COND_WHY 160
int cond_parse(struct cond *, const char *text, const struct cond_list *,
    size_t nlists, size_t *at, char why[COND_WHY]);
bool cond_holds(const struct cond *, const struct watch_event *,
    const struct cond_job *);

/* A value that evt.type is compared with and no event has; NULL: none. */
const char *cond_unknown(const struct cond *);

/* Names of the fields, for the manual and its test; NULL behind the last. */
const char *cond_field(unsigned);

#endif
