/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/config/shwords.h"

#include <stdbool.h>
#include <string.h>

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* No more words than there are blanks between them. */
static size_t
words_most(const char *s)
{
	return strlen(s) / 2 + 2;
}

size_t
shwords_size(const char *s)
{
	return words_most(s) * sizeof(char *) + strlen(s) + 2;
}

/* One quoted part, s behind its quote; NULL: it does not end. */
static const char *
quoted(const char *s, char quote, char **out)
{
	for (; *s != '\0' && *s != quote; s++) {
		/* inside "" a backslash escapes only these two */
		if (quote == '"' && *s == '\\' &&
		    (s[1] == '"' || s[1] == '\\'))
			s++;
		*(*out)++ = *s;
	}
	return *s == '\0' ? NULL : s + 1;
}

/* One word, up to a blank or the end; NULL and *why. */
static const char *
word(const char *s, char **out, const char **why)
{
	while (*s != '\0' && !blank(*s)) {
		if (*s == '\'' || *s == '"') {
			if ((s = quoted(s + 1, *s, out)) == NULL) {
				*why = "a quote does not end";
				return NULL;
			}
		} else if (*s == '\\') {
			if (s[1] == '\0') {
				*why = "nothing follows the last backslash";
				return NULL;
			}
			*(*out)++ = s[1];
			s += 2;
		} else {
			*(*out)++ = *s++;
		}
	}
	*(*out)++ = '\0';
	return s;
}

const char *
shwords_split(const char *s, void *mem)
{
	char **argv = mem, *out;
	const char *why = NULL;

	out = (char *)(argv + words_most(s));
	for (;;) {
		while (blank(*s))
			s++;
		if (*s == '\0')
			break;
		*argv++ = out;
		if ((s = word(s, &out, &why)) == NULL)
			return why;
	}
	*argv = NULL;
	return NULL;
}
