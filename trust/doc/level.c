/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/level.h"

#include <string.h>

#include "common/util.h"

int
scope_parse(const char *s, size_t len)
{
	static const char *const names[] = {
		[SCOPE_MESH_RELAY] = "mesh.relay",
		[SCOPE_MESH_MIRROR] = "mesh.mirror",
		[SCOPE_JOB_SUBMIT] = "job.submit",
		[SCOPE_JOB_RESULT] = "job.result",
		[SCOPE_JOB_REVIEW] = "job.review",
		[SCOPE_IMAGE_SIGN] = "image.sign",
		[SCOPE_CONTRACT_SIGN] = "contract.sign",
		[SCOPE_LOG_WITNESS] = "log.witness",
		[SCOPE_EVENT_HUB] = "event.hub",
		[SCOPE_WATCHDOG] = "watchdog.verdict",
	};

	if (len == 1 && s[0] == '*')
		return SCOPE_ALL;
	for (int i = 0; i < (int)NELEM(names); i++)
		if (strlen(names[i]) == len && memcmp(names[i], s, len) == 0)
			return i;
	return -1;
}

static bool
pin_is(const struct level_pin *p, const struct level_query *q)
{
	if (p->is_rns)
		return q->rns != NULL &&
		    memcmp(p->id.b, q->rns, RNS_HASH_LEN) == 0;
	return q->fp != NULL && fp_eq(&p->id, q->fp);
}

/* The lowest; of equals the one that does not ignore revocation. */
static const struct level_pin *
pin_find(const struct level_conf *c, const struct level_query *q)
{
	const struct level_pin *best = NULL;

	for (size_t i = 0; i < c->npins; i++) {
		const struct level_pin *p = &c->pins[i];

		if (!pin_is(p, q))
			continue;
		if (best == NULL || p->level < best->level ||
		    (p->level == best->level && !p->ignore_revocation))
			best = p;
	}
	return best;
}

const struct level_pin *
level_pin_rns(const struct level_conf *c, const struct hash16 *rns)
{
	const struct level_query q = {.rns = rns->b};

	return pin_find(c, &q);
}

bool
level_pinned(const struct level_conf *c, const struct level_query *q)
{
	return pin_find(c, q) != NULL;
}

bool
level_ignores(const struct level_conf *c, const struct level_query *q)
{
	const struct level_pin *pin = pin_find(c, q);

	return pin != NULL && pin->ignore_revocation;
}

static bool
decided(int *level, const char **why, int l, const char *text)
{
	*level = l;
	*why = text;
	return true;
}

bool
level_local(int *level, const char **why, const struct level_conf *c,
    const struct level_query *q)
{
	static const char pinned[] = "pinned by the operator";
	const struct level_pin *pin = pin_find(c, q);

	if (pin != NULL && pin->ignore_revocation)
		return decided(level, why, pin->level, pinned);
	if (q->revoked == REV_REVOKED)
		return decided(level, why, -3, "revoked");
	if (q->revoked == REV_SUSPENDED)
		return decided(level, why, -2, "suspended");
	if (pin != NULL)
		return decided(level, why, pin->level, pinned);
	for (size_t i = 0; q->fp != NULL && i < c->nanchors; i++) {
		const struct level_anchor *a = &c->anchors[i];

		if (fp_eq(&a->fp, q->fp) &&
		    (a->scopes & (1u << SCOPE_ALL | 1u << q->scope)) != 0)
			return decided(level, why, a->max_level, "an anchor");
	}
	*why = "not pinned, and no trust graph is read here";
	return false;
}
