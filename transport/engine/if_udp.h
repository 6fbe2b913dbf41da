/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_IF_UDP_H
#define WARREN_TRANSPORT_ENGINE_IF_UDP_H

#include "transport/engine/nif.h"

/* UDPInterface (reticulum-transport.md 10.2). */
extern const struct nif_kind udp_kind;

#endif
