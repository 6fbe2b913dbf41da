/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_MISTAKE_H
#define WARREN_COMMON_MISTAKE_H

#include <stddef.h>

/* What is wrong and where; several mistakes are told at once. */
#define MISTAKES_MAX 32
struct mistake {
	unsigned line, column; /* from 1; 0: the file as a whole */
	char text[200];
	char hint[320]; /* what to do; may be "" */
};
struct mistakes {
	unsigned n;    /* stored */
	unsigned more; /* beyond MISTAKES_MAX */
	struct mistake v[MISTAKES_MAX];
};
/* hint: NULL or text. Text of the file is escaped when it is printed. */
void mistake_add(struct mistakes *, unsigned line, unsigned column,
    const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* One that is known, or all of `from`, behind what is there. */
void mistakes_put(struct mistakes *, const struct mistake *);
void mistakes_join(struct mistakes *, const struct mistakes *from);
/* All of them, those that found no room included. */
unsigned mistakes_count(const struct mistakes *);
/* "FILE:LINE:COLUMN: text (hint)" with everything strange escaped. */
void mistake_line(char *out, size_t cap, const char *file,
    const struct mistake *);
/* The line of a text in which it is no UTF-8 any more; 0: it is. */
unsigned mistake_utf8(const char *text, size_t len);
/* How many letters must be changed, whatever the case; ~0: too long to say. */
unsigned word_distance(const char *, const char *);
/* The word of a list nearest to what was written, or NULL: "did you mean". */
const char *nearest_word(const char *word, const char *const *list, size_t n);

#endif
