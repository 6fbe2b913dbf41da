/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_IF_SERIAL_H
#define WARREN_TRANSPORT_ENGINE_IF_SERIAL_H

#include "transport/engine/nif.h"

/* SerialInterface (reticulum-transport.md 10.6): a cable, or what is like one. */
extern const struct nif_kind serial_if_kind;

#endif
