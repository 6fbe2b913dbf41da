/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_LOGKIT_H
#define WARREN_TESTS_UNIT_LOGKIT_H

#include "trust/doc/keytext.h"
#include "trust/doc/tlogwalk.h"

/*
 * Logs in memory, of numbers: two that differ from entry `apart` on. Of each
 * any size can be had, as it was when the log was so long.
 */
#define LOGKIT_MOST 66000 /* three levels of tiles */
#define LOGKIT_APART 1000

void logkit_make(void);
/* A tile as a log of this size has it; its width, 0: it has none. */
unsigned logkit_tile(int of, uint64_t size, uint32_t level, uint64_t n,
    struct id32 *out);
struct tlog_head logkit_head(int of, uint64_t size);

/* Keys of logs, which sign heads of either tree; the length of the note. */
#define LOGKIT_KEYS 3
struct klp_key logkit_key(unsigned);
size_t logkit_note(char out[SNOTE_MAX], int of, uint64_t size, unsigned key);
size_t logkit_sign(char out[SNOTE_MAX], const struct tlog_head *, unsigned key);
/*
 * What a root's text has more (struct kit_root): keys and roles, of which `log`
 * has the first n of those, and the rest this key (the text and the fp of one).
 */
void logkit_roles(char *out, size_t cap, unsigned n, const char *text,
    const char *hex);

#endif
