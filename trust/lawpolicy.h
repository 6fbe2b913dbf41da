/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_LAWPOLICY_H
#define WARREN_TRUST_LAWPOLICY_H

#include "trust/law.h"
#include "trust/sigroots.h"

/*
 * What image_policy stands on, for the log and for status: each of its roots,
 * with number and age, and each rule for which nobody can sign as things are.
 */
#define LAWPOLICY_NEAR_S (7 * 86400) /* an end that is so near is said */

/* With the roots of this look; NULL: there is no policy. */
void lawpolicy_note(struct law *, const struct sigroots *);
/* The signatures are judged anew: each of the roots is a line of the log. */
void lawpolicy_say(const struct law *);

#endif
