/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_RULES_H
#define WARREN_AUDIT_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/cond.h"
#include "common/mistake.h"

/*
 * What of a job's acts is told, and what ends or stops it: the house's own
 * rules, and the operator's file rules.yaml on top (warren-rules(5)). Pure.
 */
#define RULES_MAX 64
#define RULES_BYTES_MAX (64u * 1024) /* of the file */
#define RULE_NAME 48

enum rule_action { RULE_LOG, RULE_KILL, RULE_FREEZE, RULE_ACTIONS };
const char *rule_action_name(enum rule_action);

struct rule {
	char name[RULE_NAME + 1];
	char desc[161];
	enum rule_action action;
	uint8_t severity; /* 1 to 5 (klp.md 7), from Falco's priority */
	bool enabled;
	bool changed; /* its condition is the operator's */
	unsigned line, column; /* of that, in the file */
	struct cond cond;
};

struct rules {
	unsigned n;
	bool relisted; /* a list of the house's has other items */
	struct rule rule[RULES_MAX];
};

/*
 * The house's own, then the file on top; text NULL: there is none. 0; or -1
 * with mistakes, and *r has the house's own alone.
 */
int rules_read(struct rules *, const char *text, size_t len,
    struct mistakes *);

/* The first rule at or after from that this event breaks; -1: none. */
int rules_match(const struct rules *, unsigned from,
    const struct watch_event *, const struct cond_job *);

/*
 * DENY_ (watch_rec.h) of the house's rules whose action is to kill, as the
 * house has them: their conditions are known in the kernel too.
 */
uint32_t rules_denied(const struct rules *);

/* The house's own, in the form of the file. */
extern const char rules_builtin[];

#endif
