/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_WATCHDOG_MODEL_H
#define WARREN_AUDIT_WATCHDOG_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "audit/watchdog_hound.h"

/*
 * A language model as a watchdog: what a job prints is posted to a server with
 * the interface of OpenAI's chat completions. Its answer is about the job that
 * was asked about and no other, whatever it says; an answer that is none
 * changes nothing. Pure: texts in and out.
 */
#define MODEL_TEXT 8192 /* bytes of a job that wait to be asked about */
#define MODEL_ANSWER (64u * 1024)
#define MODEL_NAME 100

struct model_job {
	bool used;
	struct id32 id;
	struct mono since; /* something waits */
	char text[MODEL_TEXT + 1]; /* the newest of it */
	size_t len;
};

struct model {
	char name[MODEL_NAME + 1];
	struct model_job job[HOUND_JOBS];
	struct id32 asked;
	/* what answers were worth */
	uint64_t verdicts, nothing, bad;
};

bool model_init(struct model *, const json_t *conf);
/* A line of klp.md 10. */
void model_hears(struct model *, const json_t *line, struct mono now);
/* The job that waits longest: the body of a request, free() it; NULL: none. */
char *model_question(struct model *);
/* The body of an answer to it; what follows goes to the hound. */
void model_answer(struct model *, struct hound *, const char *body,
    size_t len);
#endif
