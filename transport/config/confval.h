/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CONFIG_CONFVAL_H
#define WARREN_TRANSPORT_CONFIG_CONFVAL_H

#include <stdbool.h>
#include <stdint.h>

#include "transport/config/confobj.h"

/*
 * Typed values of one section (reticulum-transport.md 11.2). Every getter marks
 * its entry as used and returns 1 and *out, 0: the key is not there, or -1 and
 * *err: another type, out of its range, or no memory.
 */
struct conf_reader {
	struct confobj *tree;
	const struct conf_section *sec;
	struct conf_err *err;
};

int conf_get_text(const struct conf_reader *, const char *key,
    const char **out);
int conf_get_bool(const struct conf_reader *, const char *key, bool *out);
int conf_get_int(const struct conf_reader *, const char *key, int64_t min,
    int64_t max, int64_t *out);
int conf_get_float(const struct conf_reader *, const char *key, double *out);

/* The line of a key, or of the section when it is not there. */
unsigned conf_line(const struct conf_reader *, const char *key);

#endif
