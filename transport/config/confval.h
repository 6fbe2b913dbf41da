/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CONFIG_CONFVAL_H
#define WARREN_TRANSPORT_CONFIG_CONFVAL_H

#include <stdbool.h>
#include <stdint.h>

#include "transport/config/confobj.h"

/*
 * Typed values of one section (reticulum-transport.md 11.2). Every getter marks
 * its entry as used, keeps the key among those that were asked for, and returns
 * 1 and *out, 0: the key is not there, or -1 and a mistake: another type, out
 * of its range, or no memory.
 */
#define CONF_ASKED_MAX 128

struct conf_asked { /* what a section may have: for "did you mean" */
	const char *key[CONF_ASKED_MAX];
	unsigned n;
};

struct conf_reader {
	struct confobj *tree;
	const struct conf_section *sec;
	struct mistakes *m;
	struct conf_asked *asked;
};

/* The entry of that name, marked as used; NULL: not there. */
struct conf_entry *conf_ask(const struct conf_reader *, const char *key);
int conf_get_text(const struct conf_reader *, const char *key,
    const char **out);
int conf_get_bool(const struct conf_reader *, const char *key, bool *out);
int conf_get_int(const struct conf_reader *, const char *key, int64_t min,
    int64_t max, int64_t *out);
int conf_get_float(const struct conf_reader *, const char *key, double *out);

/* The line of a key, or of the section when it is not there. */
unsigned conf_line(const struct conf_reader *, const char *key);
/* The key that was asked for and is nearest to this one; NULL: none is. */
const char *conf_nearest(const struct conf_reader *, const char *key);
/* An entry that nobody asked for and whose key is nearly this one; NULL. */
const struct conf_entry *conf_misspelt(const struct conf_reader *,
    const char *key);

#endif
