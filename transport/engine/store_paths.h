/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_STORE_PATHS_H
#define WARREN_TRANSPORT_ENGINE_STORE_PATHS_H

#include "transport/engine/store_file.h"

struct engine;

/*
 * destination_table, tunnels, and the announces that both need
 * (reticulum-transport.md 11.4). announces: the folder of them.
 */
void store_paths_load(struct engine *, struct store_files *, int announces);
void store_paths_write(struct engine *, struct store_files *, int announces);
/* Announces that no path names any more go. */
void store_paths_clean(struct engine *, int announces);

#endif
