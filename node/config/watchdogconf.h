/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CONFIG_WATCHDOGCONF_H
#define WARREN_NODE_CONFIG_WATCHDOGCONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ipc_msg.h" /* enum dog_action */
#include "common/ydoc.h"

/* `watchdog` of node.yaml: who watches jobs, and what it may (klp.md 10). */
#define WATCHDOG_RULES_MAX 32
#define WATCHDOG_GLOBS_MAX 32
#define WATCHDOG_GLOB_MAX 120 /* bytes of a pattern */
#define WATCHDOG_NAME_MAX 32

enum watchdog_run { WATCHDOG_OFF, WATCHDOG_RULES, WATCHDOG_MODEL,
	WATCHDOG_SOCKET };

/* What a rule of the house's own watchdog counts. */
enum watchdog_counts {
	WATCHDOG_TEXT,	 /* lines that its pattern fits */
	WATCHDOG_LINES,	 /* lines in a minute */
	WATCHDOG_FORKS,	 /* processes in a minute */
	WATCHDOG_EXECS,	 /* programs run in a minute */
	WATCHDOG_BURST,	 /* seconds with all of its processor time */
	WATCHDOG_ALARMS, /* rules and contracts broken in a minute */
	WATCHDOG_COUNTS
};
const char *watchdog_counts_name(enum watchdog_counts);
const char *watchdog_action_name(enum dog_action);

struct watchdog_rule {
	const char *name;
	const char *text; /* the pattern; NULL: it counts something else */
	enum watchdog_counts counts;
	uint32_t most; /* more than that */
	enum dog_action action;
	uint32_t confidence; /* permille */
	uint32_t ttl_s;
};

struct watchdog_conf {
	enum watchdog_run run;
	bool act, required, corroborate;
	/* run: socket. Where; NULL: warren/run/watchdog.sock. Who may connect;
	 * NULL: who runs the daemon */
	const char *socket, *user;
	const char *allow[WATCHDOG_GLOBS_MAX]; /* lines that are not looked at */
	size_t nallow;
	const char *deny[WATCHDOG_GLOBS_MAX]; /* ... that a job ends for */
	size_t ndeny;
	struct watchdog_rule rule[WATCHDOG_RULES_MAX];
	size_t nrules;
	/* a model server, on this machine alone */
	const char *url, *model;
	uint32_t timeout_ms;
};

void watchdog_defaults(struct watchdog_conf *);
void watchdog_read(struct watchdog_conf *, const struct ynode *,
    struct mistakes *);

/* http://127.0.0.1:PORT/PATH or http://[::1]:PORT/PATH; NULL, or why not. */
struct watchdog_url {
	bool v6;
	uint16_t port;
};
const char *watchdog_url(struct watchdog_url *, const char *);
#endif
