/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_RELOAD_H
#define WARREN_TRANSPORT_ENGINE_RELOAD_H

#include "common/ipc_msg.h"
#include "transport/engine/views.h"

struct engine;

/*
 * `warren reload` at mesh.sock: {"verb":"reload"} asks the parent and is
 * answered {"seq":N}; {"verb":"reloaded","seq":N} is answered by what the
 * parent has said, a line each, and {"done":BOOL,"changed":BOOL}. The parent's
 * last answer is kept, no other.
 */
#define RELOAD_LINES 128

struct reload {
	uint32_t seq, last; /* asked, answered */
	bool ok;
	unsigned n;
	struct {
		uint8_t kind;
		char *text;
	} line[RELOAD_LINES];
};

/* Ask the parent; one at a time: who comes meanwhile gets the same answer. */
void reload_ask(struct engine *);
/* The two verbs of views.c. */
json_t *reload_next(struct view *, bool *end);
json_t *reloaded_next(struct view *, bool *end);
/* The parent's words. */
void reload_said(struct engine *, const struct msg_RELOAD_SAID *);
void reload_end(struct engine *, const struct msg_RELOAD_END *);
void reload_clear(struct engine *);

#endif
