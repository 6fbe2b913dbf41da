/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_IF_KISS_H
#define WARREN_TRANSPORT_ENGINE_IF_KISS_H

#include "transport/engine/nif.h"

/* A TNC, without and with headers of AX.25 (reticulum-transport.md 10.7). */
extern const struct nif_kind kiss_if_kind, ax25_if_kind;

#endif
