/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_IF_WEAVE_H
#define WARREN_TRANSPORT_ENGINE_IF_WEAVE_H

#include "transport/engine/nif.h"

/*
 * WeaveInterface (reticulum-transport.md 10.11): the device is the section's
 * interface, and each endpoint that it hears of one below it.
 */
extern const struct nif_kind weave_if_kind;

#endif
