/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_REALTIME_H
#define WARREN_TRANSPORT_ENGINE_REALTIME_H

#include <stdbool.h>

#include "transport/engine/promptness.h"

/*
 * The relay beside jobs that burn every processor: its loop is in the lowest
 * real-time class, so that a packet never waits for a scheduler's slice of a
 * job, but only as long as it needs little of the machine (promptness.h). The
 * parent puts it there; it leaves by itself.
 */
struct realtime {
	bool on;         /* wanted: jobs may run here */
	bool asked;      /* the parent has not answered yet */
	bool in;         /* the class */
	int error;       /* why it cannot be had; 0: it can, or nobody asked */
	struct promptness p;
};

struct engine;

/* Before the filter: what puts it out of the class in a turn that is long. */
void realtime_limit(struct engine *);
/* From now on; a node without jobs has no need of it. */
void realtime_start(struct engine *);
/* Each turn of the loop. */
void realtime_turn(struct engine *);
/* The parent's PROMPTED: 0 or an errno. */
void realtime_answer(struct engine *, int error);

#endif
