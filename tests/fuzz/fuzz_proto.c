/* SPDX-License-Identifier: BSD-2-Clause */
/* words: node/proto/proto_get.c node/proto/proto_req.c */
/*
 * Requests and answers of the job protocol. The first byte chooses the path;
 * the rest is read as its request and as an answer with each body. What is
 * read as a request is written again and must read the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "node/proto/proto_get.h"
#include "node/proto/proto_req.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static uint8_t out[1u << 20];

static void
request(enum proto_path path, const uint8_t *p, size_t n)
{
	struct proto_req a, b;
	const char *why;
	uint64_t max;
	struct wr w = wr_make(out, sizeof(out));

	if (proto_req_get(&a, path, p, n, &why, &max) != 0)
		return;
	proto_req_put(&w, &a);
	if (!wr_ok(&w) ||
	    proto_req_get(&b, path, out, w.len, &why, &max) != 0 ||
	    a.offset != b.offset || a.n != b.n || a.stream != b.stream ||
	    a.since != b.since || a.wait_s != b.wait_s ||
	    a.whole != b.whole || a.outputs != b.outputs || a.brief != b.brief || a.after != b.after ||
	    a.version != b.version || a.uri.n != b.uri.n ||
	    (a.id16 == NULL) != (b.id16 == NULL) ||
	    a.body.n != b.body.n || a.envelope.n != b.envelope.n ||
	    a.digests.n != b.digests.n)
		abort();
}

static union {
	struct proto_describe describe;
	struct proto_challenge challenge;
	struct proto_submitted submitted;
	struct proto_job_status status;
	struct proto_result result;
	struct proto_whole whole;
	struct proto_list list;
	struct proto_review review;
	struct proto_deltas deltas;
	struct pbin bytes;
	uint64_t v;
} u;

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct pstr state, reason;
	struct proto_ans a;
	const uint8_t *d;

	if (n == 0)
		return 0;
	request((enum proto_path)(p[0] % PATH_COUNT), p + 1, n - 1);
	if (!proto_ans_get(&a, p + 1, n - 1))
		return 0;
	(void)proto_get_describe(&u.describe, &a);
	(void)proto_get_challenge(&u.challenge, &a);
	if (proto_get_submitted(&u.submitted, &a)) {
		size_t left = u.submitted.nmissing;

		while (plist_next(&u.submitted.missing, &d))
			left--;
		if (left != 0)
			abort();
	}
	(void)proto_get_status(&u.status, &a);
	(void)proto_get_result(&u.result, &a);
	(void)proto_get_list(&u.list, &a);
	(void)proto_get_review(&u.review, &a);
	(void)proto_get_deltas(&u.deltas, &a);
	(void)proto_get_bytes(&u.bytes, &a);
	(void)proto_get_have(&u.v, &a);
	(void)proto_get_offset(&u.v, &a);
	(void)proto_get_whole(&u.whole, &a);
	(void)proto_get_cancelled(&state, &reason, &a);
	return 0;
}
