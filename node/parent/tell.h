/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_TELL_H
#define WARREN_NODE_PARENT_TELL_H

#include "common/ipc_msg.h"

/* What the parent says to its programs by itself. */
struct child;
struct parent;

/* An event for the trail, or none when audit is not meant to run. */
void parent_event(struct parent *, enum event_kind, unsigned severity,
    const char *code, const char *text);
/* Whether it runs, to those that show it in `status`. */
void tell_program(struct parent *, const struct child *);
/* A new channel to each sibling that runs; both ends are told. */
void tell_siblings(struct parent *, struct child *);

#endif
