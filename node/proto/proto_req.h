/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PROTO_PROTO_REQ_H
#define WARREN_NODE_PROTO_PROTO_REQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/wire.h"
#include "node/proto/proto.h"

/*
 * Requests, as a submitter writes and a node reads them. What is read borrows
 * from the bytes of the request.
 */
struct proto_req {
	enum proto_path path;
	const uint8_t *binding; /* describe, submit: 242 bytes, or NULL */
	const uint8_t *nonce;	/* challenge: n, 32 bytes */
	struct pbin envelope;	/* submit: m */
	const uint8_t *proof;	/* submit: p, 96 bytes, or NULL */
	struct plist digests;	/* blob/have, image/get, decoded */
	const struct id32 *digests_put; /* image/get, written; NULL: digests */
	size_t ndigests;
	const uint8_t *digest;	/* blob/put, blob/get */
	const uint8_t *id;	/* jobs, image/get: 32 bytes */
	uint64_t offset;	/* o, default 0 */
	uint64_t n;		/* default PROTO_SLICE; put: the blob's size;
				   list, review: PROTO_LIST_MAX; set:
				   PROTO_SET_MAX */
	struct pbin body;	/* blob/put, events, alert: b */
	struct pbin frame;	/* approve: f */
	struct pstr image;	/* image/part: i, a name or sha256:... */
	uint64_t part;		/* image/part: l, 0 the head, then its layers */
	uint8_t stream;		/* log, follow: 1 or 2 */
	bool has_runs;
	uint64_t runs;		/* log: r, from which run on */
	bool has_since;
	uint64_t since;
	/* submit, status: w, the answer may come so much later; f, the most
	 * bytes of logs that it may hold when the job has ended; g, and of
	 * outputs with them. 0: not */
	uint64_t wait_s, whole, outputs;
	uint64_t after;
	bool has_time;
	uint64_t time; /* describe: what the clock of who asks says */
	bool brief;    /* describe: k, what a submitter keeps is enough */
	/* documents (klp.md 1.6) */
	const uint8_t *atag; /* 8 bytes; get: NULL */
	const uint8_t *ptag; /* delta, set: 4 bytes */
	struct pstr uri;     /* get */
	bool has_have, has_max;
	uint64_t version; /* root: v; delta: f; get: h, what is there */
	uint64_t max;	  /* get: m */
	const uint8_t *id16; /* set: after; log: id; or NULL */
};

/* root, head, get, delta, set: what trust answers. */
bool proto_of_documents(enum proto_path);
/*
 * The data of a request, one msgpack value. 0; or PROTO_MUTE: it does not
 * decode, there is no answer; PROTO_BAD: status 6 with *why, a literal;
 * PROTO_LARGE: status 3 with PROTO_SLICE in *max. An envelope may be over
 * PROTO_ENVELOPE_MAX: that is step 7's to refuse.
 */
#define PROTO_MUTE (-1)
#define PROTO_BAD (-2)
#define PROTO_LARGE (-3)
int proto_req_get(struct proto_req *, enum proto_path, const void *data,
    size_t len, const char **why, uint64_t *max);

/* The inverse; wr_ok() tells whether it fit. */
void proto_req_put(struct wr *, const struct proto_req *);
/* A blob/have of n digests that are not decoded from a request. */
void proto_req_put_have(struct wr *, const struct id32 *digests, size_t n);

#endif
