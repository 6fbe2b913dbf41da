/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_SESSION_H
#define WARREN_NODE_CLI_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ev.h>
#include <rns/hash.h>
#include <rns/rns.h>

#include "node/cli/cli.h"
#include "node/cli/person.h"
#include "node/proto/proto_get.h"
#include "node/proto/proto_req.h"

/*
 * A conversation with one node over the shared instance: a link that is made
 * again when it breaks, and requests that survive that, a busy node and a lost
 * answer (compute.md 3: every request may be repeated). Verbs read like a
 * list of calls: session_call() runs the loop until its answer is there.
 */
struct attach;
struct session;

/* Ours: enough for a path request and its repetition over a slow mesh. */
#define SESSION_CONTACT_MS (2 * 60 * 1000)

struct session_opts {
	int64_t contact_us;  /* for the first link; 0: SESSION_CONTACT_MS */
	bool identify;       /* with the person's Reticulum identity */
	/* once contact was made, wait out a broken link this long; 0: for ever */
	int64_t outage_us;
};

/* Attaches only. CLI_OK, CLI_UNREACHABLE or CLI_FAILED (said). */
int session_open(struct session **, struct cli *, const struct person *);
void session_close(struct session *); /* NULL is fine */
const struct rns *session_rns(struct session *);
struct attach *session_attach(struct session *);

/* Listen to klp.node announces; fn runs in the loop. */
int session_listen(struct session *,
    void (*fn)(void *arg, const struct rns_event *), void *arg);
/* Run the loop for a time, or until an interrupt. */
void session_run(struct session *, int64_t us);
/*
 * End session_run() early, from a callback. A call that gave its answer time is
 * asked again soon, should the answer not come.
 */
void session_wake(struct session *);
/* Nobody wants the answer to the call under way: SESSION_BROKEN. */
void session_give_up(struct session *);
/* Of the link that is up; 0: none is. */
int64_t session_rtt_us(const struct session *);

/* Choose the node and make the link; CLI_OK, CLI_UNREACHABLE (said). */
int session_connect(struct session *, const struct hash16 *dest,
    const struct session_opts *);
const uint8_t *session_link_id(const struct session *); /* NULL: down */
/* The node's Reticulum key; false: not known (no announce heard). */
bool session_node_public(const struct session *, uint8_t pub[RNS_KEY]);

/*
 * Ask and wait. Busy answers (status 4) are waited out and asked again. CLI_OK
 * with any other status, *a borrowing from the session until the next call;
 * CLI_UNREACHABLE (said) when the outage was too long; CLI_FAILED: malformed
 * answer (said) or interrupted (said at the end, main.c), also before it was
 * asked.
 * progress may be NULL: bytes of the request or of the answer; while an answer
 * is waited for that was given time, each second with a total of 0.
 *
 * PATH_FOLLOW is asked on the link that its reader was opened on only:
 * SESSION_BROKEN when that link is gone (open the reader anew and ask again).
 */
#define SESSION_BROKEN (-2)
/*
 * From now on a slice (blob/put, blob/get, job/log) whose link has broken is
 * given back with SESSION_BROKEN too, so that a smaller one can be asked; and
 * one that has arrived, while its answer has not, with SESSION_UNANSWERED: the
 * node is asked what it has instead. And that no stream is free is the answer to
 * PATH_FOLLOW: who gives back reads the log when the job has ended.
 */
#define SESSION_UNANSWERED (-3)
void session_give_back(struct session *);
/*
 * The last question went more than once: what was answered need not be what the
 * node made of the first of them.
 */
bool session_unsure(const struct session *);
int session_ask(struct session *, const struct proto_req *, struct proto_ans *a,
    void (*progress)(void *arg, bool sending, uint64_t done, uint64_t total),
    void *arg);

/*
 * Receive stream 1 or 2; again after a new link (up() tells). fn as
 * attach_stream().
 */
int session_stream(struct session *, uint16_t stream,
    void (*fn)(void *arg, const uint8_t *, size_t, bool eof), void *arg);
/* Wait for a link when there is none: CLI_OK, CLI_UNREACHABLE (said),
 * CLI_FAILED (interrupted). */
int session_up(struct session *);
/* Counts links: a follower that remembers it knows when to ask again. */
unsigned session_generation(const struct session *);
/*
 * When the node refuses a request, but submit (compute.md 3: it carries what it
 * needs), because it knows no key for who asks: fn shows it, once a request, and
 * the request is made again. CLI_OK, or what the request is to return.
 */
void session_introduce(struct session *, int (*fn)(struct cli *,
    struct session *, const struct person *, void *arg), void *arg);
/* SIGINT or SIGTERM came. */
bool session_interrupted(const struct session *);

/* Bytes that the caller is about to move, for those who wait; 0: not known. */
void session_to_move(struct session *, uint64_t bytes);

/* Says what a status other than 0 means; the exit code that it calls for. */
int session_refused(struct cli *, const struct proto_ans *);

#endif
