/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_IF_I2P_H
#define WARREN_TRANSPORT_ENGINE_IF_I2P_H

#include "transport/engine/nif.h"

/*
 * I2PInterface (reticulum-transport.md 10.5): a section is an interface that
 * carries nothing, with one that does for each peer and for each that connects.
 * Connections to the SAM bridge are opened by the parent; sam.c knows what is
 * said there.
 */
extern const struct nif_kind i2p_kind;
/* Its address with ".b32.i2p"; empty: none. */
const char *i2p_address(const struct nif *);

#endif
