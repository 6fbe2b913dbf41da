/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_DIAL_H
#define WARREN_NODE_PARENT_DIAL_H

#include "common/ipc_msg.h"

struct parent;

/*
 * What transport asks to have opened. Each is answered by an OPENED with the
 * question's number, at once or when the connection stands or has failed.
 */
void dial(struct parent *, const struct msg_DIAL *);
/* A listening or datagram socket of an interface. */
void dial_bind(struct parent *, const struct msg_BIND *);
/* Transport is gone: forget what it asked for. */
void dial_clear(struct parent *);

#endif
