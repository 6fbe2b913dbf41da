/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_WATCHDOG_HOUND_H
#define WARREN_AUDIT_WATCHDOG_HOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <rns/mono.h>

#include "audit/watchdog_line.h"

/*
 * The watchdog of the house (klp.md 10): patterns in what jobs print, rates,
 * processes, bursts; without any right, and no wiser than its rules. Lines in,
 * verdicts out; pure. About 300 kB.
 */
#define HOUND_JOBS 64
#define HOUND_RULES 40 /* of node.yaml, with its `deny` */
#define HOUND_GLOBS 32
#define HOUND_GLOB 120
#define HOUND_NAME 32
#define HOUND_REFS 8   /* alarms of a job that a verdict refers to */
#define HOUND_TAIL 512 /* of a line that is not at its end */
#define HOUND_TICKS 7  /* a minute, and what was before it */
#define HOUND_LINE (16u * 1024)

enum hound_counts {
	HOUND_TEXT,
	HOUND_LINES,
	HOUND_FORKS,
	HOUND_EXECS,
	HOUND_BURST,
	HOUND_ALARMS,
	HOUND_COUNTS
};

struct hound_rule {
	char name[HOUND_NAME + 1];
	char text[HOUND_GLOB + 1]; /* a pattern, in any case of letters */
	enum hound_counts counts;
	uint32_t most; /* more than that */
	enum dog_action action;
	uint32_t confidence, ttl_s;
};

struct hound_job {
	bool used;
	struct id32 id;
	struct mono heard;
	uint64_t fired; /* rules, each once for a job */
	uint32_t hits[HOUND_RULES];
	/* of this minute */
	struct mono minute;
	uint32_t lines, alarms;
	/* of the last ticks, the newest last */
	unsigned nticks;
	uint64_t forks[HOUND_TICKS], execs[HOUND_TICKS], cpu_ms;
	uint32_t busy_s;
	unsigned nrefs, next_ref;
	char ref[HOUND_REFS][DOG_UID_MAX + 1];
	/* of both streams: the beginning of a line whose end has not come */
	char tail[2][HOUND_TAIL + 1];
	size_t ntail[2];
};

struct hound {
	struct hound_rule rule[HOUND_RULES];
	unsigned nrules;
	char allow[HOUND_GLOBS][HOUND_GLOB + 1];
	unsigned nallow;
	struct hound_job job[HOUND_JOBS];
	uint64_t verdicts;
	void (*say)(void *ctx, const char *line, size_t len);
	void *ctx;
};

/* conf: what the parent made of node.yaml; NULL, or not usable: false. */
bool hound_init(struct hound *, const json_t *conf,
    void (*say)(void *ctx, const char *line, size_t len), void *ctx);
/* One line of klp.md 10; one that is none changes nothing. */
void hound_hears(struct hound *, const json_t *line, struct mono now);
/* A verdict of ours about a job, with the alarms of it; extra: a reason. */
void hound_says(struct hound *, const struct id32 *job, enum dog_action,
    uint32_t confidence, uint32_t ttl_s, const char *reason);

/* The job of a line; false: it names none. */
bool hound_job_id(const json_t *line, struct id32 *);
/* `*` any text, `?` any byte; letters in any case. whole: from end to end. */
bool hound_fits(const char *pattern, const char *text, size_t len, bool whole);
#endif
