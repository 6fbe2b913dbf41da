/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/mistake.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"

void
mistake_add(struct mistakes *ms, unsigned line, unsigned column,
    const char *hint, const char *fmt, ...)
{
	struct mistake m = {.line = line, .column = column};
	const struct mistake *last = ms->n > 0 ? &ms->v[ms->n - 1] : NULL;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(m.text, sizeof(m.text), fmt, ap);
	va_end(ap);
	if (hint != NULL)
		(void)snprintf(m.hint, sizeof(m.hint), "%s", hint);
	/* a key that stands for two is wrong once */
	if (last != NULL && last->line == line && last->column == column &&
	    strcmp(last->text, m.text) == 0)
		return;
	mistakes_put(ms, &m);
}

void
mistakes_put(struct mistakes *ms, const struct mistake *m)
{
	if (ms->n < MISTAKES_MAX)
		ms->v[ms->n++] = *m;
	else
		ms->more++;
}

void
mistakes_join(struct mistakes *ms, const struct mistakes *from)
{
	ms->more += from->more;
	for (unsigned i = 0; i < from->n; i++)
		mistakes_put(ms, &from->v[i]);
}

unsigned
mistakes_count(const struct mistakes *m)
{
	return m->n + m->more;
}

void
mistake_line(char *out, size_t cap, const char *file, const struct mistake *m)
{
	char where[32] = "", text[600], hint[960];

	if (m->line != 0)
		(void)snprintf(
		    where, sizeof(where), "%u:%u:", m->line, m->column);
	(void)text_printable(text, sizeof(text), m->text, strlen(m->text));
	(void)text_printable(hint, sizeof(hint), m->hint, strlen(m->hint));
	(void)snprintf(out, cap, "%s:%s %s%s%s%s", file, where, text,
	    hint[0] != '\0' ? " (" : "", hint, hint[0] != '\0' ? ")" : "");
}

unsigned
mistake_utf8(const char *text, size_t len)
{
	const char *p = text, *end = text + len;

	if (utf8_valid(text, len))
		return 0;
	for (unsigned line = 1;; line++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		if (nl == NULL || !utf8_valid(p, (size_t)(nl - p)))
			return line;
		p = nl + 1;
	}
}

/* Edit distance; both are short. */
unsigned
word_distance(const char *a, const char *b)
{
	unsigned row[128];
	size_t n = strlen(b);

	if (n >= NELEM(row) || strlen(a) >= NELEM(row))
		return ~0u;
	for (size_t j = 0; j <= n; j++)
		row[j] = (unsigned)j;
	for (size_t i = 0; a[i] != '\0'; i++) {
		unsigned corner = row[0];

		row[0] = (unsigned)i + 1;
		for (size_t j = 0; j < n; j++) {
			unsigned up = row[j + 1];
			unsigned best = corner +
			    (tolower((unsigned char)a[i]) !=
				tolower((unsigned char)b[j]));

			best = MIN_OF(best, up + 1);
			row[j + 1] = MIN_OF(best, row[j] + 1);
			corner = up;
		}
	}
	return row[n];
}

/*
 * One is the other's beginning ("mem", "timeout"), or its last word ("host" of
 * "target_host").
 */
static bool
part_of(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);

	if (n > m)
		return part_of(b, a);
	if (n >= 3 && strncmp(a, b, n) == 0)
		return true;
	return n >= 2 && n < m && b[m - n - 1] == '_' &&
	    strcmp(b + m - n, a) == 0;
}

const char *
nearest_word(const char *word, const char *const *list, size_t n)
{
	const char *best = NULL;
	size_t len = strlen(word);
	/* one too far; a single letter is near to any other */
	unsigned least = len < 2 ? 0 : len <= 3 ? 2 : len <= 8 ? 3 : 4;

	for (size_t i = 0; i < n; i++) {
		unsigned d = word_distance(word, list[i]);

		if (d < least) {
			least = d;
			best = list[i];
		}
	}
	for (size_t i = 0; best == NULL && i < n; i++)
		if (part_of(word, list[i]))
			best = list[i];
	return best;
}
