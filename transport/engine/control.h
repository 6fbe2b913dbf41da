/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_CONTROL_H
#define WARREN_TRANSPORT_ENGINE_CONTROL_H

#include "common/asksock.h"

struct engine;

/*
 * warren/run/mesh.sock (ARCHITECTURE.md 12.23): one JSON object a line each
 * way, for uid 0 and the owner of the configuration folder. Verbs: status,
 * peers, paths, interfaces.
 */
#define CONTROL_LINE_MAX 65536 /* with its newline */

/*
 * Serve on the listening fd, which is taken. NULL: out of memory, and fd is
 * closed. It ends by asksock_free().
 */
struct asksock *control_new(struct engine *, int fd);

#endif
