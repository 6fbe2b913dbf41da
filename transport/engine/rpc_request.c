/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/rpc_request.h"

#include <string.h>

#include "common/mpk.h"
#include "common/util.h"

/* A text that fits and holds no NUL. */
static bool
take_text(char *dst, size_t cap, const struct mpk *v)
{
	if (v->type != MPK_STR || v->n >= cap ||
	    (v->n > 0 && memchr(v->p, 0, v->n) != NULL))
		return false;
	if (v->n > 0)
		memcpy(dst, v->p, v->n);
	dst[v->n] = '\0';
	return true;
}

static bool
take_hash(struct hash16 *dst, const struct mpk *v)
{
	if (v->type != MPK_BIN || v->n != sizeof(dst->b))
		return false;
	memcpy(dst->b, v->p, sizeof(dst->b));
	return true;
}

static bool
take_number(double *dst, const struct mpk *v)
{
	if (v->type == MPK_UINT)
		*dst = (double)v->u;
	else if (v->type == MPK_INT)
		*dst = (double)v->i;
	else if (v->type == MPK_FLOAT)
		*dst = v->d;
	else
		return false;
	return true;
}

static void
take(struct rpc_request *q, const struct mpk *k, const struct mpk *v)
{
	const struct {
		const char *key;
		char *dst;
		size_t cap;
	} texts[] = {
		{"get", q->get, sizeof(q->get)},
		{"drop", q->drop, sizeof(q->drop)},
		{"destination_data", q->destination_data,
		    sizeof(q->destination_data)},
		{"manage", q->manage, sizeof(q->manage)},
		{"name", q->name, sizeof(q->name)},
		{"identity_data", q->identity_data, sizeof(q->identity_data)},
	};
	const struct {
		const char *key;
		struct hash16 *dst;
		bool *has;
	} hashes[] = {
		{"destination_hash", &q->destination, &q->has_destination},
		{"identity_hash", &q->identity, &q->has_identity},
		{"blackhole_identity", &q->blackhole, &q->has_blackhole},
		{"unblackhole_identity", &q->unblackhole, &q->has_unblackhole},
	};

	for (size_t i = 0; i < NELEM(texts); i++)
		if (mpk_str_is(k, texts[i].key))
			(void)take_text(texts[i].dst, texts[i].cap, v);
	for (size_t i = 0; i < NELEM(hashes); i++)
		if (mpk_str_is(k, hashes[i].key))
			*hashes[i].has = take_hash(hashes[i].dst, v);
	if (mpk_str_is(k, "packet_hash") && v->type == MPK_BIN &&
	    v->n == sizeof(q->packet.b)) {
		memcpy(q->packet.b, v->p, sizeof(q->packet.b));
		q->has_packet = true;
	}
	if (mpk_str_is(k, "reason") && v->type == MPK_STR) {
		q->reason = (const char *)v->p;
		q->reason_len = v->n;
	}
	if (mpk_str_is(k, "until"))
		(void)take_number(&q->until_s, v);
	if (mpk_str_is(k, "max_hops"))
		q->has_max_hops = take_number(&q->max_hops, v);
}

bool
rpc_request_parse(struct rpc_request *q, const uint8_t *p, size_t len)
{
	struct rd r = rd_make(p, len);
	struct mpk k, v;
	size_t n;

	memset(q, 0, sizeof(*q));
	if (!mpk_get_map(&r, &n))
		return false;
	while (n-- > 0) {
		if (!mpk_get(&r, &k) || k.type != MPK_STR || !mpk_get(&r, &v))
			return false;
		if (v.type == MPK_ARRAY || v.type == MPK_MAP)
			return false; /* no call has one */
		take(q, &k, &v);
	}
	return rd_end(&r);
}
