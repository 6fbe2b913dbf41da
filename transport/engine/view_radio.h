/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_VIEW_RADIO_H
#define WARREN_TRANSPORT_ENGINE_VIEW_RADIO_H

#include <jansson.h>

struct nif;

/* "radio": what the device of an RNode says of itself and of its channel. */
void view_radio(json_t *o, const struct nif *);
/*
 * "remark", "remark_s": what a device complained of a short while ago, and how
 * long that is; it goes on.
 */
void view_remark(json_t *o, const struct nif *);

#endif
