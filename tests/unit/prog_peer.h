/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_PROG_PEER_H
#define WARREN_TESTS_UNIT_PROG_PEER_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/ipc.h"

/*
 * A real program of the house, started rootless over socketpairs, with the
 * test in the place of the parent and of its siblings. Everything fails the
 * running test when it does not go as asked; nothing waits over 10 s.
 */
struct prog {
	pid_t pid;
	enum program self;
	struct ipc *parent;	      /* the parent's end */
	struct ipc *side[PROGRAM_COUNT]; /* the siblings' ends */
};

/* dir_name, dir: a named descriptor, or NULL. exe: in the build folder. */
void prog_start(struct prog *, enum program self, const char *dir_name, int dir);
/* With a second one; its descriptor -1: without. */
void prog_start_two(struct prog *, enum program self, const char *dir_name,
    int dir, const char *more_name, int more);
/* PARAMS as below; then the caller sends settings, and prog_begin(). */
void prog_params(struct prog *, const uint8_t rns_public[64]);
/* A setting of text. */
void prog_text(struct prog *, enum setting, const char *name, const char *text);
/* START_DONE; returns when the program says READY. */
void prog_begin(struct prog *);
/* A channel to a sibling, after both HELLOs. */
struct ipc *prog_neighbour(struct prog *, enum program other);
/*
 * The next message must be of this type (EVENTs, ALARMs and what prog_pass
 * names are passed over).
 */
extern bool prog_pass[IPC_TYPES];
void prog_wait(struct ipc *, enum ipc_type, struct ipc_in *);
/* Nothing but EVENTs and ALARMs within ms. */
void prog_quiet(struct ipc *, int ms);
/* STOP; it must end with 0. */
void prog_stop(struct prog *);
/* SIGKILL, and everything closed. */
void prog_kill(struct prog *);
/* Waits for its end by itself; the exit code, -1 by a signal. */
int prog_end(struct prog *);

/* msg_get of a type that must fit. */
#define PROG_GET(NAME, chan, msgp)                                             \
	do {                                                                   \
		struct ipc_in in_;                                             \
		prog_wait(chan, IPC_##NAME, &in_);                             \
		assert_true(msg_get_##NAME(in_.body, msgp));                   \
		ipc_in_done(&in_);                                             \
	} while (0)

#endif
