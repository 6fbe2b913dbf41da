/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/lawpolicy.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/util.h"
#include "trust/lawio.h"
#include "trust/lawroots.h"

/* ---- roots ---- */

static void
ends(struct msg_V_POLICY *m, int64_t when, const char *what)
{
	if (when >= UINT32_MAX || (m->until != 0 && when >= m->until))
		return;
	/* 0 is never */
	m->until = when > 0 ? (uint32_t)when : 1;
	(void)snprintf(m->what, sizeof(m->what), "%s", what);
}

/* The root of the authority, behind which no head counts any more. */
static void
ends_with_root(struct law *l, struct msg_V_POLICY *m, const char *uri)
{
	const struct law_roots *r = lawroots_find(l, uri);

	for (unsigned i = 0; r != NULL && i < l->nauth; i++)
		if (l->auth[i].pinned &&
		    strcmp(l->auth[i].a.name, r->uri.authority) == 0)
			ends(m, l->auth[i].a.root.expires, "the root of their "
			    "authority expires");
}

static void
root_row(struct law *l, struct msg_V_POLICY *m, const struct sigroots *s,
    unsigned i)
{
	const struct sigroot *r = s->f[i].r;
	const char *what = "";
	int64_t end;

	m->kind = attest_conf_is_document(s->f[i].name) ? POLICY_DOCUMENT :
	    POLICY_FILE;
	(void)snprintf(m->name, sizeof(m->name), "%s", s->f[i].name);
	m->version = s->f[i].version;
	m->since = (uint32_t)MAX_OF(INT64_C(0), MIN_OF(s->f[i].since,
	    (int64_t)UINT32_MAX));
	m->fresh = (uint8_t)s->f[i].fresh;
	(void)snprintf(m->why, sizeof(m->why), "%.*s", (int)sizeof(m->why) - 1,
	    s->f[i].why);
	if (r == NULL)
		return;
	m->entries = r->nca + r->ntsa + r->nct + r->nlog;
	end = sigroot_end(r, &what);
	ends(m, end, what);
	if (m->kind == POLICY_DOCUMENT) {
		ends(m, s->f[i].expires, "the document expires");
		ends_with_root(l, m, s->f[i].name);
	}
}

/* ---- rules ---- */

static const char *
roots_bad(const struct sigroots *s, const char *name)
{
	for (unsigned i = 0; i < s->n; i++)
		if (strcmp(s->f[i].name, name) == 0)
			return s->f[i].r == NULL ?
			    "its roots count for nothing" : NULL;
	return "its roots are not there";
}

static bool
is_listed(const struct law *l, const struct fp *fp)
{
	return revset_state(&l->standing.revoked, REV_KEY, fp->b) != REV_NONE;
}

static const char *
role_bad(const struct law *l, const struct attest_signer *s)
{
	struct klp_key keys[ENV_KEYS_MAX];
	unsigned threshold, left = 0;
	size_t n = law_role(l, s->authority, s->role, keys, &threshold);
	struct fp fp;

	if (threshold == 0)
		return "there is no such authority or role";
	for (size_t i = 0; i < n; i++) {
		key_fp(&fp, &keys[i]);
		left += !is_listed(l, &fp);
	}
	return left >= threshold ? NULL : "too many keys of its role are "
	    "revoked";
}

/* Why he can sign for nothing as things are; NULL: he can. */
static const char *
signer_bad(const struct law *l, const struct sigroots *s,
    const struct attest_signer *g)
{
	if (g->verifier != NULL)
		return l->ops.verify == NULL ? "nobody runs its verifier" :
		    NULL;
	if (g->authority != NULL)
		return role_bad(l, g);
	if (!pemkey_supported(&g->key))
		return "this build has no libcrypto";
	if (g->roots != NULL && roots_bad(s, g->roots) != NULL)
		return roots_bad(s, g->roots);
	return g->issuer == NULL && is_listed(l, &g->key.fp) ?
	    "its key is revoked" : NULL;
}

/* NULL: somebody can. */
static const char *
rule_bad(const struct law *l, const struct sigroots *s,
    const struct attest_rule *r)
{
	const char *why = "any_of names nobody", *one;

	for (unsigned k = r->nsigners; k-- > 0;) {
		one = signer_bad(l, s, &l->conf->attest.signer[r->first + k]);
		if (one == NULL)
			return NULL;
		why = one;
	}
	return why;
}

/* ---- both ---- */

static unsigned
rows_of(struct law *l, struct msg_V_POLICY *out, const struct sigroots *s)
{
	const struct attest_conf *c = &l->conf->attest;
	const char *why;
	unsigned n = 0;

	for (unsigned i = 0; i < s->n; i++)
		root_row(l, &out[n++], s, i);
	for (unsigned i = 0; i < c->nrules; i++) {
		if ((why = rule_bad(l, s, &c->rule[i])) == NULL)
			continue;
		out[n].kind = POLICY_RULE;
		out[n].version = i + 1;
		(void)snprintf(out[n].name, sizeof(out[n].name), "%s",
		    c->rule[i].image);
		(void)snprintf(out[n].why, sizeof(out[n].why), "%s", why);
		n++;
	}
	return n;
}

static bool
is_near(const struct law *l, const struct msg_V_POLICY *m)
{
	return m->until != 0 &&
	    (int64_t)m->until - (int64_t)l->now <= LAWPOLICY_NEAR_S;
}

static void
say_near(struct law *l, const struct msg_V_POLICY *m)
{
	int64_t days = ((int64_t)m->until - (int64_t)l->now) / 86400;
	char text[300];

	if (m->until <= l->now)
		(void)snprintf(text, sizeof(text), "have come to an end: %s",
		    m->what);
	else
		(void)snprintf(text, sizeof(text), "come to an end in %lld "
		    "day%s: %s", (long long)days, days == 1 ? "" : "s",
		    m->what);
	log_warnx("image_policy", "the roots %s %s", m->name, text);
	lawio_event(l, EVK_AUTHORITY, 3, "roots", "%.255s %s", m->name, text);
}

static const struct msg_V_POLICY *
same_row(const struct law *l, const struct msg_V_POLICY *m)
{
	for (unsigned i = 0; i < l->npolicy; i++)
		if (l->policy[i].kind == m->kind &&
		    (m->kind != POLICY_RULE ||
			l->policy[i].version == m->version) &&
		    strcmp(l->policy[i].name, m->name) == 0)
			return &l->policy[i];
	return NULL;
}

/* A document has come to be of another age. */
static void
say_age(struct law *l, const struct msg_V_POLICY *m)
{
	static const char *const text[] = {
	    [FRESH_YES] = "are fresh again",
	    [FRESH_STALE] = "have expired: what is signed from now on counts "
		"for nothing until newer ones come",
	    [FRESH_NO] = "count for nothing any more: their grace is over, or "
		"their authority was taken away"};
	const char *is = text[MIN_OF(m->fresh, (uint8_t)FRESH_NO)];

	if (m->fresh == FRESH_YES)
		log_notice("image_policy", "the roots %s %s", m->name, is);
	else
		log_errx("image_policy", "the roots %s %s", m->name, is);
	lawio_event(l, EVK_AUTHORITY, m->fresh == FRESH_YES ? 1 : 3, "roots",
	    "%.255s %s", m->name, is);
}

/* Once, when it comes to be so. */
static void
say(struct law *l, struct msg_V_POLICY *m)
{
	const struct msg_V_POLICY *was = same_row(l, m);
	char who[100];

	if (m->kind == POLICY_DOCUMENT && was != NULL &&
	    was->fresh != m->fresh)
		say_age(l, m);
	if (m->kind == POLICY_RULE && (was == NULL || strcmp(was->why,
	    m->why) != 0)) {
		(void)text_escape(who, sizeof(who), m->name, strlen(m->name));
		log_warnx("image_policy", "rule %u, image %s: nobody can sign "
		    "for it, and all that it is about is refused: %s",
		    m->version, who, m->why);
	} else if (m->kind != POLICY_RULE && is_near(l, m)) {
		m->near = true;
		if (was == NULL || !was->near || was->until != m->until)
			say_near(l, m);
	}
}

void
lawpolicy_note(struct law *l, const struct sigroots *s)
{
	static struct msg_V_POLICY now[LAW_POLICY_MAX];
	unsigned n;

	memset(now, 0, sizeof(now));
	n = s == NULL ? 0 : rows_of(l, now, s);
	for (unsigned i = 0; i < n; i++)
		say(l, &now[i]);
	if (n == l->npolicy && memcmp(now, l->policy, sizeof(now)) == 0)
		return;
	memcpy(l->policy, now, sizeof(now));
	l->npolicy = n;
	l->changed = true;
}

bool
law_policy(const struct law *l, unsigned i, struct msg_V_POLICY *m)
{
	if (i >= l->npolicy)
		return false;
	*m = l->policy[i];
	return true;
}

uint32_t
law_policy_next(const struct law *l)
{
	uint32_t next = lawroots_next(l);

	for (unsigned i = 0; i < l->npolicy; i++) {
		uint32_t end = l->policy[i].until;

		if (end == 0)
			continue;
		if (end > LAWPOLICY_NEAR_S && end - LAWPOLICY_NEAR_S > l->now)
			next = MIN_OF(next, end - LAWPOLICY_NEAR_S);
		else if (end > l->now)
			next = MIN_OF(next, end);
	}
	return next;
}

void
lawpolicy_say(const struct law *l)
{
	for (unsigned i = 0; i < l->npolicy; i++) {
		const struct msg_V_POLICY *m = &l->policy[i];
		uint32_t age = l->now - MIN_OF(l->now, m->since);

		if (m->kind == POLICY_RULE)
			continue;
		if (m->entries == 0)
			log_warnx("klp/roots", "%s counts for nothing: %s",
			    m->name, m->why);
		else if (m->kind == POLICY_FILE)
			log_info("klp/roots", "%s age=%u days: entries=%u",
			    m->name, age / 86400, m->entries);
		else
			log_info("klp/roots", "%s version=%u age=%u days: "
			    "entries=%u%s", m->name, m->version, age / 86400,
			    m->entries, m->fresh == FRESH_YES ? "" :
			    ", has expired: newer signatures wait");
	}
}
