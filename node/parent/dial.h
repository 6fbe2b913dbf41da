/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_DIAL_H
#define WARREN_NODE_PARENT_DIAL_H

#include "common/ipc_msg.h"

struct parent;
struct rnsconf;

/*
 * What transport asks to have opened. Each is answered by an OPENED with the
 * question's number, at once or when the connection stands or has failed.
 */
void dial(struct parent *, const struct msg_DIAL *);
/* An interface is closed: what stands for it ends. */
void dial_left(struct parent *, const struct msg_LEFT *);
/* A listening or datagram socket of an interface. */
void dial_bind(struct parent *, const struct msg_BIND *);
/*
 * p->ifs are other ones than before: what was opened for an interface, or is
 * under way, ends with it, or goes to its new place.
 */
void dial_reload(struct parent *, const struct rnsconf *was);
/* Transport is gone: forget what it asked for. */
void dial_clear(struct parent *);

#endif
