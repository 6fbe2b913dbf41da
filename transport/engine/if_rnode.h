/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_IF_RNODE_H
#define WARREN_TRANSPORT_ENGINE_IF_RNODE_H

#include "transport/engine/nif.h"

/*
 * RNodeInterface and RNodeMultiInterface (reticulum-transport.md 10.8, 10.9):
 * what config says to the machine (transport/modem/rnode.h) and what that
 * has heard to the statistics. Each radio of several is an interface of its own
 * below its section's.
 */
extern const struct nif_kind rnode_if_kind, rnode_multi_if_kind;

#endif
