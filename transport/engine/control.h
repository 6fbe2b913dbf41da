/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_CONTROL_H
#define WARREN_TRANSPORT_ENGINE_CONTROL_H

struct engine;
struct control;

/*
 * warren/run/mesh.sock (design.md 7): one JSON object a line each way, for uid
 * 0 and the owner of the configuration folder. Verbs: status, peers, paths,
 * interfaces.
 */
#define CONTROL_LINE_MAX 65536

/* Takes the listening fd. NULL: out of memory. */
struct control *control_new(struct engine *, int fd);
void control_free(struct control *);

#endif
