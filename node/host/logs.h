/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_HOST_LOGS_H
#define WARREN_NODE_HOST_LOGS_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <rns/hash.h>

#include "node/work/jobs.h"

/*
 * Output of jobs: from jail's pipes to files by splice, and from the files to
 * followers. A job never waits for a follower, and a follower never for more
 * than the file has: logs/<64 hex>.1 and .2 beneath the node's folder, of the
 * last attempt. What goes beyond the job's limit is discarded and counted, and
 * once anything is, everything that follows.
 *
 * Nothing is in this program's memory alone: a byte is in the pipe, of which
 * jail has a copy, or in its file, and the sizes of the files are the counts,
 * so a program that is killed at any point loses none and doubles none. That of
 * what was discarded is the size of .0, of which only holes are kept. In .3 is
 * the order of both (order.h), if there are both.
 */
#define LOGS_TURN 65536u /* bytes of a job and turn of the loop */
#define LOGS_HASH 262144u /* hashed in one go, about a millisecond */
#define LOGS_FOLLOWERS 512u /* ours: streams that are followed at a time */
#define LOGS_FOLLOWERS_OF_ONE 128u /* ... of one owner's jobs */

struct logs;

struct logs_ops {
	void *ctx;
	/* a job has written: j->log has the new counts */
	void (*grew)(void *ctx, struct job *);
	/* bytes that this link may get now; 0: ask again in *wait_ms */
	uint64_t (*room)(void *ctx, const struct hash16 *link,
	    uint32_t *wait_ms);
	void (*sent)(void *ctx, const struct hash16 *link, uint64_t bytes);
	/* logs_seal() said false: j->log_sha is there now */
	void (*sealed)(void *ctx, struct job *);
};

/* dir: the node's folder; discard: a descriptor of /dev/null. NULL: errno. */
struct logs *logs_open(struct ev_loop *, int dir, int discard,
    const struct logs_ops *);
/* Ends followers and lets go of pipes; files stay. */
void logs_close(struct logs *);

/*
 * The pipes of a job that runs (taken). Its files go on where they are: a new
 * attempt has none (logs_drop). j must stay until it is sealed or dropped.
 */
int logs_attach(struct logs *, struct job *, int out, int err);
/*
 * The job has ended: take the rest, sync, and put the digests into j->log_sha
 * (of nothing, when it never ran). false: there is much to hash, as after a
 * restart; it goes on in small steps, and ops.sealed says when it is done.
 */
bool logs_seal(struct logs *, struct job *);

/* The file itself, to read; -1: there is none. */
int logs_file(struct logs *, const struct job *, unsigned stream);
/* Bytes, 0 at the end, -1. stream 1 or 2. */
ssize_t logs_read(struct logs *, const struct job *, unsigned stream,
    uint64_t offset, uint8_t *buf, size_t n);
/*
 * In which order it wrote to both, from a run on: u32s, at most max of them;
 * how many (order.h).
 */
size_t logs_runs(struct logs *, const struct job *, uint64_t from,
    uint8_t *out, size_t max);
/*
 * Removes the job's files. Who follows them has the end of what there was; who
 * has got nothing yet goes on with the next attempt.
 */
void logs_drop(struct logs *, const struct job *);
/* Files of jobs that nobody knows. */
void logs_sweep(struct logs *, bool (*known)(void *ctx, const struct id32 *id),
    void *ctx);

/*
 * The read end of a pipe that gets the stream from offset on, or -1: there is
 * no room for one more (LOGS_FOLLOWERS). It ends when logs_end() was called and
 * all has gone.
 */
int logs_follow(struct logs *, const struct hash16 *link, unsigned stream,
    const struct job *, uint64_t offset);
/* The reader is gone. */
void logs_unfollow(struct logs *, const struct hash16 *link, unsigned stream);
/* The job is done: its followers get the rest, then EOF. */
void logs_end(struct logs *, const struct job *);

#endif
