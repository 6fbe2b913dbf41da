/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_LAWROOTS_H
#define WARREN_TRUST_LAWROOTS_H

#include "trust/law.h"

/*
 * Roots of sigstore that are documents of authorities (klp.md 9.1), in the
 * place of the operator's files: what image_policy names, and what counts.
 */

/*
 * By l->conf; those that stay keep what is known of them. That their
 * authorities want them is law.c's.
 */
void lawroots_configure(struct law *);
void lawroots_free(struct law *);
/* Its root was taken away: nothing of it counts. */
void lawroots_unpin(struct law *, const char *authority);

/* For lawio.c: is it one of them; its content; how the update has ended. */
bool lawroots_of(const struct law *, const char *authority, const char *path);
enum auth_take lawroots_take(struct law *, const char *authority,
    const struct root_doc *, const struct env *, struct auth_claim *,
    char why[AUTH_WHY]);
void lawroots_settle(struct law *, bool yes);

/* By its klp:// name; NULL: image_policy has none of that name. */
const struct law_roots *lawroots_find(const struct law *, const char *uri);
/* The same of a document. */
const struct law_roots *lawroots_at(const struct law *, const char *authority,
    const char *path);
/* How old it is, by standing_fresh(). */
struct standing_age lawroots_age(const struct law *, const struct law_roots *);
/* When one of them next becomes stale, or over; UINT32_MAX: not again. */
uint32_t lawroots_next(const struct law *);

#endif
