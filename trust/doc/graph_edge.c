/* SPDX-License-Identifier: BSD-2-Clause */
/* Edge statements (klp.md 3.1). */
#include <string.h>

#include "common/util.h"
#include "common/wire.h"
#include "trust/doc/graph.h"
#include "trust/doc/level.h"

#define EDGE_MAGIC "KTE1"
#define BIT(n) (UINT32_C(1) << (n))

int
tag_parse(const char *s, size_t len)
{
	static const char *const names[] = {
		[TAG_PEER] = "peer",
		[TAG_VALIDATOR] = "validator",
		[TAG_AUTHORITY] = "authority",
		[TAG_REVIEWER] = "reviewer",
		[TAG_CODE_SIGNER] = "code_signer",
		[TAG_DATA_VALIDATOR] = "data_validator",
		[TAG_AI_GUARDIAN] = "ai_guardian",
		[TAG_SUBMITTER] = "submitter",
		[TAG_WITNESS] = "witness",
		[TAG_HUB] = "hub",
	};

	for (int i = 0; i < (int)NELEM(names); i++)
		if (strlen(names[i]) == len && memcmp(names[i], s, len) == 0)
			return i;
	return -1;
}

void
edge_put(uint8_t out[EDGE_LEN], const struct edge *e)
{
	struct wr w = wr_make(out, EDGE_LEN);

	wr_bytes(&w, EDGE_MAGIC, 4);
	wr_bytes(&w, e->source.b, FP_LEN);
	wr_bytes(&w, e->target.b, FP_LEN);
	wr_u8(&w, (uint8_t)e->level);
	wr_u16(&w, e->conf);
	wr_u32(&w, e->issued);
	wr_u32(&w, e->expires);
	wr_u16(&w, e->half_life);
	wr_u8(&w, e->depth);
	wr_u32(&w, e->tags);
	wr_u32(&w, e->scopes);
}

bool
edge_get(struct edge *out, const uint8_t *buf, size_t len)
{
	struct rd r = rd_make(buf, len);
	const uint8_t *magic, *source, *target;
	struct edge e;
	uint8_t level;

	if (!rd_ref(&r, &magic, 4) || memcmp(magic, EDGE_MAGIC, 4) != 0 ||
	    !rd_ref(&r, &source, FP_LEN) || !rd_ref(&r, &target, FP_LEN) ||
	    !rd_u8(&r, &level) || !rd_u16(&r, &e.conf) ||
	    !rd_u32(&r, &e.issued) || !rd_u32(&r, &e.expires) ||
	    !rd_u16(&r, &e.half_life) || !rd_u8(&r, &e.depth) ||
	    !rd_u32(&r, &e.tags) || !rd_u32(&r, &e.scopes) || !rd_end(&r))
		return false;
	e.source = *fp_at(source);
	e.target = *fp_at(target);
	e.level = (int8_t)level;
	*out = e;
	return true;
}

uint32_t
edge_covers(const struct edge *e)
{
	static const uint32_t of_tag[] = {
		[TAG_PEER] = BIT(SCOPE_MESH_RELAY) | BIT(SCOPE_MESH_MIRROR),
		[TAG_VALIDATOR] = BIT(SCOPE_JOB_RESULT),
		[TAG_REVIEWER] = BIT(SCOPE_JOB_REVIEW),
		[TAG_CODE_SIGNER] =
		    BIT(SCOPE_IMAGE_SIGN) | BIT(SCOPE_CONTRACT_SIGN),
		[TAG_DATA_VALIDATOR] = BIT(SCOPE_JOB_RESULT),
		[TAG_AI_GUARDIAN] = BIT(SCOPE_WATCHDOG),
		[TAG_SUBMITTER] = BIT(SCOPE_JOB_SUBMIT),
		[TAG_WITNESS] = BIT(SCOPE_LOG_WITNESS),
		[TAG_HUB] = BIT(SCOPE_EVENT_HUB),
	};
	uint32_t scopes = e->scopes;

	for (unsigned t = 0; e->scopes == 0 && t < NELEM(of_tag); t++)
		if ((e->tags & BIT(t)) != 0)
			scopes |= of_tag[t];
	return scopes;
}

const char *
edge_bad(const struct edge *e)
{
	static const uint32_t tags = BIT(TAG_HUB + 1) - 1;
	static const uint32_t scopes = (BIT(SCOPE_WATCHDOG + 1) - 1) |
	    BIT(SCOPE_ALL);

	if (fp_eq(&e->source, &e->target))
		return "source and target are one";
	if (e->level < LEVEL_MIN || e->level > LEVEL_MAX)
		return "no level from -3 to 3";
	if (e->conf > 1000)
		return "a confidence above 1";
	if (e->expires <= e->issued)
		return "expires before it is issued";
	if (e->expires - e->issued > GRAPH_EDGE_LIFE_MAX)
		return "lives longer than 400 days";
	if ((e->tags & ~tags) != 0 || (e->scopes & ~scopes) != 0)
		return "an unknown tag or scope";
	return NULL;
}
