/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/alarms.h"

#include <string.h>

#include "trust/doc/alert.h"
#include "trust/doc/tlv.h"
#include "trust/signers.h"

#define HINTED_MAX 4 /* ours: keys of one hint, which are 4 bytes */

static bool
is(const struct hub_peer *p, const struct hash16 *rns, const struct fp *fp)
{
	return p->by_rns ? memcmp(p->id.b, rns->b, sizeof(rns->b)) == 0 :
	    fp_eq(&p->id, fp);
}

/* -1: nobody. */
static int
accepted(const struct alarms *a, const struct hash16 *rns,
    const struct fp *fp)
{
	for (unsigned i = 0; a->hub != NULL && i < a->hub->naccept; i++)
		if (is(&a->hub->accept[i], rns, fp))
			return (int)i;
	return -1;
}

void
alarms_use(struct alarms *a, const struct hub_conf *hub)
{
	struct alarm_sender was[HUB_PEERS_MAX];

	memcpy(was, a->heard, sizeof(was));
	memset(a->heard, 0, sizeof(a->heard));
	a->hub = hub;
	for (unsigned i = 0; hub != NULL && i < hub->naccept; i++)
		for (unsigned k = 0; k < HUB_PEERS_MAX; k++)
			if (was[k].has &&
			    was[k].as.by_rns == hub->accept[i].by_rns &&
			    fp_eq(&was[k].as.id, &hub->accept[i].id))
				a->heard[i] = was[k];
}

void
alarms_heard(struct alarms *a, const struct msg_M_HEARD *m, uint32_t now)
{
	struct alarm_sender s = {.has = true};
	struct app_data app;
	struct binding b;
	int i;

	if (a->hub == NULL || a->hub->naccept == 0 ||
	    !app_data_parse(&app, m->data, m->data_len) || !app.has_binding ||
	    !binding_parse_announce(&b, app.binding, sizeof(app.binding),
		m->rns_public) || !binding_key(&s.key, &b))
		return;
	rns_hash_of(&s.rns, m->rns_public);
	key_fp(&s.fp, &s.key);
	if ((i = accepted(a, &s.rns, &s.fp)) < 0 ||
	    (a->heard[i].has && a->heard[i].serial >= b.serial))
		return;
	if (a->second != (int64_t)now)
		a->checks = 0;
	a->second = now;
	/* one who cannot be named by his key may announce it all the same */
	if (a->checks++ >= ALARMS_CHECKS ||
	    binding_check_announce(&b, m->rns_public, now) != NULL)
		return;
	s.as = a->hub->accept[i];
	s.serial = b.serial;
	s.not_before = b.not_before;
	s.not_after = b.not_after;
	a->heard[i] = s;
}

static bool
signed_by(const struct env *e, const struct klp_key *key,
    const struct fp *fp)
{
	return memcmp(e->sigs[0].hint.b, fp->b, FP4_LEN) == 0 &&
	    env_verify(e, TYPE_ALERT, key, 1, NULL) == 1;
}

static bool
from_heard(const struct alarms *a, const struct env *e, uint32_t now,
    struct signer_id *who)
{
	for (unsigned i = 0; i < HUB_PEERS_MAX; i++) {
		const struct alarm_sender *s = &a->heard[i];

		if (!s->has || now + BINDING_EARLY < s->not_before ||
		    now >= s->not_after || !signed_by(e, &s->key, &s->fp))
			continue;
		*who = (struct signer_id){s->fp, s->rns, true};
		return true;
	}
	return false;
}

static bool
from_shown(const struct alarms *a, const struct verdicts *v,
    const struct env *e, uint32_t now, struct signer_id *who)
{
	struct binding b[HINTED_MAX];
	size_t n = bindstore_hinted(v->store, e->sigs[0].hint.b, now, b,
	    HINTED_MAX);

	for (size_t i = 0; i < n; i++) {
		struct klp_key key;

		if (!binding_key(&key, &b[i]))
			continue;
		rns_hash_of(&who->rns, b[i].rns);
		key_fp(&who->fp, &key);
		who->has_rns = true;
		if (accepted(a, &who->rns, &who->fp) >= 0 &&
		    signed_by(e, &key, &who->fp))
			return true;
	}
	return false;
}

const char *
alarms_check(const struct alarms *a, const struct verdicts *v,
    struct msg_V_ALERTED *out, const struct msg_V_ALERT *m, uint32_t now)
{
	struct signer_id who;
	struct alert al;
	const char *why;
	struct env e;

	*out = (struct msg_V_ALERTED){.packet = m->packet};
	memcpy(out->frame, m->frame, sizeof(out->frame));
	if ((why = alert_parse(&al, &e, m->frame, sizeof(m->frame))) != NULL)
		return why;
	if (e.nsigs != 1)
		return "it is not signed";
	if (!from_heard(a, &e, now, &who) && !from_shown(a, v, &e, now, &who))
		return "by no key that is known here of anybody whom "
		    "hub.accept names";
	if (signer_level(v, &who, "job.submit", now) <= -2)
		return "its key is revoked, or not trusted at all";
	out->ok = true;
	out->fp = who.fp;
	out->rns = who.rns;
	return NULL;
}
