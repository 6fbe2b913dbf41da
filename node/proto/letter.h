/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PROTO_LETTER_H
#define WARREN_NODE_PROTO_LETTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"
#include "node/proto/paths.h"
#include "node/proto/proto.h"

/*
 * A request or an answer of compute.md 3 as the data of an LXMF message (field
 * 0xfc; 0xfb is LETTER_TYPE): docs/spec/lxmf.md 5. Pure; what is read borrows.
 */
#define LETTER_TYPE "klp/v1"
#define LETTER_BLOBS 64 /* ours: of one letter */
#define LETTER_GIVE 16384u /* bytes of blobs in an answer, unless asked */
#define LETTER_GIVE_MAX 131072u

struct letter {
	enum proto_path path;
	bool answer;
	/* a request's data, or an answer: one packed value */
	struct pbin value;
	const uint8_t *re; /* answer: message id of the request, 32 bytes */
	const uint8_t *id; /* answer: the job, 32 bytes; NULL: none known */
	/* answer: the standalone binding of the node, 242 bytes, or NULL */
	const uint8_t *binding;
	uint64_t give;	   /* request: how many bytes of blobs come back */
	/* contents, found by their digests: inputs, or logs and outputs */
	size_t nblobs;
	struct pbin blob[LETTER_BLOBS];
};

/* false: not of this form. An unknown path is false as well. */
bool letter_get(struct letter *, const void *, size_t);
/* The inverse; wr_ok() tells whether it fit. */
void letter_put(struct wr *, const struct letter *);

#endif
