/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_IF_PIPE_H
#define WARREN_TRANSPORT_ENGINE_IF_PIPE_H

#include "transport/engine/nif.h"

/* PipeInterface (reticulum-transport.md 10.10): the parent starts its command. */
extern const struct nif_kind pipe_kind;

#endif
