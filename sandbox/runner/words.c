/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/runner/terms.h"

#include <string.h>

#include "common/util.h"

void
terms_word(struct terms *t, const char *word)
{
	if (t->argc < TERMS_ARGS)
		t->argv[t->argc] = word;
	t->argc++;
}

static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}

void
terms_version(uint16_t out[RUNNER_PARTS], const char *said)
{
	memset(out, 0, RUNNER_PARTS * sizeof(*out));
	for (const char *p = said; *p != '\0'; p++) {
		const char *end = p;
		uint16_t v[RUNNER_PARTS] = {0};
		unsigned n = 0;

		if (!digit(*p) || (p > said && digit(p[-1])))
			continue;
		for (; n < RUNNER_PARTS && digit(*end); n++) {
			uint32_t x = 0;

			for (; digit(*end); end++)
				x = MIN_OF(x * 10 + (uint32_t)(*end - '0'),
				    (uint32_t)UINT16_MAX);
			v[n] = (uint16_t)x;
			if (end[0] == '.' && digit(end[1]))
				end++;
		}
		if (n < 2)
			continue;
		memcpy(out, v, sizeof(v));
		return;
	}
}
