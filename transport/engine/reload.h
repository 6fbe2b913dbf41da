/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_RELOAD_H
#define WARREN_TRANSPORT_ENGINE_RELOAD_H

#include "common/ipc_msg.h"
#include "transport/engine/views.h"

struct engine;

/*
 * `warren reload` at mesh.sock: {"verb":"reload"} asks the parent and is
 * answered {"seq":N}; {"verb":"reloaded","seq":N} is answered by what the
 * parent has said, a line each, and {"done":BOOL,"changed":BOOL,"seq":N}: done
 * when the parent has answered N or a later one. The parent's last answer is
 * kept, no other.
 */
#define RELOAD_LINES 128

struct reload_lines {
	unsigned n;
	struct {
		uint8_t kind;
		char *text;
	} line[RELOAD_LINES];
};

struct reload {
	uint32_t seq, last; /* asked, answered */
	bool again; /* somebody waits for the one behind seq */
	bool ok;
	struct reload_lines said; /* of last */
	struct reload_lines comes; /* of seq, while it is not answered */
};

/*
 * Ask the parent, and which answer is meant. One at a time: who comes while it
 * may be reading the files already is answered by the next one.
 */
uint32_t reload_ask(struct engine *);
bool reload_answered(const struct reload *, uint32_t seq);
/* The two verbs of views.c. */
json_t *reload_next(struct view *, bool *end);
json_t *reloaded_next(struct view *, bool *end);
/* The parent's words. */
void reload_said(struct engine *, const struct msg_RELOAD_SAID *);
/* false: nobody has asked for it. Behind a true one, reload_again(). */
bool reload_end(struct engine *, const struct msg_RELOAD_END *);
/* Ask for those that came meanwhile; false: that failed, which answers them. */
bool reload_again(struct engine *);
void reload_clear(struct engine *);

#endif
