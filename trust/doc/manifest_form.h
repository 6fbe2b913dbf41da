/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_MANIFEST_FORM_H
#define WARREN_TRUST_DOC_MANIFEST_FORM_H

#include "trust/doc/manifest.h"

/*
 * The bounds that the JSON reader and the record reader share: of single
 * values, and of a whole struct. Those of a target are the profiles' too.
 */
/* A target by the rules of 2.1; NULL, or what is wrong. */
const char *manifest_target_bad(const char *target, size_t len);
/* Is a equal to b, or inside it? */
bool manifest_target_inside(const char *a, const char *b);
bool text_ok(const char *, size_t len, size_t max); /* no NUL, at most max */
bool image_ok(const char *, size_t len);
/* [A-Za-z_][A-Za-z0-9_]*, within its length. */
bool env_name_ok(const char *, size_t len);
/* A capability's name as profiles write it. */
bool cap_name_ok(const char *, size_t len);
/* Bounds over several members; NULL, or the member's name. */
const char *manifest_whole_bad(const struct manifest *);

#endif
