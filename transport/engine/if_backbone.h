/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_IF_BACKBONE_H
#define WARREN_TRANSPORT_ENGINE_IF_BACKBONE_H

#include "transport/engine/nif.h"

#define BACKBONE_BITRATE 100000000 /* reticulum-transport.md 8.3 */

/*
 * BackboneInterface (reticulum-transport.md 10.4, 18.5): the wire of TCP with
 * another bitrate, and flow control of its own.
 */
extern const struct nif_kind backbone_client_kind, backbone_server_kind;

#endif
