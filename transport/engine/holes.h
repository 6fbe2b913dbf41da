/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_HOLES_H
#define WARREN_TRANSPORT_ENGINE_HOLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "transport/engine/store_file.h"

struct engine;
struct holes;

/*
 * The blackhole (reticulum-transport.md 7.4): identities whose announces are
 * dropped, with who listed them, until when and why. Our own entries are the
 * file blackhole/local, those of a source that the configuration names a file
 * by its hash. What node bans (klp.md 4.6) is not here and never published.
 */

/* Empty; NULL: no memory. */
struct holes *holes_new(struct engine *);
void holes_free(struct holes *);
/* The files: our own first, which win. files outlives it; dir: blackhole/. */
void holes_load(struct holes *, struct store_files *files, int dir);
/* Once a second: those whose time is over go. */
void holes_tick(struct holes *);

enum holes_said { HOLES_DONE, HOLES_WAS_SO, HOLES_FAILED };

/*
 * An entry of our own, and off with one of whoever. until_us: Unix time, 0 for
 * good, and one that is over goes at the next holes_tick() that looks; reason: UTF-8 or NULL. WAS_SO: in the list, or not in it, already.
 * FAILED: the list is full, or the file cannot be written (logged; it holds
 * until the end of the program).
 */
enum holes_said holes_add(struct holes *, const struct hash16 *identity,
    int64_t until_us, const char *reason, size_t reason_len);
enum holes_said holes_del(struct holes *, const struct hash16 *identity);

/*
 * The whole as msgpack, as the RPC call blackholed_identities and the request
 * /list answer it: of malloc. NULL: no memory.
 */
uint8_t *holes_pack(struct holes *, size_t *len);
/*
 * What a source has published: identities that are not listed yet. How many
 * came in, and -1: that is no list.
 */
int holes_merge(struct holes *, const struct hash16 *source, const uint8_t *,
    size_t len);
/*
 * The entry of an identity; its reason lives until the list is changed. false:
 * it is not listed. source: who listed it, all zero for ourselves.
 */
bool holes_get(const struct holes *, const struct hash16 *identity,
    struct hash16 *source, int64_t *until_us, const char **reason,
    size_t *reason_len);
/* How many identities are in it. */
size_t holes_count(const struct holes *);

#endif
