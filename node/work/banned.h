/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_BANNED_H
#define WARREN_NODE_WORK_BANNED_H

#include "common/listed.h"
#include "node/work/state.h"

/*
 * Who and what trust says is revoked or suspended, to be asked about, and the
 * identities that transport drops for us. What follows from a change of it is
 * revoke.h.
 */
const struct listed *banned_find(const struct node *, enum listed_kind,
    const uint8_t *id);
/*
 * NULL: it is not listed; else its word, and in *which what it is about:
 * compute.md 4, step 3. Revoked before suspended. manifest: before a job is
 * made.
 */
const struct listed *banned_job(const struct node *, const struct job *,
    const char **which);
const struct listed *banned_manifest(const struct node *,
    const struct manifest *, const struct id32 *image, const char **which);
/* Of a key (NULL: none is known) or the identity that has it. */
const struct listed *banned_peer(const struct node *, const struct fp *,
    const struct hash16 *rns);

/*
 * Transport is to drop it: told once, and again at its hello, behind a word to
 * forget all that was asked for before.
 */
void banned_hole(struct node *, const struct hash16 *rns);
/* ... each that is listed as revoked. */
void banned_dig(struct node *);
void banned_holes_again(struct node *);
/* The message alone. */
void banned_say(struct node *, const struct hash16 *rns, bool on);
/* At the end. */
void banned_clear(struct node *);

#endif
