/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_WATCHDOG_H
#define WARREN_AUDIT_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/mono.h>

#include "audit/watchdog_line.h"
#include "common/fp.h"

/*
 * What a watchdog may do (klp.md 10): a verdict, what it heard before and the
 * time in, what comes of it out. It can only narrow, so often and for so long;
 * whether it lies is not asked. Pure; about 60 kB.
 */
#define DOG_TICK_S 10
#define DOG_ABSENT_TICKS 3
#define DOG_TTL_MAX_S 600
#define DOG_KILL_PERMILLE 900
#define DOG_REFUSED_MINUTE 60 /* refusals that are told one by one; ours */
#define DOG_LINES_S 100	      /* of its lines are read in a second; ours */
#define DOG_EVENTS 512	      /* that can be referred to; ours */
#define DOG_JOBS 128	      /* that were spoken of last; ours */

struct dog_conf {
	bool on;
	bool act;	  /* else each verdict is only noted */
	bool corroborate; /* a kill needs more than what the job printed */
};

/* Times of the last ones; a window slides. */
#define DOG_WINDOW 60
struct dog_window {
	unsigned n, next;
	struct mono at[DOG_WINDOW];
};

struct dog_event {
	char uid[DOG_UID_MAX + 1]; /* "": free */
	struct id32 job;
	bool counts; /* a control that no text of a job moves has raised it */
};

struct dog_job {
	bool used;
	struct id32 id;
	struct mono heard;
	bool has_peer;
	struct fp peer;	   /* whose it is */
	uint32_t frozen_s; /* of DOG_TTL_MAX_S, all its freezes together */
};

struct dog {
	struct dog_conf conf;
	struct dog_window did[DOG_ACTIONS], refused;
	struct dog_event event[DOG_EVENTS];
	unsigned next_event;
	struct dog_job job[DOG_JOBS];
	enum dog_there there;
	struct mono alive_at; /* its last word; or since when it is waited for */
	/* since they were told last */
	uint32_t bad, excess;
	char why[64]; /* of the last bad one: a literal of ours */
};

/* What comes of a verdict. */
enum dog_end {
	DOG_PASSED,	/* on to node, or into the folder of proposals */
	DOG_NOTED,	/* the event is all; also what `mode: note` makes of it */
	DOG_TOO_MANY,	/* of this action: counted, not told one by one */
	DOG_NO_JOB,	/* none that it was told of */
	DOG_TOO_LONG,	/* no ttl from 1 to 600 s, or all of it was used */
	DOG_UNSURE,	/* too little confidence to kill */
	DOG_ALONE,	/* to kill, and nothing but its word */
	DOG_ENDS
};
const char *dog_end_name(enum dog_end);
/* 1 to 4: how severe the event of it is. */
unsigned dog_severity(const struct dog_verdict *, enum dog_end);

void dog_init(struct dog *, struct mono now);
/* Others, at a start or a reload; what was counted stays. */
void dog_set(struct dog *, const struct dog_conf *, struct mono now);

/* It has a pipe now; or is heard on it. */
void dog_waited_for(struct dog *, struct mono now);
void dog_alive(struct dog *, struct mono now);
/* Each DOG_TICK_S: true when it is absent from now on. */
bool dog_tick(struct dog *, struct mono now);

/* It is sent an event of that kind; of a job, and whose, or NULL. */
void dog_sent_event(struct dog *, const char *uid, unsigned kind,
    unsigned severity, const struct id32 *job, const struct fp *peer,
    struct mono now);
/* ... or what one has printed. */
void dog_sent_log(struct dog *, const struct id32 *job, struct mono now);
/* Whose it is; NULL: not known. */
const struct fp *dog_peer(const struct dog *, const struct id32 *job);

enum dog_end dog_judge(struct dog *, const struct dog_verdict *, struct mono);
/* A line that is none; why is a literal. */
void dog_bad(struct dog *, const char *why);
#endif
