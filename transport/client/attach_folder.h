/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CLIENT_ATTACH_FOLDER_H
#define WARREN_TRANSPORT_CLIENT_ATTACH_FOLDER_H

#include <stddef.h>

struct attach;

/*
 * Where `config` is (reticulum-transport.md 11.1), a copy of malloc: the given
 * one, or the first that rnsd would take. NULL: no memory.
 */
char *afolder_find(const char *given);
/*
 * Read a->dir's config into a->conf. 0, or -1 with errno and a sentence in
 * why, as attach_open() gives them to its caller.
 */
int afolder_read(struct attach *, char *why, size_t cap);
/*
 * Give the core the known destinations and ratchets of the folder's storage.
 * The daemon's storage may be closed to us: then announces must do.
 */
void afolder_known(struct attach *);

#endif
