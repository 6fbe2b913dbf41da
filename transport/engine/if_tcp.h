/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_IF_TCP_H
#define WARREN_TRANSPORT_ENGINE_IF_TCP_H

#include "transport/engine/nif.h"

#define TCP_BITRATE 10000000 /* reticulum-transport.md 8.3 */

/*
 * TCPClientInterface and TCPServerInterface (reticulum-transport.md 10.3).
 * Sockets are opened by the parent; when to ask again is decided here.
 */
extern const struct nif_kind tcp_client_kind, tcp_server_kind;

/* nif_kind.opened of all that speaks HDLC over TCP. */
void tcp_opened(struct nif *, const struct nif_open *);

#endif
