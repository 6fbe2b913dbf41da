/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_KEYFILES_H
#define WARREN_NODE_PARENT_KEYFILES_H

#include "common/ipc_msg.h"

/* The identity and the keys, which only the parent opens. */
struct parent;

/* storage/transport_identity, made if absent. 0 or -1 (said). */
int keyfiles_identity(struct parent *);
/*
 * The file of network_identity (reticulum-transport.md 7.5), made if absent,
 * for transport, which cannot open it. 0, also when there is none; -1 (said).
 */
int keyfiles_network(struct parent *);
/*
 * The mesh key against node.yaml, and the key of the trail. Switches compute
 * off when there is no mesh_identity yet (and says the line to add). 0 or -1.
 */
int keyfiles_check(struct parent *);
/* The keys, for one message; wipe it. 0 or -1 (said). */
int keyfiles_read(struct parent *, struct msg_KEY_MATERIAL *);
/* The binding that keys has made, to warren/keys/binding; a failure is said. */
void keyfiles_binding(struct parent *, const struct msg_BINDING_MADE *);
/* ... and the last checkpoint of the trail, as a note (trust/doc/note.h) */
void keyfiles_checkpoint(struct parent *, const struct msg_CHECKPOINT *);

#endif
