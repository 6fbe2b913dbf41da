/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_ERRAND_H
#define WARREN_TRANSPORT_ENGINE_ERRAND_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/rns.h>

#include "common/ipc.h"

struct engine;
struct errands;

/*
 * Requests to the klp.node of others, for trust and audit (M_ASK, M_ANSWER):
 * path, link, request, answer. Nothing of it is looked at here. What is asked
 * of one destination shares a link, which is kept for ERRAND_IDLE after the
 * last answer. A request that fits a packet is sent again when no sign of an
 * answer comes (compute.md 3); a link that is lost is opened once more. An
 * alarm may go as a packet of its own, without a link: its answer is the proof.
 */
#define ERRANDS_MAX 8	    /* ours: of one program at once */
#define ERRAND_PEERS_MAX 16 /* ours: links at once */
#define ERRAND_IDLE (30 * MONO_SECOND)
#define ERRAND_PATH (15 * MONO_SECOND) /* until a path must be there */

struct errands *errands_new(struct engine *); /* NULL: no memory */
void errands_free(struct errands *);	      /* NULL is fine */
/* Takes the descriptor; each question gets one answer. */
void errands_ask(struct errands *, enum program who, const struct msg_M_ASK *,
    struct ipc_in *);
/* That program has gone: what it has asked is nobody's. */
void errands_gone(struct errands *, enum program who);
/* Once a second. */
void errands_tick(struct errands *);
/* false: not about a link of ours. */
bool errands_event(struct errands *, const struct rns_event *);

struct errand_counts {
	unsigned links, waiting; /* now */
	uint64_t asked;
	uint64_t ended[MESH_OWN + 1]; /* by enum mesh_end */
};
void errands_counts(const struct errands *, struct errand_counts *);

#endif
