/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_IF_AUTO_H
#define WARREN_TRANSPORT_ENGINE_IF_AUTO_H

#include "common/ipc_msg.h"
#include "transport/engine/nif.h"

/*
 * AutoInterface (reticulum-transport.md 10.1): it listens, and each peer that
 * autodisc.c finds is an interface of its own below it.
 */
extern const struct nif_kind auto_kind;

/*
 * The parent's DEVICE, with its three sockets or none (-1), which are taken, or
 * closed when it is for nobody.
 */
void auto_device(struct engine *, const struct msg_DEVICE *, const int fd[3]);

#endif
