/* SPDX-License-Identifier: BSD-2-Clause */
/* words: audit/watchdog_line.c */
/* What a watchdog says, and what a job has printed for it. */
#include <stdlib.h>
#include <string.h>

#include "audit/watchdog.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
judged(const struct dog_verdict *v)
{
	static struct dog d;
	const struct mono now = {1000000};
	enum dog_end end;

	dog_init(&d, now);
	dog_set(&d, &(struct dog_conf){.on = true, .act = true,
	    .corroborate = true}, now);
	end = dog_judge(&d, v, now);
	if (end != DOG_NO_JOB && v->action != DOG_NOTE)
		abort();
	dog_sent_log(&d, &v->job, now);
	end = dog_judge(&d, v, now);
	/* nothing that it can say ends a job that has only printed */
	if (v->action == DOG_KILL && end == DOG_PASSED)
		abort();
	if (end == DOG_PASSED && (v->action == DOG_FREEZE ||
	    v->action == DOG_THROTTLE) && v->ttl_s > DOG_TTL_MAX_S)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static char line[3 * DOG_LINE_MAX];
	static struct msg_D_LOG log;
	struct dog_verdict v;
	const char *why;
	size_t at = 0, rounds = 0;

	if (dog_line_read(&v, (const char *)p, n, &why) == DOG_SAYS_VERDICT) {
		if (v.confidence > 1000 || v.nrefs > DOG_REFS_MAX ||
		    strlen(v.reason) > DOG_REASON_MAX)
			abort();
		judged(&v);
	}
	log.text_len = (uint16_t)(n < sizeof(log.text) ? n :
	    sizeof(log.text));
	memcpy(log.text, p, log.text_len);
	while (at < log.text_len) {
		size_t len = dog_log_line(line, sizeof(line), &log, &at);

		if (len == 0 || ++rounds > log.text_len ||
		    memchr(line, '\n', len - 1) != NULL)
			abort();
	}
	return 0;
}
