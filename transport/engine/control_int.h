/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_CONTROL_INT_H
#define WARREN_TRANSPORT_ENGINE_CONTROL_INT_H

#include <stdbool.h>

#include <ev.h>
#include <jansson.h>

#include "transport/engine/control.h"
#include "transport/engine/engine.h"

/* Inside of the control socket: control.c has the lines, views.c the answers. */
#define CONTROL_CLIENTS 16 /* ours: at a time */

/* Who asked, and how far a long answer has come. */
struct view {
	struct engine *e;
	/* the next object of the answer; *end: it is the last */
	json_t *(*next)(struct view *, bool *end);
	uint8_t after[RNS_HASH];
	bool started;
	int64_t max_hops; /* paths: -1 all */
};

/* The verb's view, or NULL: no such verb. */
bool view_open(struct view *, struct engine *, const json_t *request);

#endif
