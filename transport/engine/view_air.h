/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_VIEW_AIR_H
#define WARREN_TRANSPORT_ENGINE_VIEW_AIR_H

#include <jansson.h>
#include <rns/rns.h>

struct engine;
struct nif;

/* "kinds" of what went through it and, of a slow medium, "airtime". */
void view_air(json_t *interface, const struct nif *);
/* "air": what waits for that destination or link on slow media, and why. */
void view_air_about(json_t *answer, const struct engine *,
    const struct hash16 *);

#endif
