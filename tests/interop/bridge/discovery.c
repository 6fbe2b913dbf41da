/* SPDX-License-Identifier: BSD-2-Clause */
/* Discovery of interfaces: what needs no announce. */
#include <string.h>

#include "tests/interop/bridge/commands.h"
#include "transport/core/base/stamp.h"
#include "transport/discovery/offer.h"

#define COST_MAX 24 /* bits that a search may take */
#define SEARCH 100000

static void
put_value(struct call *c, const struct stamp_work *w, struct bytes stamp)
{
	struct id32 product;

	stamp_product(&product, w, stamp.p, stamp.n);
	put_int(c, "value", stamp_value(&product) / STAMP_BIT);
	if (has(c, "cost"))
		put_bool(c, "valid", stamp_valid(&product, (uint32_t)arg_int(c,
		    "cost", 0, STAMP_COST_MAX / STAMP_BIT) * STAMP_BIT));
}

static void
generate(struct call *c)
{
	struct bytes m = arg(c, "material");
	uint32_t cost = (uint32_t)arg_int(c, "cost", 0, COST_MAX) * STAMP_BIT;
	struct stamp_search *s = call_alloc(c, sizeof(*s));
	struct stamp_work w;
	uint8_t start[STAMP_LEN];

	stamp_work(&w, m.p, m.n, (unsigned)arg_int_or(c, "expand_rounds", 0,
	    STAMP_ROUNDS_MAX, OFFER_ROUNDS));
	rand_fill(NULL, start, sizeof(start));
	stamp_search_begin(s, &w, cost, start);
	while (!stamp_search_go(s, SEARCH))
		;
	put_hex(c, "stamp", s->stamp, STAMP_LEN);
	put_int(c, "stamp_size", STAMP_LEN);
	put_value(c, &w, (struct bytes){s->stamp, STAMP_LEN, true});
}

static void
workblock(struct call *c)
{
	struct bytes m = arg(c, "material");
	size_t rounds = (size_t)arg_int_or(c, "expand_rounds", 0,
	    STAMP_ROUNDS_MAX, OFFER_ROUNDS);
	uint8_t *out = call_alloc(c, rounds * STAMP_ROUND_LEN + 1);

	for (size_t k = 0; k < rounds; k++)
		stamp_round(out + k * STAMP_ROUND_LEN, m.p, m.n, (unsigned)k);
	put_hex(c, "workblock", out, rounds * STAMP_ROUND_LEN);
	put_int(c, "length", (int64_t)(rounds * STAMP_ROUND_LEN));
}

/* A work block is a caller's here: rounds 0 take it as it is. */
void
cmd_discovery_stamp(struct call *c)
{
	struct stamp_work w;
	struct bytes block;

	if (arg_is(c, "op", "generate")) {
		generate(c);
		return;
	}
	if (arg_is(c, "op", "workblock")) {
		workblock(c);
		return;
	}
	if (arg_is(c, "op", "default_cost")) {
		put_int(c, "default_stamp_value", OFFER_COST);
		put_int(c, "handler_default_required_value", OFFER_COST);
		return;
	}
	if (!arg_is(c, "op", "value") && !arg_is(c, "op", "valid"))
		fail(c, "NotImplementedError: op %s", arg_str(c, "op"));
	block = arg(c, "workblock");
	stamp_work(&w, block.p, block.n, 0);
	put_value(c, &w, arg(c, "stamp"));
}
