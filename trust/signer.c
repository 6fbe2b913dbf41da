/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/signer.h"

#include <string.h>

#include <sodium.h>

#include "trust/doc/alert.h"
#include "trust/doc/approval.h"
#include "trust/doc/bundle.h"
#include "trust/doc/note.h"
#include "trust/doc/receipt.h"
#include "common/util.h"

#define ASK_AGAIN 60 /* s that a draft stays the same */

/* A copy for one call; the page itself never moves. */
static struct klp_secret
mesh_secret(const struct signer *s)
{
	struct klp_secret k = {
	    .kind = KEY_SECP256K1, .bip340 = s->mesh.bip340};

	memcpy(k.raw, s->secret->mesh, sizeof(k.raw));
	return k;
}

const char *
signer_init(struct signer *s, const struct signer_secret *secret,
    const struct msg_KEY_MATERIAL *m, uint32_t now)
{
	struct klp_secret k = {.kind = KEY_SECP256K1};
	uint8_t sk[crypto_sign_SECRETKEYBYTES];
	struct binding b;
	bool ok;

	memset(s, 0, sizeof(*s));
	s->secret = secret;
	memcpy(s->rns, m->rns_public, sizeof(s->rns));
	memcpy(k.raw, secret->mesh, sizeof(k.raw));
	ok = secret_public(&s->mesh, &k);
	explicit_bzero(&k, sizeof(k));
	if (!ok)
		return "the mesh key is no secp256k1 key";
	key_fp(&s->fp, &s->mesh);
	(void)crypto_sign_seed_keypair(s->audit, sk, secret->audit);
	explicit_bzero(sk, sizeof(sk));
	s->checkpoint.size = m->size;
	s->checkpoint.root = m->root;
	memcpy(s->checkpoint.sig, m->sig, sizeof(m->sig));
	memcpy(s->checkpoint.key, s->audit, sizeof(s->audit));
	if (!binding_parse(&b, m->binding, m->binding_len) ||
	    memcmp(b.secp, s->mesh.raw, sizeof(b.secp)) != 0)
		return NULL;
	/* the key's one scheme is that of its binding, valid or not */
	s->mesh.bip340 = b.bip340;
	s->draft.serial = b.serial; /* the next one is higher */
	if (binding_check(&b, s->rns, now) == NULL) {
		s->binding = b;
		s->have_binding = true;
	}
	return NULL;
}

bool
signer_binding_due(const struct signer *s, uint32_t now)
{
	return !s->have_binding || now >= binding_renew_at(&s->binding) ||
	    s->binding.not_before > (uint64_t)now + BINDING_EARLY;
}

uint32_t
signer_binding_wait(const struct signer *s, uint32_t now)
{
	if (signer_binding_due(s, now))
		return ASK_AGAIN;
	return MIN_OF(binding_renew_at(&s->binding) - now, SIGNER_RETRY_MAX);
}

void
signer_binding_ask(struct signer *s, struct msg_B_SIGN *m, uint32_t now)
{
	struct binding *d = &s->draft;

	if (!s->asked || now < d->not_before ||
	    now - d->not_before > SIGNER_EARLY + ASK_AGAIN) {
		uint32_t last = d->serial;

		memset(d, 0, sizeof(*d));
		d->bip340 = s->mesh.bip340;
		memcpy(d->secp, s->mesh.raw, sizeof(d->secp));
		memcpy(d->rns, s->rns, sizeof(d->rns));
		/* unix time, unless a clock ran backwards */
		d->serial = now > last ? now : last + (last < UINT32_MAX);
		d->not_before = now > SIGNER_EARLY ? now - SIGNER_EARLY : 0;
		d->not_after = d->not_before + BINDING_LIFE;
		s->asked = true;
	}
	memset(m, 0, sizeof(*m));
	m->flags = d->bip340 ? BINDING_FLAG_BIP340 : 0;
	memcpy(m->secp, d->secp, sizeof(m->secp));
	m->serial = d->serial;
	m->not_before = d->not_before;
	m->not_after = d->not_after;
}

const char *
signer_binding_answer(struct signer *s, const struct msg_B_SIGNED *m,
    const uint8_t aux[32])
{
	struct klp_secret k;
	struct binding b;
	bool ok;

	if (!s->asked || m->serial != s->draft.serial)
		return "not asked for";
	b = s->draft;
	memcpy(b.sig_rns, m->sig, SIG_LEN);
	k = mesh_secret(s);
	ok = binding_sign_secp(&b, &k, aux);
	explicit_bzero(&k, sizeof(k));
	if (!ok)
		return "cannot sign";
	/* transport's half too: another key's would make us lie in its name */
	if (binding_check(&b, s->rns, b.not_before) != NULL)
		return "the Reticulum key's signature does not hold";
	s->binding = b;
	s->have_binding = true;
	s->asked = false;
	return NULL;
}

const char *
signer_receipt(struct signer *s, struct msg_K_SIGNED *out,
    const struct msg_K_RECEIPT *m, const uint8_t aux[32])
{
	struct job_receipt r = {.outcome = m->outcome, .code = m->code,
	    .attempts = m->attempts, .layers = m->layers,
	    .started = m->started, .wall_ms = m->wall_ms, .cpu_ms = m->cpu_ms,
	    .memory_kb = m->memory_kb, .bytes_in = m->bytes_in,
	    .bytes_out = m->bytes_out, .bpf_events = m->bpf_events,
	    .bpf_lost = m->bpf_lost, .runner = m->runner,
	    .version = {m->runner_1, m->runner_2, m->runner_3}};
	size_t n;
	struct job_receipt again;
	struct klp_secret k;
	bool ok;

	memset(out, 0, sizeof(*out));
	out->qid = m->qid;
	r.job = m->job;
	r.image = m->image;
	r.outputs = m->outputs;
	r.logs = m->logs;
	r.policy = m->policy;
	r.trail = m->trail;
	k = mesh_secret(s);
	ok = job_receipt_sign(&r, &k, aux);
	explicit_bzero(&k, sizeof(k));
	if (!ok)
		return "cannot sign";
	n = job_receipt_put(out->receipt, &r);
	/* what nobody could read again is not given out */
	if (!job_receipt_parse(&again, out->receipt, n)) {
		memset(out->receipt, 0, sizeof(out->receipt));
		return "outcome and code do not go together";
	}
	out->ok = true;
	return NULL;
}

static bool
link_seen(const struct signer *s, const struct hash16 *link)
{
	size_t n = MIN_OF(s->nlinks, SIGNER_LINKS);

	for (size_t i = 0; i < n; i++)
		if (hash16_eq(&s->links[i], link))
			return true;
	return false;
}

const char *
signer_challenge(struct signer *s, struct msg_K_CHALLENGED *out,
    const struct msg_K_CHALLENGE *m, const uint8_t fresh[32],
    const uint8_t aux[32])
{
	struct id32 digest;
	struct klp_secret k;
	bool ok;

	memset(out, 0, sizeof(*out));
	out->qid = m->qid;
	if (!s->have_binding)
		return "no binding yet";
	if (link_seen(s, &m->link))
		return "this link was challenged before";
	s->links[s->nlinks++ % SIGNER_LINKS] = m->link;
	/* we are the responder: a node's requests come to it */
	challenge_digest(&digest, &m->link, m->n, fresh, m->initiator, s->rns);
	k = mesh_secret(s);
	ok = secp_sign(out->s, &k, &digest, aux);
	explicit_bzero(&k, sizeof(k));
	if (!ok)
		return "cannot sign";
	memcpy(out->m, fresh, 32);
	out->ok = true;
	return NULL;
}

const char *
signer_approval(struct signer *s, struct msg_K_APPROVED *out,
    const struct msg_K_APPROVE *m, uint32_t now, const uint8_t aux[32])
{
	struct approval a = {.approve = m->approve, .job = m->job,
	    .issued = now, .expires = m->expires};
	static const struct id32 none;
	struct klp_secret k;
	bool ok;

	memset(out, 0, sizeof(*out));
	out->qid = m->qid;
	if (id32_eq(&m->job, &none))
		return "no job";
	if (m->expires <= now || m->expires - now > APPROVAL_LIFE_MAX)
		return "valid for no time, or for over 30 days";
	k = mesh_secret(s);
	ok = approval_sign(out->approval, &a, &k, aux);
	explicit_bzero(&k, sizeof(k));
	if (!ok)
		return "cannot sign";
	out->ok = true;
	return NULL;
}

const char *
signer_bundle(struct signer *s, struct msg_K_BUNDLED *out,
    const struct msg_K_BUNDLE *m, uint32_t now, const uint8_t aux[32])
{
	struct bundle b = {.kind = m->kind, .job = m->job, .made = now,
	    .size = m->size, .digest = m->digest, .sums = m->sums};
	static const struct id32 none;
	struct klp_secret k;
	bool ok;

	memset(out, 0, sizeof(*out));
	out->qid = m->qid;
	if (m->kind != BUNDLE_JOB && m->kind != BUNDLE_TRAIL)
		return "no such kind of bundle";
	if ((m->kind == BUNDLE_JOB) == id32_eq(&m->job, &none))
		return "no job, or one of a trail";
	if (m->size == 0 || id32_eq(&m->digest, &none) ||
	    id32_eq(&m->sums, &none))
		return "nothing is in it";
	k = mesh_secret(s);
	ok = bundle_sign(out->frame, &b, &k, aux);
	explicit_bzero(&k, sizeof(k));
	if (!ok)
		return "cannot sign";
	out->ok = true;
	return NULL;
}

const char *
signer_alert(struct signer *s, struct msg_K_ALERTED *out,
    const struct msg_K_ALERT *m, const uint8_t aux[32])
{
	struct alert a = {.severity = m->severity, .class_uid = m->class_uid,
	    .activity = m->activity, .disposition = m->disposition,
	    .time = m->time, .seq = m->line, .count = m->count};
	struct klp_secret k;
	bool ok;

	memset(out, 0, sizeof(*out));
	out->seq = m->seq;
	if (a.severity < ALERT_SEVERITY || a.severity > 5 || a.count == 0)
		return "no alarm";
	memcpy(a.subject, m->subject, sizeof(a.subject));
	memcpy(a.chain, m->chain, sizeof(a.chain));
	k = mesh_secret(s);
	ok = alert_sign(out->frame, &a, &k, aux);
	explicit_bzero(&k, sizeof(k));
	if (!ok)
		return "cannot sign";
	out->ok = true;
	return NULL;
}

const char *
signer_checkpoint(struct signer *s, struct msg_C_SIGNED *out,
    const struct msg_C_SIGN *m)
{
	uint8_t pub[32], sk[crypto_sign_SECRETKEYBYTES];
	struct note n = {.size = m->size};
	char body[NOTE_BODY_MAX];
	size_t len;

	memset(out, 0, sizeof(*out));
	out->size = m->size;
	memcpy(out->key, s->audit, sizeof(out->key));
	if (m->size <= s->checkpoint.size)
		return "a checkpoint must grow";
	n.fp = s->fp;
	n.root = m->root;
	len = note_body(body, &n);
	(void)crypto_sign_seed_keypair(pub, sk, s->secret->audit);
	(void)crypto_sign_detached(out->sig, NULL, (const uint8_t *)body, len,
	    sk);
	explicit_bzero(sk, sizeof(sk));
	s->checkpoint.size = m->size;
	s->checkpoint.root = m->root;
	memcpy(s->checkpoint.sig, out->sig, sizeof(out->sig));
	memcpy(s->checkpoint.key, s->audit, sizeof(s->audit));
	out->ok = true;
	return NULL;
}
