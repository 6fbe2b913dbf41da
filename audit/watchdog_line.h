/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_WATCHDOG_LINE_H
#define WARREN_AUDIT_WATCHDOG_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ipc_msg.h"

/*
 * The lines of klp.md 10: what a watchdog says is hostile input, and what it
 * hears has text of jobs in it. Pure.
 */
#define DOG_LINE_MAX 4096 /* bytes of what it says, newline excluded */
#define DOG_DEPTH 4	  /* of the object: the outermost value is 1 */
#define DOG_REFS_MAX 16
#define DOG_UID_MAX 96 /* of an event */
#define DOG_ID_MAX 64
#define DOG_REASON_MAX 256
#define DOG_TEXT_MAX 1024 /* of a log line, as it is sent */

enum dog_says { DOG_SAYS_NOTHING, DOG_SAYS_ALIVE, DOG_SAYS_VERDICT };

struct dog_verdict {
	char id[DOG_ID_MAX + 1]; /* its own; "" */
	enum dog_action action;
	bool has_job;
	struct id32 job;
	unsigned confidence; /* permille */
	bool has_ttl;
	uint32_t ttl_s;
	unsigned nrefs;
	char ref[DOG_REFS_MAX][DOG_UID_MAX + 1];
	char reason[DOG_REASON_MAX + 1];
};

const char *dog_action_name(enum dog_action); /* "note" ... */
/* The action of that name; DOG_ACTIONS: none has it. */
enum dog_action dog_action_of(const char *);

/*
 * One line without its newline. DOG_SAYS_NOTHING: *why is a literal that says
 * what is wrong with it.
 */
enum dog_says dog_line_read(struct dog_verdict *, const char *line, size_t len,
    const char **why);

/*
 * Lines to a watchdog, newline included; how long, 0: it does not fit. event:
 * the text of an OCSF object. lost: lines that found no room before this one.
 */
size_t dog_event_line(char *out, size_t cap, const char *event, size_t len);
/* from *at on, which goes on: seq is of its first byte in the stream */
size_t dog_log_line(char *out, size_t cap, const struct msg_D_LOG *,
    size_t *at);
struct dog_count {
	struct id32 job;
	uint64_t forks, execs, cpu_ms;
	uint32_t cpu_milli; /* that it may use */
};
size_t dog_tick_line(char *out, size_t cap, uint64_t lost,
    const struct dog_count *, unsigned n);

/* Before a parser that recurses: is this JSON nested no deeper than that? */
bool dog_shallow(const char *, size_t, unsigned most);

#endif
