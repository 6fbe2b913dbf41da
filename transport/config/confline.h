/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CONFIG_CONFLINE_H
#define WARREN_TRANSPORT_CONFIG_CONFLINE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * One line of Reticulum's `config` (reticulum-transport.md 11.2) and how it is
 * cut: as the reference's reader cuts it, which tests/interop/test_config.py
 * compares by experiment. Pure: pieces of the caller's text, no copies.
 */
struct text { /* a text and a place in it */
	const char *p, *end;
	unsigned line; /* of the line that line_next() gave last */
	const char *from; /* where that line begins; NULL: not known */
};

size_t line_left(const struct text *);
/* The next line of t, without its end. */
bool line_next(struct text *t, struct text *line);
/* Which character of its line p is, from 1. */
unsigned line_column(const struct text *, const char *p);
/* Without white space around it; Unicode's counts, as for the reference. */
void line_trim(struct text *);
void line_trim_to(const char **p, const char **end);
/* Trims; nothing left, or a comment. */
bool line_over(struct text *);

/*
 * Whether it is a section: its name, and how many brackets open and shut it.
 * t is trimmed.
 */
bool line_section(const struct text *t, struct text *name, unsigned *open,
    unsigned *shut);
/*
 * The key of an entry; t is behind its '='. indent: where the line begins. A
 * key that could not begin at t begins with the white space before it, as for
 * the reference.
 */
bool line_key(struct text *t, const char *indent, struct text *key);

/*
 * One value, or a list of them, as the reference takes it: the first of all
 * ways to cut the line that leaves nothing over. An item in quotes ends at the
 * first that a comma, a comment or the end follows, or, if that leads nowhere,
 * at a later one, so others may stand inside.
 */
#define LINE_ITEMS_MAX 2048 /* ours */

struct line_items {
	struct text *item; /* the caller's, LINE_ITEMS_MAX */
	unsigned n;
	bool list; /* a comma cuts them, or ends the one */
	/* of the search */
	const char *end;
	unsigned steps;
};
/* t is not empty and no comment. false: nothing reads it. */
bool line_items(struct line_items *, const struct text *t);

/*
 * Where three quotes end the value, with nothing behind them; NULL: not in
 * this line. *any: they stand in it, for better or worse.
 */
const char *line_triple_end(const char *p, const char *end,
    const char quote3[3], bool *any);

#endif
