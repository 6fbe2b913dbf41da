/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_REFUSAL_H
#define WARREN_NODE_CLI_REFUSAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/cli/cli.h"
#include "node/proto/proto.h"

/*
 * What a node refuses (compute.md 4), in the words and units of who asked:
 * what, what is allowed, and how to go on. The texts of the node are kept as
 * they came; they are escaped when they are shown.
 */
struct cli_refusal {
	char code[64], why[PROTO_TEXT_MAX + 1], which[PROTO_TEXT_MAX + 1];
	int step;	/* 0: none */
	bool admitted;	/* found out after admission */
	bool has_limit, has_value, has_s, has_time;
	uint64_t limit, value, s;
	uint64_t time;	/* the node's clock */
	int64_t now;	/* ours, when that came */
};

/* From an answer of status 5; now: unix seconds. */
void refusal_take(struct cli_refusal *, const struct proto_meta *,
    int64_t now);
/* From the reason of a job that was refused after admission: "code: why". */
void refusal_reason(struct cli_refusal *, const char *reason);

/*
 * May it come from what was kept of the node (contact.h), its clock and its key,
 * both of which stand in what is signed? Limits and images do not: of those a
 * node has the last word as it is.
 */
bool refusal_by_old(const struct cli_refusal *);

/*
 * Has the node said that a job with this not_after came too late and never was
 * one of its own before (compute.md 3.1)? Then it can be signed anew.
 */
bool refusal_never_there(const struct cli_refusal *, uint32_t not_after);

/*
 * From a line of the trail: its code, message, numbers (both 0: none) and time.
 * Who reads it sits at the node, so that no clocks are compared.
 */
void refusal_trail(struct cli_refusal *, const char *code, const char *text,
    uint64_t limit, uint64_t value, int64_t at);

#define REFUSAL_TEXT 1400
/* "limits (step 9): log: 2 MiB asked, 1 MiB allowed". */
void refusal_words(char out[REFUSAL_TEXT], const struct cli_refusal *);
/* How to go on; "" when nothing is known. synced: our clock is kept by NTP. */
void refusal_remedy(char out[REFUSAL_TEXT], const struct cli_refusal *,
    bool synced);

/* ... for the operator of the node; "" when nothing is known. */
const char *refusal_operator(const struct cli_refusal *);
/* Each code that a row is about, once; NULL: there are no more. */
const char *refusal_code(size_t i);

/* Says both; with --json an "error" object with all that the node said. */
void cli_refused(struct cli *, const struct cli_refusal *);
/*
 * Two clocks that differ so much that what was signed does not hold: a refusal
 * of our own, `clock`.
 */
void cli_refused_clock(struct cli *, const char *why, int64_t node_time);

#endif
