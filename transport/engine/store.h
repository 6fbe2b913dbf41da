/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_STORE_H
#define WARREN_TRANSPORT_ENGINE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/rns.h>

struct engine;
struct store;

/*
 * Reticulum's storage folder (reticulum-transport.md 11.4), beneath a directory
 * descriptor. Files are written beside their name, synced and renamed, so that
 * a crash leaves the old one or the new one. What cannot be read is logged and
 * left out; what cannot be written is logged and tried again later: a full
 * disk never stops the relay.
 */

/*
 * The node's identity: 64 bytes, made when there is none. -1: cannot be read
 * or written, or has another size (logged).
 */
int store_identity(int dir, uint8_t key[RNS_KEY]);

/* dir is the engine's. NULL: out of memory. */
struct store *store_new(struct engine *, int dir);
void store_free(struct store *);
/* The folder; it stays the store's. */
int store_dir(const struct store *);
/* For files that others keep in it: store_file.h. */
struct store_files;
struct store_files *store_files(struct store *);
/* Everything that the core should know at start; interfaces are there. */
void store_load(struct store *);
/*
 * Once a second: persists what is due (P and 300 s of
 * reticulum-transport.md 11.4).
 */
void store_tick(struct store *);
/* A program detached: persist if 300 s have passed. */
void store_detached(struct store *);
void store_persist(struct store *); /* all, now */

#endif
