/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_OPTS_H
#define WARREN_COMMON_OPTS_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Options of a program or a verb. One table is what is parsed, what --help
 * prints and what manual and completion are tested against.
 */
struct opt {
	int id;		   /* from 1; what opts_next() answers */
	char letter;	   /* 0: none */
	const char *name;  /* without dashes */
	const char *value; /* "DIR": what follows; NULL: nothing does */
	const char *does;  /* one line, with default and units */
};

#define OPTS_MAX 40
#define OPTS_WHY 256

struct opts {
	const struct opt *v[OPTS_MAX];
	size_t n;
	struct option list[OPTS_MAX + 1];
	char letters[2 * OPTS_MAX + 3];
	int at; /* once opts_next() has answered 0: argv[at] is no option */
};

/* From the beginning; a first table. */
void opts_init(struct opts *, const struct opt *, size_t n);
/* One table more, before the first opts_next(). Past OPTS_MAX: left out. */
void opts_add(struct opts *, const struct opt *, size_t n);
/*
 * The next option: its id, *value its value or NULL. 0: there is none more,
 * and argv is permuted so that the rest begins at o->at. -1: why says what is
 * wrong, and the nearest option that there is.
 */
int opts_next(struct opts *, int argc, char **argv, const char **value,
    char why[OPTS_WHY]);
/* One line an option: letter, name, value, what it does. */
void opts_print(FILE *, const struct opt *, size_t n);

/* Is a word that begins with a dash one of them? */
bool opts_has(const struct opt *, size_t n, const char *word);
/*
 * Does a word that begins with a dash take the word behind it as its value?
 * "--to NODE" and "-t NODE" do, "--to=NODE" and "-tNODE" do not.
 */
bool opts_takes_next(const struct opt *, size_t n, const char *word);

#endif
