/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_IF_LOCAL_H
#define WARREN_TRANSPORT_ENGINE_IF_LOCAL_H

struct engine;

/*
 * Serve the shared instance (reticulum-transport.md 12.1) on the parent's
 * listening descriptor, which is taken; each program that attaches is an
 * interface of its own. To be called when everything that a program asks for is
 * there. 0, or -1: no memory, and fd is closed.
 */
int local_listen(struct engine *, int fd);

#endif
