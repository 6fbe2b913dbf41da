/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/host/trustwhy.h"

#include <string.h>

#include "common/jsonhex.h"
#include "common/util.h"
#include "trust/doc/kte1.h"
#include "trust/doc/level.h"

#define WHY_WAIT_S 3 /* ours: then another question may take the place */

void
trustwhy_clear(struct trustwhy *w)
{
	json_decref(w->paths);
	json_decref(w->answer);
	memset(w, 0, sizeof(*w));
}

static bool
question(struct msg_V_WHY *m, const json_t *q, const char **bad)
{
	const char *id = json_string_value(json_object_get(q, "id"));
	const char *scope = json_string_value(json_object_get(q, "scope"));
	size_t n = id == NULL ? 0 : strlen(id);
	int bit = scope == NULL ? -1 : scope_parse(scope, strlen(scope));

	memset(m, 0, sizeof(*m));
	m->is_rns = n == 2 * RNS_HASH_LEN;
	if (n == 0 || !hex_decode(m->id.b, m->is_rns ? RNS_HASH_LEN : FP_LEN,
	    id, n)) {
		*bad = "\"id\": a fingerprint, or a Reticulum identity hash";
		return false;
	}
	if (bit < 0) {
		*bad = "\"scope\": none of klp.md 3.1";
		return false;
	}
	m->scope = (uint8_t)bit;
	return true;
}

static bool
same(const struct msg_V_WHY *a, const struct msg_V_WHY *b)
{
	return a->is_rns == b->is_rns && a->scope == b->scope &&
	    fp_eq(&a->id, &b->id);
}

json_t *
trustwhy_ask(struct trustwhy *w, struct node *n, const json_t *q,
    const char **bad)
{
	static uint64_t next; /* qids of this file alone */
	struct msg_V_WHY m;
	json_t *answer;
	bool fresh;

	if (!question(&m, q, bad))
		return NULL;
	fresh = w->qid != 0 && mono_sub(clock_mono(), w->asked) <
	    WHY_WAIT_S * MONO_SECOND;
	if (fresh && w->answer != NULL && same(&m, &w->question)) {
		answer = json_incref(w->answer);
		trustwhy_clear(w);
		return answer;
	}
	if (!fresh) {
		trustwhy_clear(w);
		w->qid = m.qid = ++next;
		w->asked = clock_mono();
		w->question = m;
		w->paths = json_array();
		n->host.send_V_WHY(n->host.ctx, &m);
	}
	return json_pack("{s:b}", "pending", 1);
}

void
trustwhy_hop(struct trustwhy *w, const struct msg_V_HOP *m)
{
	json_t *path;

	if (m->qid != w->qid || m->path >= KTE1_PATHS)
		return;
	while (json_array_size(w->paths) <= m->path)
		if (json_array_append_new(w->paths, json_array()) != 0)
			return;
	path = json_array_get(w->paths, m->path);
	if (json_array_size(path) >= KTE1_HOPS)
		return;
	(void)json_array_append_new(path,
	    json_pack("{s:o,s:o,s:i,s:i,s:i,s:I,s:I}", "source",
		json_hex(HASH_BYTES(m->source)), "target",
		json_hex(HASH_BYTES(m->target)), "level", (int)m->level,
		"confidence", (int)m->conf, "left", (int)m->left, "issued",
		(json_int_t)m->issued, "expires", (json_int_t)m->expires));
}

void
trustwhy_because(struct trustwhy *w, const struct msg_V_BECAUSE *m)
{
	if (m->qid != w->qid || w->answer != NULL)
		return;
	w->answer = json_pack("{s:o,s:o,s:i,s:s,s:s,s:s,s:I,s:O}", "fp",
	    m->has_fp ? json_hex(HASH_BYTES(m->fp)) : json_null(), "rns",
	    m->has_rns ? json_hex(HASH_BYTES(m->rns)) : json_null(), "level",
	    (int)m->level, "why", m->why, "revoked",
	    m->revoked == REV_REVOKED ? "revoked" :
	    m->revoked == REV_SUSPENDED ? "suspended" : "", "jobs",
	    m->jobs_why, "valid_until", (json_int_t)m->valid_until, "paths",
	    w->paths);
}
