/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_VIEWS_H
#define WARREN_TRANSPORT_ENGINE_VIEWS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>
#include <rns/hash.h>
#include <rns/rns.h>

struct engine;

/* An answer of mesh.sock: what was asked, and how far it has come. */
struct view {
	struct engine *e;
	/*
	 * The next object of the answer, the caller's; *end: it is the last.
	 * NULL: no memory. Each is far below CONTROL_LINE_MAX as text.
	 */
	json_t *(*next)(struct view *, bool *end);
	struct hash16 after; /* shown so far */
	bool started;
	unsigned line; /* reload.c, as the next two */
	uint32_t seq;  /* reloaded: the answer that is asked for; 0 the last */
	uint32_t shown; /* the one that is */
	unsigned digits; /* explain: of `after` that were given */
	int64_t max_hops; /* paths: -1 all */
};

/*
 * Fill in the view that the request's verb names; go on with view->next until
 * it says *end. false: no such verb, and view->next is NULL.
 */
bool view_open(struct view *, struct engine *, const json_t *request);

#endif
