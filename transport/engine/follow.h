/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_FOLLOW_H
#define WARREN_TRANSPORT_ENGINE_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ev.h>
#include <rns/hash.h>
#include <rns/rns.h>

/*
 * A job's output on its way down a link (compute.md 3.5): a pipe of node's is
 * read as fast as the link's channel takes it and no faster. While the window
 * is full the pipe is not read, and node, which reads from its log, waits.
 */
#define FOLLOW_STREAMS 2 /* stdout 1, stderr 2 (compute.md 3.5) */

struct engine;
struct follows;

struct follow {
	struct follows *of;
	int fd; /* -1: none */
	uint16_t stream;
	bool eof;     /* of the pipe */
	bool waiting; /* the channel's window is full */
	ev_io rd;
	uint8_t *buf;
	size_t from, to;
};

/* Those of one link. */
struct follows {
	struct engine *e;
	struct hash16 link;
	struct follow stream[FOLLOW_STREAMS];
};

/* None runs yet. The struct stays where it is until follow_stop_all(). */
void follow_init(struct follows *, struct engine *,
    const struct hash16 *link);
/*
 * N_FOLLOW: send what comes out of fd, in place of an older pipe of that
 * stream. Takes fd, and closes it on any refusal: a stream without a name is
 * logged, no memory ends the follow. Node hears of each end (T_FOLLOW_END).
 */
void follow_start(struct follows *, uint16_t stream, int fd);
/* CHANNEL_READY: those that waited for the window go on. */
void follow_ready(struct follows *);
/* The link or node is gone: closes all pipes and tells nobody. */
void follow_stop_all(struct follows *);

#endif
