/* SPDX-License-Identifier: BSD-2-Clause */
/* words: transport/engine/rpc_request.c */
/*
 * Requests of the RPC socket, packed and pickled: what is taken of a pickle
 * reads as a packed map with the same parser, and an answer of any packed value
 * has the room that is said.
 */
#include <stdlib.h>
#include <string.h>

#include "common/mpk.h"
#include "transport/engine/rpc_pickle.h"
#include "transport/engine/rpc_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define MAX 4096

static void
pickled(const uint8_t *p, size_t n)
{
	static uint8_t packed[2 * MAX];
	struct wr w = wr_make(packed, sizeof(packed));
	struct rpc_request q;
	struct rd r, text;

	if (!pickle_to_mpk(p, n, &w))
		return;
	r = text = rd_make(packed, w.len);
	/* texts that are no UTF-8 are refused by the parser alone */
	if (mpk_skip(&text) && !rd_end(&text))
		abort();
	if (text.p != r.p && !rpc_request_parse(&q, packed, w.len))
		abort();
}

static void
answered(const uint8_t *p, size_t n)
{
	static uint8_t pickle[5 * MAX + 3];
	struct wr w = wr_make(pickle, sizeof(pickle));
	struct rd r = rd_make(p, n);

	if (!pickle_from_mpk(&r, &w))
		return;
	if (w.len > pickle_max((size_t)(r.p - p)) || !pickle_is(pickle, w.len))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct rpc_request q;

	if (n > MAX)
		return 0;
	if (rpc_request_parse(&q, p, n) &&
	    (strlen(q.get) >= sizeof(q.get) ||
	    strlen(q.drop) >= sizeof(q.drop)))
		abort();
	pickled(p, n);
	answered(p, n);
	return 0;
}
