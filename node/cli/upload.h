/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_UPLOAD_H
#define WARREN_NODE_CLI_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "node/proto/proto.h"
#include "trust/doc/chunks.h"
#include "trust/doc/manifest.h"

/*
 * What a node lacks of a job's inputs, and the bytes to send next. Pure: part
 * of the submitter's machine (submitter.h).
 *
 * Of a volume in chunks, and of a module, what lacks is sent chunk by chunk, or, where the node
 * counts the volume's own bytes for its chunks (compute.md 3.3), in the volume's
 * order: then many chunks are one request. Whether it does shows in its answer
 * to an empty question for the volume, which goes past the chunks that are here.
 */
enum upload_way {
	UPLOAD_NEW,	 /* nothing is known of it */
	UPLOAD_ONE,	 /* a chunk first, by which the next answer is judged */
	UPLOAD_ASK,	 /* asked for the volume */
	UPLOAD_IN_ORDER, /* the volume's bytes */
	UPLOAD_CHUNKS,	 /* each by itself */
};

struct upload_volume {
	const struct chunk_table *t; /* the caller's; NULL: not in chunks */
	enum upload_way way;
	bool over; /* in this round: nothing is left to be sent of it */
};

struct upload {
	/* the caller's */
	const struct manifest *m;
	struct upload_volume v[MANIFEST_INPUTS]; /* manifest_input() */

	struct id32 missing[PROTO_MISSING_MAX];
	unsigned n, i;
	bool more; /* than these */
	/* places of the volume in question that the node lacks */
	int marks_of; /* -1: of none */
	uint8_t marks[CHUNKS_MAX / 8 + 1];
	uint32_t first, last, marked;

	/* the blob under way, if there is one */
	bool active;
	int volume; /* its bytes in their order; -1: a blob or a chunk */
	int chunk_of;
	struct id32 sha;
	uint64_t size, have;
	size_t sent;
	bool asked;
	bool ask; /* whether what was sent has come */
};

void upload_init(struct upload *, const struct manifest *);
/*
 * The answer to submit: what is missing now. *bytes: of it, and with `more` the
 * most that it can be; of a volume whose list has not come nothing is known yet.
 * false: it names what is none of the job's.
 */
bool upload_round(struct upload *, struct plist *missing, bool more,
    uint64_t *bytes);
/*
 * The next bytes: of u->sha at u->have, *n of them (0: only asks), at most
 * slice; false: this round is over.
 */
bool upload_next(struct upload *, size_t slice, size_t *n);
/*
 * The node has so much of it. Bytes that count as sent by this, and of those the
 * ones that were there before.
 */
uint64_t upload_had(struct upload *, uint64_t have, uint64_t *before);
/* What was sent last has arrived, and the answer is lost: ask what is there. */
void upload_ask(struct upload *);
/* The link was made anew: what the node has is asked for first. */
void upload_broke(struct upload *);

#endif
