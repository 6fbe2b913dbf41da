/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_NODE_H
#define WARREN_NODE_WORK_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>
#include <rns/mono.h>

#include "common/ipc_msg.h"
#include "common/util.h"
#include "node/work/event.h"
#include "node/work/finish.h"
#include "node/work/inputs.h"
#include "node/work/run.h"
#include "node/work/state.h"

/*
 * The node without a descriptor: messages of the other programs and time go
 * in, messages come out through `struct host`, which also keeps what is on
 * disk. The program puts descriptors, SQLite and files behind it (host.c), a
 * test or a simulation pretends (tests/unit/fakehost.c).
 *
 *   peers.c   links, identities and their verdicts, budgets
 *   serve.c   the door: a request is charged, read and led to its path
 *   asked.c   what a request is; park.c where it waits; answer.c its answer
 *   describe.c challenge.c slices.c (of blobs)   paths of anybody and of peers
 *   submit.c  job/submit through its stages
 *   query.c   the other paths of a job
 *   review.c  jobs that wait for somebody's word; votes.c who has said what
 *   inputs.c  what jobs need of blobs
 *   run.c     whose turn it is, and the start
 *   finish.c  a job from its start to its receipt
 *   numbers.c  what /metrics shows of all that
 *   silent.c  what goes on without jail's answer; late.c how long it has
 *   announce.c   when the node says what to the mesh
 *   stepped.c    the wall clock was set
 *   state.c event.c said.c ready.c   what all of them stand on
 *   node.c    what ties them: messages, time, start and stop
 *
 * Calls go down this list's order of things: node.c, the requests, the jobs,
 * the peers, the state. What a file wants done above it, it notes in struct
 * node, and node_tick() does it at the end of the turn.
 */

/* The policy is copied; host->ctx stays the caller's. false: out of memory. */
bool node_init(struct node *, const struct policy *, const struct host *);
void node_clear(struct node *);
/* At the beginning of each call below: what time it is. */
void node_time(struct node *, struct mono now, int64_t wall_us);
/* After the ledger was loaded: manifests, budgets, what was under way. */
void node_restore(struct node *);
/* Timers: does what is due; when to call again. */
struct mono node_tick(struct node *);
/* A channel to a sibling: its HELLO has come, or it is gone. */
void node_up(struct node *, enum program);
void node_down(struct node *, enum program);
/*
 * Messages of siblings come decoded, each to a function of the piece that it
 * concerns (peers_link(), serve_request(), ...); these are node.c's.
 */
void node_hello(struct node *, const struct msg_T_HELLO *);
void node_follow_end(struct node *, const struct msg_T_FOLLOW_END *);
void node_binding(struct node *, const struct msg_K_BINDING *);
/* V_CHANGED, or a changed node.yaml: whatever trust has said is void. */
void node_verdicts_void(struct node *);
/* What jail's pack step gave: the volume's blob, or why not. */
void node_packed(struct node *, const struct id32 *job, unsigned volume,
    bool ok, const struct id32 *sha, uint64_t size, const struct left *,
    const char *why);
/* A job's output grew: it is killed when it floods. */
void node_output(struct node *, struct job *);
/* host->log_seal() said false, and now they are there. */
void node_log_sealed(struct node *, struct job *);
/* Admission stops, jobs that run are lost (ARCHITECTURE.md 12.11). */
void node_stop(struct node *);

#endif
