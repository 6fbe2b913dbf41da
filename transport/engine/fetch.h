/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_FETCH_H
#define WARREN_TRANSPORT_ENGINE_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/rns.h>

struct engine;
struct fetch;

/*
 * Published blackhole lists of the configured sources, fetched over links
 * (reticulum-transport.md 7.4): one after the other, each once in
 * blackhole_update_interval, sooner when it did not answer.
 */
struct fetch *fetch_new(struct engine *); /* NULL: no memory */
void fetch_free(struct fetch *);
/* Once a second. */
void fetch_tick(struct fetch *);
/* false: not about a link of ours. */
bool fetch_event(struct fetch *, const struct rns_event *);

#endif
