/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_RPC_H
#define WARREN_TRANSPORT_ENGINE_RPC_H

#include "common/asksock.h"

struct engine;
struct rpc;

/*
 * The RPC socket of the shared instance (reticulum-transport.md 13): what
 * programs ask of it in ordinary operation. Nothing is decoded before the
 * proof of 13.3. As for any unknown call, of one that is not built the
 * connection closes without an answer (reticulum-transport.md 13.4).
 */
#define RPC_REQUEST_MAX 4096

/* Takes the listening fd. NULL: out of memory, and fd is closed. */
struct rpc *rpc_new(struct engine *, int fd);
/* Ends the calls that run, and wipes the key. NULL is fine. */
void rpc_free(struct rpc *);
/* The parent has answered reload_ask(): so are those that waited for it. */
void rpc_config_read(struct rpc *);
/* measure_ask() has its answers: so have those that waited. NULL is fine. */
void rpc_measured(struct rpc *);
/* The socket beneath, for its counts. */
const struct asksock *rpc_sock(const struct rpc *);

#endif
