/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_BINDING_H
#define WARREN_TRANSPORT_ENGINE_BINDING_H

#include "common/ipc_msg.h"

struct engine;

/*
 * B_SIGN of keys (klp.md 5, ARCHITECTURE.md 12): sign a binding statement that names
 * this node, and answer with B_SIGNED. One that is not sound, or cannot be
 * signed, gets no answer: it is counted (engine.counts) and logged.
 */
void binding_sign(struct engine *, const struct msg_B_SIGN *);

#endif
