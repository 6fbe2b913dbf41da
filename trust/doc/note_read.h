/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_NOTE_READ_H
#define WARREN_TRUST_DOC_NOTE_READ_H

#include "trust/doc/note.h"

/*
 * The reading half of a checkpoint (note.h), apart: warren-keys links the
 * other one only. Pure.
 */

/*
 * Takes exactly the bytes that note_put() makes; false leaves *out alone. The
 * signature is not looked at: note_verify().
 */
bool note_parse(struct note *out, const char *text, size_t len);
/* Is it signed by this key, and does its key_id say so? */
bool note_verify(const struct note *, const uint8_t key[32]);

#endif
