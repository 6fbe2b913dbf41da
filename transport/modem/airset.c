/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/modem/airset.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 400

bool
airset_put(char out[AIRSET_BYTES], size_t *len, const char *name,
    const struct airq_conf *c)
{
	char line[LINE_MAX_BYTES];
	int n = snprintf(line, sizeof(line), "%u %" PRId64 " %u %u %s\n",
	    c->duty, c->window_us, c->announces, c->jobs, name);

	if (n < 0 || (size_t)n >= sizeof(line) || strchr(name, '\n') != NULL ||
	    AIRSET_BYTES - *len < (size_t)n)
		return false;
	memcpy(out + *len, line, (size_t)n);
	*len += (size_t)n;
	return true;
}

/* One number and the space behind it, of a line that has an end. */
static bool
number(const char **s, int64_t most, int64_t *out)
{
	const char *p = *s;
	int64_t v = 0;

	for (; *p >= '0' && *p <= '9' && v <= most; p++)
		v = v * 10 + (*p - '0');
	if (p == *s || v > most || *p != ' ')
		return false;
	*s = p + 1;
	*out = v;
	return true;
}

bool
airset_find(const char *text, size_t len, const char *name,
    struct airq_conf *c)
{
	const char *end = text + len, *nl, *s;
	int64_t duty, window, announces, jobs;

	for (; text < end && (nl = memchr(text, '\n', (size_t)(end - text))) !=
	    NULL; text = nl + 1) {
		s = text;
		if (!number(&s, AIRQ_DUTY_ALL, &duty) ||
		    !number(&s, INT64_C(86400) * MONO_SECOND, &window) ||
		    !number(&s, 100, &announces) || !number(&s, 100, &jobs))
			continue;
		if (strlen(name) != (size_t)(nl - s) ||
		    memcmp(name, s, (size_t)(nl - s)) != 0)
			continue;
		c->duty = (uint32_t)duty;
		c->window_us = window;
		c->announces = (uint32_t)announces;
		c->jobs = (uint32_t)jobs;
		return true;
	}
	return false;
}
