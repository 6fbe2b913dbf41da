/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/verdict.h"

#include <stdio.h>
#include <string.h>

#include "trust/doc/envelope.h"
#include "trust/doc/manifest_parse.h"
#include "trust/doc/manifest_record.h"
#include "common/util.h"

static void
say(struct msg_V_VERDICT *out, const char *why)
{
	(void)snprintf(out->why, sizeof(out->why), "%s", why);
}

static void
put_key(struct msg_V_VERDICT *out, const struct klp_key *k)
{
	key_fp(&out->fp, k);
	out->key_kind = (uint8_t)k->kind;
	out->bip340 = k->bip340;
	out->key_len = k->len;
	memcpy(out->key, k->raw, k->len);
}

/* How a key and its Reticulum identity stand; either may be NULL. */
static void
stand(const struct verdicts *v, struct standing_of *o, const struct fp *fp,
    const struct hash16 *rns, const char *scope, uint32_t now)
{
	int bit = scope_parse(scope, strlen(scope));

	/* an unknown scope is covered by nobody but "*" */
	standing_ask(v->s, o, fp, rns,
	    bit < 0 ? SCOPE_ALL : (enum scope)bit, now);
}

int
verdict_level(const struct verdicts *v, const struct fp *fp,
    const uint8_t *rns, const char *scope, uint32_t now, const char **why)
{
	struct standing_of o;

	stand(v, &o, fp, rns == NULL ? NULL : hash16_at(rns), scope, now);
	*why = o.why;
	return o.level;
}

static bool
pinned(const struct verdicts *v, const struct fp *fp, const struct hash16 *rns)
{
	const struct level_query q = {.fp = fp, .rns = rns->b};
	const char *why;
	int level;

	return level_local(&level, &why, &v->s->levels, &q);
}

/* What it says goes out; a key has been put. */
static void
put_standing(struct msg_V_VERDICT *out, const struct standing_of *o)
{
	static const uint8_t jobs[] = {[JOBS_TAKEN] = VJOBS_TAKEN,
	    [JOBS_NOT_NEW] = VJOBS_NOT_NEW,
	    [JOBS_NOT_STARTED] = VJOBS_NOT_STARTED};

	out->level = o->level;
	out->status = o->revoked == REV_REVOKED ? VERDICT_REVOKED :
	    o->revoked == REV_SUSPENDED ? VERDICT_SUSPENDED : VERDICT_OK;
	out->jobs = jobs[o->jobs];
	out->pinned = o->pinned;
	out->valid_until = MIN_OF(out->valid_until, o->valid_until);
	say(out, out->status == VERDICT_OK && o->why_jobs != NULL ?
		o->why_jobs : o->why);
}

/*
 * The binding that came with the question. NULL: taken, or none came; else
 * what is wrong with it.
 */
static const char *
take_binding(struct verdicts *v, const struct msg_V_ASK *m,
    const struct hash16 *rns, uint32_t now, enum verdict_note *note)
{
	struct binding b;
	struct klp_key k;
	struct fp fp;
	const char *why;
	bool keep, fresh;

	if (m->binding_len == 0)
		return NULL;
	if (!binding_parse(&b, m->binding, m->binding_len))
		return "binding: not of its form";
	/* signatures once; times each time */
	if (memcmp(b.rns, m->rns_public, sizeof(b.rns)) != 0 ||
	    now >= b.not_after || !bindstore_has(v->store, &b)) {
		if ((why = binding_check(&b, m->rns_public, now)) != NULL)
			return why;
	}
	if (!binding_key(&k, &b))
		return "binding: no key";
	key_fp(&fp, &k);
	keep = pinned(v, &fp, rns);
	if ((why = bindstore_take(v->store, &b, now, keep, &fresh)) != NULL)
		return why;
	if (fresh)
		*note = keep ? VERDICT_BOUND_KEPT : VERDICT_BOUND;
	return NULL;
}

/* Without a binding: an identity pinned by its hash has its Ed25519 key. */
static void
unbound(const struct verdicts *v, struct msg_V_VERDICT *out,
    const struct msg_V_ASK *m, uint32_t now)
{
	struct standing_of o;
	struct klp_key k;

	stand(v, &o, NULL, &out->rns_hash, m->scope, now);
	if (level_pin_rns(&v->s->levels, &out->rns_hash) != NULL &&
	    key_set(&k, KEY_ED25519, m->rns_public + 32, 32)) {
		put_key(out, &k);
		put_standing(out, &o);
	} else if (o.revoked != REV_NONE) {
		put_standing(out, &o); /* whoever it belongs to */
	} else {
		out->status = VERDICT_NO_BINDING;
		say(out, "no binding of this identity is known");
	}
}

enum verdict_note
verdict_ask(struct verdicts *v, struct msg_V_VERDICT *out,
    const struct msg_V_ASK *m, uint32_t now)
{
	enum verdict_note note = VERDICT_PLAIN;
	const struct binding *b;
	struct standing_of o;
	struct klp_key k;
	const char *why;

	memset(out, 0, sizeof(*out));
	out->qid = m->qid;
	out->valid_until = now + VERDICT_VALID;
	rns_hash_of(&out->rns_hash, m->rns_public);
	if ((why = take_binding(v, m, &out->rns_hash, now, &note)) != NULL) {
		stand(v, &o, NULL, &out->rns_hash, m->scope, now);
		out->status = VERDICT_BAD_BINDING;
		out->level = MIN_OF(o.level, 0);
		say(out, why);
		return VERDICT_BAD;
	}
	b = bindstore_find(v->store, m->rns_public, now);
	if (b == NULL || !binding_key(&k, b)) {
		unbound(v, out, m, now);
		return note;
	}
	put_key(out, &k);
	out->valid_until = MIN_OF(out->valid_until, b->not_after);
	stand(v, &o, &out->fp, &out->rns_hash, m->scope, now);
	put_standing(out, &o);
	out->live_needed = out->level >= v->live_from;
	return note;
}

const struct verdict_board *
verdict_board(const struct verdicts *v, const char *text)
{
	for (size_t i = 0; *text != '\0' && i < v->nboards; i++) {
		if (strcmp(v->boards[i].text, text) == 0)
			return &v->boards[i];
	}
	return NULL;
}

/* Keys of the board that the manifest names, under its own envelope. */
static void
cosigned(const struct verdicts *v, struct msg_V_MANIFEST *out,
    const struct env *e, const char *board)
{
	const struct verdict_board *b = verdict_board(v, board);
	uint64_t who = 0;
	struct fp fp;

	if (b == NULL || b->threshold == 0 || e->nsigs < 2)
		return;
	(void)env_signers(e, TYPE_MANIFEST, b->keys, b->nkeys, &who, NULL);
	for (size_t i = 0; i < b->nkeys &&
	    out->cosigned_len < sizeof(out->cosigned); i++) {
		if ((who & UINT64_C(1) << i) == 0)
			continue;
		key_fp(&fp, &b->keys[i]);
		memset(out->cosigned + out->cosigned_len, 0, IPC_SIGNER);
		memcpy(out->cosigned + out->cosigned_len, HASH_BYTES(fp));
		out->cosigned_len = (uint16_t)(out->cosigned_len + IPC_SIGNER);
	}
}

static size_t
refuse(struct msg_V_MANIFEST *out, const char *member, const char *why)
{
	(void)snprintf(out->why, sizeof(out->why), "%s: %s", member, why);
	return 0;
}

static size_t
checked(const struct verdicts *v, uint8_t *record, size_t cap,
    struct msg_V_MANIFEST *out, const struct env *e, const struct klp_key *k)
{
	char why[MANIFEST_WHY];
	struct manifest m;
	struct fp fp;
	size_t n = 0;

	if (env_verify(e, TYPE_MANIFEST, k, 1, NULL) < 1)
		return refuse(out, "signature",
		    strcmp(e->type, TYPE_MANIFEST) != 0
			? "the envelope is of another type"
			: "none by the key that is bound to this link");
	if (manifest_parse(&m, e->payload, e->payload_len, why) != 0) {
		(void)snprintf(out->why, sizeof(out->why), "%s", why);
		manifest_clear(&m);
		return 0;
	}
	key_fp(&fp, k);
	if (!fp_eq(&fp, &m.submitter))
		(void)refuse(out, "submitter", "is not the key that signed");
	else if ((n = manifest_record_put(record, cap, &m)) == 0)
		(void)refuse(out, "payload", "too large");
	else
		out->job = m.job;
	if (n > 0)
		cosigned(v, out, e, m.approved_by);
	manifest_clear(&m);
	return n;
}

size_t
verdict_envelope(const struct verdicts *v, uint8_t *record, size_t cap,
    struct msg_V_MANIFEST *out, const struct msg_V_ENVELOPE *m,
    const uint8_t *buf, size_t len)
{
	struct klp_key k;
	const char *why;
	struct env e;
	size_t n;

	memset(out, 0, sizeof(*out));
	out->qid = m->qid;
	if (!key_set(&k, (enum key_kind)m->key_kind, m->key, m->key_len))
		return refuse(out, "signature", "no key to check it with");
	k.bip340 = k.kind == KEY_SECP256K1 && m->bip340;
	if (env_parse(&e, buf, len, ENV_MANIFEST_MAX, ENV_MANIFEST_PAYLOAD,
		&why) != 0) {
		env_clear(&e);
		return refuse(out, "envelope", why);
	}
	n = checked(v, record, cap, out, &e, &k);
	env_clear(&e);
	out->ok = n > 0;
	out->len = (uint32_t)n;
	return n;
}

bool
verdict_live(const struct msg_V_LIVE *m)
{
	struct id32 digest;
	struct klp_key k;

	if (!key_set(&k, KEY_SECP256K1, m->key, sizeof(m->key)))
		return false;
	k.bip340 = m->bip340;
	challenge_digest(&digest, &m->link, m->n, m->m, m->initiator,
	    m->responder);
	return secp_verify(&k, m->s, &digest);
}
