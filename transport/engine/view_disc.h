/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_VIEW_DISC_H
#define WARREN_TRANSPORT_ENGINE_VIEW_DISC_H

#include <stdbool.h>

#include <jansson.h>

struct view;

/* view.next for the interfaces that others offer. */
json_t *discovered_next(struct view *, bool *end);

#endif
